"""What one municipality may see of one of its own signals, folded from facts that come in any order and any number of times."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from signal_exchange.stream.messages import Message

Owner = tuple[str, str]
"""Municipality and signal id: a fact reaches the view of the municipality that it names, and no other."""
Entry = tuple[list[Any], dict[str, Any]]
"""Rank and fields, JSON-safe."""
Shelf = Mapping[str, Entry]
"""The latest fact of each kind by key: the one with the highest rank."""

ERASURE = "ERASURE"
LEFT_OF_ERASED = frozenset({ERASURE, "RECEIPT"})
"""Kinds of outcomes that stay in the view of an erased signal: how far the erasure is, and who answered."""
SHELVES = ("numbers", "steps", "outcomes")
ACCOUNTED = frozenset({"RECEIVED", "PARKED"})
"""Stages that account for a number of the municipality."""
NUMBERS_SHOWN = 300
"""The latest numbers go into the view: a record holds at most 64 KB."""
DETAIL_BYTES = 36_000
"""So many bytes of sealed details, of the latest outcomes, go into the view."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to know about a signal: of two with one shelf and key, the higher rank is the truth."""

    owner: Owner
    shelf: str
    key: str
    rank: list[Any]
    fields: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class View:
    """The view of one signal; `revision` rises with every change."""

    owner: Owner
    revision: int = 0
    numbers: Shelf = field(default_factory=dict, repr=False)
    steps: Shelf = field(default_factory=dict, repr=False)
    outcomes: Shelf = field(default_factory=dict, repr=False)

    @property
    def erased(self) -> bool:
        """Say whether routing told that the signal was erased: then nothing but that, the receipts and the numbers is left."""
        return any(fields["source"] == "routing" and fields["kind"] == ERASURE for fields in _fields(self.outcomes))

    @property
    def confirmed(self) -> bool:
        """Say whether routing, which verifies signatures, said that this municipality sent the signal.

        Without that nothing is told: a service that names the wrong municipality must not tell it of another's signal.
        """
        return bool(self.numbers) or any(fields["source"] == "routing" for fields in _fields(self.outcomes))


def facts_of(message: Message) -> Iterator[Fact]:
    """Yield what a record tells; a step that names no municipality or no signal tells nobody anything."""
    fields = message.fields
    if message.record == "Outcome":
        yield _outcome(fields)
    elif fields["municipality"] is not None and fields["signal_id"] is not None:
        yield _step(fields)
        if _accounts(fields):
            yield _number(fields)


def _accounts(fields: Mapping[str, Any]) -> bool:
    """Say whether a step accounts for a number, after which the municipality lets go of its copy: routing's alone does."""
    numbered = fields["publisher_run"] is not None and fields["sequence"] is not None
    return numbered and fields["service"] == "routing" and fields["stage"] in ACCOUNTED


def folded(view: View, facts: Iterable[Fact], at: datetime) -> View | None:
    """Return the view with these facts, or None when they change nothing.

    The revision follows the append time `at` of the last record, in milliseconds, so that it also grows over a rebuild.
    """
    shelves: dict[str, dict[str, Entry]] = {name: dict(getattr(view, name)) for name in SHELVES}
    for fact in facts:
        _put(shelves[fact.shelf], fact)
    after = _pruned(View(view.owner, max(view.revision + 1, _milliseconds(at)), *(shelves[name] for name in SHELVES)))
    same = all(getattr(after, name) == getattr(view, name) for name in SHELVES)
    return None if same else after


def _pruned(view: View) -> View:
    """Return the view without what may not be left of an erased signal (R-RET-03)."""
    if not view.erased:
        return view
    kept = {key: entry for key, entry in view.outcomes.items() if entry[1]["kind"] in LEFT_OF_ERASED}
    return replace(view, steps={}, outcomes=kept)


def _put(shelf: dict[str, Entry], fact: Fact) -> None:
    kept = shelf.get(fact.key)
    if kept is None or kept[0] < fact.rank:
        shelf[fact.key] = (fact.rank, fact.fields)


