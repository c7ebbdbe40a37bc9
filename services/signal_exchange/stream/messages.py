"""A record as it came in, and what a handler gets of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic

from typing_extensions import TypeVar

PARKED_NAMESPACE = uuid.UUID("5b0ba9a5-6a30-5c43-9a26-5d6f1f6dd0a3")
KEY_CHARACTERS = 100
"""The longest key that can be one of ours: two UUIDs and what stands between them."""
LATEST_MILLISECONDS = 4_102_444_800_000
"""The year 2100; an append time outside 1970 to then is no time, and is taken as 1970, which no rule believes."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One record as it was read. `appended_at` is the broker's append time, the only time that a sender cannot choose."""

    topic: str
    partition: int
    offset: int
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    headers: Mapping[str, bytes] = field(repr=False)
    appended_at: datetime
    attempt: int = 0
    """How often it was tried before and parked; 0 for a record that comes from its topic."""

    @classmethod
    def of(cls, record: Any) -> Incoming:  # noqa: ANN401 - a ConsumerRecord of aiokafka or kafka-python
        """Return a consumer record as an incoming record; a header without a value is taken as an empty one."""
        told = record.timestamp if 0 <= record.timestamp < LATEST_MILLISECONDS else 0
        at = datetime.fromtimestamp(told / 1000, tz=UTC)
        headers = {name: value or b"" for name, value in record.headers}
        return cls(record.topic, record.partition, record.offset, record.key, record.value, headers, at)

    @property
    def key_text(self) -> str:
        """Return the key as text; empty when there is none, or it is no text that one of our keys can be (R-VAL-22)."""
        try:
            text = (self.key or b"").decode("ascii")
        except UnicodeDecodeError:
            return ""
        return text if len(text) <= KEY_CHARACTERS and text.isprintable() else ""

    def parked_id(self, service: str) -> str:
        """Return the id under which a service parks this record: the same at each delivery."""
        return str(uuid.uuid5(PARKED_NAMESPACE, f"{service}:{self.topic}:{self.partition}:{self.offset}"))


Name_co = TypeVar("Name_co", bound=str, covariant=True, default=Any)
Fields_co = TypeVar("Fields_co", covariant=True, default=Any)


@dataclass(frozen=True, slots=True)
class Message(Generic[Name_co, Fields_co]):
    """A record that could be decoded: its name, its fields in the service's own view, and where it came from.

    `stream.views` has the messages that each service reads, with the types of their fields; the loop itself knows no record.
    """

    record: Name_co
    fields: Fields_co = field(repr=False)
    incoming: Incoming

    @property
    def appended_at(self) -> datetime:
        """Return the broker's append time."""
        return self.incoming.appended_at


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A tombstone on a state topic: nothing is left under its key."""

    incoming: Incoming


@dataclass(frozen=True, slots=True)
class Attribution:
    """The verified sender of a record: only then may it count against their numbers.

    `signal_id` and `version` are None when what the record says there is none (R-VAL-22).
    """

    municipality: str
    publisher_run: str
    sequence: int
    signal_id: str | None
    version: int | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that must be parked: its reason (a code of dead_letter_reason.csv) and field and rule of each error."""

    incoming: Incoming
    reason: str
    errors: tuple[str, ...] = ()
    attribution: Attribution | None = None


Read = Message | Unreadable | Tombstone
"""What becomes of an incoming record."""
