"""What is not for sale in the sample photos: tables, walls, light, and the clutter of a kitchen or a desk."""

from __future__ import annotations

import numpy as np

from platforms.shelf.samples.light import Lamp, Room
from platforms.shelf.samples.meshes import Mesh, lathe, plane, rounded_box, sweep
from platforms.shelf.samples.textures import Material, concrete, linen, marble, plain, tiles, wood

_TABLE_CM = 150.0
_COOL, _WARM = (0.93, 0.98, 1.07), (1.25, 0.95, 0.62)


def table(kind: str, seed: int) -> Mesh:
    """Return a table top at y = 0: `oak`, `walnut`, `white_boards`, `linen`, `marble` or `concrete`."""
    rng = np.random.default_rng(seed)
    size, relief, roughness, gloss, tile = 1800, None, 0.45, 0.04, 2.0
    if kind == "linen":
        texture, relief = linen(1024, "#cbbfa9", rng, threads=170)
        roughness, gloss, tile = 0.95, 0.02, 6.0
    elif kind == "marble":
        texture, roughness, gloss = marble(size, "#e6e3de", "#8d8c8e", rng), 0.16, 0.045
    elif kind == "concrete":
        texture, roughness = concrete(size, "#9b9892", rng), 0.6
    else:
        colours = {
            "oak": ("#8d6238", "#c99d67"),
            "walnut": ("#3f2818", "#7b5436"),
            "white_boards": ("#b9b4aa", "#dedad2"),
        }
        texture = wood((size, size), colours[kind], rng, boards=6)
    material = Material(
        texture, roughness=roughness, gloss=gloss, relief=relief, size_cm=(_TABLE_CM / tile,) * 2, repeat=(tile, tile)
    )
    half = _TABLE_CM / 2
    return plane((-half, 0, half), (_TABLE_CM, 0, 0), (0, 0, -_TABLE_CM), material)


def wall(kind: str, seed: int, *, behind_cm: float = 45.0) -> Mesh:
    """Return a wall behind the table: `plaster`, `tiles`, `boards` or `dark`."""
    rng = np.random.default_rng(seed)
    if kind == "tiles":
        texture, relief = tiles(1400, "#dfe3df", rng, across=20, down=26)
        material = Material(texture, roughness=0.2, gloss=0.05, relief=relief, size_cm=(300, 180))
    elif kind == "boards":
        material = Material(wood((900, 1400), ("#5d4630", "#8b6b49"), rng, boards=16), roughness=0.6)
    else:
        colour = "#4a5254" if kind == "dark" else "#c9c0b0"
        material = Material(plain(colour, rng, mottle=0.06, size=512), roughness=0.9, gloss=0.02)
    return plane((-150, -30, -behind_cm), (300, 0, 0), (0, 180, 0), material)


def room(kind: str, table_mesh: Mesh) -> Room:
    """Return the light: `window` (day from the left), `evening` (two warm lamps), `mixed` or `overcast`."""
    ground = tuple(float(c) for c in table_mesh.material.texture.mean(axis=(0, 1)))
    bounce = (ground[0], ground[1], ground[2])
    window = Lamp((-85, 66, 12), (0, 4, 0), (26, 34), _tinted(4.6, _COOL), panes=True)
    far_window = Lamp((95, 60, 60), (0, 4, 0), (26, 36), _tinted(0.9, _COOL), panes=True)
    ceiling = Lamp((34, 120, 20), (0, 0, 0), (12, 12), _tinted(9.0, _WARM))
    desk = Lamp((48, 46, 10), (0, 3, 0), (8, 8), _tinted(7.5, _WARM))
    lamps = {
        "window": (window, far_window),
        "evening": (ceiling, desk),
        "mixed": (window, ceiling),
        "overcast": (Lamp((-70, 90, 10), (0, 0, 0), (45, 45), _tinted(2.2, _COOL)), far_window),
    }[kind]
    tint, level = {
        "window": (_COOL, 0.20),
        "evening": (_WARM, 0.13),
        "mixed": (_COOL, 0.15),
        "overcast": (_COOL, 0.32),
    }[kind]
    around = _tinted(level, tint)
    return Room(lamps, above=_tinted(level * 1.3, tint), around=around, table=bounce)


def clutter(kind: str, seed: int) -> list[Mesh]:
    """Return things that stand about behind the product: `kitchen`, `desk`, `bath` or `shelf`."""
    rng = np.random.default_rng(seed)
    groups = {
        "kitchen": (jar("#c9b48a", rng), lemon(rng), board(rng), plant(rng)),
        "desk": (books(rng), plant(rng), cup("#d8d3c8", rng), pens(rng)),
        "bath": (towel(rng), jar("#d7cfc5", rng), plant(rng), cup("#7f9a98", rng)),
        "shelf": (books(rng), jar("#8c5a3c", rng), cup("#d9c8ad", rng), lemon(rng)),
    }
    places = ((-19.5, -17.0), (18.0, -20.0), (-30.0, -31.0), (25.0, -27.0))
    meshes: list[Mesh] = []
    for group, (x, z) in zip(groups[kind], places, strict=True):
        dx, dz = rng.uniform(-2, 2, 2)
        yaw = float(rng.uniform(-30, 30))
        meshes += [mesh.turned(yaw_deg=yaw).moved(x + dx, 0, z + dz) for mesh in group]
    return meshes


