"""Withdraws a signal: the exchange takes it back everywhere, and the municipality keeps its own record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from signal_exchange.contracts import cloud_events
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.ids import is_signal_id
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.outbox import Outbox, Outgoing
from signal_exchange.municipality.store import WITHDRAWN, Stored, Vault
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import Refused

REASONS = "withdrawal_reason"


class UnknownReason(Refused):
    """A withdrawal has no valid reason (R-VAL-03)."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A withdrawn signal; `already` when it was so before."""

    signal_id: str
    version: int
    already: bool


@dataclass(frozen=True, slots=True)
class Withdrawer:
    """Withdraws signals of one municipality."""

    municipality: str
    codes: CodeLists
    vault_key: VaultKey
    database: Database

    def withdraw(self, reference: str, reason: str, at: datetime) -> Withdrawn:
        """Withdraw a signal, known by its own reference or its id; twice is once.

        Raises:
            Refused: there is no such signal here.
            UnknownReason: the reason is no valid code.
        """
        self._require_reason(reason, at)
        with self.database.transaction() as connection:
            vault = Vault(connection)
            stored = find(vault, reference, self.vault_key, locked=True)
            if stored.state == WITHDRAWN:
                return Withdrawn(stored.signal_id, stored.version, already=True)
            heard = vault.view(stored.signal_id)
            version = max(stored.version, heard["version"] if heard else 0) + 1
            vault.withdraw(stored.signal_id, version, at)
            Outbox(connection).add([self._outgoing(stored.signal_id, version, reason)], at)
        return Withdrawn(stored.signal_id, version, already=False)

    def _require_reason(self, reason: str, at: datetime) -> None:
        day = local_day(at)
        if not self.codes.valid(REASONS, reason, day):
            choices = ", ".join(self.codes.codes_on(REASONS, day))
            raise UnknownReason(f"Deze reden bestaat niet. Kies uit: {choices}.")

    def _outgoing(self, signal_id: str, version: int, reason: str) -> Outgoing:
        fields = {"signal_id": signal_id, "version": version, "municipality": self.municipality, "reason": reason}
        return Outgoing(signal_id, version, "SignalWithdrawn", fields, cloud_events.new_traceparent())


def find(vault: Vault, reference: str, key: VaultKey, *, locked: bool = False) -> Stored:
    """Return a signal by its own reference or by its id.

    Raises:
        Refused: there is none here, or it was erased; the reference is not repeated.
    """
    if is_signal_id(reference) and vault.erased(reference) is not None:
        raise Refused("Dit signaal is vernietigd. Het bewijs toont `signal-exchange certificates show` met dit nummer.")
    by_id = vault.signal(signal_id=reference, locked=locked) if is_signal_id(reference) else None
    found = by_id or vault.signal(reference=key.mac(reference), locked=locked)
    if found is None:
        raise Refused("Dit signaal is hier niet bekend.")
    return found
