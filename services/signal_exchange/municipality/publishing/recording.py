"""Keeps submissions in vault and outbox: one transaction per chunk, and nothing of one that somebody else kept meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from signal_exchange.contracts import cloud_events
from signal_exchange.contracts.records import SIGNAL_PUBLISHED_BODY
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.publishing.preparing import Prepared
from signal_exchange.municipality.publishing.submissions import Submission
from signal_exchange.municipality.sending.outbox import Outbox, Outgoing
from signal_exchange.municipality.store import Known, Vault, VaultRow
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime.database import Database


@dataclass(frozen=True, slots=True)
class Recorder:
    """Keeps what was prepared."""

    database: Database
    vault_key: VaultKey

    def known(self, references: Sequence[bytes]) -> dict[bytes, Known]:
        """Return the known ones among these references, as they are now."""
        with self.database.reading() as connection:
            return Vault(connection).known(references)

    def records(self, signal_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the records of these signals as the vault has them."""
        with self.database.reading() as connection:
            kept = Vault(connection).encrypted(signal_ids)
        return {signal_id: json.loads(self.vault_key.decrypt(signal_id, each)) for signal_id, each in kept.items()}

    def kept_at(self, signal_id: str) -> datetime:
        """Return when a signal was kept as it is now."""
        with self.database.reading() as connection:
            stored = Vault(connection).signal(signal_id=signal_id)
        if stored is None:
            raise RefusedError("SIGNAL_UNKNOWN", field="reference")
        return stored.changed_at

    def keep(self, ready: Sequence[tuple[Submission, Prepared | None]], at: datetime) -> list[Submission]:
        """Keep each submission, with what leaves of it if anything does; return those that were kept.

        A submission is left alone when its reference is no longer known as it was when it was judged.
        """
        if not ready:
            return []
        epochs = [(each, prepared.tokens_epoch if prepared else None) for each, prepared in ready]
        rows = {each.signal_id: each.vault_row(self.vault_key, epoch) for each, epoch in epochs}
        with self.database.transaction() as connection:
            kept = _keep(connection, [each for each, _ in ready], rows, at)
            chosen = {each.signal_id for each in kept}
            outgoing = [
                Outgoing(each.signal_id, each.version, SIGNAL_PUBLISHED_BODY, prepared.fields, cloud_events.new_traceparent())
                for each, prepared in ready
                if prepared and each.signal_id in chosen
            ]
            Outbox(connection).add(outgoing, at)
        return kept


def _keep(connection: Connection, submitted: Sequence[Submission], rows: dict[str, VaultRow], at: datetime) -> list[Submission]:
    vault = Vault(connection)
    known = vault.known([each.reference for each in submitted], locked=True)
    still = [each for each in submitted if known.get(each.reference) == each.before]
    new = [each for each in still if each.before is None or not each.before.stored]
    added = vault.add([rows[each.signal_id] for each in new], at)
    replaced = [each for each in still if each.before is not None and each.before.stored]
    for each in replaced:
        vault.replace(rows[each.signal_id], at)
    return [*(each for each in new if each.signal_id in added), *replaced]
