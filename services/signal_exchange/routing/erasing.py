"""The saga of an erasure, which routing owns (R-RET-03).

Erased on every derived topic, a receipt of every service that may hold something, tombstones, markers that let Kafka close its
segments, the check of the logs, the certificate. Who does not answer is asked again each day; oversight alarms after the term.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from signal_exchange.contracts.records import LINK_TOKENS, SignedWord
from signal_exchange.contracts.topics import SEGMENT, SIGNALS_KEEP, TRACE_KEEP, feedback_topic
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.destinations import LINKING, OWNING_RECEIVERS
from signal_exchange.domain.plain_json import json_safe
from signal_exchange.domain.times import local_day
from signal_exchange.privacy.register import NoSealingKeyError
from signal_exchange.routing.delivering import erased_referral, send_delivered
from signal_exchange.routing.erasures import ASKED, Answer, Erasure, ErasureStore
from signal_exchange.routing.linking_signals import erased_tokens
from signal_exchange.runtime import logs
from signal_exchange.stream.erasing import DONE, RECEIPT, markers
from signal_exchange.stream.erasure_word import headers_of
from signal_exchange.stream.outcomes import SealTo, outcome_id_of, send_outcome
from signal_exchange.stream.views import RoutingOutcomeMessage
from signal_exchange.stream.work import AboutSignal, Work

KIND: Final = "ERASURE"
KEYED_BY_SIGNAL: Final = ("accepted", *(receiver.topic for receiver in OWNING_RECEIVERS), "link-tokens")
"""The state topics that routing writes under the signal's own id."""
MARKED: Final = (*KEYED_BY_SIGNAL, "outcomes", "parked")
"""The topics that routing marks; linking and feedback mark their own when they see the markers on what they read."""
ASK_AGAIN: Final = timedelta(days=1)
DELETING: Final = timedelta(hours=1)
"""How long Kafka may take to delete a segment whose time is over: it looks every five minutes."""
PRIVACY_OFFICER: Final = "PRIVACY_OFFICER"
Buried = Mapping[str, set[str]]
"""Keys that must be gone, by topic."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of cleaning logs: a marker after `segment_seconds` closes the segment, `clean_seconds` later it is clean.

    `backup_days` is how long anybody keeps a copy of a store: back-ups, replicas and archives of a database's log.
    """

    segment_seconds: float
    clean_seconds: float
    backup_days: float = 35.0


