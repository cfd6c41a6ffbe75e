"""Shapes for the sample photos: turned, swept and boxy things as triangles.

Lengths are centimetres, y is up, the table is y = 0. Every mesh carries smooth normals and texture
coordinates in 0..1; a texture's first row lies at v = 0, which is the start of a profile or path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from platforms.shelf.samples.textures import Material, f32

Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Mesh:
    """Vertices (n, 3), their unit normals and uv (n, 2), triangles (m, 3), and what it is made of."""

    vertices: Array
    normals: Array
    uv: Array
    triangles: Ints
    material: Material

    def moved(self, x: float, y: float, z: float) -> Mesh:
        """Return it shifted, in centimetres."""
        return replace(self, vertices=self.vertices + f32([x, y, z]))

    def turned(self, *, yaw_deg: float = 0.0, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> Mesh:
        """Return it turned about the origin: roll about z first, then pitch about x, then yaw about y."""
        matrix = _rotation(1, yaw_deg) @ _rotation(0, pitch_deg) @ _rotation(2, roll_deg)
        return replace(self, vertices=f32(self.vertices @ matrix.T), normals=f32(self.normals @ matrix.T))


def lathe(profile: list[tuple[float, float]], material: Material, *, flutes: int = 0, depth: float = 0.0) -> Mesh:
    """Turn a profile of (radius, height) about the y axis; `flutes` grooves of `depth` cm on the outside.

    Go up the outside and down the inside for a vessel with walls. The profile is rounded by a spline.
    """
    outline = smooth(f32(profile), per_span=10)
    # The seam stands at the back (-z), and the middle of the texture in front.
    angles = np.linspace(-np.pi, np.pi, 193 if flutes else 145, dtype=np.float32)
    radius = outline[:, 0][:, None] * np.ones_like(angles)
    if flutes:
        fade = np.clip(outline[:, 0] / outline[:, 0].max() * 1.6 - 0.6, 0, 1)[:, None]
        radius = radius - depth * fade * (0.5 - 0.5 * np.cos(angles * flutes)) ** 2
    heights = outline[:, 1][:, None] * np.ones_like(angles)
    return _grid(np.stack([radius * np.sin(angles), heights, radius * np.cos(angles)], axis=-1), material)


def sweep(path: list[tuple[float, float, float]], widths: list[tuple[float, float]], material: Material) -> Mesh:
    """Draw an ellipse along a path; `widths` are its half axes at each path point, in the bend's plane and across."""
    line = smooth(f32(path), per_span=12)
    size = smooth(f32(widths), per_span=12)
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    across = np.cross(tangent, _bend_plane(line))
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    inward = np.cross(across, tangent)
    angles = np.linspace(0, 2 * np.pi, 41, dtype=np.float32)[None, :, None]
    ring = inward[:, None] * np.cos(angles) * size[:, None, :1] + across[:, None] * np.sin(angles) * size[:, None, 1:]
    return _grid(f32(line[:, None] + ring), material)


def rounded_box(width: float, height: float, depth: float, radius: float, material: Material) -> list[Mesh]:
    """A box standing on y = 0 with rounded edges, as six faces so that each has its own 0..1 texture."""
    half = f32([width, height, depth]) / 2
    core = half - radius
    faces = []
    for axis, sign in ((2, 1), (0, 1), (2, -1), (0, -1), (1, 1), (1, -1)):
        a, b = {2: (0, 1), 0: (2, 1), 1: (0, 2)}[axis]
        # Seen from outside, u runs to the right and v down (on the top: towards the viewer).
        s = _edge_steps(half[a], radius) * (-1 if (axis, sign) in ((2, -1), (0, 1)) else 1)
        t = _edge_steps(half[b], radius) * (1 if axis == 1 else -1)
        points = np.zeros((len(t), len(s), 3), np.float32)
        points[..., a], points[..., b], points[..., axis] = s[None, :], t[:, None], sign * half[axis]
        inner = np.clip(points, -core, core)
        normals = points - inner
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
        face = _grid(inner + normals * radius + f32([0, half[1], 0]), material)
        outward = normals.reshape(-1, 3)
        is_inside_out = float(np.sum(face.normals * outward)) < 0
        triangles = np.ascontiguousarray(face.triangles[:, ::-1]) if is_inside_out else face.triangles
        faces.append(replace(face, normals=outward, triangles=triangles))
    return faces


