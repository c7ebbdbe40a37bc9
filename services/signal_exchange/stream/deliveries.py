"""The latest delivery of a signal at a destination that keeps its fields: a worklist, or the agenda."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, String

from signal_exchange.contracts.records import DeliveredSignal, SealedPart, SignedWord
from signal_exchange.runtime.columns import Moment, Sealed, keys, optional, required


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestDelivery:
    """The latest record of a signal on the topic; `revision` counts the signal's states, `offer` its offers."""

    signal_id: str
    revision: int
    version: int
    offer: int
    municipality: str
    status: str
    deliver_as: str
    rule_id: str
    urgency: str
    due_from: datetime
    legal_basis: str | None
    partnership: str | None
    signal: DeliveredSignal | None = field(repr=False)
    summary: SealedPart | None = field(repr=False)
    word: InitVar[SignedWord | None] = None
    """Of an erasure, which is no delivery: it is not kept."""


def delivery_columns() -> tuple[Column[Any], ...]:
    """Return the columns of a table of latest deliveries; the summary stays sealed."""
    return (
        *keys(signal_id=String),
        *required(revision=BigInteger, version=Integer, offer=Integer, municipality=String, status=String, deliver_as=String),
        *required(rule_id=String, urgency=String, due_from=Moment),
        *optional(legal_basis=String, partnership=String, signal=JSON, summary=Sealed),
    )
