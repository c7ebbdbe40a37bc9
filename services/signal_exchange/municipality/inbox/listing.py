"""The list of a municipality's own signals: one page of it, and how many there are of each kind, from one question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sql

from signal_exchange.cli.naming import number_of
from signal_exchange.contracts.records import SIGNAL_PUBLISHED_BODY, SIGNAL_WITHDRAWN_BODY
from signal_exchange.domain.referrals.transitions import MUNICIPALITY
from signal_exchange.domain.signals.coded import has_minor_victim
from signal_exchange.domain.signals.drafts import coded_signal
from signal_exchange.municipality.inbox.questions import ACTS, CLOSED, QUESTIONS, SHOW
from signal_exchange.municipality.inbox.standing import Place
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.municipality.store import SIGNALS, VIEWS, WITHDRAWN, Vault
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime.database import Database

PAGE: Final = 25
"""Rows on one page."""
_LEAVING: Final = (SIGNAL_PUBLISHED_BODY, SIGNAL_WITHDRAWN_BODY)


class Kind(StrEnum):
    """Kind of the signals that a person looks for: under way, with a question, with an outcome, or withdrawn."""

    OPEN = "open"
    ASKS = "vraag"
    ENDED = "uitkomst"
    WITHDRAWN = "ingetrokken"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which signals: of one kind, form and urgency, received on a day or later; `page` counts from 1."""

    kind: Kind = Kind.OPEN
    form: str = ""
    urgency: str = ""
    since: datetime | None = None
    page: int = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """One signal as its owner sees it. `reference` is the municipality's own; `asks` says that it waits for the municipality."""

    signal_id: str
    reference: str = field(repr=False)
    version: int
    state: str
    recorded_at: datetime
    form: str
    sector: str
    urgency: str
    is_minor: bool
    place: Place
    outcome: str | None
    owner_role: str | None
    next_date: date | None
    has_question: bool
    asks: bool

    @property
    def number(self) -> str:
        """Return the short number, which says nothing."""
        return number_of(self.signal_id, "S")

    @property
    def is_open(self) -> bool:
        """Say whether nobody withdrew it."""
        return self.state != WITHDRAWN

    def is_late(self, today: date) -> bool:
        """Say whether the day by which somebody must act has passed."""
        return self.next_date is not None and self.next_date < today


