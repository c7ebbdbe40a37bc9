from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_exchange.privacy.keys import UnusableKeyError
from signal_exchange.privacy.vault import CannotDecryptError, Encrypted, VaultKey

unhurried = settings(deadline=None, max_examples=100)

SECRET = bytes(range(32))
VAULT = VaultKey.from_bytes(SECRET)


@unhurried
@given(st.text(max_size=40), st.binary(max_size=500))
def test_a_record_comes_back_under_its_own_id(record_id: str, plaintext: bytes) -> None:
    assert VAULT.decrypt(record_id, VAULT.encrypt(record_id, plaintext)) == plaintext


@unhurried
@given(st.sampled_from(["wrapped_key", "ciphertext"]), st.integers(0, 10_000))
def test_any_flipped_bit_keeps_a_record_closed(name: str, position: int) -> None:
    encrypted = VAULT.encrypt("r1", b"a narrative of some length, with names")
    content = bytearray(getattr(encrypted, name))
    content[position // 8 % len(content)] ^= 1 << position % 8
    with pytest.raises(CannotDecryptError):
        VAULT.decrypt("r1", replace(encrypted, **{name: bytes(content)}))


def test_a_record_moved_to_another_id_stays_closed() -> None:
    with pytest.raises(CannotDecryptError):
        VAULT.decrypt("r2", VAULT.encrypt("r1", b"narrative"))


def test_another_vault_key_opens_nothing() -> None:
    with pytest.raises(CannotDecryptError):
        VaultKey.from_bytes(VaultKey.generate_bytes()).decrypt("r1", VAULT.encrypt("r1", b"narrative"))


def test_r_ret_03_without_its_wrapped_key_a_record_is_gone() -> None:
    with pytest.raises(CannotDecryptError):
        VAULT.decrypt("r1", Encrypted(b"", VAULT.encrypt("r1", b"narrative").ciphertext))


def test_every_record_has_its_own_key() -> None:
    first, second = VAULT.encrypt("r1", b"narrative"), VAULT.encrypt("r1", b"narrative")
    with pytest.raises(CannotDecryptError):
        VAULT.decrypt("r1", Encrypted(first.wrapped_key, second.ciphertext))


def test_a_mac_finds_equal_texts_of_one_purpose_and_vault_only() -> None:
    assert VAULT.mac("PEE-2026-0071") == VaultKey.from_bytes(SECRET).mac("PEE-2026-0071")
    assert len(VAULT.mac("PEE-2026-0071")) == 32
    different = {
        VAULT.mac("PEE-2026-0071"),
        VAULT.mac("PEE-2026-0072"),
        VAULT.mac("PEE-2026-0071", purpose="identity"),
        VaultKey.from_bytes(bytes(32)).mac("PEE-2026-0071"),
    }
    assert len(different) == 4


def test_keys_and_records_never_show_themselves() -> None:
    assert repr(VAULT) == "VaultKey()"
    assert repr(VAULT.encrypt("r1", b"narrative")) == "Encrypted()"


def test_a_vault_key_of_another_length_is_refused() -> None:
    with pytest.raises(UnusableKeyError):
        VaultKey.from_bytes(bytes(16))
