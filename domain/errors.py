"""Every failure Packshot knows, in one tree.

    PackshotError
    ├── UserError               what a person can mend: one sentence that ends in the way out
    │   ├── BadInput            a word, SKU, colour or token that cannot be read
    │   ├── BadPhoto            bytes that are no picture we can work on
    │   ├── UnknownSku          no connected store sells it
    │   ├── NotAMember          nobody of a team we know
    │   ├── NotAllowed          a member, but the role is too low
    │   ├── StaleButton         the card has moved on since that button was drawn
    │   ├── ChangedMeanwhile    somebody changed the listing after us; undo keeps its hands off
    │   └── NotPossible         understood, but not in this state or not with this store
    ├── StoreError              what a store answered, translated once at its edge
    │   ├── RateLimited         repeat after `retry_after_s`
    │   ├── StoreDown           no answer or a 5xx: safe to repeat what is idempotent
    │   ├── NeedsReconnect      the key is gone
    │   ├── MissingScope        the key is good, and lacks the right `scope`
    │   ├── NotFound            the listing or image is gone
    │   │   └── Disconnected    the whole store: somebody took it away
    │   ├── RejectedByStore     the store refused a field, with its message
    │   ├── StockChanged        the quantity there was not the expected one; nothing was written
    │   └── Ambiguous           written or not? a person decides
    ├── RowChanged              a compare-and-set lost: someone else was first
    │   └── EventConcluded      this event was handled before; nothing is left to do
    ├── Undeliverable           a chat will never take this message: it, its place or the whole chat is closed to us
    └── Fault                   ours: a short code for the person, the details for the log

`handlers/dispatch.py` turns them into replies once; jobs turn them into a failed state once.
"""

from __future__ import annotations

from typing import Any, Literal

from domain.sentences import Sentence, Value


class PackshotError(Exception):
    """Root of the tree."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross to another process as it is: Python would call the constructor with the message alone."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(kind: type[PackshotError], args: tuple[Any, ...], state: dict[str, Any]) -> PackshotError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class UserError(PackshotError):
    """Carries one sentence for the person, ending in what to do next.

    It is made of a template and its values (`UserError("I do not know “{word}”.", word=word)`), never of an
    f-string: the chats say it in the reader's language, and a test names every template without a translation.
    """

    code = "refused"

    def __init__(self, template: str, /, **values: Value) -> None:
        self.sentence = Sentence(template, **values)
        super().__init__(self.sentence)


class BadInput(UserError):
    """A word, SKU, colour or button token that cannot be read."""

    code = "bad_input"


class BadPhoto(UserError):
    """Bytes that are no picture we can work on; `reason` is stable, the sentence is for people."""

    code = "bad_photo"

    def __init__(self, template: str, /, *, reason: str, **values: Value) -> None:
        super().__init__(template, **values)
        self.reason = reason


class UnknownSku(UserError):
    """No connected store has a listing with this SKU; `guesses` are the nearest ones, best first."""

    code = "unknown_sku"

    def __init__(self, sku: str, *, guesses: tuple[str, ...] = ()) -> None:
        if guesses:
            near = " / ".join(guesses)
            super().__init__(
                "No store has a listing with the SKU {sku}. Did you mean {guesses}?", sku=sku, guesses=near
            )
        else:
            super().__init__("No store has a listing with the SKU {sku}. `products` lists what is there.", sku=sku)
        self.sku = sku
        self.guesses = guesses


class NotAMember(UserError):
    """Nobody of a team we know."""

    code = "not_a_member"

    def __init__(self) -> None:
        super().__init__("I do not know you yet: ask an admin of your shop for an invitation, then send `join CODE`.")


class NotAllowed(UserError):
    """A member whose role is too low for what was asked; `what` is a Sentence, to be translated with the rest."""

    code = "not_allowed"

    def __init__(self, *, needs: str, has: str, what: str) -> None:
        super().__init__(
            "{what} needs the role {needs}, and you are {has}: ask an admin to raise your role.",
            what=what,
            needs=Sentence(needs),
            has=Sentence(has),
        )
        self.needs = needs
        self.has = has


class StaleButton(UserError):
    """The card has moved on since that button was drawn."""

    code = "stale_button"


class ChangedMeanwhile(UserError):
    """The image at our position is no longer ours, so nothing was changed."""

    code = "changed_meanwhile"

    def __init__(self, *, store: str, sku: str) -> None:
        super().__init__(
            "Somebody changed the picture of {sku} on {store} after I published mine, so I changed nothing: "
            "look at the listing, and enhance it again if you want mine back.",
            sku=sku,
            store=store,
        )
        self.store = store
        self.sku = sku


class NotPossible(UserError):
    """Understood, but not in this state or not with this store."""

    code = "not_possible"


class StoreError(PackshotError):
    """What a store answered, translated at its edge. `store` is the store's name as people know it."""

    def __init__(self, message: str, *, store: str) -> None:
        super().__init__(message)
        self.store = store


class RateLimited(StoreError):
    """The store asks for a pause of `retry_after_s` seconds."""

    def __init__(self, *, store: str, retry_after_s: float) -> None:
        super().__init__(f"{store} asks me to wait {retry_after_s:.0f} s.", store=store)
        self.retry_after_s = retry_after_s


class StoreDown(StoreError):
    """No answer, or a 5xx. What is idempotent may be repeated."""


class NeedsReconnect(StoreError):
    """The store no longer accepts our key."""


class MissingScope(StoreError):
    """The store knows our key, which lacks a right; `scope` is the store's own word, empty where it names none."""

    def __init__(self, *, store: str, scope: str) -> None:
        super().__init__(f"{store} does not let me do that: the right {scope or 'for it'} is missing.", store=store)
        self.scope = scope


class NotFound(StoreError):
    """The listing or image is gone at the store."""


class Disconnected(NotFound):
    """Somebody took the store away; its rows are history."""


class RejectedByStore(StoreError):
    """The store refused `field` and said why."""

    def __init__(self, message: str, *, store: str, field: str) -> None:
        super().__init__(message, store=store)
        self.field = field


class StockChanged(StoreError):
    """A stock write found `found` instead of the quantity it was based on (None: not counted), and wrote nothing."""

    def __init__(self, *, store: str, sku: str, found: int | None) -> None:
        super().__init__(f"{store} shows {found} of {sku} now.", store=store)
        self.sku = sku
        self.found = found


class Ambiguous(StoreError):
    """Nobody can tell whether the write happened; read back, then ask a person."""


class RowChanged(PackshotError):
    """A compare-and-set matched no row: the state was no longer `was`."""

    def __init__(self, what: str, *, was: str) -> None:
        super().__init__(f"{what} is no longer {was}")
        self.what = what
        self.was = was


class EventConcluded(RowChanged):
    """The event's effects are already in the database: a repeat after a crash, or a second delivery."""

    def __init__(self, event_key: str) -> None:
        super().__init__(f"event {event_key}", was="open")


class Undeliverable(PackshotError):
    """A chat will not take a message, however often it is tried; `status` shows the sentence.

    `scope` is `message` (it was deleted), `place` (blocked, archived, left) or `chat` (the token is gone).
    """

    def __init__(self, sentence: str, *, scope: Literal["message", "place", "chat"]) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.scope = scope


class Fault(PackshotError):
    """Ours. The person hears `code`; the log has the details under the same code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
