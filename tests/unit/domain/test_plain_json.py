"""The JSON that is kept, hashed and signed: its form never changes."""

from datetime import UTC, date, datetime

import pytest

from signal_exchange.domain.plain_json import canonical_json, json_safe

MOMENT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_everything_in_a_value_becomes_what_json_takes() -> None:
    inside = {"sealed": b"\x00\xff", "at": MOMENT, "days": [date(2026, 11, 20)], "pair": (b"a", None)}
    assert json_safe({"part": inside, "count": 1}) == {
        "part": {"sealed": "AP8=", "at": "2026-11-20T09:30:00+00:00", "days": ["2026-11-20"], "pair": ["YQ==", None]},
        "count": 1,
    }


def test_r_val_16_a_value_has_one_spelling() -> None:
    assert canonical_json({"b": "é", "a": [b"x", date(2026, 1, 2)]}) == '{"a":["eA==","2026-01-02"],"b":"é"}'
    with pytest.raises(TypeError, match="only JSON, bytes and dates"):
        canonical_json({"a": object()})
