"""The rows of the people of one service in one open transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from signal_exchange.domain.people import Person, Role
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.people.tables import DEPUTIES, PEOPLE, TOKENS
from signal_exchange.runtime.database import row_of, values_of

PEOPLE_LOCK = 0x50454F504C45
"""PostgreSQL's advisory lock: of two processes that change people or the audit log, one waits. SQLite's writers wait anyway."""
SHORTEST = 8
"""Signs of a person_id that name somebody at least."""


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """One person as the list has it. Days are ISO dates, the last one inclusive; who did something is a person_id."""

    person_id: str
    row_version: int
    issuer: str = field(repr=False)
    subject: str = field(repr=False)
    name: str
    role: str
    organisation: str
    valid_from: str
    valid_until: str | None
    added_by: str
    added_at: datetime
    ended_by: str | None = None
    ended_at: datetime | None = None
    stopped_by: str | None = None
    stopped_at: datetime | None = None

    def has_access_on(self, day: str) -> bool:
        """Say whether this person may come in on a day."""
        return self.stopped_at is None and self.is_there_on(day)

    def is_there_on(self, day: str) -> bool:
        """Say whether this person is of the organisation on a day, also while the access is stopped."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)

    def person(self, deputy_of: tuple[Person, ...] = ()) -> Person:
        """Return this person as somebody who acts."""
        return Person(self.name, self.issuer, self.subject, self.role, self.organisation, self.person_id, deputy_of)


@dataclass(frozen=True, slots=True)
class Deputy:
    """One time in which a person stands in for another, from the first day to the last; persons by their person_id."""

    deputy_id: str
    absent: str
    deputy: str
    first_day: str
    last_day: str
    arranged_by: str
    arranged_at: datetime

    def stands_on(self, day: str) -> bool:
        """Say whether the deputy stands in on a day."""
        return self.first_day <= day <= self.last_day


def in_turn(connection: Connection) -> None:
    """Let this transaction wait for every other one that changes people or the audit log, until it ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(PEOPLE_LOCK)))


class PeopleStore:
    """The people of a service, their deputies and their tokens."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_empty(self) -> bool:
        """Say whether nobody was ever on the list."""
        return self._connection.execute(select(PEOPLE.c.person_id).limit(1)).first() is None

    def everybody(self) -> list[ListedPerson]:
        """Return everybody who ever was on the list, in the order in which they came."""
        return values_of(ListedPerson, self._connection, select(PEOPLE).order_by(PEOPLE.c.added_at, PEOPLE.c.person_id))

    def one(self, person_id: str) -> ListedPerson:
        """Return a person of the list.

        Raises:
            RefusedError: there is none.
        """
        return _the_one(self.with_id(person_id))

    def with_id(self, person_id: str) -> list[ListedPerson]:
        """Return the person of an id, or nobody."""
        return values_of(ListedPerson, self._connection, select(PEOPLE).where(PEOPLE.c.person_id == person_id))

    def named(self, named: str) -> ListedPerson:
        """Return the person whom somebody names: by the name on the list, or by the person_id or its first signs.

        Raises:
            RefusedError: there is none, or more than one.
        """
        fits = PEOPLE.c.name == named.strip()
        if len(named.strip()) >= SHORTEST:
            fits = or_(fits, PEOPLE.c.person_id.startswith(named.strip().lower(), autoescape=True))
        return _the_one(values_of(ListedPerson, self._connection, select(PEOPLE).where(fits)))

    def logging_in_as(self, issuer: str, subject: str) -> list[ListedPerson]:
        """Return everybody who was ever known by this issuer and subject: one person each time that somebody came."""
        chosen = select(PEOPLE).where(PEOPLE.c.issuer == issuer, PEOPLE.c.subject == subject)
        return values_of(ListedPerson, self._connection, chosen)

    def with_role(self, role: Role) -> list[ListedPerson]:
        """Return everybody who has or had a role."""
        return values_of(ListedPerson, self._connection, select(PEOPLE).where(PEOPLE.c.role == role.value))

    def put(self, person: ListedPerson) -> None:
        """Keep a person: a new one, or as it is now."""
        if person.row_version == 1:
            self._connection.execute(insert(PEOPLE).values(row_of(person)))
        else:
            self._connection.execute(update(PEOPLE).where(PEOPLE.c.person_id == person.person_id).values(row_of(person)))

    def deputies(self, *, of: Collection[str] | None = None) -> list[Deputy]:
        """Return past, present and coming deputies, with those absent; with `of` only where one of these is the deputy."""
        chosen = select(DEPUTIES).order_by(DEPUTIES.c.first_day, DEPUTIES.c.deputy_id)
        return values_of(Deputy, self._connection, chosen if of is None else chosen.where(DEPUTIES.c.deputy.in_(of)))

    def add_deputy(self, deputy: Deputy) -> None:
        """Keep who stands in for whom."""
        self._connection.execute(insert(DEPUTIES).values(row_of(deputy)))

    def end_deputy(self, deputy_id: str, last_day: str) -> None:
        """Let the time of a deputy end on a day, before it began also."""
        self._connection.execute(update(DEPUTIES).where(DEPUTIES.c.deputy_id == deputy_id).values(last_day=last_day))

    def put_token(self, digest: str, person_id: str, made_by: str, at: datetime) -> None:
        """Keep the digest of a person's token; the one before proves nobody any more."""
        self.drop_token(person_id)
        self._connection.execute(insert(TOKENS).values(digest=digest, person_id=person_id, made_by=made_by, made_at=at))

    def drop_token(self, person_id: str) -> None:
        """Forget the token of a person."""
        self._connection.execute(delete(TOKENS).where(TOKENS.c.person_id == person_id))

    def owner_of(self, digest: str) -> str | None:
        """Return the person_id of whom a token with this digest proves."""
        return self._connection.execute(select(TOKENS.c.person_id).where(TOKENS.c.digest == digest)).scalar_one_or_none()


def _the_one(found: list[ListedPerson]) -> ListedPerson:
    if not found:
        raise RefusedError("PERSON_UNKNOWN")
    if len(found) > 1:
        raise RefusedError("PERSON_NOT_CLEAR")
    return found[0]
