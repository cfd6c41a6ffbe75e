"""The pictures' own processes: pixels share neither the interpreter nor the fate of who answers people.

In one process a thread of pixels stops everybody, the nicer the longer: it holds the interpreter while the
kernel lets it wait for its turn (docs/decisions/0011). And a photo that kills its decoder kills one child
here, and is refused with a sentence.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import ParamSpec, TypeVar

from domain.errors import BadPhoto
from domain.hint import Area
from domain.picture import Enhanced
from domain.recipe import PictureRules, Recipe
from imaging import sheets
from imaging.engine import PHOTOS_AT_ONCE, BackdropSource, LocalEnhancer, backdrop_of

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

PIXELS_NICE = 10
"""Pixels take every core they find; a person's request goes first, and the kernel gives them what is left."""


@dataclass(frozen=True, slots=True)
class PixelSettings:
    """What every child makes its `LocalEnhancer` of."""

    engine: str
    model_dir: Path | None
    threads: int
    max_megapixels: float
    noncommercial: bool

    def open(self) -> LocalEnhancer:
        """Make one in this process."""
        return LocalEnhancer(
            engine=self.engine,
            model_dir=self.model_dir,
            threads=self.threads,
            max_megapixels=self.max_megapixels,
            noncommercial=self.noncommercial,
        )


class PixelProcesses:
    """The port `Enhancer` in children of their own, at most PHOTOS_AT_ONCE; the first photo starts them."""

    def __init__(self, settings: PixelSettings, *, backdrop: BackdropSource | None = None) -> None:
        """`backdrop` returns a backdrop photo's bytes."""
        self._settings = settings
        self._backdrop = backdrop
        self._here = settings.open()
        self._children: ProcessPoolExecutor | None = None

    async def enhance(self, photo: bytes, recipe: Recipe, rules: Sequence[PictureRules]) -> Enhanced:
        """Keep the port's promise: see `domain.picture_ports.Enhancer`."""
        backdrop = await backdrop_of(recipe, self._backdrop)
        return await self._in_child(_enhance, photo, recipe, rules, backdrop)

    async def check(self, photo: bytes) -> None:
        """Keep the port's promise: see `domain.picture_ports.Enhancer`."""
        # Not in a child: a header must not wait behind two photos in work.
        await self._here.check(photo)

    def engine_name(self) -> str:
        """Keep the port's promise: see `domain.picture_ports.Enhancer`."""
        return self._here.engine_name()

    async def numbered(self, photo: bytes, areas: Sequence[Area]) -> bytes:
        """Keep the port's promise: see `domain.picture_ports.Enhancer`."""
        return await self._in_child(_numbered, photo, areas)

    async def beside(self, pictures: Sequence[tuple[str, bytes]]) -> bytes:
        """Keep the port's promise: see `domain.picture_ports.Enhancer`."""
        return await self._in_child(_beside, pictures)

    def close(self) -> None:
        """Let the photos in work finish, take no more."""
        self._here.close()
        if self._children is not None:
            self._children.shutdown(wait=True, cancel_futures=True)

    async def _in_child(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._children is None:
            self._children = self._new_children(PHOTOS_AT_ONCE)
        children = self._children
        try:
            return await _handed_over(children, act, *args, **kwargs)
        except BrokenProcessPool:
            log.warning("a child died over its pictures")
            if self._children is children:  # whoever notices first
                self._children = None
        # The photos beside the one that killed its child were lost with it. Alone, each of them ends, and
        # only the guilty one dies again.
        child = self._new_children(1)
        try:
            return await _handed_over(child, act, *args, **kwargs)
        except BrokenProcessPool as error:
            raise BadPhoto(
                "This photo stops my picture engine: send it once more as a JPEG, or take another one.", reason="fatal"
            ) from error
        finally:
            child.shutdown(wait=False)

    def _new_children(self, count: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(count, mp_context=_context(), initializer=_begin, initargs=(self._settings,))


async def _handed_over(children: ProcessPoolExecutor, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    # In a thread, since handing over may start a child: a third of a second that the others would wait.
    return await asyncio.wrap_future(await asyncio.to_thread(children.submit, act, *args, **kwargs))


def _context() -> BaseContext:
    # Never a plain fork: this process has threads. The server imports once for all children.
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([LocalEnhancer.__module__])
    return context


# ---------------------------------------------------------------- in the child

_enhancer: LocalEnhancer | None = None


def _begin(settings: PixelSettings) -> None:
    global _enhancer
    # Ctrl-C goes to the whole group, and the parent decides what still ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(PIXELS_NICE)
    _enhancer = settings.open()


def _end_with_parent() -> None:
    """Leave when the parent was killed: nobody is left to take the picture."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "only children begin"
    wait([parent.sentinel])
    os._exit(1)


def _own() -> LocalEnhancer:
    assert _enhancer is not None, "_begin makes it"
    return _enhancer


def _enhance(photo: bytes, recipe: Recipe, rules: Sequence[PictureRules], backdrop: bytes | None) -> Enhanced:
    return _own().enhance_photo(photo, recipe, rules, backdrop)


def _numbered(photo: bytes, areas: Sequence[Area]) -> bytes:
    return _own().numbered_photo(photo, areas)


def _beside(pictures: Sequence[tuple[str, bytes]]) -> bytes:
    return sheets.beside(pictures)
