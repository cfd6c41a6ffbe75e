"""What we remember of a picture we sent: Amazon gives a picture no id, and in time another address of its own.

A mark is kept before the picture is sent, under the publish key. It knows every address our picture had, so that it
is found again after Amazon has copied it; and what buyers saw before, so that the old picture is not taken for news.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

from domain.catalog import ImageId, Sha256

OURS: Final = "packshot:"


@dataclass(frozen=True, slots=True)
class Mark:
    """One picture of ours at one position of one listing."""

    key: str
    position: int
    photo: Sha256
    sent_at: datetime
    addresses: tuple[str, ...]
    """Every address it had, the newest last."""
    strangers: tuple[str, ...] = ()
    """Addresses seen at its position that show something else: looked at once, and not again."""
    shown_before: str = ""
    issues_before: tuple[str, ...] = ()
    is_seen: bool = False
    """Whether the listing has named one of the addresses yet."""

    @property
    def image_id(self) -> ImageId:
        """The same for the same key and picture, whatever the address."""
        return ImageId(f"{OURS}{hashlib.sha256(self.key.encode()).hexdigest()[:16]}:{self.photo}")

    def also_at(self, address: str) -> Mark:
        """Return it with one more address."""
        return self if address in self.addresses else replace(self, addresses=(*self.addresses, address))

    def dump(self) -> str:
        """Return it as a note's value."""
        return json.dumps({**asdict(self), "sent_at": self.sent_at.isoformat()})


def photo_in(image_id: ImageId) -> Sha256 | None:
    """Return the picture that an image id of ours names, None for anybody else's."""
    return Sha256(image_id.rpartition(":")[2]) if image_id.startswith(OURS) else None


def marks_in(notes: Mapping[str, str]) -> dict[str, Mark]:
    """Return the marks among a listing's notes, by key."""
    return {name: _read(value) for name, value in notes.items()}


def _read(value: str) -> Mark:
    kept = json.loads(value)
    kept["sent_at"] = datetime.fromisoformat(kept["sent_at"])
    for name in ("addresses", "strangers", "issues_before"):
        kept[name] = tuple(kept[name])
    return Mark(**kept)
