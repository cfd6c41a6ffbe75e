"""The products of the sample shop as meshes. Each stands on the table at the origin."""

from __future__ import annotations

import numpy as np

from platforms.shelf.samples.meshes import Mesh, lathe, rounded_box, sweep
from platforms.shelf.samples.textures import (
    Material,
    f32,
    linear,
    linen,
    noise,
    pasted,
    plain,
    printed,
    speckled,
    two_tone,
    wood,
)


def mug(glaze: str = "#2f5d73") -> list[Mesh]:
    """A stoneware mug: coloured glaze over a raw, speckled foot."""
    rng = np.random.default_rng(101)
    clay = speckled(plain("#b08c66", rng, mottle=0.07, size=1024), "#3a2a1d", rng, count=900, largest_px=4)
    coat = speckled(plain(glaze, rng, mottle=0.10, size=1024), "#1d2a30", rng, count=500, largest_px=3)
    body = Material(two_tone(coat, clay, rng, at=0.228, ragged=0.006), roughness=0.13, gloss=0.055)
    ear = Material(plain(glaze, rng, mottle=0.10), roughness=0.13, gloss=0.055)
    wall = lathe(
        [(0.01, 0.25), (2.9, 0.2), (3.25, 0.0), (3.5, 0.1), (4.05, 1.2), (4.3, 3.2), (4.32, 6.5), (4.25, 9.0),
         (4.22, 9.3), (4.1, 9.42), (3.95, 9.3), (3.9, 9.0), (3.98, 6.5), (3.9, 2.2), (3.3, 0.9), (0.01, 0.75)],
        body,
    )  # fmt: skip
    handle = sweep(
        [(4.0, 7.7, 0), (5.3, 8.05, 0), (6.7, 7.2, 0), (7.0, 5.3, 0), (6.2, 3.4, 0), (4.9, 2.45, 0), (3.5, 2.25, 0)],
        [(0.62, 0.95), (0.5, 0.8), (0.45, 0.72), (0.45, 0.7), (0.45, 0.7), (0.5, 0.75), (0.6, 0.9)],
        ear,
    )
    return [wall, handle]


def bottle() -> list[Mesh]:
    """An amber bottle of olive oil with a paper label and a black cap."""
    rng = np.random.default_rng(102)
    glass = plain("#5a2408", rng, mottle=0.05, size=1024)
    rows = np.linspace(0, 1, 1024, dtype=np.float32)[:, None, None]
    glass = f32(glass * (0.55 + 0.9 * np.exp(-((rows - 0.66) ** 2) / 0.006)))
    label = printed(
        (360, 440), "#efe6d2", "#33402a",
        [("OLEA", 0.17, 0.27), ("extra virgin olive oil", 0.062, 0.47), ("cold pressed", 0.055, 0.57),
         ("HARVEST 2026", 0.05, 0.72), ("250 ml", 0.06, 0.83)],
        frame=True,
    )  # fmt: skip
    body = Material(pasted(glass, label, u=0.5, v=0.42), roughness=0.10, gloss=0.06)
    cap = Material(plain("#15130f", rng), roughness=0.35, gloss=0.05)
    vessel = lathe(
        [(0.01, 0.2), (2.5, 0.1), (3.0, 0.25), (3.15, 0.8), (3.15, 3), (3.15, 6), (3.15, 9.2), (3.0, 10.6), (2.2, 12.3),
         (1.4, 13.6), (1.25, 14.6), (1.25, 15.4)],
        body,
    )  # fmt: skip
    top = lathe([(0.01, 15.1), (1.5, 15.1), (1.52, 15.2), (1.52, 17.2), (1.42, 17.4), (0.01, 17.42)], cap, flutes=40,
                depth=0.06)  # fmt: skip
    return [vessel, top]


def bowl() -> list[Mesh]:
    """A wide serving bowl: cream inside, matt sage outside."""
    rng = np.random.default_rng(103)
    cream = speckled(plain("#e9e0cc", rng, mottle=0.05, size=1024), "#6d5133", rng, count=1600, largest_px=3.5)
    sage = plain("#7d8f74", rng, mottle=0.10, size=1024)
    rings = 0.05 * np.sin(np.linspace(0, 260, 1024, dtype=np.float32))[:, None] * np.ones((1, 1024), np.float32)
    skin = Material(
        two_tone(cream, sage, rng, at=0.527, ragged=0.003), roughness=0.3, gloss=0.045, relief=f32(0.12 * rings),
        size_cm=(46, 26),
    )  # fmt: skip
    return [
        lathe(
            [(0.01, 0.5), (3.4, 0.45), (3.7, 0.0), (4.1, 0.05), (4.4, 0.8), (6.4, 2.0), (8.0, 4.2), (8.7, 6.8),
             (8.68, 7.05), (8.5, 7.1), (8.35, 6.8), (7.6, 4.4), (6.0, 2.5), (3.5, 1.35), (0.01, 1.1)],
            skin,
        )
    ]  # fmt: skip


