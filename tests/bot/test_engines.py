"""`packshot engines`: what is here, whose it is, and how it comes here before the first photo."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from bot.engines import get_engines, get_set_engine
from bot.settings import Settings
from domain.errors import BadInput
from domain.recipe import Recipe
from imaging.weights import OPEN_MODELS, OpenModel
from tests.bot.conftest import Invoke
from tests.imaging.weights_server import CONTENT, MODEL, WeightsServer, weights_server


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with weights_server() as served:
        yield served


@pytest.fixture(autouse=True)
def _nothing_in_rembgs_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "rembg"))
    for name in ("MODEL_DIR", "WEIGHTS_URL", "ALLOW_NONCOMMERCIAL_MODELS"):
        monkeypatch.delenv(name, raising=False)


def settings(server: WeightsServer, folder: Path, **more: str) -> Settings:
    return Settings.model_validate({"DATA_DIR": folder / "data", "WEIGHTS_URL": server.url, **more})


def models(*, wrong: tuple[str, ...] = ()) -> dict[str, OpenModel]:
    return {name: MODEL for name in OPEN_MODELS if name not in wrong} | {
        name: OPEN_MODELS[name] for name in OPEN_MODELS if name in wrong
    }


def test_get_brings_the_weights_where_they_are_looked_for(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert get_engines(settings(server, tmp_path), ["rembg:u2net", "isnet"], models=models()) == 0
    folder = tmp_path / "data" / "models"
    for name in ("u2net", "isnet-general-use"):
        assert (folder / f"{name}.onnx").read_bytes() == CONTENT
    assert f"u2net is here: {folder / 'u2net.onnx'} (0.7 MB · MIT · nobody/tiny)" in capsys.readouterr().out


def test_one_that_fails_does_not_stop_the_others(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["photoshop", "bria-rmbg", "u2netp", "silueta"]
    assert get_engines(settings(server, tmp_path), words, models=models(wrong=("u2netp",))) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("packshot: ")]
    assert len(errors) == 3
    assert "ALLOW_NONCOMMERCIAL_MODELS=1" in errors[1]
    assert (tmp_path / "data" / "models" / "silueta.onnx").is_file()


def test_whose_shop_is_none_may_opt_in(server: WeightsServer, tmp_path: Path) -> None:
    allowing = settings(server, tmp_path, ALLOW_NONCOMMERCIAL_MODELS="1")
    assert get_engines(allowing, ["bria-rmbg"], models=models()) == 0


def test_progress_is_a_bar_on_a_terminal(server: WeightsServer, tmp_path: Path) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    assert get_engines(settings(server, tmp_path), ["u2netp"], models=models(), console=terminal) == 0
    assert isinstance(terminal.file, io.StringIO)
    drawn = terminal.file.getvalue()
    assert "━" in drawn
    assert "700.0/700.0 kB" in drawn


def test_progress_is_few_lines_elsewhere(server: WeightsServer, tmp_path: Path) -> None:
    server.breaks_after = [300_000]
    log = Console(file=io.StringIO(), width=40)
    get_engines(settings(server, tmp_path), ["u2netp"], models=models(), console=log)
    assert isinstance(log.file, io.StringIO)
    lines = log.file.getvalue().splitlines()
    assert lines[0].startswith("u2netp: 0 % of 0.7 MB")
    assert lines[-1].startswith("u2netp: 100 % of 0.7 MB")
    assert len(lines) <= 11


def test_start_fetches_what_the_setting_names_and_goes_on_without(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.statuses = [404]
    get_set_engine(settings(server, tmp_path, IMAGING_ENGINE="rembg:u2net"))
    assert "answered 404 for u2net.onnx" in capsys.readouterr().err
    get_set_engine(settings(server, tmp_path, IMAGING_ENGINE="auto"))
    present = tmp_path / "data" / "models" / "u2net.onnx"
    present.write_bytes(CONTENT)
    get_set_engine(settings(server, tmp_path, IMAGING_ENGINE="rembg:u2net"))
    assert len(server.asked) == 1


def test_list_names_every_engine_with_licence_size_and_place(invoke: Invoke) -> None:
    listed = invoke("engines")
    assert (listed.status, listed.err) == (0, "")
    lines = listed.out.splitlines()
    assert lines[0].startswith("builtin · here")
    assert len(lines) == 1 + len(OPEN_MODELS)
    for (name, model), line in zip(OPEN_MODELS.items(), lines[1:], strict=True):
        assert line.startswith(f"rembg:{name} · ")
        assert model.licence in line
        assert f"packshot engines get {name}" in line or not model.is_for_business


def test_get_says_in_one_line_why_nothing_came(invoke: Invoke, server: WeightsServer) -> None:
    ended = invoke("engines", "get", WEIGHTS_URL=server.url)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("packshot: 127.0.0.1 sends another file than the 4.6 MB of u2netp.onnx")
    assert ended.err.count("\n") == 1
    assert invoke("engines", "fetch").status == 2


def test_doctor_says_how_to_have_the_engine_that_is_set(invoke: Invoke, tmp_path: Path) -> None:
    assert (
        "! engine: rembg:silueta\n    → The weights of silueta" in invoke("doctor", IMAGING_ENGINE="rembg:silueta").out
    )
    assert "forbids business use" in invoke("doctor", IMAGING_ENGINE="rembg:bria-rmbg").out
    here = tmp_path / "data" / "models" / "u2net.onnx"
    here.parent.mkdir(parents=True)
    here.write_bytes(b"my own training")
    seen = invoke("doctor", IMAGING_ENGINE="auto").out
    assert f"✓ rembg:u2net: here, {here} (not the published file) (176 MB · Apache-2.0 · xuebinqin/U-2-Net)" in seen
    assert "✓ rembg:silueta: not here: `packshot engines get silueta`" in seen


def test_every_option_of_the_chat_is_one_of_the_command(invoke: Invoke) -> None:
    with pytest.raises(BadInput) as refused:
        Recipe().changed({"no-such": "option"})
    known = re.findall(r"(\w+)=", refused.value.sentence)
    assert len(known) >= 6
    shown = invoke("enhance", "--help").out
    assert [name for name in known if f"--{name} " not in shown] == []


@pytest.mark.parametrize(
    ("name", "word"),
    [("margin", "fat"), ("brightness", "-9"), ("white", "200x3"), ("keep", "handle"), ("remove", "strap")],
)
def test_options_of_the_chat_are_refused_in_the_same_words(invoke: Invoke, name: str, word: str) -> None:
    ended = invoke("enhance", "x.jpg", "-o", "out.jpg", f"--{name}", word)
    with pytest.raises(BadInput, match=word) as refused:
        Recipe().changed({name: word})
    assert (ended.status, ended.err) == (2, f"packshot: {refused.value}\n")
