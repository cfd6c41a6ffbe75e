"""What people ask and what they see: the grammar, one file per subject, and a folder per chat."""