def candle() -> list[Mesh]:
    """A candle in a smoked glass with a label; the wax shows at the top."""
    rng = np.random.default_rng(104)
    glass = plain("#3b3f3d", rng, mottle=0.05, size=1024)
    label = printed(
        (330, 310), "#f4f1ea", "#26221e",
        [("NOCTURNE", 0.135, 0.30), ("cedar · smoke · fig", 0.085, 0.5), ("soy wax, 45 h", 0.075, 0.72)],
        frame=True,
    )  # fmt: skip
    jar = Material(pasted(glass, label, u=0.5, v=0.56), roughness=0.08, gloss=0.06)
    wax = Material(plain("#f1e3c6", rng, mottle=0.05), roughness=0.45, gloss=0.035, glow=0.35)
    wick = Material(plain("#2a2420", rng), roughness=0.9, gloss=0.02)
    vessel = lathe(
        [(0.01, 0.1), (3.3, 0.05), (3.75, 0.2), (3.9, 0.8), (3.92, 4), (3.92, 8.6), (3.9, 9.0), (3.78, 9.1),
         (3.66, 9.0), (3.65, 8.6), (3.65, 6.9)],
        jar,
    )  # fmt: skip
    fill = lathe([(3.66, 7.2), (3.64, 7.75), (3.4, 7.5), (2.6, 7.42), (0.01, 7.45)], wax)
    thread = sweep([(0, 7.3, 0), (0.03, 7.9, 0), (0.12, 8.4, 0.05)], [(0.1, 0.1), (0.1, 0.1), (0.07, 0.07)], wick)
    return [vessel, fill, thread]


def toy_car() -> list[Mesh]:
    """A wooden car with a painted cabin."""
    rng = np.random.default_rng(105)
    grain = wood((700, 700), ("#b98a55", "#e3bd86"), rng).transpose(1, 0, 2).copy()
    body = Material(grain, roughness=0.42, gloss=0.04)
    paint = Material(plain("#c8452f", rng, mottle=0.05), roughness=0.25, gloss=0.045)
    tyre = Material(wood((400, 400), ("#6e4526", "#8f6038"), rng), roughness=0.5, gloss=0.035)
    hub = Material(plain("#e9d8b4", rng), roughness=0.4, gloss=0.04)
    pane = Material(plain("#d9e4e2", rng, mottle=0.02), roughness=0.3, gloss=0.045)
    parts = [mesh.moved(0, 1.3, 0) for mesh in rounded_box(14.0, 3.0, 6.4, 0.9, body)]
    parts += [mesh.moved(-0.9, 4.1, 0) for mesh in rounded_box(7.4, 3.3, 5.6, 1.2, paint)]
    for side in (-1, 1):
        for x in (-2.6, 0.9):
            parts += [mesh.moved(x, 5.0, side * 2.55) for mesh in rounded_box(2.6, 1.7, 0.6, 0.28, pane)]
        for x in (-4.2, 4.2):
            wheel = lathe([(0.01, 0), (1.7, 0), (1.95, 0.2), (1.95, 0.9), (1.7, 1.1), (0.01, 1.1)], tyre)
            cap = lathe([(0.01, 0), (0.6, 0), (0.62, 0.1), (0.5, 1.35), (0.01, 1.4)], hub)
            for mesh in (wheel, cap):
                parts.append(mesh.turned(pitch_deg=90 * side).moved(x, 1.95, side * 2.85))
    return parts


def vase() -> list[Mesh]:
    """A fluted vase of matt terracotta."""
    rng = np.random.default_rng(106)
    skin = speckled(plain("#c98d72", rng, mottle=0.09, size=768), "#8a5440", rng, count=900, largest_px=3)
    return [
        lathe(
            [(0.01, 0.2), (3.4, 0.1), (3.8, 0.3), (5.0, 3.0), (6.1, 6.5), (6.0, 10.0), (4.3, 14.0), (2.9, 16.6),
             (2.7, 18.2), (3.3, 20.0), (3.35, 20.25), (3.1, 20.3), (2.75, 19.6), (2.3, 17.5), (2.3, 15)],
            Material(skin, roughness=0.6, gloss=0.03), flutes=26, depth=0.42,
        )
    ]  # fmt: skip


