"""Withdraws a signal: the exchange takes it back everywhere, and the municipality keeps its own record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.records import SIGNAL_WITHDRAWN_BODY, SignalWithdrawnBody
from signal_exchange.domain.ids import is_signal_id
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.sending.outbox import Outbox, Outgoing
from signal_exchange.municipality.store import WITHDRAWN, Stored, Vault
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.reference.loading import load_code_lists
from signal_exchange.runtime.database import Database

REASONS = "withdrawal_reason"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A withdrawn signal; `already` when it was so before."""

    signal_id: str
    version: int
    already: bool


def withdraw(reference: str, reason: str, at: datetime, *, municipality: str, key: VaultKey, database: Database) -> Withdrawn:
    """Withdraw a signal of a municipality, known by its own reference or its id; twice is once.

    Raises:
        RefusedError: there is no such signal here, or the reason is no valid code.
    """
    _require_reason(reason, local_day(at))
    with database.transaction() as connection:
        vault = Vault(connection)
        stored = find(vault, reference, key, locked=True)
        if stored.state == WITHDRAWN:
            return Withdrawn(stored.signal_id, stored.version, already=True)
        version = vault.next_version(stored)
        vault.withdraw(stored.signal_id, version, at)
        fields = SignalWithdrawnBody(signal_id=stored.signal_id, version=version, municipality=municipality, reason=reason)
        outgoing = Outgoing(stored.signal_id, version, SIGNAL_WITHDRAWN_BODY, fields, cloud_events.new_traceparent())
        Outbox(connection).add([outgoing], at)
    return Withdrawn(stored.signal_id, version, already=False)


def _require_reason(reason: str, day: date) -> None:
    codes = load_code_lists()
    if not codes.valid(REASONS, reason, day):
        choices = tuple(codes.codes_on(REASONS, day))
        raise RefusedError("WITHDRAWAL_REASON_UNKNOWN", field="reason", rule="R-VAL-03", choices=choices)


def find(vault: Vault, reference: str, key: VaultKey, *, locked: bool = False) -> Stored:
    """Return a signal by its own reference or by its id.

    Raises:
        RefusedError: there is none here, or it was erased; the reference is not repeated.
    """
    if is_signal_id(reference) and vault.erased(reference) is not None:
        raise RefusedError("SIGNAL_ERASED")
    by_id = vault.signal(signal_id=reference, locked=locked) if is_signal_id(reference) else None
    found = by_id or vault.signal(reference=key.mac(reference), locked=locked)
    if found is None:
        raise RefusedError("SIGNAL_UNKNOWN")
    return found
