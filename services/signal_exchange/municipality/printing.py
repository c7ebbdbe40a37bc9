"""What the commands say to people, in Dutch: codes with their labels, and nothing that was in a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import typer

from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.municipality.cases import Outcome, Result
from signal_exchange.municipality.causes import WORDS, Cause
from signal_exchange.municipality.refusals import Refusal
from signal_exchange.municipality.tracing import LINK_QUESTION
from signal_exchange.municipality.warned import Warned
from signal_exchange.stream.commands import printable, show_rows, shown

OUTCOMES: Final = {
    Outcome.PUBLISHED: "gepubliceerd",
    Outcome.NEW_VERSION: "nieuwe versie",
    Outcome.UNCHANGED: "ongewijzigd",
    Outcome.REFUSED: "geweigerd",
}
LEFT_ALONE: Final = "gelaten zoals het was"
NOT_YET: Final = "nog niet gepubliceerd"
CONFIRM: Final = "bevestig het met --yes, of verbeter het"
STEPS: Final = {
    "RECEIVED": "ontvangen",
    "ROUTED": "gerouteerd",
    "STORED": "bij de ontvanger",
    "PARKED": "geparkeerd",
    "RETRACTED": "teruggehaald",
    "OUTCOME": "uitkomst",
}
VERDICTS: Final = {
    "SEND": "gestuurd",
    "DENY": "niet gestuurd",
    "RETRACTED": "teruggehaald",
    "routed": "gerouteerd",
    "superseded": "vervangen door een nieuwe versie",
    "repeat": "herhaling, al bekend",
    "parked": "geparkeerd",
    "withdrawn": "ingetrokken",
    "erased": "vernietigd",
    "answer": "antwoord op een koppelvraag",
    "renewed": "koppelsleutels vernieuwd",
}
QUESTION_STATES: Final = {"ASKED": "gevraagd", "COMPARING": "vergelijken", "CLOSED": "gesloten"}
_DELIVERY_COLUMNS: Final = {
    "destination": "bestemming",
    "effect": "besluit",
    "deliver_as": "vorm",
    "rule_id": "regel",
    "reason": "reden",
}
_STEP_COLUMNS: Final = {
    "at": "wanneer",
    "service": "dienst",
    "stage": "stap",
    "destination": "bestemming",
    "verdict": "oordeel",
    "owner": "eigenaar",
}
_OUTCOME_COLUMNS: Final = {"at": "wanneer", "source": "dienst", "state": "stand", "outcome": "uitkomst", "text": "toelichting"}
OUTBOX_COLUMNS: Final = {
    "signal_id": "signaal",
    "version": "versie",
    "record": "soort",
    "sequence": "nummer",
    "recorded_at": "opgeslagen",
    "sent_at": "verzonden",
    "attempts": "pogingen",
}


ERASED_COLUMNS: Final = {
    "signal_id": "signaal",
    "erased_at": "vernietigd",
    "who": "door",
    "state": "stand",
}
ERASURE_STATES: Final = {
    "NEVER_LEFT": "was nog niet verstuurd",
    "SENT": "onderweg naar de uitwisseling",
    "REQUESTED": "ontvangers gevraagd",
    "DONE": "alle ontvangers klaar, logboeken worden nog gecontroleerd",
    "CERTIFIED": "bewezen",
}


def label(code_list: str, code: object) -> str:
    """Return the Dutch label of a code; a dash for none."""
    return shown(None if code is None else load_code_lists().label_nl(code_list, str(code)))


def result_line(result: Result) -> str:
    """Return one line on what became of one record, with a line for each warning below it."""
    left = LEFT_ALONE if result.signal_id else NOT_YET
    done = left if result.asks else OUTCOMES[result.outcome]
    line = f"{result.line.unit} {result.line.number}: {done}"
    if result.signal_id is not None:
        line += f" {result.signal_id}" + (f" versie {result.version}" if result.version else "")
    if result.refusals:
        line += f": {refusals_text(result)}"
    return "\n".join([line, *map(warning_text, result.warnings)])


def refusals_text(result: Result) -> str:
    """Return in words why a record was refused, all reasons together."""
    told = [each for each in result.refusals if each.cause != Cause.CHANGES]
    words = [refusal_text(each, result.line.unit) for each in told]
    if changed := _changed(result):
        words.append(f"{changed} {WORDS[Cause.CHANGES]}")
    elif result.asks:
        words.append(CONFIRM)
    return "; ".join(words)


def _changed(result: Result) -> str:
    return ", ".join(each.field for each in result.refusals if each.cause == Cause.CHANGES)


def refusal_text(refusal: Refusal, unit: str) -> str:
    """Return a refusal in words: field, rule and what the rule asks."""
    if refusal.cause:
        said = WORDS[Cause(refusal.cause)].format(unit=unit, row=refusal.row)
    else:
        said = label("leak_type", refusal.found) if refusal.found else label("validation_error", refusal.code)
    right = f": {refusal.words}" if refusal.words else ""
    return f"{refusal.field} {refusal.rule} ({said}{right})"


def warning_text(warned: Warned) -> str:
    """Return a warning as a line below that of its record: field and words."""
    return f"  let op: {warned.field}: {warned.text}"


def show_summary(summary: Mapping[str, Any]) -> None:
    """Print how many rows there were of each outcome, and what still waits."""
    if summary["unreadable"]:
        typer.echo(summary["unreadable"])
    counts = ", ".join(f"{summary[outcome.value.lower()]} {words}" for outcome, words in OUTCOMES.items())
    typer.echo(f"{summary['rows']} rijen: {counts}, {summary['not_read']} niet gelezen.")
    if summary["interrupted_after"] is not None:
        after = f"Onderbroken na nummer {summary['interrupted_after']}"
        typer.echo(f"{after}: publiceer het bestand opnieuw; wat er al is, gaat niet nog eens.")
    if summary["to_confirm"]:
        typer.echo(f"{summary['to_confirm']} signalen wachten op bevestiging en zijn gelaten zoals ze waren: met --yes gaan ze.")
    if summary["rejects"]:
        typer.echo(f"Geweigerde rijen staan in {summary['rejects']}: verbeter ze daar en publiceer dat bestand.")
    if summary["unlinked"]:
        typer.echo(f"Van {summary['unlinked']} signalen koppelt een gegeven niet: zie 'let op' onder de rij.")
    if summary["tokens_pending"]:
        typer.echo(f"Van {summary['tokens_pending']} signalen volgen de koppelsleutels later.")
    if summary["waiting"]:
        typer.echo(f"{summary['waiting']} berichten wachten nog in de uitbak; het knooppunt verstuurt ze zodra dat kan.")


def change_question(result: Result) -> str:
    """Return what is asked before a signal is replaced by other content, or goes with what contradicts itself."""
    odd = "; ".join(refusal_text(each, result.line.unit) for each in result.refusals if each.is_contradiction)
    changed, row = _changed(result), f"{result.line.unit} {result.line.number}"
    asked = [f"{odd}."] if odd else []
    if changed:
        asked.append(f"Signaal {result.signal_id} is er al, en verandert in {changed}. Als nieuwe versie publiceren?")
    else:
        asked.append("Toch publiceren?")
    return f"{row}: {' '.join(asked)}"


def show_trace(trace: Mapping[str, Any]) -> None:
    """Print where a signal is, which rule sent it there and what came back."""
    typer.echo(f"{trace['signal_id']}  versie {trace['version']}  {label('signal_state', trace['state'])}")
    for row in trace["waiting"]:
        state = "verzonden, nog niet bevestigd" if row["sent_at"] else "wacht op verzending"
        typer.echo(f"Versie {row['version']}: {state}.")
    for number in trace["received"]:
        typer.echo(f"Nummer {number['sequence']} is ontvangen: {VERDICTS.get(number['verdict'], printable(number['verdict']))}.")
    _section("Waarheen", list(_deliveries(trace["outcomes"])), _DELIVERY_COLUMNS)
    _section("Stappen", [_step(step) for step in trace["steps"]], _STEP_COLUMNS)
    _section("Terugkoppeling", [_outcome(each) for each in trace["outcomes"] if each["kind"] != "ROUTED"], _OUTCOME_COLUMNS)


def show_certificate(found: Mapping[str, Any]) -> None:
    """Print how far an erasure is, who answered what, and the certificate."""
    typer.echo(f"{found['signal_id']}  vernietigd {shown(found['erased_at'])} door {printable(found['who'] or '-')}")
    typer.echo(f"Stand: {ERASURE_STATES.get(found['state'], found['state'])}.")
    for service, state in found["receipts"].items():
        typer.echo(f"  {service}: {label('erasure_receipt_state', state)}")
    certificate = found["certificate"]
    if certificate is not None and "checked_at" in certificate:
        typer.echo(f"Logboeken gecontroleerd: {shown(_moment(certificate['checked_at']))}.")
        typer.echo(f"Het ingekomen bericht zelf verdwijnt uiterlijk op {certificate['logs_end_on']} uit de stroom.")
    if certificate is not None and "backups_end_on" in certificate:
        typer.echo(f"De laatste reservekopie waarin het nog kan staan eindigt uiterlijk op {certificate['backups_end_on']}.")


def _section(title: str, rows: list[dict[str, Any]], columns: Mapping[str, str]) -> None:
    typer.echo(f"\n{title}")
    show_rows(rows, columns, empty="  nog niets")


def _deliveries(outcomes: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    routed = [each for each in outcomes if each["kind"] == "ROUTED"]
    for delivery in (routed[-1]["detail"] or {}).get("deliveries", ()) if routed else ():
        yield {
            "destination": label("route_destination", delivery.get("destination")),
            "effect": "gestuurd" if delivery.get("effect") == "SEND" else "niet gestuurd",
            "deliver_as": label("delivery_form", delivery.get("deliver_as")),
            "rule_id": delivery.get("rule_id"),
            "reason": label("route_reason", delivery.get("reason")),
        }


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    owner = step["owner_role"] and f"{label('role', step['owner_role'])} tot {shown(step['next_date'])}"
    return {
        **step,
        "at": _moment(step["at"]),
        "stage": STEPS.get(step["stage"], step["stage"]),
        "verdict": VERDICTS.get(step["verdict"], step["verdict"]),
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
        return f"koppelvraag: {QUESTION_STATES.get(outcome['state'], printable(outcome['state']))}"
    return label("referral_state" if outcome["kind"] == "REFERRAL" else "agenda_state", outcome["state"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
