"""From light to a phone's JPEG: focus, distortion, vignette, white balance that is off, noise, denoising."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from platforms.shelf.samples.textures import f32

Array = npt.NDArray[np.float32]

_BLURS = (0.0, 1.5, 3.0, 6.0, 12.0, 22.0)
"""Standard deviations in pixels of a 1,200 px high picture; a pixel takes the two nearest its own."""
_METERED = 0.25
"""Mean linear light that a phone's meter aims at."""


@dataclass(frozen=True, slots=True)
class Lens:
    """`aperture` scales the blur of what is out of focus; `cast` multiplies linear RGB; `noise` is per full scale.

    `exposure` is relative to what the meter says.
    """

    aperture: float = 1.0
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    exposure: float = 1.0
    vignette: float = 0.28
    barrel: float = 0.02
    noise: float = 0.010


@dataclass(frozen=True, slots=True)
class Film:
    """Light summed over the passes: the product's and the rest's, the share of the product, the rest's depth."""

    product: Array
    rest: Array
    coverage: Array
    rest_depth: Array


def develop(film: Film, lens: Lens, *, focus_cm: float, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return the picture as 8-bit sRGB."""
    light = film.product + _focused(film, lens, focus_cm)
    light = _distorted(light, lens.barrel)
    light = light * (lens.exposure * _METERED / max(float(light.mean()), 1e-6))
    height, width = light.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    off_axis = ((x - width * 0.48) ** 2 + (y - height * 0.5) ** 2) / (width**2 + height**2) * 4
    light = light * (1 - lens.vignette * off_axis[..., None]) * f32(lens.cast)
    glare = cv2.GaussianBlur(np.clip(light, 0, 3), (0, 0), height / 40)
    light = 0.96 * light + 0.04 * glare
    light = np.clip(light + _noise(light, lens.noise, rng), 0, None)
    display: npt.NDArray[np.uint8] = np.clip(_toned(light) * 255 + 0.5, 0, 255).astype(np.uint8)
    return display


def jpeg(picture: npt.NDArray[np.uint8], *, quality: int = 88) -> bytes:
    """Return the picture as a JPEG as phones write them (4:2:0)."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality, subsampling=2, optimize=True)
    return stream.getvalue()


def _focused(film: Film, lens: Lens, focus_cm: float) -> Array:
    """Blur what is not the product by its distance from the focus.

    The product is left out of the blur, else its colour would glow into the background.
    """
    scale = film.rest.shape[0] / 1200
    weight = 1 - film.coverage
    sigma = lens.aperture * scale * 420 * np.abs(1 / np.maximum(film.rest_depth, 1) - 1 / focus_cm) * 2.2
    sigma = np.where(film.rest_depth > 0, sigma, 0)
    known = f32(film.rest_depth > 0)
    smoothed = cv2.GaussianBlur(sigma * known, (0, 0), 4) / np.maximum(cv2.GaussianBlur(known, (0, 0), 4), 1e-3)
    levels = []
    for blur in _BLURS:
        if blur == 0:
            levels.append(film.rest / np.maximum(weight, 1e-3)[..., None])
            continue
        # Sharp things must not bleed into blurred ones that lie behind them.
        mask = weight * np.clip(smoothed / (0.5 * blur * scale), 0.002, 1)
        total = cv2.GaussianBlur(mask, (0, 0), blur * scale)
        colour = film.rest / np.maximum(weight, 1e-3)[..., None] * mask[..., None]
        levels.append(cv2.GaussianBlur(colour, (0, 0), blur * scale) / np.maximum(total, 1e-5)[..., None])
    result = np.zeros_like(film.rest)
    place = np.interp(smoothed / scale, _BLURS, np.arange(len(_BLURS)))
    for index, level in enumerate(levels):
        result += level * np.clip(1 - np.abs(place - index), 0, 1).astype(np.float32)[..., None]
    return f32(result * weight[..., None])


def _distorted(light: Array, barrel: float) -> Array:
    height, width = light.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (x - width / 2) / (width / 2), (y - height / 2) / (width / 2)
    radius2 = u * u + v * v
    grow = (1 + barrel * radius2) / (1 + barrel * (1 + (height / width) ** 2))
    map_x, map_y = f32(u * grow * width / 2 + width / 2), f32(v * grow * width / 2 + height / 2)
    return f32(cv2.remap(light, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def _noise(light: Array, amount: float, rng: np.random.Generator) -> Array:
    """Return shot and read noise after a phone's denoising: soft grain, softer colour blotches."""
    grain = rng.standard_normal(light.shape[:2], dtype=np.float32)
    blotch = rng.standard_normal(light.shape, dtype=np.float32)
    mixed = cv2.GaussianBlur(grain, (0, 0), 0.8)[..., None] * 2 + cv2.GaussianBlur(blotch, (0, 0), 2.2) * 3
    return f32(mixed * amount * np.sqrt(np.clip(light, 0, 1) + 0.02))


def _toned(light: Array) -> Array:
    """Return display values: highlights roll off, then sRGB with a touch of contrast, and phone sharpening."""
    shoulder = np.where(light < 0.7, light, 0.7 + 0.3 * np.tanh((light - 0.7) / 0.3 * 0.8))
    srgb = np.where(shoulder <= 0.0031308, 12.92 * shoulder, 1.055 * np.maximum(shoulder, 1e-6) ** (1 / 2.4) - 0.055)
    srgb = srgb + 0.06 * np.sin((np.clip(srgb, 0, 1) - 0.5) * 2 * np.pi) * 0.5
    soft = cv2.GaussianBlur(f32(srgb), (0, 0), 1.1)
    return f32(srgb + 0.45 * (srgb - soft))
