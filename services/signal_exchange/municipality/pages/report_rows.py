"""Rows that leave and rows that stay, for people to read: every field of the coded signal that says something, and no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from signal_exchange import words
from signal_exchange.domain.signals.fields import SIGNAL, Field, Kind, coded
from signal_exchange.municipality.entering.entries import Entry
from signal_exchange.municipality.entering.expecting import Expected
from signal_exchange.municipality.publishing.previewing import Preview
from signal_exchange.reference.loading import load_members

Rows = Iterator[tuple[str, str]]

NAMES: Final = words.keyed(
    "entering.field.signal_id", "entering.field.version", "entering.field.supersedes", "entering.field.municipality",
    "entering.field.observed_weeks", "entering.field.from", "entering.field.to", "entering.field.reporter_source",
    "entering.field.corroborated", "entering.field.forms", "entering.field.primary", "entering.field.secondary",
    "entering.field.sector", "entering.field.urgency", "entering.field.acts", "entering.field.means", "entering.field.indicators",
    "entering.field.vulnerabilities", "entering.field.subjects", "entering.field.ref", "entering.field.role",
    "entering.field.age_band", "entering.field.is_minor", "entering.field.minor_at_event", "entering.field.sex",
    "entering.field.nationality_group", "entering.field.relation_to_offender", "entering.field.places", "entering.field.kind",
    "entering.field.estimated_victims", "entering.field.care_needs", "entering.field.consent", "entering.field.status",
    "entering.field.given_by", "entering.field.recorded_on", "entering.field.police_data", "entering.field.exchanges",
    "entering.field.purpose", "entering.field.legal_basis", "entering.field.partnership", "entering.field.release_ref",
    "entering.field.guard", "entering.field.result", "entering.field.findings", "entering.field.overrides", "entering.field.type",
    "entering.field.reason", "entering.field.emergency_advised",
)  # fmt: skip
LOCAL: Final = words.keyed(
    "entering.given_names", "entering.family_name", "entering.birth_date", "entering.bsn", "entering.phone", "entering.street",
    "entering.number", "entering.addition", "entering.postcode", "entering.kvk", "entering.plate", "entering.iban",
    "entering.suspect_given_names", "entering.suspect_family_name", "entering.suspect_birth_date", "entering.suspect_phone",
    "entering.observed_from", "entering.observed_to",
)  # fmt: skip
"""The answers that stay, by the question that asks them."""
CODES: Final = words.keyed(
    "entering.code.BSN", "entering.code.NAME_DOB", "entering.code.NAME_DOB_SOFT", "entering.code.PHONE",
    "entering.code.ADDRESS_PC", "entering.code.ADDRESS_BAG", "entering.code.PLATE", "entering.code.IBAN", "entering.code.KVK",
)  # fmt: skip
_WAYS: Final = words.keyed(
    "entering.way.FULL_PSEUDONYMOUS", "entering.way.CONSULT", "entering.way.YOUTH_ROUTE", "entering.way.MINOR_STUB",
    "entering.way.STAT_RECORD", "entering.way.ALERT",
)  # fmt: skip
_UNSAID: Final = frozenset({"signal_id"})
"""Fields whose value is drawn when the signal is sent."""


def leaves(preview: Preview) -> Rows:
    """Return the rows that leave: every field that says something, the text, and the kinds of values that become codes."""
    for each in coded(SIGNAL):
        value = preview.signal.get(each.name)
        if each.name in _UNSAID:
            yield words.text(NAMES[each.name]), words.text("entering.drawn")
        elif value not in (None, []):
            yield words.text(NAMES[each.name]), _said(each, value)
    yield words.text("entering.field.own_ref"), words.text("entering.as_code")
    if preview.text:
        yield words.text("entering.field.text"), preview.text
        yield words.text("entering.field.text_for"), _readers(preview.groups)
    if preview.codes:
        yield words.text("entering.field.codes"), ", ".join(dict.fromkeys(words.text(CODES[each.type]) for each in preview.codes))


def stays(entry: Entry) -> Rows:
    """Return the rows that stay: names, numbers, addresses, exact days, and counts of words taken out of the text, by kind."""
    yield words.text("entering.field.local_ref"), entry.reference
    for question, key in LOCAL.items():
        if entry.value(question):
            yield words.text(key), entry.value(question)
    taken = Counter(words.label("leak_type", each.type) for each in entry.masked)
    if taken:
        yield words.text("entering.field.taken_out"), ", ".join(f"{count} {what}" for what, count in taken.items())
    yield words.text("entering.field.entered_by"), words.text("entering.you")


def receivers(found: Expected) -> Iterator[str]:
    """Return the receivers by the default rules, and the destinations that do not see it, each with the rule."""
    for each in found.routes:
        where = words.label("route_destination", each.destination)
        how = words.text(_WAYS[each.deliver_as]) if each.deliver_as in _WAYS else words.label("route_reason", each.reason)
        if each.effect == "SEND":
            yield words.text("entering.receives", where=where, how=how, rule=each.rule_id)
        else:
            yield words.text("entering.receives_not", where=where, why=how, rule=each.rule_id)


def _readers(groups: Sequence[str]) -> str:
    named = words.keyed("entering.group.care", "entering.group.youth", "entering.group.table")
    return ", ".join(words.text(named[each]) for each in groups) or words.text("entering.group.nobody")


def _said(field: Field, value: Any) -> str:  # noqa: ANN401 - a value of the coded signal
    match field.kind:
        case Kind.GROUP:
            return _group(field, value)
        case Kind.ROWS:
            return "; ".join(_group(field, each) for each in value)
        case Kind.CODES:
            return ", ".join(words.label(str(field.codes), each) for each in value)
        case Kind.FLAG:
            return words.text("entering.yes" if value else "entering.no")
    return _one(field, value)


def _one(field: Field, value: object) -> str:
    if field.name == "municipality":
        return found.name if (found := load_members().get(str(value))) else str(value)
    if field.name == "result":
        return words.text("entering.guard.PASS" if value == "PASS" else "entering.guard.JUSTIFIED")
    return words.label(field.codes, str(value)) if field.codes else str(value)


def _group(field: Field, value: Mapping[str, Any]) -> str:
    told = [each for each in coded(field.parts) if value.get(each.name) not in (None, [])]
    # The weeks are made of the days: they stand among what is made, not among what is entered.
    return ", ".join(f"{words.text(NAMES[each.name]).lower()} {_said(each, value[each.name])}" for each in told)
