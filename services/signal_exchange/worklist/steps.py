"""The steps of a coordinator as commands: each is judged by the rules, recorded, and told to the municipality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

import typer

from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import By, Place, shown
from signal_exchange.stream.identity import Identity
from signal_exchange.stream.naming import number_of
from signal_exchange.stream.texts import guarded
from signal_exchange.stream.work import Work
from signal_exchange.worklist.cases import Case, Delivery
from signal_exchange.worklist.composition import ROLES, rules
from signal_exchange.worklist.store import Advice, WorklistStore
from signal_exchange.worklist.telling import Office, tell_advice, tell_steps
from signal_exchange.worklist.wishes import STALE, Wish, fulfilled, noted, open_referral

ISO_DAY = ["%Y-%m-%d"]
SignalIdArgument = Annotated[str, typer.Argument(metavar="SIGNAL_ID", help="Signal id, or the short number of the list.")]
Expected = Annotated[int | None, typer.Option("--expected-version", help="Refuse when it changed since this version.")]
Planned = Annotated[datetime, typer.Option("--planned", formats=ISO_DAY, help="Date of the planned contact.")]
FirstContact = Annotated[datetime, typer.Option("--first-contact", formats=ISO_DAY, help="Date of the first contact.")]
RejectionReason = Annotated[str, typer.Option("--reason", help="Code of rejection_reason.")]
WithdrawalReason = Annotated[str, typer.Option("--reason", help="Code of withdrawal_reason.")]
Result = Annotated[str, typer.Option("--result", help="Code of referral_result.")]


def register(group: typer.Typer) -> None:
    """Add the steps to a worklist's group of commands."""
    for name, command in _STEPS.items():
        group.command(name)(command)


def seen(ctx: typer.Context, signal_id: SignalIdArgument, by: By, expected: Expected = None) -> None:
    """Mark an offer as seen."""
    _fulfil(ctx, signal_id, Wish("SEEN", by, expected))


def accept(ctx: typer.Context, signal_id: SignalIdArgument, by: By, planned: Planned, expected: Expected = None) -> None:
    """Accept an offer, with the date of the planned contact."""
    _fulfil(ctx, signal_id, Wish("ACCEPTED", by, expected, planned_contact=planned.date()))


def reject(ctx: typer.Context, signal_id: SignalIdArgument, by: By, reason: RejectionReason, expected: Expected = None) -> None:
    """Reject an offer. Nobody is turned away for lack of capacity: that goes to the chair."""
    _fulfil(ctx, signal_id, Wish("REJECTED", by, expected, reason=reason))


def in_care(
    ctx: typer.Context, signal_id: SignalIdArgument, by: By, first_contact: FirstContact, expected: Expected = None
) -> None:
    """Say that care began, with the date of the first contact."""
    _fulfil(ctx, signal_id, Wish("IN_CARE", by, expected, first_contact=first_contact.date()))


def complete(ctx: typer.Context, signal_id: SignalIdArgument, by: By, result: Result, expected: Expected = None) -> None:
    """Complete an accepted referral."""
    _fulfil(ctx, signal_id, Wish("COMPLETED", by, expected, reason=result))


def withdraw(
    ctx: typer.Context, signal_id: SignalIdArgument, by: By, reason: WithdrawalReason, expected: Expected = None
) -> None:
    """Close an accepted referral that was asked back ("intrekking gevraagd", R-ROUTE-12)."""
    _fulfil(ctx, signal_id, Wish("WITHDRAWN", by, expected, reason=reason))


def progress(ctx: typer.Context, signal_id: SignalIdArgument, by: By, expected: Expected = None) -> None:
    """Note that care goes on: the next note is due 20 working days later. The note itself belongs in the care file."""
    place: Place = ctx.obj
    identity = place.identity()
    with place.deciding(identity) as work:
        store = WorklistStore(work.connection)
        after = noted(store.case(store.find(signal_id)), by, expected, rules(), clock.now())
        store.put([after])
        tell_steps(after, office_of(identity, work), work)
    referral = open_referral(after)
    typer.echo(
        f"Vastgelegd: de zorg voor {number_of(referral.signal_id)} loopt. Volgende notitie voor {shown(referral.due_by())}."
    )


def advise(
    ctx: typer.Context,
    signal_id: SignalIdArgument,
    text: Annotated[str, typer.Argument(help="The advice; names and numbers of persons are refused.")],
    by: By,
    expected: Expected = None,
) -> None:
    """Answer a consult; the text goes home sealed to the municipality."""
    place: Place = ctx.obj
    advice_text, identity = guarded(text), place.identity()
    with place.deciding(identity) as work:
        store = WorklistStore(work.connection)
        delivery = _consult(store.case(store.find(signal_id)), expected)
        number = len([each for each in store.advice(delivery.signal_id) if each.offer == delivery.offer]) + 1
        advice = Advice(delivery.signal_id, delivery.offer, number, delivery.version, clock.now(), by)
        store.add_advice(advice)
        tell_advice(delivery, advice, advice_text, office_of(identity, work), work)
    typer.echo(f"Vastgelegd: het advies over {number_of(delivery.signal_id)} gaat naar de gemeente.")


_STEPS: Mapping[str, Callable[..., None]] = {
    "seen": seen,
    "accept": accept,
    "reject": reject,
    "in-care": in_care,
    "progress": progress,
    "complete": complete,
    "withdraw": withdraw,
    "advise": advise,
}


def take(case: Case, wish: Wish, store: WorklistStore, identity: Identity, work: Work) -> Case:
    """Take one step in an open transaction: judge it, keep it, tell it.

    Raises:
        Refused: the rules do not allow it.
    """
    after = fulfilled(case, wish, rules(), clock.now())
    store.put([after])
    tell_steps(after, office_of(identity, work), work)
    return after


def office_of(identity: Identity, work: Work) -> Office:
    """Return whose worklist a command works on."""
    return Office(ROLES[work.service], rules().calendar, identity.sealed_part)


def _fulfil(ctx: typer.Context, named: str, wish: Wish) -> None:
    place: Place = ctx.obj
    identity = place.identity()
    with place.deciding(identity) as work:
        store = WorklistStore(work.connection)
        after = take(store.case(store.find(named)), wish, store, identity, work)
    _confirm(after, wish)


def _confirm(after: Case, wish: Wish) -> None:
    step = next(each for each in after.steps if each.went_to == wish.to)
    due = next(each for each in after.referrals if each.offer == step.offer).due_by()
    label = rules().codes.label_nl("referral_state", wish.to)
    typer.echo(f"Vastgelegd: {number_of(step.signal_id)} is nu '{label}'.{f' Klaar voor {shown(due)}.' if due else ''}")
    if after.current is not None and after.current.offer != step.offer:
        typer.echo("Er wachtte een nieuw aanbod van dit signaal: het staat nu op de werklijst.")


def _consult(case: Case, expected: int | None) -> Delivery:
    delivery = case.delivery
    if delivery is None or not delivery.is_consult or delivery.status != "OFFERED":
        raise Refused("Over dit signaal is geen advies gevraagd.")
    if expected is not None and expected != delivery.version:
        raise Refused(STALE)
    return delivery
