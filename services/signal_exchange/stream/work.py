"""The effects of a handler in one batch: all effects go through here, into one transaction."""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import TypedDict

from sqlalchemy import Connection

from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.codec import encode
from signal_exchange.contracts.record_names import Fields, RecordName
from signal_exchange.contracts.records import PARKED_RECORD, TRACE_FACT, ParkedRecord, SealedPart, TraceFact
from signal_exchange.runtime import logs
from signal_exchange.stream.messages import Attribution, Incoming, Unreadable
from signal_exchange.stream.outbox import OutgoingRecord

TRACE_NAMESPACE = uuid.UUID("0a1d9d0e-51f5-5b47-8d6c-2f3f9c3c7a11")
Seal = Callable[[bytes, str], SealedPart]
"""Seals bytes to the service's own parking key, bound to a parked id; returns a SealedPart."""
Park = Callable[["Work", Unreadable], None]
"""Keeps a record that cannot be processed, in the transaction of the given Work."""


class AboutSignal(TypedDict):
    """The fields by which most records say of which version of which signal they speak, and whose it is."""

    signal_id: str
    version: int
    municipality: str


def about_signal(fields: AboutSignal) -> AboutSignal:
    """Return these fields alone of a record that has them."""
    return AboutSignal(signal_id=fields["signal_id"], version=fields["version"], municipality=fields["municipality"])