def jar(colour: str, rng: np.random.Generator) -> list[Mesh]:
    """A tall jar with a wooden lid."""
    body = Material(plain(colour, rng, mottle=0.1), roughness=0.15, gloss=0.05)
    lid = Material(wood((128, 128), ("#7d5634", "#b3854f"), rng), roughness=0.5)
    return [
        lathe([(0.01, 0.1), (4.2, 0), (4.6, 0.6), (4.6, 13), (4.2, 14), (3.9, 14.2)], body),
        lathe([(4.0, 14), (4.3, 14.1), (4.3, 15.6), (4.1, 15.8), (0.01, 15.8)], lid),
    ]


def lemon(rng: np.random.Generator) -> list[Mesh]:
    """Two lemons."""
    skin = Material(plain("#e3b52b", rng, mottle=0.08), roughness=0.4, gloss=0.045)
    shape = [(0.01, -4.6), (0.7, -4.2), (2.2, -2.9), (3.0, 0), (2.2, 2.9), (0.7, 4.2), (0.01, 4.6)]
    one = lathe([(r, y) for r, y in shape], skin).turned(roll_deg=90)
    return [one.moved(0, 3.0, 0), one.turned(yaw_deg=70).moved(4.5, 3.0, 4.2)]


def cup(colour: str, rng: np.random.Generator) -> list[Mesh]:
    """A plain beaker."""
    glaze = Material(plain(colour, rng), roughness=0.2, gloss=0.05)
    return [lathe([(0.01, 0.1), (2.8, 0), (3.2, 0.5), (3.8, 8.5), (3.6, 8.6), (3.1, 1.2), (0.01, 0.8)], glaze)]


def board(rng: np.random.Generator) -> list[Mesh]:
    """A cutting board that leans on the wall."""
    grain = Material(wood((512, 384), ("#7a5230", "#a97d4c"), rng, boards=3), roughness=0.5)
    return [mesh.turned(pitch_deg=-12).moved(0, 0, -6) for mesh in rounded_box(24, 30, 1.8, 0.7, grain)]


def plant(rng: np.random.Generator) -> list[Mesh]:
    """A pot with long leaves."""
    pot = Material(plain("#b5674a", rng, mottle=0.1), roughness=0.8, gloss=0.02)
    leaf = Material(plain("#4c7a3a", rng, mottle=0.25), roughness=0.4, gloss=0.04, glow=0.3)
    meshes = [lathe([(0.01, 0), (3.2, 0), (4.4, 7.4), (4.7, 7.5), (4.7, 8.6), (4.3, 8.6), (0.01, 7.8)], pot)]
    for index in range(16):
        spread, rise = rng.uniform(4, 11), rng.uniform(8, 17)
        path = [(0.5, 7.5, 0.0), (spread * 0.3, 7.5 + rise * 0.7, 0.0), (spread * 0.75, 7.5 + rise, 0.0),
                (spread * 1.2, 7.5 + rise * 0.8, 0.0)]  # fmt: skip
        blade = sweep(path, [(0.1, 0.3), (0.1, 0.8), (0.08, 0.7), (0.02, 0.05)], leaf)
        meshes.append(blade.turned(yaw_deg=index * 137.5))
    return meshes


def books(rng: np.random.Generator) -> list[Mesh]:
    """A pile of three books."""
    meshes: list[Mesh] = []
    height = 0.0
    for colour, width in (("#7b2f2b", 21.0), ("#d8cfba", 19.0), ("#2f4a63", 17.0)):
        thick = float(rng.uniform(2.0, 3.2))
        cover = Material(plain(colour, rng, mottle=0.08), roughness=0.6, gloss=0.03)
        yaw = float(rng.uniform(-12, 12))
        box = rounded_box(width, thick, width * 0.7, 0.25, cover)
        meshes += [mesh.turned(yaw_deg=yaw).moved(0, height, 0) for mesh in box]
        height += thick
    return meshes


def pens(rng: np.random.Generator) -> list[Mesh]:
    """A beaker with pens."""
    meshes = cup("#5a6266", rng)
    for colour in ("#c9452e", "#e8c14a", "#3a6ea5"):
        ink = Material(plain(colour, rng), roughness=0.3)
        x, z = rng.uniform(-2.4, 2.4, 2)
        meshes.append(sweep([(x / 3, 1, z / 3), (x / 1.4, 9, z / 1.4), (x, 15, z)], [(0.4, 0.4)] * 3, ink))
    return meshes


def towel(rng: np.random.Generator) -> list[Mesh]:
    """A folded towel."""
    cloth, weave = linen(512, "#b7c4c4", rng, threads=90)
    soft = Material(cloth, roughness=0.95, gloss=0.02, relief=weave)
    return [mesh.moved(0, 2.3 * n, 0) for n in range(3) for mesh in rounded_box(20, 2.4, 13, 1.1, soft)]


def _tinted(level: float, tint: tuple[float, float, float]) -> tuple[float, float, float]:
    return (level * tint[0], level * tint[1], level * tint[2])
