"""Render the sample shop's photos: `python -m platforms.shelf.samples.render [NAME…] [--out FOLDER]`.

The pictures in `photos/` are committed, so this runs only when one shall look different. The same
machine gives the same bytes for the same scene; a full set takes minutes, not seconds.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from platforms.shelf.samples.lens import Film, develop, jpeg
from platforms.shelf.samples.light import lit, surfaces
from platforms.shelf.samples.raster import gather, look, scattered
from platforms.shelf.samples.scenes import SCENES, Scene
from platforms.shelf.samples.textures import f32

PHOTOS = Path(__file__).parent / "photos"


def render(scene: Scene, *, width_px: int | None = None, passes: int | None = None) -> bytes:
    """Return a scene as JPEG; a smaller width and fewer passes give a quick, grainy look at it."""
    rng = np.random.default_rng(scene.seed)
    camera = scene.camera
    if width_px is not None:
        camera = replace(camera, size_px=(width_px, width_px * camera.size_px[1] // camera.size_px[0]))
    product, props, grounds, room = scene.build()
    soup = gather(product, [*props, *grounds])
    # Most of the time goes into shadow maps; a quick look is content with coarse ones.
    casters = scattered(gather(product, props), rng, per_cm2=300 if width_px is None else 30)
    width, height = camera.size_px
    total, rest = (np.zeros((height * width, 3), np.float32) for _ in range(2))
    coverage, depth, depth_count = (np.zeros(height * width, np.float32) for _ in range(3))
    count = passes or scene.passes
    for index in range(count):
        jitter = f32([(index + 0.5) / count, (index * 0.6180339887) % 1]) - 0.5
        hits = look(soup, camera, jitter)
        shade = surfaces(hits, soup.materials)
        light = lit(hits, room, casters, f32(camera.position), shade, rng, rays=8, width_px=width)
        is_rest = ~hits.is_product
        total[hits.pixel[hits.is_product]] += light[hits.is_product]
        coverage[hits.pixel[hits.is_product]] += 1
        rest[hits.pixel[is_rest]] += light[is_rest]
        depth[hits.pixel[is_rest]] += hits.depth[is_rest]
        depth_count[hits.pixel[is_rest]] += 1
    film = Film(
        product=f32(total.reshape(height, width, 3) / count),
        rest=f32(rest.reshape(height, width, 3) / count),
        coverage=f32((coverage / count).reshape(height, width)),
        rest_depth=f32((depth / np.maximum(depth_count, 1)).reshape(height, width)),
    )
    focus_cm = float(np.linalg.norm(f32(camera.position) - f32(camera.target)))
    return jpeg(develop(film, scene.lens, focus_cm=focus_cm, rng=rng))


def main() -> None:
    """Render the named scenes, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*SCENES], metavar="NAME")
    parser.add_argument("--out", type=Path, default=PHOTOS)
    parser.add_argument("--width", type=int, help="pixels, for a quick look")
    parser.add_argument("--passes", type=int)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.names or SCENES:
        content = render(SCENES[name], width_px=given.width, passes=given.passes)
        (given.out / f"{name}.jpg").write_bytes(content)


if __name__ == "__main__":
    main()
