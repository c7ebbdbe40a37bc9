"""Items of the screening meeting: which week each belongs to, and in which order (R-AGENDA-02 to R-AGENDA-05)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from signal_exchange.contracts.records import AgendaItem
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.meetings.agenda import AgendaEntry, Member, entry_of, roll_over
from signal_exchange.domain.meetings.dates import cutoff_of, week_for
from signal_exchange.stream.deliveries import LatestDelivery

DEFER = "DEFER"
STUB = "MINOR_STUB"
"""The form in which a minor comes to the table: it shows id, age band and form, and no more (R-ROUTE-07)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(LatestDelivery):
    """The latest AgendaItem record of a signal. `cluster_id` is the signal's own id as long as it is in no cluster."""

    cluster_id: str
    minor: bool

    @classmethod
    def of(cls, record: AgendaItem) -> Item:
        """Return the item that a record delivers, in no cluster yet."""
        return cls(cluster_id=record["signal_id"], **record)

    @property
    def key(self) -> tuple[str, int]:
        """Return the key under which decisions and deferrals of this offer are kept."""
        return self.signal_id, self.offer


@dataclass(frozen=True, slots=True)
class OfferHistory:
    """The history of one offer: the weeks that it was put off, how many of these by DEFER, and whether it was decided."""

    put_off: tuple[str, ...] = ()
    defer_decisions: int = 0
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An item with its week, and why it is there: a code of agenda_reason.csv."""

    entry: AgendaEntry
    week: str
    reason: str
    members: tuple[Item, ...]

    @property
    def cluster_id(self) -> str:
        """Return the cluster that is discussed."""
        return self.members[0].cluster_id


@dataclass(frozen=True, slots=True)
class AgendaSlot:
    """The slot of an item when it is decided: its week, the frozen version of that agenda (0: none), and its history."""

    week: str
    agenda_version: int
    history: OfferHistory


NO_HISTORY = OfferHistory()


@dataclass(frozen=True, slots=True)
class Known:
    """The facts that place an item besides its own: the history of each offer, and the clusters on each week's frozen agenda."""

    histories: Mapping[tuple[str, int], OfferHistory]
    frozen: Mapping[str, frozenset[str]]
    calendar: WorkingCalendar

    def of(self, item: Item) -> OfferHistory:
        """Return the history of the present offer of an item."""
        return self.histories.get(item.key, NO_HISTORY)

    def supplements(self, item: Item) -> bool:
        """Say whether an earlier offer of the signal was decided."""
        return any(self.histories.get((item.signal_id, offer), NO_HISTORY).decided for offer in range(1, item.offer))


def placed(items: Iterable[Item], known: Known) -> list[Placed]:
    """Return the undecided items, each with its week, by cluster."""
    ordered = sorted(items, key=lambda item: (item.cluster_id, item.signal_id))
    by_cluster = (tuple(members) for _, members in groupby(ordered, key=lambda item: item.cluster_id))
    return [found for members in by_cluster if (found := _placed(members, known)) is not None]


def _placed(members: tuple[Item, ...], known: Known) -> Placed | None:
    offered = tuple(item for item in members if item.status == "OFFERED")
    entry = entry_of(_member(item, known.of(item)) for item in offered)
    return None if entry is None else Placed(entry, _week(entry, offered, known), _reason(offered, known), offered)


def _member(item: Item, past: OfferHistory) -> Member:
    return Member(item.signal_id, item.urgency, item.minor, item.due_from, len(past.put_off), past.decided)


def _week(entry: AgendaEntry, members: tuple[Item, ...], known: Known) -> str:
    put_off = (week_after(week, known.calendar) for item in members for week in known.of(item).put_off)
    week = max((week_for(entry.due_from, known.calendar), *put_off))
    cluster_id = members[0].cluster_id
    stands_on = [each for each, clusters in known.frozen.items() if each >= week and cluster_id in clusters]
    if stands_on:
        return max(stands_on)
    # What came in after its agenda was frozen, because this service stood still, goes to the next one.
    while week in known.frozen:
        week = week_after(week, known.calendar)
    return week


def _reason(members: tuple[Item, ...], known: Known) -> str:
    if any(known.of(item).put_off for item in members):
        return "DEFERRED"
    return "SUPPLEMENT" if any(map(known.supplements, members)) else "NEW_SIGNAL"


def week_after(week: str, calendar: WorkingCalendar) -> str:
    """Return the week of the next agenda."""
    cutoff = cutoff_of(week, calendar)
    if cutoff is None:
        raise ValueError("There is no meeting in this week.")
    return week_for(cutoff, calendar)


def agenda_of(week: str, found: Iterable[Placed], known: Known) -> tuple[list[Placed], list[Placed]]:
    """Return the items of a week's agenda and those that roll over to the next, both in order (R-AGENDA-04, R-AGENDA-05).

    What an earlier week left behind, because its agenda was never made, comes along.
    """
    due = [each for each in found if each.week == week or (each.week < week and each.week not in known.frozen)]
    by_signal = {each.entry.signal_id: each for each in due}
    stays, rolls = roll_over((each.entry for each in due), known.calendar.policy)
    return [by_signal[entry.signal_id] for entry in stays], [by_signal[entry.signal_id] for entry in rolls]
