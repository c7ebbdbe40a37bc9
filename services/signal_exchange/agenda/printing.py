"""The agenda, its alerts and its links in words and as JSON, as the commands print them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from signal_exchange import words
from signal_exchange.agenda.actions import AlertRow, ItemDetails
from signal_exchange.agenda.links import Candidate
from signal_exchange.agenda.listing import ERASED, SHIELDED, AgendaRow
from signal_exchange.agenda.records import LINK_UNDONE, RULE_CHANGED, RecordedDecision
from signal_exchange.cli.context import printable, shown
from signal_exchange.cli.describing import described, form_of
from signal_exchange.cli.naming import number_of
from signal_exchange.domain.refusals import Coded

COLUMNS = {
    "week": "column.week",
    "position": "column.position",
    "number": "column.number",
    "urgency_label": "column.urgency",
    "minor_label": "column.minor",
    "form": "column.form",
    "reason_label": "column.why",
    "state_label": "column.state",
}
ALERT_COLUMNS = {
    "number": "column.number",
    "raised_at": "column.raised_at",
    "urgency_label": "column.urgency",
    "minor": "column.minor",
    "signal": "column.signal",
    "late": "column.late",
    "acknowledged_by": "column.acknowledged_by",
}
LINK_COLUMNS = {
    "number": "column.number",
    "kind_label": "column.kind",
    "key_labels": "column.shared",
    "frequency_label": "column.frequency",
    "state_label": "column.state",
    "items": "column.signals",
    "found_at": "column.found_at",
    "overdue": "column.late",
}
FREQUENCIES = {"MORE": "frequency.more", "COMMON": "frequency.common"}
HIDDEN = {ERASED: "agenda.erased", SHIELDED: "agenda.shielded"}


def row_of(row: AgendaRow) -> dict[str, Any]:
    """Return a row of an agenda with its labels."""
    own = {name: value for name, value in asdict(row).items() if name not in {"signal", "hidden"}}
    labels = {
        "form": words.text(HIDDEN[row.hidden]) if row.hidden else form_of(row.signal),
        "urgency_label": words.label("urgency", row.urgency) if row.urgency else None,
        "minor_label": words.text("yes" if row.minor else "no"),
        "reason_label": words.label("agenda_reason", row.reason),
        "state_label": _state(row),
    }
    return {"number": number_of(row.signal_id, "P"), **own, **labels}


def _state(row: AgendaRow) -> str:
    if row.decision is not None:
        return words.label("decision", row.decision)
    if row.rolled_over:
        return words.text("agenda.rolls_over")
    return words.text("agenda.taken_back") if row.status == "RETRACTED" else words.label("agenda_state", row.agenda_state)


def details_of(details: ItemDetails) -> dict[str, Any]:
    """Return the details of an item with their labels, and with the words that were opened."""
    item, opened = details.item, details.opened
    said = opened.words if opened else {}
    return {
        "number": number_of(item.signal_id, "P"),
        "signal_id": item.signal_id,
        "expected_version": item.version,
        "status": item.status,
        "agenda": row_of(details.row) if details.row else None,
        "delivered": item.signal,
        "decisions": [{**_without_words(each), **said.get((each.offer, each.number), {})} for each in details.decisions],
        "follow_ups": [asdict(each) for each in details.follow_ups],
        "notes": [asdict(note) for note in details.notes],
        **({"summary": opened.summary} if opened else {}),
    }


def _without_words(decision: RecordedDecision) -> dict[str, Any]:
    return {name: value for name, value in asdict(decision).items() if name != "words"}


def lines_of(details: Mapping[str, Any]) -> Iterator[str]:
    """Yield the details of an item line by line."""
    yield f"{details['number']}  ({details['signal_id']}), {words.text('version', version=details['expected_version'])}"
    if row := details["agenda"]:
        yield words.text("agenda.place", week=row["week"], position=row["position"], reason=row["reason_label"])
    elif details["status"] == "RETRACTED":
        yield words.text("agenda.taken_back")
    for word, text in described(details["delivered"]) if details["delivered"] else ():
        yield f"  {word}: {text}"
    for each in details["decisions"]:
        yield from _decision_lines(each)
    for each in details["follow_ups"]:
        day = each["next_date"]
        until = words.text("agenda.follow_up_until", day=day) if day else words.text("agenda.follow_up_done")
        yield f"  {shown(each['at'])}  {until}  {printable(each['who'])}"
    for note in details["notes"]:
        yield f"  {shown(note['at'])}  {_noted(note['rule_id'])}"
    if "summary" in details:
        yield words.text("summary.line", text=printable(details["summary"] or words.text("summary.no_text")))


def _noted(rule_id: str) -> str:
    if rule_id == LINK_UNDONE:
        return words.text("agenda.noted_link_undone", rule_id=rule_id)
    return words.text("agenda.noted_other_rule" if rule_id == RULE_CHANGED else "agenda.noted_taken_back", rule_id=rule_id)


def _decision_lines(each: Mapping[str, Any]) -> Iterator[str]:
    role, day = each["owner_role"], each["due_date"]
    owner = f", {words.text('agenda.owner', role=Coded('role', role), day=day)}" if role else ""
    label = words.label("decision", each["decision"])
    yield f"  {shown(each['decided_at'])}  {label}{owner}  {printable(each['who'])}"
    if each.get("motivation"):
        yield words.text("agenda.motivation", text=printable(each["motivation"]))
    if each.get("feedback_text"):
        yield words.text("agenda.feedback", text=printable(each["feedback_text"]))


def alert_of(row: AlertRow) -> dict[str, Any]:
    """Return an alert with its labels."""
    alert = row.alert
    names = {"number": number_of(alert.alert_id, "A"), "signal": number_of(alert.signal_id, "P")}
    label = words.label("urgency", alert.urgency)
    return {**asdict(alert), **names, "urgency_label": label, "acknowledge_by": row.acknowledge_by, "late": row.late}


def link_of(each: Candidate) -> dict[str, Any]:
    """Return a link with its labels: never a value, never a word of a municipality."""
    return {
        "number": number_of(each.link_id, "K"),
        **asdict(each),
        "kind_label": words.label("link_kind", each.kind),
        "key_labels": ", ".join(words.label("link_key_type", name) for name in each.key_types)
        or words.text("link.nothing_shared"),
        "frequency_label": words.text(FREQUENCIES[each.frequency]) if each.frequency in FREQUENCIES else each.frequency,
        "state_label": words.text("link.erased") if each.state == "ERASED" else words.label("link_state", each.state),
        "items": words.text("link.signals", one=number_of(each.signal_a, "P"), other=number_of(each.signal_b, "P")),
    }
