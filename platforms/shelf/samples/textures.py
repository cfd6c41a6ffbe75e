"""Surfaces for the sample photos: noise, wood, cloth, stone, glaze and printed paper, all drawn in code.

A texture is linear RGB, float32, 0..1; its relief (same size, centimetres) bends the normals.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Array = npt.NDArray[np.float32]


def f32(values: npt.ArrayLike) -> Array:
    """Return single precision, the one kind of number in this renderer; no copy where it is that already."""
    return np.asarray(values, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a mesh is made of. `size_cm` is what the texture spans in u and v, to scale its relief.

    `roughness` 0 mirrors, 1 does not; `gloss` is how much is reflected head-on (0.04: glaze, plastic);
    `repeat` tiles the texture in u and v, mirrored at every tile's edge.
    """

    texture: Array
    roughness: float = 0.5
    gloss: float = 0.04
    relief: Array | None = None
    size_cm: tuple[float, float] = (10.0, 10.0)
    repeat: tuple[float, float] = (1.0, 1.0)
    glow: float = 0.0
    """How much light comes through from behind (wax, a lamp's shade), 0..1."""


def linear(hex_colour: str) -> Array:
    """Return `#RRGGBB` as linear light."""
    srgb = f32([int(hex_colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return f32(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4))


def noise(size: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator, *, octaves: int = 4) -> Array:
    """Return smooth noise (height, width) of mean 0 and about ±1; `cells` across and down in the first octave."""
    height, width = size
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        shape = (max(2, cells[1] * 2**octave), max(2, cells[0] * 2**octave))
        if shape[0] > height or shape[1] > width:
            break
        grid = rng.standard_normal(shape, dtype=np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
    return f32(total / 1.4)


def plain(hex_colour: str, rng: np.random.Generator, *, mottle: float = 0.04, size: int = 256) -> Array:
    """Return one colour, slightly uneven, as nothing in a room is perfectly even."""
    return f32(linear(hex_colour) * (1 + mottle * noise((size, size), (5, 5), rng))[..., None])


def wood(size: tuple[int, int], colours: tuple[str, str], rng: np.random.Generator, *, boards: int = 1) -> Array:
    """Return planks with grain along the columns (v runs along the fibre)."""
    height, width = size
    planks = []
    for index in range(boards):
        w = width * (index + 1) // boards - width * index // boards
        drift = noise((height, w), (2, 2), rng, octaves=2)
        across = np.linspace(0, 9 / boards * 2, w, dtype=np.float32)[None, :] + rng.uniform(0, 50)
        rings = np.sin((across + 0.8 * drift) * 2 * np.pi + 2.2 * noise((height, w), (3, 1), rng, octaves=2))
        fibre = noise((height, w), (w // 6, max(2, height // 160)), rng, octaves=2)
        pores = np.clip(noise((height, w), (w // 3, max(2, height // 60)), rng, octaves=1) - 0.9, 0, 1)
        tone = 0.5 + 0.22 * rings + 0.16 * fibre + 0.1 * drift + rng.uniform(-0.14, 0.14) - 0.5 * pores
        plank = linear(colours[0]) + np.clip(tone, 0, 1.15)[..., None] * (linear(colours[1]) - linear(colours[0]))
        if boards > 1:
            plank[:, :2] *= 0.25
            plank[:, 2:4] *= 0.7
        planks.append(plank)
    return f32(np.clip(np.concatenate(planks, axis=1), 0, 1))


def linen(size: int, hex_colour: str, rng: np.random.Generator, *, threads: int) -> tuple[Array, Array]:
    """Return woven cloth and its relief; `threads` across the texture."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) * (threads / size)
    wobble = 0.25 * noise((size, size), (12, 12), rng, octaves=2)
    warp = np.abs(np.sin(np.pi * (x + wobble))) * (0.75 + 0.25 * noise((size, size), (threads // 2, 6), rng, octaves=1))
    weft = np.abs(np.sin(np.pi * (y + wobble))) * (0.75 + 0.25 * noise((size, size), (6, threads // 2), rng, octaves=1))
    over = (np.floor(x) + np.floor(y)) % 2
    height = np.where(over > 0, 0.65 * warp + 0.35 * weft, 0.35 * warp + 0.65 * weft)
    tone = 0.72 + 0.34 * height + 0.05 * noise((size, size), (6, 6), rng)
    return f32(linear(hex_colour) * tone[..., None]), f32(0.03 * height)


def marble(size: int, base: str, vein: str, rng: np.random.Generator) -> Array:
    """Return pale stone with veins where noise changes sign."""
    warped = noise((size, size), (3, 4), rng, octaves=6)
    fine = noise((size, size), (7, 5), rng, octaves=5)
    veins = np.exp(-np.abs(warped) * 22) * (0.5 + 0.5 * np.tanh(fine)) + 0.35 * np.exp(-np.abs(fine) * 40)
    cloud = 0.10 * noise((size, size), (4, 4), rng)
    weight = np.clip(0.7 * veins + cloud, 0, 1)[..., None]
    return f32(linear(base) * (1 - weight) + linear(vein) * weight)


def concrete(size: int, hex_colour: str, rng: np.random.Generator) -> Array:
    """Return a cast, slightly stained surface with pits."""
    stain = 0.10 * noise((size, size), (4, 4), rng, octaves=6)
    grain = 0.05 * noise((size, size), (size // 4, size // 4), rng, octaves=1)
    pits = np.clip(noise((size, size), (size // 12, size // 12), rng, octaves=1) - 1.35, 0, 1) * 0.8
    return f32(linear(hex_colour) * np.clip(1 + stain + grain - pits, 0.1, 1.4)[..., None])


def tiles(size: int, hex_colour: str, rng: np.random.Generator, *, across: int, down: int) -> tuple[Array, Array]:
    """Return glazed wall tiles with grout, running bond, and their relief."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    row = y * down / size
    column = x * across / size + 0.5 * (np.floor(row) % 2)
    edge = np.minimum(np.minimum(row % 1, 1 - row % 1) * across / down * 1.0, np.minimum(column % 1, 1 - column % 1))
    is_tile = np.clip((edge - 0.02) / 0.02, 0, 1)
    tone = rng.uniform(0.9, 1.06, (down + 2, across + 2)).astype(np.float32)
    colour = linear(hex_colour) * tone[np.int32(row), np.int32(column)][..., None]
    grout = linear("#b9b2a6") * (1 + 0.08 * noise((size, size), (80, 80), rng))[..., None]
    return f32(grout + is_tile[..., None] * (colour - grout)), f32(0.08 * is_tile)


def speckled(texture: Array, hex_colour: str, rng: np.random.Generator, *, count: int, largest_px: float) -> Array:
    """Return the texture with iron specks, as in stoneware glaze."""
    height, width = texture.shape[:2]
    ink = np.zeros((height, width), np.float32)
    for x, y, r in zip(
        rng.uniform(0, width, count), rng.uniform(0, height, count), rng.gamma(1.2, largest_px / 4, count), strict=True
    ):
        radius = round(min(r, largest_px) * 16)
        cv2.circle(ink, (round(x * 16), round(y * 16)), radius, rng.uniform(0.35, 0.9), -1, cv2.LINE_AA, 4)
    weight = f32(cv2.GaussianBlur(ink, (0, 0), 0.7))[..., None]
    return f32(texture * (1 - weight) + linear(hex_colour) * weight)


def printed(
    size: tuple[int, int], paper: str, ink: str, lines: list[tuple[str, float, float]], *, frame: bool = False
) -> Array:
    """Return paper with centred lines of (text, height, y), both as shares of the paper's height."""
    height, width = size
    sheet = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(sheet)
    if frame:
        inset = height // 16
        draw.rectangle((inset, inset, width - inset, height - inset), outline=ink, width=max(2, height // 140))
    for text, share, y in lines:
        font = ImageFont.load_default(share * height)
        draw.text((width / 2, y * height), text, fill=ink, font=font, anchor="mm")
    srgb = np.asarray(sheet, np.float32) / 255
    return f32(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4))


def pasted(texture: Array, patch: Array, *, u: float, v: float) -> Array:
    """Return a turned vessel's texture with a label centred at (u, v); its rows start at the foot."""
    result = texture.copy()
    height, width = patch.shape[:2]
    top, left = round(v * texture.shape[0] - height / 2), round(u * texture.shape[1] - width / 2)
    result[top : top + height, left : left + width] = patch[::-1]
    return result


def two_tone(upper: Array, lower: Array, rng: np.random.Generator, *, at: float, ragged: float) -> Array:
    """Return `lower` above row share `at` of the texture and `upper` after it, with a dipped edge.

    A vessel's profile starts at its foot, so the texture's first rows are the foot.
    """
    height, width = upper.shape[:2]
    edge = at + ragged * noise((1, width), (7, 1), rng, octaves=3)
    edge[:, -width // 8 :] += (edge[0, 0] - edge[0, -1]) * np.linspace(0, 1, width // 8, dtype=np.float32)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    weight = np.clip((rows - edge) * height / 3 + 0.5, 0, 1)[..., None]
    return f32(lower + weight * (upper - lower))
