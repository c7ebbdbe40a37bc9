from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_exchange.privacy.framing import framed
from signal_exchange.privacy.keys import UnusableKeyError
from signal_exchange.privacy.sealing import (
    SUMMARY_BYTES,
    TOKEN_SLOTS,
    CannotOpenError,
    LinkToken,
    SealingKeyRing,
    SealingPrivateKey,
    SealingPublicKey,
    decode_tokens,
    encode_tokens,
    pad_summary,
    unpad_summary,
)

unhurried = settings(deadline=None, max_examples=100)

CARE = SealingPrivateKey.generate("care-2026-1", "care")
YOUTH = SealingPrivateKey.generate("youth-2026-1", "youth")
BOUND_TO = "09f6398d-25aa-4a1d-81c3-54f2bcabfdc9.1"
SEALED = CARE.public.encrypt(b"a summary that nobody else reads", bound_to=BOUND_TO)
TOKEN = LinkToken("subject:s1", "NAME_DOB_SOFT", "2026H2", bytes(range(240, 256)))

names = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=8)
tokens = st.builds(LinkToken, names, names, names, st.binary(min_size=16, max_size=16))


@unhurried
@given(st.binary(max_size=3000), st.text(max_size=60))
def test_what_is_sealed_for_a_group_opens_for_that_group(plaintext: bytes, bound_to: str) -> None:
    assert CARE.decrypt(CARE.public.encrypt(plaintext, bound_to=bound_to), bound_to=bound_to) == plaintext


@unhurried
@given(st.integers(0, len(SEALED) * 8 - 1))
def test_any_flipped_bit_keeps_a_part_closed(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CannotOpenError):
        CARE.decrypt(bytes(changed), bound_to=BOUND_TO)


@unhurried
@given(st.integers(0, len(SEALED) - 1))
def test_a_shortened_part_stays_closed(length: int) -> None:
    with pytest.raises(CannotOpenError):
        CARE.decrypt(SEALED[:length], bound_to=BOUND_TO)


def test_a_part_moved_to_another_version_or_signal_stays_closed() -> None:
    for other in ("09f6398d-25aa-4a1d-81c3-54f2bcabfdc9.2", "f9f6398d-25aa-4a1d-81c3-54f2bcabfdc9.1", ""):
        with pytest.raises(CannotOpenError):
            CARE.decrypt(SEALED, bound_to=other)


def test_another_group_or_the_same_key_under_another_name_does_not_open_a_part() -> None:
    renamed = SealingPrivateKey("care-2026-2", "care", CARE.seed, CARE.x25519)
    regrouped = SealingPrivateKey("care-2026-1", "table", CARE.seed, CARE.x25519)
    for key in (YOUTH, renamed, regrouped):
        with pytest.raises(CannotOpenError) as refusal:
            key.decrypt(SEALED, bound_to=BOUND_TO)
        assert str(refusal.value) == "The sealed part cannot be opened."
        assert refusal.value.__suppress_context__


def test_sealing_twice_gives_different_bytes_of_one_length() -> None:
    first, second = (CARE.public.encrypt(pad_summary(text), bound_to=BOUND_TO) for text in (None, "Zij wil weg."))
    assert first != second
    assert len(first) == len(second) == SUMMARY_BYTES + 1088 + 32 + 16


def test_a_private_key_survives_json_and_a_public_key_its_raw_bytes() -> None:
    again = SealingPrivateKey.from_mapping(json.loads(json.dumps(CARE.to_mapping())))
    assert again == CARE
    assert again.decrypt(SEALED, bound_to=BOUND_TO) == CARE.decrypt(SEALED, bound_to=BOUND_TO)
    assert SealingPublicKey("care-2026-1", "care", CARE.public.raw) == CARE.public


@pytest.mark.parametrize("field", ["key_id", "group", "mlkem768_seed", "x25519_private"])
@pytest.mark.parametrize("value", [None, "", "zz", "00"])
def test_a_key_file_with_a_bad_field_is_unusable_and_the_text_shows_no_key(field: str, value: str) -> None:
    fields = {**CARE.to_mapping(), field: value}
    if (field, value) in {("key_id", "zz"), ("key_id", "00")}:
        assert SealingPrivateKey.from_mapping(fields).key_id == value
        return
    with pytest.raises(UnusableKeyError) as refusal:
        SealingPrivateKey.from_mapping(fields)
    assert CARE.seed.hex() not in str(refusal.value)


@pytest.mark.parametrize("group", ["care", "youth", "table", "linking", "gm:GM0983", "parking:routing", "parking:worklist-youth"])
def test_every_recipient_group_of_the_design_has_a_name(group: str) -> None:
    assert SealingPublicKey("k", group, CARE.public.raw).group == group


