"""What two sendings of one version have in common: the signed value without what numbers and times it (R-VAL-16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SIGNED = frozenset({"SignalPublished", "SignalWithdrawn", "SignalErased", "MunicipalAnswer", "TokensRenewed", "Checkpoint"})
"""The records that a municipality signs."""
LEFT_OUT = frozenset({"publisher_run", "sequence", "time", "key_id"})


def content_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decoded value of a signed record without run, sequence, time and key id: what `content_hash` is made of."""
    envelope = {name: value for name, value in fields["envelope"].items() if name not in LEFT_OUT}
    return {**fields, "envelope": envelope}
