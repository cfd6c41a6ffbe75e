"""Weights come whole or not at all: from a server on a real socket that breaks off, lies and redirects."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import NotPossible
from imaging.download import fetch_weights
from imaging.weights import OPEN_MODELS, OpenModel
from tests.imaging.weights_server import CONTENT, MODEL, WeightsServer, weights_server


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with weights_server() as served:
        yield served


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "models"


def fetch(server: WeightsServer, here: Path, *, model: OpenModel = MODEL, tries: int = 3) -> Path:
    return fetch_weights("tiny", model, here, base_url=server.url, pauses_s=(0,) * (tries - 1))


def left(here: Path) -> list[str]:
    return sorted(path.name for path in here.iterdir() if not path.name.endswith(".lock"))


def refusal(server: WeightsServer, here: Path, **kinds: OpenModel) -> str:
    with pytest.raises(NotPossible) as refused:
        fetch(server, here, **kinds)
    assert "\n" not in refused.value.sentence
    return refused.value.sentence


def test_what_comes_is_there_whole_under_the_models_name(server: WeightsServer, here: Path) -> None:
    path = fetch(server, here)
    assert path == here / "tiny.onnx"
    assert path.read_bytes() == CONTENT
    assert left(here) == ["tiny.onnx"]


def test_what_is_there_already_is_not_fetched_again(server: WeightsServer, here: Path) -> None:
    assert fetch(server, here) == fetch(server, here)
    assert len(server.asked) == 1


def test_what_is_there_needs_no_folder_to_write_to(server: WeightsServer, here: Path) -> None:
    path = fetch(server, here)
    lock = here / ".tiny.onnx.lock"
    lock.unlink()
    lock.mkdir()  # as root a folder's mode stops nobody; this does
    assert fetch(server, here) == path
    path.unlink()
    assert "set MODEL_DIR to a folder I may write to" in refusal(server, here)


def test_broken_line_goes_on_where_it_broke(server: WeightsServer, here: Path) -> None:
    server.breaks_after = [300_000, 100_000]
    assert fetch(server, here).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-", "bytes=400000-"]


def test_interrupted_run_is_gone_on_with_by_the_next(server: WeightsServer, here: Path) -> None:
    server.breaks_after = [300_000]
    with pytest.raises(NotPossible, match=r"stopped at 0\.3 of 0\.7 MB .* goes on from there"):
        fetch(server, here, tries=1)
    assert left(here) == ["tiny.onnx.part"]
    assert fetch(server, here).read_bytes() == CONTENT
    assert server.asked == ["", "bytes=300000-"]


def test_server_without_ranges_starts_over(server: WeightsServer, here: Path) -> None:
    server.breaks_after, server.ranges = [300_000], False
    assert fetch(server, here).read_bytes() == CONTENT


def test_server_out_of_breath_is_asked_again(server: WeightsServer, here: Path) -> None:
    server.statuses = [503, 429]
    assert fetch(server, here).read_bytes() == CONTENT


def test_wrong_bytes_are_not_kept(server: WeightsServer, here: Path) -> None:
    server.content = CONTENT[:-1] + b"!"
    assert "checksum is wrong, so I kept nothing" in refusal(server, here)
    assert left(here) == []


def test_what_an_earlier_run_left_of_another_file_is_started_over(server: WeightsServer, here: Path) -> None:
    here.mkdir()
    (here / "tiny.onnx.part").write_bytes(b"x" * 1000)
    assert fetch(server, here).read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-", ""]


def test_part_longer_than_the_file_is_started_over(server: WeightsServer, here: Path) -> None:
    here.mkdir()
    (here / "tiny.onnx.part").write_bytes(CONTENT + b"more")
    assert fetch(server, here).read_bytes() == CONTENT


def test_part_that_is_whole_needs_no_server(server: WeightsServer, here: Path) -> None:
    here.mkdir()
    (here / "tiny.onnx.part").write_bytes(CONTENT)
    assert fetch(server, here).read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize("says_length", [True, False])
def test_more_than_the_file_has_is_stopped(server: WeightsServer, here: Path, says_length: bool) -> None:
    server.says_length = says_length
    assert "sends another file" in refusal(server, here, model=replace(MODEL, size_bytes=1000))
    assert (here / "tiny.onnx.part").stat().st_size == 0


def test_less_than_the_file_has_is_not_asked_for_twice(server: WeightsServer, here: Path) -> None:
    server.content = CONTENT[:1000]
    assert "sends another file" in refusal(server, here)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "elsewhere", ["http://localhost:{port}/stolen", "http://127.0.0.1:9/weights/tiny-v1.onnx", "https://[oops/", "//x"]
)
def test_redirect_to_another_host_is_not_followed(server: WeightsServer, here: Path, elsewhere: str) -> None:
    server.redirect_to = elsewhere.format(port=server.url.split(":")[2].partition("/")[0])
    assert "I did not follow" in refusal(server, here)
    assert len(server.asked) == 1
    assert left(here) == ["tiny.onnx.part"]


def test_redirect_at_home_is_followed_and_one_in_circles_is_not(server: WeightsServer, here: Path) -> None:
    server.redirect_to = "/moved/tiny-v1.onnx"
    assert fetch(server, here).read_bytes() == CONTENT
    (here / "tiny.onnx").unlink()
    server.redirect_to = "/weights/tiny-v1.onnx"
    assert "in circles" in refusal(server, here)


def test_file_that_is_not_there_is_named(server: WeightsServer, here: Path) -> None:
    server.statuses = [404]
    assert "answered 404 for tiny-v1.onnx" in refusal(server, here)
    assert len(server.asked) == 1, "what is not there is not asked for again"


def test_without_a_line_the_way_out_is_to_bring_the_file(here: Path) -> None:
    with pytest.raises(NotPossible, match=r"put it here as .*tiny\.onnx\.$"):
        fetch_weights("tiny", MODEL, here, base_url="http://127.0.0.1:9/weights", pauses_s=(0,))


def test_disk_without_room_is_said_before_a_byte_is_fetched(server: WeightsServer, here: Path) -> None:
    assert "no room for tiny" in refusal(server, here, model=replace(MODEL, size_bytes=10**17))
    assert server.asked == []


def test_disk_that_fills_up_on_the_way_is_given_back(server: WeightsServer, here: Path) -> None:
    here.mkdir()
    (here / "tiny.onnx.part").symlink_to("/dev/full")
    assert "no room for tiny" in refusal(server, here)
    assert left(here) == []


def test_folder_that_cannot_be_made_is_named(server: WeightsServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "set MODEL_DIR" in refusal(server, tmp_path / "file")


def test_persons_own_file_of_that_name_is_left_alone(server: WeightsServer, here: Path) -> None:
    here.mkdir()
    (here / "tiny.onnx").write_bytes(b"my own training")
    assert "move it away" in refusal(server, here)
    assert (here / "tiny.onnx").read_bytes() == b"my own training"


def test_progress_tells_what_is_here_and_what_there_will_be(server: WeightsServer, here: Path) -> None:
    server.breaks_after = [300_000]
    told: list[tuple[int, int]] = []
    fetch_weights(
        "tiny",
        MODEL,
        here,
        base_url=server.url,
        pauses_s=(0,),
        on_progress=lambda here, whole: told.append((here, whole)),
    )
    assert told == sorted(told)
    assert told[0] == (0, len(CONTENT))
    assert (300_000, len(CONTENT)) in told
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_two_processes_fetch_once(server: WeightsServer, here: Path) -> None:
    server.gate = threading.Event()
    waits = threading.Event()
    code = (
        "import sys; from pathlib import Path; from imaging.download import fetch_weights\n"
        "from tests.imaging.weights_server import MODEL\n"
        f"print(fetch_weights('tiny', MODEL, Path({str(here)!r}), base_url={server.url!r}))"
    )
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert server.half_sent.wait(30)

        def waiting() -> None:
            waits.set()
            server.gate.set()

        path = fetch_weights("tiny", MODEL, here, base_url=server.url, on_wait=waiting)
        assert first.result().stdout.strip() == str(path), first.result().stderr
    assert waits.is_set()
    assert path.read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_every_model_is_pinned_and_named_with_its_licence() -> None:
    for name, model in OPEN_MODELS.items():
        assert len(bytes.fromhex(model.sha256)) == 32, name
        assert model.size_bytes > 1_000_000
        assert model.licence
        assert model.source.count("/") == 1
    assert [name for name, model in OPEN_MODELS.items() if not model.is_for_business] == ["bria-rmbg"]


def test_killed_process_leaves_what_the_next_goes_on_with(server: WeightsServer, here: Path) -> None:
    server.gate = threading.Event()
    code = (
        "import sys; from pathlib import Path; from imaging.download import fetch_weights\n"
        "from tests.imaging.weights_server import MODEL\n"
        "seen = lambda here, whole: here >= whole // 2 and print('half', flush=True)\n"
        f"fetch_weights('tiny', MODEL, Path({str(here)!r}), base_url={server.url!r}, on_progress=seen)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as fetching:
        assert fetching.stdout is not None
        assert fetching.stdout.readline() == "half\n"
        fetching.kill()
    assert left(here) == ["tiny.onnx.part"]
    server.gate.set()
    assert fetch(server, here).read_bytes() == CONTENT
    assert server.asked == ["", f"bytes={len(CONTENT) // 2}-"]
