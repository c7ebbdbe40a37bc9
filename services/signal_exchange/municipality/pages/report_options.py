"""Options of the steps of the form: codes that are valid today, by their labels or in plainer words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from signal_exchange import words
from signal_exchange.reference.loading import load_code_lists

Options = Sequence[tuple[str, ...]]

_FORMS: Final = words.keyed(
    "entering.form.LABOUR",
    "entering.form.SEXUAL",
    "entering.form.CRIMINAL",
    "entering.form.SERVICES",
    "entering.form.ORGAN",
    "entering.form.UNKNOWN",
)
_FORM_HINTS: Final = words.keyed(
    "entering.form_hint.LABOUR", "entering.form_hint.SEXUAL", "entering.form_hint.CRIMINAL", "entering.form_hint.SERVICES"
)
_URGENCIES: Final = words.keyed(
    "entering.urgency.ACUTE", "entering.urgency.URGENT", "entering.urgency.REGULAR", "entering.urgency.MONITOR"
)
_URGENCY_HINTS: Final = words.keyed(
    "entering.urgency_hint.ACUTE",
    "entering.urgency_hint.URGENT",
    "entering.urgency_hint.REGULAR",
    "entering.urgency_hint.MONITOR",
)
_OFTEN: Final = (
    "FREE_NO_ID",
    "DEP_ADDRESS_UNKNOWN",
    "DEP_HOUSING_BY_EMPLOYER",
    "COND_LOW_PAY",
    "FREE_NO_MOVEMENT",
    "DEP_DEBT",
)
"""The signs that are seen most: they stand on top, the others below."""
_OFTEN_NEEDED: Final = frozenset({"SHELTER_CRISIS", "SHELTER_REGULAR", "MEDICAL", "MENTAL", "LEGAL", "INTERPRETER"})
"""The needs that are met most: the six on top."""
_UNKNOWN_AGE: Final = "AGE_UNKNOWN_MAYBE_MINOR"
_NOT_HERE: Final = frozenset({"MEANS_UNKNOWN", "ACT_UNKNOWN"})
"""Codes that say that nobody knows: the form fills them in."""


def of_seen(today: date) -> dict[str, Options]:
    """Return the choices of the first step."""
    signs = _of_list("indicator", today)
    return {"often": [each for each in signs if each[0] in _OFTEN], "seldom": [each for each in signs if each[0] not in _OFTEN]}


def of_kind(today: date) -> dict[str, Options]:
    """Return the choices of the second step."""
    forms = _forms(today)
    sectors = _of_list("sector", today)
    return {
        "form": forms,
        "secondary": [each for each in forms if each[0] != "UNKNOWN"],
        "urgency": [(code, words.text(_URGENCIES[code]), words.text(_URGENCY_HINTS[code])) for code in _URGENCIES],
        "age_band": _ages(today),
        "care_needs": sorted(_of_list("care_need", today), key=lambda each: each[0] not in _OFTEN_NEEDED),
        "sector": sorted(sectors, key=lambda each: each[0] != "SECTOR_UNKNOWN"),
        "reporter_source": _of_list("reporter_source", today),
        "consent": sorted(_of_list("consent_status", today), key=lambda each: each[0] != "NOT_ASKED"),
        "acts": _of_list("act", today),
        "means": _of_list("means", today),
    }


def of_who(today: date) -> dict[str, Options]:
    """Return the choices of the third step."""
    lists = {"place_kind": "place_kind", "relation": "relation", "sex": "sex", "nationality_group": "nationality_group"}
    unknown = ("", words.text("entering.unknown"))
    found = {question: [unknown, *_of_list(name, today)] for question, name in lists.items()}
    return {**found, "suspect_age_band": [("", words.text("entering.no_suspect")), *_of_list("age_band", today)]}


def of_check(today: date) -> dict[str, Options]:
    """Return the choices of the last step."""
    return {"legal_basis": _of_list("legal_basis", today)}


def _of_list(name: str, today: date) -> list[tuple[str, ...]]:
    codes = [each for each in load_code_lists().codes_on(name, today) if each not in _NOT_HERE]
    return [(code, _upper(words.label(name, code))) for code in codes]


def _forms(today: date) -> list[tuple[str, ...]]:
    codes = load_code_lists().codes_on("form_of_exploitation", today)
    ordered = [code for code in _FORMS if code in codes]
    return [(code, words.text(_FORMS[code]), words.text(_FORM_HINTS[code]) if code in _FORM_HINTS else "") for code in ordered]


def _ages(today: date) -> list[tuple[str, ...]]:
    known = [each for each in _of_list("age_band", today) if each[0] != _UNKNOWN_AGE]
    return [*known, (_UNKNOWN_AGE, words.text("entering.age_unknown"), words.text("entering.age_unknown_hint"))]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
