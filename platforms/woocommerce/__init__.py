"""WooCommerce: what it wants of a picture."""
