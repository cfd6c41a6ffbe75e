"""Settings are checked at the start, each wrong one is named, and the keys stay private."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from bot.settings import load_settings, local_key, private_file, secret_key
from domain.errors import NotPossible


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine, and no .env of this folder."""
    for name in ("DATABASE_URL", "MEDIA_URL", "SECRET_KEY", "PUBLIC_URL", "PORT", "HOST", "DATA_DIR", "MODEL_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "70000"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TIMEZONE", "../../etc/passwd"),
        ("LOG_LEVEL", "LOUD"),
        ("PUBLIC_URL", "http://shop.example"),
        ("PUBLIC_URL", "shop.example"),
        ("S3_ENDPOINT", "http://s3.example"),
        ("IMAGING_ENGINE", "photoshop"),
        ("IMAGING_ENGINE", "rembg:../x"),
        ("IMAGING_THREADS", "0"),
        ("WEIGHTS_URL", "http://weights.example"),
        ("ALLOW_NONCOMMERCIAL_MODELS", "perhaps"),
        ("MAX_PHOTO_MEGAPIXELS", "-1"),
        ("PHOTO_RETENTION_DAYS", "0"),
        ("SHELF_SAMPLES", "perhaps"),
        ("DATABASE_URL", "mysql://localhost/shop"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("MEDIA_URL", "ftp://files.example"),
        ("SECRET_KEY", "too short"),
        ("TRUSTED_PROXIES", "my-proxy"),
        ("TRUSTED_PROXIES", "10.0.0.0/8;127.0.0.1"),
        ("METRICS_TOKEN", "short"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(NotPossible) as refusal:
        load_settings()
    assert refusal.value.sentence.startswith(f"Some settings are wrong: {name} ")
    assert "\n" not in refusal.value.sentence


def test_every_wrong_setting_is_named_and_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PORT", "x"), ("TIMEZONE", "Mars"), ("LOG_LEVEL", "LOUD"), ("SECRET_KEY", "my-secret-word")):
        monkeypatch.setenv(name, value)
    with pytest.raises(NotPossible) as refusal:
        load_settings()
    assert all(name in refusal.value.sentence for name in ("PORT", "TIMEZONE", "LOG_LEVEL", "SECRET_KEY"))
    assert "my-secret-word" not in refusal.value.sentence


def test_the_defaults_need_nothing(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.data_dir == tmp_path / "data"
    assert settings.database_url == f"sqlite:///{tmp_path / 'data' / 'packshot.db'}"
    assert settings.media_url == f"file://{tmp_path / 'data' / 'media'}"
    assert (settings.host, settings.port, settings.shelf_samples) == ("127.0.0.1", 8080, True)


@pytest.mark.parametrize(
    ("given", "folder"),
    [(None, "data/models"), ("", "data/models"), ("weights", "weights"), ("~/weights", "home/weights")],
)
def test_weights_lie_in_the_data_folder_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str | None, folder: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if given is not None:
        monkeypatch.setenv("MODEL_DIR", given)
    assert load_settings().model_dir == tmp_path / folder


def test_the_env_file_is_read_and_the_environment_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=9001\nLOG_LEVEL=debug\nUNKNOWN_THING=1\n")
    monkeypatch.setenv("PORT", "9002")
    settings = load_settings()
    assert (settings.port, settings.log_level) == (9002, "DEBUG")


@pytest.mark.parametrize("url", ["https://shop.example/", "http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"])
def test_https_anywhere_and_plain_http_on_loopback_only(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    assert load_settings().public_url == url.rstrip("/")


def test_postgres_without_a_key_refuses_and_prints_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://db.example/shop")
    with pytest.raises(NotPossible, match="SECRET_KEY=") as refusal:
        secret_key(load_settings())
    fresh = refusal.value.sentence.rpartition("SECRET_KEY=")[2]
    monkeypatch.setenv("SECRET_KEY", fresh)
    assert secret_key(load_settings()) == fresh
    assert not Path("data").exists()


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    settings = load_settings()
    assert secret_key(settings) == secret_key(load_settings())
    assert local_key(settings) == local_key(load_settings())
    assert secret_key(settings) != local_key(settings)
    files = sorted((tmp_path / "data").iterdir())
    assert [file.name for file in files] == ["local.key", "secret.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    starters = 8
    with ThreadPoolExecutor(starters) as pool:
        for trial in range(25):
            barrier = Barrier(starters)

            def start(number: int, trial: int = trial, barrier: Barrier = barrier) -> str:
                barrier.wait()
                return private_file(tmp_path / f"{trial}.key", f"{number}" * 4000)

            keys = set(pool.map(start, range(starters)))
            assert len(keys) == 1
            assert len(keys.pop()) == 4000
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".key"]


@pytest.mark.parametrize(
    ("public_url", "host", "names"),
    [
        ("https://shop.example:8443", "127.0.0.1", {"shop.example:8443", "shop.example"}),
        ("https://Shop.Example", "127.0.0.1", {"shop.example"}),
        ("", "::", {"[::]", "[::1]", "localhost", "127.0.0.1"}),
        ("https://[2001:db8::7]:8443", "127.0.0.1", {"[2001:db8::7]:8443", "[2001:db8::7]"}),
    ],
)
def test_the_web_answers_to_its_public_address_as_browsers_write_it(
    monkeypatch: pytest.MonkeyPatch, public_url: str, host: str, names: set[str]
) -> None:
    monkeypatch.setenv("PUBLIC_URL", public_url)
    monkeypatch.setenv("HOST", host)
    assert names <= load_settings().public_hosts
