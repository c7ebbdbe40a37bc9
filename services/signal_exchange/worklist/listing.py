"""What a worklist shows: a row per referral and consult, the open ones first, by what is due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.referrals import decide_by
from signal_exchange.stream.describing import form_of
from signal_exchange.stream.naming import number_of
from signal_exchange.worklist.cases import Case, Delivery, Referral
from signal_exchange.worklist.wishes import Rules

Row = dict[str, Any]
_LAST = datetime.max.replace(tzinfo=UTC)
CONSULT = "CONSULT"
"""Stands in the place of a state for a consult, which has none."""
COLUMNS = {
    "number": "nummer",
    "urgency_label": "spoed",
    "form": "vorm",
    "state_label": "stand",
    "due_by": "klaar voor",
    "overdue": "te laat",
    "note": "let op",
}


def rows(cases: Iterable[Case], advised: Mapping[str, int], rules: Rules, *, now: datetime, everything: bool) -> list[Row]:
    """Return the rows, the open ones first, by what is due; `advised` gives the last offer of a signal with an advice."""
    found = [row for case in cases for row in _rows_of(case, advised, rules.calendar)]
    chosen = [_completed(row, rules.codes, now) for row in found if everything or row["open"]]
    return sorted(chosen, key=lambda row: (not row["open"], row["due_by"] or _LAST, row["signal_id"], row["offer"]))


def _rows_of(case: Case, advised: Mapping[str, int], calendar: WorkingCalendar) -> Iterator[Row]:
    delivery = case.delivery
    for referral in case.referrals:
        signal = delivery.signal if delivery and delivery.offer == referral.offer else None
        yield _of_referral(referral, signal)
    if delivery is not None and delivery.is_consult and delivery.status == "OFFERED":
        yield _of_consult(delivery, calendar, answered=advised.get(delivery.signal_id) == delivery.offer)


def _of_referral(referral: Referral, signal: Mapping[str, Any] | None) -> Row:
    names = ("signal_id", "offer", "version", "municipality", "deliver_as", "state", "urgency", "decide_by", "contact_by")
    fields = {name: getattr(referral, name) for name in names}
    own = {"expected_version": referral.edition, "open": referral.is_open, "due_by": referral.due_by(), "signal": signal}
    asked = referral.retraction if referral.is_open else None
    return {**fields, **own, "retraction_asked_by_rule": asked}


def _of_consult(delivery: Delivery, calendar: WorkingCalendar, *, answered: bool) -> Row:
    names = ("signal_id", "offer", "version", "municipality", "deliver_as", "urgency", "signal")
    due = decide_by(delivery.urgency, delivery.due_from, calendar)
    own = {"state": CONSULT, "expected_version": delivery.version, "open": not answered, "decide_by": due, "contact_by": None}
    asked = {"due_by": None if answered else due, "retraction_asked_by_rule": None}
    return {**{name: getattr(delivery, name) for name in names}, **own, **asked}


def _completed(row: Row, codes: CodeLists, now: datetime) -> Row:
    due, form = row["due_by"], form_of(row.pop("signal"), codes)
    labels = {
        "urgency_label": codes.label_nl("urgency", row["urgency"]),
        "state_label": codes.label_nl("referral_state", row["state"]) if row["state"] != CONSULT else "consult",
        "note": "intrekking gevraagd" if row["retraction_asked_by_rule"] else None,
    }
    return {"number": number_of(row["signal_id"]), **row, **labels, "form": form, "overdue": due is not None and due < now}
