"""How long a signal is kept, with the worked values of docs/rules.md."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from domain_cases import check_values

from signal_exchange.domain.retention import Term, end_of, latest_end


@pytest.mark.parametrize(("day", "months", "end"), check_values("retention_add_months"))
def test_r_ret_01_month_arithmetic_clips(day: str, months: int, end: str) -> None:
    assert Term(months=months).after(date.fromisoformat(day)) == date.fromisoformat(end)


@pytest.mark.parametrize(("name", "events", "held", "end"), check_values("retention_end"))
def test_r_ret_02_the_end_is_the_last_event_and_the_term_of_its_class(name: str, events: list[str], held: int, end: Any) -> None:
    assert end_of(name, map(date.fromisoformat, events), held) == date.fromisoformat(end)


def test_r_ret_01_of_several_classes_the_latest_end_wins() -> None:
    events = {"DISCUSSED": [date(2026, 1, 1)], "CARE_REFERRAL": [date(2027, 6, 1)], "UNSUBSTANTIATED": [date(2027, 6, 2)]}
    assert latest_end(events) == ("CARE_REFERRAL", date(2028, 6, 1))
