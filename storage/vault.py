"""Secrets at rest: Fernet (AES-128-CBC with HMAC-SHA256), the first key writes, all keys read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from domain.errors import Fault


class Vault:
    """Encrypts store and chat credentials. To rotate: put the new key first, `rotate` all, drop the old.

    `reread` returns the keys as they are now, for processes that run while somebody rotates. `seen` is told every
    secret that passes, so that logs can cut it out.
    """

    def __init__(
        self,
        keys: Sequence[str],
        *,
        reread: Callable[[], Sequence[str]] | None = None,
        seen: Callable[[str], None] | None = None,
    ) -> None:
        """Raises ValueError when there is no key, or one that `fresh_key` did not make."""
        if not keys:
            raise ValueError("SECRET_KEY is empty")
        self._take(keys)
        self._reread = reread
        self._seen = seen

    @staticmethod
    def fresh_key() -> str:
        """Return a new random key."""
        return Fernet.generate_key().decode()

    def encrypt(self, secret: str) -> bytes:
        """Return what may be stored, under the key that is the first one now."""
        self._look_again()
        self._tell(secret)
        return self._fernet.encrypt(secret.encode())

    def decrypt(self, sealed: bytes) -> str:
        """Return the secret. Raises Fault("vault_key") when no key of ours made it, or it was altered."""
        try:
            secret = self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            if not self._look_again():
                raise _wrong_key() from error
            try:
                secret = self._fernet.decrypt(sealed).decode()
            except InvalidToken:
                raise _wrong_key() from error
        self._tell(secret)
        return secret

    def rotate(self, sealed: bytes) -> bytes:
        """Return the same secret under the first key. Raises Fault("vault_key")."""
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise _wrong_key() from error

    def is_newest(self, sealed: bytes) -> bool:
        """Whether a secret is under the first key, so that the others are not needed for it."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _take(self, keys: Sequence[str]) -> None:
        try:
            fernets = [Fernet(key.strip()) for key in keys]
        except ValueError:
            raise ValueError("SECRET_KEY must be 32 bytes in URL-safe base64") from None
        self._keys = tuple(keys)
        self._first = fernets[0]
        self._fernet = MultiFernet(fernets)

    def _look_again(self) -> bool:
        """Take the keys as they are now; True when they are others."""
        keys = tuple(self._reread()) if self._reread else self._keys
        if keys == self._keys:
            return False
        self._take(keys)
        return True

    def _tell(self, secret: str) -> None:
        if self._seen:
            self._seen(secret)


def _wrong_key() -> Fault:
    return Fault("vault_key", "a stored secret cannot be opened with SECRET_KEY")
