"""The part of the settings that belongs to the store platforms; the names are a promise (DESIGN §5).

What belongs to one store (shop, tokens, marketplace, site) is never here: `packshot store add` takes it.
Every address may be a loopback server, so that a test or a sandbox stands where the vendor stands.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class PlatformSettings(BaseSettings):
    """Keys of our app at each vendor, and where the vendor is."""

    shopify_client_id: str = Field("", alias="SHOPIFY_CLIENT_ID")
    shopify_client_secret: SecretStr = Field(SecretStr(""), alias="SHOPIFY_CLIENT_SECRET")
    shopify_api_url: str = Field("https://{shop}", alias="SHOPIFY_API_URL")
    amazon_client_id: str = Field("", alias="AMAZON_CLIENT_ID")
    amazon_client_secret: SecretStr = Field(SecretStr(""), alias="AMAZON_CLIENT_SECRET")
    amazon_api_url: str = Field("", alias="AMAZON_API_URL")
    amazon_auth_url: str = Field("", alias="AMAZON_AUTH_URL")
    amazon_consent_url: str = Field("", alias="AMAZON_CONSENT_URL")
    amazon_region: str = Field("", alias="AMAZON_REGION")
    amazon_sqs_url: str = Field("", alias="AMAZON_SQS_URL")
    amazon_sqs_key_id: str = Field("", alias="AMAZON_SQS_KEY_ID")
    amazon_sqs_secret: SecretStr = Field(SecretStr(""), alias="AMAZON_SQS_SECRET")
    etsy_keystring: SecretStr = Field(SecretStr(""), alias="ETSY_KEYSTRING")
    etsy_shared_secret: SecretStr = Field(SecretStr(""), alias="ETSY_SHARED_SECRET")
    etsy_api_url: str = Field("", alias="ETSY_API_URL")
    etsy_auth_url: str = Field("", alias="ETSY_AUTH_URL")
    woocommerce_allow_http: bool = Field(False, alias="WOOCOMMERCE_ALLOW_HTTP")

    @field_validator(
        "shopify_api_url",
        "amazon_api_url",
        "amazon_auth_url",
        "amazon_consent_url",
        "amazon_sqs_url",
        "etsy_api_url",
        "etsy_auth_url",
    )
    @classmethod
    def _vendor_or_loopback(cls, value: str) -> str:
        return https_or_loopback(value)

    @property
    def deployment(self) -> dict[str, str]:
        """Return these settings by the names they are set under; a flag is `1` or empty."""
        return {info.alias or name: _plain(getattr(self, name)) for name, info in PlatformSettings.model_fields.items()}

    @property
    def platform_secrets(self) -> tuple[str, ...]:
        """What no log line may carry."""
        values = (getattr(self, name) for name in PlatformSettings.model_fields)
        return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))


def https_or_loopback(value: str) -> str:
    """Return an address without its last slash; empty stays empty. Raises ValueError for plain http to anywhere else."""
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("must be an https:// address")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("must be https:// (plain http only on loopback)")
    return value.rstrip("/")


def _plain(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ("1" if value else "") if isinstance(value, bool) else str(value)
