"""The shape of a municipal record: what stays inside, and what the coded signal is made from."""

from datetime import datetime
from typing import Final

from signal_exchange.domain.shape import Leaf, Many, Record, is_count, is_date, is_flag, is_text


def is_moment(value: object) -> bool:
    """Fit a date with a clock time and a zone, as 2026-11-17T14:10:00+01:00."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_TEXT: Final = Leaf(is_text, nullable=True)
_TEXTS: Final = Many(Leaf(is_text))
_FLAG: Final = Leaf(is_flag)
_DATE: Final = Leaf(is_date, nullable=True)
_MOMENT: Final = Leaf(is_moment, nullable=True)
_COUNT: Final = Leaf(is_count, nullable=True)


def _texts(*names: str) -> dict[str, Leaf]:
    return dict.fromkeys(names, _TEXT)


_SUBJECT: Final = Record({
    **_texts(
        "ref", "role", "family_name", "given_names", "sex", "nationality", "nationality_group", "bsn", "phone", "relation",
        "age_band",
    ),
    "birth_date": _DATE,
})  # fmt: skip

MUNICIPAL_RECORD: Final = Record({
    "synthetic": _FLAG,
    **_texts("local_ref", "erasure_key_id", "municipality", "reporter_source", "sector", "urgency", "narrative", "summary"),
    "received_at": _MOMENT,
    "emergency_advised_at": _MOMENT,
    "observed": Record({"from": _DATE, "to": _DATE}),
    "reporter": Record(_texts("name", "function", "phone", "email"), nullable=True),
    "corroborated": _FLAG,
    "forms": Record({"primary": _TEXT, "secondary": _TEXTS}),
    **dict.fromkeys(("acts", "means", "indicators", "vulnerabilities", "care_needs"), _TEXTS),
    "subjects": Many(_SUBJECT),
    "places": Many(Record(_texts("kind", "postcode", "number", "addition", "street", "bag_id"))),
    "plates": Many(Record(_texts("plate", "country"))),
    "accounts": _TEXTS,
    "companies": _TEXTS,
    "estimated_victims": _COUNT,
    "consent": Record({**_texts("status", "given_by"), "recorded_on": _DATE}),
    "police_data": _FLAG,
    "exchanges": Many(Record(_texts("purpose", "legal_basis", "partnership", "release_ref"))),
})  # fmt: skip
"""A record as in the examples inside; only types are judged here, the rules judge what is made from it."""
