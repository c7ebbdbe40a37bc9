"""The shapes of a municipal record and of the coded signal made from it, as the table of fields gives them.

Of a municipal record only the types are judged: the rules judge the coded signal.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from signal_exchange.domain.ids import is_signal_id
from signal_exchange.domain.signals.fields import SIGNAL, Field, Kind, Need, coded, entered
from signal_exchange.domain.signals.shape import Fits, Leaf, Many, Record, Spec, is_count, is_date, is_flag, is_text


def is_moment(value: object) -> bool:
    """Fit a date with a clock time and a zone, as 2026-11-17T14:10:00+01:00."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_FITS: Final[Mapping[Kind, Fits]] = {
    Kind.ID: is_signal_id,
    Kind.FLAG: is_flag,
    Kind.COUNT: is_count,
    Kind.DAY: is_date,
    Kind.MOMENT: is_moment,
}
"""What fits a single value; any text fits the other kinds."""


def _inside(field: Field) -> Spec:
    match field.kind:
        case Kind.GROUP:
            return Record(_all_inside(field.parts), nullable=field.need is Need.NULLABLE)
        case Kind.ROWS:
            return Many(Record(_all_inside(field.parts)))
        case Kind.CODES | Kind.TEXTS:
            return Many(Leaf(is_text))
    return Leaf(_FITS.get(field.kind, is_text), nullable=field.kind is not Kind.FLAG)


def _all_inside(fields: tuple[Field, ...]) -> dict[str, Spec]:
    return {each.inside: _inside(each) for each in entered(fields)}


def _on_wire(field: Field) -> Spec:
    required = field.need in {Need.REQUIRED, Need.FILLED, Need.NOT_NULL}
    match field.kind:
        case Kind.GROUP:
            return Record(_all_on_wire(field.parts), required=required, null_is_missing=field.need is Need.NOT_NULL)
        case Kind.ROWS:
            return Many(Record(_all_on_wire(field.parts)), required=required, filled=field.need is Need.FILLED)
        case Kind.CODES:
            return Many(Leaf(is_text, code_list=field.codes))
    fits = _FITS.get(field.kind, is_text)
    return Leaf(fits, required=required, nullable=field.need is Need.NULLABLE, code_list=field.codes)


def _all_on_wire(fields: tuple[Field, ...]) -> dict[str, Spec]:
    return {each.name: _on_wire(each) for each in coded(fields)}


MUNICIPAL_RECORD: Final = Record(_all_inside(SIGNAL))
"""A record as in the examples inside."""

CODED_SIGNAL: Final = Record(_all_on_wire(SIGNAL))
"""The coded signal as R-VAL-01, R-VAL-03, R-VAL-17 and R-VAL-22 want it."""