class Work:
    """The effects of one batch in one open transaction: outgoing records, trace facts and parked records.

    `connection` is the transaction in which the handler's store writes; `erased` are the signals that it erased, and other
    keys under which nothing is left: what was parked about them ends too. `owes_bytes` says that something else was deleted for
    good, so that its bytes must leave the store as well.
    """

    replays = False
    """Whether these records were handled before, as in a rebuild."""

    def __init__(self, service: str, connection: Connection, seal: Seal, park: Park | None = None) -> None:
        self.service, self.connection, self.seal, self._park = service, connection, seal, park or park_on_topic
        self.outgoing: list[OutgoingRecord] = []
        self.parked: list[Unreadable] = []
        self.counted: list[tuple[Unreadable, bool]] = []
        self.erased: set[str] = set()
        self.owes_bytes = False
        self._holds = False

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Let what is sent in this block leave only when the bytes that the transaction deletes have left the store."""
        self._holds = True
        try:
            yield
        finally:
            self._holds = False

    def send(
        self,
        topic: str,
        key: str,
        record: RecordName[Fields],
        fields: Fields,
        *,
        event_id: str,
        at: datetime,
        partition_by: str | None = None,
    ) -> None:
        """Send a record when the transaction holds. Doing it twice sends an equal record under an equal key and event id."""
        source = cloud_events.source_of(cloud_events.REGION_OIN, self.service)
        trace = cloud_events.new_traceparent()
        headers = cloud_events.headers(record, event_id=event_id, at=at, source=source, traceparent=trace)
        self.outgoing.append(OutgoingRecord(topic, key, encode(record, fields), headers, partition_by, self._holds))

    def tombstone(
        self, topic: str, key: str, *, at: datetime, partition_by: str | None = None, carrying: cloud_events.Headers | None = None
    ) -> None:
        """Tell Kafka and every reader that nothing is left under a key of a state topic, with headers that say on whose word."""
        headers = [("ce_time", at.isoformat(timespec="milliseconds").encode()), *(carrying or ())]
        self.outgoing.append(OutgoingRecord(topic, key, None, headers, partition_by))

    def trace(
        self,
        stage: str,
        *,
        at: datetime,
        key: str,
        service: str | None = None,
        signal_id: str | None = None,
        version: int | None = None,
        municipality: str | None = None,
        publisher_run: str | None = None,
        sequence: int | None = None,
        destination: str | None = None,
        verdict: str | None = None,
        owner_role: str | None = None,
        next_date: str | None = None,
        records: int | None = None,
    ) -> None:
        """Tell one step of a signal to the trace. The id is that of the step, so that telling it twice tells it once.

        `service` names another one, which owes the step.
        """
        fact = TraceFact(
            trace_id="",
            service=service or self.service,
            stage=stage,
            signal_id=signal_id,
            version=version,
            municipality=municipality,
            publisher_run=publisher_run,
            sequence=sequence,
            destination=destination,
            verdict=verdict,
            owner_role=owner_role,
            next_date=next_date,
            records=records,
            at=at,
        )
        fact["trace_id"] = _trace_id(fact, key)
        self.send("signal-trace", key, TRACE_FACT, fact, event_id=fact["trace_id"], at=at)

    def trace_number(self, stage: str, who: Attribution, *, at: datetime, key: str, verdict: str) -> None:
        """Trace what became of a number: a place in the ledger (R-FLOW-01)."""
        self.trace(
            stage,
            at=at,
            key=key,
            verdict=verdict,
            signal_id=who.signal_id,
            version=who.version,
            municipality=who.municipality,
            publisher_run=who.publisher_run,
            sequence=who.sequence,
        )

    def park(self, unreadable: Unreadable) -> None:
        """Keep a record that cannot be processed, where this service keeps them."""
        self.parked.append(unreadable)
        self._park(self, unreadable)

    def only_count(self, unreadable: Unreadable, *, known: bool) -> None:
        """Count the record that is being parked and keep nothing of it; one that is `known` was counted before."""
        self.parked.remove(unreadable)
        self.counted.append((unreadable, known))

    @property
    def bad(self) -> int:
        """Return the number of records that could not be processed, kept or only counted."""
        return len(self.parked) + len(self.counted)

    def tell_counted(self) -> None:
        """Tell the trace how many records of each part of a topic were only counted: one fact for all of this batch."""
        parts: dict[tuple[str, int], list[Incoming]] = {}
        for unreadable, known in self.counted:
            if not known:
                parts.setdefault((unreadable.incoming.topic, unreadable.incoming.partition), []).append(unreadable.incoming)
        for (topic, partition), together in parts.items():
            key = f"{topic}.{partition}.{together[0].offset}-{together[-1].offset}"
            at = together[-1].appended_at
            self.trace("PARKED", at=at, key=key, verdict="unattributed", records=len(together))
            logs.warn("records_counted", topic=topic, count=len(together))


def park_on_topic(work: Work, unreadable: Unreadable, at_most: int | None = None) -> None:
    """Keep a record on the topic `parked`, sealed to this service, and tell the trace; `at_most` so many bytes of it."""
    parked_id, at = unreadable.incoming.parked_id(work.service), unreadable.incoming.appended_at
    sealed = work.seal(packed(unreadable.incoming, at_most or PARKED_BYTES), parked_id)
    work.send("parked", parked_id, PARKED_RECORD, _parked_record(unreadable, work.service, sealed), event_id=parked_id, at=at)
    if who := unreadable.attribution:
        work.trace_number("PARKED", who, at=at, key=who.signal_id or parked_id, verdict="parked")
    else:
        work.trace("PARKED", at=at, key=parked_id, verdict="unattributed")


def _trace_id(fact: TraceFact, key: str) -> str:
    step = {**fact, "at": fact["at"].isoformat(), "key": key}
    del step["trace_id"]
    return str(uuid.uuid5(TRACE_NAMESPACE, json.dumps(step, sort_keys=True)))


def _parked_record(unreadable: Unreadable, service: str, sealed: SealedPart) -> ParkedRecord:
    who, incoming = unreadable.attribution, unreadable.incoming
    return ParkedRecord(
        parked_id=incoming.parked_id(service),
        service=service,
        topic=incoming.topic,
        partition=incoming.partition,
        offset=incoming.offset,
        reason=unreadable.reason,
        errors=list(unreadable.errors[:ERRORS_KEPT]),
        attributed=who is not None,
        municipality=who.municipality if who else None,
        publisher_run=who.publisher_run if who else None,
        sequence=who.sequence if who else None,
        signal_id=who.signal_id if who else None,
        version=who.version if who else None,
        state="PARKED",
        parked_at=incoming.appended_at,
        revision=incoming.attempt + 1,
        record=sealed,
    )


PARKED_BYTES = 240_000
"""What fits into a parked record that can itself be read: a value of about 178,000 bytes, and R-VAL-15 allows 65,536."""
START_BYTES, KEY_BYTES = 40_000, 1_000
"""Of what does not fit the start is kept for who looks at it; the original stays in its log."""
ERRORS_KEPT = 100
"""Errors that a parked record tells, the first ones: a record with a thousand of them must not be unreadable itself."""


class PackedRecord(TypedDict):
    """The parts that are kept of a record that could not be processed: key, value and headers in base64."""

    key: str | None
    value: str | None
    headers: dict[str, str]
    complete: bool


def packed(incoming: Incoming, at_most: int | None = PARKED_BYTES) -> bytes:
    """Return key, value and headers of a record as one JSON document, to be kept with what could not be processed.

    Of a document of more than `at_most` bytes only the start of the value is kept, with its length and its SHA-256, and it says
    that it is not complete.
    """
    whole = _document(incoming.key, incoming.value, incoming.headers)
    if at_most is None or len(whole) <= at_most:
        return whole
    value = incoming.value or b""
    start, key_bytes = min(START_BYTES, at_most // 2), min(KEY_BYTES, at_most // 8)
    of_all: dict[str, int | str] = {"size": len(value), "sha256": sha256(value).hexdigest()}
    return _document((incoming.key or b"")[:key_bytes], value[:start], {}, of_all)


def _document(
    key: bytes | None, value: bytes | None, headers: Mapping[str, bytes], left_out: Mapping[str, int | str] | None = None
) -> bytes:
    """Return a record as JSON; `left_out` tells about the whole of what is given here in part."""
    texts = {name: _text(content) for name, content in headers.items()}
    told = {"key": _text(key), "value": _text(value), "headers": texts, "complete": left_out is None, **(left_out or {})}
    return json.dumps(told).encode()


def _text(content: bytes | None) -> str | None:
    return None if content is None else b64encode(content).decode()
