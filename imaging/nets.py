"""Segmentation nets run straight on onnxruntime: where their weights lie and how they want a photo.

Going through rembg instead would cost its import (1.4 s, and 59 s of numba compiling the first time
ever) and its habit of squashing every photo to a square.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from domain.errors import Fault
from imaging.codec import PixelsU8, SoftF32
from imaging.graph import free_picture_size

if TYPE_CHECKING:
    import onnxruntime

BUILTIN_LONG_SIDE_PX: Final = 256
U2NET_LONG_SIDE_PX: Final = 320
"""384 is worse (IoU .945 against .961), 256 too (.954): what the weights were trained at wins."""
_STRIDE_PX = 32
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model rembg knows whose weights a shop may use, and where they come from."""

    licence: str
    source: str
    is_u2net: bool = False
    """Same graph family as u2net: run straight; the others go through rembg."""


OPEN_MODELS: dict[str, OpenModel] = {
    "u2netp": OpenModel("Apache-2.0", "xuebinqin/U-2-Net", is_u2net=True),
    "u2net": OpenModel("Apache-2.0", "xuebinqin/U-2-Net", is_u2net=True),
    "silueta": OpenModel("Apache-2.0", "xuebinqin/U-2-Net", is_u2net=True),
    "isnet-general-use": OpenModel("Apache-2.0", "xuebinqin/DIS"),
    "birefnet-general": OpenModel("MIT", "ZhengPeng7/BiRefNet"),
    "birefnet-general-fp16": OpenModel("MIT", "ZhengPeng7/BiRefNet"),
    "birefnet-general-lite": OpenModel("MIT", "ZhengPeng7/BiRefNet"),
}
"""A closed list on purpose: rembg also offers weights that forbid business use (bria-rmbg, its default)
and two services that would send a seller's photos away (withoutbg, atlascloud)."""

_VARIANTS = {"u2netp": ("u2netp_s.onnx", "u2netp_h.onnx", "u2netp.onnx")}
"""Best first: `_s` and `_h` resize by scales and so take any picture size, the plain file does not."""


class Net:
    """One loaded graph. Safe to run from several threads."""

    def __init__(self, model: bytes, *, threads: int) -> None:
        """Load the graph. Raises Fault("net") where the runtime is missing or refuses it."""
        try:
            self._session = _open_session(model, threads=threads)
        except _runtime_errors() as error:
            raise Fault("net", f"the graph does not load: {error}") from error
        self._input = str(self._session.get_inputs()[0].name)
        self._output = str(self._session.get_outputs()[0].name)

    def run(self, planes_f32: SoftF32) -> SoftF32:
        """Return the first output for a (1, 3, h, w) float32 batch, as (h', w'). Raises Fault("net")."""
        try:
            result: SoftF32 = self._session.run([self._output], {self._input: planes_f32})[0][0, 0]
        except _runtime_errors() as error:
            raise Fault("net", f"the graph does not take {planes_f32.shape}: {error}") from error
        return result


class BuiltinNet:
    """Our own net from the package: any size in multiples of 32, RGB 0..1."""

    def __init__(self, *, threads: int) -> None:
        """Load it. Raises Fault("net") where the file or the runtime is not usable."""
        from importlib import resources  # 10 ms that importing the room need not take

        try:
            model = resources.files("imaging.models").joinpath("net_fp16.onnx").read_bytes()
        except OSError as error:
            raise Fault("net", f"the built-in net cannot be read: {error}") from error
        self._net = Net(model, threads=threads)

    def coverage(self, rgb: PixelsU8) -> SoftF32:
        """Return 0..1 at the net's own small size."""
        small = _resized(rgb, _fitting_size(rgb, BUILTIN_LONG_SIDE_PX))
        return self._net.run(_planes(small.astype(np.float32) / 255))


class U2Net:
    """A graph of the u2net family: aspect-true where the export allows it, else squashed to its square."""

    def __init__(self, weights: Path, *, threads: int) -> None:
        """Load it. Raises Fault("net") where the file is no such graph."""
        try:
            model = weights.read_bytes()
            free = free_picture_size(model)
        except (OSError, ValueError) as error:
            raise Fault("net", f"{weights.name} cannot be read: {error}") from error
        self._net = Net(free, threads=threads)
        self._is_square = not self._takes_any_size()
        if self._is_square:
            self._net = Net(model, threads=threads)

    def coverage(self, rgb: PixelsU8) -> SoftF32:
        """Return 0..1 at the net's own small size, stretched so that its surest pixel is 1."""
        size = (U2NET_LONG_SIDE_PX,) * 2 if self._is_square else _fitting_size(rgb, U2NET_LONG_SIDE_PX)
        small = _resized(rgb, size).astype(np.float32)
        raw = self._net.run(_planes((small / max(float(small.max()), 1.0) - _IMAGENET_MEAN) / _IMAGENET_STD))
        least, most = float(raw.min()), float(raw.max())
        return (raw - least) / max(most - least, 1e-6)

    def _takes_any_size(self) -> bool:
        """Try a tiny picture: exports that resize to constants (rembg's own files) fail to concatenate it."""
        try:
            self._net.run(np.zeros((1, 3, 96, 64), np.float32))
        except Fault:
            return False
        return True


def find_weights(model: str, model_dir: Path | None) -> Path | None:
    """Return the weights of a model from MODEL_DIR, else from where rembg keeps its downloads."""
    name = f"{model}.onnx"
    candidates = []
    if model_dir is not None:
        candidates += [model_dir / variant for variant in _VARIANTS.get(model, (name,))]
    for home in _rembg_homes():
        candidates += [home / "models" / model / name, home / name]
    return next((path for path in candidates if path.is_file()), None)


def _rembg_homes() -> list[Path]:
    """Where rembg 2.0.86 looks, in its order (rembg/sessions/base.py); its variables, not settings of ours."""
    if home := os.environ.get("U2NET_HOME"):
        return [Path(home).expanduser()]
    xdg = os.environ.get("XDG_DATA_HOME")
    default = Path(xdg) / "rembg" if xdg else Path("~/.rembg")
    named = os.environ.get("REMBG_HOME")
    legacy = Path(xdg or "~") / ".u2net"
    return [(Path(named) if named else default).expanduser(), legacy.expanduser()]


def _open_session(model: bytes, *, threads: int) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # failures reach us as exceptions; the runtime would also print them
    # The arena never gives memory back; without it a photo's peak ends with the photo.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _runtime_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: its errors have no root of their own. Without it, ImportError."""
    try:
        from onnxruntime.capi import onnxruntime_pybind11_state as native
    except ImportError:
        return (ImportError,)
    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    return (ImportError, RuntimeError, *(getattr(native, name) for name in names))


def _fitting_size(rgb: PixelsU8, long_side_px: int) -> tuple[int, int]:
    """Return (width, height) in multiples of 32 with the photo's aspect, as nearly as that allows."""
    height, width = rgb.shape[:2]
    scale = long_side_px / max(width, height)
    fit = [max(2 * _STRIDE_PX, round(side * scale / _STRIDE_PX) * _STRIDE_PX) for side in (width, height)]
    return fit[0], fit[1]


def _resized(rgb: PixelsU8, size: tuple[int, int]) -> PixelsU8:
    shrinks = rgb.shape[1] >= size[0]
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _planes(pixels_f32: SoftF32) -> SoftF32:
    return np.ascontiguousarray(pixels_f32.transpose(2, 0, 1)[None])
