"""The lines that the commands print for people: codes with their labels, and nothing that was in a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import typer

from signal_exchange import words
from signal_exchange.cli.context import printable, show_rows, shown
from signal_exchange.municipality import telling
from signal_exchange.municipality.inbox.tracing import LINK_QUESTION
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.field_warnings import FieldWarning
from signal_exchange.municipality.publishing.submissions import Outcome, Result
from signal_exchange.municipality.publishing.wording import changed_names, fault_text, faults_text, label
from signal_exchange.municipality.telling import ERASURE_STATES, QUESTION_STATES, STATES, STEPS, VERDICTS

OUTCOMES: Final = {
    Outcome.PUBLISHED: "node.outcome.PUBLISHED",
    Outcome.NEW_VERSION: "node.outcome.NEW_VERSION",
    Outcome.UNCHANGED: "node.outcome.UNCHANGED",
    Outcome.REFUSED: "node.outcome.REFUSED",
}
_DELIVERY_COLUMNS: Final = words.keyed(
    "node.column.destination", "node.column.effect", "node.column.deliver_as", "node.column.rule_id", "node.column.reason"
)
_STEP_COLUMNS: Final = words.keyed(
    "node.column.at",
    "node.column.service",
    "node.column.stage",
    "node.column.destination",
    "node.column.verdict",
    "node.column.owner",
)
_OUTCOME_COLUMNS: Final = words.keyed(
    "node.column.at", "node.column.source", "node.column.state", "node.column.outcome", "node.column.text"
)
OUTBOX_COLUMNS: Final = words.keyed(
    "node.column.signal_id",
    "node.column.version",
    "node.column.record",
    "node.column.sequence",
    "node.column.recorded_at",
    "node.column.sent_at",
    "node.column.attempts",
)


ERASED_COLUMNS: Final = words.keyed("node.column.signal_id", "node.column.erased_at", "node.column.who", "node.column.state")


def result_line(result: Result) -> str:
    """Return the result of one record as a line, with a line for each warning below it."""
    left = "node.left_alone" if result.signal_id else "node.not_yet"
    line = f"{words.text(result.line.unit)} {result.line.number}: {words.text(left if result.asks else OUTCOMES[result.outcome])}"
    if result.signal_id is not None:
        line += f" {result.signal_id}" + (f" {words.text('node.version', version=result.version)}" if result.version else "")
    if result.faults:
        line += f": {faults_text(result)}{_option(result)}"
    return "\n".join([line, *map(warning_text, result.warnings)])


def _option(result: Result) -> str:
    """Return the option by which what was refused goes after all, if there is one."""
    if result.asks:
        return " (--yes)"
    return " (--again)" if any(each.cause == Cause.WITHDRAWN for each in result.faults) else ""


def warning_text(warned: FieldWarning) -> str:
    """Return a warning as a line below that of its record: field and words."""
    return "  " + words.text("node.warning", field=warned.field, text=warned.text)


def show_summary(summary: Mapping[str, Any]) -> None:
    """Print how many rows there were of each outcome, and what still waits."""
    if summary["unreadable"]:
        typer.echo(summary["unreadable"])
    counts = ", ".join(f"{summary[outcome.value.lower()]} {words.text(key)}" for outcome, key in OUTCOMES.items())
    typer.echo(words.text("node.rows", rows=summary["rows"], counts=counts, not_read=summary["not_read"]))
    if summary["interrupted_after"] is not None:
        typer.echo(words.text("node.interrupted_after", number=summary["interrupted_after"]))
    if summary["to_confirm"]:
        typer.echo(words.text("node.to_confirm", number=summary["to_confirm"], option="--yes"))
    if summary["rejects"]:
        typer.echo(words.text("node.rejects", file=summary["rejects"]))
    if summary["unlinked"]:
        typer.echo(words.text("node.unlinked", number=summary["unlinked"]))
    if summary["tokens_pending"]:
        typer.echo(words.text("node.tokens_pending", number=summary["tokens_pending"]))
    if summary["waiting"]:
        typer.echo(words.text("node.waiting", number=summary["waiting"]))


def change_question(result: Result) -> str:
    """Return the question before a signal is replaced by other content, or goes with what contradicts itself."""
    odd = "; ".join(fault_text(each, result.line.unit) for each in result.faults if each.is_contradiction)
    changed, row = changed_names(result), f"{words.text(result.line.unit)} {result.line.number}"
    asked = [f"{odd}."] if odd else []
    if changed:
        asked.append(words.text("node.ask_change", signal=result.signal_id, fields=changed))
    else:
        asked.append(words.text("node.ask_odd"))
    return f"{row}: {' '.join(asked)}"


def show_trace(trace: Mapping[str, Any]) -> None:
    """Print where a signal is, which rule sent it there and what came back."""
    version, state = words.text("node.version", version=trace["version"]), label("signal_state", trace["state"])
    typer.echo(f"{trace['signal_id']}  {version}  {state}")
    for row in trace["waiting"]:
        typer.echo(words.text("node.row_sent" if row["sent_at"] else "node.row_waits", version=row["version"]))
    for number in trace["received"]:
        typer.echo(words.text("node.received", number=number["sequence"], verdict=named(VERDICTS, number["verdict"])))
    _section(words.text("node.where"), list(_deliveries(trace["outcomes"])), _DELIVERY_COLUMNS)
    _section(words.text("node.steps"), [_step(step) for step in trace["steps"]], _STEP_COLUMNS)
    _section(
        words.text("node.feedback"), [_outcome(each) for each in trace["outcomes"] if each["kind"] != "ROUTED"], _OUTCOME_COLUMNS
    )


def show_certificate(found: Mapping[str, Any]) -> None:
    """Print how far an erasure is, who answered what, and the certificate."""
    who = printable(found["who"] or "-")
    typer.echo(words.text("node.erased_by", signal=found["signal_id"], at=shown(found["erased_at"]), who=who))
    typer.echo(words.text("node.erasure_state", state=named(ERASURE_STATES, found["state"])))
    for service, state in found["receipts"].items():
        typer.echo(f"  {service}: {label('erasure_receipt_state', state)}")
    certificate = found["certificate"]
    if certificate is not None and "checked_at" in certificate:
        typer.echo(words.text("node.logs_checked", at=_moment(certificate["checked_at"])))
        typer.echo(words.text("node.logs_end", day=certificate["logs_end_on"]))
    if certificate is not None and "backups_end_on" in certificate:
        typer.echo(words.text("node.backups_end", day=certificate["backups_end_on"]))


def named(keys: Mapping[str, str], code: str) -> str:
    """Return the words of a code; a code of later stands for itself."""
    return printable(telling.named(keys, code))


def _section(title: str, rows: list[dict[str, Any]], columns: Mapping[str, str]) -> None:
    typer.echo(f"\n{title}")
    show_rows(rows, columns, empty="  " + words.text("node.nothing_yet"))


def _deliveries(outcomes: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    routed = [each for each in outcomes if each["kind"] == "ROUTED"]
    for delivery in (routed[-1]["detail"] or {}).get("deliveries", ()) if routed else ():
        yield {
            "destination": label("route_destination", delivery.get("destination")),
            "effect": words.text(VERDICTS["SEND" if delivery.get("effect") == "SEND" else "DENY"]),
            "deliver_as": label("delivery_form", delivery.get("deliver_as")),
            "rule_id": delivery.get("rule_id"),
            "reason": label("route_reason", delivery.get("reason")),
        }


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    until = shown(step["next_date"])
    owner = step["owner_role"] and words.text("node.owner", role=label("role", step["owner_role"]), until=until)
    return {
        **step,
        "at": _moment(step["at"]),
        "stage": named(STEPS, step["stage"]),
        "verdict": step["verdict"] and named(VERDICTS, step["verdict"]),
        "destination": label("route_destination", step["destination"]),
        "owner": owner,
    }


def _outcome(outcome: Mapping[str, Any]) -> dict[str, Any]:
    detail = outcome["detail"] or {}
    text = next((detail[name] for name in ("feedback_text", "text", "reason") if detail.get(name)), None)
    return {
        "at": _moment(outcome["occurred_at"]),
        "source": outcome["source"],
        "state": _state(outcome),
        "outcome": label("outcome", outcome["outcome"]),
        "text": text,
    }


def _state(outcome: Mapping[str, Any]) -> str:
    if outcome["kind"] == LINK_QUESTION:
        return words.text("node.link_question", state=named(QUESTION_STATES, outcome["state"]))
    return label(STATES.get(outcome["kind"]) or "agenda_state", outcome["state"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
