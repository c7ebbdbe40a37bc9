"""Which version of a signal counts: resends, conflicts, gaps and the end (R-VAL-16, R-VAL-21)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256

from signal_exchange.domain.plain_json import canonical_json


class VersionVerdict(Enum):
    """The verdict on a received version."""

    NEW = "NEW"
    """The next version: take it."""
    NEW_AFTER_GAP = "NEW_AFTER_GAP"
    """The next version after a parked one: take it, and flag the gap (R-VAL-21)."""
    REPEAT = "REPEAT"
    """The same version with the same content: nothing to do."""
    CONFLICT = "CONFLICT"
    """A used number with other content, or a number out of line: V16, parked as VERSION_CONFLICT."""
    ENDED = "ENDED"
    """The signal is erased; nothing more is taken, parked as VERSION_CONFLICT."""


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """The highest version seen of a signal, parked ones too; `earlier` holds the hashes of the ones before."""

    version: int
    content_hash: str
    parked: bool = False
    erased: bool = False
    earlier: Mapping[int, str] = field(default_factory=dict)


def content_hash(value: Mapping[str, object]) -> str:
    """Give the SHA-256 of a signed value as 64 hex (R-VAL-16).

    The caller leaves out publisher_run, sequence, time and key id, so that a resend under a new number is the same.
    """
    return sha256(canonical_json(value).encode()).hexdigest()


def judge_version(last: KnownVersion | None, *, version: int, supersedes: int | None, content_hash: str) -> VersionVerdict:
    """Judge a received version against the highest one seen; None when the signal was never seen."""
    highest = 0 if last is None else last.version
    if last is not None:
        if _hash_of(last, version) == content_hash:
            return VersionVerdict.REPEAT
        if last.erased:
            return VersionVerdict.ENDED
    if version != highest + 1 or supersedes != (highest or None):
        return VersionVerdict.CONFLICT
    return VersionVerdict.NEW_AFTER_GAP if last is not None and last.parked else VersionVerdict.NEW


def judge_erasure(last: KnownVersion | None, *, version: int) -> VersionVerdict:
    """Judge the version of an erasure: any that lies beyond the highest one seen is taken (R-RET-03, wider than R-VAL-16).

    A municipality that was restored, or whose last version never arrived, must not be kept from erasing. Erasing twice is once.
    """
    if last is not None and last.erased:
        return VersionVerdict.REPEAT
    return VersionVerdict.NEW if version > (last.version if last else 0) else VersionVerdict.CONFLICT


def _hash_of(last: KnownVersion, version: int) -> str | None:
    return last.content_hash if version == last.version else last.earlier.get(version)
