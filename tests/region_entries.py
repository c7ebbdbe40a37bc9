"""A synthetic region as the entries that the oracle reads, with an id for every signal."""

import hashlib
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from oracle.coding import coded
from signal_exchange.demo.region import Arrival, Forgery, Region, SignalKey

Entry = dict[str, Any]


def id_for(name: object) -> str:
    """Give a signal id that depends on a name only, so that golden files stand still."""
    return str(UUID(bytes=hashlib.sha256(str(name).encode()).digest()[:16], version=4))


def entries_for(region: Region) -> list[Entry]:
    """Give everything that reaches the exchange: arrivals, then withdrawals, then forgeries."""
    published = [entry for arrival in region.good if (entry := _published(arrival, region.today))]
    versions = {arrival.key: arrival.version for arrival in region.good}
    gone = [_withdrawn(one.key, versions[one.key] + 1) for one in region.withdrawals]
    records = {arrival.key: arrival.record for arrival in region.good if arrival.kind == "new"}
    forged = [_forged(one, records[one.base], region.today, number) for number, one in enumerate(region.forgeries)]
    return [*published, *gone, *forged]


def _published(arrival: Arrival, today: date) -> Entry | None:
    """Publish an arrival; the same record again publishes nothing (R-VAL-16)."""
    if arrival.kind == "duplicate":
        return None
    data = coded(
        arrival.record, today, signal_id=id_for(arrival.key), version=arrival.version, supersedes=arrival.version - 1 or None
    )
    return {"data": data, "publish_day": today.isoformat(), "sender": arrival.key.municipality}


def _withdrawn(key: SignalKey, version: int) -> Entry:
    return {"event": "withdrawn", "signal_id": id_for(key), "version": version, "sender": key.municipality}


TRANSPORT = {"wrong_signature", "oversized", "expired_time"}


def _forged(forgery: Forgery, record: Entry, today: date, number: int) -> Entry:
    name = f"forged {number}" if forgery.is_new_signal else forgery.base
    day = today - timedelta(days=forgery.days_old)
    # What is forged is a copy of what was published today, whatever day the envelope names.
    data = {**coded(record, today, signal_id=id_for(name)), **dict(forgery.changes)}
    entry = {"data": data, "publish_day": day.isoformat(), "sender": forgery.sender}
    return {**entry, "transport": forgery.kind} if forgery.kind in TRANSPORT else entry
