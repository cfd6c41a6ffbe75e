"""What pictures are made by, and where their bytes lie. `bot/app.py` hands the implementations in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.catalog import Sha256
from domain.hint import Area
from domain.picture import Enhanced
from domain.recipe import PictureRules, Recipe


class Enhancer(Protocol):
    """Pixels in, pixels out, off the event loop, a bounded number at a time."""

    async def enhance(self, photo: bytes, recipe: Recipe, rules: Sequence[PictureRules]) -> Enhanced:
        """Return one picture per rules, in that order, from one decode.

        Raises BadPhoto for anything that is no usable picture, NotPossible when the recipe's engine
        is not here. May be called again with the same arguments; leaves nothing behind.
        """
        ...

    async def check(self, photo: bytes) -> None:
        """Raise BadPhoto when the header alone shows that `enhance` would: no pixel is decoded."""
        ...

    async def numbered(self, photo: bytes, areas: Sequence[Area]) -> bytes:
        """Return a JPEG of the upright photo with the areas numbered from 1, over a grid of fields named `A1` to `D4`.

        The letter is the column from the left, the digit the row from the top (`domain.hint.FIELDS`). Raises BadPhoto.
        """
        ...

    async def beside(self, pictures: Sequence[tuple[str, bytes]]) -> bytes:
        """Return one JPEG with pictures of our own making side by side, each under its label."""
        ...

    def engine_name(self) -> str:
        """Which engine `auto` means on this machine now, for `status`."""
        ...


class MediaStorage(Protocol):
    """Photo bytes, named by their sha256."""

    async def put(self, content: bytes) -> Sha256:
        """Keep bytes and return their name; keeping the same bytes twice is one object.

        Returns only once they are durable. Raises Fault("media_full") when there is no room.
        """
        ...

    async def put_all(self, contents: Sequence[bytes]) -> tuple[Sha256, ...]:
        """Keep several in one transaction; raises as `put` does, and may then have kept some."""
        ...

    async def write(self, content: bytes) -> Sha256:
        """Make bytes durable under their name, and leave recording them to `Events.take`.

        For a way in that must answer at once: one transaction instead of two. Raises as `put` does.
        """
        ...

    async def get(self, name: Sha256) -> bytes:
        """Return the bytes. Raises Fault("media_missing") when they are gone."""
        ...

    async def delete(self, names: Sequence[Sha256]) -> None:
        """Forget them; missing ones are no error."""
        ...


class PictureLinks(Protocol):
    """Addresses by which a store outside may fetch one stored picture for a while."""

    async def link(self, name: Sha256) -> str:
        """Return an address of one picture that anybody who has it may fetch for a week, and nothing else by it.

        Raises NotPossible where nobody outside can reach us, naming what to set.
        """
        ...
