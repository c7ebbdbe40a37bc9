"""What a service parked, kept sealed in its own store until a person decides: try it again, or drop it (promise 3)."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from signal_exchange.contracts.codec import decode
from signal_exchange.privacy.sealing import CannotOpen
from signal_exchange.runtime import logs
from signal_exchange.runtime.database import put_newer
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outbox import Letter
from signal_exchange.stream.work import Work

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

    def keep(self, letters: Iterable[Letter]) -> None:
        """Keep the parked records among these letters; an older state never wins.

        What stands on the topic `parked` may be given as well: so a lost store gets its parked records back.
        """
        rows = [_row(letter.key, letter.value) for letter in letters if letter.topic == "parked" and letter.value is not None]
        put_newer(self._connection, self._table, rows, guard="revision")


def _row(parked_id: str, value: bytes) -> dict[str, Any]:
    return {"parked_id": parked_id, "revision": decode(value, RETRY_READER).fields["revision"], "value": value}


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

    def settle(self, again: Iterable[Incoming]) -> None:
        """Say of what was tried again and not parked again that it is resolved, and keep what was parked."""
        failed = {each.incoming.parked_id(self.work.service) for each in self.work.parked}
        for incoming in again:
            parked_id = incoming.parked_id(self.work.service)
            fields = self.kept.parked(parked_id)
            if parked_id not in failed and fields is not None:
                self._end(fields, "RESOLVED")
        self.kept.keep(self.work.letters)

    def _opened(self, parked_id: str) -> Incoming:
        fields = self._waiting(parked_id)
        if self.unseal is None:
            raise CannotRetry("CANNOT_OPEN")
        try:
            parts = json.loads(self.unseal(fields["record"], parked_id))
        except CannotOpen:
            raise CannotRetry("CANNOT_OPEN") from None
        if not parts["complete"]:
            raise CannotRetry("INCOMPLETE")
        return _incoming(fields, parts)

    def _drop(self, parked_id: str, request: Message) -> None:
        fields = self._waiting(parked_id)
        self._end(fields, "DISCARDED")
        self.kept.keep(self.work.letters)
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


def _incoming(fields: Mapping[str, Any], parts: Mapping[str, Any]) -> Incoming:
    headers = {name: b64decode(content) for name, content in parts["headers"].items()}
    return Incoming(
        fields["topic"],
        fields["partition"],
        fields["offset"],
        _bytes(parts["key"]),
        _bytes(parts["value"]),
        headers,
        fields["parked_at"],
        attempt=fields["revision"],
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
