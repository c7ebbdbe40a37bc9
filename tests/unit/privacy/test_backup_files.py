"""A back-up file is what its maker made, byte for byte, and opens for one key; anything else is refused."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.privacy import backup_files
from signal_exchange.privacy.backup_files import (
    CHUNK_BYTES,
    MAGIC,
    SIGNATURE_BYTES,
    TAG_BYTES,
    About,
    NotGenuineError,
    open_backup,
    write_backup,
)
from signal_exchange.privacy.backup_keys import BackupKey, RestoreKey, new_backup_keys
from signal_exchange.privacy.keys import UnusableKeyError
from signal_exchange.privacy.sealing import CannotOpenError
from signal_exchange.privacy.signing import SigningKey

MAKES, OPENS = new_backup_keys("region-2026-1")
ABOUT = About("exchange", "worklist", "2026-11-18T09:00:00+00:00", "00000000-0000-4000-8000-000000000001")
CONTENT = bytes(range(256)) * (3 * CHUNK_BYTES // 256) + b"and a last part"


@cache
def written(content: bytes = CONTENT) -> bytes:
    out = io.BytesIO()
    write_backup(out, content, ABOUT, MAKES)
    return out.getvalue()


def signed(body: bytes) -> bytes:
    """Give a body with the signature of the real maker over it."""
    return body + MAKES.signing.sign(backup_files._signed(sha256(body).digest()))


def chunks_of(file: bytes) -> tuple[bytes, list[bytes]]:
    """Give what comes before the chunks, and the chunks."""
    body = file[:-SIGNATURE_BYTES]
    begins = len(MAGIC) + 4 + int.from_bytes(body[len(MAGIC) : len(MAGIC) + 4], "big")
    size = CHUNK_BYTES + TAG_BYTES
    return body[:begins], [body[start : start + size] for start in range(begins, len(body), size)]


SIZES = st.sampled_from([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])


@given(size=SIZES | st.integers(0, 3 * CHUNK_BYTES))
def test_what_is_written_is_read_again(size: int) -> None:
    opened = open_backup(written(CONTENT[:size]), OPENS)
    assert (opened.about, opened.content) == (ABOUT, CONTENT[:size])


@given(at=st.integers(0, len(written()) - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused(at: int, bit: int) -> None:
    file = bytearray(written())
    file[at] ^= 1 << bit
    with pytest.raises(NotGenuineError):
        open_backup(bytes(file), OPENS)


def test_every_byte_of_a_short_file_counts() -> None:
    whole = written(b"short")
    for at in range(len(whole)):
        file = bytearray(whole)
        file[at] ^= 0xFF
        with pytest.raises(NotGenuineError):
            open_backup(bytes(file), OPENS)


@given(length=st.integers(0, len(written()) - 1))
def test_any_truncation_is_refused(length: int) -> None:
    with pytest.raises(NotGenuineError):
        open_backup(written()[:length], OPENS)


@given(more=st.binary(min_size=1, max_size=200))
def test_anything_that_follows_is_refused(more: bytes) -> None:
    with pytest.raises(NotGenuineError):
        open_backup(written() + more, OPENS)


@given(order=st.permutations(range(4)).filter(lambda order: list(order) != [0, 1, 2, 3]), resigned=st.booleans())
def test_any_other_order_of_chunks_is_refused_even_when_the_maker_signs_it(order: list[int], *, resigned: bool) -> None:
    head, chunks = chunks_of(written())
    body = head + b"".join(chunks[number] for number in order)
    with pytest.raises(CannotOpenError if resigned else NotGenuineError):
        open_backup(signed(body) if resigned else body + written()[-SIGNATURE_BYTES:], OPENS)


@given(kept=st.integers(0, 3), resigned=st.booleans())
def test_a_file_that_ends_at_a_chunk_is_refused_even_when_the_maker_signs_it(kept: int, *, resigned: bool) -> None:
    head, chunks = chunks_of(written())
    body = head + b"".join(chunks[:kept])
    with pytest.raises(CannotOpenError if resigned else NotGenuineError):
        open_backup(signed(body) if resigned else body + written()[-SIGNATURE_BYTES:], OPENS)


def test_chunks_of_another_back_up_do_not_open_under_this_header() -> None:
    head, _ = chunks_of(written())
    _, others = chunks_of(written(CONTENT[:-1]))
    with pytest.raises(CannotOpenError):
        open_backup(signed(head + b"".join(others)), OPENS)


@pytest.mark.parametrize("name", ["exchange", "service", "made_at", "backup_id"])
def test_a_data_key_is_bound_to_what_the_header_says(name: str) -> None:
    head, chunks = chunks_of(written())
    header = json.loads(head[len(MAGIC) + 4 :])
    header["about"][name] += "x"
    changed = json.dumps(header, sort_keys=True).encode()
    body = MAGIC + len(changed).to_bytes(4, "big") + changed + b"".join(chunks)
    with pytest.raises(NotGenuineError):
        open_backup(body + written()[-SIGNATURE_BYTES:], OPENS)
    with pytest.raises(CannotOpenError):
        open_backup(signed(body), OPENS)


@pytest.mark.parametrize("header", [b"", b"{}", b"[]", b'{"about": {}, "data_key": ""}', b"not json", b'"x"'])
def test_a_header_of_another_shape_is_refused(header: bytes) -> None:
    with pytest.raises(NotGenuineError):
        open_backup(signed(MAGIC + len(header).to_bytes(4, "big") + header), OPENS)


def test_another_maker_and_another_owner_are_refused_and_told_apart() -> None:
    forger = replace(MAKES, signing=SigningKey.generate("forger"))
    out = io.BytesIO()
    write_backup(out, CONTENT, ABOUT, forger)
    with pytest.raises(NotGenuineError):
        open_backup(out.getvalue(), OPENS)
    _, another = new_backup_keys("another")
    with pytest.raises(NotGenuineError):
        open_backup(written(), another)
    with pytest.raises(CannotOpenError):
        open_backup(written(), replace(another, signing=OPENS.signing))


def test_no_content_stands_in_the_clear_and_no_two_files_are_alike() -> None:
    out = io.BytesIO()
    write_backup(out, CONTENT, ABOUT, MAKES)
    assert CONTENT[:32] not in out.getvalue()
    assert out.getvalue() != written()
    assert "content" not in repr(open_backup(written(b"content"), OPENS).__class__(ABOUT, b"content")).replace("content=", "")


def test_both_halves_are_read_as_they_were_written_and_show_no_secret() -> None:
    assert BackupKey.from_mapping(json.loads(json.dumps(MAKES.to_mapping()))) == MAKES
    read = RestoreKey.from_mapping(json.loads(json.dumps(OPENS.to_mapping())))
    assert open_backup(written(), read).content == CONTENT
    assert MAKES.signing.secret.hex() not in repr(MAKES)
    assert OPENS.sealing.seed.hex() not in repr(OPENS)
    assert OPENS.sealing.seed.hex() not in json.dumps(MAKES.to_mapping())


@pytest.mark.parametrize("change", [{"kind": "x"}, {"sealing_public": None}, {"sealing_public": "AAAA"}, {"sealing_public": "!"}])
def test_what_is_no_half_that_makes_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UnusableKeyError):
        BackupKey.from_mapping({**MAKES.to_mapping(), **change})


@pytest.mark.parametrize("change", [{"kind": "x"}, {"signing_public": "00"}, {"signing_key_id": ""}])
def test_what_is_no_half_that_opens_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UnusableKeyError):
        RestoreKey.from_mapping({**OPENS.to_mapping(), **change})
