"""The municipalities of the region and since when they take part (R-VAL-02)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from signal_exchange.domain.ids import MunicipalityCode


@dataclass(frozen=True, slots=True)
class Municipality:
    """One municipality with its accession; `oin` is its organisation number in the envelope."""

    code: MunicipalityCode
    name: str
    subregion: str
    population: int
    accession_status: str
    accession_date: date | None
    left_date: date | None
    oin: str

    def is_member(self, day: date) -> bool:
        """Say whether it may publish and read on a day (R-VAL-02); PENDING may not."""
        if self.accession_status == "ACCEDED":
            return self.accession_date is not None and self.accession_date <= day
        return self.accession_status == "LEFT" and self.left_date is not None and day < self.left_date


@dataclass(frozen=True, slots=True)
class Members:
    """All municipalities of the region by code, in file order."""

    by_code: Mapping[MunicipalityCode, Municipality]

    def get(self, code: str) -> Municipality | None:
        """Find a municipality; None when it is not of this region."""
        return self.by_code.get(MunicipalityCode(code))

    def is_member(self, code: str, day: date) -> bool:
        """Say whether a municipality may publish and read on a day (R-VAL-02)."""
        found = self.get(code)
        return found is not None and found.is_member(day)
