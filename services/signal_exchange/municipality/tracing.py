"""Where a signal is, which rule sent it there, and what came back: the sealed details open only here, at home."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from signal_exchange.municipality.outbox import Outbox
from signal_exchange.municipality.store import Stored, Vault
from signal_exchange.municipality.withdrawing import find
from signal_exchange.privacy.sealing import CannotOpen
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime.database import Database

LINK_QUESTION: Final = "LINK_QUESTION"
"""Kind of an outcome that asks about a link: what it says is opened by `questions show` only, which is counted."""


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
            "waiting": [json_safe(asdict(each)) for each in waiting],
            "received": view.get("received", []),
            "steps": sorted(view.get("steps", ()), key=lambda step: str(step["at"])),
            "outcomes": sorted(outcomes, key=lambda outcome: str(outcome["occurred_at"])),
        }

    def _outcome(self, signal_id: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
        if outcome["kind"] == LINK_QUESTION:
            return {**outcome, "detail": None}
        return {**outcome, "detail": opened_detail(self.opens, f"{signal_id}/{outcome['outcome_id']}", outcome["detail"])}


def opened_detail(opens: Opens, bound_to: str, part: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what the exchange sealed to this municipality; only `unreadable` when it cannot be opened, None for nothing."""
    if part is None:
        return None
    try:
        detail = json.loads(opens.opened({**part, "ciphertext": b64decode(part["ciphertext"])}, bound_to))
    except (CannotOpen, ValueError):
        return {"unreadable": True}
    return detail if isinstance(detail, dict) else {"unreadable": True}


def _about(stored: Stored) -> dict[str, Any]:
    return json_safe(asdict(stored))


def json_safe(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with moments as ISO 8601."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in fields.items()}
