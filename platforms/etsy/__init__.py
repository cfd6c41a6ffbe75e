"""Etsy: what it wants of a picture."""
