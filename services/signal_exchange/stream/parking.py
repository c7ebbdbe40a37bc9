"""The parked records of a service, kept sealed in its own store until a person decides: try it again, or drop it (promise 3)."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, TypedDict, cast

from sqlalchemy import Connection, Select, select, update

from signal_exchange.contracts.codec import decode_as
from signal_exchange.contracts.records import PARKED_RECORD, ParkedRecord, SealedPart
from signal_exchange.privacy.sealing import CannotOpenError
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import put_newer
from signal_exchange.stream.messages import Incoming, Message, Unreadable
from signal_exchange.stream.outbox import OutgoingRecord
from signal_exchange.stream.tables import PARKED
from signal_exchange.stream.views import RetryRequestMessage
from signal_exchange.stream.work import PackedRecord, Park, Work

RETRY_READER = "retry"
"""The view that every service has of requests about what it parked, and of its own parked records."""
Unseal = Callable[[SealedPart, str], bytes]
"""Opens a SealedPart that is bound to an id: `Identity.opened`."""
Dropped = Callable[[ParkedRecord, Work], None]
"""A service's own work when one of its parked records is dropped."""


class CannotRetryError(Exception):
    """A parked record cannot be tried again; the text is a reason code: NOT_HERE, INCOMPLETE or CANNOT_OPEN."""


class Origin(TypedDict):
    """The origin of a parked record, and the moment at which it was parked."""

    topic: str
    partition: int
    offset: int
    parked_at: datetime


