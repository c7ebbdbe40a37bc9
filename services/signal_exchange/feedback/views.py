"""The view that one municipality has of one of its own signals, folded from facts in any order and any number."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from signal_exchange.contracts.records import (
    DeliveryView,
    FeedbackTraceFact,
    Outcome,
    OutcomeView,
    ReceivedNumber,
    SealedPart,
    SignalView,
    SignedWord,
)
from signal_exchange.domain.plain_json import json_safe
from signal_exchange.stream.views import FeedbackReads

Owner = tuple[str, str]
"""Municipality and signal id: a fact reaches the view of the municipality that it names, and no other."""
Entry = tuple[list[Any], dict[str, Any]]
"""Rank and fields, JSON-safe."""
FactTable = Mapping[str, Entry]
"""The latest fact of each kind by key: the one with the highest rank."""

ERASURE = "ERASURE"
LEFT_OF_ERASED = frozenset({ERASURE, "RECEIPT"})
"""Kinds of outcomes that stay in the view of an erased signal: how far the erasure is, and who answered."""
FACT_TABLES = ("numbers", "steps", "outcomes")
OUTCOME_SHOWN = ("outcome_id", "source", "kind", "state", "outcome", "version")
STEP_SHOWN = ("service", "stage", "destination", "verdict", "owner_role", "next_date")
"""The fields of an outcome and of a step that the view has as they came."""
ACCOUNTED = frozenset({"RECEIVED", "PARKED"})
"""Stages that account for a number of the municipality."""
NUMBERS_SHOWN = 300
"""The latest numbers go into the view: a record holds at most 64 KB."""
DETAIL_BYTES = 36_000
"""So many bytes of sealed details, of the latest outcomes, go into the view."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to know about a signal: of two with one table and key, the higher rank is the truth."""

    owner: Owner
    table: str
    key: str
    rank: list[Any]
    fields: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class View:
    """The view of one signal; `revision` rises with every change."""

    owner: Owner
    revision: int = 0
    numbers: FactTable = field(default_factory=dict, repr=False)
    steps: FactTable = field(default_factory=dict, repr=False)
    outcomes: FactTable = field(default_factory=dict, repr=False)

    @property
    def erased(self) -> bool:
        """Say whether routing reported the signal as erased: then nothing but that, the receipts and the numbers is left."""
        return any(fields["source"] == "routing" and fields["kind"] == ERASURE for fields in _fields(self.outcomes))

    @property
    def confirmed(self) -> bool:
        """Say whether routing, which verifies signatures, said that this municipality sent the signal.

        Without that nothing is told: a service that names the wrong municipality must not tell it of another's signal.
        """
        return bool(self.numbers) or any(fields["source"] == "routing" for fields in _fields(self.outcomes))


def facts_of(message: FeedbackReads) -> Iterator[Fact]:
    """Yield the facts in a record; a step without a municipality or a signal has none."""
    if message.record == "Outcome":
        yield _outcome(message.fields)
        return
    fields = message.fields
    if fields["municipality"] is not None and fields["signal_id"] is not None:
        owner = fields["municipality"], fields["signal_id"]
        yield _step(owner, fields)
        if _accounts(fields):
            yield _number(owner, fields)


def _accounts(fields: FeedbackTraceFact) -> bool:
    """Say whether a step accounts for a number, after which the municipality lets go of its copy: routing's alone does."""
    numbered = fields["publisher_run"] is not None and fields["sequence"] is not None
    return numbered and fields["service"] == "routing" and fields["stage"] in ACCOUNTED


def folded(view: View, facts: Iterable[Fact], at: datetime) -> View | None:
    """Return the view with these facts, or None when they change nothing.

    The revision follows the append time `at` of the last record, in milliseconds, so that it also grows over a rebuild.
    """
    tables: dict[str, dict[str, Entry]] = {name: dict(getattr(view, name)) for name in FACT_TABLES}
    for fact in facts:
        _put(tables[fact.table], fact)
    after = _pruned(View(view.owner, max(view.revision + 1, _milliseconds(at)), *(tables[name] for name in FACT_TABLES)))
    same = all(getattr(after, name) == getattr(view, name) for name in FACT_TABLES)
    return None if same else after


