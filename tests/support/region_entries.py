"""A synthetic region as the entries that the oracle reads, with an id for every signal."""

import hashlib
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from signal_exchange_demo.oracle.coding import coded
from signal_exchange_demo.region.model import Arrival, Forgery, Region

Entry = dict[str, Any]


def id_for(name: object) -> str:
    """Give a signal id that depends on a name only, so that golden files stand still."""
    return str(UUID(bytes=hashlib.sha256(str(name).encode()).digest()[:16], version=4))


def entries_for(region: Region) -> list[Entry]:
    """Give everything that reaches the exchange: arrivals, then withdrawals and erasures, then forgeries."""
    today = region.plan.publish_day
    assert today is not None
    published = [entry for arrival in region.good if (entry := _published(arrival, today))]
    senders = {signal_id: key.municipality for signal_id, key in region.keys.items()}
    gone = [
        {"event": event, "signal_id": one.signal_id, "version": one.version, "sender": senders[one.signal_id]}
        for event, endings in (("withdrawn", region.withdrawals), ("erased", region.erasures))
        for one in endings
    ]
    records = {arrival.signal_id: arrival.record for arrival in region.good if arrival.kind == "new"}
    forged = [_forged(one, records[one.base], today, number) for number, one in enumerate(region.forgeries)]
    return [*published, *gone, *forged]


def _published(arrival: Arrival, today: date) -> Entry | None:
    """Publish an arrival; the same record again publishes nothing (R-VAL-16)."""
    if arrival.kind == "duplicate":
        return None
    data = coded(
        arrival.record, today, signal_id=arrival.signal_id, version=arrival.version, supersedes=arrival.version - 1 or None
    )
    return {"data": data, "publish_day": today.isoformat(), "sender": arrival.key.municipality}


TRANSPORT = {"wrong_signature", "oversized", "expired_time"}


def _forged(forgery: Forgery, record: Entry, today: date, number: int) -> Entry:
    signal_id = id_for(f"forged {number}") if forgery.is_new_signal else forgery.base
    day = today - timedelta(days=forgery.days_old)
    # What is forged is a copy of what was published today, whatever day the envelope names.
    data = {**coded(record, today, signal_id=signal_id), **dict(forgery.changes)}
    entry = {"data": data, "publish_day": day.isoformat(), "sender": forgery.sender}
    return {**entry, "transport": forgery.kind} if forgery.kind in TRANSPORT else entry
