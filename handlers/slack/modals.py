"""The modals: what each asks, and how its answers are read back.

`private_metadata` carries what the modal is about, so that nothing is kept on our side while it is open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from zoneinfo import available_timezones

from domain.catalog import Sku
from domain.errors import BadInput
from domain.intents import Attachment
from domain.replies import SettingsShown
from handlers.slack.blocks import Block, escaped, option, plain_text, section
from handlers.slack.cards import as_word
from handlers.slack.fields import View, WrongAnswer, radio, text_input, value_of
from handlers.slack.recipe_form import recipe_blocks
from handlers.slack.render import LANGUAGE_NAMES
from handlers.words import LANGUAGES, Words

REJECT, REDO, ENHANCE_PHOTO, ENHANCE_SKU, SETTINGS = "reject", "redo", "enhance_photo", "enhance_sku", "settings"
"""callback_ids of submissions."""

REASON_CHARS = 500
MAX_FILES = 10
"""A Slack message holds ten files; as many, names cut, fit into the 3000 characters of `private_metadata`."""


def reject_modal(about: Mapping[str, str], words: Words) -> View:
    """Ask for a reason, which may stay empty."""
    reason = text_input("reason", words("Reason"), chars=REASON_CHARS, multiline=True, is_optional=True)
    reason["hint"] = plain_text(words("The person who asked for the picture reads it."), 2000)
    return modal(REJECT, words("Reject the preview"), words("Reject"), [reason], about, words)


def redo_modal(about: Mapping[str, str], words: Words) -> View:
    """Ask how the picture should look instead."""
    return modal(
        REDO, words("Make it again"), words("Redo"), recipe_blocks(words, unsaid=words("As it is now")), about, words
    )


def enhance_sku_modal(words: Words) -> View:
    """Ask which product, and how it should look."""
    blocks = [_sku_input(words), *recipe_blocks(words, unsaid=words("As it suits the shop"))]
    return modal(ENHANCE_SKU, words("Enhance a product"), words("Enhance"), blocks, {}, words)


def enhance_photo_modal(about: Mapping[str, str], files: Sequence[Attachment], words: Words) -> View:
    """Ask which product is on the photo."""
    kept = [asdict(file) | {"name": file.name[:40], "content_type": file.content_type[:60]} for file in files]
    blocks = [_sku_input(words)]
    title = words("Enhance this photo")
    return modal(ENHANCE_PHOTO, title, words("Enhance"), blocks, dict(about) | {"files": kept[:MAX_FILES]}, words)


def no_photo_modal(words: Words) -> View:
    """Say why the shortcut does nothing here."""
    said = words("There is no photo in that message: choose one with a picture, or send me the picture itself.")
    return {
        "type": "modal",
        "title": plain_text(words("Enhance this photo"), 24),
        "close": plain_text(words("Close"), 24),
        "blocks": [section(escaped(said))],
    }


def settings_modal(now: SettingsShown, about: Mapping[str, str], words: Words, *, may_watch: bool) -> View:
    """Ask for language, time zone and, of who may ask for it, whether every preview is shown here."""
    languages = [option(LANGUAGE_NAMES[each], each) for each in LANGUAGES]
    previews = [
        option(words("Show every new preview here"), "on"),
        option(words("Only what was asked for here"), "off"),
    ]
    blocks = [
        radio("language", words("Language"), languages, now.language),
        text_input("timezone", words("Time zone"), initial=now.timezone, chars=64),
    ]
    if may_watch:
        blocks.append(radio("previews", words("Previews"), previews, "on" if now.previews else "off"))
    return modal(SETTINGS, words("Settings"), words("Save"), blocks, about, words)


# ---------------------------------------------------------------- reading back


def read_about(view: View) -> dict[str, Any]:
    """Return what the modal is about."""
    return dict(json.loads(view.get("private_metadata") or "{}"))


def read_reason(view: View) -> str:
    """Return the reason, empty for none."""
    return value_of(view, "reason")[:REASON_CHARS]


def read_sku(view: View, words: Words) -> str:
    """Return the SKU as typed. Raises WrongAnswer."""
    try:
        return Sku(value_of(view, "sku")).value
    except BadInput as error:
        raise WrongAnswer("sku", words.sentence(error.sentence)) from error


def read_files(about: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """Return the files the modal was opened on."""
    return tuple(Attachment(**each) for each in about.get("files", ()))


def read_settings(view: View, words: Words) -> str:
    """Return the command that sets what was chosen. Raises WrongAnswer for a zone that does not exist."""
    zone = value_of(view, "timezone")
    if zone not in available_timezones():
        raise WrongAnswer("timezone", words("I do not know that time zone: write it as Europe/Berlin."))
    previews = value_of(view, "previews")
    command = f"settings language={value_of(view, 'language')} timezone={zone}"
    return f"{command} previews={previews}" if previews else command


def enhance_command(sku: str, options: Mapping[str, str]) -> str:
    """Return what the person could have typed instead."""
    return " ".join(["enhance", as_word(sku), *(f"{name}={as_word(value)}" for name, value in options.items())])


# ---------------------------------------------------------------- drawing


def modal(
    callback_id: str, title: str, submit: str, blocks: list[Block], about: Mapping[str, Any], words: Words
) -> View:
    """Return a form with its frame; `about` comes back with its answers."""
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title, 24),
        "submit": plain_text(submit, 24),
        "close": plain_text(words("Cancel"), 24),
        "private_metadata": json.dumps(about, ensure_ascii=False),
        "blocks": blocks,
    }


def _sku_input(words: Words) -> Block:
    block = text_input("sku", words("SKU"), chars=64)
    block["element"]["placeholder"] = plain_text("MUG-01", 150)
    return block
