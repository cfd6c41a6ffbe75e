"""`packshot enhance`: photos from files to files, with no store and no chat."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.settings import Settings
from domain.catalog import PlatformName, Sha256
from domain.errors import BadInput, NotPossible, UserError
from domain.picture import Enhanced, Finding, scale_drawn
from domain.recipe import Background, PictureRules, Recipe
from imaging.engine import LocalEnhancer
from imaging.scene import ORIGINAL, SQUARE
from platforms.registry import RULES

Backdrop = Callable[[Sha256], Awaitable[bytes]]
_SUFFIXES = {"image/jpeg": {".jpg", ".jpeg"}, "image/png": {".png"}}


async def enhance_files(
    settings: Settings, photos: Sequence[Path], out: Path, *, platform: str, options: Mapping[str, str], as_json: bool
) -> int:
    """Enhance every photo; one that fails does not stop the others. Returns the exit status."""
    rules = _rules(platform)
    recipe, backdrop = _recipe(options)
    enhancer = LocalEnhancer(
        engine=settings.imaging_engine,
        model_dir=settings.model_dir,
        threads=settings.imaging_threads,
        max_megapixels=settings.max_photo_megapixels,
        backdrop=backdrop,
        noncommercial=settings.allow_noncommercial_models,
    )
    failures = 0
    try:
        for photo in photos:
            path = _path_for(photo, out, several=len(photos) > 1)
            try:
                enhanced = await enhancer.enhance(_read(photo), recipe, [rules])
                rules = replace(rules, scale_percent=rules.scale_percent or scale_drawn(enhanced.pictures[0].findings))
                path = await asyncio.to_thread(_write, path, enhanced, is_folder=len(photos) > 1)
            except UserError as error:
                failures += 1
                print(f"packshot: {photo}: {error.sentence}", file=sys.stderr)
            else:
                print(_as_json(photo, path, enhanced) if as_json else _as_text(photo, path, enhanced), flush=True)
    finally:
        enhancer.close()
    return 1 if failures else 0


def _rules(platform: str) -> PictureRules:
    named = {"square": SQUARE, "original": ORIGINAL, **{name.value: rules for name, rules in RULES.items()}}
    if platform.lower() not in named:
        raise BadInput(
            f"I do not know “--for {platform}”: use {', '.join([*(p.value for p in PlatformName), 'square', 'original'])}."
        )
    return named[platform.lower()]


def _recipe(options: Mapping[str, str]) -> tuple[Recipe, Backdrop | None]:
    """Return the recipe, and where the backdrop's bytes come from when the background is a file."""
    word = options.get("background", "")
    try:
        return Recipe().changed(options), None
    except BadInput:
        if not word or not Path(word).is_file():
            raise
    others = {name: value for name, value in options.items() if name != "background"}
    content = _read(Path(word))
    name = Sha256(hashlib.sha256(content).hexdigest())

    async def backdrop(_name: Sha256) -> bytes:
        return content

    return replace(Recipe().changed(others), background=Background("photo", photo=name)), backdrop


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotPossible(f"I cannot read it ({error.strerror}): check the path.") from error


def _path_for(photo: Path, out: Path, *, several: bool) -> Path:
    return out / photo.name if several or out.is_dir() else out


def _write(path: Path, enhanced: Enhanced, *, is_folder: bool) -> Path:
    picture = enhanced.pictures[0]
    suffixes = _SUFFIXES[picture.content_type]
    if path.suffix.lower() not in suffixes:
        right = ".png" if picture.content_type == "image/png" else ".jpg"
        if not is_folder and path.suffix:
            raise NotPossible(
                f"The picture is {picture.content_type.removeprefix('image/').upper()}: name it {path.stem}{right}."
            )
        path = path.with_suffix(right)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture.content)
    except OSError as error:
        raise NotPossible(f"I cannot write {path} ({error.strerror}): choose another place with -o.") from error
    return path


def _as_json(photo: Path, path: Path, enhanced: Enhanced) -> str:
    picture = enhanced.pictures[0]
    return json.dumps(
        {
            "photo": str(photo),
            "out": str(path),
            "width_px": picture.width_px,
            "height_px": picture.height_px,
            "content_type": picture.content_type,
            "bytes": len(picture.content),
            "engine": enhanced.engine,
            "confidence": round(enhanced.confidence, 3),
            "findings": [_finding(finding) for finding in (*enhanced.findings, *picture.findings)],
        },
        ensure_ascii=False,
    )


def _finding(finding: Finding) -> dict[str, object]:
    measured = None if finding.measured is None else round(finding.measured, 4)
    return {
        "code": finding.code.value,
        "level": finding.level.value,
        "measured": measured,
        "wanted": finding.wanted,
        "sentence": finding.sentence,
    }


def _as_text(photo: Path, path: Path, enhanced: Enhanced) -> str:
    lines = [f"{photo} → {path} ({enhanced.engine})"]
    marks = {"ok": "✓", "note": "·", "warning": "!"}
    findings = (*enhanced.findings, *enhanced.pictures[0].findings)
    lines += [f"  {marks[finding.level.value]} {finding.sentence}" for finding in findings]
    return "\n".join(lines)
