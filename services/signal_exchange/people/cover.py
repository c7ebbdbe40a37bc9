"""Whether somebody is there: the first day ahead on which nobody has a role, or nobody stands in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from signal_exchange.people.store import Deputy, ListedPerson

AHEAD = 14
"""Days from today on that are looked at."""


@dataclass(frozen=True, slots=True)
class Cover:
    """The cover of a role: the first day with nobody, and the first without a deputy; None where that is not in sight."""

    nobody_from: date | None
    no_deputy_from: date | None


def cover_of(role: str, people: Iterable[ListedPerson], deputies: Iterable[Deputy], today: date) -> Cover:
    """Return the cover of a role. A person who stands in for somebody of the role fills it too."""
    everybody = {each.person_id: each for each in people}
    holders = [each for each in everybody.values() if each.role == role]
    own = {each.person_id for each in holders}
    standing = [each for each in deputies if each.absent in own]

    def stands_in(day: str) -> bool:
        return any(each.stands_on(day) and everybody[each.deputy].has_access_on(day) for each in standing)

    days = [today + timedelta(days=ahead) for ahead in range(AHEAD)]
    without = [day for day in days if not stands_in(str(day))]
    return Cover(_first_without(holders, without), next(iter(without), None))


def _first_without(holders: Sequence[ListedPerson], days: Sequence[date]) -> date | None:
    return next((day for day in days if not any(each.has_access_on(str(day)) for each in holders)), None)