def _outcome(fields: Mapping[str, Any]) -> Fact:
    shown = ("outcome_id", "source", "kind", "state", "outcome", "version")
    at = _milliseconds(fields["occurred_at"])
    word = _packed_word(fields["word"]) if fields["kind"] == ERASURE else None
    extra = {"occurred_at": at, "detail": _packed(fields["detail"]), "own_ref": _text(fields["own_ref"]), "word": word}
    return Fact(_owner(fields), "outcomes", fields["outcome_id"], [fields["revision"]], {**_only(fields, shown), **extra})


def _step(fields: Mapping[str, Any]) -> Fact:
    shown = ("service", "stage", "destination", "verdict", "owner_role", "next_date")
    at, version = _milliseconds(fields["at"]), fields["version"] or 0
    key = f"{fields['service']}/{fields['stage']}/{fields['destination'] or ''}"
    rank = [at, version, *(fields[name] or "" for name in ("verdict", "owner_role", "next_date"))]
    return Fact(_owner(fields), "steps", key, rank, {**_only(fields, shown), "version": version, "at": at})


def _number(fields: Mapping[str, Any]) -> Fact:
    key = f"{fields['publisher_run']}/{fields['sequence']}"
    verdict = fields["verdict"] or fields["stage"].lower()
    shown = {"publisher_run": fields["publisher_run"], "sequence": fields["sequence"], "verdict": verdict}
    return Fact(_owner(fields), "numbers", key, [_milliseconds(fields["at"]), verdict], shown)


def record_of(view: View) -> dict[str, Any]:
    """Return the SignalView: the numbers, steps and outcomes in a fixed order, and never more than a record may hold."""
    outcomes = sorted(_fields(view.outcomes), key=lambda each: (each["occurred_at"], each["outcome_id"]))
    steps = sorted(_fields(view.steps), key=lambda each: (each["at"], each["service"], each["stage"], each["destination"] or ""))
    numbers = [fields for _, fields in sorted(view.numbers.values(), key=_by_rank)]
    return {
        "signal_id": view.owner[1],
        "own_ref": next((_bytes(each["own_ref"]) for each in reversed(outcomes) if each["own_ref"]), None),
        "revision": view.revision,
        "version": max(each["version"] for each in (*steps, *outcomes)),
        "received": numbers[-NUMBERS_SHOWN:],
        "steps": [{**each, "at": _moment(each["at"])} for each in steps],
        "outcomes": list(_shown_outcomes(outcomes)),
    }


def _by_rank(entry: Entry) -> tuple[list[Any], str, int]:
    rank, fields = entry
    return rank, fields["publisher_run"], fields["sequence"]


def _shown_outcomes(outcomes: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    room, kept = DETAIL_BYTES, set()
    for each in reversed(outcomes):
        room -= len(each["detail"]["ciphertext"]) * 3 // 4 if each["detail"] else 0
        if room >= 0:
            kept.add(each["outcome_id"])
    for each in outcomes:
        detail = _unpacked(each["detail"]) if each["outcome_id"] in kept else None
        shown = {name: value for name, value in each.items() if name != "own_ref"}
        yield {**shown, "occurred_at": _moment(each["occurred_at"]), "detail": detail, "word": _unpacked_word(each["word"])}


def _fields(shelf: Shelf) -> list[dict[str, Any]]:
    return [fields for _, fields in shelf.values()]


def _owner(fields: Mapping[str, Any]) -> Owner:
    return fields["municipality"], fields["signal_id"]


def _only(fields: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: fields[name] for name in names}


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def _text(content: bytes | None) -> str | None:
    return None if content is None else b64encode(content).decode()


def _bytes(text: str) -> bytes:
    return b64decode(text)


def _packed(part: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if part is None else {**part, "ciphertext": _text(part["ciphertext"])}


def _packed_word(word: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if word is None else {**word, **{name: _text(word[name]) for name in ("value", "signature")}}


def _unpacked_word(word: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if word is None else {**word, **{name: _bytes(word[name]) for name in ("value", "signature")}}


def _unpacked(part: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if part is None else {**part, "ciphertext": _bytes(part["ciphertext"])}