@dataclass(frozen=True, slots=True)
class Saga:
    """The erasures that one open transaction brings further."""

    store: ErasureStore
    calendar: WorkingCalendar
    seal_to: SealTo
    work: Work

    def begin(self, *, signal_id: str, municipality: str, version: int, revision: int, at: datetime, word: SignedWord) -> None:
        """Begin an erasure: every service is asked, and must answer within its term. `revision` follows the accepted state's."""
        erasure = Erasure(signal_id, revision, municipality, version, erased_at=at, asked_at=at).on_word(word)
        self.store.put([erasure])
        self._ask(erasure, ASKED)

    def accept(self, receipt: RoutingOutcomeMessage) -> bool:
        """Keep a receipt; with the last one delete every record of the signal, and say so."""
        fields = receipt.fields
        signal_id, service = fields["signal_id"], fields["source"]
        erasure = self.store.erasures([signal_id]).get(signal_id)
        if erasure is None or service not in ASKED:
            return False
        self.store.add_answer(Answer(signal_id, service, fields["state"], fields["occurred_at"]))
        complete = not erasure.is_buried and not self._owing(signal_id)
        if complete:
            self._bury(erasure, receipt.appended_at)
        return complete

    def look(self, now: datetime, terms: Terms) -> Buried:
        """Ask again and mark what is due; return the keys that must be gone from the logs by now, for `certify`."""
        unfinished = self.store.unfinished()
        for each in unfinished:
            if each.buried_at is None and now - each.asked_at >= ASK_AGAIN:
                self._ask_again(each, now)
        unmarked = [each for each in unfinished if each.marked_at is None]
        self._mark([each for each in unmarked if _is_past(each.buried_at, terms.segment_seconds, now)], now)
        return keys_to_be_gone(self.store, self._due(now, terms))

    def certify(self, now: datetime, terms: Terms, left: Buried) -> int:
        """Give a certificate to each erasure whose keys are gone from the logs, and return how many those are.

        What is left of the others is buried again, as its tombstone may have been lost with a store, and the topics are marked
        again: what a service sent a second time after a crash, and the tombstone that followed it, came after the markers and
        would stay until the next record.
        """
        due = self._due(now, terms)
        clean = [each for each in due if not _is_left(each.signal_id, left)]
        self._bury_left(left, now)
        self._mark([each for each in due if each not in clean], now)
        return sum(self._certify(each.moved(certified_at=now), now, terms) for each in clean)

    def _due(self, now: datetime, terms: Terms) -> list[Erasure]:
        return [each for each in self.store.unfinished() if _is_past(each.marked_at, terms.clean_seconds, now)]

    def _ask_again(self, erasure: Erasure, now: datetime) -> None:
        asked = erasure.moved(asked_at=now)
        self.store.put([asked])
        self._ask(asked, self._owing(erasure.signal_id))

    def _owing(self, signal_id: str) -> list[str]:
        answered = self.store.answers(signal_id)
        return [service for service in ASKED if service not in answered]

    def _ask(self, erasure: Erasure, services: Sequence[str]) -> None:
        signal_id, at = erasure.signal_id, erasure.asked_at
        fields, tokens = erased_referral(erasure), erased_tokens(erasure)
        if LINKING in services:
            event_id = f"{signal_id}.{tokens['revision']}.erased"
            self.work.send("link-tokens", signal_id, LINK_TOKENS, tokens, event_id=event_id, at=at)
        for receiver in (each for each in OWNING_RECEIVERS if each.service in services):
            event_id = f"{signal_id}.{fields['revision']}.erased"
            send_delivered(receiver, fields, minor=False, event_id=event_id, at=at, work=self.work)
        self._report(erasure, at, None)
        due = self.calendar.deadline(erasure.erased_at, self.calendar.policy.receipt_wd).date().isoformat()
        for service in (*services, self.work.service):
            about = _about(erasure)
            self.work.trace(RECEIPT, at=at, key=signal_id, service=service, owner_role=PRIVACY_OFFICER, next_date=due, **about)

    def _bury(self, erasure: Erasure, at: datetime) -> None:
        signal_id = erasure.signal_id
        for topic in KEYED_BY_SIGNAL:
            self.work.tombstone(topic, signal_id, at=at, carrying=headers_of(erasure.word))
        kept = {f"{signal_id}/{outcome_id}" for outcome_id in _kept_outcomes(signal_id)}
        buried = [key for key in self.store.outcomes_of(signal_id) if key not in kept]
        for key in buried:
            self.work.tombstone("outcomes", key, at=at, partition_by=signal_id)
        done = erasure.moved(buried_at=at)
        self.store.put([done])
        self._report(done, at, None)

    def _bury_left(self, left: Buried, now: datetime) -> None:
        erasures = self.store.erasures(key.partition("/")[0] for keys in left.values() for key in keys)
        for topic in (each for each in MARKED if each in left):
            for key in sorted(left[topic]):
                signal_id = key.partition("/")[0]
                word = erasures[signal_id].word if signal_id in erasures else None
                self.work.tombstone(topic, key, at=now, partition_by=signal_id, carrying=headers_of(word))

    def _mark(self, due: Sequence[Erasure], now: datetime) -> None:
        for topic in MARKED if due else ():
            markers(topic, now, self.work)
        self.store.put([each.moved(marked_at=now) for each in due])

    def _certify(self, erasure: Erasure, now: datetime, terms: Terms) -> bool:
        """Give a certificate; it waits while the register lacks the key of its municipality."""
        try:
            self._report(erasure, now, certificate_of(erasure, self.store.answers(erasure.signal_id).values(), terms))
        except NoSealingKeyError as fault:
            logs.warn("sealing_key_missing", reason=str(fault))
            return False
        self.store.put([erasure])
        self.work.trace(RECEIPT, at=now, key=erasure.signal_id, verdict=DONE, **_about(erasure))
        kept = {f"{erasure.signal_id}/{outcome_id}" for outcome_id in _kept_outcomes(erasure.signal_id)}
        self.store.forget_outcomes(set(self.store.outcomes_of(erasure.signal_id)) - kept)
        return True

    def _report(self, erasure: Erasure, at: datetime, certificate: Mapping[str, object] | None) -> None:
        send_outcome(
            self.work,
            **_about(erasure),
            kind=KIND,
            number=1,
            revision=erasure.revision,
            state=erasure.state,
            occurred_at=at,
            detail=certificate,
            seal_to=self.seal_to,
            word=erasure.word,
        )