@pytest.mark.parametrize("group", ["", "everyone", "gm:0983", "gm:GM0983 ", "parking:", "Care"])
def test_an_unknown_recipient_group_is_refused(group: str) -> None:
    with pytest.raises(UnusableKeyError):
        SealingPublicKey("k", group, CARE.public.raw)
    with pytest.raises(UnusableKeyError):
        SealingPrivateKey.generate("k", group)


def test_a_public_key_of_another_length_is_refused() -> None:
    with pytest.raises(UnusableKeyError):
        SealingPublicKey("k", "care", CARE.public.raw[:-1])


def test_keys_never_show_their_secret() -> None:
    shown = repr(CARE) + str(CARE) + repr(CARE.public)
    assert CARE.seed.hex() not in shown
    assert repr(CARE.seed) not in shown
    assert "care-2026-1" in shown


def test_a_key_ring_opens_with_the_key_that_is_named_and_with_no_other() -> None:
    newer = SealingPrivateKey.generate("care-2027-1", "care")
    ring = SealingKeyRing([newer, CARE])
    assert ring.open("care-2026-1", SEALED, bound_to=BOUND_TO) == b"a summary that nobody else reads"
    for key_id in ("care-2027-1", "care-2025-1"):
        with pytest.raises(CannotOpenError):
            ring.open(key_id, SEALED, bound_to=BOUND_TO)


@unhurried
@given(st.none() | st.text(max_size=500))
def test_r_val_15_every_summary_of_at_most_500_code_points_pads_to_2048_bytes(text: str | None) -> None:
    padded = pad_summary(text)
    assert len(padded) == SUMMARY_BYTES
    assert unpad_summary(padded) == text


def test_no_summary_and_an_empty_one_are_different() -> None:
    assert unpad_summary(pad_summary(None)) is None
    assert unpad_summary(pad_summary("")) == ""


def test_a_summary_that_does_not_fit_is_refused_without_showing_it() -> None:
    assert unpad_summary(pad_summary("x" * 2046)) == "x" * 2046
    with pytest.raises(ValueError, match=r"2,046 bytes") as refusal:
        pad_summary("geheim" * 400)
    assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize("padded", [b"", bytes(2047), bytes(2049), b"\x07\xff" + bytes(2046), b"\x00\x01\xff" + bytes(2045)])
def test_bytes_that_are_no_padded_summary_cannot_be_opened(padded: bytes) -> None:
    with pytest.raises(CannotOpenError):
        unpad_summary(padded)


@unhurried
@given(st.lists(tokens, max_size=TOKEN_SLOTS))
def test_every_list_of_tokens_is_2048_bytes_and_comes_back(some: list[LinkToken]) -> None:
    encoded = encode_tokens(some)
    assert len(encoded) == 2048
    assert decode_tokens(encoded) == tuple(some)


def test_a_slot_has_the_published_layout() -> None:
    slot = encode_tokens([TOKEN])[:64]
    assert slot[:24] == b"subject:s1" + bytes(14)
    assert slot[24:40] == b"NAME_DOB_SOFT" + bytes(3)
    assert slot[40:48] == b"2026H2" + bytes(2)
    assert slot[48:] == TOKEN.token


def test_a_token_never_shows_itself() -> None:
    assert TOKEN.token.hex() not in repr(TOKEN)
    assert repr(TOKEN.token) not in repr(TOKEN)


@pytest.mark.parametrize(
    "token",
    [
        LinkToken("", "BSN", "2026H2", bytes(16)),
        LinkToken("subject:" + "x" * 17, "BSN", "2026H2", bytes(16)),
        LinkToken("subject:s1", "B\0N", "2026H2", bytes(16)),
        LinkToken("subject:s1", "BSN", "2026H2-long", bytes(16)),
        LinkToken("subject:s1", "BSN", "2026H2", bytes(15)),
    ],
)
def test_a_token_that_does_not_fit_a_slot_is_refused(token: LinkToken) -> None:
    with pytest.raises(ValueError, match="token"):
        encode_tokens([token])


def test_a_thirty_third_token_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        encode_tokens([TOKEN] * 33)


@pytest.mark.parametrize("encoded", [b"", bytes(2047), b"\xff" * 2048])
def test_bytes_that_are_no_slots_cannot_be_opened(encoded: bytes) -> None:
    with pytest.raises(CannotOpenError):
        decode_tokens(encoded)


@unhurried
@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_different_parts_are_framed_differently(some: list[bytes], others: list[bytes]) -> None:
    assert (framed(*some) == framed(*others)) == (some == others)


def test_a_part_that_has_no_length_in_two_bytes_is_refused() -> None:
    assert len(framed(bytes(65535))) == 65537
    with pytest.raises(ValueError, match="65,535"):
        framed(bytes(65536))
