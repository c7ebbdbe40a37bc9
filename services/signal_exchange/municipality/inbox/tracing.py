"""Trace of a signal: its place, the rule that sent it there, and the outcomes; the sealed details open only here, at home."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from signal_exchange.contracts.records import SealedPart
from signal_exchange.domain.plain_json import json_safe
from signal_exchange.municipality.inbox.withdrawing import find
from signal_exchange.municipality.sending.outbox import Outbox
from signal_exchange.municipality.store import Vault
from signal_exchange.privacy.sealing import CannotOpenError
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime.database import Database
from signal_exchange.stream.parking import Unseal

LINK_QUESTION: Final = "LINK_QUESTION"
"""Kind of an outcome that asks about a link: what it says is opened by `questions show` only, which is counted."""


def trace(reference: str, key: VaultKey, database: Database, unseal: Unseal) -> dict[str, Any]:
    """Return everything that is known of a signal, by its own reference or its id, as JSON-safe fields.

    Raises:
        RefusedError: there is no such signal here.
    """
    with database.reading() as connection:
        vault = Vault(connection)
        stored = find(vault, reference, key)
        view = vault.view(stored.signal_id) or {}
        waiting = Outbox(connection).waiting(stored.signal_id)
    outcomes = [_outcome(stored.signal_id, each, unseal) for each in view.get("outcomes", ())]
    return {
        **json_safe(asdict(stored)),
        "waiting": [json_safe(asdict(each)) for each in waiting],
        "received": view.get("received", []),
        "steps": sorted(view.get("steps", ()), key=lambda step: str(step["at"])),
        "outcomes": sorted(outcomes, key=lambda outcome: str(outcome["occurred_at"])),
    }


def _outcome(signal_id: str, outcome: Mapping[str, Any], unseal: Unseal) -> dict[str, Any]:
    if outcome["kind"] == LINK_QUESTION:
        return {**outcome, "detail": None}
    return {**outcome, "detail": opened_detail(unseal, f"{signal_id}/{outcome['outcome_id']}", outcome["detail"])}


def opened_detail(unseal: Unseal, bound_to: str, part: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a detail that the exchange sealed to this municipality; `unreadable` when it cannot be opened, None for none.

    It is kept here with its ciphertext in base64.
    """
    if part is None:
        return None
    sealed = SealedPart(group=part["group"], key_id=part["key_id"], ciphertext=b64decode(part["ciphertext"]))
    try:
        detail = json.loads(unseal(sealed, bound_to))
    except (CannotOpenError, ValueError):
        return {"unreadable": True}
    return detail if isinstance(detail, dict) else {"unreadable": True}
