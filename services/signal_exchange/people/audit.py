"""The audit log of one service: who saw or did what, and what was refused. Each month is a chain of hashes of its own.

An entry holds opaque ids and codes only, so that the log says nothing about the persons whom signals are about, and a month can
end whole (R-RET-02). How each month ends is kept apart: without that the last entries of a month could be taken away unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from signal_exchange.domain.people import Person
from signal_exchange.domain.times import at as start_of
from signal_exchange.domain.times import local_day
from signal_exchange.people.access import ROWS, Act, role_in
from signal_exchange.people.store import in_turn
from signal_exchange.people.tables import AUDIT, AUDIT_MONTHS
from signal_exchange.runtime.database import row_of, values_of

DONE: Final = "DONE"
DENIED: Final = "DENIED"
UNLISTED: Final = "UNLISTED"
"""Stands for a person whom no list knows, as in a demo without people."""
_OPAQUE: Final = re.compile(r"(?:[0-9a-f-]{8,64}|GM\d{4}|\d{4}-\d{2})?")
_Said = tuple[str, str, str, str, str, str, str]
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]*|")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `who` is a person_id, `act` one of `access.Act`, `action` a code of audit_action, `about` an opaque id.

    `why` is a code, empty where none is asked; `result` is DONE or the code of the refusal.
    """

    month: str
    number: int
    at: datetime
    who: str
    role: str
    act: str
    action: str
    about: str
    why: str
    result: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Intact:
    """The intact part of the log: the last entry to trust, and the first place that cannot be trusted, as month and number."""

    until: datetime | None
    broken_at: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries somebody looks for; what is empty asks nothing. Days are inclusive, in Amsterdam."""

    who: str = ""
    about: str = ""
    action: str = ""
    first_day: date | None = None
    last_day: date | None = None


class AuditLog:
    """The audit log in one open transaction, so that an entry holds exactly when the act does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, act: Act, person: Person, at: datetime, *, about: str = "", why: str = "", result: str = DONE) -> None:
        """Add an entry at the end of its month. Entries of several processes follow each other.

        Raises:
            ValueError: `about` is no opaque id, or `why` or `result` no code.
        """
        if not (_OPAQUE.fullmatch(about) and _CODE.fullmatch(why) and _CODE.fullmatch(result)):
            raise ValueError("An entry of the audit log holds opaque ids and codes only.")
        in_turn(self._connection)
        month = self._month_of(at)
        entries, last_hash = self._end_of(month)
        action = ROWS[act].action if result == DONE else DENIED
        said = (person.person_id or UNLISTED, role_in(person, act), act.value, action, about, why, result)
        entry = _chained(month, entries + 1, at, said, last_hash)
        self._connection.execute(insert(AUDIT).values(row_of(entry)))
        self._close(month, entry.number, entry.hash)

    def _month_of(self, at: datetime) -> str:
        """Return the month of a moment; never one before that of the last entry, whatever the clock says."""
        last = self._connection.execute(select(func.max(AUDIT_MONTHS.c.month))).scalar_one()
        return max(f"{local_day(at):%Y-%m}", last or "")

    def _end_of(self, month: str) -> tuple[int, str]:
        """Return the number of entries of a month and the hash before the next one: that of the month before, at its start."""
        chosen = select(AUDIT_MONTHS).where(AUDIT_MONTHS.c.month <= month).order_by(AUDIT_MONTHS.c.month.desc()).limit(1)
        last = self._connection.execute(chosen).one_or_none()
        return (0, "") if last is None else (last.entries if last.month == month else 0, last.last_hash)

    def _close(self, month: str, entries: int, last_hash: str) -> None:
        ends = {"entries": entries, "last_hash": last_hash}
        if entries == 1:
            self._connection.execute(insert(AUDIT_MONTHS).values(month=month, **ends))
        else:
            self._connection.execute(update(AUDIT_MONTHS).where(AUDIT_MONTHS.c.month == month).values(ends))

    def entries(self, wanted: Wanted, *, page_size: int, page: int = 1) -> list[Entry]:
        """Return a page of the entries that somebody looks for, the latest first."""
        chosen = select(AUDIT).where(*_conditions(wanted)).order_by(AUDIT.c.month.desc(), AUDIT.c.number.desc())
        return values_of(Entry, self._connection, chosen.limit(page_size).offset((page - 1) * page_size))

    def count(self, wanted: Wanted) -> int:
        """Return the number of those entries that somebody looks for."""
        chosen = select(func.count()).select_from(AUDIT).where(*_conditions(wanted))
        return self._connection.execute(chosen).scalar_one()

    def intact(self) -> Intact:
        """Return the intact part of the log: every hash is made anew, and each month must end as it is known to have ended."""
        until, before = None, ""
        for end in self._connection.execute(select(AUDIT_MONTHS).order_by(AUDIT_MONTHS.c.month)).all():
            if end.ended_at is None:
                number = 0
                for number, entry in enumerate(self._of_month(end.month), 1):
                    if entry != _chained(end.month, number, entry.at, _said(entry), before):
                        return Intact(until, (end.month, number))
                    until, before = entry.at, entry.hash
                if (number, before) != (end.entries, end.last_hash):
                    return Intact(until, (end.month, number + 1))
            before = end.last_hash
        return Intact(until, self._entry_of_no_month())

    def _of_month(self, month: str) -> Iterator[Entry]:
        chosen = select(AUDIT).where(AUDIT.c.month == month).order_by(AUDIT.c.number)
        yield from values_of(Entry, self._connection, chosen)

    def _entry_of_no_month(self) -> tuple[str, int] | None:
        standing = select(AUDIT_MONTHS.c.month).where(AUDIT_MONTHS.c.ended_at.is_(None))
        chosen = select(AUDIT.c.month, AUDIT.c.number).where(AUDIT.c.month.not_in(standing))
        found = self._connection.execute(chosen.order_by(AUDIT.c.month, AUDIT.c.number)).first()
        return None if found is None else (found.month, found.number)

    def end_months(self, before: str, at: datetime) -> list[str]:
        """Delete the entries of every month before one, as 2026-12, and return those months: the rest can be verified still."""
        old = AUDIT_MONTHS.c.month < before, AUDIT_MONTHS.c.ended_at.is_(None)
        months = list(self._connection.execute(select(AUDIT_MONTHS.c.month).where(*old).order_by(AUDIT_MONTHS.c.month)).scalars())
        self._connection.execute(delete(AUDIT).where(AUDIT.c.month.in_(months)))
        self._connection.execute(update(AUDIT_MONTHS).where(AUDIT_MONTHS.c.month.in_(months)).values(ended_at=at))
        return months


def opaque(text: str) -> str:
    """Return text that somebody typed where it is an opaque id, and nothing where it may be anything."""
    return text if _OPAQUE.fullmatch(text) else ""


def _said(entry: Entry) -> _Said:
    return (entry.who, entry.role, entry.act, entry.action, entry.about, entry.why, entry.result)


def _chained(month: str, number: int, at: datetime, said: _Said, previous: str) -> Entry:
    """Return an entry with its hash: the SHA-256 of everything that it says, and of the hash before it."""
    moment = round(at.timestamp() * 1000)
    content = json.dumps([previous, month, number, moment, *said], ensure_ascii=True, separators=(",", ":"))
    return Entry(month, number, at, *said, previous, sha256(content.encode("ascii")).hexdigest())


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    for name in ("who", "about", "action"):
        if value := getattr(wanted, name):
            yield AUDIT.c[name] == value
    if wanted.first_day is not None:
        yield AUDIT.c.at >= start_of(wanted.first_day, time.min)
    if wanted.last_day is not None:
        yield AUDIT.c.at < start_of(wanted.last_day + timedelta(days=1), time.min)
