"""Secrets at rest."""

from __future__ import annotations

import pytest

from domain.errors import Fault
from storage.vault import Vault


def test_a_secret_is_sealed_and_opened() -> None:
    vault = Vault([Vault.fresh_key()])
    sealed = vault.encrypt("token ☕")
    assert b"token" not in sealed
    assert vault.decrypt(sealed) == "token ☕"


def test_keys_can_be_rotated_without_losing_a_secret() -> None:
    old, new = Vault.fresh_key(), Vault.fresh_key()
    sealed = Vault([old]).encrypt("token")
    both = Vault([new, old])
    assert both.decrypt(sealed) == "token"
    rotated = both.rotate(sealed)
    assert Vault([new]).decrypt(rotated) == "token"
    with pytest.raises(Fault) as caught:
        Vault([new]).decrypt(sealed)
    assert caught.value.code == "vault_key"


def test_an_altered_secret_is_a_fault_and_names_no_secret() -> None:
    vault = Vault([Vault.fresh_key()])
    sealed = bytearray(vault.encrypt("token"))
    sealed[20] ^= 1
    for broken in (vault.decrypt, vault.rotate):
        with pytest.raises(Fault, match="SECRET_KEY"):
            broken(bytes(sealed))


@pytest.mark.parametrize("keys", [[], [""], ["too short"]])
def test_a_wrong_key_is_refused_at_the_start(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="SECRET_KEY"):
        Vault(keys)
