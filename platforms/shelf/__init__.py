"""The built-in store: everything a real one has, on our own rows. No account needed."""
