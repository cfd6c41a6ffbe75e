"""`packshot demo`: what a newcomer sees first, played whole."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.bot.command import Command


def test_the_demo_plays_to_its_end_and_leaves_three_pictures(packshot: Command) -> None:
    played = packshot("demo")
    assert played.status == 0, played.err[-1000:]
    told = played.out
    order = ["PreviewReady", "Approve", "Published", "undo", "Restored", "Done"]
    places = [told.index(word) for word in order]
    assert places == sorted(places)
    paths = [Path(line.split(":", 1)[1].strip()) for line in told.splitlines() if line.endswith(".jpg")]
    assert [path.name for path in paths] == ["before.jpg", "preview.jpg", "published.jpg"]
    for path in paths:
        with Image.open(path) as picture:
            picture.load()
    assert not packshot.data_dir.exists(), "the demo's shop is a folder of its own"
