"""A municipality that signs, for tests of what the exchange makes of its records. Everything is synthetic."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import MetaData

from signal_exchange.contracts.codec import decode
from signal_exchange.contracts.records import SealedPart
from signal_exchange.domain.destinations import recipient_groups
from signal_exchange.domain.signals.coded_types import CodedSignal
from signal_exchange.municipality.sending.envelopes import Signer
from signal_exchange.participants.region import Region, init_region
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.sealing import SEALED_BYTES, encode_tokens
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.reference.loading import load_example
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ProcessSettings
from signal_exchange.stream.identity import load_identity, sealed_part
from signal_exchange.stream.messages import Incoming, Message

EXAMPLES = ("01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip")
AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SIX = ("GM0957", "GM0983", "GM0984", "GM0988", "GM1507", "GM1894")


def coded_example(name: str) -> dict[str, Any]:
    """Return an example as coded signal: as published, without what travels sealed."""
    data: dict[str, Any] = copy.deepcopy(dict(load_example(name, "published")["data"]))
    data = {field: value for field, value in data.items() if field not in ("summary", "objects")}
    for holder in (*data["subjects"], *data["places"]):
        holder.pop("link_tokens", None)
    return data


def identity_in(region: Region, name: str) -> Any:
    """Return the identity of one process of a founded region."""
    settings = ProcessSettings(
        mode="demo",
        data_dir=region.folder,
        register_file=region.folder / "register.json",
        region_key_file=region.folder / "region-key.json",
    )
    store = Database(f"sqlite+pysqlite:///{region.folder / name}-identity.sqlite", MetaData())
    return load_identity(settings, region.process_folder(name) / "keys.json", store)


@dataclass
class Sender:
    """Signs records under the key of one municipality, with numbers in a run of its own."""

    municipality: str
    key: SigningKey
    register: Register
    run: str = field(default_factory=lambda: str(uuid.uuid4()))
    sequence: int = 0
    offsets: Iterator[int] = field(default_factory=lambda: iter(range(10**6)))
    sealed_once: dict[str, SealedPart] = field(default_factory=dict)

    @classmethod
    def of(cls, region: Region, municipality: str) -> Sender:
        """Return a sender with the keys of a founded region."""
        identity = identity_in(region, f"municipality-{municipality.lower()}")
        return cls(municipality, identity.keys.signing, identity.register)

    def published(self, signal: Mapping[str, Any], *, at: datetime = AT, **changes: Any) -> Message:
        """Return a signed SignalPublished of this coded signal."""
        fields = {"own_ref": b"r" * 32, "tokens_pending": False, "signal": dict(signal), "sealed": self._parts(signal)}
        return self.message("SignalPublished", fields, at=at, key=str(signal["signal_id"]), **changes)

    def _parts(self, signal: Mapping[str, Any]) -> list[SealedPart]:
        bound_to, groups = f"{signal['signal_id']}.{signal['version']}", recipient_groups(cast("CodedSignal", signal))
        if "linking" in groups and bound_to not in self.sealed_once:  # an outbox seals once: a resend is the same bytes
            self.sealed_once[bound_to] = sealed_part(self.register, "linking", encode_tokens(()), bound_to)
        text = b"sealed".ljust(SEALED_BYTES)
        return [
            self.sealed_once[bound_to]
            if group == "linking"
            else SealedPart(group=group, key_id=f"{group}-2026-1", ciphertext=text)
            for group in groups
        ]

    def withdrawn(self, signal: Mapping[str, Any], version: int, *, at: datetime = AT, reason: str = "MISTAKE") -> Message:
        """Return a signed SignalWithdrawn."""
        fields = {"signal_id": signal["signal_id"], "version": version, "municipality": self.municipality, "reason": reason}
        return self.message("SignalWithdrawn", fields, at=at, key=str(signal["signal_id"]))

    def answered(self, signal: Mapping[str, Any], link: str, answer: str, *, at: datetime = AT, **changed: Any) -> Message:
        """Return a signed MunicipalAnswer about a link of this signal."""
        own = {"answer_id": str(uuid.uuid4()), "signal_id": signal["signal_id"], "version": 1, "municipality": self.municipality}
        fields = {**own, "link_id": link, "kind": answer, "key_types": ["NAME_DOB"], **changed}
        return self.message("MunicipalAnswer", fields, at=at, key=str(signal["signal_id"]))

    def renewed(self, signal: Mapping[str, Any], version: int = 1, *, at: datetime = AT, **changed: Any) -> Message:
        """Return a signed TokensRenewed of this signal."""
        tokens = sealed_part(self.register, "linking", encode_tokens(()), f"{signal['signal_id']}.{version}")
        own = {"renewal_id": str(uuid.uuid4()), "signal_id": signal["signal_id"], "version": version}
        fields = {**own, "municipality": self.municipality, "tokens": tokens, **changed}
        return self.message("TokensRenewed", fields, at=at, key=str(signal["signal_id"]))

    def erased(self, signal_id: str, version: int, *, at: datetime = AT, **changes: Any) -> Message:
        """Return a signed SignalErased."""
        fields = {"signal_id": signal_id, "version": version, "municipality": self.municipality}
        return self.message("SignalErased", fields, at=at, key=signal_id, **changes)

    def checkpoint(self, highest: int, *, at: datetime = AT) -> Message:
        """Return a signed Checkpoint."""
        fields = {"municipality": self.municipality, "highest": highest}
        return self.message("Checkpoint", fields, at=at, key=self.run, sequence=0)

    def message(
        self,
        record: str,
        fields: Mapping[str, Any],
        *,
        at: datetime = AT,
        key: str = "",
        sequence: int | None = None,
        signing: SigningKey | None = None,
        sent_at: datetime | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> Message:
        """Return a signed record as the stream hands it over; each part can be made wrong."""
        if sequence is None:
            self.sequence += 1
        number = self.sequence if sequence is None else sequence
        signer = Signer(signing or self.key, "urn:nld:oin:00000099000000000000:systeem:test")
        moment = sent_at or at - timedelta(seconds=1)
        signed = signer.sign(record, fields, at=moment, run=self.run, sequence=number)
        sent = dict(signer.headers(record, signed, event_id="x.1", at=moment, traceparent="00-0-0-01"))
        incoming = Incoming("signals", 0, next(self.offsets), key.encode(), signed.value, {**sent, **(headers or {})}, at)
        return Message(record, decode(signed.value, "routing").fields, incoming)


def a_region(folder: Path) -> Region:
    """Found a region of the examples' municipalities in a folder."""
    return init_region(folder, SIX, AT.date())
