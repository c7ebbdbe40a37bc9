"""What a handler does in one batch: all effects go through here, into one transaction."""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.codec import encode
from signal_exchange.runtime import logs
from signal_exchange.stream.messages import Incoming, Unreadable
from signal_exchange.stream.outbox import Letter

TRACE_NAMESPACE = uuid.UUID("0a1d9d0e-51f5-5b47-8d6c-2f3f9c3c7a11")
Seal = Callable[[bytes, str], Mapping[str, object]]
"""Seals bytes to the service's own parking key, bound to a parked id; returns a SealedPart."""
Park = Callable[["Work", Unreadable], None]
"""Keeps a record that cannot be processed, in the transaction of the given Work."""


class Work:
    """The effects of one batch in one open transaction: letters, trace facts and parked records.

    `connection` is the transaction in which the handler's store writes; `erased` are the signals that it erased, and other
    keys under which nothing is left: what was parked about them ends too. `owes_bytes` says that something else was deleted for
    good, so that its bytes must leave the store as well.
    """

    replays = False
    """Whether these records were handled before, as in a rebuild."""

    def __init__(self, service: str, connection: Connection, seal: Seal, park: Park | None = None) -> None:
        self.service, self.connection, self.seal, self._park = service, connection, seal, park or park_on_topic
        self.letters: list[Letter] = []
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
        record: str,
        fields: Mapping[str, object],
        *,
        event_id: str,
        at: datetime,
        partition_by: str | None = None,
    ) -> None:
        """Send a record when the transaction holds. Doing it twice sends an equal record under an equal key and event id."""
        source = cloud_events.source_of(cloud_events.REGION_OIN, self.service)
        trace = cloud_events.new_traceparent()
        headers = cloud_events.headers(record, event_id=event_id, at=at, source=source, traceparent=trace)
        self.letters.append(Letter(topic, key, encode(record, fields), headers, partition_by, self._holds))

    def tombstone(
        self, topic: str, key: str, *, at: datetime, partition_by: str | None = None, carrying: cloud_events.Headers | None = None
    ) -> None:
        """Tell Kafka and every reader that nothing is left under a key of a state topic, with headers that say on whose word."""
        headers = [("ce_time", at.isoformat(timespec="milliseconds").encode()), *(carrying or ())]
        self.letters.append(Letter(topic, key, None, headers, partition_by))

    def trace(self, stage: str, *, at: datetime, key: str, **facts: object) -> None:
        """Tell one step of a signal to the trace. The id is that of the step, so that telling it twice tells it once.

        `service` among the facts names another one, which owes the step.
        """
        empty = dict.fromkeys(
            (
                "signal_id",
                "version",
                "municipality",
                "publisher_run",
                "sequence",
                "destination",
                "verdict",
                "owner_role",
                "next_date",
                "records",
            )
        )
        fields = {**empty, "service": self.service, **facts, "stage": stage, "at": at}
        identity = json.dumps({**fields, "at": at.isoformat(), "key": key}, sort_keys=True)
        trace_id = str(uuid.uuid5(TRACE_NAMESPACE, identity))
        self.send("signal-trace", key, "TraceFact", {**fields, "trace_id": trace_id}, event_id=trace_id, at=at)

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
        """Return how many records could not be processed, kept or only counted."""
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
    parked_id = unreadable.incoming.parked_id(work.service)
    fields = _parked_fields(unreadable, work.service, parked_id)
    sealed = work.seal(packed(unreadable.incoming, at_most or PARKED_BYTES), parked_id)
    at = unreadable.incoming.appended_at
    work.send("parked", parked_id, "ParkedRecord", {**fields, "record": sealed}, event_id=parked_id, at=at)
    _trace_parked(work, unreadable, parked_id)


def _trace_parked(work: Work, unreadable: Unreadable, parked_id: str) -> None:
    who, at = unreadable.attribution, unreadable.incoming.appended_at
    if who is None:
        work.trace("PARKED", at=at, key=parked_id, verdict="unattributed")
        return
    facts = {"municipality": who.municipality, "publisher_run": who.publisher_run, "sequence": who.sequence}
    work.trace(
        "PARKED", at=at, key=who.signal_id or parked_id, verdict="parked", signal_id=who.signal_id, version=who.version, **facts
    )


def _parked_fields(unreadable: Unreadable, service: str, parked_id: str) -> dict[str, object]:
    who, incoming = unreadable.attribution, unreadable.incoming
    return {
        "parked_id": parked_id,
        "service": service,
        "topic": incoming.topic,
        "partition": incoming.partition,
        "offset": incoming.offset,
        "reason": unreadable.reason,
        "errors": list(unreadable.errors[:ERRORS_KEPT]),
        "attributed": who is not None,
        "municipality": who.municipality if who else None,
        "publisher_run": who.publisher_run if who else None,
        "sequence": who.sequence if who else None,
        "signal_id": who.signal_id if who else None,
        "version": who.version if who else None,
        "state": "PARKED",
        "parked_at": incoming.appended_at,
        "revision": incoming.attempt + 1,
    }


PARKED_BYTES = 240_000
"""What fits into a parked record that can itself be read: a value of about 178,000 bytes, and R-VAL-15 allows 65,536."""
START_BYTES, KEY_BYTES = 40_000, 1_000
"""Of what does not fit the start is kept for who looks at it; the original stays in its log."""
ERRORS_KEPT = 100
"""Errors that a parked record tells, the first ones: a record with a thousand of them must not be unreadable itself."""


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
