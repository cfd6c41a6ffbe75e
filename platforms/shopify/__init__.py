"""Shopify: what it wants of a picture."""
