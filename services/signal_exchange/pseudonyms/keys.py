"""A keeper's files: its private epoch keys, and the digests of the municipalities' bearer tokens."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Self

from signal_exchange.domain.ids import MunicipalityCode, parse_municipality_code
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.evaluating import EpochKey
from signal_exchange.runtime.private_files import require_private, write_private


@dataclass(frozen=True, slots=True)
class HeldKey:
    """An epoch key and the first and last day, in Amsterdam, on which this keeper evaluates with it."""

    key: EpochKey
    first_day: date
    last_day: date

    def holds(self, day: date) -> bool:
        """Say whether the keeper evaluates with this key on a day."""
        return self.first_day <= day <= self.last_day

    @classmethod
    def from_mapping(cls, fields: Mapping[str, str]) -> Self:
        """Return the key that `to_mapping` wrote."""
        days = date.fromisoformat(fields["first_day"]), date.fromisoformat(fields["last_day"])
        return cls(EpochKey.from_mapping(fields), *days)

    def to_mapping(self) -> dict[str, str]:
        """Return the key as JSON-safe fields."""
        return {**self.key.to_mapping(), "first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat()}


@dataclass(frozen=True, slots=True)
class Bearers:
    """The bearers that may ask: of each municipality the SHA-256 of its bearer token, never the token itself."""

    digests: Mapping[MunicipalityCode, str] = field(repr=False)

    def municipality(self, bearer: str) -> MunicipalityCode | None:
        """Return the owner of a bearer token. Every digest is compared, so that time says nothing."""
        digest = digest_of(bearer)
        matches = [code for code, known in self.digests.items() if hmac.compare_digest(digest, known)]
        return matches[0] if matches else None


def digest_of(bearer: str) -> str:
    """Return the digest of a bearer token that a keeper stores: its SHA-256 in hexadecimal."""
    return hashlib.sha256(bearer.encode()).hexdigest()


def write_keys(path: Path, keys: Iterable[HeldKey]) -> None:
    """Write the epoch keys, readable for their owner only; a key that is left out is destroyed with the old file."""
    write_private(path, json.dumps({"epoch_keys": [key.to_mapping() for key in keys]}, indent=1))


def read_keys(path: Path) -> tuple[HeldKey, ...]:
    """Return the epoch keys of a file.

    Raises:
        RefusedError: others may read the file, an epoch stands in it twice, or it cannot be read as keys.
    """
    require_private(path)
    try:
        keys = tuple(HeldKey.from_mapping(fields) for fields in json.loads(path.read_text(encoding="utf-8"))["epoch_keys"])
    except (KeyError, TypeError, ValueError):
        raise RefusedError("NO_EPOCH_KEYS", file=path.name) from None
    if len({held.key.epoch for held in keys}) != len(keys):
        raise RefusedError("EPOCH_TWICE", file=path.name)
    return keys


def write_bearers(path: Path, bearers: Mapping[MunicipalityCode, str]) -> None:
    """Write the digests of the municipalities' bearer tokens, per municipality code."""
    write_digests(path, {code: digest_of(bearer) for code, bearer in bearers.items()})


def write_digests(path: Path, digests: Mapping[MunicipalityCode, str]) -> None:
    """Write who may ask, as digests of their tokens, in one go: a running keeper takes the file over at its next request."""
    write_private(path, json.dumps(dict(sorted(digests.items())), indent=1))


def read_bearers(path: Path) -> Bearers:
    """Return the digests of a file.

    Raises:
        RefusedError: the file cannot be read as digests per municipality.
    """
    try:
        digests = json.loads(path.read_text(encoding="utf-8"))
        return Bearers({parse_municipality_code(code): _digest(digest) for code, digest in digests.items()})
    except (AttributeError, TypeError, ValueError):
        raise RefusedError("NO_TOKEN_DIGESTS", file=path.name) from None


def _digest(text: str) -> str:
    if len(bytes.fromhex(text)) != hashlib.sha256().digest_size:
        raise ValueError("A digest is a SHA-256.")
    return text
