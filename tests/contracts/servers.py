"""Starts the independent servers of ../shared/specs/tools on free loopback ports, each for itself.

Prism answers from Amazon's and Etsy's own definitions and names every breach in `sl-violations`; Amazon's static
sandbox and the schema-true Shopify need Python alone. `run_mocks.sh` there starts the same four.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPECS = ROOT.parent / "shared" / "specs"
TOOLS = SPECS / "tools"
KEPT = ROOT / ".contracts"
"""Where Prism is installed once; git does not see it."""
PRISM = "@stoplight/prism-cli@5.14.2"
START_S = 90.0


def require_specs() -> None:
    """Skip without the definitions."""
    if not TOOLS.exists():
        pytest.skip("../shared is absent")


@contextmanager
def prism(definition: Path, folder: Path) -> Iterator[str]:
    """Yield the address of a Prism that answers, and judges, by this definition."""
    with _running(
        [str(_prism()), "mock", "--errors", "-h", "127.0.0.1", "-p", "{port}", str(definition)], folder
    ) as url:
        yield url


@contextmanager
def amazon_sandbox(folder: Path) -> Iterator[str]:
    """Yield the address of Amazon's own request and answer examples."""
    with _running(
        [sys.executable, str(TOOLS / "amazon_static_sandbox.py"), str(SPECS / "amazon"), "{port}"], folder
    ) as url:
        yield url


@contextmanager
def shopify_schema(folder: Path, version: str = "2026-10") -> Iterator[str]:
    """Yield the address of a Shopify that validates every document against its schema."""
    schema = SPECS / "shopify" / f"admin_{version}.json.gz"
    with _running([sys.executable, str(TOOLS / "shopify_mock.py"), str(schema), "{port}"], folder) as url:
        yield url


def amazon_definition(folder: Path) -> Path:
    """Return Amazon's models in one file, as Prism wants them."""
    merged = folder / "amazon-merged.json"
    parts = sorted((SPECS / "amazon").glob("*.json"))
    subprocess.run(
        [sys.executable, str(TOOLS / "merge_swagger.py"), str(merged), *map(str, parts)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return merged


def etsy_definition() -> Path:
    """Return Etsy's definition."""
    return SPECS / "etsy" / "etsy-oas-3.0.0.json"


def _prism() -> Path:
    """Return Prism's program, installed at the first call. Fails where node is not there."""
    program = KEPT / "node_modules" / ".bin" / "prism"
    if not program.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.fail("Prism needs node ≥ 18 and npm: install them, then `make contracts` again.")
        KEPT.mkdir(exist_ok=True)
        (KEPT / "package.json").write_text(json.dumps({"private": True}), encoding="utf-8")
        subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", PRISM], cwd=KEPT, check=True, capture_output=True, timeout=300
        )
    return program


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen([part.format(port=port) for part in command], stdout=out, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start: {log.read_text(encoding='utf-8')[-500:]}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
