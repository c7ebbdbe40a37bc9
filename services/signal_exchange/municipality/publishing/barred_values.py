"""The municipality's own list of values that would link strangers: its shelters, switchboards and police stations (R-LINK-07)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.normal_forms import address_bag, address_pc, iban, kvk, phone, plate

COLUMNS: Final = ("type", "value")


def read_barred(file: Path | None) -> frozenset[tuple[str, str]]:
    """Return the list as (type, normalised value); without a file nothing is on it.

    The file is CSV with the columns type and value, the value normalised as schemas/tokens says, as `PHONE,+31770001234` or
    `ADDRESS_PC,5999ZZ|12|A`. Things only: a person is never on it.

    Raises:
        RefusedError: the file cannot be read, or a line is wrong; named by its number and never by what stands there.
    """
    if file is None:
        return frozenset()
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.reader(opened))
    except (OSError, ValueError, csv.Error):
        raise RefusedError("BARRED_UNREADABLE") from None
    if not rows or tuple(rows[0]) != COLUMNS:
        raise RefusedError("BARRED_COLUMNS", rule="R-LINK-07")
    wrong = [number for number, row in enumerate(rows[1:], start=2) if not _is_right(row)]
    if wrong:
        raise RefusedError("BARRED_LINE", line=wrong[0])
    return frozenset((kind, value) for kind, value in rows[1:])


def _is_right(row: list[str]) -> bool:
    if len(row) != len(COLUMNS) or row[0] not in _AGAIN:
        return False
    return _AGAIN[row[0]](row[1]) == row[1]


def _plate_again(value: str) -> str | None:
    country, _, number = value.partition(":")
    return plate(number, country)


def _address_again(value: str) -> str | None:
    code, _, rest = value.partition("|")
    number, _, addition = rest.partition("|")
    return address_pc(code, number, addition)


_AGAIN: Final[Mapping[str, Callable[[str], str | None]]] = {
    "PHONE": phone,
    "ADDRESS_PC": _address_again,
    "ADDRESS_BAG": address_bag,
    "PLATE": _plate_again,
    "IBAN": iban,
    "KVK": kvk,
}
"""What normalises a value of each type of thing: a value that is normalised already comes out as it went in."""
