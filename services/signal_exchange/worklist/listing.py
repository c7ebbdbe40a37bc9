"""The rows of a worklist, one per referral and consult, with the figures about them: both from one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, time, timedelta
from typing import Any, Final, Literal

from sqlalchemy import CTE, Connection, RowMapping, Select, and_, case, exists, func, literal, null, select, true, union_all
from sqlalchemy.sql.elements import ColumnElement

from signal_exchange.contracts.records import DeliveredSignal
from signal_exchange.domain.referrals.transitions import FINAL_STATES
from signal_exchange.domain.signals.coded import VICTIM, Urgency
from signal_exchange.domain.times import at, local_day
from signal_exchange.worklist.cases import DUE, YOUTH_ROUTE
from signal_exchange.worklist.store import ADVICE, DELIVERIES, REFERRALS

CONSULT = "CONSULT"
"""Stands in the place of a state for a consult, which has none."""
Place = Literal["acute", "new", "open", "ended"]
PLACES: Final[tuple[Place, ...]] = ("acute", "new", "open", "ended")
"""Where a row stands, in this order: ACUTE that waits for an answer or first contact, what nobody looked at, the rest."""
Focus = Literal["late", "today", "new"]
PAGE: Final = 25
"""Rows on one page."""


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One referral or consult as a coordinator sees it. Codes and moments only: the words belong to who shows it.

    `row_version` is what an act on it names as the version that was seen. `retraction_asked_by_rule` is the rule that asks an
    accepted referral back. `reason` is why it ended. `signal` is the delivered signal, where this row is about its latest offer.
    """

    signal_id: str
    offer: int
    version: int
    municipality: str
    deliver_as: str
    state: str
    urgency: str
    decide_by: datetime
    contact_by: datetime | None
    row_version: int
    open: bool
    due_by: datetime | None
    overdue: bool
    retraction_asked_by_rule: str | None
    signal: DeliveredSignal | None = field(repr=False)
    place: Place = "open"
    reason: str | None = None
    planned_contact: str | None = None
    first_contact: str | None = None

    @property
    def minor(self) -> bool:
        """Say whether it is about a minor, as far as was delivered."""
        subjects = self.signal["subjects"] or () if self.signal else ()
        return self.deliver_as == YOUTH_ROUTE or any(each["is_minor"] for each in subjects if each["role"] == VICTIM)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows a coordinator wants: the open ones, the ended ones or, as None, both; of these what fits every filter given."""

    ended: bool | None = False
    urgency: Urgency | None = None
    state: str | None = None
    municipality: str | None = None
    focus: Focus | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of rows of a worklist that are late, due today, new, open and ended; `found` are those that fit a wish."""

    late: int
    today: int
    new: int
    open: int
    ended: int
    found: int


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """One page of a worklist, counted from 1, and the figures that were true at the same moment."""

    rows: Sequence[WorklistRow]
    figures: Figures
    number: int

    @property
    def last(self) -> int:
        """Return the number of the last page."""
        return max(1, -(-self.figures.found // PAGE))


def rows_of(connection: Connection, now: datetime, *, signal_id: str | None = None) -> list[WorklistRow]:
    """Return every row in order, of one signal or of all."""
    listed = _listed()
    own = true() if signal_id is None else listed.c.signal_id == signal_id
    found = _with_signal(select(listed).where(own).cte("chosen"))
    return list(_rows(connection.execute(found).mappings(), now))


def page_of(connection: Connection, wanted: Wanted, number: int, now: datetime) -> WorklistPage:
    """Return one page of what is wanted, with the figures, in one statement: a figure always fits the list behind it."""
    listed = _listed()
    fits = and_(*_conditions(listed, wanted, now))
    chosen = select(listed).where(fits).order_by(*_order(listed)).limit(PAGE).offset((number - 1) * PAGE).cte("chosen")
    figures = select(*_figures(listed, fits, now)).cte("figures")
    answer = connection.execute(_with_signal(chosen, figures)).mappings().all()
    counted = Figures(**{each.name: answer[0][f"figure_{each.name}"] for each in fields(Figures)})
    return WorklistPage(list(_rows(answer, now)), counted, number)


def _listed() -> CTE:
    """Return the referrals and the consults as one set of rows, each with its place."""
    rows = union_all(_referrals(), _consults()).subquery("everything")
    waits = rows.c.state.in_(("OFFERED", "SEEN", "ACCEPTED", CONSULT))
    fresh = rows.c.state.in_(("OFFERED", CONSULT))
    acute = and_(rows.c.urgency == "ACUTE", waits)
    place = case((~rows.c.open, PLACES.index("ended")), (acute, 0), (fresh, PLACES.index("new")), else_=PLACES.index("open"))
    return select(rows, place.label("place")).cte("listed")


def _referrals() -> Select[Any]:
    own = REFERRALS.c
    is_open = own.state.not_in(FINAL_STATES)
    due = case(*((own.state == state, own[name]) for state, name in DUE.items()))
    return select(
        own.signal_id,
        own.offer,
        own.version,
        own.municipality,
        own.deliver_as,
        own.state,
        own.urgency,
        own.decide_by,
        own.contact_by,
        own.row_version,
        is_open.label("open"),
        due.label("due_by"),
        case((is_open, own.retraction)).label("retraction_asked_by_rule"),
        own.reason,
        own.planned_contact,
        own.first_contact,
    )


def _consults() -> Select[Any]:
    own = DELIVERIES.c
    unanswered = ~exists().where(ADVICE.c.signal_id == own.signal_id, ADVICE.c.offer == own.offer)
    return select(
        own.signal_id,
        own.offer,
        own.version,
        own.municipality,
        own.deliver_as,
        literal(CONSULT).label("state"),
        own.urgency,
        own.advise_by.label("decide_by"),
        null().label("contact_by"),
        own.version.label("row_version"),
        unanswered.label("open"),
        case((unanswered, own.advise_by)).label("due_by"),
        *(null().label(name) for name in ("retraction_asked_by_rule", "reason", "planned_contact", "first_contact")),
    ).where(own.advise_by.is_not(None))


def _conditions(listed: CTE, wanted: Wanted, now: datetime) -> Iterator[ColumnElement[bool]]:
    yield true()
    if wanted.ended is not None:
        yield ~listed.c.open if wanted.ended else listed.c.open
    if wanted.focus:
        yield _focus(listed, now)[wanted.focus]
    for name in ("urgency", "state", "municipality"):
        if (value := getattr(wanted, name)) is not None:
            yield listed.c[name] == value


def _focus(listed: CTE, now: datetime) -> dict[str, ColumnElement[bool]]:
    tomorrow = at(local_day(now) + timedelta(days=1), time())
    return {
        "late": listed.c.due_by < now,
        "today": and_(listed.c.due_by >= now, listed.c.due_by < tomorrow),
        "new": and_(listed.c.open, listed.c.state.in_(("OFFERED", CONSULT))),
    }


def _figures(listed: CTE, fits: ColumnElement[bool], now: datetime) -> Iterator[ColumnElement[int]]:
    counted = {**_focus(listed, now), "open": listed.c.open, "ended": ~listed.c.open, "found": fits}
    for each in fields(Figures):
        yield func.coalesce(func.sum(case((counted[each.name], 1), else_=0)), 0).label(f"figure_{each.name}")


def _order(rows: CTE) -> tuple[ColumnElement[Any], ...]:
    """By place, and in it by what is due; what ended with the youngest first."""
    return rows.c.place, rows.c.due_by, rows.c.decide_by.desc(), rows.c.signal_id, rows.c.offer


def _with_signal(chosen: CTE, figures: CTE | None = None) -> Select[Any]:
    """Return the rows that were chosen with what was delivered: only of them it is read."""
    same = and_(DELIVERIES.c.signal_id == chosen.c.signal_id, DELIVERIES.c.offer == chosen.c.offer)
    beside = chosen if figures is None else figures.outerjoin(chosen, true())
    columns = (*(figures.c if figures is not None else ()), *chosen.c, DELIVERIES.c.signal)
    return select(*columns).select_from(beside.outerjoin(DELIVERIES, same)).order_by(*_order(chosen))


def _rows(found: Iterable[RowMapping], now: datetime) -> Iterator[WorklistRow]:
    names = [each.name for each in fields(WorklistRow) if each.name != "overdue"]
    for row in found:
        if row["signal_id"] is not None:
            told = {name: row[name] for name in names} | {"place": PLACES[row["place"]]}
            yield WorklistRow(**told, overdue=row["due_by"] is not None and row["due_by"] < now)
