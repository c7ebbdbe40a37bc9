"""Commands of a worklist: what waits, and one referral with its summary. Both worklists have the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import GROUP, AsJson, Opener, OpenSummary, Place, printable, show_json, show_rows, shown
from signal_exchange.stream.describing import described
from signal_exchange.stream.identity import Identity
from signal_exchange.stream.naming import number_of
from signal_exchange.stream.texts import NO_SUMMARY, opened_summary, opener
from signal_exchange.stream.work import Work
from signal_exchange.worklist import steps
from signal_exchange.worklist.cases import Case
from signal_exchange.worklist.composition import WORKLIST, WORKLIST_YOUTH, rules
from signal_exchange.worklist.listing import COLUMNS, Row, rows
from signal_exchange.worklist.steps import SignalIdArgument, take
from signal_exchange.worklist.store import TABLES, WorklistStore
from signal_exchange.worklist.wishes import Wish

Everything = Annotated[bool, typer.Option("--all", help="The ended ones too.")]


def list_referrals(ctx: typer.Context, *, everything: Everything = False, as_json: AsJson = False) -> None:
    """List the referrals and consults that wait, by what is due."""
    place: Place = ctx.obj
    with place.reading() as connection:
        found = _rows(WorklistStore(connection), everything=everything)
    if as_json:
        show_json(found)
    else:
        show_rows(found, COLUMNS, empty="Er wacht niets op deze werklijst.")


def show(
    ctx: typer.Context,
    signal_id: SignalIdArgument,
    *,
    open_summary: OpenSummary = False,
    by: Opener = None,
    as_json: AsJson = False,
) -> None:
    """Show what was delivered of one signal and what happened; opening the summary marks an offer as seen."""
    place: Place = ctx.obj
    summary = {"summary": _open(place, signal_id, by)} if open_summary else {}
    with place.reading() as connection:
        details = {**_details(WorklistStore(connection), signal_id), **summary}
    if as_json:
        show_json(details)
    else:
        typer.echo("\n".join(_lines(details)))


def _rows(store: WorklistStore, *, everything: bool) -> list[Row]:
    return rows(store.all_cases(), store.advised(), rules(), now=clock.now(), everything=everything)


def _open(place: Place, named: str, by: str | None) -> str | None:
    who = opener(by)
    identity = place.identity()
    with place.deciding(identity) as work:
        store = WorklistStore(work.connection)
        case = store.case(store.find(named))
        return _opened_by(who, case, store, identity, work)


def _opened_by(by: str, case: Case, store: WorklistStore, identity: Identity, work: Work) -> str | None:
    delivery, at = case.delivery, clock.now()
    if delivery is None:
        raise Refused(NO_SUMMARY)
    text = opened_summary(identity, delivery.summary, delivery.signal_id, delivery.version)
    store.add_opening(delivery.signal_id, delivery.version, at, by)
    if case.current is not None and case.current.state == "OFFERED":
        take(case, Wish("SEEN", by), store, identity, work)
    return text


def _details(store: WorklistStore, named: str) -> dict[str, Any]:
    signal_id = store.find(named)
    delivery = store.case(signal_id).delivery
    own = [row for row in _rows(store, everything=True) if row["signal_id"] == signal_id]
    return {
        "number": number_of(signal_id),
        "signal_id": signal_id,
        "referrals": own,
        "delivered": delivery.signal if delivery else None,
        "transitions": [asdict(each) for each in store.transitions(signal_id)],
        "advice": [asdict(each) for each in store.advice(signal_id)],
    }


def _lines(details: Mapping[str, Any]) -> Iterator[str]:
    codes = load_code_lists()
    yield f"{details['number']}  ({details['signal_id']})"
    for row in details["referrals"]:
        due = f", klaar voor {shown(row['due_by'])}" if row["due_by"] else ""
        asked = f", {row['note']}" if row["note"] else ""
        version = f" (versie {row['expected_version']})"
        yield f"aanbod {row['offer']}: {row['state_label']}, {row['urgency_label']}{due}{asked}{version}"
    for word, text in described(details["delivered"], codes) if details["delivered"] else ():
        yield f"  {word}: {text}"
    for step in details["transitions"]:
        yield f"  {shown(step['at'])}  {codes.label_nl('referral_state', step['went_to'])}  {printable(step['who'])}"
    for advice in details["advice"]:
        yield f"  {shown(advice['at'])}  advies gegeven  {printable(advice['who'])}"
    if "summary" in details:
        yield f"samenvatting: {printable(details['summary'] or 'geen tekst')}"


def _app(service: str, meaning: str) -> typer.Typer:
    group = typer.Typer(**GROUP, no_args_is_help=True, help=meaning)

    @group.callback()
    def _place(ctx: typer.Context) -> None:
        """Say on which worklist the commands work."""
        ctx.obj = Place(service, TABLES)

    group.command("list")(list_referrals)
    group.command("show")(show)
    steps.register(group)
    return group


app = _app(WORKLIST, "De werklijst van de zorgcoördinator.")
youth_app = _app(WORKLIST_YOUTH, "De werklijst van de coördinator van de jeugdroute.")
