"""Keeps cases in vault and outbox: one transaction per chunk, and nothing of a case that somebody else kept meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from signal_exchange.contracts import cloud_events
from signal_exchange.municipality.cases import Case
from signal_exchange.municipality.outbox import Outbox, Outgoing
from signal_exchange.municipality.preparing import Prepared
from signal_exchange.municipality.store import Known, Vault, VaultRow
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime.database import Database


@dataclass(frozen=True, slots=True)
class Recorder:
    """Keeps what was prepared."""

    database: Database
    vault_key: VaultKey

    def known(self, references: Sequence[bytes]) -> dict[bytes, Known]:
        """Return what is known of these references now."""
        with self.database.reading() as connection:
            return Vault(connection).known(references)

    def records(self, signal_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the records of these signals as the vault has them."""
        with self.database.reading() as connection:
            kept = Vault(connection).encrypted(signal_ids)
        return {signal_id: json.loads(self.vault_key.decrypt(signal_id, each)) for signal_id, each in kept.items()}

    def keep(self, cases: Sequence[tuple[Case, Prepared | None]], at: datetime) -> list[Case]:
        """Keep each case, with what leaves of it if anything does; return those that were kept.

        A case is left alone when its reference is no longer known as it was when the case was made.
        """
        if not cases:
            return []
        epochs = [prepared.tokens_epoch if prepared else None for _, prepared in cases]
        rows = {case.signal_id: case.vault_row(self.vault_key, epoch) for (case, _), epoch in zip(cases, epochs, strict=True)}
        with self.database.transaction() as connection:
            kept = _keep(connection, [case for case, _ in cases], rows, at)
            chosen = {case.signal_id for case in kept}
            outgoing = [_outgoing(prepared) for case, prepared in cases if prepared is not None and case.signal_id in chosen]
            Outbox(connection).add(outgoing, at)
        return kept


def _keep(connection: Connection, cases: Sequence[Case], rows: dict[str, VaultRow], at: datetime) -> list[Case]:
    vault = Vault(connection)
    known = vault.known([case.candidate.reference for case in cases], locked=True)
    still = [case for case in cases if known.get(case.candidate.reference) == case.before]
    new = [case for case in still if case.before is None or not case.before.stored]
    added = vault.add([rows[case.signal_id] for case in new], at)
    replaced = [case for case in still if case.before is not None and case.before.stored]
    for case in replaced:
        vault.replace(rows[case.signal_id], at)
    return [*(case for case in new if case.signal_id in added), *replaced]


def _outgoing(prepared: Prepared) -> Outgoing:
    draft = prepared.draft
    return Outgoing(draft.signal_id, draft.version, "SignalPublished", prepared.fields, cloud_events.new_traceparent())
