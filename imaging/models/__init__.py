"""The built-in net, as package data; DATASHEET.md beside it says where it comes from."""
