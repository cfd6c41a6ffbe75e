"""Which point of which triangle each pixel sees.

Each part paints its front-facing triangles back to front as numbers; a pixel then meets its triangle's
plane exactly, which gives smooth positions and decides between parts. No anti-aliasing here: the
renderer averages passes whose pixels are shifted by a part of a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from platforms.shelf.samples.meshes import Mesh
from platforms.shelf.samples.textures import Material, f32

Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

_SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole. `view_deg` is the vertical angle of view; a phone's wide lens at 2x has about 36."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    view_deg: float
    size_px: tuple[int, int]
    tilt_deg: float = 0.0

    def axes(self) -> Array:
        """Return right, up and forward as rows."""
        forward = f32(self.target) - f32(self.position)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0, 1, 0])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        c, s = np.cos(np.deg2rad(self.tilt_deg)), np.sin(np.deg2rad(self.tilt_deg))
        return f32([c * right + s * up, c * up - s * right, forward])

    def focal_px(self) -> float:
        """Return the focal length in pixels."""
        return float(self.size_px[1] / 2 / np.tan(np.deg2rad(self.view_deg) / 2))

    def rays(self, jitter: Array) -> Array:
        """Return (pixels, 3) directions whose forward part is 1, so that their length is a depth."""
        width, height = self.size_px
        x = (np.arange(width, dtype=np.float32) + 0.5 + jitter[0] - width / 2) / self.focal_px()
        y = -(np.arange(height, dtype=np.float32) + 0.5 + jitter[1] - height / 2) / self.focal_px()
        right, up, forward = self.axes()
        rays = forward + x[None, :, None] * right + y[:, None, None] * up
        return f32(rays.reshape(-1, 3))


@dataclass(frozen=True, slots=True)
class Soup:
    """All meshes in one: corners (m, 3, 3), normals (m, 3, 3), uv (m, 3, 2), material and product flag per triangle."""

    corners: Array
    normals: Array
    uv: Array
    material: Ints
    part: Ints
    is_product: npt.NDArray[np.bool_]
    materials: tuple[Material, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """What the pixels see: all arrays are per hit pixel, `pixel` says which. Depth is along the camera's axis."""

    pixel: npt.NDArray[np.int64]
    point: Array
    normal: Array
    uv: Array
    tangent: Array
    material: Ints
    is_product: npt.NDArray[np.bool_]
    depth: Array


def gather(product: Sequence[Mesh], others: Sequence[Mesh]) -> Soup:
    """Return the meshes as one soup, a part each; equal materials are shared."""
    meshes = [*product, *others]
    materials = {id(mesh.material): mesh.material for mesh in meshes}
    index = {key: number for number, key in enumerate(materials)}

    def spread(values: Sequence[int]) -> Ints:
        return np.repeat(np.asarray(values, np.int32), [len(mesh.triangles) for mesh in meshes])

    return Soup(
        corners=np.concatenate([mesh.vertices[mesh.triangles] for mesh in meshes]),
        normals=np.concatenate([mesh.normals[mesh.triangles] for mesh in meshes]),
        uv=np.concatenate([mesh.uv[mesh.triangles] for mesh in meshes]),
        material=spread([index[id(mesh.material)] for mesh in meshes]),
        part=spread(range(len(meshes))),
        is_product=spread([number < len(product) for number in range(len(meshes))]) > 0,
        materials=tuple(materials.values()),
    )


def look(soup: Soup, camera: Camera, jitter: Array) -> Hits:
    """Return what the camera sees of the soup, its pixels shifted by `jitter`."""
    rays = camera.rays(jitter)
    origin = f32(camera.position)
    triangles = _nearest(soup, camera, jitter, rays)
    pixel = np.flatnonzero(triangles >= 0)
    triangle, ray = triangles[pixel], rays[pixel]
    a = soup.corners[triangle, 0]
    ab, ac = soup.corners[triangle, 1] - a, soup.corners[triangle, 2] - a
    facing = np.cross(ab, ac)
    slope = np.sum(facing * ray, axis=1)
    slope = np.where(np.abs(slope) < 1e-9, f32(1e-9), slope)
    depth = np.sum(facing * (a - origin), axis=1) / slope
    away = origin + depth[:, None] * ray - a
    area = np.maximum(np.sum(facing * facing, axis=1), 1e-16)
    beta = np.clip(np.sum(np.cross(away, ac) * facing, axis=1) / area, 0, 1)
    gamma = np.clip(np.sum(np.cross(ab, away) * facing, axis=1) / area, 0, 1)
    over = np.maximum(beta + gamma, 1)
    weights = np.stack([1 - (beta + gamma) / over, beta / over, gamma / over], axis=1)
    point = np.einsum("nk,nkd->nd", weights, soup.corners[triangle])
    normal = np.einsum("nk,nkd->nd", weights, soup.normals[triangle])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    # Walls are seen from both sides: the normal looks towards the eye, judged by the flat triangle.
    same_side = np.sum(facing * normal, axis=1) * np.sum(facing * ray, axis=1) < 0
    normal = np.where(same_side[:, None], normal, -normal)
    uv = np.einsum("nk,nkd->nd", weights, soup.uv[triangle])
    return Hits(
        pixel=pixel,
        point=f32(point),
        normal=f32(normal),
        uv=f32(uv),
        tangent=_tangent(soup, triangle, ab, ac),
        material=soup.material[triangle],
        is_product=soup.is_product[triangle],
        depth=f32(np.sum((point - origin) * camera.axes()[2], axis=1)),
    )


