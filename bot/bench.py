"""`packshot bench`: how long a photo takes on this machine, engine by engine."""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import time
from typing import Any

from bot.settings import Settings
from domain.catalog import PlatformName
from domain.recipe import Recipe
from imaging.engine import LocalEnhancer
from platforms.registry import RULES
from platforms.shelf.samples.catalogue import demo_photo

RUNS = 5


def measure(settings: Settings) -> dict[str, Any]:
    """Return medians over RUNS runs of the demo's photo, after one warm-up."""
    photo = demo_photo()
    rules = [RULES[PlatformName.AMAZON]]
    enhancer = LocalEnhancer(
        engine=settings.imaging_engine,
        model_dir=settings.model_dir,
        threads=settings.imaging_threads,
        noncommercial=settings.allow_noncommercial_models,
    )
    times_ms: list[float] = []
    engine = ""
    try:
        for _ in range(RUNS + 1):
            start = time.perf_counter()
            engine = asyncio.run(enhancer.enhance(photo, Recipe(), rules)).engine
            times_ms.append((time.perf_counter() - start) * 1000)
    finally:
        enhancer.close()
    return {
        "engine": engine,
        "photo_bytes": len(photo),
        "median_ms": round(statistics.median(times_ms[1:]), 1),
        "first_ms": round(times_ms[0], 1),
        "runs": RUNS,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
