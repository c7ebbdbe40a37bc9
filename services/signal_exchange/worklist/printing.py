"""A worklist in words and as JSON, as its commands print it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from signal_exchange import words
from signal_exchange.cli.context import printable, shown
from signal_exchange.cli.describing import described, form_of
from signal_exchange.cli.naming import number_of
from signal_exchange.worklist.actions import SignalDetails
from signal_exchange.worklist.listing import CONSULT, WorklistRow

COLUMNS = {
    "number": "column.number",
    "urgency_label": "column.urgency",
    "form": "column.form",
    "state_label": "column.state",
    "due_by": "column.due_by",
    "overdue": "column.late",
    "note": "column.note",
}


NOT_PRINTED = {"signal", "row_version", "place", "reason", "planned_contact", "first_contact"}
"""What a row has for screens besides."""


def row_of(row: WorklistRow) -> dict[str, Any]:
    """Return a row with its labels."""
    own = {name: value for name, value in asdict(row).items() if name not in NOT_PRINTED}
    labels = {
        "urgency_label": words.label("urgency", row.urgency),
        "state_label": words.label("referral_state", row.state) if row.state != CONSULT else words.text("worklist.consult"),
        "note": words.text("worklist.withdrawal_asked") if row.retraction_asked_by_rule else None,
        "form": form_of(row.signal),
    }
    return {"number": number_of(row.signal_id), **own, "expected_version": row.row_version, **labels}


def details_of(details: SignalDetails) -> dict[str, Any]:
    """Return the details of a signal with their labels."""
    return {
        "number": number_of(details.signal_id),
        "signal_id": details.signal_id,
        "referrals": [row_of(row) for row in details.referrals],
        "delivered": details.delivered,
        "transitions": [asdict(each) for each in details.transitions],
        "advice": [asdict(each) for each in details.advice],
    }


def lines_of(details: Mapping[str, Any]) -> Iterator[str]:
    """Yield the details of a signal line by line."""
    yield f"{details['number']}  ({details['signal_id']})"
    for row in details["referrals"]:
        yield _referral_line(row)
    for word, text in described(details["delivered"]) if details["delivered"] else ():
        yield f"  {word}: {text}"
    for step in details["transitions"]:
        yield f"  {shown(step['at'])}  {words.label('referral_state', step['went_to'])}  {printable(step['who'])}"
    for advice in details["advice"]:
        yield f"  {shown(advice['at'])}  {words.text('worklist.advice_given')}  {printable(advice['who'])}"
    if "summary" in details:
        yield words.text("summary.line", text=printable(details["summary"] or words.text("summary.no_text")))


def _referral_line(row: Mapping[str, Any]) -> str:
    offer = words.text("worklist.offer", offer=row["offer"], state=row["state_label"])
    due = words.text("worklist.due", due=row["due_by"]) if row["due_by"] else None
    parts = ", ".join(filter(None, (offer, row["urgency_label"], due, row["note"])))
    return f"{parts} ({words.text('version', version=row['expected_version'])})"