def _about(erasure: Erasure) -> AboutSignal:
    return AboutSignal(signal_id=erasure.signal_id, version=erasure.version, municipality=erasure.municipality)


def keys_to_be_gone(store: ErasureStore, erasures: Sequence[Erasure]) -> Buried:
    """Return the keys under which nothing of these erased signals may be left, by topic; nothing without erasures."""
    ids = {each.signal_id for each in erasures}
    kept = {f"{signal_id}/{outcome_id}" for signal_id in ids for outcome_id in _kept_outcomes(signal_id)}
    outcomes = {key for signal_id in ids for key in store.outcomes_of(signal_id)} - kept
    return {**dict.fromkeys((*KEYED_BY_SIGNAL, "links"), ids), "outcomes": outcomes} if ids else {}


def certificate_of(erasure: Erasure, answers: Iterable[Answer], terms: Terms) -> dict[str, object]:
    """Return the certificate: what was done when, who answered what, and when the logs and the copies of stores end.

    It names no person and no content: a random id, services, codes and moments. A receipt says that the bytes have left the
    store of that service (docs/decisions/0026). Routing reads some topics from end to end; others, which it may not read, are
    buried and marked by who writes them.
    """
    receipts = {each.service: {"state": each.state, "at": each.at.isoformat()} for each in answers}
    return {
        "signal_id": erasure.signal_id,
        "version": erasure.version,
        "erased_at": erasure.erased_at.isoformat(),
        "receipts": dict(sorted(receipts.items())),
        "tombstones_at": json_safe(erasure.buried_at),
        "checked_at": json_safe(erasure.certified_at),
        "topics_checked": sorted({*KEYED_BY_SIGNAL, "links", "outcomes"}),
        "topics_buried_by_their_writers": sorted({feedback_topic(erasure.municipality), "link-candidates", "parked"}),
        "logs_end_on": local_day(erasure.erased_at + SIGNALS_KEEP + SEGMENT + DELETING).isoformat(),
        "trace_ends_on": local_day(erasure.erased_at + TRACE_KEEP + SEGMENT + DELETING).isoformat(),
        "backups_end_on": local_day(_last_byte(erasure) + timedelta(days=terms.backup_days)).isoformat(),
        "statistics": "facts under ids that say nothing remain (R-STAT-01); the rows that led to them were deleted",
    }


def _last_byte(erasure: Erasure) -> datetime:
    """Return the moment of the last receipt for bytes that are gone: a copy of a store that was made before may hold them."""
    return erasure.buried_at or erasure.erased_at


def _kept_outcomes(signal_id: str) -> set[str]:
    """Return the ids of the outcomes that stay: the erasure's own and the receipts, which hold nothing of the signal."""
    receipts = {outcome_id_of(signal_id, service, RECEIPT, 1) for service in ASKED}
    return {*receipts, outcome_id_of(signal_id, "routing", KIND, 1)}


def _is_left(signal_id: str, left: Buried) -> bool:
    return any(key.partition("/")[0] == signal_id for keys in left.values() for key in keys)


def _is_past(moment: datetime | None, seconds: float, now: datetime) -> bool:
    return moment is not None and now - moment >= timedelta(seconds=seconds)
