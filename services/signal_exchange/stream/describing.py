"""A delivered signal in Dutch words, for a person who may read it; a field that the form of delivery left out is not named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from signal_exchange.domain.codes import CodeLists

_LISTS = {
    "sector": ("sector", "sector"),
    "reporter_source": ("bron", "reporter_source"),
    "acts": ("handelingen", "act"),
    "means": ("middelen", "means"),
    "indicators": ("aanwijzingen", "indicator"),
    "vulnerabilities": ("kwetsbaarheid", "vulnerability"),
    "care_needs": ("hulpvraag", "care_need"),
}
"""Word and code list of each coded field."""
_OF_SUBJECT = {
    "role": "subject_role",
    "age_band": "age_band",
    "sex": "sex",
    "nationality_group": "nationality_group",
    "relation_to_offender": "relation",
}


def described(signal: Mapping[str, Any], codes: CodeLists) -> Iterator[tuple[str, str]]:
    """Yield each line about a delivered signal: a word and what is known."""
    if weeks := signal["observed_weeks"]:
        yield "waargenomen", weeks["from"] if weeks["from"] == weeks["to"] else f"{weeks['from']} tot en met {weeks['to']}"
    if form := form_of(signal, codes):
        yield "vorm", form
    for name, (word, code_list) in _LISTS.items():
        if signal[name]:
            yield word, _labels(signal[name], code_list, codes)
    if signal["consent"]:
        yield "toestemming", codes.label_nl("consent_status", signal["consent"]["status"])
    if signal["estimated_victims"]:
        yield "geschat aantal", str(signal["estimated_victims"])
    for subject in signal["subjects"] or ():
        yield f"persoon {subject['ref'] or ''}".strip(), _subject(subject, codes)


def form_of(signal: Mapping[str, Any] | None, codes: CodeLists) -> str | None:
    """Return the forms in words, the primary one first; None where none were delivered."""
    forms = signal["forms"] if signal else None
    return _labels([forms["primary"], *forms["secondary"]], "form_of_exploitation", codes) if forms else None


def _subject(subject: Mapping[str, Any], codes: CodeLists) -> str:
    known = (codes.label_nl(code_list, subject[name]) for name, code_list in _OF_SUBJECT.items() if subject[name])
    minor = ("minderjarig",) if subject["is_minor"] else ()
    return ", ".join((*known, *minor)) or "niet gedeeld"


def _labels(value: str | list[str], code_list: str, codes: CodeLists) -> str:
    found = [value] if isinstance(value, str) else value
    return ", ".join(codes.label_nl(code_list, code) for code in found)