def notebook() -> list[Mesh]:
    """A linen notebook lying down, with an elastic band and a foil-stamped name."""
    rng = np.random.default_rng(107)
    cloth, weave = linen(1024, "#2d4a3e", rng, threads=150)
    stamp = printed((150, 420), "#000000", "#ffffff", [("field notes", 0.36, 0.5)])
    ink = stamp[..., :1]
    cover = cloth.copy()
    area = cover[437:587, 302:722]
    area[:] = area * (1 - ink) + linear("#d9b66a") * ink
    front = Material(cover, roughness=0.65, gloss=0.03, relief=weave, size_cm=(14, 21))
    edge = f32(linear("#efe7d6") * (0.86 + 0.1 * np.sign(np.sin(np.linspace(0, 220, 512)))[:, None, None]))
    pages = Material(f32(edge * np.ones((1, 64, 1))), roughness=0.8, gloss=0.02)
    band = Material(plain("#1a1a1a", rng), roughness=0.6, gloss=0.03)
    parts = rounded_box(13.6, 1.3, 20.4, 0.1, pages)
    parts = [mesh.moved(0.1, 0.2, 0) for mesh in parts]
    for y in (0.0, 1.48):
        parts += [mesh.moved(0, y, 0) for mesh in rounded_box(14.2, 0.26, 21.0, 0.12, front)]
    parts += [mesh.moved(-6.95, 0.06, 0) for mesh in rounded_box(0.45, 1.62, 21.0, 0.2, front)]
    parts += [mesh.moved(5.3, -0.03, 0) for mesh in rounded_box(0.7, 1.83, 21.12, 0.05, band)]
    return parts


def teapot() -> list[Mesh]:
    """A round, white, speckled teapot with a wooden knob."""
    rng = np.random.default_rng(108)
    skin = speckled(plain("#dfe3e0", rng, mottle=0.05, size=1024), "#40506a", rng, count=2600, largest_px=3.5)
    glaze = Material(skin, roughness=0.12, gloss=0.055)
    knob = Material(wood((200, 200), ("#8a5a2f", "#c08d52"), rng), roughness=0.45, gloss=0.04)
    body = lathe(
        [(0.01, 0.2), (3.4, 0.1), (3.9, 0.0), (4.3, 0.5), (6.2, 2.6), (7.0, 5.2), (6.3, 7.9), (4.6, 9.6), (3.7, 10.1),
         (3.6, 10.4), (3.4, 10.4), (3.3, 10.0)],
        glaze,
    )  # fmt: skip
    lid = lathe([(3.55, 10.2), (3.6, 10.45), (3.3, 10.75), (1.6, 11.5), (0.5, 11.75), (0.01, 11.8)], glaze)
    top = lathe([(0.3, 11.6), (0.5, 12.0), (1.05, 12.6), (1.05, 13.2), (0.5, 13.6), (0.01, 13.65)], knob)
    spout = sweep(
        [(5.6, 3.6, 0), (7.6, 4.4, 0), (8.9, 6.4, 0), (9.8, 8.6, 0), (11.2, 9.9, 0)],
        [(1.9, 1.7), (1.35, 1.3), (1.0, 1.0), (0.8, 0.8), (0.68, 0.68)],
        glaze,
    )
    ear = sweep(
        [(-5.4, 8.2, 0), (-7.6, 9.6, 0), (-9.8, 8.4, 0), (-10.2, 5.8, 0), (-8.6, 3.4, 0), (-6.2, 2.8, 0)],
        [(0.6, 0.9), (0.5, 0.75), (0.48, 0.72), (0.48, 0.72), (0.5, 0.75), (0.6, 0.9)],
        glaze,
    )
    return [body, lid, top, spout, ear]


def soap() -> list[Mesh]:
    """A bar of lavender soap with a paper band."""
    rng = np.random.default_rng(109)
    swirl = np.clip(0.5 + 0.6 * noise((512, 512), (3, 2), rng, octaves=3), 0, 1)[..., None]
    bar = f32(linear("#b9a3c4") + swirl * (linear("#e9dfe6") - linear("#b9a3c4")))
    bar = speckled(bar, "#5d4a70", rng, count=260, largest_px=5)
    cake = Material(bar, roughness=0.5, gloss=0.04, glow=0.2)
    front = printed((520, 520), "#f3ecdc", "#4d3a5c", [("lavanda", 0.19, 0.42), ("hand-cut soap, 110 g", 0.08, 0.62)])
    band = Material(front, roughness=0.85, gloss=0.02)
    parts = rounded_box(9.2, 3.1, 6.2, 0.75, cake)
    parts += [mesh.moved(0, -0.04, 0) for mesh in rounded_box(4.4, 3.18, 6.28, 0.72, band)]
    return parts
