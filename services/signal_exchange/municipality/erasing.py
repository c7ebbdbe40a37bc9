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
from signal_exchange.domain.ids import is_signal_id
from signal_exchange.municipality.outbox import Outbox, Outgoing
from signal_exchange.municipality.questions import forget_questions
from signal_exchange.municipality.store import OUTBOX_OF_CONSUMER, PARKED, Erased, Vault
from signal_exchange.municipality.tracing import Opens
from signal_exchange.municipality.withdrawing import find
from signal_exchange.privacy.sealing import CannotOpen
from signal_exchange.privacy.vault import CannotDecrypt, Encrypted, VaultKey
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import BytesKept, Refused
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
            Refused: there is no such signal here.
        """
        erased = self._erased(reference, who, at)
        with suppress(BytesKept):
            Scrubber(self.database, OUTBOX_OF_CONSUMER).settle()
        return erased

    def still_owes_bytes(self) -> bool:
        """Say whether bytes of what was erased are in the store still, as while somebody reads it."""
        with self.database.reading() as connection:
            return is_owed(connection, OUTBOX_OF_CONSUMER)

    def _erased(self, reference: str, who: str, at: datetime) -> Erased:
        with self.database.transaction() as connection:
            vault = Vault(connection)
            before = vault.erased(reference) if is_signal_id(reference) else None
            if before is not None:
                return before
            stored = find(vault, reference, self.vault_key, locked=True)
            heard = vault.view(stored.signal_id)
            version = max(stored.version, heard["version"] if heard else 0) + 1
            dropped = Outbox(connection).drop_unnumbered(stored.signal_id)
            erased = Erased(stored.signal_id, version, at, who, left=heard is not None or 1 not in dropped)
            destroy(connection, erased, self.vault_key)
            if erased.left:
                self._tell(Outbox(connection), erased, at)
        return erased

    def _tell(self, outbox: Outbox, erased: Erased, at: datetime) -> None:
        fields = {"signal_id": erased.signal_id, "version": erased.version, "municipality": self.municipality}
        trace = cloud_events.new_traceparent()
        outbox.add([Outgoing(erased.signal_id, erased.version, "SignalErased", fields, trace)], at)


def destroy(connection: Connection, erased: Erased, key: VaultKey) -> None:
    """Delete what this node holds of a signal: record and data key, view and questions, and what its inbox could not read."""
    owe(connection, OUTBOX_OF_CONSUMER)
    Vault(connection).erase(erased)
    forget_questions(erased.signal_id, connection)
    rows = connection.execute(select(PARKED.c.parked_id, PARKED.c.wrapped_key, PARKED.c.ciphertext)).all()
    about = [row.parked_id for row in rows if _signal_of(row, key) == erased.signal_id]
    connection.execute(delete(PARKED).where(PARKED.c.parked_id.in_(about)))


def _signal_of(row: Any, key: VaultKey) -> str | None:  # noqa: ANN401 - a row
    try:
        parts = json.loads(key.decrypt(row.parked_id, Encrypted(row.wrapped_key, row.ciphertext)))
    except CannotDecrypt:
        return None
    return b64decode(parts["key"]).decode("ascii", "replace") if parts["key"] else None


@dataclass(frozen=True, slots=True)
class Certificates:
    """Tells of the erased signals of one municipality how far each is, with the certificate once the exchange gave it."""

    database: Database
    opens: Opens

    def all(self) -> list[dict[str, Any]]:
        """Return every erased signal with its state, the last erased first."""
        with self.database.reading() as connection:
            vault = Vault(connection)
            return [self._told(each, vault.view(each.signal_id)) for each in vault.erasures()]

    def one(self, signal_id: str) -> dict[str, Any]:
        """Return one.

        Raises:
            Refused: no signal with this id was erased here.
        """
        found = next((each for each in self.all() if each["signal_id"] == signal_id), None)
        if found is None:
            raise Refused("Er is hier geen vernietigd signaal met dit nummer. De eigen verwijzing is met het signaal vernietigd.")
        return found

    def _told(self, erased: Erased, view: Mapping[str, Any] | None) -> dict[str, Any]:
        outcomes = view["outcomes"] if view else []
        saga = next((each for each in outcomes if each["kind"] == "ERASURE"), None)
        receipts = {each["source"]: each["state"] for each in outcomes if each["kind"] == "RECEIPT"}
        state = saga["state"] if saga else ("SENT" if erased.left else "NEVER_LEFT")
        certificate = self._opened(erased.signal_id, saga) if saga else None
        return {**asdict(erased), "state": state, "receipts": dict(sorted(receipts.items())), "certificate": certificate}

    def _opened(self, signal_id: str, saga: Mapping[str, Any]) -> dict[str, Any] | None:
        part = saga["detail"]
        if part is None:
            return None
        try:
            sealed = {**part, "ciphertext": b64decode(part["ciphertext"])}
            found = json.loads(self.opens.opened(sealed, f"{signal_id}/{saga['outcome_id']}"))
        except (CannotOpen, ValueError):
            return {"unreadable": True}
        return found if isinstance(found, dict) else {"unreadable": True}
