"""The common part of two sendings of one version: the signed value without its number and time (R-VAL-16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from signal_exchange.contracts.records import Envelope

SIGNED = frozenset({"SignalPublished", "SignalWithdrawn", "SignalErased", "MunicipalAnswer", "TokensRenewed", "Checkpoint"})
"""The records that a municipality signs."""
LEFT_OUT = frozenset({"publisher_run", "sequence", "time", "key_id"})


def content_of(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the decoded value of a signed record without run, sequence, time and key id: what `content_hash` is made of."""
    envelope = {name: value for name, value in cast("Envelope", fields["envelope"]).items() if name not in LEFT_OUT}
    return {**fields, "envelope": envelope}
