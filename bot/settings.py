"""Settings from the environment or `.env`; the names are a promise (DESIGN §5). Read nowhere else."""

from __future__ import annotations

import base64
import binascii
import contextlib
import ipaddress
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from bot.platform_settings import LOOPBACK_HOSTS, PlatformSettings, https_or_loopback
from domain.errors import NotPossible
from domain.people import Role

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

KEY_FILE = "secret.key"
"""Under DATA_DIR: SECRET_KEY where the environment sets none."""


class Settings(PlatformSettings):
    """Everything a deployment may set; the defaults run on a laptop with nothing else installed."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", case_sensitive=True, populate_by_name=True)

    data_dir: Path = Field(Path("./data"), alias="DATA_DIR")
    database_url: str = Field("", alias="DATABASE_URL")
    media_url: str = Field("", alias="MEDIA_URL")
    secret_key: SecretStr = Field(SecretStr(""), alias="SECRET_KEY")
    public_url: str = Field("", alias="PUBLIC_URL")
    host: str = Field("127.0.0.1", alias="HOST")
    port: int = Field(8080, alias="PORT", ge=0, le=65535)
    trusted_proxies: str = Field("", alias="TRUSTED_PROXIES")
    metrics_token: SecretStr = Field(SecretStr(""), alias="METRICS_TOKEN")
    timezone: str = Field("", alias="TIMEZONE")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", alias="LOG_LEVEL")
    s3_endpoint: str = Field("", alias="S3_ENDPOINT")
    aws_access_key_id: str = Field("", alias="AWS_ACCESS_KEY_ID")
    aws_secret_access_key: SecretStr = Field(SecretStr(""), alias="AWS_SECRET_ACCESS_KEY")
    aws_region: str = Field("", alias="AWS_REGION")
    slack_bot_token: SecretStr = Field(SecretStr(""), alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr = Field(SecretStr(""), alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr = Field(SecretStr(""), alias="SLACK_SIGNING_SECRET")
    slack_client_id: str = Field("", alias="SLACK_CLIENT_ID")
    slack_client_secret: SecretStr = Field(SecretStr(""), alias="SLACK_CLIENT_SECRET")
    slack_api_url: str = Field("https://slack.com/api/", alias="SLACK_API_URL")
    slack_default_role: Role = Field(Role.EDITOR, alias="SLACK_DEFAULT_ROLE")
    telegram_bot_token: SecretStr = Field(SecretStr(""), alias="TELEGRAM_BOT_TOKEN")
    telegram_webhook_secret: SecretStr = Field(SecretStr(""), alias="TELEGRAM_WEBHOOK_SECRET")
    telegram_api_url: str = Field("https://api.telegram.org", alias="TELEGRAM_API_URL")
    imaging_engine: str = Field("auto", alias="IMAGING_ENGINE", pattern=r"^(auto|builtin|rembg:[a-z0-9-]+)$")
    model_dir: Path = Field(Path(), alias="MODEL_DIR")
    weights_url: str = Field("", alias="WEIGHTS_URL")
    allow_noncommercial_models: bool = Field(False, alias="ALLOW_NONCOMMERCIAL_MODELS")
    imaging_threads: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1), alias="IMAGING_THREADS", ge=1, le=64
    )
    max_photo_megapixels: float = Field(60, alias="MAX_PHOTO_MEGAPIXELS", gt=0, le=400)
    photo_retention_days: int = Field(90, alias="PHOTO_RETENTION_DAYS", ge=1)
    shelf_samples: bool = Field(True, alias="SHELF_SAMPLES")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            return str(ZoneInfo(value)) if value else value
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("must be an IANA name such as Europe/Berlin") from None

    @field_validator("trusted_proxies")
    @classmethod
    def _known_proxies(cls, value: str) -> str:
        try:
            networks_in(value)
        except ValueError:
            raise ValueError("must be addresses or networks with commas, such as 127.0.0.1,10.0.0.0/8") from None
        return value

    @field_validator("metrics_token")
    @classmethod
    def _long_token(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 16:
            raise ValueError("must be at least 16 characters")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        scheme, _, rest = value.partition("://")
        if value and (scheme.partition("+")[0] not in {"sqlite", "postgres", "postgresql"} or not rest.strip("/")):
            raise ValueError("must be sqlite:///PATH or postgresql://…")
        if scheme.startswith("sqlite") and (":memory:" in rest or "mode=memory" in rest):
            raise ValueError("must be a file, sqlite:///PATH: one in memory is gone with every process")
        return value

    @field_validator("media_url")
    @classmethod
    def _known_media(cls, value: str) -> str:
        if value and not value.startswith(("file:///", "s3://")):
            raise ValueError("must be file:///FOLDER or s3://BUCKET")
        return value

    @field_validator("secret_key")
    @classmethod
    def _usable_key(cls, value: SecretStr) -> SecretStr:
        for key in filter(None, value.get_secret_value().split(",")):
            try:
                size_bytes = len(base64.urlsafe_b64decode(key.strip()))
            except (binascii.Error, ValueError):
                size_bytes = 0
            if size_bytes != 32:
                raise ValueError(f"must be 32 bytes in base64 (or several, with commas): a fresh one is {_fresh_key()}")
        return value

    @field_validator("public_url", "s3_endpoint", "slack_api_url", "telegram_api_url", "weights_url")
    @classmethod
    def _https_or_loopback(cls, value: str) -> str:
        return https_or_loopback(value)

    @model_validator(mode="after")
    def _a_way_in_for_slack(self) -> Settings:
        if self.slack_bot_token.get_secret_value() and not (
            self.slack_app_token.get_secret_value() or self.slack_signing_secret.get_secret_value()
        ):
            raise ValueError(
                "SLACK_BOT_TOKEN needs SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) beside it"
            )
        return self

    @model_validator(mode="after")
    def _what_slack_installs_need(self) -> Settings:
        client_id, client_secret = self.slack_client_id, self.slack_client_secret.get_secret_value()
        if bool(client_id) != bool(client_secret):
            raise ValueError("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET come together, from the app's Basic Information")
        if client_id and not self.public_url:
            raise ValueError("SLACK_CLIENT_ID needs PUBLIC_URL: Slack sends people back there after they installed me")
        if client_id and not (self.slack_app_token.get_secret_value() or self.slack_signing_secret.get_secret_value()):
            raise ValueError(
                "SLACK_CLIENT_ID needs SLACK_SIGNING_SECRET (HTTP) or SLACK_APP_TOKEN (Socket Mode) beside it"
            )
        return self

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _telegram_takes_it(cls, value: SecretStr) -> SecretStr:
        # Telegram's rule for secret_token of setWebhook.
        if value.get_secret_value() and not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", value.get_secret_value()):
            raise ValueError("must be 16 to 256 letters, digits, _ or -")
        return value

    @model_validator(mode="after")
    def _defaults_in_data_dir(self) -> Settings:
        self.data_dir = self.data_dir.expanduser().absolute()
        # An empty MODEL_DIR= in .env reads as the working folder, which is never meant.
        self.model_dir = (
            self.data_dir / "models" if self.model_dir == Path() else self.model_dir.expanduser().absolute()
        )
        if not self.database_url:
            self.database_url = f"sqlite:///{self.data_dir / 'packshot.db'}"
        if not self.media_url:
            self.media_url = f"file://{self.data_dir / 'media'}"
        return self

    @property
    def has_slack_installs(self) -> bool:
        """Whether workspaces may install us by themselves; without it there is the one of SLACK_BOT_TOKEN, or none."""
        return bool(self.slack_client_id and self.slack_client_secret.get_secret_value())

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is the one-file default."""
        return self.database_url.startswith("sqlite")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log line may carry."""
        password = urlsplit(self.database_url).password or ""
        fields = (
            self.secret_key,
            self.aws_secret_access_key,
            self.metrics_token,
            self.slack_bot_token,
            self.slack_app_token,
            self.slack_signing_secret,
            self.slack_client_secret,
            self.telegram_bot_token,
            self.telegram_webhook_secret,
        )
        return *(field.get_secret_value() for field in fields), *self.platform_secrets, unquote(password)

    @property
    def public_hosts(self) -> frozenset[str]:
        """What a Host header may call us, beside the bound port: IPv6 in brackets, PUBLIC_URL also with its own port."""
        own = urlsplit(self.public_url)
        names = LOOPBACK_HOSTS | {self.host.lower(), own.hostname or ""} - {""}
        netloc = own.netloc.rpartition("@")[2].lower()
        return frozenset(f"[{name}]" if ":" in name else name for name in names) | ({netloc} - {""})


def networks_in(text: str) -> tuple[Network, ...]:
    """Return the networks of a list with commas; an address is a network of one. Raises ValueError."""
    return tuple(ipaddress.ip_network(word.strip(), strict=False) for word in text.split(",") if word.strip())


def load_settings() -> Settings:
    """Return the checked settings. Raises NotPossible with one line that names every wrong one."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"{item['loc'][0] if item['loc'] else 'settings'} {_words(item['msg'])}" for item in error.errors()
        )
        raise NotPossible(f"Some settings are wrong: {wrong}. Mend them in the environment or in .env.") from None


def _words(message: str) -> str:
    return message.removeprefix("Value error, ")


def secret_key(settings: Settings) -> str:
    """Return SECRET_KEY; on SQLite made on the first run and kept in DATA_DIR with mode 0600.

    Raises NotPossible with a fresh key to set where several processes need the same one (Postgres).
    """
    if given := settings.secret_key.get_secret_value():
        return given
    if not settings.is_sqlite:
        raise NotPossible(
            f"SECRET_KEY is missing, and with Postgres every process needs the same one: set SECRET_KEY={_fresh_key()}"
        )
    return private_file(settings.data_dir / KEY_FILE, _fresh_key())


def private_file(path: Path, fresh: str) -> str:
    """Return a secret kept in a 0600 file, writing `fresh` the first time; two processes agree on one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Written aside and linked: whoever finds the name finds the whole key, never an empty file.
        descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp makes it 0600
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(fresh)
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
        finally:
            Path(aside).unlink()
    return path.read_text().strip()


def local_key(settings: Settings) -> str:
    """Return the key by which `say` and `press` prove that they run on this machine as this user."""
    return private_file(settings.data_dir / "local.key", secrets.token_urlsafe(32))


def _fresh_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()
