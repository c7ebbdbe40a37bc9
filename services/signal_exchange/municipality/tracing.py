"""Where a signal is, which rule sent it there, and what came back: the sealed details open only here, at home."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from signal_exchange.municipality.outbox import Outbox
from signal_exchange.municipality.store import Stored, Vault
from signal_exchange.municipality.withdrawing import find
from signal_exchange.privacy.sealing import CannotOpen
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime.database import Database


class Opens(Protocol):
    """Opens what is sealed to this municipality: stream.identity.Identity."""

    def opened(self, part: Mapping[str, object], bound_to: str) -> bytes:
        """Return what a SealedPart holds."""


@dataclass(frozen=True, slots=True)
class Tracer:
    """Tells of the signals of one municipality."""

    vault_key: VaultKey
    database: Database
    opens: Opens

    def trace(self, reference: str) -> dict[str, Any]:
        """Return everything that is known of a signal, by its own reference or its id, as JSON-safe fields.

        Raises:
            Refused: there is no such signal here.
        """
        with self.database.reading() as connection:
            vault = Vault(connection)
            stored = find(vault, reference, self.vault_key)
            view = vault.view(stored.signal_id) or {}
            waiting = Outbox(connection).waiting(stored.signal_id)
        outcomes = [self._outcome(stored.signal_id, each) for each in view.get("outcomes", ())]
        return {
            **_about(stored),
            "waiting": [_plain(asdict(each)) for each in waiting],
            "received": view.get("received", []),
            "steps": sorted(view.get("steps", ()), key=lambda step: str(step["at"])),
            "outcomes": sorted(outcomes, key=lambda outcome: str(outcome["occurred_at"])),
        }

    def _outcome(self, signal_id: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
        return {**outcome, "detail": self._detail(f"{signal_id}/{outcome['outcome_id']}", outcome["detail"])}

    def _detail(self, bound_to: str, part: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if part is None:
            return None
        try:
            opened = self.opens.opened({**part, "ciphertext": b64decode(part["ciphertext"])}, bound_to)
            detail = json.loads(opened)
        except (CannotOpen, ValueError):
            return {"unreadable": True}
        return detail if isinstance(detail, dict) else {"unreadable": True}


def _about(stored: Stored) -> dict[str, Any]:
    return _plain(asdict(stored))


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in fields.items()}
