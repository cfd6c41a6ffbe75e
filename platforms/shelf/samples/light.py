"""Light for the sample photos: windows and lamps with areas, a room that glows, and what reflects.

Soft shadows are the mean of many hard ones: every pass takes new points on the lamps and new
directions of the room, each with a depth map of its own. Four neighbouring pixels share the rays
between them and are averaged after. Reflections look the room up directly.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from platforms.shelf.samples.raster import Hits
from platforms.shelf.samples.textures import Material, f32

Array = npt.NDArray[np.float32]

_MAP_PX = 640
_BIAS_CM = 0.12


@dataclass(frozen=True, slots=True)
class Lamp:
    """A glowing rectangle that faces `aim`: colour is its linear radiance, `panes` crosses it with bars."""

    centre: tuple[float, float, float]
    aim: tuple[float, float, float]
    half_cm: tuple[float, float]
    colour: tuple[float, float, float]
    panes: bool = False

    def axes(self) -> Array:
        """Return across, up and facing as rows."""
        facing = f32(self.aim) - f32(self.centre)
        facing /= np.linalg.norm(facing)
        across = np.cross([0.0, 1.0, 0.0] if abs(facing[1]) < 0.95 else [0.0, 0.0, 1.0], facing)
        across /= np.linalg.norm(across)
        return f32([across, np.cross(facing, across), facing])


@dataclass(frozen=True, slots=True)
class Room:
    """Where the photo is taken: lamps, what the ceiling and the floor send back, and the table's mean colour."""

    lamps: tuple[Lamp, ...]
    above: tuple[float, float, float]
    around: tuple[float, float, float]
    table: tuple[float, float, float]
    reach_cm: float = 32.0


@dataclass(frozen=True, slots=True)
class _Ray:
    """One sample of the light: where from, and how much of it arrives where nothing is in the way."""

    direction: Array
    strength: Array
    source: Array | None


@dataclass(frozen=True, slots=True)
class Surface:
    """A hit's material, looked up: all per hit; normals with relief."""

    colour: Array
    normal: Array
    roughness: Array
    gloss: Array
    glow: Array


def lit(
    hits: Hits,
    room: Room,
    casters: Array,
    eye: Array,
    shade: Surface,
    rng: np.random.Generator,
    *,
    rays: int,
    width_px: int,
) -> Array:
    """Return the light that each hit sends to the eye, linear RGB. `width_px` is the picture's."""
    irradiance = _evened(hits, _arriving(hits, room, casters, shade, _rays(room, rng, count=rays), width_px), width_px)
    view = hits.point - eye
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    facing = np.clip(-np.sum(view * shade.normal, axis=1, keepdims=True), 0, 1)
    fresnel = shade.gloss + (1 - shade.gloss) * (1 - facing) ** 5 * (1 - shade.roughness) ** 2
    mirrored = view - 2 * np.sum(view * shade.normal, axis=1, keepdims=True) * shade.normal
    # A crevice that gets little light reflects little of the room.
    mean = float(irradiance.mean())
    openness = np.clip(irradiance.mean(axis=1, keepdims=True) / max(mean * 0.8, 1e-6), 0.15, 1)
    glint = _room_seen(hits.point, mirrored, room, shade.roughness, mean)
    return f32(shade.colour * irradiance / np.pi * (1 - fresnel) + fresnel * glint * openness)


