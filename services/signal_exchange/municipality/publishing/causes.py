"""Causes of a value or a row that cannot be read: one each, where R-VAL-22 has one code for all. The catalogue has the words."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Cause of a fault, beside field and rule."""

    DATE_FORM = "DATE_FORM"
    DATE_SERIAL = "DATE_SERIAL"
    DATE_SHORT_YEAR = "DATE_SHORT_YEAR"
    DATE_ORDER = "DATE_ORDER"
    NO_SUCH_DAY = "NO_SUCH_DAY"
    MOMENT_FORM = "MOMENT_FORM"
    FLAG_FORM = "FLAG_FORM"
    COUNT_FORM = "COUNT_FORM"
    TEXT_FORM = "TEXT_FORM"
    LIST_FORM = "LIST_FORM"
    GROUP_FORM = "GROUP_FORM"
    REF_FORM = "REF_FORM"
    REF_TWICE = "REF_TWICE"
    NO_RECORD = "NO_RECORD"
    NO_JSON = "NO_JSON"
    FIELD_TWICE = "FIELD_TWICE"
    QUOTE = "QUOTE"
    CELLS = "CELLS"
    HEADER_AGAIN = "HEADER_AGAIN"
    ENCODING = "ENCODING"
    CONTROL = "CONTROL"
    FORMULA = "FORMULA"
    LONG_LINE = "LONG_LINE"
    TOO_BIG = "TOO_BIG"
    DOUBLE = "DOUBLE"
    CHANGES = "CHANGES"
    WITHDRAWN = "WITHDRAWN"
