"""Amazon: what it wants of a picture."""
