"""Identifiers as types, so that no bare text travels where an id is meant."""

import re
from typing import NewType

MunicipalityCode = NewType("MunicipalityCode", str)
"""CBS code of a municipality, as GM0983."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MUNICIPALITY = re.compile(r"GM[0-9]{4}")


class NotAnIdError(ValueError):
    """The text is no identifier of the expected kind; the message never repeats it."""


def is_uuid(text: str) -> bool:
    """Say whether a text is a UUID in its canonical form: lower case, with hyphens (R-VAL-22)."""
    return _UUID.fullmatch(text) is not None


def is_municipality_code(text: str) -> bool:
    """Say whether a text has the form of a CBS code of a municipality, as GM0983."""
    return _MUNICIPALITY.fullmatch(text) is not None


def is_signal_id(value: object) -> bool:
    """Say whether a value is a canonical signal id (R-VAL-22)."""
    return isinstance(value, str) and is_uuid(value)


def parse_municipality_code(text: str) -> MunicipalityCode:
    """Read a municipality code; raises NotAnIdError. Membership is another question (R-VAL-02)."""
    if not is_municipality_code(text):
        raise NotAnIdError("municipality: no code as GM0983 (R-VAL-02)")
    return MunicipalityCode(text)
