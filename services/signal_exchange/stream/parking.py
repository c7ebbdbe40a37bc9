"""What a service parked, kept sealed in its own store until a person decides: try it again, or drop it (promise 3)."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table, select, update

from signal_exchange.contracts.codec import decode
from signal_exchange.privacy.sealing import CannotOpen
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import put_newer
from signal_exchange.stream.messages import Incoming, Message, Unreadable
from signal_exchange.stream.outbox import Letter
from signal_exchange.stream.work import Park, Work

RETRY_READER = "retry"
"""The view that every service has of requests about what it parked, and of its own parked records."""
Unseal = Callable[[Mapping[str, object], str], bytes]
"""Opens a SealedPart that is bound to an id: `Identity.opened`."""
Dropped = Callable[[Mapping[str, Any], Work], None]
"""A service's own work when one of its parked records, given as fields, is dropped."""


class CannotRetry(Exception):  # noqa: N818 - says what is so
    """A parked record cannot be tried again; the text is a reason code: NOT_HERE, INCOMPLETE or CANNOT_OPEN."""


class Kept:
    """The parked records of one service, each as the ParkedRecord that it sent last, in one open transaction."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection, self._table = connection, table

    def parked(self, parked_id: str) -> dict[str, Any] | None:
        """Return the fields of a record that waits for a decision; None when it is unknown, resolved or discarded."""
        found = self._connection.execute(select(self._table.c.value).where(self._table.c.parked_id == parked_id)).scalar()
        fields = decode(found, RETRY_READER).fields if found is not None else None
        return fields if fields is not None and fields["state"] == "PARKED" else None

    def waiting(self) -> list[dict[str, Any]]:
        """Return the fields of every record that waits for a decision."""
        found = (decode(value, RETRY_READER).fields for value in self._connection.execute(select(self._table.c.value)).scalars())
        return [fields for fields in found if fields["state"] == "PARKED"]

    def keep(
        self,
        letters: Iterable[Letter],
        only: str | None = None,
        state: str | None = None,
        parked: Sequence[Unreadable] = (),
    ) -> None:
        """Keep the parked records among these letters, `only` those of one service and in one state; an older one never wins.

        What stands on the topic `parked` may be given as well: so a lost store gets its parked records back. `parked` are the
        records themselves, where they are at hand.
        """
        about = {each.incoming.parked_id(only or ""): _signal_in(each.incoming.key) for each in parked}
        decoded = [(each, decode(each.value, RETRY_READER).fields) for each in letters if each.topic == "parked" and each.value]
        rows = [
            {"parked_id": letter.key, "revision": fields["revision"], "value": letter.value, "about": _about(fields, about)}
            for letter, fields in decoded
            if only in (None, fields["service"]) and state in (None, fields["state"])
        ]
        put_newer(self._connection, self._table, rows, guard="revision")

    def about(self, signal_ids: Collection[str], open_parts: Callable[[Mapping[str, Any]], str | None]) -> list[dict[str, Any]]:
        """Return the fields of every record that waits and is about one of these signals.

        Of a record of which nobody knows it yet `open_parts` looks into it, and that is remembered.
        """
        unknown = self._connection.execute(select(self._table).where(self._table.c.about.is_(None))).all()
        for row in unknown:
            found = _hashed(open_parts(decode(row.value, RETRY_READER).fields))
            own = self._table.c.parked_id == row.parked_id
            self._connection.execute(update(self._table).where(own).values(about=found))
        wanted = self._table.c.about.in_([_hashed(each) for each in signal_ids if each])
        rows = self._connection.execute(select(self._table.c.value).where(wanted).order_by(self._table.c.parked_id)).scalars()
        return [fields for fields in (decode(value, RETRY_READER).fields for value in rows) if fields["state"] == "PARKED"]

    def all(self, *states: str) -> list[dict[str, Any]]:
        """Return the fields of every record in one of these states."""
        rows = self._connection.execute(select(self._table.c.value).order_by(self._table.c.parked_id)).scalars()
        return [fields for fields in (decode(value, RETRY_READER).fields for value in rows) if fields["state"] in states]

    def knows(self, parked_id: str, revision: int) -> bool:
        """Say whether this record was parked before in this edition or a later one."""
        found = self._connection.execute(select(self._table.c.revision).where(self._table.c.parked_id == parked_id)).scalar()
        return found is not None and found >= revision

    def held_back(self) -> set[str]:
        """Return the parked ids of what waits for a person or was dropped by one: it does not come back in a rebuild."""
        return {fields["parked_id"] for fields in self.all("PARKED", "DISCARDED")}


def once(park: Park, kept: Kept) -> Park:
    """Return what parks a record that comes again no second time: it would stand on `parked` after what a person decided."""

    def park_new(work: Work, unreadable: Unreadable) -> None:
        incoming = unreadable.incoming
        if not kept.knows(incoming.parked_id(work.service), incoming.attempt + 1):
            park(work, unreadable)

    return park_new


@dataclass(frozen=True, slots=True)
class Retries:
    """The decisions of one batch about what this service parked."""

    work: Work
    kept: Kept
    unseal: Unseal | None
    dropped: Dropped | None = None

    def take(self, requests: Sequence[Message]) -> list[Incoming]:
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
            except CannotRetry as reason:
                logs.warn("retry_refused", parked_id=parked_id, reason=str(reason))
        return list(again.values())

    def tried_again(self, read: object) -> list[Incoming]:
        """Return the record that a request asks to try again; nothing when this is no such request."""
        asks = isinstance(read, Message) and read.record == "RetryRequest" and read.fields["action"] == "RETRY"
        return self.take([read]) if asks and isinstance(read, Message) else []

    def settle(self, again: Iterable[Incoming]) -> None:
        """Say of what was tried again and not parked again that it is resolved, and keep what was parked."""
        failed = {each.incoming.parked_id(self.work.service) for each in self.work.parked}
        for incoming in again:
            parked_id = incoming.parked_id(self.work.service)
            fields = self.kept.parked(parked_id)
            if parked_id not in failed and fields is not None:
                self._end(fields, "RESOLVED")
        self._keep()

    def _keep(self) -> None:
        self.kept.keep(self.work.letters, only=self.work.service, parked=self.work.parked)

    def forget(self, signal_ids: Collection[str]) -> None:
        """End every parked record about these erased signals, of this batch too: its content goes with them (R-RET-03)."""
        if not signal_ids:
            return
        self._keep()
        for fields in self.kept.about(signal_ids, self._signal_of):
            self._end(fields, "RESOLVED")
        self._keep()

    def _signal_of(self, fields: Mapping[str, Any]) -> str | None:
        """Return the signal that a parked record is about: as it was attributed, or by its key."""
        if fields["signal_id"] is not None:
            return str(fields["signal_id"])
        try:
            return _signal_in(_bytes(_opened_parts(fields, self.unseal)["key"])) if self.unseal else None
        except CannotRetry:
            return None

    def _opened(self, parked_id: str) -> Incoming:
        fields = self._waiting(parked_id)
        if self.unseal is None:
            raise CannotRetry("CANNOT_OPEN")
        return opened_record(fields, self.unseal)

    def _drop(self, parked_id: str, request: Message) -> None:
        fields = self._waiting(parked_id)
        self._end(fields, "DISCARDED")
        self.work.owes_bytes = True
        self._keep()
        if fields["attributed"]:
            names = ("signal_id", "version", "municipality", "publisher_run", "sequence")
            about = {name: fields[name] for name in names}
            self.work.trace("PARKED", at=request.appended_at, key=fields["signal_id"], verdict="discarded", **about)
        if self.dropped is not None:
            self.dropped(fields, self.work)

    def _waiting(self, parked_id: str) -> dict[str, Any]:
        fields = self.kept.parked(parked_id)
        if fields is None:
            raise CannotRetry("NOT_HERE")
        return fields

    def _end(self, fields: Mapping[str, Any], state: str) -> None:
        parked_id, revision = fields["parked_id"], fields["revision"] + 1
        nothing = self.work.seal(b"", parked_id)
        record = {**fields, "state": state, "revision": revision, "record": nothing}
        event_id = f"{parked_id}.{revision}"
        self.work.send("parked", parked_id, "ParkedRecord", record, event_id=event_id, at=fields["parked_at"])


def opened_record(fields: Mapping[str, Any], unseal: Unseal) -> Incoming:
    """Return a parked record, given as the fields of its ParkedRecord, as it came in.

    Raises:
        CannotRetry: it cannot be opened, or only its start was kept.
    """
    return unpacked(_opened_parts(fields, unseal), fields, attempt=fields["revision"])


def _opened_parts(fields: Mapping[str, Any], unseal: Unseal) -> dict[str, Any]:
    """Return what was packed; anybody can seal something else to a service's parking key, and that opens as nothing does."""
    try:
        parts = json.loads(unseal(fields["record"], fields["parked_id"]))
        _ = (
            {name: _bytes(parts[name]) for name in ("key", "value")},
            parts["complete"],
            [b64decode(each) for each in parts["headers"].values()],
        )
    except (CannotOpen, ValueError, KeyError, TypeError, AttributeError):
        raise CannotRetry("CANNOT_OPEN") from None
    return dict(parts)


def unpacked(parts: Mapping[str, Any], origin: Mapping[str, Any], *, attempt: int) -> Incoming:
    """Return a record as it came in, from what `stream.work.packed` kept of it and where it came from.

    Raises:
        CannotRetry: only its start was kept.
    """
    if not parts["complete"]:
        raise CannotRetry("INCOMPLETE")
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


def _about(fields: Mapping[str, Any], at_hand: Mapping[str, str | None]) -> str | None:
    """Return what a row says about its signal: the hash, empty for none, or None when it must be looked up."""
    if fields["state"] != "PARKED":
        return ""
    if fields["signal_id"] is not None:
        return _hashed(fields["signal_id"])
    return _hashed(at_hand[fields["parked_id"]]) if fields["parked_id"] in at_hand else None


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
