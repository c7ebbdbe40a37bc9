"""Publishes records: judged, made ready in bulk, and kept in vault and outbox in one transaction per chunk.

The same reference with the same content is nothing; with other content it is the next version, if that is meant. In one file a
reference stands for one content: the row that came first has it. Two processes that publish the same file at the same time
publish it once: the reference is unique, and who came second judges again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, cast

from signal_exchange.domain.times import local_day
from signal_exchange.municipality.publishing.causes import Cause
from signal_exchange.municipality.publishing.changes import changed_fields
from signal_exchange.municipality.publishing.checking import Checked, Rulebook, check
from signal_exchange.municipality.publishing.field_faults import ENDED, FieldFault, of_version
from signal_exchange.municipality.publishing.field_warnings import FieldWarning
from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.publishing.preparing import Prepared, Preparer
from signal_exchange.municipality.publishing.previewing import Preview, preview_of
from signal_exchange.municipality.publishing.recording import Recorder
from signal_exchange.municipality.publishing.submissions import Outcome, Result, Submission, Verdict, canonical, refused
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime import logs
from signal_exchange.runtime.faults import StoreUnavailableError
from signal_exchange.runtime.metrics import Metrics

CHUNK_RECORDS: Final = 200
TRIES: Final = 5
"""How often a record is judged again because another process kept it meanwhile."""
_OUTCOMES: Final = {Verdict.NEW: Outcome.PUBLISHED, Verdict.NEXT: Outcome.NEW_VERSION, Verdict.ADOPTED: Outcome.UNCHANGED}

_Claimed = tuple[Line, tuple[FieldFault, ...]]
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
            StoreUnavailableError: the database does not answer; of the chunk in hand nothing holds, what came before does.
        """
        for chunk in self._chunks(_once_each(lines)):
            results = self._publish_chunk(chunk, changes=changes)
            self._tell(results)
            yield from results

    def preview(self, line: Line) -> Preview | tuple[FieldFault, ...]:
        """Return the preview of a line as if it were published now, or every fault for which it may not be."""
        found = check(line, self.rulebook, local_day(self.now()))
        if not isinstance(found, Checked):
            return found
        submitted = Submission.of(line, found, self.vault_key)
        known = self.recorder.known([submitted.reference])
        return preview_of(submitted.beside(known.get(submitted.reference), again=self.again), self.preparer)

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
        submitted = [Submission.of(line, found, self.vault_key) for line, found in judged if isinstance(found, Checked)]
        settled = iter(self._settled(submitted, at, changes=changes))
        return [next(settled) if isinstance(found, Checked) else refused(line, found) for line, found in judged]

    def _settled(self, submitted: Sequence[Submission], at: datetime, *, changes: bool) -> list[Result]:
        """Return the result of each submission, in order. No reference stands twice in a chunk, so it tells them apart."""
        settled: dict[bytes, Result] = {}
        for _ in range(TRIES):
            left = [each for each in submitted if each.reference not in settled]
            settled |= self._try(left, at, changes=changes) if left else {}
        if len(settled) < len(submitted):
            raise StoreUnavailableError("Contended")
        return [settled[each.reference] for each in submitted]

    def _try(self, submitted: Sequence[Submission], at: datetime, *, changes: bool) -> dict[bytes, Result]:
        """Settle every submission but those that another process kept at the same moment."""
        known = self.recorder.known([each.reference for each in submitted])
        found = [each.beside(known.get(each.reference), again=self.again) for each in submitted]
        unmeant = [] if changes else [each for each in found if each.must_be_meant]
        leaving = [each for each in found if each.leaves and each not in unmeant]
        answers = {each.reference: answer for each, answer in zip(leaving, self.preparer.prepare(leaving, at), strict=True)}
        fit = {reference: answer for reference, answer in answers.items() if isinstance(answer, Prepared)}
        to_keep = [each for each in found if each.reference in fit or each.verdict is Verdict.ADOPTED]
        # Two processes may publish one reference at the same moment. The store keeps one of them; the other is missing in `kept`,
        # and its caller tries it again, when it is known.
        kept = self.recorder.keep([(each, fit.get(each.reference)) for each in to_keep], at)
        unfit = [(each, answers.get(each.reference)) for each in leaving]
        return {
            **{each.reference: each.result(Outcome.UNCHANGED) for each in found if each.verdict is Verdict.SAME},
            **{each.reference: refused(each.line, [ENDED]) for each in found if each.verdict is Verdict.ENDED},
            **self._left_alone(unmeant),
            **{each.reference: refused(each.line, [answer]) for each, answer in unfit if isinstance(answer, FieldFault)},
            **{each.reference: each.result(_OUTCOMES[each.verdict], _warnings(fit.get(each.reference))) for each in kept},
        }

    def _left_alone(self, unmeant: Sequence[Submission]) -> dict[bytes, Result]:
        before = self.recorder.records([each.signal_id for each in unmeant if each.changes_what_stands]) if unmeant else {}
        return {each.reference: each.left_alone(_changed(each, before)) for each in unmeant}

    def _tell(self, results: Sequence[Result]) -> None:
        for result in results:
            if result.outcome in (Outcome.PUBLISHED, Outcome.NEW_VERSION):
                self.metrics.signals_published.inc()
                logs.log("signal_published", signal_id=result.signal_id, version=result.version)
            for fault in result.faults:
                self.metrics.records_refused.labels(fault.rule).inc()
                logs.log("signal_refused", field=_loggable(fault), rule=fault.rule)
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


def _loggable(fault: FieldFault) -> str:
    """Return the field, but not the name of an unknown one, which anybody can choose."""
    return "unknown" if fault.code == "V17_UNKNOWN_FIELD" else fault.field


def _changed(submission: Submission, before: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the fields in which a submission changes the record that stands, if one does."""
    if not submission.changes_what_stands:
        return ()
    return changed_fields(before.get(submission.signal_id, {}), submission.checked.record) or ("local_ref",)


def _warnings(prepared: Prepared | None) -> tuple[FieldWarning, ...]:
    return prepared.warnings if prepared else ()
