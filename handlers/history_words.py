"""What the audit's actions are called when people read them, in each language; a row an action.

`{what}` is what a line says of itself, `{about}` the person it concerns. An action without a row is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from domain.rows import AuditEntry
from domain.sentences import Sentence, Value
from handlers.words import text

ACTIONS: dict[str, str] = {
    "requested": text("asked for a picture on {what}"),
    "offered": text("showed a preview ({what})"),
    "approved": text("approved it ({what})"),
    "approved_first": text("approved it as the first of two ({what})"),
    "approval_undone": text("took the approval back ({what})"),
    "rejected": text("rejected it: {what}"),
    "redone": text("asked for it again: {what}"),
    "undid": text("asked to undo it ({what})"),
    "retried": text("tried again: {what}"),
    "looked": text("looked at the store and said: {what}"),
    "reminded": text("reminded everybody of the preview: {what}"),
    "expired": text("closed the preview: {what}"),
    "failed": text("could not make a picture: {what}"),
    "begin": text("is publishing it on {what}"),
    "accept": text("handed it to {what}"),
    "confirm": text("published it on {what}"),
    "put_back": text("put the old picture back on {what}"),
    "keep": text("left {what}"),
    "fail": text("failed on {what}"),
    "lose_sight": text("could not tell whether it is on {what}"),
    "invited": text("invited {what}"),
    "joined": text("joined {what}"),
    "revoked": text("ended the invitation of {what}"),
    "role": text("gave {about} the role {what}"),
    "dismissed": text("took the access of {about} away ({what})"),
    "suspended": text("closed the access of {about}, whose workspace no longer vouches for them"),
    "ruled": text("agreed on {what}"),
    "settled": text("set {what}"),
    "workspace_invited": text("made a link for a Slack workspace"),
    "workspace_added": text("added the Slack workspace {what}"),
    "workspace_gone": text("lost the Slack workspace {what}"),
    "connected": text("connected {what}"),
    "reconnected": text("connected {what} again"),
    "granted": text("allowed more: {what}"),
    "disconnected": text("disconnected {what}"),
    "exported": text("made a link to everything of the shop"),
    "export_taken": text("took everything of the shop away in a file"),
    "forgot_person": text("had a person forgotten: {what}"),
    "forgets_team": text("had everything of the shop deleted"),
    "sync_on": text("turned the stock sync on"),
    "sync_off": text("turned the stock sync off"),
    "stock_count": text("counted the stock: {what}"),
    "stock_add": text("changed the stock: {what}"),
    "stock_received": text("took goods in: {what}"),
    "stock_undo": text("took a stock change back: {what}"),
    "mismatch_trusted": text("trusted the store's number: {what}"),
    "mismatch_ours": text("kept our own number: {what}"),
    "oversold_done": text("dealt with what was oversold: {what}"),
    "sync_go_ahead": text("let a large stock change go ahead: {what}"),
    "sync_left": text("stopped a large stock change: {what}"),
    "alerts": text("set the alerts: {what}"),
    "snoozed": text("quieted an alert: {what}"),
}

_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"revision (?P<number>\d+)"), text("revision {number}")),
    (re.compile(r"(?P<number>\d+) days left"), text("{number} days left")),
    (re.compile(r"a new (?P<role>[a-z]+)"), text("a new {role}")),
    (re.compile(r"as (?P<role>viewer|editor|approver|admin)"), text("as {role}")),
    (re.compile(r"no reason given"), text("no reason given")),
    (re.compile(r"as it was"), text("as it was")),
    (re.compile(r"nobody decided in time"), text("nobody decided in time")),
    (re.compile(r"it_is_there"), text("It is there")),
    (re.compile(r"it_is_not_there"), text("It is not there")),
    (re.compile(r"look_again"), text("Look again")),
)
"""What lines say of themselves in our own words; anything else is a person's or a store's, and stays."""


def history_sentence(entry: AuditEntry) -> Sentence:
    """Return a line in words, to be said in the reader's language."""
    failure = entry.after.get("failure")
    what: Value = _what(entry.what)
    if isinstance(failure, Mapping) and failure.get("template"):
        what = Sentence("{what}: {failure}", what=what, failure=_kept(failure))
    template = ACTIONS.get(entry.action)
    if template is None:
        # The name of an action that has no words is no template: somebody else's braces may be in it.
        return Sentence("{action} {what}", action=entry.action.replace("_", " "), what=what)
    values: dict[str, Value] = {}
    if "{what}" in template:
        values["what"] = what
    if "{about}" in template:
        values["about"] = entry.about or entry.what
    return Sentence(template, **values)


def kept_sentence(sentence: str) -> dict[str, Any]:
    """Return a sentence as the JSON that a line of the audit keeps in `after`, empty for none."""
    if not sentence:
        return {}
    if not isinstance(sentence, Sentence):
        return {"template": "{said}", "values": {"said": sentence}}
    return {"template": sentence.template, "values": {name: str(word) for name, word in sentence.values.items()}}


def _kept(words: Mapping[str, Any]) -> Sentence:
    return Sentence(str(words["template"]), **{str(name): str(word) for name, word in dict(words["values"]).items()})


def _what(what: str) -> Value:
    for pattern, template in _WORDS:
        if found := pattern.fullmatch(what):
            values: dict[str, Value] = {
                name: Sentence(word) if name == "role" else word for name, word in found.groupdict().items()
            }
            return Sentence(template, **values)
    return what
