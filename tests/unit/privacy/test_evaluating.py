"""Both sides of RFC 9497, against the vectors of its appendix A.1.2 (ristretto255-SHA512, VOPRF)."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voprf.ristretto import BlindedInput, Evaluator

from signal_exchange.privacy import blinding
from signal_exchange.privacy.blinding import Blinded, WrongProofError
from signal_exchange.privacy.evaluating import ANSWER_BYTES, REQUEST_BYTES, EpochKey, InvalidPointsError, points_of
from signal_exchange.privacy.keys import UnusableKeyError

unhurried = settings(deadline=None, max_examples=40)

RFC_SEED, RFC_INFO = b"\xa3" * 32, "test key"
RFC_PUBLIC_KEY = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
RFC_BLINDED = (
    "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
    "cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c",
    "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
)
RFC_EVALUATED = (
    "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
    "60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468",
    "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
)
RFC_OUTPUTS = {
    "00": "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
    "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
    "5a" * 17: "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60"
    "356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
}
RFC_KEY = EpochKey(RFC_INFO, RFC_SEED)
KEY, OTHER = EpochKey.generate("2026H2"), EpochKey.generate("2026H2")


def test_rfc_9497_key_derivation_gives_the_published_key() -> None:
    assert RFC_KEY.public_key.hex() == RFC_PUBLIC_KEY


def test_rfc_9497_blinded_points_are_evaluated_as_published() -> None:
    points = [bytes.fromhex(point) for point in RFC_BLINDED] + [bytes.fromhex(RFC_BLINDED[0])] * 13
    answer = RFC_KEY.evaluate(b"".join(points))
    assert [answer[start : start + 32].hex() for start in (64, 96, 128, 160)] == [*RFC_EVALUATED, RFC_EVALUATED[0]]


def test_rfc_9497_values_blinded_here_come_out_as_published() -> None:
    blinded = Blinded.of([bytes.fromhex(value) for value in RFC_OUTPUTS])
    outputs = blinded.finish(RFC_KEY.evaluate(blinded.request), bytes.fromhex(RFC_PUBLIC_KEY))
    assert [output.hex() for output in outputs] == list(RFC_OUTPUTS.values())


@unhurried
@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=16))
def test_blind_evaluate_and_unblind_is_the_same_function_as_knowing_the_key(inputs: list[bytes]) -> None:
    blinded = Blinded.of(inputs)
    known = Evaluator.from_seed(KEY.seed, b"2026H2").evaluate_known_input
    assert blinded.finish(KEY.evaluate(blinded.request), KEY.public_key) == [known(value) for value in inputs]


@unhurried
@given(st.integers(1, 16))
def test_every_request_is_16_points_however_many_values_it_holds(count: int) -> None:
    blinded = Blinded.of([b"value %d" % number for number in range(count)])
    assert len(blinded.request) == REQUEST_BYTES
    assert len({bytes(point.serialize()) for point in points_of(blinded.request)}) == 16


@pytest.mark.parametrize("count", [0, 17])
def test_a_request_of_no_value_or_of_more_than_16_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 16"):
        Blinded.of([b"value"] * count)


def test_the_same_value_is_blinded_differently_every_time() -> None:
    assert Blinded.of([b"value"]).request != Blinded.of([b"value"]).request


def test_an_answer_made_with_another_key_is_a_wrong_proof() -> None:
    blinded = Blinded.of([b"value"])
    with pytest.raises(WrongProofError):
        blinded.finish(OTHER.evaluate(blinded.request), KEY.public_key)


@unhurried
@given(st.integers(0, ANSWER_BYTES * 8 - 1))
def test_any_flipped_bit_of_an_answer_is_a_wrong_proof(bit: int) -> None:
    blinded = Blinded.of([b"value"])
    answer = bytearray(KEY.evaluate(blinded.request))
    answer[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WrongProofError):
        blinded.finish(bytes(answer), KEY.public_key)


@pytest.mark.parametrize("cut", [0, 63, 64, ANSWER_BYTES - 32, ANSWER_BYTES - 1])
def test_a_cut_answer_is_a_wrong_proof(cut: int) -> None:
    blinded = Blinded.of([b"value"])
    with pytest.raises(WrongProofError):
        blinded.finish(KEY.evaluate(blinded.request)[:cut], KEY.public_key)


def test_a_pinned_key_that_is_no_point_never_fits() -> None:
    blinded = Blinded.of([b"value"])
    with pytest.raises(WrongProofError):
        blinded.finish(KEY.evaluate(blinded.request), bytes(32))


class Interrupted:
    @staticmethod
    def finalize_batch(*_: object) -> list[bytes]:
        raise KeyboardInterrupt


def test_a_person_who_stops_the_program_is_not_a_wrong_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    blinded = Blinded.of([b"value"])
    monkeypatch.setattr(blinding, "Client", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        blinded.finish(KEY.evaluate(blinded.request), KEY.public_key)


@pytest.mark.parametrize("request_bytes", [b"", bytes(31), os.urandom(REQUEST_BYTES + 32), os.urandom(REQUEST_BYTES - 32)])
def test_another_number_of_points_is_not_evaluated(request_bytes: bytes) -> None:
    with pytest.raises(InvalidPointsError) as refusal:
        KEY.evaluate(request_bytes)
    assert refusal.value.positions == ()


@unhurried
@given(st.sets(st.integers(0, 15), min_size=1))
def test_every_wrong_point_of_a_request_is_named_by_its_position(positions: set[int]) -> None:
    points = [Blinded.of([b"value"]).request[:32] for _ in range(16)]
    for position in positions:
        points[position] = b"\xff" * 32 if position % 2 else bytes(32)
    with pytest.raises(InvalidPointsError) as refusal:
        KEY.evaluate(b"".join(points))
    assert set(refusal.value.positions) == positions


def test_an_epoch_key_survives_json_and_never_shows_itself() -> None:
    assert EpochKey.from_mapping(KEY.to_mapping()) == KEY
    assert KEY.seed.hex() not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)


def test_keys_of_one_seed_differ_per_epoch() -> None:
    assert EpochKey("2026H2", RFC_SEED).public_key != EpochKey("2027H1", RFC_SEED).public_key


@pytest.mark.parametrize("fields", [{}, {"epoch": "2026H2"}, {"epoch": "2026H2", "seed": "00"}, {"epoch": "", "seed": "00" * 32}])
def test_a_file_without_a_whole_epoch_key_is_unusable(fields: dict[str, str]) -> None:
    with pytest.raises(UnusableKeyError):
        EpochKey.from_mapping(fields)


def test_blinded_values_never_show_themselves() -> None:
    assert repr(Blinded.of([b"999990019"])) == "Blinded()"


@pytest.mark.parametrize("point", RFC_BLINDED)
def test_the_package_reads_back_the_points_that_it_writes(point: str) -> None:
    assert BlindedInput.deserialize(bytes.fromhex(point)).serialize().hex() == point
