"""Which victims are one person, and the fact that the figures count of that person in a calendar year (R-STAT-01, R-STAT-02)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

VICTIM = "VICTIM"
UNKNOWN = "UNKNOWN"
_CLASS_OF_BAND = {
    **dict.fromkeys(("AGE_0_11", "AGE_12_15", "AGE_16_17"), "MINOR"),
    "AGE_18_22": "AGE_18_22",
    **dict.fromkeys(("AGE_23_29", "AGE_30_44", "AGE_45_64", "AGE_65_PLUS"), "AGE_23_PLUS"),
}


@dataclass(frozen=True, slots=True)
class Victim:
    """One mention of a victim, in a signal that counts (not withdrawn); `publish_day` as 2026-11-18."""

    key: str
    signal_id: str
    appended_at: datetime
    municipality: str
    publish_day: str
    form: str
    age_class: str

    @property
    def year(self) -> int:
        """Give the calendar year in which this mention counts."""
        return int(self.publish_day[:4])


@dataclass(frozen=True, slots=True)
class PersonFact:
    """The facts that count of one person in one year: day, area, form and age of the first report."""

    year: int
    municipality: str
    publish_day: str
    form: str
    age_class: str


def age_class(age_band: str) -> str:
    """Give the age class of an age band; the unknown ones, adult or not, are UNKNOWN (R-STAT-02)."""
    return _CLASS_OF_BAND.get(age_band, UNKNOWN)


def yearly_facts(person: Iterable[Victim]) -> tuple[PersonFact, ...]:
    """Give one fact per calendar year in which a person was reported, by the first report of that year.

    The first has the earliest append time, then the smallest signal id: quarters and areas add up.
    """
    first: dict[int, Victim] = {}
    for victim in sorted(person, key=lambda each: (each.appended_at, each.signal_id, each.key), reverse=True):
        first[victim.year] = victim
    return tuple(
        PersonFact(year, one.municipality, one.publish_day, one.form, one.age_class) for year, one in sorted(first.items())
    )
