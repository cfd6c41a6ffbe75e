"""A room: the stores. One folder each, all the same shape, and none knows another."""
