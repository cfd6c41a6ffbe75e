"""The command menus that Telegram shows behind “/”: per kind of chat and per language, from the one table."""

from __future__ import annotations

from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats

from handlers.commands import COMMANDS
from handlers.words import LANGUAGES, Words

IN_GROUPS = frozenset({"enhance", "approve", "reject", "redo", "undo", "card", "products", "status", "settings", "help"})  # fmt: skip
"""What a whole group has a use for; who is invited is better told in private."""
_MAX_DESCRIPTION_CHARS = 256


async def set_menus(bot: Bot) -> None:
    """Set every menu; setting one again changes nothing."""
    for language in LANGUAGES:
        words = Words(language)
        menu = [BotCommand(row.name, words(row.meaning)[:_MAX_DESCRIPTION_CHARS]) for row in COMMANDS]
        in_groups = [row for row in menu if row.command in IN_GROUPS]
        # English is what everybody sees whose language has no menu of its own.
        code = None if language == "en" else language
        await bot.set_my_commands(menu, BotCommandScopeAllPrivateChats(), language_code=code)
        await bot.set_my_commands(in_groups, BotCommandScopeAllGroupChats(), language_code=code)
