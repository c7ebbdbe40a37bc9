"""The content of a delivery: each receiver gets the fields and the persons of its own class (R-ROUTE-07, R-ROUTE-13)."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self, cast

from signal_exchange.domain.destinations import BY_CODE
from signal_exchange.domain.signals.coded import SUSPECT, VICTIM, exchange_for, has_minor_victim, raised_urgency, victims
from signal_exchange.domain.signals.coded_types import CodedSignal, Subject
from signal_exchange.domain.signals.fields import PERSONS, SIGNAL, SUBJECT, Audience, Field, Kind, coded

Pruned = dict[str, object]

_NO_MINOR: Final = frozenset({Audience.STATISTICS})
_NO_BASIS: Final = frozenset({Audience.STATISTICS, Audience.CHAIN_DIRECTOR})


@dataclass(frozen=True, slots=True)
class _Parted:
    """A group or list of groups of which an audience gets some parts; a list of codes that it does not get is empty."""

    name: str
    seen: tuple[str, ...]
    emptied: tuple[str, ...]

    @classmethod
    def of(cls, field: Field, audience: Audience) -> Self:
        hidden = [part for part in coded(field.parts) if audience not in part.seen_by]
        seen = tuple(part.name for part in field.parts if audience in part.seen_by)
        return cls(field.name, seen, tuple(part.name for part in hidden if part.kind is Kind.CODES))

    def pruned(self, value: object) -> object:
        if isinstance(value, list):
            return [self.pruned(each) for each in value]
        group = cast("Mapping[str, object]", value)
        return {name: group[name] for name in self.seen if name in group} | {name: [] for name in self.emptied}


@dataclass(frozen=True, slots=True)
class _Sight:
    """The fields that an audience gets: whole, in parts, of persons of its care class, and of other persons."""

    audience: Audience
    whole: tuple[str, ...]
    parted: tuple[_Parted, ...]
    of_persons: tuple[str, ...]
    of_others: tuple[str, ...]

    @classmethod
    def of(cls, audience: Audience) -> Self:
        seen = [each for each in SIGNAL if audience in each.seen_by and each.parts is not SUBJECT]
        parted = [each for each in seen if any(audience not in part.seen_by for part in coded(each.parts))]
        return cls(
            audience,
            tuple(each.name for each in seen if each not in parted),
            tuple(_Parted.of(each, audience) for each in parted),
            tuple(each.name for each in SUBJECT if audience in each.seen_by),
            tuple(each.name for each in SUBJECT if audience in each.of_others),
        )


_SIGHTS: Final = {each.value: _Sight.of(each) for each in Audience}


def prune(signal: Mapping[str, object], deliver_as: str | None, destination: str) -> Pruned:
    """Give the fields of a coded signal that a delivery of a form may carry to a destination, and not one more.

    `urgency` is the raised one, on which order and deadlines rest; `legal_basis` and `partnership` are those of the
    destination's own entry. A form that the destination cannot take is a KeyError.
    """
    sight = _SIGHTS[str(deliver_as), destination]
    known = cast("CodedSignal", signal)
    pruned = {name: signal[name] for name in sight.whole if name in signal}
    parted = {each.name: each.pruned(signal[each.name]) for each in sight.parted if each.name in signal}
    return copy.deepcopy(pruned | parted | _made(known, sight.audience, destination) | _persons(known, sight))


def _made(signal: CodedSignal, audience: Audience, destination: str) -> Pruned:
    made: Pruned = {"urgency": raised_urgency(signal["urgency"], any_minor_victim=has_minor_victim(signal))}
    if audience not in _NO_MINOR:
        made["minor"] = BY_CODE[destination].is_minors(signal)
    if audience not in _NO_BASIS:
        entry: Mapping[str, object] = exchange_for(signal, BY_CODE[destination].purpose) or {}
        made |= {"legal_basis": entry.get("legal_basis"), "partnership": entry.get("partnership")}
    return made


def _persons(signal: CodedSignal, sight: _Sight) -> Pruned:
    if sight.audience not in PERSONS:
        return {}
    named = _NAMED.get(sight.audience, _everybody)(signal)
    return {"subjects": [_person(cast("Mapping[str, object]", subject), sight) for subject in named]}


def _person(subject: Mapping[str, object], sight: _Sight) -> Pruned:
    if sight.of_persons and subject["is_minor"] is (sight.audience is Audience.YOUTH):
        return {name: subject[name] for name in sight.of_persons if name in subject}
    return {name: subject.get(name) for name in sight.of_others}


def _everybody(signal: CodedSignal) -> list[Subject]:
    return signal["subjects"]


def _minors_in_stub(signal: CodedSignal) -> list[Subject]:
    return [subject for subject in signal["subjects"] if subject["is_minor"] and subject["role"] in {VICTIM, SUSPECT}]


_NAMED: Final[Mapping[Audience, Callable[[CodedSignal], list[Subject]]]] = {
    Audience.TABLE_STUB: _minors_in_stub,
    Audience.STATISTICS: victims,
}
"""The persons whom an audience is told of where that is not everybody."""
