"""The sample shop: a catalogue, its photos, and the small renderer that made them."""
