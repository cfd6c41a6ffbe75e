"""Segmentation nets run straight on onnxruntime: how each wants a photo, behind one small Protocol.

Going through rembg instead would cost its import (1.4 s, and 59 s of numba compiling the first time
ever) and its habit of squashing every photo to a square.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np

from domain.errors import Fault
from imaging.codec import PixelsU8, SoftF32, shrunk
from imaging.graph import free_picture_size
from imaging.weights import OPEN_MODELS

if TYPE_CHECKING:
    import onnxruntime

BUILTIN_LONG_SIDE_PX: Final = 256
U2NET_LONG_SIDE_PX: Final = 320
"""384 is worse (IoU .945 against .961), 256 too (.954): what the weights were trained at wins."""
SQUARE_SIDE_PX: Final = 1024
_STRIDE_PX = 32
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)


class CutoutNet(Protocol):
    """One engine, loaded. Safe to run from several threads."""

    def coverage(self, rgb: PixelsU8) -> SoftF32:
        """Return where the product is, 0..1, at the net's own small size with the photo's aspect or square.

        Raises Fault("net") where the weights turn out to be no such graph.
        """


class Net:
    """One loaded graph. Safe to run from several threads."""

    def __init__(self, model: bytes | Path, *, threads: int) -> None:
        """Load the graph; a large one from its file, so that it is in memory once. Raises Fault("net") where the runtime is missing or refuses it."""
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
        return _stretched(raw)

    def _takes_any_size(self) -> bool:
        """Try a tiny picture: an export whose sizes `free_picture_size` does not find fails to concatenate it."""
        try:
            self._net.run(np.zeros((1, 3, 96, 64), np.float32))
        except Fault:
            return False
        return True


class SquareNet:
    """A larger graph that takes one square of 1024 px and nothing else: IS-Net, BiRefNet.

    What goes in and what comes out is as in rembg's sessions (rembg/sessions/dis_general_use.py,
    birefnet_general.py); a test runs both on one graph and compares.
    """

    def __init__(
        self, weights: Path, *, threads: int, mean: SoftF32 | np.float32, spread: SoftF32 | np.float32, is_logit: bool
    ) -> None:
        """Load it; `is_logit`: the graph leaves the sigmoid to us. Raises Fault("net")."""
        self._net = Net(weights, threads=threads)
        self._mean, self._spread, self._is_logit = mean, spread, is_logit

    def coverage(self, rgb: PixelsU8) -> SoftF32:
        """Return 0..1, 1024 px square, stretched so that its surest pixel is 1."""
        small = _resized(rgb, (SQUARE_SIDE_PX,) * 2).astype(np.float32)
        raw = self._net.run(_planes((small / max(float(small.max()), 1.0) - self._mean) / self._spread))
        return _stretched(1 / (1 + np.exp(-raw)) if self._is_logit else raw)


class RembgNet:
    """Any other model, in rembg's own session on weights that are already here; it downloads nothing.

    Importing rembg takes 1.4 s, and a minute of compiling the first time ever.
    """

    def __init__(self, name: str, weights: Path, *, threads: int) -> None:
        """Load it. Raises Fault("net") where rembg lacks the model or its runtime refuses the file."""
        try:
            import onnxruntime  # first: without it, importing rembg ends the process
            from rembg.sessions import sessions

            theirs = sessions[name]
            ours = type("OnOurWeights", (theirs,), {"download_models": classmethod(lambda *_, **__: str(weights))})
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            self._session = ours(name, options)
        except KeyError:
            raise Fault("net", f"rembg has no session called {name}") from None
        except _runtime_errors() as error:
            raise Fault("net", f"the graph does not load: {error}") from error

    def coverage(self, rgb: PixelsU8) -> SoftF32:
        """Return 0..1 at the photo's aspect, as rembg's `remove` would see it. Raises Fault("net")."""
        from PIL import Image

        try:
            mask = self._session.predict(Image.fromarray(shrunk(rgb, SQUARE_SIDE_PX)))[0]
        except _runtime_errors() as error:
            raise Fault("net", f"the graph does not take our photo: {error}") from error
        coverage: SoftF32 = np.asarray(mask.convert("L"), np.float32) / 255
        return coverage


def open_net(name: str, weights: Path, *, threads: int) -> CutoutNet:
    """Load a model of OPEN_MODELS from its weights. Raises Fault("net") where the file is no such graph."""
    match OPEN_MODELS[name].graph:
        case "u2net":
            return U2Net(weights, threads=threads)
        case "isnet":
            return SquareNet(weights, threads=threads, mean=np.float32(0.5), spread=np.float32(1), is_logit=False)
        case "birefnet":
            return SquareNet(weights, threads=threads, mean=_IMAGENET_MEAN, spread=_IMAGENET_STD, is_logit=True)
        case "rembg":
            return RembgNet(name, weights, threads=threads)


def _open_session(model: bytes | Path, *, threads: int) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # failures reach us as exceptions; the runtime would also print them
    # Threads that wait busily for the next photo took 3 % of this one's time, and a core from the chats.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena never gives memory back; without it a photo's peak ends with the photo.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _runtime_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: its errors have no root of their own. Without it, ImportError."""
    try:
        from onnxruntime.capi import onnxruntime_pybind11_state as native
    except ImportError:
        return (ImportError,)
    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "NotImplemented",
        "RuntimeException",
    )
    return (ImportError, RuntimeError, *(getattr(native, name) for name in names))


def _fitting_size(rgb: PixelsU8, long_side_px: int) -> tuple[int, int]:
    """Return (width, height) in multiples of 32 with the photo's aspect, as nearly as that allows."""
    height, width = rgb.shape[:2]
    scale = long_side_px / max(width, height)
    fit = [max(2 * _STRIDE_PX, round(side * scale / _STRIDE_PX) * _STRIDE_PX) for side in (width, height)]
    return fit[0], fit[1]


def _stretched(raw: SoftF32) -> SoftF32:
    least, most = float(raw.min()), float(raw.max())
    return (raw - least) / max(most - least, 1e-6)


def _resized(rgb: PixelsU8, size: tuple[int, int]) -> PixelsU8:
    shrinks = rgb.shape[1] >= size[0]
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _planes(pixels_f32: SoftF32) -> SoftF32:
    return np.ascontiguousarray(pixels_f32.transpose(2, 0, 1)[None])
