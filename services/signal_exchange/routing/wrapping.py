"""What routing can see of a record without a key: its event type, and for whom its parts are sealed (R-VAL-23)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from signal_exchange.contracts.cloud_events import EVENT_TYPES
from signal_exchange.domain.signals import CodedSignal, recipient_groups
from signal_exchange.privacy.sealing import SEALED_BYTES
from signal_exchange.stream.messages import Message


def is_of_its_type(message: Message) -> bool:
    """Say whether a record calls itself what it is."""
    return bool(message.fields["envelope"]["event_type"] == EVENT_TYPES[message.record])


def faults_of_parts(signal: CodedSignal, parts: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return field and rule of what is wrong with the sealed parts of a signal that breaks no other rule.

    Each group that the signal names gets one part, nobody else gets any, and each part is as long as all others.
    """
    fits = Counter(part["group"] for part in parts) == Counter(recipient_groups(signal))
    whole = all(_is_whole(part) for part in parts)
    return (*(() if fits else ("sealed.group R-VAL-23",)), *(() if whole else ("sealed.ciphertext R-VAL-23",)))


def faults_of_tokens(part: Mapping[str, Any]) -> tuple[str, ...]:
    """Return field and rule of what is wrong with tokens that are given anew."""
    fits = part["group"] == "linking"
    return (*(() if fits else ("tokens.group R-VAL-23",)), *(() if _is_whole(part) else ("tokens.ciphertext R-VAL-23",)))


def _is_whole(part: Mapping[str, Any]) -> bool:
    return len(part["ciphertext"]) == SEALED_BYTES
