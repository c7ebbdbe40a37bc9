"""The shape of the coded signal on the wire."""

from typing import Final

from signal_exchange.domain.ids import is_signal_id
from signal_exchange.domain.shape import Leaf, Many, Record, code, codes, is_count, is_date, is_flag, is_text, needed

_SUBJECT: Final = Record(
    {
        "ref": needed(is_text),
        "role": code("subject_role", required=True),
        "age_band": code("age_band", required=True),
        "is_minor": needed(is_flag),
        "minor_at_event": needed(is_flag),
        "sex": code("sex", nullable=True),
        "nationality_group": code("nationality_group", nullable=True),
        "relation_to_offender": code("relation", nullable=True),
    }
)

_EXCHANGE: Final = Record(
    {
        "purpose": code("purpose"),
        "legal_basis": code("legal_basis"),
        "partnership": code("partnership"),
        "release_ref": Leaf(is_text, nullable=True),
    }
)

_GUARD: Final = Record(
    {
        "version": Leaf(is_text),
        "result": Leaf(is_text),
        "findings": codes("leak_type"),
        "overrides": Many(Record({"type": code("leak_type"), "reason": code("override_reason")})),
    },
    required=True,
    null_is_missing=True,
)

_CONSENT: Final = Record(
    {
        "status": code("consent_status", required=True),
        "given_by": code("consent_giver", nullable=True),
        "recorded_on": Leaf(is_date, nullable=True),
    },
    required=True,
)

CODED_SIGNAL: Final = Record(
    {
        "signal_id": needed(is_signal_id),
        "version": needed(is_count),
        "supersedes": Leaf(is_count, nullable=True),
        "municipality": needed(is_text),
        "observed_weeks": Record({"from": needed(is_text), "to": needed(is_text)}, required=True),
        "reporter_source": code("reporter_source", required=True),
        "corroborated": needed(is_flag),
        "forms": Record(
            {"primary": code("form_of_exploitation", required=True), "secondary": codes("form_of_exploitation")}, required=True
        ),
        "sector": code("sector", required=True),
        "urgency": code("urgency", required=True),
        "acts": codes("act"),
        "means": codes("means"),
        "indicators": codes("indicator"),
        "vulnerabilities": codes("vulnerability"),
        "subjects": Many(_SUBJECT, required=True),
        "places": Many(Record({"kind": code("place_kind", required=True)})),
        "estimated_victims": Leaf(is_count, nullable=True),
        "care_needs": codes("care_need"),
        "consent": _CONSENT,
        "police_data": needed(is_flag),
        "exchanges": Many(_EXCHANGE, required=True, filled=True),
        "guard": _GUARD,
        "emergency_advised": needed(is_flag),
    }
)
"""The coded signal as R-VAL-01, R-VAL-03, R-VAL-17 and R-VAL-22 want it."""
