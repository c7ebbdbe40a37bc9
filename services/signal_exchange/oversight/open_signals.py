"""Which open signals need a person (R-FLOW-02), asked of the store itself: most of its clocks are never read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, exists, func, or_, select

from signal_exchange.domain.destinations import OWNING
from signal_exchange.oversight.store import CLOCKS, ENDED, NUMBERS, SENT, Clock, clock_of, milliseconds

MUNICIPALITY = "ATTENTION_OFFICER"
RECEIPT, OUTCOME = "RECEIPT", "OUTCOME"
ROUTING = "routing"
"""The keeper of every signal: its clock has the signal's newest version."""
HELD_STAGES = ("STORED", OUTCOME, "RETRACTED")
"""What a receiver tells of a delivery that it has."""
IS_RECEIPT = CLOCKS.c.stage == RECEIPT
"""A clock that waits for a receipt also runs when its signal is closed."""
SKEW = timedelta(minutes=2)
"""How far the clocks of brokers and people may differ before a delivery seems unheard of."""


def past_their_date(connection: Connection, today: str) -> list[Clock]:
    """Return the clocks that ran out before `today` (a date as text), the longest ago first.

    What waited for the municipality has ended when a newer version of its signal came.
    """
    return _clocks(connection, CLOCKS.c.next_date < today, _runs())


def unheard_of(connection: Connection, before: datetime) -> list[Clock]:
    """Return the deliveries of before that moment of which no receiver told since that it has them."""
    heard = CLOCKS.alias("heard")
    since = and_(heard.c.stage.in_(HELD_STAGES), heard.c.told_at >= CLOCKS.c.told_at - SKEW // timedelta(milliseconds=1))
    told = exists().where(heard.c.signal_id == CLOCKS.c.signal_id, since, or_(*_same_delivery(heard)))
    return _clocks(connection, CLOCKS.c.stage == SENT, CLOCKS.c.told_at < milliseconds(before), ~told)


def without_date(connection: Connection, before: datetime) -> list[Clock]:
    """Return routing's clocks of before that moment whose signal has no date and no outcome anywhere."""
    other = CLOCKS.alias("other")
    known = or_(other.c.next_date.is_not(None), other.c.stage == OUTCOME)
    kept = exists().where(other.c.signal_id == CLOCKS.c.signal_id, known)
    return _clocks(connection, CLOCKS.c.keeper == ROUTING, CLOCKS.c.told_at < milliseconds(before), ~kept)


def _clocks(connection: Connection, *chosen: ColumnElement[bool]) -> list[Clock]:
    is_open = or_(IS_RECEIPT, CLOCKS.c.signal_id.not_in(_closed()))
    order = CLOCKS.c.next_date, CLOCKS.c.signal_id, CLOCKS.c.keeper
    return [clock_of(row) for row in connection.execute(select(CLOCKS).where(is_open, *chosen).order_by(*order))]


def _closed() -> Select[tuple[str]]:
    """Give the signals whose last accepted version ended them; a withdrawn one may be published again (R-VAL-16)."""
    ended = select(NUMBERS.c.signal_id).where(NUMBERS.c.verdict.in_(ENDED), NUMBERS.c.signal_id.is_not(None))
    newest = NUMBERS.c.version.desc(), NUMBERS.c.verdict.in_(ENDED).desc()
    nth = func.row_number().over(partition_by=NUMBERS.c.signal_id, order_by=newest)
    accepted = NUMBERS.c.verdict.in_(("routed", *ENDED))
    last = (
        select(NUMBERS.c.signal_id, NUMBERS.c.verdict, nth.label("nth"))
        .where(accepted, NUMBERS.c.signal_id.in_(ended))
        .subquery()
    )
    return select(last.c.signal_id).where(last.c.nth == 1, last.c.verdict.in_(ENDED))


def _runs() -> ColumnElement[bool]:
    newest = CLOCKS.alias("newest")
    mine = and_(newest.c.signal_id == CLOCKS.c.signal_id, newest.c.keeper == ROUTING)
    answered = exists().where(mine, newest.c.version > CLOCKS.c.version)
    return or_(CLOCKS.c.owner_role.is_(None), CLOCKS.c.owner_role != MUNICIPALITY, ~answered)


def _same_delivery(heard: FromClause) -> Iterable[ColumnElement[bool]]:
    for receiver in OWNING:
        yield and_(CLOCKS.c.keeper == f"{SENT}/{receiver}", heard.c.keeper.endswith(f"/{receiver}", autoescape=True))
