"""Fills what a form of delivery may carry into the record DeliveredSignal: what it may not carry is null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SIGNAL_FIELDS = (
    "observed_weeks",
    "reporter_source",
    "corroborated",
    "forms",
    "sector",
    "acts",
    "means",
    "indicators",
    "vulnerabilities",
    "subjects",
    "places",
    "estimated_victims",
    "care_needs",
    "consent",
    "police_data",
)
SUBJECT_FIELDS = ("ref", "role", "age_band", "is_minor", "minor_at_event", "sex", "nationality_group", "relation_to_offender")


def delivered_fields(pruned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of DeliveredSignal for a pruned signal; fields that it has no place for do not travel."""
    fields = {name: pruned.get(name) for name in SIGNAL_FIELDS}
    subjects = fields["subjects"]
    if subjects is not None:
        fields["subjects"] = [{name: subject.get(name) for name in SUBJECT_FIELDS} for subject in subjects]
    return fields
