"""The open models: what each is, whose it is, where its weights come from and where they lie on this machine.

A closed list on purpose. rembg also offers weights that forbid business use (bria-rmbg, its default; here
only behind a setting) and two services that would send a seller's photos away (withoutbg, atlascloud).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from domain.errors import NotPossible

Graph = Literal["u2net", "isnet", "birefnet", "rembg"]
"""How a model wants a photo: the first three run straight on onnxruntime, the last in rembg's own session."""

WEIGHTS_URL: Final = "https://github.com/danielgatis/rembg/releases/download/v0.0.0"
"""rembg's release, which all its sessions load from (rembg 2.0.86, rembg/sessions/*.py)."""


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model rembg knows, and the one file that is its weights.

    `sha256` pins every byte. The md5 that rembg itself expects is beside each in the table below.
    """

    licence: str
    source: str
    graph: Graph
    file: str
    size_bytes: int
    sha256: str
    is_for_business: bool = True


OPEN_MODELS: Mapping[str, OpenModel] = {
    # md5 8e83ca70e441ab06c318d82300c84806
    "u2netp": OpenModel(
        "Apache-2.0",
        "xuebinqin/U-2-Net",
        "u2net",
        "u2netp.onnx",
        4_574_861,
        "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    ),
    # md5 60024c5c889badc19c04ad937298a77b
    "u2net": OpenModel(
        "Apache-2.0",
        "xuebinqin/U-2-Net",
        "u2net",
        "u2net.onnx",
        175_997_641,
        "8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491",
    ),
    # md5 55e59e0d8062d2f5d013f4725ee84782; a smaller u2net that rembg offers without a licence of its own
    "silueta": OpenModel(
        "Apache-2.0",
        "xuebinqin/U-2-Net",
        "u2net",
        "silueta.onnx",
        44_173_029,
        "75da6c8d2f8096ec743d071951be73b4a8bc7b3e51d9a6625d63644f90ffeedb",
    ),
    # md5 fc16ebd8b0c10d971d3513d564d01e29
    "isnet-general-use": OpenModel(
        "Apache-2.0",
        "xuebinqin/DIS",
        "isnet",
        "isnet-general-use.onnx",
        178_648_008,
        "60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a",
    ),
    # md5 4fab47adc4ff364be1713e97b7e66334
    "birefnet-general-lite": OpenModel(
        "MIT",
        "ZhengPeng7/BiRefNet",
        "birefnet",
        "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
        224_005_088,
        "5600024376f572a557870a5eb0afb1e5961636bef4e1e22132025467d0f03333",
    ),
    # md5 7a35a0141cbbc80de11d9c9a28f52697
    "birefnet-general": OpenModel(
        "MIT",
        "ZhengPeng7/BiRefNet",
        "birefnet",
        "BiRefNet-general-epoch_244.onnx",
        972_666_916,
        "58f621f00f5d756097615970a88a791584600dcf7c45b18a0a6267535a1ebd3c",
    ),
    # rembg pins the same sha256
    "bria-rmbg": OpenModel(
        "CC BY-NC 4.0",
        "briaai/RMBG-2.0",
        "rembg",
        "bria-rmbg-2.0.onnx",
        1_024_331_469,
        "5b486f08200f513f460da46dd701db5fbb47d79b4be4b708a19444bcd4e79958",
        is_for_business=False,
    ),
}
_SHORT_NAMES = {
    "isnet": "isnet-general-use",
    "birefnet-lite": "birefnet-general-lite",
    "birefnet": "birefnet-general",
    "bria": "bria-rmbg",
}

_VARIANTS = {"u2netp": ("u2netp_s.onnx", "u2netp_h.onnx", "u2netp.onnx")}
"""Best first: `_s` and `_h` resize by scales, in the plain file every size is worked out anew (imaging/graph.py)."""

HeldState = Literal["whole", "other", "missing"]


@dataclass(frozen=True, slots=True)
class Held:
    """What lies here of one model: the published file byte for byte, some other file of its name, or nothing."""

    name: str
    model: OpenModel
    state: HeldState
    path: Path | None


def known_model(word: str, *, noncommercial: bool) -> str:
    """Return a model's full name. Raises NotPossible for one that is unknown or may not be used here."""
    name = _SHORT_NAMES.get(word, word)
    free = ", ".join(f"rembg:{each}" for each, model in OPEN_MODELS.items() if model.is_for_business)
    if name not in OPEN_MODELS:
        raise NotPossible(
            "The model {model} is not one that a shop may use freely and on its own machine: use builtin or one of "
            "{models}.",
            model=word,
            models=free,
        )
    model = OPEN_MODELS[name]
    if not (model.is_for_business or noncommercial):
        raise NotPossible(
            "The licence of {model} ({licence}) forbids business use: use builtin or one of {models}, or set "
            "ALLOW_NONCOMMERCIAL_MODELS=1 if yours is none.",
            model=name,
            licence=model.licence,
            models=free,
        )
    return name


def find_weights(name: str, model_dir: Path | None) -> Path | None:
    """Return the weights of a model from MODEL_DIR, else from where rembg keeps its downloads."""
    file = f"{name}.onnx"
    candidates = []
    if model_dir is not None:
        candidates += [model_dir / variant for variant in _VARIANTS.get(name, (file,))]
    for home in _rembg_homes():
        candidates += [home / "models" / name / file, home / file]
    return next((path for path in candidates if path.is_file()), None)


def weights_path(name: str, model_dir: Path) -> Path:
    """Return where a download of the model goes: under the name that `find_weights` and rembg look for."""
    return model_dir / f"{name}.onnx"


def missing(name: str) -> NotPossible:
    """Return the refusal for a model whose weights are not here, with the way to have them."""
    return NotPossible(
        "The weights of {model} ({megabytes} MB) are not here: run `packshot engines get {model}` on the machine "
        "where Packshot runs, or use builtin.",
        model=name,
        megabytes=megabytes(OPEN_MODELS[name].size_bytes),
    )


def held(model_dir: Path | None) -> list[Held]:
    """Return what is here of every model; reads each file that has the right size once (1 GB: about a second)."""
    return [_held(name, model, find_weights(name, model_dir)) for name, model in OPEN_MODELS.items()]


def is_whole(path: Path, model: OpenModel) -> bool:
    """Whether the file is the published one, byte for byte. Raises OSError."""
    if path.stat().st_size != model.size_bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == model.sha256


def megabytes(size_bytes: int) -> str:
    """Return a size as people read it: `4.6`, `176`."""
    return f"{size_bytes / 1e6:.1f}" if size_bytes < 10e6 else f"{size_bytes / 1e6:.0f}"


def _held(name: str, model: OpenModel, path: Path | None) -> Held:
    if path is None:
        return Held(name, model, "missing", None)
    return Held(name, model, "whole" if is_whole(path, model) else "other", path)


def _rembg_homes() -> list[Path]:
    """Where rembg 2.0.86 looks, in its order (rembg/sessions/base.py); its variables, not settings of ours."""
    if home := os.environ.get("U2NET_HOME"):
        return [Path(home).expanduser()]
    xdg = os.environ.get("XDG_DATA_HOME")
    default = Path(xdg) / "rembg" if xdg else Path("~/.rembg")
    named = os.environ.get("REMBG_HOME")
    legacy = Path(xdg or "~") / ".u2net"
    return [(Path(named) if named else default).expanduser(), legacy.expanduser()]
