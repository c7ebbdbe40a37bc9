"""Log-ins, kept on the server: the browser holds a random token, and the store its digest.

A sitting ends when nobody asked anything for a while, which can be extended, and at its absolute limit, which cannot.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import JSON, Column, Connection, MetaData, String, Table, delete, select, update

from signal_exchange.domain.people import Person
from signal_exchange.runtime.columns import Moment, keys, required
from signal_exchange.runtime.database import IN_NO_BACKUP, Database

_OWN: Final = MetaData()
SITTINGS: Final = Table(
    "sitting",
    _OWN,
    *keys(digest=String),
    *required(name=String, issuer=String, subject=String, role=String, organisation=String, person_id=String, csrf=String),
    *required(began_at=Moment, seen_at=Moment, ends_at=Moment, notices=JSON),
    Column("id_token", String),
    info={IN_NO_BACKUP: True},
)
"""Who is logged in. No back-up brings one back: a restored store has none."""
_OF_PERSON: Final = ("name", "issuer", "subject", "role", "organisation", "person_id")
WARNED: Final = timedelta(minutes=5)
"""How long before its end a log-in warns."""
SEEN_EVERY: Final = timedelta(seconds=30)
"""A request writes that its person is there only when the last one that did is this old."""


def sitting_table(tables: MetaData) -> Table:
    """Add the table of log-ins to those of a service. Twice is once."""
    return tables.tables[SITTINGS.name] if SITTINGS.name in tables.tables else SITTINGS.to_metadata(tables)


@dataclass(frozen=True, slots=True)
class Notice:
    """One line that the next page tells once: the key of a text, its facts, and its kind: ok, info or warning."""

    key: str
    facts: dict[str, Any] = field(default_factory=dict)
    kind: str = "ok"


@dataclass(frozen=True, slots=True)
class Limits:
    """The time that a log-in lasts without a request, and at most."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Sitting:
    """One log-in of one person. `csrf` is the token that its forms carry."""

    digest: str = field(repr=False)
    person: Person
    csrf: str = field(repr=False)
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    notices: tuple[Notice, ...] = ()
    id_token: str | None = field(default=None, repr=False)

    def idle_until(self, limits: Limits) -> datetime:
        """Return when it ends unless its person asks something."""
        return min(self.seen_at + limits.idle, self.ends_at)


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a log-in that is near. One that nobody asked anything of can be extended, its absolute limit cannot."""

    at: datetime
    can_extend: bool


class Sittings:
    """The log-ins of one site, in the store of its service."""

    def __init__(self, database: Database, limits: Limits, now: Callable[[], datetime]) -> None:
        self._database, self.limits, self._now = database, limits, now
        self._table = sitting_table(database.tables)

    def begin(self, person: Person, id_token: str | None = None) -> str:
        """Begin one, and return the token for the browser's cookie."""
        token, now = secrets.token_urlsafe(32), self._now()
        sitting = Sitting(_digest(token), person, secrets.token_urlsafe(32), now, now, now + self.limits.absolute, (), id_token)
        with self._database.transaction() as connection:
            connection.execute(delete(self._table).where(self._table.c.seen_at < now - self.limits.absolute))
            connection.execute(self._table.insert(), [_row(sitting)])
        return token

    def find(self, token: str) -> Sitting | None:
        """Return the sitting of a token, None when it ended; that its person is there is kept."""
        found = self.peek(token)
        return self.extend(found) if found and self._now() - found.seen_at >= SEEN_EVERY else found

    def peek(self, token: str) -> Sitting | None:
        """Return the sitting of a token, None when it ended, as for a page that asks by itself: nobody was there."""
        with self._database.reading() as connection:
            found = self._of(connection, _digest(token))
        return None if found is None or self._now() >= found.idle_until(self.limits) else found

    def ending(self, sitting: Sitting) -> Ending | None:
        """Return the end of a sitting when that is soon."""
        at = sitting.idle_until(self.limits)
        return Ending(at, can_extend=at < sitting.ends_at) if at - self._now() <= WARNED else None

    def ended(self, token: str) -> Sitting | None:
        """Return the sitting of a token as it was when it ended, while the store still has it; nobody is logged in by it."""
        with self._database.reading() as connection:
            return self._of(connection, _digest(token))

    def extend(self, sitting: Sitting) -> Sitting:
        """Keep that its person is there."""
        return self._changed(replace(sitting, seen_at=self._now()))

    def tell(self, sitting: Sitting, notice: Notice) -> None:
        """Let the next page tell a line."""
        self._changed(replace(sitting, notices=(*sitting.notices, notice)))

    def told(self, sitting: Sitting) -> Sequence[Notice]:
        """Return the lines that the next page tells, once."""
        if sitting.notices:
            self._changed(replace(sitting, notices=()))
        return sitting.notices

    def end(self, sitting: Sitting) -> None:
        """End one, as at a log-out."""
        with self._database.transaction() as connection:
            connection.execute(delete(self._table).where(self._table.c.digest == sitting.digest))

    def _changed(self, after: Sitting) -> Sitting:
        row = _row(after)
        with self._database.transaction() as connection:
            mine = self._table.c.digest == after.digest
            connection.execute(update(self._table).where(mine).values(seen_at=row["seen_at"], notices=row["notices"]))
        return after

    def _of(self, connection: Connection, digest: str) -> Sitting | None:
        row = connection.execute(select(self._table).where(self._table.c.digest == digest)).mappings().first()
        return _sitting(dict(row)) if row else None


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _row(sitting: Sitting) -> dict[str, Any]:
    person = {name: getattr(sitting.person, name) for name in _OF_PERSON}
    own = {name: getattr(sitting, name) for name in ("digest", "csrf", "began_at", "seen_at", "ends_at", "id_token")}
    return {**person, **own, "notices": [[each.key, each.facts, each.kind] for each in sitting.notices]}


def _sitting(row: dict[str, Any]) -> Sitting:
    person = Person(**{name: row[name] for name in _OF_PERSON})
    notices = tuple(Notice(*each) for each in row["notices"])
    own = (row["began_at"], row["seen_at"], row["ends_at"])
    return Sitting(row["digest"], person, row["csrf"], *own, notices, row["id_token"])
