"""The plan of a region: seed, period, size, and the publication of its signals."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from math import ceil
from typing import Final

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.domain.members import Municipality
from signal_exchange.reference.loading import load_members

WEEKS_IN_YEAR: Final = 52
SIGNALS_AT_SCALE_1: Final = 122.9
"""Mean number of signals of a year at scale 1: 50.2 true reports, 60.2 false ones, 12.5 anonymous tips."""
JOINS_AFTER_WEEKS: Final = 26
"""When a municipality that has not acceded takes part in a synthetic region."""
FIRST_DAY: Final = date(2022, 4, 21)
"""Before this day nobody had acceded, so that nothing could be published."""


class NoSuchRegionError(ValueError):
    """The arguments describe no region; the message names the one that is wrong."""


@dataclass(frozen=True)
class TargetedProject:
    """Weeks in which one municipality looks harder: its hidden victims are noticed `factor` times as often."""

    start: date
    weeks: int
    municipality: str
    factor: float = 4.0

    @property
    def days(self) -> range:
        """Give the days of the project as ordinals."""
        return range(self.start.toordinal(), self.start.toordinal() + 7 * self.weeks)


@dataclass(frozen=True)
class Plan:
    """The arguments of a region.

    `municipalities` are all of the region unless named. With `publish_day` everything is published on that day, as the demo
    does; else every signal on the day on which it came in. `scale` 1 is the real size of the region.
    """

    seed: int
    start: date
    weeks: int
    scale: float = 1.0
    municipalities: tuple[str, ...] = ()
    publish_day: date | None = None
    project: TargetedProject | None = None

    def __post_init__(self) -> None:
        if self.weeks < 1:
            raise NoSuchRegionError("weeks: at least 1.")
        if not self.scale > 0:
            raise NoSuchRegionError("scale: more than 0.")
        if self.start < FIRST_DAY:
            raise NoSuchRegionError(f"start: {FIRST_DAY} or later; before that nobody had acceded (R-VAL-02).")
        if self.project and self.project.municipality not in {str(member.code) for member in self.members}:
            raise NoSuchRegionError("project: its municipality is not of this region.")

    @cached_property
    def members(self) -> tuple[Municipality, ...]:
        """Give the municipalities that take part; raises KeyError for a code that is none of the region."""
        known = load_members().by_code
        return tuple(known[MunicipalityCode(code)] for code in self.municipalities) if self.municipalities else (*known.values(),)

    @property
    def codes(self) -> tuple[str, ...]:
        """Give the codes of the municipalities."""
        return tuple(str(member.code) for member in self.members)

    @property
    def end(self) -> date:
        """Give the first day after the period."""
        return self.start + timedelta(weeks=self.weeks)

    @property
    def size(self) -> float:
        """Give the size in years of the real region: everything that is counted grows with it."""
        return self.scale * self.weeks / WEEKS_IN_YEAR

    @property
    def blocks(self) -> int:
        """Give the number of parts of at most size 1 in which the region is made, one after another."""
        return ceil(self.size)

    @property
    def last_moment(self) -> datetime:
        """Give the last moment at which something may come in, without zone."""
        return datetime.combine(self.end, datetime.min.time()) - timedelta(minutes=1)

    def accession_of(self, code: str) -> date | None:
        """Give the day on which a municipality joins that has not acceded; None for those that have."""
        status = {str(member.code): member.accession_status for member in self.members}[code]
        return self.start + timedelta(weeks=JOINS_AFTER_WEEKS) if status == "PENDING" else None

    def may_publish(self, code: str, day: date) -> bool:
        """Say whether a municipality may publish on a day (R-VAL-02); with one publish day, who takes part may."""
        joins = self._joining[code]
        return self.publish_day is not None or joins is None or joins <= day

    def is_pending(self, code: str, day: date) -> bool:
        """Say whether a municipality has not joined on a day, or does not take part in this region."""
        return code not in self._joining or not self.may_publish(code, day)

    @cached_property
    def _joining(self) -> dict[str, date | None]:
        return {code: self.accession_of(code) for code in self.codes}
