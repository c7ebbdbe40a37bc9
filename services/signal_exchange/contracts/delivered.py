"""Fills what a form of delivery may carry into the record DeliveredSignal: what it may not carry is null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from signal_exchange.contracts.records import DeliveredSignal
from signal_exchange.domain.signals.fields import DELIVERED, DELIVERED_SUBJECT

SIGNAL_FIELDS = tuple(each.name for each in DELIVERED)
SUBJECT_FIELDS = tuple(each.name for each in DELIVERED_SUBJECT)


def delivered_fields(pruned: Mapping[str, Any]) -> DeliveredSignal:
    """Return the fields of DeliveredSignal for a pruned signal; fields that it has no place for do not travel."""
    fields = {name: pruned.get(name) for name in SIGNAL_FIELDS}
    subjects = fields["subjects"]
    if subjects is not None:
        fields["subjects"] = [{name: subject.get(name) for name in SUBJECT_FIELDS} for subject in subjects]
    return cast("DeliveredSignal", fields)
