"""Slack: slash command, mentions, direct messages, shortcuts, App Home; Socket Mode and HTTP alike."""
