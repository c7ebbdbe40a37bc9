"""The acts on the people of one organisation, for commands and pages alike: who is there, who may what, and until when."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from signal_exchange.domain.people import Person, Role
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.people.access import NEEDED, ROLES_OF, Act, Limit, limit_of
from signal_exchange.people.cover import Cover, cover_of
from signal_exchange.people.store import Deputy, ListedPerson, PeopleStore, in_turn
from signal_exchange.people.watching import Doing, watched
from signal_exchange.runtime.database import Database

OpenWork = Callable[[Connection, Person], Mapping[str, int]]
"""Counts what a person has in hand, by the kind of work, as the service calls it."""
TOKEN_BYTES = 32
ADMIN = Role.ORGANISATION_ADMIN


def no_work(_connection: Connection, _person: Person) -> Mapping[str, int]:
    """Count nothing: of a service in which no work belongs to one person."""
    return {}


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody who comes on the list. `role` is a code of role.csv, empty for who will be a deputy only; days are inclusive."""

    issuer: str
    subject: str
    name: str
    role: str
    organisation: str
    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person as the list shows it, with the open work by kind and those for whom this person stands in, or will.

    `state` is COMING, ACTIVE, DEPUTY (stands in today), LEAVING (has a last day), STOPPED or ENDED.
    """

    listed: ListedPerson
    state: str
    open_work: Mapping[str, int]
    deputy_of: Sequence[Deputy]


@dataclass(frozen=True, slots=True)
class PeopleActions:
    """Everything that can be seen or done about the people of one service. Each method is one transaction.

    `service` names the service whose store this is, `now` is the clock and `open_work` counts what a person has in hand.
    `named` is the person_id, its first signs, or the name. An act takes as `seen_version` the row_version that was on the page.
    """

    database: Database
    service: str
    now: Callable[[], datetime]
    open_work: OpenWork = no_work

    def find(self, issuer: str, subject: str) -> Person | None:
        """Return the person who logs in, with those for whom this person is the deputy today; None: nobody who may come in."""
        with self.database.reading() as connection:
            store = PeopleStore(connection)
            return self._coming_in(store, store.logging_in_as(issuer, subject))

    def find_by_token(self, token: str) -> Person | None:
        """Return the person whom a token proves; None: nobody who may come in."""
        with self.database.reading() as connection:
            store = PeopleStore(connection)
            owner = store.owner_of(_digest(token))
            return None if owner is None else self._coming_in(store, [store.one(owner)])

    def again(self, person_id: str) -> Person | None:
        """Return the person of a log-in as the list has it now; None: may not come in any more."""
        with self.database.reading() as connection:
            store = PeopleStore(connection)
            return self._coming_in(store, store.with_id(person_id))

    def is_empty(self) -> bool:
        """Say whether nobody was ever on the list."""
        with self.database.reading() as connection:
            return PeopleStore(connection).is_empty()

    def people(self, who: Person) -> list[PersonRow]:
        """Return everybody on the list, in the order in which they came; who left comes last."""
        with self._doing(Act.PEOPLE_SEE, who) as (_, store, connection):
            deputies = store.deputies()
            rows = [self._row(each, deputies, connection) for each in store.everybody()]
        return sorted(rows, key=lambda row: row.state == "ENDED")

    def cover(self) -> Cover:
        """Return the cover of the role that this service needs: its first day with nobody, and its first without a deputy."""
        with self.database.reading() as connection:
            store = PeopleStore(connection)
            return cover_of(NEEDED[self.service], store.everybody(), store.deputies(), self._today)

    def add_first(self, new: NewPerson) -> ListedPerson:
        """Add the first person of an empty list, who must be an administrator; whoever holds the store may do this once.

        Raises:
            RefusedError: there are people already, or the first one is no administrator without a last day.
        """
        with self.database.transaction() as connection:
            in_turn(connection)
            store = PeopleStore(connection)
            if not store.is_empty():
                raise RefusedError("PEOPLE_THERE")
            if new.role != ADMIN or new.valid_until is not None or new.valid_from > self._today:
                raise RefusedError("FIRST_IS_ADMIN", field="role")
            person_id = str(uuid.uuid4())
            listed = self._added(store, new, person_id, person_id)
            Doing(Act.PEOPLE_ADD, listed.person(), self.now(), about=person_id).enter(connection)
            return listed

    def add(self, new: NewPerson, who: Person) -> ListedPerson:
        """Add a person.

        Raises:
            RefusedError: the role is none of this service, the days are no time, or the log-in is another one's on those days.
        """
        with self._doing(Act.PEOPLE_ADD, who) as (doing, store, _):
            doing.about = str(uuid.uuid4())
            return self._added(store, new, doing.about, who.person_id)

    def change(
        self, named: str, who: Person, *, name: str | None = None, role: str | None = None, seen_version: int | None = None
    ) -> ListedPerson:
        """Change a person's name or role.

        Raises:
            RefusedError: it is the own role, or that of the last administrator.
        """
        with self._changing(Act.PEOPLE_CHANGE, named, who, seen_version) as (store, listed):
            if role is not None and role != listed.role:
                self._refuse_role(role)
                _refuse_own(listed.person_id, who)
                self._refuse_last_admin(store, listed)
            changed = replace(listed, name=name or listed.name, role=listed.role if role is None else role)
            return _put(store, changed)

    def end(self, named: str, who: Person, *, last_day: date, seen_version: int | None = None) -> ListedPerson:
        """Let a person leave after a last day; everything that the person has in hand went to somebody else first.

        Raises:
            RefusedError: there is open work, the day has passed, or it is the last administrator.
        """
        with self._doing(Act.PEOPLE_END, who) as (doing, store, connection):
            listed = self._chosen(store, named, seen_version, doing)
            self._refuse_last_admin(store, listed)
            if last_day < self._today:
                raise RefusedError("LAST_DAY_PASSED", field="last_day")
            if count := sum(self.open_work(connection, listed.person()).values()):
                raise RefusedError("OPEN_WORK", count=count)
            return _put(store, replace(listed, valid_until=str(last_day), ended_by=who.person_id, ended_at=self.now()))

    def stop(self, named: str, who: Person, *, seen_version: int | None = None) -> ListedPerson:
        """Take a person's access away now, whatever is in hand: that waits for a deputy or for somebody else.

        Raises:
            RefusedError: it is the last administrator.
        """
        with self._changing(Act.PEOPLE_STOP, named, who, seen_version) as (store, listed):
            self._refuse_last_admin(store, listed)
            store.drop_token(listed.person_id)
            return _put(store, replace(listed, stopped_by=who.person_id, stopped_at=self.now()))

    def arrange_deputy(self, absent: str, deputy: str, who: Person, *, first_day: date, last_day: date) -> Deputy:
        """Let a person stand in for another, who is absent, from the first day to the last.

        Raises:
            RefusedError: the days are no time or have passed, the deputy is the same person or not there on all of them, or
                somebody takes a role in this way.
        """
        with self._doing(Act.PEOPLE_ARRANGE_DEPUTY, who) as (doing, store, _):
            away, stands_in = store.named(absent), store.named(deputy)
            doing.about = away.person_id
            if limit_of(who, doing.act) is Limit.OWN_ABSENCE and away.person_id != who.person_id:
                raise RefusedError("NOT_ALLOWED")
            _refuse_own(stands_in.person_id, who)
            if away.person_id == stands_in.person_id:
                raise RefusedError("OWN_DEPUTY", field="deputy")
            self._refuse_days(first_day, last_day)
            if not (stands_in.is_there_on(str(first_day)) and stands_in.has_access_on(str(last_day))):
                raise RefusedError("DEPUTY_NOT_THERE", field="deputy")
            own = (away.person_id, stands_in.person_id, str(first_day), str(last_day), who.person_id, self.now())
            arranged = Deputy(str(uuid.uuid4()), *own)
            store.add_deputy(arranged)
            return arranged

    def end_deputy(self, deputy_id: str, who: Person) -> None:
        """Let a deputy stand in no longer, from now on.

        Raises:
            RefusedError: there is none with this id, or it is for the absence of somebody else.
        """
        with self._doing(Act.PEOPLE_ARRANGE_DEPUTY, who) as (doing, store, _):
            arranged = next((each for each in store.deputies() if each.deputy_id == deputy_id), None)
            if arranged is None:
                raise RefusedError("PERSON_UNKNOWN")
            doing.about = arranged.absent
            if limit_of(who, doing.act) is Limit.OWN_ABSENCE and arranged.absent != who.person_id:
                raise RefusedError("NOT_ALLOWED")
            store.end_deputy(deputy_id, str(self._today - timedelta(days=1)))

    def make_token(self, named: str, who: Person) -> str:
        """Return a new token with which a person is proven on the command line; the one before proves nobody any more.

        Raises:
            RefusedError: it is another's, and this person may make only an own one.
        """
        token = secrets.token_hex(TOKEN_BYTES)
        with self._doing(Act.PEOPLE_MAKE_TOKEN, who) as (doing, store, _):
            listed = store.named(named)
            doing.about = listed.person_id
            if limit_of(who, doing.act) is Limit.OWN_TOKEN and listed.person_id != who.person_id:
                raise RefusedError("NOT_ALLOWED")
            store.put_token(_digest(token), listed.person_id, who.person_id, self.now())
        return token

    @property
    def _today(self) -> date:
        return local_day(self.now())

    @contextmanager
    def _doing(self, act: Act, who: Person) -> Iterator[tuple[Doing, PeopleStore, Connection]]:
        with watched(self.database, act, who, self.now()) as doing, self.database.transaction() as connection:
            in_turn(connection)
            yield doing, PeopleStore(connection), connection
            doing.enter(connection)

    @contextmanager
    def _changing(
        self, act: Act, named: str, who: Person, seen_version: int | None
    ) -> Iterator[tuple[PeopleStore, ListedPerson]]:
        with self._doing(act, who) as (doing, store, _):
            yield store, self._chosen(store, named, seen_version, doing)

    def _chosen(self, store: PeopleStore, named: str, seen_version: int | None, doing: Doing) -> ListedPerson:
        listed = store.named(named)
        doing.about = listed.person_id
        if seen_version is not None and seen_version != listed.row_version:
            raise RefusedError("CHANGED_SINCE_SEEN", field="version", rule="R-REF-02")
        return listed

    def _coming_in(self, store: PeopleStore, found: Sequence[ListedPerson]) -> Person | None:
        today = str(self._today)
        listed = next((each for each in found if each.has_access_on(today)), None)
        if listed is None:
            return None
        absent = [each.absent for each in store.deputies(of=[listed.person_id]) if each.stands_on(today)]
        away = [each for each in map(store.one, dict.fromkeys(absent)) if each.is_there_on(today)]
        return listed.person(tuple(each.person() for each in away))

    def _row(self, listed: ListedPerson, deputies: Sequence[Deputy], connection: Connection) -> PersonRow:
        today = str(self._today)
        own = [each for each in deputies if each.deputy == listed.person_id and each.last_day >= today]
        stands_in = any(each.stands_on(today) for each in own)
        state = _state_of(listed, today, stands_in=stands_in)
        work = {} if state == "ENDED" else self.open_work(connection, listed.person())
        return PersonRow(listed, state, work, own)

    def _added(self, store: PeopleStore, new: NewPerson, person_id: str, by: str) -> ListedPerson:
        self._refuse_role(new.role)
        for field in ("issuer", "subject", "name", "organisation"):
            if not getattr(new, field).strip():
                raise RefusedError("PERSON_INCOMPLETE", field=field)
        until = None if new.valid_until is None else str(new.valid_until)
        if until is not None:
            self._refuse_days(new.valid_from, date.fromisoformat(until))
        said = (new.issuer.strip(), new.subject.strip(), new.name.strip(), new.role, new.organisation.strip())
        listed = ListedPerson(person_id, 1, *said, str(new.valid_from), until, by, self.now())
        if any(_meet(listed, each) for each in store.logging_in_as(listed.issuer, listed.subject)):
            raise RefusedError("LOGIN_TAKEN", field="subject")
        return _put(store, listed, new=True)

    def _refuse_role(self, role: str) -> None:
        if role and role not in ROLES_OF[self.service]:
            raise RefusedError("ROLE_NOT_HERE", field="role")

    def _refuse_days(self, first_day: date, last_day: date) -> None:
        if last_day < first_day:
            raise RefusedError("DAYS_TURNED", field="last_day")
        if last_day < self._today:
            raise RefusedError("LAST_DAY_PASSED", field="last_day")

    def _refuse_last_admin(self, store: PeopleStore, listed: ListedPerson) -> None:
        """Refuse what would leave nobody who administers: another one must be there already and have no last day."""
        today = str(self._today)
        others = [each for each in store.with_role(ADMIN) if each.person_id != listed.person_id]
        stays = any(each.has_access_on(today) and each.valid_until is None for each in others)
        if listed.role == ADMIN and listed.has_access_on(today) and not stays:
            raise RefusedError("LAST_ADMIN")


def _put(store: PeopleStore, listed: ListedPerson, *, new: bool = False) -> ListedPerson:
    kept = listed if new else replace(listed, row_version=listed.row_version + 1)
    store.put(kept)
    return kept


def _refuse_own(person_id: str, who: Person) -> None:
    if person_id == who.person_id:
        raise RefusedError("OWN_ROLE", field="role")


def _meet(one: ListedPerson, other: ListedPerson) -> bool:
    return one.valid_from <= (other.valid_until or _FOREVER) and other.valid_from <= (one.valid_until or _FOREVER)


def _state_of(listed: ListedPerson, today: str, *, stands_in: bool) -> str:
    if listed.valid_until is not None and listed.valid_until < today:
        return "ENDED"
    if listed.stopped_at is not None:
        return "STOPPED"
    if listed.valid_from > today:
        return "COMING"
    if listed.valid_until is not None:
        return "LEAVING"
    return "DEPUTY" if stands_in else "ACTIVE"


def _digest(token: str) -> str:
    return hashlib.sha256(token.strip().encode()).hexdigest()


_FOREVER = str(date.max)
