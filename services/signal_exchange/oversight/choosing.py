"""The parked records and the numbers that a person means, and never all of them by mistake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from signal_exchange.contracts.records import OversightParkedRecord
from signal_exchange.domain.times import AMSTERDAM

Record = OversightParkedRecord
SHOWN: Final = 5
"""Records that are shown of those that are meant."""
NO_SENDER: Final = "none"


@dataclass(frozen=True, slots=True)
class ParkedChoice:
    """The properties that records must have to be meant; None says nothing. `sender` is a CBS code, or NO_SENDER.

    `everything` means every record, when nothing else says which. A moment without a zone is one in Amsterdam.
    """

    ids: Sequence[str] = ()
    service: str | None = None
    parked_as: str | None = None
    sender: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    everything: bool = False

    @property
    def has_filters(self) -> bool:
        """Say whether anything but ids says which records are meant."""
        return any(each is not None for each in (self.service, self.parked_as, self.sender, self.since, self.until))

    @property
    def is_said(self) -> bool:
        """Say whether anything says which records are meant: nobody decides about every record without saying so."""
        return bool(self.ids) or self.has_filters or self.everything

    def among(self, records: Iterable[Record]) -> list[Record]:
        """Return those that are meant, in their order."""
        return [record for record in records if self._means(record)]

    def _means(self, record: Record) -> bool:
        at = record["parked_at"]
        return (
            (not self.ids or record["parked_id"] in self.ids)
            and self.service in (None, record["service"])
            and self.parked_as in (None, record["reason"])
            and self.sender in (None, record["municipality"] or NO_SENDER)
            and (self.since is None or at >= _aware(self.since))
            and (self.until is None or at < _aware(self.until))
        )


EVERY_RECORD: Final = ParkedChoice(everything=True)


@dataclass(frozen=True, slots=True)
class NumberChoice:
    """The numbers `first` to `last` of one run of a municipality, or `first` alone; with `everything` all that are overdue.

    With `everything` and without a run they are those of every run.
    """

    municipality: str
    run: str | None = None
    first: int | None = None
    last: int | None = None
    everything: bool = False


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=AMSTERDAM)


def counted(chosen: Sequence[Record]) -> dict[str, Any]:
    """Return the number of chosen records, by service and reason too, and the ids of the first of them."""
    numbers = Counter((record["service"], record["reason"]) for record in chosen)
    by = [{"service": service, "reason": reason, "count": count} for (service, reason), count in sorted(numbers.items())]
    return {"count": len(chosen), "by": by, "first": [record["parked_id"] for record in chosen[:SHOWN]]}