@dataclass(frozen=True, slots=True)
class Page:
    """The signals of one page. `counts` says how many fit of each kind, `unfiltered` how many there are without the filters."""

    rows: list[Listed]
    counts: Mapping[Kind, int]
    unfiltered: Mapping[Kind, int]
    page: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Lists the signals of one municipality."""

    vault_key: VaultKey = field(repr=False)
    database: Database

    def page(self, wanted: Wanted, today: date) -> Page:
        """Return one page; a page after the last one is the last one."""
        signals = _signals(wanted).subquery()
        with self.database.reading() as connection:
            counts, unfiltered = _counts(signals, connection)
            last = max(1, -(-counts[wanted.kind] // PAGE))
            page = min(max(wanted.page, 1), last)
            own = sql.select(signals).where(_of_kind(signals, wanted.kind), signals.c.fits)
            order = (signals.c.asks.desc(), signals.c.recorded_at.desc(), signals.c.signal_id)
            rows = connection.execute(own.order_by(*order).limit(PAGE).offset((page - 1) * PAGE)).mappings().all()
            kept = Vault(connection).encrypted(row["signal_id"] for row in rows)
        records = {each: json.loads(self.vault_key.decrypt(each, found)) for each, found in kept.items()}
        return Page([_listed(row, records.get(row["signal_id"], {}), today) for row in rows], counts, unfiltered, page)

    def one(self, signal_id: str, today: date) -> Listed:
        """Return the row of one signal, which is here."""
        signals = _signals(Wanted()).subquery()
        with self.database.reading() as connection:
            row = connection.execute(sql.select(signals).where(signals.c.signal_id == signal_id)).mappings().one()
            kept = Vault(connection).encrypted([signal_id])
        records = [json.loads(self.vault_key.decrypt(signal_id, each)) for each in kept.values()]
        return _listed(row, records[0] if records else {}, today)


def _signals(wanted: Wanted) -> sql.Select[Any]:
    """Give every signal with its place and kind; `fits` says whether the filters let it through."""
    ours = sql.exists().where(OUTBOX.c.signal_id == SIGNALS.c.signal_id, OUTBOX.c.record.in_(_LEAVING))
    place = sql.case(
        (ours.where(OUTBOX.c.sent_at.is_(None)), Place.UNSENT.value),
        (ours, Place.SENT.value),
        else_=sql.func.coalesce(VIEWS.c.place, Place.SENT.value),
    )
    asked = _open_question()
    withdrawn = SIGNALS.c.state == WITHDRAWN
    at_home = sql.and_(VIEWS.c.owner_role == MUNICIPALITY, place.not_in((Place.UNSENT.value, Place.SENT.value)))
    return (
        sql.select(
            *(SIGNALS.c[name] for name in ("signal_id", "version", "state", "recorded_at", "form", "urgency")),
            *(VIEWS.c[name] for name in ("outcome", "owner_role", "next_date")),
            place.label("place"),
            asked.label("has_question"),
            sql.and_(~withdrawn, sql.or_(asked, at_home)).label("asks"),
            _fits(wanted).label("fits"),
        )
        .select_from(SIGNALS)
        .outerjoin(VIEWS, VIEWS.c.signal_id == SIGNALS.c.signal_id)
    )


def _open_question() -> sql.ColumnElement[bool]:
    answered = sql.exists().where(ACTS.c.question_id == QUESTIONS.c.question_id, ACTS.c.kind != SHOW)
    return sql.exists().where(QUESTIONS.c.signal_id == SIGNALS.c.signal_id, QUESTIONS.c.state != CLOSED, ~answered)


def _fits(wanted: Wanted) -> sql.ColumnElement[bool]:
    chosen = [SIGNALS.c.form == wanted.form] if wanted.form else []
    chosen += [SIGNALS.c.urgency == wanted.urgency] if wanted.urgency else []
    chosen += [SIGNALS.c.recorded_at >= wanted.since] if wanted.since else []
    return sql.and_(sql.true(), *chosen)


def _of_kind(signals: sql.Subquery, kind: Kind) -> sql.ColumnElement[bool]:
    withdrawn, ended = signals.c.state == WITHDRAWN, signals.c.place == Place.ENDED.value
    kinds = {
        Kind.OPEN: sql.and_(~withdrawn, ~ended),
        Kind.ASKS: signals.c.asks,
        Kind.ENDED: sql.and_(~withdrawn, ended),
        Kind.WITHDRAWN: withdrawn,
    }
    return kinds[kind]


def _counts(signals: sql.Subquery, connection: sql.Connection) -> tuple[dict[Kind, int], dict[Kind, int]]:
    """Return the number of fitting signals of each kind, and the number of all signals of each kind."""
    told = (signals.c.state, signals.c.place, signals.c.asks, signals.c.fits)
    groups = connection.execute(sql.select(*told, sql.func.count().label("number")).group_by(*told)).all()
    fitting = {kind: sum(each.number for each in groups if each.fits and kind in _kinds(each)) for kind in Kind}
    return fitting, {kind: sum(each.number for each in groups if kind in _kinds(each)) for kind in Kind}


def _kinds(row: Any) -> set[Kind]:  # noqa: ANN401 - a row
    if row.state == WITHDRAWN:
        return {Kind.WITHDRAWN}
    return {Kind.ENDED if row.place == Place.ENDED else Kind.OPEN, *([Kind.ASKS] if row.asks else [])}


def _listed(row: Any, record: Mapping[str, Any], today: date) -> Listed:  # noqa: ANN401 - a row
    coded: Any = coded_signal(record, signal_id=row["signal_id"], version=1, supersedes=None, day=today, guard={})
    return Listed(
        signal_id=row["signal_id"],
        reference=record.get("local_ref", ""),
        version=row["version"],
        state=row["state"],
        recorded_at=row["recorded_at"],
        form=coded["forms"]["primary"] if record else "",
        sector=record.get("sector", ""),
        urgency=coded["urgency"] if record else "",
        is_minor=bool(record) and has_minor_victim(coded),
        place=Place(row["place"]),
        outcome=row["outcome"],
        owner_role=row["owner_role"],
        next_date=date.fromisoformat(row["next_date"]) if row["next_date"] else None,
        has_question=bool(row["has_question"]),
        asks=bool(row["asks"]),
    )
