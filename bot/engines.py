"""`packshot engines`: what can cut a product out, whose it is, what is here; and `get`, ahead of the first photo."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import Final

from rich.console import Console

from bot.settings import Settings
from domain.errors import UserError
from imaging.download import Progress, fetch_weights
from imaging.weights import OPEN_MODELS, WEIGHTS_URL, Held, OpenModel, find_weights, held, known_model, megabytes

DEFAULT_MODEL: Final = "u2netp"
"""What `auto` prefers: the smallest, and the one that was measured."""
_LINE_EVERY = 10
"""Percent, where the output is no terminal and a bar would be a thousand lines."""


def list_engines(settings: Settings) -> int:
    """Print every engine with licence, size and whether it is here."""
    print(f"builtin · here, in the package · {_builtin_megabytes()} MB · MIT · our own")
    for each in held(settings.model_dir):
        print(f"rembg:{each.name} · {where(each, settings)} · {about(each.model)}")
    return 0


def get_engines(
    settings: Settings,
    names: Sequence[str],
    *,
    models: Mapping[str, OpenModel] = OPEN_MODELS,
    console: Console | None = None,
) -> int:
    """Fetch the weights of these models; one that fails does not stop the others. Returns the exit status."""
    failures = 0
    for word in names:
        try:
            name = known_model(word.removeprefix("rembg:"), noncommercial=settings.allow_noncommercial_models)
            _get(settings, name, models[name], console or Console(stderr=True))
        except UserError as error:
            failures += 1
            print(f"packshot: {error.sentence}", file=sys.stderr)
    return 1 if failures else 0


def get_set_engine(settings: Settings) -> None:
    """Fetch what IMAGING_ENGINE names and is not here; without it Packshot starts too, and each photo says why."""
    model = settings.imaging_engine.removeprefix("rembg:")
    if model != settings.imaging_engine and find_weights(model, settings.model_dir) is None:
        get_engines(settings, [model])


def about(model: OpenModel) -> str:
    """Return size, licence and source in one line."""
    return f"{megabytes(model.size_bytes)} MB · {model.licence} · {model.source}"


def where(each: Held, settings: Settings) -> str:
    """Return where a model's weights are, or how they come here."""
    if each.state == "whole":
        return f"here, {each.path}"
    if each.state == "other":
        return f"here, {each.path} (not the published file)"
    if not (each.model.is_for_business or settings.allow_noncommercial_models):
        return "refused: its licence forbids business use"
    return f"not here: `packshot engines get {each.name}`"


def _get(settings: Settings, name: str, model: OpenModel, console: Console) -> None:
    with _shown(name, model, console) as on_progress:
        path = fetch_weights(
            name,
            model,
            settings.model_dir,
            base_url=settings.weights_url or WEIGHTS_URL,
            on_progress=on_progress,
            on_wait=lambda: console.print(f"Another process is fetching {name}; waiting for it …", highlight=False),
        )
    print(f"{name} is here: {path} ({about(model)}). Use it with engine=rembg:{name}, or IMAGING_ENGINE=rembg:{name}.")


@contextmanager
def _shown(name: str, model: OpenModel, console: Console) -> Iterator[Progress]:
    """Yield what shows the progress: a bar on a terminal, else a line every ten percent."""
    if not console.is_terminal:
        yield _lines(name, model, console)
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(name, total=model.size_bytes)
        yield lambda here, _all: bar.update(task, completed=here)


def _lines(name: str, model: OpenModel, console: Console) -> Progress:
    started, told = time.monotonic(), -1

    def show(here: int, size_bytes: int) -> None:
        nonlocal told
        step = here * 100 // size_bytes // _LINE_EVERY
        if step > told:
            told = step
            seconds = time.monotonic() - started
            done = f"{step * _LINE_EVERY} % of {megabytes(model.size_bytes)} MB"
            console.print(f"{name}: {done} ({seconds:.0f} s)", highlight=False, soft_wrap=True)

    return show


def _builtin_megabytes() -> str:
    return megabytes(len(resources.files("imaging.models").joinpath("net_fp16.onnx").read_bytes()))
