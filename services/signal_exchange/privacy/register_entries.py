"""The entries of the participants' register, each as a value and as JSON-safe fields."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self

from signal_exchange.domain.ids import MunicipalityCode, parse_municipality_code
from signal_exchange.domain.members import Members, Municipality
from signal_exchange.domain.times import local_day
from signal_exchange.privacy.sealing import SealingPublicKey
from signal_exchange.privacy.signing import VerifyingKey

Fields = Mapping[str, Any]
"""JSON-safe fields. Reading them raises KeyError, TypeError or ValueError where they do not fit."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time: `begin` belongs to it, `end` does not; no `end` is open."""

    begin: datetime
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Say whether the moment lies in the period."""
        return self.begin <= at and (self.end is None or at < self.end)

    @classmethod
    def from_mapping(cls, fields: Fields) -> Self:
        """Read `valid_from` and `valid_to`, which carry their UTC offset."""
        end = fields["valid_to"]
        return cls(_moment(fields["valid_from"]), None if end is None else _moment(end))

    def to_mapping(self) -> dict[str, Any]:
        """Return the fields that `from_mapping` reads."""
        return {"valid_from": self.begin.isoformat(), "valid_to": self.end.isoformat() if self.end else None}


@dataclass(frozen=True, slots=True)
class MemberKey:
    """A municipality's signing key and when it may sign."""

    key: VerifyingKey
    valid: Period

    @classmethod
    def from_mapping(cls, fields: Fields) -> Self:
        """Read the key and its period."""
        return cls(VerifyingKey(str(fields["key_id"]), bytes.fromhex(fields["public_key"])), Period.from_mapping(fields))

    def to_mapping(self) -> dict[str, Any]:
        """Return the fields that `from_mapping` reads."""
        return {"key_id": self.key.key_id, "public_key": self.key.raw.hex(), **self.valid.to_mapping()}


@dataclass(frozen=True, slots=True)
class Participant:
    """A municipality, its accession (codes of accession_status.csv) and its signing keys."""

    code: MunicipalityCode
    accession_status: str
    accession_date: date | None
    left_date: date | None = None
    oin: str = ""
    signing_keys: tuple[MemberKey, ...] = ()

    def is_member(self, at: datetime) -> bool:
        """Say whether the municipality takes part on the Amsterdam day of this moment (R-VAL-02)."""
        day = local_day(at)
        if self.accession_status == "ACCEDED":
            return self.accession_date is not None and self.accession_date <= day
        return self.accession_status == "LEFT" and self.left_date is not None and day < self.left_date

    @classmethod
    def from_mapping(cls, fields: Fields) -> Self:
        """Read a municipality."""
        return cls(
            parse_municipality_code(fields["code"]),
            str(fields["accession_status"]),
            _day(fields["accession_date"]),
            _day(fields["left_date"]),
            str(fields["oin"]),
            tuple(MemberKey.from_mapping(key) for key in fields["signing_keys"]),
        )

    def to_mapping(self) -> dict[str, Any]:
        """Return the fields that `from_mapping` reads."""
        return {
            "code": self.code,
            "accession_status": self.accession_status,
            "accession_date": _text_of_day(self.accession_date),
            "left_date": _text_of_day(self.left_date),
            "oin": self.oin,
            "signing_keys": [key.to_mapping() for key in self.signing_keys],
        }


def registered_members(members: Members, participants: Iterable[Participant]) -> Members:
    """Return the municipalities of the region with the accession that the register says; the others keep their own."""
    registered = {member.code: member for member in participants}
    return Members({code: _as_registered(known, registered.get(code)) for code, known in members.by_code.items()})


def _as_registered(known: Municipality, entry: Participant | None) -> Municipality:
    if entry is None:
        return known
    status, since, until = entry.accession_status, entry.accession_date, entry.left_date
    return replace(known, accession_status=status, accession_date=since, left_date=until)


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A recipient group's public sealing key and when to seal with it; opening has no end here."""

    key: SealingPublicKey
    valid: Period

    @classmethod
    def from_mapping(cls, fields: Fields) -> Self:
        """Read the key, of which the public part is base64, and its period."""
        raw = base64.b64decode(fields["public_key"], validate=True)
        return cls(SealingPublicKey(str(fields["key_id"]), fields["group"], raw), Period.from_mapping(fields))

    def to_mapping(self) -> dict[str, Any]:
        """Return the fields that `from_mapping` reads."""
        raw = base64.b64encode(self.key.raw).decode()
        return {"key_id": self.key.key_id, "group": self.key.group, "public_key": raw, **self.valid.to_mapping()}


@dataclass(frozen=True, slots=True)
class KeeperKey:
    """A keeper's public key of one epoch and when to ask for it."""

    epoch: str
    public_key: bytes
    valid: Period

    @classmethod
    def from_mapping(cls, fields: Fields) -> Self:
        """Read the epoch, the public key in hexadecimal and the period."""
        return cls(str(fields["epoch"]), bytes.fromhex(fields["public_key"]), Period.from_mapping(fields))

    def to_mapping(self) -> dict[str, Any]:
        """Return the fields that `from_mapping` reads."""
        return {"epoch": self.epoch, "public_key": self.public_key.hex(), **self.valid.to_mapping()}


@dataclass(frozen=True, slots=True)
class RegisteredKeeper:
    """A keeper of link-token keys: its name (A or B), its address and its public keys per epoch."""

    name: str
    url: str
    keys: tuple[KeeperKey, ...] = ()

    @classmethod
    def from_mapping(cls, fields: Fields) -> Self:
        """Read a keeper."""
        return cls(str(fields["name"]), str(fields["url"]), tuple(KeeperKey.from_mapping(key) for key in fields["keys"]))

    def to_mapping(self) -> dict[str, Any]:
        """Return the fields that `from_mapping` reads."""
        return {"name": self.name, "url": self.url, "keys": [key.to_mapping() for key in self.keys]}


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _text_of_day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("A moment in the register has no UTC offset.")
    return moment
