from datetime import UTC, date, datetime, timedelta

import pytest
from domain_cases import CODES, MEMBERS, POLICY, amsterdam
from hypothesis import given
from hypothesis import strategies as st

from signal_exchange.domain.codes import Code
from signal_exchange.domain.ids import NotAnIdError, is_signal_id, parse_municipality_code
from signal_exchange.domain.members import Members, Municipality
from signal_exchange.domain.times import is_credible, local, local_day

DAY = date(2026, 11, 20)


def test_a_signal_id_is_a_uuid_in_lower_case() -> None:
    text = "24b1c59c-4d80-4b31-8fd9-e2b32ee611ca"
    assert is_signal_id(text)


@given(st.text())
def test_r_val_22_no_other_text_is_a_signal_id(text: str) -> None:
    assert not is_signal_id(text + "X")


def test_a_municipality_code_is_gm_and_four_digits() -> None:
    assert parse_municipality_code("GM0983") == "GM0983"
    with pytest.raises(NotAnIdError) as refused:
        parse_municipality_code("GM983")
    assert "GM983" not in str(refused.value)


def a_code(valid_from: date | None, valid_to: date | None) -> Code:
    return Code("X", "x", "x", valid_from, valid_to)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "valid"),
    [
        (None, None, False),
        (DAY, None, True),
        (DAY, DAY, True),
        (DAY + timedelta(days=1), None, False),
        (DAY - timedelta(days=9), DAY - timedelta(days=1), False),
    ],
)
def test_r_val_03_a_code_is_valid_between_its_dates(valid_from: date | None, valid_to: date | None, *, valid: bool) -> None:
    assert a_code(valid_from, valid_to).valid_on(DAY) is valid


def test_r_val_03_reserved_and_unknown_codes_are_not_valid() -> None:
    assert CODES.valid("form_of_exploitation", "SEXUAL", DAY)
    assert not CODES.valid("form_of_exploitation", "FORCED_MARRIAGE", DAY)
    assert not CODES.valid("form_of_exploitation", "NONE", DAY)
    assert "FORCED_MARRIAGE" in CODES.codes("form_of_exploitation")
    assert "FORCED_MARRIAGE" not in CODES.codes_on("form_of_exploitation", DAY)


def test_a_sector_knows_its_form_and_a_code_its_dutch_label() -> None:
    assert CODES.parent("sector", "LAB_MEAT") == "LABOUR"
    assert CODES.parent("sector", "SECTOR_UNKNOWN") is None
    assert CODES.parent("sector", "NONE") is None
    assert CODES.label_nl("urgency", "URGENT") == "spoed"
    assert CODES.label_nl("urgency", "SOON") == "SOON"


def test_a_validation_error_knows_the_reason_it_is_parked_under() -> None:
    assert CODES.column("validation_error", "V03_CODE", "dead_letter") == "UNKNOWN_CODE"
    assert CODES.column("validation_error", "V99", "dead_letter") is None
    assert CODES.column("urgency", "ACUTE", "dead_letter") is None


def a_municipality(status: str, acceded: date | None, left: date | None) -> Members:
    code = parse_municipality_code("GM0001")
    return Members({code: Municipality(code, "Test", "noord", 1, status, acceded, left, "0")})


@pytest.mark.parametrize(
    ("status", "acceded", "left", "member"),
    [
        ("ACCEDED", DAY, None, True),
        ("ACCEDED", DAY + timedelta(days=1), None, False),
        ("ACCEDED", None, None, False),
        ("PENDING", None, None, False),
        ("PENDING", DAY, None, False),
        ("LEFT", date(2022, 1, 1), DAY + timedelta(days=1), True),
        ("LEFT", date(2022, 1, 1), DAY, False),
        ("LEFT", date(2022, 1, 1), None, False),
    ],
)
def test_r_val_02_membership_follows_status_and_dates(
    status: str, acceded: date | None, left: date | None, *, member: bool
) -> None:
    assert a_municipality(status, acceded, left).is_member("GM0001", DAY) is member


def test_r_val_02_the_region_has_two_municipalities_that_are_still_to_decide() -> None:
    outside = [code for code in MEMBERS.by_code if not MEMBERS.is_member(code, DAY)]
    assert outside == ["GM0907", "GM0946"]
    assert not MEMBERS.is_member("GM0363", DAY)
    assert MEMBERS.get("GM0363") is None


def test_the_publish_day_is_the_amsterdam_date() -> None:
    assert local_day(datetime(2026, 11, 19, 23, 30, tzinfo=UTC)) == DAY
    assert local_day(datetime(2026, 7, 19, 21, 59, tzinfo=UTC)) == date(2026, 7, 19)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        local(amsterdam("2026-11-20T10:00").replace(tzinfo=None))


@pytest.mark.parametrize(
    ("sent", "credible"),
    [
        ("2026-11-13T10:00:00", True),
        ("2026-11-13T09:59:59", False),
        ("2026-11-20T10:02:00", True),
        ("2026-11-20T10:02:01", False),
    ],
)
def test_a_senders_clock_is_believed_within_seven_days_back_and_two_minutes_ahead(sent: str, *, credible: bool) -> None:
    assert is_credible(amsterdam(sent), amsterdam("2026-11-20T10:00:00"), POLICY) is credible
