"""Every sample photo: which product, from where, in which light, on which table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from platforms.shelf.samples import goods
from platforms.shelf.samples.lens import Lens
from platforms.shelf.samples.light import Room
from platforms.shelf.samples.meshes import Mesh
from platforms.shelf.samples.raster import Camera
from platforms.shelf.samples.scenery import clutter, room, table, wall

_MAIN_PX, _SECOND_PX = (1600, 1200), (1024, 768)


@dataclass(frozen=True, slots=True)
class Scene:
    """One photo; `build` makes its meshes when it is rendered."""

    make: Callable[[], list[Mesh]]
    camera: Camera
    table: str = "oak"
    wall: str = "plaster"
    light: str = "window"
    clutter: str = "kitchen"
    yaw_deg: float = 0.0
    lens: Lens = field(default_factory=Lens)
    seed: int = 1
    passes: int = 4

    def build(self) -> tuple[list[Mesh], list[Mesh], Sequence[Mesh], Room]:
        """Return the product, the props, wall and table, and the light."""
        product = [mesh.turned(yaw_deg=self.yaw_deg) for mesh in self.make()]
        top = table(self.table, self.seed)
        props = clutter(self.clutter, self.seed) if self.clutter else []
        return product, props, (wall(self.wall, self.seed), top), room(self.light, top)


def _cam(
    x: float,
    y: float,
    z: float,
    *,
    aim: float = 4.5,
    view: float = 23,
    size: tuple[int, int] = _MAIN_PX,
    tilt: float = 0,
) -> Camera:
    """Return a camera that looks at the middle of a product `aim` cm above the table."""
    return Camera((x, y, z), (0.0, aim, 0.0), view, size, tilt)


_DAYLIGHT = Lens(cast=(1.04, 1.0, 0.96))
_TUNGSTEN = Lens(cast=(0.95, 1.0, 1.22), noise=0.013)
_DIM = Lens(cast=(1.05, 1.0, 0.92), exposure=0.72, noise=0.016)
_DEMO_PX = (2400, 1800)
_TALL_PX, _TALL_SECOND_PX = (1200, 1600), (768, 1024)

SCENES: dict[str, Scene] = {
    "mug-front": Scene(
        goods.mug, _cam(6, 22, 42, tilt=1.5, view=18), "marble", "plaster", "window", "kitchen", -18, _DAYLIGHT
    ),
    "mug-side": Scene(
        goods.mug, _cam(-16, 30, 36, aim=4, size=_SECOND_PX), "linen", "plaster", "overcast", "desk", -70, seed=2
    ),
    "mug-sand": Scene(
        lambda: goods.mug("#cdb894"), _cam(4, 18, 44, size=_SECOND_PX), "walnut", "dark", "window", "shelf", -30, seed=3
    ),
    "demo_mug": Scene(
        goods.mug, _cam(-9, 24, 41, tilt=-2.5, view=20, size=_DEMO_PX), "white_boards", "tiles", "mixed", "kitchen", -42,
        Lens(cast=(1.05, 1.0, 0.93), exposure=0.92), seed=4,
    ),
    "oil-front": Scene(
        goods.bottle, _cam(3, 22, 50, aim=8.4, view=25, size=_TALL_PX), "marble", "tiles", "window", "kitchen", -8,
        _DAYLIGHT, seed=5,
    ),
    "oil-table": Scene(
        goods.bottle, _cam(-14, 30, 46, aim=8, size=_SECOND_PX), "oak", "boards", "mixed", "kitchen", 14, seed=6
    ),
    "bowl-front": Scene(
        goods.bowl, _cam(3, 30, 46, aim=3.2, view=19), "walnut", "plaster", "window", "kitchen", 0, _DAYLIGHT, seed=7
    ),
    "bowl-above": Scene(
        goods.bowl, _cam(-8, 50, 22, aim=3.5, size=_SECOND_PX), "linen", "plaster", "window", "kitchen", 0, seed=8
    ),
    "candle-front": Scene(
        goods.candle, _cam(-5, 20, 42, aim=4.6, view=18), "oak", "dark", "evening", "shelf", 10, _TUNGSTEN, seed=9
    ),
    "candle-top": Scene(
        goods.candle, _cam(10, 36, 28, aim=5, view=20, size=_SECOND_PX), "concrete", "plaster", "overcast", "bath", -12,
        seed=10,
    ),
    "car-front": Scene(
        goods.toy_car, _cam(7, 20, 42, aim=3.6, view=17), "white_boards", "plaster", "window", "desk", -28, _DAYLIGHT, seed=11
    ),
    "car-side": Scene(
        goods.toy_car, _cam(-4, 14, 44, aim=3.6, size=_SECOND_PX), "oak", "plaster", "mixed", "shelf", 6, seed=12
    ),
    "car-back": Scene(
        goods.toy_car, _cam(-18, 26, 38, aim=3.4, size=_SECOND_PX), "linen", "dark", "overcast", "desk", 130, seed=13
    ),
    "vase-front": Scene(
        goods.vase, _cam(4, 26, 58, aim=10, view=28, size=_TALL_PX), "concrete", "plaster", "window", "shelf", 0,
        _DAYLIGHT, seed=14,
    ),
    "vase-shelf": Scene(
        goods.vase, _cam(-14, 30, 54, aim=9.5, view=28, size=_TALL_SECOND_PX), "oak", "dark", "evening", "desk", 20,
        _TUNGSTEN, seed=15,
    ),
    "notebook-front": Scene(
        goods.notebook, _cam(5, 46, 30, aim=1, view=29), "oak", "plaster", "window", "desk", 24, _DAYLIGHT, seed=16
    ),
    "notebook-desk": Scene(
        goods.notebook, _cam(-14, 26, 38, aim=1, view=30, size=_SECOND_PX), "white_boards", "plaster", "mixed", "desk",
        -34, seed=17,
    ),
    "teapot-front": Scene(
        goods.teapot, _cam(4, 24, 54, aim=6.2, view=22), "walnut", "dark", "window", "kitchen", 16, _DAYLIGHT, seed=18
    ),
    "teapot-side": Scene(
        goods.teapot, _cam(-18, 34, 46, aim=6, view=25, size=_SECOND_PX), "marble", "plaster", "overcast", "kitchen",
        -22, seed=19,
    ),
    "soap-front": Scene(
        goods.soap, _cam(6, 20, 26, aim=1.6, view=18.5), "concrete", "tiles", "window", "bath", -24, _DAYLIGHT, seed=20
    ),
    "soap-towel": Scene(
        goods.soap, _cam(-9, 28, 18, aim=1.4, view=22, size=_SECOND_PX), "linen", "plaster", "overcast", "bath", 30,
        _DIM, seed=21,
    ),
}  # fmt: skip