def plane(corner: tuple[float, float, float], across: Vector, down: Vector, material: Material) -> Mesh:
    """Return a parallelogram of 24 × 24 cells: a table, a wall, a sheet of paper."""
    s, t = np.linspace(0, 1, 25), np.linspace(0, 1, 25)
    points = f32(corner) + s[None, :, None] * f32(across) + t[:, None, None] * f32(down)
    return _grid(f32(points), material)


def smooth(points: Array, *, per_span: int) -> Array:
    """Return a spline through points. Tangents are no longer than the shorter span, so close points make a corner."""
    steps = np.diff(points, axis=0)
    lengths = np.linalg.norm(steps, axis=1, keepdims=True)
    tangents = np.concatenate([steps[:1], (points[2:] - points[:-2]) / 2, steps[-1:]])
    longest = 1.4 * np.minimum(np.concatenate([lengths[:1], lengths]), np.concatenate([lengths, lengths[-1:]]))
    size = np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-6)
    tangents = tangents * np.minimum(1, longest / size)
    t = np.linspace(0, 1, per_span, endpoint=False, dtype=np.float32)[:, None]
    spans = [
        (2 * t**3 - 3 * t**2 + 1) * p + (t**3 - 2 * t**2 + t) * m + (-2 * t**3 + 3 * t**2) * q + (t**3 - t**2) * n
        for p, q, m, n in zip(points, points[1:], tangents, tangents[1:], strict=False)
    ]
    return f32(np.concatenate([*spans, points[-1:]]))


def _grid(points: Array, material: Material) -> Mesh:
    """Return a mesh of a (rows, columns, 3) net of points; rows run along v, columns along u."""
    rows, columns = points.shape[:2]
    along_v, along_u = np.gradient(points, axis=0), np.gradient(points, axis=1)
    if np.allclose(points[:, 0], points[:, -1], atol=1e-4):  # closed round: the seam has one normal
        along_u[:, 0] = along_u[:, -1] = (points[:, 1] - points[:, -2]) / 2
    normals = np.cross(along_u, along_v)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-8)
    v, u = np.meshgrid(_shares(points, along=0), _shares(points, along=1), indexing="ij")
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    uv = f32(np.stack([u, v], -1).reshape(-1, 2))
    return Mesh(f32(points.reshape(-1, 3)), f32(normals.reshape(-1, 3)), uv, triangles, material)


def _shares(points: Array, *, along: int) -> Array:
    """Return how far along the net each row or column lies, 0..1 by length, so that print is not stretched."""
    steps = np.linalg.norm(np.diff(points, axis=along), axis=-1).mean(axis=1 - along)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    return f32(travelled / travelled[-1])


def _edge_steps(half: float, radius: float) -> Array:
    """Return positions from -half to half, dense where the edge is round."""
    bend = (1 - np.cos(np.linspace(0, np.pi / 2, 7)[:-1])) * radius
    low = -half + bend
    middle = np.linspace(-half + radius, half - radius, 9)
    return f32(np.concatenate([low, middle, -low[::-1]]))


def _bend_plane(line: Array) -> Array:
    """Return the normal of the plane a path bends in; one for the whole path, so that it does not twist."""
    centred = line - line.mean(axis=0)
    return f32(np.linalg.svd(centred, full_matrices=False)[2][-1])


def _rotation(axis: int, degrees: float) -> Array:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return f32(matrix)
