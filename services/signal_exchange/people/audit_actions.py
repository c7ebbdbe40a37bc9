"""The acts on the audit log, for commands and pages alike: to read it, take it along, and let old months end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from signal_exchange.domain.people import Person
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.times import local_day
from signal_exchange.people.access import Act, Limit, limit_of
from signal_exchange.people.audit import AuditLog, Entry, Intact, Wanted, opaque
from signal_exchange.people.watching import watched
from signal_exchange.runtime.database import Database

PAGE_SIZE = 50
MOST = 100_000
"""Entries that are taken along at once."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of entries, the latest first; `count` is that of all entries which were asked for."""

    entries: Sequence[Entry]
    count: int


@dataclass(frozen=True, slots=True)
class AuditActions:
    """Everything that can be seen or done about the audit log of one service. To look at it is kept in it as well."""

    database: Database
    now: Callable[[], datetime]
    policy: Policy = field(default_factory=Policy)

    def read(self, who: Person, wanted: Wanted, *, page: int = 1, page_size: int = PAGE_SIZE) -> AuditPage:
        """Return a page of entries. The privacy officer sees all; others see their own, whatever they ask for."""
        own = replace(wanted, who=who.person_id) if limit_of(who, Act.AUDIT_READ) is Limit.OWN_LINES else wanted
        return self._found(Act.AUDIT_READ, who, own, page=page, page_size=page_size)

    def export(self, who: Person, wanted: Wanted) -> AuditPage:
        """Return the entries as one page, to take along in a file."""
        return self._found(Act.AUDIT_EXPORT, who, wanted, page=1, page_size=MOST)

    def check(self, who: Person) -> Intact:
        """Return the intact part of the log, after each of its hashes was made anew: of 100,000 entries in a few seconds."""
        with watched(self.database, Act.AUDIT_CHECK, who, self.now()) as doing, self.database.transaction() as connection:
            intact = AuditLog(connection).intact()
            doing.enter(connection)
        return intact

    def end_old_months(self, who: Person) -> list[str]:
        """Delete the entries of each month that ended 60 months ago (R-RET-02), and return those months, as 2021-11."""
        at = self.now()
        day = local_day(at)
        first_kept = day.year * 12 + day.month - 1 - self.policy.audit_months
        before = f"{first_kept // 12:04}-{first_kept % 12 + 1:02}"
        with watched(self.database, Act.AUDIT_END_MONTHS, who, at, about=before) as doing, self.database.transaction() as store:
            months = AuditLog(store).end_months(before, at)
            doing.enter(store)
        return months

    def _found(self, act: Act, who: Person, wanted: Wanted, *, page: int, page_size: int) -> AuditPage:
        about = opaque(wanted.about or wanted.who)
        with watched(self.database, act, who, self.now(), about=about) as doing, self.database.transaction() as connection:
            log = AuditLog(connection)
            found = AuditPage(log.entries(wanted, page_size=page_size, page=page), log.count(wanted))
            doing.enter(connection)
        return found
