"""Reading an unknown JSON value against a shape: what is missing, unknown or of a wrong type (R-VAL-01, 17, 22)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from signal_exchange.domain.signals.violations import Violation, violation

Fits = Callable[[object], bool]

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIELD_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}")


@dataclass(slots=True)
class Reading:
    """The finds of a walk over a value; `codes` are the uses of a code list: path, list, code."""

    types: list[Violation] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    codes: list[tuple[str, str, str]] = field(default_factory=list)

    def wrong(self, path: str) -> None:
        """Note a value of a wrong type (R-VAL-22)."""
        self.types.append(violation(path, "V22_TYPE"))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A single value; `code_list` names the list it must come from."""

    fits: Fits
    required: bool = False
    nullable: bool = False
    code_list: str | None = None
    null_is_missing = False

    def read(self, value: object, path: str, found: Reading) -> None:
        """Check one value."""
        if value is None and self.nullable:
            return
        if not self.fits(value):
            found.wrong(path)
        elif self.code_list is not None:
            found.codes.append((path, self.code_list, str(value)))


@dataclass(frozen=True, slots=True)
class Record:
    """A value with named fields; with `null_is_missing` a null counts as absent."""

    fields: Mapping[str, "Spec"]
    required: bool = False
    null_is_missing: bool = False
    nullable: bool = False

    def read(self, value: object, path: str, found: Reading) -> None:
        """Check every field, and that there is no other."""
        if value is None and self.nullable:
            return
        if not isinstance(value, dict | Mapping):
            found.wrong(path)
            return
        prefix = f"{path}." if path else ""
        if value.keys() - self.fields.keys():
            found.unknown.extend(prefix + _shown(name) for name in value if name not in self.fields)
        for name, spec in self.fields.items():
            _read_field(value, name, spec, prefix + name, found)


@dataclass(frozen=True, slots=True)
class Many:
    """A list of values of one shape; with `filled` an empty list counts as absent."""

    of: "Leaf | Record"
    required: bool = False
    filled: bool = False
    null_is_missing = False

    def read(self, value: object, path: str, found: Reading) -> None:
        """Check every element."""
        if not isinstance(value, list | tuple):
            found.wrong(path)
            return
        if self.filled and not value:
            found.missing.append(path)
        for index, element in enumerate(value):
            self.of.read(element, f"{path}[{index}]", found)


Spec = Leaf | Record | Many


def _read_field(record: Mapping[str, object], name: str, spec: Spec, path: str, found: Reading) -> None:
    value = record.get(name)
    if value is None and (spec.null_is_missing or name not in record):
        if spec.required:
            found.missing.append(path)
    else:
        spec.read(value, path, found)


def _shown(name: object) -> str:
    """Name an unknown field only when it looks like a field name: a sender might put anything there."""
    return name if isinstance(name, str) and _FIELD_NAME.fullmatch(name) else "?"


def is_text(value: object) -> bool:
    """Fit any text."""
    return isinstance(value, str)


def is_flag(value: object) -> bool:
    """Fit true and false."""
    return isinstance(value, bool)


def is_count(value: object) -> bool:
    """Fit a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_date(value: object) -> bool:
    """Fit a date as 2026-11-17 that exists."""
    return to_date(value) is not None


def to_date(value: object) -> date | None:
    """Read a date as 2026-11-17; None when it is none."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def needed(fits: Fits) -> Leaf:
    """Make a required value."""
    return Leaf(fits, required=True)
