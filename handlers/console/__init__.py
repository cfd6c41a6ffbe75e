"""The browser chat at /console: the chat that is always there, with no account anywhere."""
