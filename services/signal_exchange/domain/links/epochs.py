"""Key epochs: half years, in which link tokens of equal values are equal (R-LINK-01)."""

import re
from datetime import date
from typing import Final

_EPOCH: Final = re.compile(r"([0-9]{4})H([12])")
_SECOND_HALF: Final = 7


def epoch_of(day: date) -> str:
    """Give the epoch of a day, as 2026H2."""
    return f"{day.year:04d}H{1 if day.month < _SECOND_HALF else 2}"


def epoch_start(epoch: str) -> date | None:
    """Give the first day of an epoch; None when the text is no epoch."""
    found = _EPOCH.fullmatch(epoch)
    if found is None or found[1] == "0000":
        return None
    return date(int(found[1]), 1 if found[2] == "1" else _SECOND_HALF, 1)


def previous_epoch(epoch_day: date) -> str:
    """Give the epoch before the one of a day."""
    if epoch_day.month < _SECOND_HALF:
        return f"{epoch_day.year - 1:04d}H2"
    return f"{epoch_day.year:04d}H1"


def next_epoch(epoch_day: date) -> str:
    """Give the epoch after the one of a day."""
    return f"{epoch_day.year:04d}H2" if epoch_day.month < _SECOND_HALF else f"{epoch_day.year + 1:04d}H1"
