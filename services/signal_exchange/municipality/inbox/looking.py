"""One own signal as its owner looks at it: its row, what the region sees, its earlier versions, and until when it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.retention import latest_end
from signal_exchange.domain.signals.drafts import coded_signal
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.inbox.listing import Listed, Listing
from signal_exchange.municipality.inbox.standing import Place
from signal_exchange.municipality.inbox.withdrawing import find
from signal_exchange.municipality.store import Vault
from signal_exchange.privacy.vault import Encrypted

_REFERRAL_ENDS: Final = frozenset({"COMPLETED", "REJECTED", "WITHDRAWN", "LAPSED"})
_OF_OUTCOMES: Final = {"REFERRAL": "CARE_REFERRAL", "DECISION": "DISCUSSED", "ROUTED": "UNSUBSTANTIATED"}
"""The class of retention_class.csv whose term begins with an outcome of each kind (R-RET-02)."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a signal, with the coded fields of it that leave; `record` is what the vault keeps."""

    version: int
    kept_at: datetime
    coded: Mapping[str, Any] = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """Until when a signal is kept, and the class whose term decides; both None while it is open."""

    retention_class: str | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class OwnSignal:
    """One signal; `versions` are all that the vault has, the last one first."""

    listed: Listed
    versions: tuple[Version, ...]
    kept: Kept


def look_at(listing: Listing, reference: str, today: date) -> OwnSignal:
    """Return a signal, by its own reference or its id.

    Raises:
        RefusedError: there is none here, or it was erased.
    """
    with listing.database.reading() as connection:
        vault = Vault(connection)
        stored = find(vault, reference, listing.vault_key)
        last = vault.encrypted([stored.signal_id])
        earlier, view = vault.earlier(stored.signal_id), vault.view(stored.signal_id)
    listed = listing.one(stored.signal_id, today)
    kept = [(stored.version, stored.changed_at, each) for each in last.values()]
    kept += [(each.version, each.kept_at, each.encrypted) for each in earlier]
    versions = tuple(_version(listing, stored.signal_id, *each) for each in kept)
    return OwnSignal(listed, versions, kept_until(listed, view or {}))


def version_of(signal: OwnSignal, number: int) -> Version:
    """Return one version of a signal.

    Raises:
        RefusedError: the vault does not have it.
    """
    found = next((each for each in signal.versions if each.version == number), None)
    if found is None:
        raise RefusedError("SIGNAL_UNKNOWN")
    return found


def kept_until(listed: Listed, view: Mapping[str, Any]) -> Kept:
    """Return until when a signal is kept, by what was told of it last (R-RET-01, R-RET-02)."""
    if listed.place is not Place.ENDED and listed.is_open:
        return Kept()
    events: dict[str, list[date]] = {}
    for each in view.get("outcomes", ()):
        if (kind := each["kind"]) in _OF_OUTCOMES and (kind != "REFERRAL" or each["state"] in _REFERRAL_ENDS):
            events.setdefault(_OF_OUTCOMES[kind], []).append(local_day(datetime.fromisoformat(str(each["occurred_at"]))))
    return Kept(*latest_end(events)) if events else Kept()


def _version(listing: Listing, signal_id: str, number: int, kept_at: datetime, encrypted: Encrypted) -> Version:
    record = json.loads(listing.vault_key.decrypt(signal_id, encrypted))
    day = local_day(kept_at)
    coded: Any = coded_signal(record, signal_id=signal_id, version=number, supersedes=None, day=day, guard={})
    return Version(number, kept_at, coded, record)
