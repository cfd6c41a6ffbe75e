"""Adapters against servers nobody here wrote: `make contracts`."""
