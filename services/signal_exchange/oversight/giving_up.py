"""Numbers that will not come any more: a range of one run, or all that are overdue (R-FLOW-01)."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import typer

from signal_exchange.domain.ledger import Gap
from signal_exchange.oversight.choosing import DryRun, Yes, ask
from signal_exchange.oversight.commands import PLACE, check_app
from signal_exchange.oversight.ledger import overdue_runs, overdue_within
from signal_exchange.oversight.store import GivenUp, OversightStore
from signal_exchange.runtime import clock
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import AsJson, By, show_json, show_rows

__all__ = ["check_app"]
RANGES = {"run": "reeks", "first": "van", "last": "tot en met", "count": "aantal"}


class LostReason(Enum):
    """Why a number will not come any more."""

    LOST_IN_RESTORE = "LOST_IN_RESTORE"
    SENDER_AGREES = "SENDER_AGREES"


@check_app.command("give-up")
def give_up(
    municipality: Annotated[str, typer.Argument(help="CBS code, as GM0983.")],
    publisher_run: Annotated[str | None, typer.Argument(help="The run, as `check conservation --json` names it.")] = None,
    sequence: Annotated[int | None, typer.Argument(help="The number in that run, or the first of them.")] = None,
    last: Annotated[int | None, typer.Argument(help="The last of them.")] = None,
    *,
    by: By,
    reason: Annotated[LostReason, typer.Option("--reason", help="Why it will not come.")],
    everything: Annotated[bool, typer.Option("--all", help="Every overdue number of that run, or of the municipality.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Say of overdue numbers that they will not come any more: they then count as discarded. Twice is once."""
    with PLACE.deciding(PLACE.identity()) as work:
        store = OversightStore(work.connection)
        ranges = _asked(store, municipality, publisher_run, sequence, last, everything=everything)
        found = [{"run": gap.run, "first": gap.first, "last": gap.last, "count": count} for gap, count in ranges]
        count = sum(count for _, count in ranges)
        if not dry_run:
            if everything and count:
                ask(f"{count} nummers van {municipality} opgeven?", yes=yes)
            for gap, _ in ranges:
                store.give_up(GivenUp(municipality, gap.run, gap.first, gap.last, reason.value, by, clock.now()))
    _tell(found, count, dry_run=dry_run, as_json=as_json)


def _asked(
    store: OversightStore, municipality: str, run: str | None, first: int | None, last: int | None, *, everything: bool
) -> list[tuple[Gap, int]]:
    """Return the ranges that are meant, each with how many of its numbers are overdue.

    Raises:
        Refused: nothing says which numbers, or none of those is overdue.
    """
    now = clock.now()
    if everything:
        runs = overdue_runs(store, municipality, now)
        gaps = [Gap(*each, 1, limit) for each, limit in sorted(runs.items()) if run in (None, each[1])]
        counted = [(gap, overdue_within(store, gap, now)) for gap in gaps]
        return [(gap, count) for gap, count in counted if count]
    if run is None or first is None:
        raise Refused("Noem de reeks en het nummer, of --all.")
    gap = Gap(municipality, run, first, last or first)
    count = overdue_within(store, gap, now)
    if not (count or _is_given_up(store, gap)):
        raise Refused("Dit nummer is niet te laat.")
    return [(gap, count)]


def _is_given_up(store: OversightStore, gap: Gap) -> bool:
    known = ((each.publisher_run, each.first, each.last) for each in store.given_up(gap.municipality))
    return (gap.run, gap.first, gap.last) in known


def _tell(found: list[dict[str, Any]], count: int, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        show_json({"count": count, "ranges": found, "dry_run": dry_run})
    elif dry_run:
        show_rows(found, RANGES, empty="Geen enkel nummer is te laat.")
    else:
        typer.echo(f"Vastgelegd: {count} nummer(s) tellen als vervallen.")