def scattered(soup: Soup, rng: np.random.Generator, *, per_cm2: float) -> Array:
    """Return random points on all triangles, evenly by area: what shadow maps are made of."""
    edges = soup.corners[:, 1:] - soup.corners[:, :1]
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
    count = rng.poisson(area * per_cm2)
    triangle = np.repeat(np.arange(len(area)), count)
    s, t = rng.random((2, len(triangle)), dtype=np.float32)
    flip = s + t > 1
    s, t = np.where(flip, 1 - s, s), np.where(flip, 1 - t, t)
    return f32(soup.corners[triangle, 0] + s[:, None] * edges[triangle, 0] + t[:, None] * edges[triangle, 1])


def _nearest(soup: Soup, camera: Camera, jitter: Array, rays: Array) -> Ints:
    """Return the number of the triangle each pixel sees, -1 for none."""
    right, up, forward = camera.axes()
    seen = soup.corners - f32(camera.position)
    depth = seen @ forward
    width, height = camera.size_px
    safe = np.maximum(depth, 0.1)
    x = seen @ right / safe * camera.focal_px() + width / 2 - 0.5 - jitter[0]
    y = -(seen @ up) / safe * camera.focal_px() + height / 2 - 0.5 - jitter[1]
    facing = np.cross(seen[:, 1] - seen[:, 0], seen[:, 2] - seen[:, 0])
    offset = np.sum(facing * seen[:, 0], axis=1)
    visible = (depth.min(axis=1) > 1) & (x.max(axis=1) > -1) & (x.min(axis=1) < width) & (offset < 0)
    visible &= (y.max(axis=1) > -1) & (y.min(axis=1) < height)
    corners = np.stack([x, y], axis=-1)
    best = np.full((height, width), np.inf, np.float32)
    triangles = np.full((height, width), -1, np.int32)
    rays = rays.reshape(height, width, 3)
    for part in np.unique(soup.part[visible]):
        order = np.flatnonzero(visible & (soup.part == part))
        order = order[np.argsort(-depth[order].mean(axis=1), kind="stable")]
        left, top = np.maximum(np.floor(corners[order].min(axis=(0, 1))).astype(int) - 1, 0)
        patch = np.s_[top : int(corners[order, :, 1].max()) + 2, left : int(corners[order, :, 0].max()) + 2]
        numbers = np.zeros_like(triangles[patch])
        outline = np.round((corners[order] - f32([left, top])) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        for number, points in enumerate(outline, start=1):
            cv2.fillConvexPoly(numbers, points, number, cv2.LINE_8, _SUBPIXEL_BITS)
        at = np.nonzero(numbers)
        chosen = order[numbers[at] - 1]
        slope = np.sum(facing[chosen] * rays[patch][at], axis=1)
        exact = offset[chosen] / np.where(np.abs(slope) < 1e-9, f32(-1e-9), slope)
        # An edge pixel's middle may miss its triangle; a plane seen edge-on would throw it far away.
        exact = np.clip(exact, depth[chosen].min(axis=1), depth[chosen].max(axis=1))
        is_nearer = exact < best[patch][at]
        winners = at[0][is_nearer], at[1][is_nearer]
        best[patch][winners] = exact[is_nearer]
        triangles[patch][winners] = chosen[is_nearer]
    return triangles.reshape(-1)


def _tangent(soup: Soup, triangle: npt.NDArray[np.int32], ab: Array, ac: Array) -> Array:
    """Return the direction in which u grows, for relief."""
    duv = soup.uv[triangle, 1:] - soup.uv[triangle, :1]
    tangent = ab * duv[:, 1, 1:] - ac * duv[:, 0, 1:]
    cross = duv[:, 0, 0] * duv[:, 1, 1] - duv[:, 1, 0] * duv[:, 0, 1]
    tangent = tangent * np.where(cross < 0, -1, 1)[:, None].astype(np.float32)
    return f32(tangent / np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9))
