"""Commands about parked records: headers only. A person decides, and the service that parked the record acts."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any

import typer

from signal_exchange.contracts.topics import retry_topic
from signal_exchange.oversight.choosing import (
    Choice,
    DryRun,
    Everything,
    Ids,
    OfSender,
    OfService,
    ParkedAs,
    Record,
    Since,
    Until,
    Yes,
    ask,
    require_a_choice,
    told,
)
from signal_exchange.oversight.commands import PLACE
from signal_exchange.oversight.store import Decision, OversightStore
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import GROUP, AsJson, By, show_json, show_rows
from signal_exchange.stream.work import Work

app = typer.Typer(**GROUP, no_args_is_help=True, help="Geparkeerde records: bekijken, opnieuw laten proberen of laten vervallen.")
LISTED = {
    "parked_id": "id", "service": "dienst", "reason": "reden", "municipality": "gemeente", "parked_at": "sinds", "state": "stand"
}  # fmt: skip


class RetryReason(Enum):
    """Why a record is tried again."""

    CAUSE_GONE = "CAUSE_GONE"
    REGISTER_RENEWED = "REGISTER_RENEWED"
    SOFTWARE_MENDED = "SOFTWARE_MENDED"
    CODE_LIST_RENEWED = "CODE_LIST_RENEWED"


class DiscardReason(Enum):
    """Why a record is dropped."""

    FORGED = "FORGED"
    DAMAGED = "DAMAGED"
    SENT_AGAIN = "SENT_AGAIN"
    SENT_BY_MISTAKE = "SENT_BY_MISTAKE"
    SENDER_AGREES = "SENDER_AGREES"


AT_ONCE = 500
"""Decisions in one transaction: a service takes its share of them in one batch or a few."""
All = Annotated[bool, typer.Option("--all", help="Resolved and discarded records too.")]


@app.command("list")
def list_parked(
    *,
    everything: All = False,
    service: OfService = None,
    parked_as: ParkedAs = None,
    sender: OfSender = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """List the parked records that wait for a decision, the oldest first."""
    choice = Choice((), service, parked_as, sender, since, until)
    rows = choice.among(record for record in _records() if everything or record["state"] == "PARKED")
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, LISTED, empty="Er is niets geparkeerd.")


@app.command()
def show(parked_id: str, *, as_json: AsJson = False) -> None:
    """Show the headers of one parked record and what was decided about it; its content stays sealed."""
    with PLACE.reading() as connection:
        store = OversightStore(connection)
        record = _found(store, parked_id)
        decisions = [each for each in store.decisions() if each.parked_id == parked_id]
    shown = [{"action": each.action, "reason": each.reason, "by": each.who, "at": each.at} for each in decisions]
    if as_json:
        show_json({**record, "decisions": shown})
        return
    show_rows([{"name": name, "value": value} for name, value in record.items()], {"name": "veld", "value": "waarde"}, empty="-")
    show_rows(shown, {"action": "besluit", "reason": "reden", "by": "door", "at": "op"}, empty="Er is nog niets besloten.")


@app.command()
def retry(
    parked_ids: Ids = None,
    *,
    by: By,
    reason: Annotated[RetryReason, typer.Option("--reason", help="Why now.")],
    service: OfService = None,
    parked_as: ParkedAs = None,
    sender: OfSender = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let the services that parked records try them again: those of these ids, or all that the filters leave."""
    choice = Choice(tuple(parked_ids or ()), service, parked_as, sender, since, until)
    require_a_choice(choice, everything=everything)
    _decide("RETRY", reason.value, by, choice, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
def discard(
    parked_ids: Ids = None,
    *,
    by: By,
    reason: Annotated[DiscardReason, typer.Option("--reason", help="Why not.")],
    service: OfService = None,
    parked_as: ParkedAs = None,
    sender: OfSender = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let the services that parked records drop them for good: those of these ids, or all that the filters leave."""
    choice = Choice(tuple(parked_ids or ()), service, parked_as, sender, since, until)
    require_a_choice(choice, everything=everything)
    _decide("DISCARD", reason.value, by, choice, dry_run=dry_run, yes=yes, as_json=as_json)


COUNTED = {"service": "dienst", "reason": "reden", "count": "aantal"}
ONE = {"RETRY": "probeert het opnieuw", "DISCARD": "laat het vervallen"}
MORE = {"RETRY": "proberen het opnieuw", "DISCARD": "laten ze vervallen"}
ASKED = {"RETRY": "opnieuw laten proberen", "DISCARD": "voorgoed laten vervallen"}


def _decide(action: str, reason: str, by: str, choice: Choice, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    chosen = _chosen(choice)
    found = {**told(chosen), "action": action, "dry_run": dry_run, "decided": 0}
    if not dry_run and chosen:
        if choice.filters or not choice.ids:
            ask(f"{len(chosen)} records {ASKED[action]}?", yes=yes)
        found["decided"] = _decide_all(action, reason, by, chosen)
    if as_json:
        show_json(found)
    elif dry_run:
        show_rows(found["by"], COUNTED, empty="Geen record past hierbij.")
        show_rows(chosen[: len(found["first"])], LISTED, empty="")
    elif found["decided"] == 1:
        typer.echo(f"De dienst die het parkeerde, {ONE[action]}.")
    else:
        typer.echo(f"{found['decided']} records: de diensten die ze parkeerden, {MORE[action]}.")


def _chosen(choice: Choice) -> list[Record]:
    """Return the records that wait and are meant, the oldest first.

    Raises:
        Refused: an id is not known, or was decided about.
    """
    with PLACE.reading() as connection:
        store = OversightStore(connection)
        waiting = choice.among(store.waiting())
        missing = sorted(set(choice.ids) - {record["parked_id"] for record in store.waiting()})
        if missing and _found(store, missing[0]):
            raise Refused("Over dit record is al besloten.")
    return waiting


def _decide_all(action: str, reason: str, by: str, chosen: Sequence[Record]) -> int:
    """Decide about these part by part, each for good, and return about how many."""
    identity, done = PLACE.identity(), 0
    for start in range(0, len(chosen), AT_ONCE):
        with PLACE.deciding(identity) as work:
            part = [each["parked_id"] for each in chosen[start : start + AT_ONCE]]
            still = OversightStore(work.connection).waiting_among(part)
            for record in still:
                _ask_for(record, action, reason, by, work)
        done += len(still)
        if len(chosen) > AT_ONCE and sys.stderr.isatty():
            typer.echo(f"{done} van {len(chosen)}", err=True)
    return done


def _ask_for(record: Record, action: str, reason: str, by: str, work: Work) -> None:
    parked_id, service, at = record["parked_id"], record["service"], clock.now()
    decision = Decision(str(uuid.uuid4()), parked_id, action, reason, by, at)
    OversightStore(work.connection).add_decision(decision)
    fields = {"request_id": decision.request_id, "parked_id": parked_id, "service": service, "action": action, "reason": reason}
    work.send(retry_topic(service), parked_id, "RetryRequest", {**fields, "at": at}, event_id=decision.request_id, at=at)


def _records() -> list[dict[str, Any]]:
    with PLACE.reading() as connection:
        return OversightStore(connection).parked()


def _found(store: OversightStore, parked_id: str) -> dict[str, Any]:
    found = next((record for record in store.parked() if record["parked_id"] == parked_id), None)
    if found is None:
        raise Refused("Dit geparkeerde record is hier niet bekend.")
    return found
