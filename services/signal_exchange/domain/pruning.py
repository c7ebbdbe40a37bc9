"""What a delivery may carry: each receiver gets the fields and the persons of its own class (R-ROUTE-07, R-ROUTE-13)."""

import copy
from collections.abc import Callable, Mapping
from typing import Final, cast

from signal_exchange.domain.rules import CARE_COORDINATOR, CHAIR_ALERT, SCREENING_AGENDA, STATISTICS
from signal_exchange.domain.signals import (
    SUSPECT,
    VICTIM,
    CodedSignal,
    Subject,
    exchange_for,
    has_minor_subject,
    has_minor_victim,
    raised_urgency,
    victims,
)

Pruned = dict[str, object]

_PURPOSE: Final = {
    CARE_COORDINATOR: "CARE_REFERRAL",
    SCREENING_AGENDA: "SCREENING",
    STATISTICS: "STATISTICS",
    CHAIR_ALERT: "ACUTE_ALERT",
}
_CODED: Final = (
    "observed_weeks", "reporter_source", "corroborated", "forms", "sector", "acts", "means", "indicators",
    "vulnerabilities", "places", "estimated_victims", "care_needs", "consent", "police_data",
)  # fmt: skip


def prune(signal: Mapping[str, object], deliver_as: str | None, destination: str) -> Pruned:
    """Give what a delivery of a form may carry of a coded signal to a destination, and not one field more.

    `urgency` is the raised one, on which order and deadlines rest; `legal_basis` and `partnership` are those of the
    destination's own entry. A form that does not exist is a KeyError.
    """
    return copy.deepcopy(_FORMS[str(deliver_as)](cast("CodedSignal", signal), destination))


def _head(signal: CodedSignal, *, minor: bool) -> Pruned:
    urgency = raised_urgency(signal["urgency"], any_minor_victim=has_minor_victim(signal))
    head: Pruned = {name: value for name, value in signal.items() if name in {"signal_id", "version", "municipality"}}
    return head | {"urgency": urgency, "minor": minor}


def _carried(signal: CodedSignal, destination: str) -> Pruned:
    entry = exchange_for(signal, _PURPOSE[destination]) or {}
    basis = {"legal_basis": entry.get("legal_basis"), "partnership": entry.get("partnership")}
    minor = has_minor_subject(signal) if destination == SCREENING_AGENDA else has_minor_victim(signal)
    return _head(signal, minor=minor) | basis


def _coded(signal: CodedSignal, destination: str) -> Pruned:
    return _carried(signal, destination) | {name: value for name, value in signal.items() if name in _CODED}


def _full(signal: CodedSignal, destination: str) -> Pruned:
    for_minor = _age_only if destination == SCREENING_AGENDA else _ref_and_role
    subjects = [for_minor(subject) if subject["is_minor"] else dict(subject) for subject in signal["subjects"]]
    return _coded(signal, destination) | {"subjects": subjects}


def _youth(signal: CodedSignal, destination: str) -> Pruned:
    subjects = [dict(subject) if subject["is_minor"] else _with_relation(subject) for subject in signal["subjects"]]
    return _coded(signal, destination) | {"subjects": subjects}


def _consult(signal: CodedSignal, destination: str) -> Pruned:
    return _coded(signal, destination) | {"consent": {"status": signal["consent"]["status"]}}


def _stub(signal: CodedSignal, destination: str) -> Pruned:
    minors = [subject for subject in signal["subjects"] if subject["is_minor"] and subject["role"] in {VICTIM, SUSPECT}]
    shown: Pruned = {"forms": {"primary": signal["forms"]["primary"], "secondary": []}}
    return _carried(signal, destination) | shown | {"subjects": [_age_only(subject) for subject in minors]}


def _statistics(signal: CodedSignal, _destination: str) -> Pruned:
    return {
        "municipality": signal["municipality"],
        "urgency": raised_urgency(signal["urgency"], any_minor_victim=has_minor_victim(signal)),
        "forms": {"primary": signal["forms"]["primary"], "secondary": []},
        "sector": signal["sector"],
        "reporter_source": signal["reporter_source"],
        "estimated_victims": signal.get("estimated_victims"),
        "subjects": [_age_only(victim) for victim in victims(signal)],
    }


def _alert(signal: CodedSignal, _destination: str) -> Pruned:
    return _head(signal, minor=has_minor_victim(signal))


def _age_only(subject: Subject) -> Pruned:
    return {"age_band": subject["age_band"]}


def _ref_and_role(subject: Subject) -> Pruned:
    return {"ref": subject["ref"], "role": subject["role"]}


def _with_relation(subject: Subject) -> Pruned:
    return _ref_and_role(subject) | {"relation_to_offender": subject.get("relation_to_offender")}


_FORMS: Final[Mapping[str, Callable[[CodedSignal, str], Pruned]]] = {
    "FULL_PSEUDONYMOUS": _full,
    "YOUTH_ROUTE": _youth,
    "CONSULT": _consult,
    "MINOR_STUB": _stub,
    "STAT_RECORD": _statistics,
    "ALERT": _alert,
}
