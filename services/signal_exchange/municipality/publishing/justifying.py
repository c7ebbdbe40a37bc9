"""Searching the texts that leave, and what a person lets pass in them for a reason (R-LEAK-01, R-LEAK-02)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from signal_exchange.domain.signals.signal_rules import NEVER_JUSTIFIED
from signal_exchange.municipality.publishing.field_faults import FieldFault
from signal_exchange.privacy.leak_guard import Finding

FindLeaks = Callable[[str, Mapping[str, Any]], Iterable[Finding]]
"""The leak guard: gives what could identify somebody in a text, knowing the record it belongs to."""


@dataclass(frozen=True, slots=True)
class Justified:
    """Words that a person lets pass: their type (a code of leak_type), the reason (a code of override_reason), and by whom.

    Words and person stay here; type and reason leave (R-VAL-13).
    """

    type: str
    words: str = field(repr=False)
    reason: str
    by: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Searched:
    """Findings in the leaving texts of a record: those that refuse it, and those that pass for a reason, once per place."""

    faults: tuple[FieldFault, ...]
    passed: tuple[Justified, ...] = ()

    def guard(self, version: str) -> dict[str, object]:
        """Return the result of the leak guard as it travels (R-VAL-13)."""
        overrides = [{"type": each.type, "reason": each.reason} for each in self.passed]
        findings = [each.type for each in self.passed]
        return {"version": version, "result": "JUSTIFIED" if findings else "PASS", "findings": findings, "overrides": overrides}


def searched(record: Mapping[str, Any], find: FindLeaks, justified: Sequence[Justified]) -> Searched:
    """Search every text of a record that leaves. A leak guard that does not answer refuses (R-LEAK-01)."""
    faults: list[FieldFault] = []
    passed: list[Justified] = []
    for name, text in _texts_that_leave(record):
        try:
            found = [(each.type, text[each.start : each.end]) for each in find(text, record)]
        except Exception:  # noqa: BLE001 - whatever it is: no answer is no publication (promise 7)
            faults.append(FieldFault(name, "R-LEAK-01", "V13_GUARD"))
            continue
        for kind, words in found:
            reason = _reason(kind, words, justified)
            passed += [reason] if reason else []
            faults += [] if reason else [FieldFault(name, "R-LEAK-02", "V13_GUARD", kind)]
    return Searched(tuple(faults), tuple(passed))


def _reason(kind: str, words: str, justified: Sequence[Justified]) -> Justified | None:
    given = (each for each in justified if each.type == kind and each.words == words and kind not in NEVER_JUSTIFIED)
    return next(given, None)


def _texts_that_leave(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if record.get("summary"):
        yield "summary", record["summary"]
    for index, entry in enumerate(record.get("exchanges") or ()):
        if entry.get("release_ref"):
            yield f"exchanges[{index}].release_ref", entry["release_ref"]
