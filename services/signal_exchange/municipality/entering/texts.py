"""Findings of the leak guard in the text of an entry, and choices of its officer: replace, remove, or let pass (R-LEAK-02)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.signals.signal_rules import NEVER_JUSTIFIED
from signal_exchange.municipality.entering.entries import Entry, Masked
from signal_exchange.municipality.publishing.justifying import FindLeaks, Justified
from signal_exchange.privacy.leak_guard import Finding
from signal_exchange.reference.loading import load_code_lists

_OFTEN_FALSE: Final = frozenset({"DOB", "POSTCODE", "URL"})
"""Types of which rules.md names false alarms: a week, a year and a unit, a word with a point."""


@dataclass(frozen=True, slots=True)
class Found:
    """One finding as its officer sees it: type, words, and whether the guard is sure of it.

    `own` says that a field that stays here has it too, `may_pass` that a person may let it pass for a reason.
    """

    type: str
    words: str = field(repr=False)
    sure: bool = True
    own: bool = False
    may_pass: bool = True


def found_in(entry: Entry, record: Mapping[str, Any], find: FindLeaks) -> tuple[Found, ...]:
    """Return the findings in the text that are not settled yet, each once, in the order of the text.

    Raises:
        RefusedError: the leak guard gives no answer (R-LEAK-01).
    """
    kept = {(each.type, each.words) for each in entry.kept}
    strange = {(each.start, each.end) for each in _find(entry.text, {}, find)}
    found = [_found(each, entry.text, own=(each.start, each.end) not in strange) for each in _find(entry.text, record, find)]
    once = {(each.type, each.words): each for each in reversed(found)}
    return tuple(each for each in reversed(once.values()) if (each.type, each.words) not in kept)


def _find(text: str, record: Mapping[str, Any], find: FindLeaks) -> list[Finding]:
    try:
        return list(find(text, record)) if text else []
    except Exception:  # noqa: BLE001 - whatever it is: without an answer the text does not leave (promise 7)
        raise RefusedError("GUARD_SILENT", field="summary", rule="R-LEAK-01") from None


def _found(finding: Finding, text: str, *, own: bool) -> Found:
    words = text[finding.start : finding.end]
    doubtful = finding.type in _OFTEN_FALSE or (finding.type == "NAME" and len(words.split()) == 1)
    return Found(finding.type, words, own or not doubtful, own, finding.type not in NEVER_JUSTIFIED)


def masked(entry: Entry, kind: str, words: str, put: str) -> Entry:
    """Return the entry with other words, or none, wherever these stand in its text."""
    text, done, at = entry.text, list(entry.masked), entry.text.find(words) if words else -1
    while at >= 0:
        text = text[:at] + put + text[at + len(words) :]
        done = [*_moved(done, at, len(put) - len(words)), Masked(kind, words, put, at)]
        at = text.find(words, at + len(put))
    return entry.with_text(text, sorted(done, key=lambda each: each.at))


def unmasked(entry: Entry, place: int) -> Entry:
    """Return the entry with the words back that one replacement took out."""
    if not 0 <= place < len(entry.masked):
        return entry
    gone, text = entry.masked[place], entry.text
    at = _nearest(text, gone)
    others = [each for each in entry.masked if each is not gone]
    if at is None:
        return replace(entry, masked=tuple(others))
    back = text[:at] + gone.words + text[at + len(gone.put) :]
    return entry.with_text(back, _moved(others, at, len(gone.words) - len(gone.put)))


def kept(entry: Entry, kind: str, words: str, reason: str, by: str) -> Entry:
    """Return the entry in which words may stand for a reason.

    Raises:
        RefusedError: they are a BSN, IBAN, document number or V-number, or there is no such reason.
    """
    if reason not in load_code_lists().codes("override_reason"):
        raise RefusedError("OVERRIDE_REASON_UNKNOWN", field="summary")
    if kind in NEVER_JUSTIFIED:
        raise RefusedError("NEVER_JUSTIFIED", field="summary", rule="R-LEAK-02")
    others = [each for each in entry.kept if (each.type, each.words) != (kind, words)]
    return replace(entry, kept=(*others, Justified(kind, words, reason, by)))


def unkept(entry: Entry, place: int) -> Entry:
    """Return the entry in which words may no longer stand."""
    return replace(entry, kept=tuple(each for index, each in enumerate(entry.kept) if index != place))


def _moved(masks: Iterable[Masked], at: int, by: int) -> list[Masked]:
    return [replace(each, at=each.at + by) if each.at > at else each for each in masks]


def _nearest(text: str, gone: Masked) -> int | None:
    """Return where the words that were put stand now; who types moves them."""
    if not gone.put:
        return min(gone.at, len(text))
    places = _places(text, gone.put)
    return min(places, key=lambda each: abs(each - gone.at), default=None)


def _places(text: str, put: str) -> Sequence[int]:
    return [at for at in range(len(text)) if text.startswith(put, at)]