class ParkedStore:
    """The parked records of one service, each as the ParkedRecord that it sent last, in one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def parked(self, parked_id: str) -> ParkedRecord | None:
        """Return the fields of a record that waits for a decision; None when it is unknown, resolved or discarded."""
        found = self._chosen(select(PARKED.c.value).where(PARKED.c.parked_id == parked_id), "PARKED")
        return found[0] if found else None

    def keep(
        self,
        outgoing: Iterable[OutgoingRecord],
        only: str | None = None,
        state: str | None = None,
        parked: Sequence[Unreadable] = (),
    ) -> None:
        """Keep the parked records among these, `only` those of one service and in one state; an older one never wins.

        What stands on the topic `parked` may be given as well: so a lost store gets its parked records back. `parked` are the
        records themselves, where they are at hand.
        """
        about = {each.incoming.parked_id(only or ""): _signal_in(each.incoming.key) for each in parked}
        decoded = [(each, decode_as(each.value, PARKED_RECORD)) for each in outgoing if each.topic == "parked" and each.value]
        rows = [
            {"parked_id": record.key, "revision": fields["revision"], "value": record.value, "about": _about(fields, about)}
            for record, fields in decoded
            if only in (None, fields["service"]) and state in (None, fields["state"])
        ]
        put_newer(self._connection, PARKED, rows, guard="revision")

    def about(self, signal_ids: Collection[str], open_parts: Callable[[ParkedRecord], str | None]) -> list[ParkedRecord]:
        """Return the fields of every record that waits and is about one of these signals.

        Of a record of which nobody knows it yet `open_parts` looks into it, and that is remembered.
        """
        unknown = self._connection.execute(select(PARKED).where(PARKED.c.about.is_(None))).all()
        for row in unknown:
            found = _hashed(open_parts(decode_as(row.value, PARKED_RECORD)))
            own = PARKED.c.parked_id == row.parked_id
            self._connection.execute(update(PARKED).where(own).values(about=found))
        wanted = PARKED.c.about.in_([_hashed(each) for each in signal_ids if each])
        return self._chosen(select(PARKED.c.value).where(wanted), "PARKED")

    def all(self, *states: str) -> list[ParkedRecord]:
        """Return the fields of every record in one of these states."""
        return self._chosen(select(PARKED.c.value), *states)

    def _chosen(self, values: Select[Any], *states: str) -> list[ParkedRecord]:
        found = self._connection.execute(values.order_by(PARKED.c.parked_id)).scalars()
        return [fields for fields in (decode_as(value, PARKED_RECORD) for value in found) if fields["state"] in states]

    def knows(self, parked_id: str, revision: int) -> bool:
        """Say whether this record was parked before, in this revision or a later one."""
        found = self._connection.execute(select(PARKED.c.revision).where(PARKED.c.parked_id == parked_id)).scalar()
        return found is not None and found >= revision

    def held_back(self) -> set[str]:
        """Return the parked ids of what waits for a person or was dropped by one: it does not come back in a rebuild."""
        return {fields["parked_id"] for fields in self.all("PARKED", "DISCARDED")}


def once(park: Park, kept: ParkedStore) -> Park:
    """Return a `park` that parks no record twice: one that comes again would undo the decision of a person."""

    def park_new(work: Work, unreadable: Unreadable) -> None:
        incoming = unreadable.incoming
        if not kept.knows(incoming.parked_id(work.service), incoming.attempt + 1):
            park(work, unreadable)

    return park_new


@dataclass(frozen=True, slots=True)
class Retries:
    """The decisions of one batch about what this service parked."""

    work: Work
    kept: ParkedStore
    unseal: Unseal | None
    dropped: Dropped | None = None

    def take(self, requests: Sequence[RetryRequestMessage]) -> list[Incoming]:
        """Drop what must be dropped, and return what must be tried again, as it came in then, with its own append time.

        A request about a record that does not wait any more does nothing: twice is once.
        """
        again: dict[str, Incoming] = {}
        for request in requests:
            parked_id = request.fields["parked_id"]
            try:
                if request.fields["action"] == "DISCARD":
                    self._drop(parked_id, request)
                    again.pop(parked_id, None)
                else:
                    again[parked_id] = self._opened(parked_id)
            except CannotRetryError as reason:
                logs.warn("retry_refused", parked_id=parked_id, reason=str(reason))
        return list(again.values())

    def tried_again(self, read: object) -> list[Incoming]:
        """Return the record that a request asks to try again; nothing when this is no such request."""
        asks = isinstance(read, Message) and read.record == "RetryRequest" and read.fields["action"] == "RETRY"
        return self.take([read]) if asks and isinstance(read, Message) else []

    def finish(self, again: Iterable[Incoming]) -> None:
        """Say of what was tried again and not parked again that it is resolved, and keep what was parked."""
        failed = {each.incoming.parked_id(self.work.service) for each in self.work.parked}
        for incoming in again:
            parked_id = incoming.parked_id(self.work.service)
            fields = self.kept.parked(parked_id)
            if parked_id not in failed and fields is not None:
                self._end(fields, "RESOLVED")
        self._keep()

    def _keep(self) -> None:
        self.kept.keep(self.work.outgoing, only=self.work.service, parked=self.work.parked)

    def forget(self, signal_ids: Collection[str]) -> None:
        """End every parked record about these erased signals, of this batch too: its content goes with them (R-RET-03)."""
        if not signal_ids:
            return
        self._keep()
        for fields in self.kept.about(signal_ids, self._signal_of):
            self._end(fields, "RESOLVED")
        self._keep()

    def _signal_of(self, fields: ParkedRecord) -> str | None:
        """Return the signal that a parked record is about: as it was attributed, or by its key."""
        if fields["signal_id"] is not None:
            return str(fields["signal_id"])
        try:
            return _signal_in(_bytes(_opened_parts(fields, self.unseal)["key"])) if self.unseal else None
        except CannotRetryError:
            return None

    def _opened(self, parked_id: str) -> Incoming:
        fields = self._waiting(parked_id)
        if self.unseal is None:
            raise CannotRetryError("CANNOT_OPEN")
        return opened_record(fields, self.unseal)

    def _drop(self, parked_id: str, request: RetryRequestMessage) -> None:
        fields = self._waiting(parked_id)
        self._end(fields, "DISCARDED")
        self.work.owes_bytes = True
        self._keep()
        if fields["attributed"]:
            self.work.trace(
                "PARKED",
                at=request.appended_at,
                key=fields["signal_id"] or parked_id,
                verdict="discarded",
                signal_id=fields["signal_id"],
                version=fields["version"],
                municipality=fields["municipality"],
                publisher_run=fields["publisher_run"],
                sequence=fields["sequence"],
            )
        if self.dropped is not None:
            self.dropped(fields, self.work)

    def _waiting(self, parked_id: str) -> ParkedRecord:
        fields = self.kept.parked(parked_id)
        if fields is None:
            raise CannotRetryError("NOT_HERE")
        return fields

    def _end(self, fields: ParkedRecord, state: str) -> None:
        parked_id, revision = fields["parked_id"], fields["revision"] + 1
        record: ParkedRecord = {**fields, "state": state, "revision": revision, "record": self.work.seal(b"", parked_id)}
        event_id = f"{parked_id}.{revision}"
        self.work.send("parked", parked_id, PARKED_RECORD, record, event_id=event_id, at=fields["parked_at"])


def opened_record(fields: ParkedRecord, unseal: Unseal) -> Incoming:
    """Return a parked record, given as the fields of its ParkedRecord, as it came in.

    Raises:
        CannotRetryError: it cannot be opened, or only its start was kept.
    """
    return unpacked(_opened_parts(fields, unseal), fields, attempt=fields["revision"])


def _opened_parts(fields: ParkedRecord, unseal: Unseal) -> PackedRecord:
    """Return the packed parts; anybody can seal something else to a service's parking key, and that opens as nothing does."""
    try:
        parts = json.loads(unseal(fields["record"], fields["parked_id"]))
        _ = (
            {name: _bytes(parts[name]) for name in ("key", "value")},
            parts["complete"],
            [b64decode(each) for each in parts["headers"].values()],
        )
    except (CannotOpenError, ValueError, KeyError, TypeError, AttributeError):
        raise CannotRetryError("CANNOT_OPEN") from None
    return cast("PackedRecord", parts)


def unpacked(parts: PackedRecord, origin: Origin, *, attempt: int) -> Incoming:
    """Return a record as it came in, from what `stream.work.packed` kept of it and where it came from.

    Raises:
        CannotRetryError: only its start was kept.
    """
    if not parts["complete"]:
        raise CannotRetryError("INCOMPLETE")
    headers = {name: b64decode(content) for name, content in parts["headers"].items()}
    return Incoming(
        origin["topic"],
        origin["partition"],
        origin["offset"],
        _bytes(parts["key"]),
        _bytes(parts["value"]),
        headers,
        origin["parked_at"],
        attempt=attempt,
    )


def _signal_in(key: bytes | None) -> str | None:
    """Return the signal that the key of a record names."""
    return (key or b"").decode("ascii", "replace").partition("/")[0] or None


def _hashed(signal_id: str | None) -> str:
    return sha256(signal_id.encode()).hexdigest() if signal_id else ""


def _about(fields: ParkedRecord, at_hand: Mapping[str, str | None]) -> str | None:
    """Return the hash of the signal of a row, empty for none, or None when it must be looked up."""
    if fields["state"] != "PARKED":
        return ""
    if fields["signal_id"] is not None:
        return _hashed(fields["signal_id"])
    return _hashed(at_hand[fields["parked_id"]]) if fields["parked_id"] in at_hand else None


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
