"""Numbers that will not come any more: a range of one run, or all that are overdue (R-FLOW-01)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from signal_exchange.domain.figures.ledger import Gap
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.oversight.choosing import NumberChoice
from signal_exchange.oversight.ledger import Drawing
from signal_exchange.oversight.store import OversightStore


@dataclass(frozen=True, slots=True)
class OverdueRange:
    """The numbers `first` to `last` of a run, of which `count` are overdue."""

    run: str
    first: int
    last: int
    count: int


def overdue_ranges(store: OversightStore, choice: NumberChoice, now: datetime) -> list[OverdueRange]:
    """Return the ranges that are meant, each with how many of its numbers are overdue.

    Raises:
        RefusedError: nothing says which numbers, or none of those is overdue.
    """
    if choice.everything:
        runs = Drawing.of(store, choice.municipality).late(now)
        gaps = [Gap(*run, 1, limit) for run, limit in sorted(runs.items()) if choice.run in (None, run[1])]
        return [each for gap in gaps if (each := _range(store, gap, now)).count]
    if choice.run is None or choice.first is None:
        raise RefusedError("NO_NUMBERS_CHOSEN", field="everything")
    gap = Gap(choice.municipality, choice.run, choice.first, choice.last or choice.first)
    found = _range(store, gap, now)
    if not (found.count or _is_given_up(store, gap)):
        raise RefusedError("NUMBER_NOT_OVERDUE", rule="R-FLOW-01")
    return [found]


def _range(store: OversightStore, gap: Gap, now: datetime) -> OverdueRange:
    return OverdueRange(gap.run, gap.first, gap.last, Drawing.of(store, gap.municipality).overdue_within(gap, now))


def _is_given_up(store: OversightStore, gap: Gap) -> bool:
    known = ((each.publisher_run, each.first, each.last) for each in store.given_up(gap.municipality))
    return (gap.run, gap.first, gap.last) in known
