"""The municipal record that the answers make, in the shape that files and the REST API have too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final, cast

from signal_exchange.domain.signals.coded import VICTIM, victims
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.domain.signals.drafts import coded_signal
from signal_exchange.domain.signals.shape import to_date
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.entering.bases import Bases, Exchange, exchanges
from signal_exchange.municipality.entering.entries import SUBJECTS, Entry
from signal_exchange.municipality.publishing.written_values import count, day

UNKNOWN_AGE: Final = "AGE_UNKNOWN_MAYBE_MINOR"
"""What a doubtful age is: handled as a minor (R-VAL-07)."""


def record_of(entry: Entry, municipality: str, bases: Bases, on: date) -> dict[str, Any]:
    """Return the record of an entry on a day; what nobody answered is unknown, or was not asked."""
    record = {
        **_head(entry, municipality),
        **_kind(entry),
        "subjects": list(_subjects(entry)),
        "places": list(_places(entry)),
        "plates": [{"plate": entry.value("plate"), "country": "NL"}] if entry.value("plate") else [],
        "accounts": entry.chosen("iban"),
        "companies": entry.chosen("kvk"),
        "estimated_victims": count(entry.value("estimated_victims")) if entry.value("estimated_victims") else None,
    }
    if not record["means"] and not _was_minor(record, on):
        record["means"] = ["MEANS_UNKNOWN"]
    found = () if entry.missing else exchanges_of(entry, record, bases, on)
    return {**record, "exchanges": [each.entry(entry.value("release_ref")) for each in found if not each.left_out]}


def exchanges_of(entry: Entry, record: dict[str, Any], bases: Bases, on: date) -> list[Exchange]:
    """Return the purposes and grounds of an entry whose required questions were answered."""
    return exchanges(entry, _coded(record, on), bases)


def _coded(record: dict[str, Any], on: date) -> CodedSignal:
    return cast("CodedSignal", coded_signal(record, signal_id="", version=1, supersedes=None, day=on, guard={}))


def _was_minor(record: dict[str, Any], on: date) -> bool:
    """Say whether a victim was a minor when it happened: then no means need be shown (R-VAL-08)."""
    return any(each.get("minor_at_event") for each in victims(_coded(record, on)))


def _head(entry: Entry, municipality: str) -> dict[str, Any]:
    began = local_day(entry.begun_at).isoformat()
    first = day(entry.value("observed_from")) or began
    return {
        "local_ref": entry.reference,
        "municipality": municipality,
        "received_at": entry.begun_at.isoformat(),
        "observed": {"from": first, "to": day(entry.value("observed_to")) or first},
        "emergency_advised_at": entry.advised_at.isoformat() if entry.advised_at else None,
        "reporter": None,
        "narrative": None,
        "summary": entry.text or None,
    }


def _kind(entry: Entry) -> dict[str, Any]:
    return {
        "reporter_source": entry.value("reporter_source") or "STAFF_OTHER",
        "corroborated": bool(entry.value("corroborated")),
        "forms": {"primary": entry.value("form") or None, "secondary": entry.chosen("secondary")},
        "sector": entry.value("sector") or "SECTOR_UNKNOWN",
        "urgency": entry.value("urgency") or None,
        "acts": entry.chosen("acts") or ["ACT_UNKNOWN"],
        "means": entry.chosen("means"),
        "indicators": entry.chosen("indicators"),
        "vulnerabilities": [],
        "care_needs": entry.chosen("care_needs"),
        "consent": {"status": entry.value("consent") or "NOT_ASKED", "given_by": None, "recorded_on": None},
        "police_data": entry.value("reporter_source") in {"POLICE", "BORDER_POLICE"},
    }


def _subjects(entry: Entry) -> Iterator[dict[str, Any]]:
    if entry.value("age_band"):
        own = {"sex": None, "nationality_group": None, "relation": None}
        yield {
            **_person(entry, VICTIM, ""),
            **{name: entry.value(name) or None for name in own},
            "bsn": entry.value("bsn") or None,
        }
    if any(entry.value(f"suspect_{name}") for name in ("given_names", "family_name", "birth_date", "phone", "age_band")):
        yield _person(entry, "SUSPECT", "suspect_")


def _person(entry: Entry, role: str, prefix: str) -> dict[str, Any]:
    written = {name: entry.value(prefix + name) or None for name in ("given_names", "family_name", "phone")}
    born = day(entry.value(f"{prefix}birth_date")) or None
    band = entry.value(f"{prefix}age_band") or UNKNOWN_AGE
    # Who does not know the age and then writes the birth date knows it after all.
    told = None if band == UNKNOWN_AGE and to_date(born) else band
    return {"ref": SUBJECTS[role], "role": role, **written, "birth_date": born, "age_band": told}


def _places(entry: Entry) -> Iterator[dict[str, Any]]:
    parts = {name: entry.value(name) or None for name in ("street", "postcode", "number", "addition")}
    if any(parts.values()) or entry.value("place_kind"):
        yield {"kind": entry.value("place_kind") or "PLACE_OTHER", **parts}
