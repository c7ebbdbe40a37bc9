"""Contradictions within one record: a birth date beside sector, relation, consent and other signs of an age (R-VAL-25).

Each may be true, and is more often a slip of the pen that sends a child to adult care. So it is asked before it goes, where it is
entered, and never judged again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from signal_exchange.domain.policy import Policy
from signal_exchange.domain.refusals import Phrase
from signal_exchange.domain.signals.coded import MINOR_BANDS, VICTIM
from signal_exchange.domain.signals.drafts import MAJORITY, age_band, age_on, births, subjects_of
from signal_exchange.domain.signals.shape import to_date
from signal_exchange.domain.signals.violations import Violation, violation

_CODE: Final = "V25_CONTRADICTION"
_GUARDIANS: Final = frozenset({"PARENT_GUARDIAN", "NIDOS"})
_ADULT_RELATIONS: Final = frozenset({"PARTNER", "EMPLOYER", "LANDLORD"})
_UNTOLD_SECTORS: Final = frozenset({"SECTOR_UNKNOWN", "SRV_HOUSEHOLD"})
_MINOR_WORDS: Final = frozenset({"MINOR", "UNACCOMPANIED_MINOR"})
_VAGUE_BANDS: Final[Mapping[str, bool]] = {"AGE_UNKNOWN_MAYBE_MINOR": True, "AGE_UNKNOWN_ADULT": False}
"""Bands that say only whether somebody may be a minor."""


@dataclass(frozen=True, slots=True)
class _Aged:
    """A subject with a birth date: its place in the record, its fields and its age on the day."""

    path: str
    fields: Mapping[str, object]
    born: date
    age: int

    @property
    def is_victim(self) -> bool:
        return self.fields.get("role") == VICTIM


def contradictions(record: Mapping[str, object], day: date, policy: Policy) -> tuple[Violation, ...]:
    """Give every contradiction of a municipal record whose types are right: field, and in Dutch what contradicts what."""
    aged = [_Aged(path, fields, born, age_on(born, day)) for path, fields, born in births(record)]
    victims = [each for each in aged if each.is_victim]
    found = [*_consent(record, victims, policy), *_vulnerabilities(record, victims, policy)]
    for each in victims:
        found += [*_sector(record, each, policy), *_relation(each, aged, policy)]
    for each in aged:
        found += [*_band(each), *_observed(record, each)]
    return tuple(sorted(found, key=lambda one: one.field))


def _asks(each: _Aged, words: Phrase) -> Violation:
    return violation(f"{each.path}.birth_date", _CODE, words=words)


def _consent(record: Mapping[str, object], victims: list[_Aged], policy: Policy) -> Iterator[Violation]:
    consent = record.get("consent")
    giver = consent.get("given_by") if isinstance(consent, Mapping) else None
    for each in victims:
        if giver in _GUARDIANS and each.age >= MAJORITY:
            yield _asks(each, Phrase("contradiction.guardian_of_adult"))
        if giver == "CURATOR" and each.age < MAJORITY:
            yield _asks(each, Phrase("contradiction.curator_of_minor"))
        if giver == "SELF" and each.age < policy.young_child_years:
            yield _asks(each, Phrase("contradiction.child_consents", {"years": policy.young_child_years}))


def _vulnerabilities(record: Mapping[str, object], victims: list[_Aged], policy: Policy) -> Iterator[Violation]:
    typed = record.get("vulnerabilities")
    named = set(typed) if isinstance(typed, list) else set()
    everybody = [each for each in subjects_of(record) if each.get("role") == VICTIM]
    if not victims or len(victims) < len(everybody):
        return
    if named & _MINOR_WORDS and all(each.age >= MAJORITY for each in victims):
        yield violation("vulnerabilities", _CODE, words=Phrase("contradiction.minor_named"))
    if "YOUTH" in named and all(each.age > policy.youth_max_years for each in victims):
        words = Phrase("contradiction.youth_named", {"years": policy.youth_max_years})
        yield violation("vulnerabilities", _CODE, words=words)


def _sector(record: Mapping[str, object], victim: _Aged, policy: Policy) -> Iterator[Violation]:
    sector = str(record.get("sector") or "SECTOR_UNKNOWN")
    if sector in _UNTOLD_SECTORS:
        return
    if victim.age < policy.young_child_years and sector.startswith(("LAB_", "SRV_", "CRI_MONEY")):
        yield _asks(victim, Phrase("contradiction.child_at_work", {"years": policy.young_child_years}))
    if victim.age > policy.at_work_max_years:
        yield _asks(victim, Phrase("contradiction.too_old_for_sector", {"years": policy.at_work_max_years}))


def _relation(victim: _Aged, aged: list[_Aged], policy: Policy) -> Iterator[Violation]:
    relation = victim.fields.get("relation")
    if relation in _ADULT_RELATIONS and victim.age < policy.young_child_years:
        words = Phrase("contradiction.relation_of_child", {"years": policy.young_child_years})
        yield _asks(victim, words)
    suspects = [each for each in aged if each.fields.get("role") == "SUSPECT"]
    if relation == "PARENT" and suspects and not any(_can_be_parent(each, victim, policy) for each in suspects):
        yield _asks(victim, Phrase("contradiction.no_parent", {"years": policy.parent_min_years}))


def _can_be_parent(suspect: _Aged, victim: _Aged, policy: Policy) -> bool:
    return age_on(suspect.born, victim.born) >= policy.parent_min_years


def _band(each: _Aged) -> Iterator[Violation]:
    typed = each.fields.get("age_band")
    if typed is None:
        return
    band = age_band(each.age)
    fits = _VAGUE_BANDS[str(typed)] is (band in MINOR_BANDS) if typed in _VAGUE_BANDS else typed == band
    if not fits:
        yield violation(f"{each.path}.age_band", _CODE, words=Phrase("contradiction.age_band"))


def _observed(record: Mapping[str, object], each: _Aged) -> Iterator[Violation]:
    observed = record.get("observed")
    first = to_date(observed.get("from")) if isinstance(observed, Mapping) else None
    if first is not None and each.born > first:
        yield _asks(each, Phrase("contradiction.born_later"))
