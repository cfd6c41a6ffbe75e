"""SECRET_KEY: the vault that it opens, and `packshot rotate-key`.

On SQLite the keys stand in DATA_DIR/secret.key, the newest first, and every running process notices when that file
changes. A SECRET_KEY of the environment is changed by whoever sets it: there the command says what to set.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot.media_links import LIFETIME
from bot.redaction import REDACTOR
from bot.settings import KEY_FILE, Settings, secret_key
from domain.errors import NotPossible
from platforms.registry import PLATFORMS
from storage.database import open_database
from storage.rotation import count_old, rotate_all
from storage.vault import Vault

_PLAIN = frozenset({"expires_at", "refresh_expires_at", "scopes"})


@dataclass(slots=True)
class KeyFile:
    """The keys in a file, read again when it has changed."""

    path: Path
    _stamp: int = field(default=0, init=False)
    _keys: tuple[str, ...] = field(default=(), init=False)

    def __call__(self) -> Sequence[str]:
        """Return the keys, the newest first."""
        stamp = self.path.stat().st_mtime_ns
        if stamp != self._stamp:
            self._keys, self._stamp = tuple(self.path.read_text().strip().split(",")), stamp
            REDACTOR.remember(*self._keys)
        return self._keys

    def write(self, keys: Sequence[str]) -> None:
        """Replace them at once: whoever reads finds the old file or the new one, mode 0600 both."""
        descriptor, aside = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        with os.fdopen(descriptor, "w") as file:
            file.write(",".join(keys))
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(self.path)


def key_file(settings: Settings) -> KeyFile | None:
    """Return the file that holds the keys; None where the environment does."""
    return None if settings.secret_key.get_secret_value() else KeyFile(settings.data_dir / KEY_FILE)


def open_vault(settings: Settings) -> Vault:
    """Return the vault of these settings, which tells the logs what to cut out. Raises NotPossible without a key."""
    keys = secret_key(settings).split(",")
    REDACTOR.remember(*keys)
    return Vault(keys, reread=key_file(settings), seen=remember_opened)


def remember_opened(secret: str) -> None:
    """Have the logs cut out what a sealed text holds: the values of a JSON object that are no plain setting."""
    try:
        held = json.loads(secret)
    except ValueError:
        held = secret
    if not isinstance(held, dict):
        REDACTOR.remember(secret)
        return
    public = _PLAIN | {one.name for each in PLATFORMS.values() for one in each.settings if not one.is_secret}
    REDACTOR.remember(*(word for name, word in held.items() if isinstance(word, str) and name not in public))


async def rotate_key(settings: Settings, *, finish: bool) -> None:
    """Put everything under a new key; with `finish` drop the old ones. Prints what was done. Raises NotPossible.

    Safe to repeat and to break off: what is under the first key already is left alone.
    """
    file, keys = key_file(settings), secret_key(settings).split(",")
    if not finish and len(keys) == 1:
        keys = [Vault.fresh_key(), *keys]
        if file is None:
            print(
                f"Set this for every process, restart them all, and run `packshot rotate-key` again:\n"
                f"SECRET_KEY={','.join(keys)}"
            )
            return
        file.write(keys)
    database = open_database(settings.database_url)
    try:
        done = await rotate_all(database, Vault(keys))
        left = await count_old(database, Vault(keys))
    finally:
        await database.close()
    print(f"{done} secrets were put under the new key, {left} are left under an old one.")
    if left:
        raise NotPossible("Some secrets were changed meanwhile: run `packshot rotate-key` again.")
    if not finish:
        print("The old key is still read. `packshot rotate-key --finish` drops it, once nothing uses it any more.")
        return
    _drop_old(settings, file, keys)


def _drop_old(settings: Settings, file: KeyFile | None, keys: Sequence[str]) -> None:
    if len(keys) == 1:
        print("There is no old key: nothing was to be done.")
        return
    if file is None:
        print(f"Nothing needs the old key any more. Set this for every process and restart them:\nSECRET_KEY={keys[0]}")
        return
    links_end = datetime.fromtimestamp(file.path.stat().st_mtime, UTC) + LIFETIME
    if settings.public_url and links_end > datetime.now(UTC):
        raise NotPossible(
            "Addresses of pictures that I gave to stores are signed with the old key until {day}: finish after that.",
            day=f"{links_end:%Y-%m-%d %H:%M} UTC",
        )
    file.write(keys[:1])
    print("The old key is gone.")
