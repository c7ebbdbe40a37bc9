from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.domain.members import Municipality
from signal_exchange.privacy.register import (
    NoSealingKeyError,
    Register,
    RegisterInvalidError,
    load_register,
    sign_register,
)
from signal_exchange.privacy.register_entries import GroupKey, KeeperKey, MemberKey, Participant, Period, RegisteredKeeper
from signal_exchange.privacy.sealing import SealingPrivateKey
from signal_exchange.privacy.signing import SigningKey

unhurried = settings(deadline=None, max_examples=100)

VENLO, WEERT = MunicipalityCode("GM0983"), MunicipalityCode("GM0988")
REGION = SigningKey.generate("region-2026-1")
SIGNER = SigningKey.generate("gm0983-2026-1")
CARE_1 = SealingPrivateKey.generate("care-2026-1", "care").public
CARE_2 = SealingPrivateKey.generate("care-2026-2", "care").public
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
YEAR = Period(START, END)
NO_OFFSET = {"epoch": "2026H2", "public_key": "00", "valid_from": "2026-01-01T00:00:00", "valid_to": None}


def a_participant(**changed: Any) -> Participant:
    keys = (MemberKey(SIGNER.public, YEAR),)
    return replace(Participant(VENLO, "ACCEDED", date(2026, 1, 1), oin="00000099000000983000", signing_keys=keys), **changed)


def a_register(*members: Participant) -> Register:
    keepers = tuple(
        RegisteredKeeper(name, f"https://{name}.example.nl", (KeeperKey("2026H2", bytes([number]) * 32, YEAR),))
        for number, name in enumerate(("B", "A"))
    )
    return Register(7, members or (a_participant(),), (GroupKey(CARE_1, YEAR), GroupKey(CARE_2, Period(AT))), keepers)


def resigned(**changed: object) -> bytes:
    """Return a register document with changed fields, signed by the region nevertheless."""
    document = json.loads(sign_register(a_register(), REGION))["register"] | changed
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    kind = b"signal-exchange/register/v1"
    signature = REGION.sign(len(kind).to_bytes(2, "big") + kind + canonical).hex()
    return json.dumps({"register": document, "signature": signature}).encode()


def test_a_signed_register_comes_back_whole() -> None:
    register = a_register(a_participant(), Participant(WEERT, "LEFT", date(2024, 1, 1), date(2026, 5, 1)))
    assert load_register(sign_register(register, REGION), REGION.public) == register


def test_a_register_of_another_signer_is_invalid() -> None:
    with pytest.raises(RegisterInvalidError, match="REGISTER_NOT_SIGNED"):
        load_register(sign_register(a_register(), SIGNER), REGION.public)


@unhurried
@given(st.data())
def test_any_changed_character_of_the_content_makes_a_register_invalid(data: st.DataObject) -> None:
    signed = sign_register(a_register(), REGION).decode()
    position = data.draw(st.sampled_from([i for i, c in enumerate(signed[: signed.index("signed_by")]) if c.isalnum()]))
    changed = signed[:position] + ("1" if signed[position] != "1" else "2") + signed[position + 1 :]
    with pytest.raises(RegisterInvalidError):
        load_register(changed.encode(), REGION.public)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"register": {}, "signature": "00"}'])
def test_what_is_no_register_is_invalid(data: bytes) -> None:
    with pytest.raises(RegisterInvalidError):
        load_register(data, REGION.public)


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "something else"},
        {"serial": "x"},
        {"municipalities": None},
        {"municipalities": [{"code": "0983"}]},
        {"sealing_keys": [{"key_id": "k", "group": "care", "public_key": "AAAA", "valid_from": "2026-01-01", "valid_to": None}]},
        {"keepers": [{"name": "A", "url": "", "keys": [NO_OFFSET]}]},
    ],
)  # fmt: skip
def test_a_signed_register_with_fields_that_do_not_fit_is_invalid(changed: dict[str, object]) -> None:
    assert load_register(resigned(), REGION.public) == a_register()
    with pytest.raises(RegisterInvalidError):
        load_register(resigned(**changed), REGION.public)


