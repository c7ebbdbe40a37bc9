"""Erases a signal at its source: its data key is destroyed here, and the exchange erases it everywhere (R-RET-03)."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select

from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.records import SIGNAL_ERASED_BODY, SignalErasedBody
from signal_exchange.domain.ids import is_signal_id
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.inbox.questions import forget_questions
from signal_exchange.municipality.inbox.tracing import opened_detail
from signal_exchange.municipality.inbox.withdrawing import find
from signal_exchange.municipality.sending.outbox import Outbox, Outgoing
from signal_exchange.municipality.store import OUTBOX_OF_CONSUMER, PARKED, Erased, Vault
from signal_exchange.privacy.vault import CannotDecryptError, Encrypted, VaultKey
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import BytesKeptError
from signal_exchange.stream.parking import Unseal
from signal_exchange.stream.scrubbing import Scrubber, is_owed, owe


@dataclass(frozen=True, slots=True)
class Eraser:
    """Erases signals of one municipality, for good."""

    municipality: str
    vault_key: VaultKey
    database: Database

    def erase(self, reference: str, who: str, at: datetime) -> Erased:
        """Erase a signal, known by its own reference or its id; twice is once.

        What never left is gone with it. Of what may have left, the exchange is told; a row that is on its way stays in the outbox
        until the exchange accounts for its number, which takes seconds. What the exchange told of has left, whatever the outbox
        says: after a restore the outbox has unnumbered rows that had a number and were sent.

        Its bytes leave the store at once when nobody reads it; else the running node sees to that.

        Raises:
            RefusedError: there is no such signal here.
        """
        erased = self._erased(reference, who, at)
        with suppress(BytesKeptError):
            Scrubber(self.database, OUTBOX_OF_CONSUMER).settle()
        return erased

    def still_owes_bytes(self) -> bool:
        """Say whether bytes of what was erased are in the store still, as while somebody reads it."""
        with self.database.reading() as connection:
            return is_owed(connection)

    def _erased(self, reference: str, who: str, at: datetime) -> Erased:
        with self.database.transaction() as connection:
            vault = Vault(connection)
            before = vault.erased(reference) if is_signal_id(reference) else None
            if before is not None:
                return before
            stored = find(vault, reference, self.vault_key, locked=True)
            heard, version = vault.view(stored.signal_id), vault.next_version(stored)
            dropped = Outbox(connection).drop_unnumbered(stored.signal_id)
            erased = Erased(stored.signal_id, version, at, who, left=heard is not None or 1 not in dropped)
            destroy(connection, erased, self.vault_key)
            if erased.left:
                self._report(Outbox(connection), erased, at)
        return erased

    def _report(self, outbox: Outbox, erased: Erased, at: datetime) -> None:
        fields = SignalErasedBody(signal_id=erased.signal_id, version=erased.version, municipality=self.municipality)
        trace = cloud_events.new_traceparent()
        outbox.add([Outgoing(erased.signal_id, erased.version, SIGNAL_ERASED_BODY, fields, trace)], at)


def destroy(connection: Connection, erased: Erased, key: VaultKey) -> None:
    """Delete what this node holds of a signal: record and data key, view and questions, and what its inbox could not read."""
    owe(connection)
    Vault(connection).erase(erased)
    forget_questions(erased.signal_id, connection)
    rows = connection.execute(select(PARKED.c.parked_id, PARKED.c.wrapped_key, PARKED.c.ciphertext)).all()
    about = [row.parked_id for row in rows if _signal_of(row, key) == erased.signal_id]
    connection.execute(delete(PARKED).where(PARKED.c.parked_id.in_(about)))


def _signal_of(row: Any, key: VaultKey) -> str | None:  # noqa: ANN401 - a row
    try:
        parts = json.loads(key.decrypt(row.parked_id, Encrypted(row.wrapped_key, row.ciphertext)))
    except CannotDecryptError:
        return None
    return b64decode(parts["key"]).decode("ascii", "replace") if parts["key"] else None


@dataclass(frozen=True, slots=True)
class Certificates:
    """Tells of the erased signals of one municipality how far each is, with the certificate once the exchange gave it."""

    database: Database
    unseal: Unseal

    def all(self) -> list[dict[str, Any]]:
        """Return every erased signal with its state, the last erased first."""
        with self.database.reading() as connection:
            vault = Vault(connection)
            return [self._progress(each, vault.view(each.signal_id)) for each in vault.erasures()]

    def one(self, signal_id: str) -> dict[str, Any]:
        """Return the erasure of one signal.

        Raises:
            RefusedError: no signal with this id was erased here.
        """
        found = next((each for each in self.all() if each["signal_id"] == signal_id), None)
        if found is None:
            raise RefusedError("ERASED_SIGNAL_UNKNOWN")
        return found

    def _progress(self, erased: Erased, view: Mapping[str, Any] | None) -> dict[str, Any]:
        outcomes = view["outcomes"] if view else []
        saga = next((each for each in outcomes if each["kind"] == "ERASURE"), None)
        receipts = {each["source"]: each["state"] for each in outcomes if each["kind"] == "RECEIPT"}
        state = saga["state"] if saga else ("SENT" if erased.left else "NEVER_LEFT")
        certificate = opened_detail(self.unseal, f"{erased.signal_id}/{saga['outcome_id']}", saga["detail"]) if saga else None
        return {**asdict(erased), "state": state, "receipts": dict(sorted(receipts.items())), "certificate": certificate}
