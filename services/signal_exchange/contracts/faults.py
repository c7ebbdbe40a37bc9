"""Errors of the wire, which name a reason and never hold a value."""

from __future__ import annotations


class UndecodableError(Exception):
    """A record's bytes are no record that this reader knows: the message is at fault and is parked.

    `reason` is one of the closed words in `UNDECODABLE_REASONS`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


UNDECODABLE_REASONS = (
    "tombstone",
    "empty",
    "too_large",
    "no_single_object_header",
    "unknown_fingerprint",
    "unexpected_record",
    "broken_body",
    "trailing_bytes",
    "oversized_collection",
)


class CannotEncodeError(Exception):
    """A datum does not fit its schema: our own fault. Names the record only, since a datum may hold anything."""

    def __init__(self, record: str) -> None:
        super().__init__(f"The datum does not fit the schema {record}.")
        self.record = record