def test_an_older_register_does_not_come_back() -> None:
    signed = sign_register(a_register(), REGION)
    assert load_register(signed, REGION.public, at_least=7).serial == 7
    with pytest.raises(RegisterInvalidError, match="REGISTER_OLDER"):
        load_register(signed, REGION.public, at_least=8)


def test_a_name_that_stands_twice_makes_a_register_invalid() -> None:
    twice = a_participant(), a_participant()
    same_key = a_participant(), a_participant(code=WEERT)
    for members in (twice, same_key):
        with pytest.raises(RegisterInvalidError, match="REGISTER_NAMES_TWICE"):
            a_register(*members)


def test_a_key_signs_for_its_municipality_while_it_is_valid() -> None:
    register = a_register()
    assert register.signing_key("gm0983-2026-1", AT) == (VENLO, SIGNER.public)
    assert register.signing_key("gm0983-2026-1", START) is not None
    assert register.signing_key("gm0983-2026-1", START - timedelta(seconds=1)) is None
    assert register.signing_key("gm0983-2026-1", END) is None
    assert register.signing_key("gm0983-2026-2", AT) is None


@pytest.mark.parametrize(
    ("status", "joined", "left", "signs"),
    [
        ("ACCEDED", date(2026, 11, 20), None, True),
        ("ACCEDED", date(2026, 11, 21), None, False),
        ("ACCEDED", None, None, False),
        ("PENDING", date(2026, 1, 1), None, False),
        ("LEFT", date(2026, 1, 1), date(2026, 11, 21), True),
        ("LEFT", date(2026, 1, 1), date(2026, 11, 20), False),
        ("LEFT", date(2026, 1, 1), None, False),
    ],
)
def test_r_val_02_who_has_not_acceded_or_has_left_has_no_signing_key(
    status: str, joined: date | None, left: date | None, *, signs: bool
) -> None:
    member = a_participant(accession_status=status, accession_date=joined, left_date=left)
    assert (a_register(member).signing_key("gm0983-2026-1", AT) is not None) is signs


def test_r_val_02_the_day_of_accession_begins_at_midnight_in_amsterdam() -> None:
    member = a_participant(accession_date=date(2026, 11, 20))
    assert member.is_member(datetime(2026, 11, 19, 23, 0, tzinfo=UTC))
    assert not member.is_member(datetime(2026, 11, 19, 22, 59, tzinfo=UTC))


days = st.none() | st.dates(date(2026, 11, 18), date(2026, 11, 22))


@unhurried
@given(st.sampled_from(["ACCEDED", "PENDING", "LEFT"]), days, days)
def test_r_val_02_register_and_rules_agree_on_who_is_a_member(status: str, joined: date | None, left: date | None) -> None:
    rules = Municipality(VENLO, "Venlo", "noord", 1, status, joined, left, "")
    member = a_participant(accession_status=status, accession_date=joined, left_date=left)
    assert member.is_member(AT) == rules.is_member(AT.date())


def test_a_municipality_is_found_by_its_code() -> None:
    assert a_register().municipality("GM0983") == a_participant()
    assert a_register().municipality("GM0001") is None


def test_the_newest_valid_key_of_a_group_seals() -> None:
    register = a_register()
    assert register.sealing_key("care", AT) == CARE_2
    assert register.sealing_key("care", AT - timedelta(seconds=1)) == CARE_1


def test_a_group_without_a_valid_key_is_said_by_name() -> None:
    with pytest.raises(NoSealingKeyError, match="youth"):
        a_register().sealing_key("youth", AT)
    with pytest.raises(NoSealingKeyError):
        a_register().sealing_key("care", START - timedelta(seconds=1))