def _pruned(view: View) -> View:
    """Return the view without what may not be left of an erased signal (R-RET-03)."""
    if not view.erased:
        return view
    kept = {key: entry for key, entry in view.outcomes.items() if entry[1]["kind"] in LEFT_OF_ERASED}
    return replace(view, steps={}, outcomes=kept)


def _put(table: dict[str, Entry], fact: Fact) -> None:
    kept = table.get(fact.key)
    if kept is None or kept[0] < fact.rank:
        table[fact.key] = (fact.rank, fact.fields)


def _outcome(fields: Outcome) -> Fact:
    kept = {
        **_named(fields, OUTCOME_SHOWN),
        "occurred_at": _milliseconds(fields["occurred_at"]),
        "detail": json_safe(fields["detail"]),
        "own_ref": json_safe(fields["own_ref"]),
        "word": json_safe(fields["word"]) if fields["kind"] == ERASURE else None,
    }
    owner = fields["municipality"], fields["signal_id"]
    return Fact(owner, "outcomes", fields["outcome_id"], [fields["revision"]], kept)


def _step(owner: Owner, fields: FeedbackTraceFact) -> Fact:
    at, version = _milliseconds(fields["at"]), fields["version"] or 0
    kept = {**_named(fields, STEP_SHOWN), "version": version, "at": at}
    key = f"{fields['service']}/{fields['stage']}/{fields['destination'] or ''}"
    rank = [at, version, fields["verdict"] or "", fields["owner_role"] or "", fields["next_date"] or ""]
    return Fact(owner, "steps", key, rank, kept)


def _number(owner: Owner, fields: FeedbackTraceFact) -> Fact:
    key = f"{fields['publisher_run']}/{fields['sequence']}"
    verdict = fields["verdict"] or fields["stage"].lower()
    shown = {"publisher_run": fields["publisher_run"], "sequence": fields["sequence"], "verdict": verdict}
    return Fact(owner, "numbers", key, [_milliseconds(fields["at"]), verdict], shown)


def record_of(view: View) -> SignalView:
    """Return the SignalView: the numbers, steps and outcomes in a fixed order, and never more than a record may hold."""
    outcomes = sorted(_fields(view.outcomes), key=lambda each: (each["occurred_at"], each["outcome_id"]))
    steps = sorted(_fields(view.steps), key=lambda each: (each["at"], each["service"], each["stage"], each["destination"] or ""))
    numbers = [fields for _, fields in sorted(view.numbers.values(), key=_by_rank)]
    return SignalView(
        signal_id=view.owner[1],
        own_ref=next((b64decode(each["own_ref"]) for each in reversed(outcomes) if each["own_ref"]), None),
        revision=view.revision,
        version=max(each["version"] for each in (*steps, *outcomes)),
        received=cast("list[ReceivedNumber]", numbers[-NUMBERS_SHOWN:]),
        steps=[cast("DeliveryView", {**each, "at": _moment(each["at"])}) for each in steps],
        outcomes=list(_shown_outcomes(outcomes)),
    )


def _by_rank(entry: Entry) -> tuple[list[Any], str, int]:
    rank, fields = entry
    return rank, fields["publisher_run"], fields["sequence"]


def _shown_outcomes(outcomes: Sequence[Mapping[str, Any]]) -> Iterator[OutcomeView]:
    room, kept = DETAIL_BYTES, set()
    for each in reversed(outcomes):
        room -= len(each["detail"]["ciphertext"]) * 3 // 4 if each["detail"] else 0
        if room >= 0:
            kept.add(each["outcome_id"])
    for each in outcomes:
        detail = _unpacked(each["detail"]) if each["outcome_id"] in kept else None
        own = {"occurred_at": _moment(each["occurred_at"]), "detail": detail, "word": _unpacked_word(each["word"])}
        yield cast("OutcomeView", {**_named(each, OUTCOME_SHOWN), **own})


def _named(fields: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: fields[name] for name in names}


def _fields(table: FactTable) -> list[dict[str, Any]]:
    return [fields for _, fields in table.values()]


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def _unpacked_word(word: Mapping[str, str] | None) -> SignedWord | None:
    if word is None:
        return None
    return SignedWord(value=b64decode(word["value"]), signature=b64decode(word["signature"]), key_id=word["key_id"])


def _unpacked(part: Mapping[str, str] | None) -> SealedPart | None:
    if part is None:
        return None
    return SealedPart(group=part["group"], key_id=part["key_id"], ciphertext=b64decode(part["ciphertext"]))
