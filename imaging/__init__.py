"""Pixels in, pixels out: this room knows no store and no chat. `engine.LocalEnhancer` is its front door."""
