"""Publishes records: judged, made ready in bulk, and kept in vault and outbox in one transaction per chunk.

The same reference with the same content is nothing; with other content it is the next version, if that is meant. In one file a
reference stands for one content: the row that came first has it. Two processes that publish the same file at the same time
publish it once: the reference is unique, and who came second judges again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, cast

from signal_exchange.domain.times import local_day
from signal_exchange.municipality.cases import Candidate, Case, Outcome, Result, Verdict, canonical, refused
from signal_exchange.municipality.causes import Cause
from signal_exchange.municipality.changes import changed_fields
from signal_exchange.municipality.checking import Checked, Rulebook, check
from signal_exchange.municipality.importing import Line
from signal_exchange.municipality.preparing import Prepared, Preparer
from signal_exchange.municipality.recording import Recorder
from signal_exchange.municipality.refusals import ENDED, Refusal, of_version
from signal_exchange.municipality.warned import Warned
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime import logs
from signal_exchange.runtime.faults import StoreUnavailable
from signal_exchange.runtime.metrics import Metrics

CHUNK_RECORDS: Final = 200
TRIES: Final = 5
"""How often a record is judged again because another process kept it meanwhile."""
_OUTCOMES: Final = {Verdict.NEW: Outcome.PUBLISHED, Verdict.NEXT: Outcome.NEW_VERSION, Verdict.ADOPTED: Outcome.UNCHANGED}

_Claimed = tuple[Line, tuple[Refusal, ...]]
"""A line, and why it may not be published because of another line of its file."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes the records of one municipality. `now` is its clock; `again` also publishes what was withdrawn."""

    rulebook: Rulebook
    preparer: Preparer
    vault_key: VaultKey
    recorder: Recorder
    metrics: Metrics
    now: Callable[[], datetime]
    chunk_records: int = CHUNK_RECORDS
    again: bool = False

    def publish(self, lines: Iterable[Line], *, changes: bool = True) -> Iterator[Result]:
        """Publish every line that may be, and give each line's result, in order.

        Without `changes` a record that would replace a signal with other content is left alone, and its fields are told; so is
        one that contradicts itself (R-VAL-25).

        Raises:
            StoreUnavailable: the database does not answer; of the chunk in hand nothing holds, what came before does.
        """
        for chunk in self._chunks(_once_each(lines)):
            results = self._publish_chunk(chunk, changes=changes)
            self._tell(results)
            yield from results

    def _chunks(self, lines: Iterable[_Claimed]) -> Iterator[list[_Claimed]]:
        """Give the lines in chunks in which no reference stands twice: the second one is judged after the first is kept."""
        chunk: list[_Claimed] = []
        seen: set[Any] = set()
        for claimed in lines:
            reference = _reference_in(claimed[0])
            if len(chunk) >= self.chunk_records or reference in seen:
                yield chunk
                chunk, seen = [], set()
            chunk.append(claimed)
            seen.update([reference] if reference else [])
        if chunk:
            yield chunk

    def _publish_chunk(self, lines: Sequence[_Claimed], *, changes: bool) -> list[Result]:
        at = self.now()
        judged = [(line, double or check(line, self.rulebook, local_day(at))) for line, double in lines]
        candidates = [Candidate.of(line, found, self.vault_key) for line, found in judged if isinstance(found, Checked)]
        wrong = [refused(line, found) for line, found in judged if not isinstance(found, Checked)]
        by_line = {id(result.line): result for result in (*wrong, *self._settled(candidates, at, changes=changes))}
        return [by_line[id(line)] for line, _ in lines]

    def _settled(self, candidates: Sequence[Candidate], at: datetime, *, changes: bool) -> Iterator[Result]:
        left = list(candidates)
        for _ in range(TRIES):
            settled = self._try(left, at, changes=changes) if left else []
            yield from settled
            done = {id(result.line) for result in settled}
            left = [each for each in left if id(each.line) not in done]
        if left:
            raise StoreUnavailable("Contended")

    def _try(self, candidates: Sequence[Candidate], at: datetime, *, changes: bool) -> list[Result]:
        """Settle every candidate but those that another process kept at the same moment."""
        known = self.recorder.known([each.reference for each in candidates])
        cases = [Case.of(each, known.get(each.reference), again=self.again) for each in candidates]
        unmeant = [] if changes else [case for case in cases if case.must_be_meant]
        leaving = [case for case in cases if case.verdict in (Verdict.NEW, Verdict.NEXT) and case not in unmeant]
        answers = list(zip(leaving, self.preparer.prepare([case.draft() for case in leaving], at), strict=True))
        fit = {id(case): answer for case, answer in answers if isinstance(answer, Prepared)}
        to_keep = [case for case in cases if id(case) in fit or case.verdict is Verdict.ADOPTED]
        kept = self.recorder.keep([(case, fit.get(id(case))) for case in to_keep], at)
        return [
            *(case.result(Outcome.UNCHANGED) for case in cases if case.verdict is Verdict.SAME),
            *(refused(case.candidate.line, [ENDED]) for case in cases if case.verdict is Verdict.ENDED),
            *self._left_alone(unmeant),
            *(refused(case.candidate.line, [answer]) for case, answer in answers if isinstance(answer, Refusal)),
            *(case.result(_OUTCOMES[case.verdict], _warnings(fit.get(id(case)))) for case in kept),
        ]

    def _left_alone(self, cases: Sequence[Case]) -> Iterator[Result]:
        before = self.recorder.records([case.signal_id for case in cases if case.changes_what_stands]) if cases else {}
        for case in cases:
            changed = changed_fields(before.get(case.signal_id, {}), case.candidate.checked.record) or ("local_ref",)
            yield case.left_alone(changed if case.changes_what_stands else ())

    def _tell(self, results: Sequence[Result]) -> None:
        for result in results:
            if result.outcome in (Outcome.PUBLISHED, Outcome.NEW_VERSION):
                self.metrics.signals_published.inc()
                logs.log("signal_published", signal_id=result.signal_id, version=result.version)
            for refusal in result.refusals:
                self.metrics.records_refused.labels(refusal.rule).inc()
                logs.log("signal_refused", field=_loggable(refusal), rule=refusal.rule)
        pending = Counter(warned.code for result in results for warned in result.warnings if warned.is_pending)
        for reason, count in pending.items():
            logs.warn("tokens_pending", reason=reason, count=count)


def _once_each(lines: Iterable[Line]) -> Iterator[_Claimed]:
    """Give each line with why it may not be, if its reference stands above it in the same file with other content."""
    firsts: dict[str, tuple[int, bytes]] = {}
    for line in lines:
        reference = _reference_in(line)
        if not reference:
            yield line, ()
            continue
        content = sha256(canonical(cast("dict[str, Any]", line.record)).encode(errors="replace")).digest()
        first, its_content = firsts.setdefault(reference, (line.number, content))
        yield line, () if content == its_content else (of_version(Cause.DOUBLE, row=first),)


def _reference_in(line: Line) -> str | None:
    reference = line.record.get("local_ref") if isinstance(line.record, dict) else None
    return reference.strip() if isinstance(reference, str) else None


def _loggable(refusal: Refusal) -> str:
    """Return the field, but not the name of an unknown one, which anybody can choose."""
    return "unknown" if refusal.code == "V17_UNKNOWN_FIELD" else refusal.field


def _warnings(prepared: Prepared | None) -> tuple[Warned, ...]:
    return prepared.warnings if prepared else ()