def _arriving(hits: Hits, room: Room, casters: Array, shade: Surface, rays: list[_Ray], width_px: int) -> Array:
    """Return the irradiance: each ray lights every second pixel of every second row, in turns."""
    irradiance = np.zeros_like(hits.point)
    phase = hits.pixel % width_px % 2 + 2 * (hits.pixel // width_px % 2)
    for turn in range(4):
        chosen = np.flatnonzero(phase == turn)
        point, normal, glow = hits.point[chosen], shade.normal[chosen], shade.glow[chosen]
        raised = point + hits.normal[chosen] * _BIAS_CM
        # Seen from below, the product hides the table's light from itself: its foot is darker.
        height = np.clip(point[:, 1:2] / 6, 0, 1)
        total = np.zeros_like(point)
        for ray in rays[turn::4]:
            strength, cosine = ray.strength, (normal @ ray.direction)[:, None]
            if ray.source is not None:
                gap = ray.source - point
                distance2 = np.sum(gap * gap, axis=1, keepdims=True)
                cosine = np.sum(normal * gap, axis=1, keepdims=True) / np.sqrt(distance2)
                strength = ray.strength / distance2
            through = np.clip((cosine + glow) / (1 + glow), 0, None)
            if ray.direction[1] < 0:
                through = through * height
            seen = _seen(raised, casters, ray.direction, room.reach_cm)
            total += through * strength * np.maximum(seen[:, None], 0.75 * glow)
        irradiance[chosen] = total * 4
    return irradiance


def _evened(hits: Hits, irradiance: Array, width_px: int) -> Array:
    """Average the four turns: a 1-2-1 window weighs them equally. Product and rest do not mix."""
    rows = int(hits.pixel.max()) // width_px + 1
    result = np.zeros_like(irradiance)
    for mask in (hits.is_product, ~hits.is_product):
        pixel = hits.pixel[mask]
        light, weight = np.zeros((rows * width_px, 3), np.float32), np.zeros((rows * width_px, 1), np.float32)
        light[pixel], weight[pixel] = irradiance[mask], 1
        total = cv2.GaussianBlur(light.reshape(rows, width_px, 3), (3, 3), 0).reshape(-1, 3)
        known = cv2.GaussianBlur(weight.reshape(rows, width_px), (3, 3), 0).reshape(-1, 1)
        result[mask] = total[pixel] / np.maximum(known[pixel], 1e-6)
    return result


def surfaces(hits: Hits, materials: tuple[Material, ...]) -> Surface:
    """Look the textures up at the hits."""
    count = len(hits.pixel)
    colour, normal = np.zeros((count, 3), np.float32), hits.normal.copy()
    roughness, gloss, glow = (np.zeros((count, 1), np.float32) for _ in range(3))
    for number, material in enumerate(materials):
        chosen = np.flatnonzero(hits.material == number)
        if not len(chosen):
            continue
        uv = hits.uv[chosen] * f32(material.repeat)
        colour[chosen] = _sampled(material.texture, uv)
        roughness[chosen], gloss[chosen], glow[chosen] = material.roughness, material.gloss, material.glow
        if material.relief is not None:
            normal[chosen] = _bent(hits, chosen, uv, material)
    return Surface(colour, normal, roughness, gloss, glow)


def _bent(hits: Hits, chosen: npt.NDArray[np.int64], uv: Array, material: Material) -> Array:
    assert material.relief is not None
    rows, columns = material.relief.shape
    du = cv2.Sobel(material.relief, cv2.CV_32F, 1, 0, scale=1 / 8) * columns / material.size_cm[0]
    dv = cv2.Sobel(material.relief, cv2.CV_32F, 0, 1, scale=1 / 8) * rows / material.size_cm[1]
    slope = _sampled(np.dstack([du, dv, dv]).astype(np.float32), uv)
    n, t = hits.normal[chosen], hits.tangent[chosen]
    b = np.cross(n, t)
    bent = n - slope[:, :1] * t + slope[:, 1:2] * b
    return f32(bent / np.linalg.norm(bent, axis=1, keepdims=True))


def _sampled(texture: Array, uv: Array) -> Array:
    """Look a texture up, bilinear, mirrored beyond its edges."""
    rows, columns = texture.shape[:2]
    folded = np.abs((uv + 1) % 2 - 1)
    x, y = folded[:, 0] * (columns - 1), folded[:, 1] * (rows - 1)
    x0 = np.clip(np.int32(x), 0, columns - 2)
    y0 = np.clip(np.int32(y), 0, rows - 2)
    fx, fy = (x - x0)[:, None], (y - y0)[:, None]
    top = texture[y0, x0] * (1 - fx) + texture[y0, x0 + 1] * fx
    low = texture[y0 + 1, x0] * (1 - fx) + texture[y0 + 1, x0 + 1] * fx
    return f32(top * (1 - fy) + low * fy)


def _rays(room: Room, rng: np.random.Generator, *, count: int) -> list[_Ray]:
    """Return `count` samples per lamp and twice as many of the room, stratified."""
    rays = []
    for lamp in room.lamps:
        across, up, facing = lamp.axes()
        area = 4 * lamp.half_cm[0] * lamp.half_cm[1]
        for index in range(count):
            a = 2 * ((index + rng.random()) / count) - 1
            b = 2 * rng.random() - 1
            source = f32(lamp.centre) + a * lamp.half_cm[0] * across + b * lamp.half_cm[1] * up
            direction = f32(source / np.linalg.norm(source))
            strength = f32(lamp.colour) * area / count * max(float(-direction @ facing), 0.0)
            rays.append(_Ray(direction, f32(strength), f32(source)))
    spin, shift = rng.random(2)
    for index in range(2 * count):
        y = 1 - 2 * (index + shift) / (2 * count)
        angle = 2 * np.pi * (index * 0.6180339887 + spin)
        ring = np.sqrt(max(1 - y * y, 0))
        direction = f32([ring * np.cos(angle), y, ring * np.sin(angle)])
        rays.append(_Ray(direction, f32(_ambient(room, y) * 4 * np.pi / (2 * count)), None))
    return rays


def _ambient(room: Room, y: float) -> Array:
    if y < 0:
        return f32(room.table) * f32(room.around) * 1.6
    return f32(room.around) + (f32(room.above) - f32(room.around)) * y


def _seen(points: Array, casters: Array, direction: Array, reach_cm: float) -> Array:
    """Return 1 where nothing stands between a point and the light, 0 where something does."""
    side = np.cross(direction, [0.0, 0.0, 1.0] if abs(direction[2]) < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    basis = f32([side, np.cross(direction, side), direction]).T
    scale = _MAP_PX / (2 * reach_cm)
    c = casters @ basis
    column, row = ((c[:, :2] + reach_cm) * scale).astype(np.int32).T
    inside = (column >= 0) & (column < _MAP_PX) & (row >= 0) & (row < _MAP_PX)
    nearest = np.full(_MAP_PX * _MAP_PX, -1e9, np.float32)
    np.maximum.at(nearest, row[inside] * _MAP_PX + column[inside], c[inside, 2])
    # Casters are scattered points: closing fills the gaps between them without growing the shape.
    filled = cv2.morphologyEx(nearest.reshape(_MAP_PX, _MAP_PX), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    p = points @ basis
    x = np.clip(np.int32((p[:, 0] + reach_cm) * scale), 0, _MAP_PX - 1)
    y = np.clip(np.int32((p[:, 1] + reach_cm) * scale), 0, _MAP_PX - 1)
    return f32(filled[y, x] <= p[:, 2] + _BIAS_CM)


def _room_seen(points: Array, toward: Array, room: Room, roughness: Array, irradiance: float) -> Array:
    """Return what a mirror at the points would show of the room, blurred by roughness."""
    y = np.clip(toward[:, 1:2], 0, 1)
    light = f32(room.around) + (f32(room.above) - f32(room.around)) * y
    down = np.clip(-toward[:, 1:2] / (0.06 + roughness), 0, 1)
    distance = np.where(toward[:, 1:2] < -1e-3, -points[:, 1:2] / np.minimum(toward[:, 1:2], -1e-3), 50)
    table = f32(room.table) * irradiance / np.pi * (1 - 0.8 * np.exp(-np.abs(distance) / 3))
    light = light * (1 - down) + table * down
    for lamp in room.lamps:
        light = light + _lamp_seen(points, toward, lamp, roughness) * f32(lamp.colour)
    return f32(light)


def _lamp_seen(points: Array, toward: Array, lamp: Lamp, roughness: Array) -> Array:
    across, up, facing = lamp.axes()
    gap = f32(lamp.centre) - points
    along = toward @ facing
    distance = np.sum(gap * facing, axis=1) / np.where(np.abs(along) < 1e-4, -1e-4, along)
    hit = distance[:, None] * toward - gap
    a, b = (hit @ across)[:, None], (hit @ up)[:, None]
    spread = 0.6 + 1.3 * roughness * roughness * np.abs(distance)[:, None]
    half_a, half_b = lamp.half_cm
    amount = _soft_edge(half_a - np.abs(a), spread) * _soft_edge(half_b - np.abs(b), spread)
    if lamp.panes:
        bar = half_a * 0.06
        amount = amount * (1 - (1 - _soft_edge(np.abs(a) - bar, spread)) * bar / (bar + spread * 0.5))
        amount = amount * (1 - (1 - _soft_edge(np.abs(b) - bar, spread)) * bar / (bar + spread * 0.5))
    dimmed = half_a / (half_a + spread * 0.5) * half_b / (half_b + spread * 0.5)
    return f32(np.where(((along < 0) & (distance > 0))[:, None], amount * dimmed, 0))


def _soft_edge(inside: Array, spread: Array) -> Array:
    t = np.clip(inside / (2 * spread) + 0.5, 0, 1)
    return f32(t * t * (3 - 2 * t))
