"""manifest.yaml and the listeners say the same: nothing is missing, and nothing is asked for without use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from handlers.slack import actions, chat, listeners, modals
from tests.fakes.slack_api import SCOPES
from tests.fakes.slack_state import EVERY_SCOPE

FOLDER = Path(listeners.__file__).parent
TEXT = (FOLDER / "manifest.yaml").read_text(encoding="utf-8")
MANIFEST = yaml.safe_load(TEXT)
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py")))
NEEDED_BY_EVENT = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "file_shared": {"files:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "tokens_revoked": set(),
    "user_change": {"users:read"},
}


def _methods() -> set[str]:
    """Every Web API method our code calls, spelt as Slack does."""
    called = re.findall(r"client\.((?!is_)[a-z]+(?:_[A-Za-z]+)+)\(", SOURCE)
    return {name.replace("_", ".", 1) if name.count("_") == 1 else ".".join(name.split("_")) for name in called}


def test_every_event_has_a_listener_and_every_listener_its_event() -> None:
    subscribed = set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    assert {name.partition(".")[0] if name.startswith("message") else name for name in subscribed} == set(
        listeners.EVENTS
    )
    assert set(re.findall(r'\.event\("([a-z_]+)"\)', SOURCE)) == set(listeners.EVENTS)
    assert subscribed == set(NEEDED_BY_EVENT)


def test_the_command_and_the_shortcuts_are_those_we_listen_to() -> None:
    assert [command["command"] for command in MANIFEST["features"]["slash_commands"]] == [listeners.COMMAND]
    shortcuts = {each["callback_id"]: each["type"] for each in MANIFEST["features"]["shortcuts"]}
    assert shortcuts == {actions.MESSAGE_SHORTCUT: "message", actions.GLOBAL_SHORTCUT: "global"}
    for shortcut in MANIFEST["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24
    assert MANIFEST["settings"]["interactivity"]["is_enabled"]
    assert MANIFEST["settings"]["socket_mode_enabled"]
    assert MANIFEST["features"]["app_home"]["home_tab_enabled"]
    assert MANIFEST["features"]["app_home"]["messages_tab_enabled"]


def test_the_scopes_are_those_that_are_used_and_no_more() -> None:
    methods = _methods()
    assert methods <= {"auth.test", "apps.connections.open", "views.open", "views.publish", *SCOPES}
    needed = {"commands"}
    for event in MANIFEST["settings"]["event_subscriptions"]["bot_events"]:
        needed |= NEEDED_BY_EVENT[event]
    for method in methods & set(SCOPES):
        # Looking back works with the history scopes that hearing messages needs anyway.
        needed |= {SCOPES[method]} - {"history"}
    scopes = MANIFEST["oauth_config"]["scopes"]
    assert set(scopes) == {"bot"}
    assert set(scopes["bot"]) == needed == set(EVERY_SCOPE)
    assert len(scopes["bot"]) == len(set(scopes["bot"]))


@pytest.mark.parametrize("scope", EVERY_SCOPE)
def test_every_scope_has_its_reason(scope: str) -> None:
    assert re.search(rf"^\s*- {re.escape(scope)} # \S.+", TEXT, re.MULTILINE)


def test_every_modal_has_its_listener() -> None:
    callbacks = {modals.REJECT, modals.REDO, modals.ENHANCE_PHOTO, modals.ENHANCE_SKU, modals.SETTINGS}
    assert {getattr(modals, name) for name in re.findall(r"app\.view\(modals\.([A-Z_]+)\)", SOURCE)} == callbacks


def test_slack_takes_the_manifests_lengths() -> None:
    information = MANIFEST["display_information"]
    assert len(information["name"]) <= 35
    assert len(information["description"]) <= 140
    assert 174 <= len(information["long_description"]) <= 4000


def test_doctor_asks_for_the_scopes_of_the_manifest() -> None:
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == chat.SCOPES
