"""Secrets at rest: Fernet (AES-128-CBC with HMAC-SHA256), the first key writes, all keys read."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from domain.errors import Fault


class Vault:
    """Encrypts store and chat credentials. To rotate: put the new key first, `rotate` all, drop the old."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises ValueError when there is no key, or one that `fresh_key` did not make."""
        if not keys:
            raise ValueError("SECRET_KEY is empty")
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys])
        except ValueError:
            raise ValueError("SECRET_KEY must be 32 bytes in URL-safe base64") from None

    @staticmethod
    def fresh_key() -> str:
        """Return a new random key."""
        return Fernet.generate_key().decode()

    def encrypt(self, secret: str) -> bytes:
        """Return what may be stored."""
        return self._fernet.encrypt(secret.encode())

    def decrypt(self, sealed: bytes) -> str:
        """Return the secret. Raises Fault("vault_key") when no key of ours made it, or it was altered."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise Fault("vault_key", "a stored secret cannot be opened with SECRET_KEY") from error

    def rotate(self, sealed: bytes) -> bytes:
        """Return the same secret under the first key. Raises Fault("vault_key")."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise Fault("vault_key", "a stored secret cannot be opened with SECRET_KEY") from error
