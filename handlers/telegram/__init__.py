"""Telegram: people in private chats and groups."""
