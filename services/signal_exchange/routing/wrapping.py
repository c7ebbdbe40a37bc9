"""The wrapping of a record, which routing sees without a key: its event type, and the groups of its sealed parts (R-VAL-23)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from signal_exchange.contracts.cloud_events import EVENT_TYPES
from signal_exchange.contracts.records import Envelope, SealedPart
from signal_exchange.domain.destinations import recipient_groups
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.privacy.sealing import SEALED_BYTES


def is_of_its_type(record: str, envelope: Envelope) -> bool:
    """Say whether a record calls itself what it is."""
    return envelope["event_type"] == EVENT_TYPES[record]


def faults_of_parts(signal: CodedSignal, parts: Sequence[SealedPart]) -> tuple[str, ...]:
    """Return field and rule of what is wrong with the sealed parts of a signal that breaks no other rule.

    Each group that the signal names gets one part, nobody else gets any, and each part is as long as all others.
    """
    fits = Counter(part["group"] for part in parts) == Counter(recipient_groups(signal))
    whole = all(_is_whole(part) for part in parts)
    return (*(() if fits else ("sealed.group R-VAL-23",)), *(() if whole else ("sealed.ciphertext R-VAL-23",)))


def faults_of_tokens(part: SealedPart) -> tuple[str, ...]:
    """Return field and rule of what is wrong with tokens that are given anew."""
    fits = part["group"] == "linking"
    return (*(() if fits else ("tokens.group R-VAL-23",)), *(() if _is_whole(part) else ("tokens.ciphertext R-VAL-23",)))


def _is_whole(part: SealedPart) -> bool:
    return len(part["ciphertext"]) == SEALED_BYTES
