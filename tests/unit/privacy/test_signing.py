from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_exchange.privacy.keys import UnusableKeyError
from signal_exchange.privacy.signing import SigningKey, VerifyingKey

unhurried = settings(deadline=None, max_examples=100)

KEY = SigningKey.generate("gm0983-2026-1")
OTHER = SigningKey.generate("gm0957-2026-1")


@unhurried
@given(st.binary(max_size=300))
def test_a_signature_fits_its_value_and_no_other_key(value: bytes) -> None:
    signature = KEY.sign(value)
    assert len(signature) == 64
    assert KEY.public.verify(value, signature)
    assert not OTHER.public.verify(value, signature)
    assert not KEY.public.verify(value + b"\0", signature)


@unhurried
@given(st.integers(0, 511))
def test_any_flipped_bit_makes_a_signature_wrong(bit: int) -> None:
    signature = bytearray(KEY.sign(b"value"))
    signature[bit // 8] ^= 1 << bit % 8
    assert not KEY.public.verify(b"value", bytes(signature))


@pytest.mark.parametrize("signature", [b"", b"x", bytes(64), bytes(65)])
def test_what_is_no_signature_is_wrong_and_not_an_error(signature: bytes) -> None:
    assert KEY.public.verify(b"value", signature) is False


def test_rfc_8032_test_2_has_its_published_signature() -> None:
    secret = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    key = SigningKey("rfc8032", secret)
    assert key.public.raw.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_a_signing_key_survives_json_and_never_shows_itself() -> None:
    assert SigningKey.from_mapping(json.loads(json.dumps(KEY.to_mapping()))) == KEY
    assert KEY.secret.hex() not in repr(KEY)
    assert repr(KEY.secret) not in repr(KEY)


@pytest.mark.parametrize(
    "fields", [{}, {"key_id": "k"}, {"key_id": "k", "ed25519_private": "00"}, {"ed25519_private": "00" * 32}]
)
def test_a_file_without_a_whole_key_is_unusable(fields: dict[str, str]) -> None:
    with pytest.raises(UnusableKeyError):
        SigningKey.from_mapping(fields)


def test_a_public_key_of_another_length_is_refused() -> None:
    with pytest.raises(UnusableKeyError):
        VerifyingKey("k", bytes(31))
