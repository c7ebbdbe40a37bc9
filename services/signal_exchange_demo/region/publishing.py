"""Signals as they leave a municipality, before sealing, with stand-ins for the link tokens that only the keepers make."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from signal_exchange.contracts.cloud_events import source_of
from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.domain.links.epochs import epoch_of
from signal_exchange.reference.loading import load_members
from signal_exchange_demo.region.truth import may_link, subject_keys, thing_keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signal_exchange_demo.region.keys import Keys
    from signal_exchange_demo.region.model import Record

Json = dict[str, Any]
EVENT_TYPE = "nl.mensenhandelsignalen.signaal.gepubliceerd.v1"
OBJECTS = ("plates", "accounts", "companies")


class Publisher:
    """Writes the events of one region. Equal values have equal stand-ins in it, and in no region of another seed."""

    def __init__(self, seed: int, barred: Iterable[tuple[str, str]]) -> None:
        self._barred = frozenset(barred)
        self._secret = hashlib.sha256(f"{seed}:stand-ins".encode()).digest()

    def event(self, record: Record, data: Json, at: datetime) -> Json:
        """Write the event of a record whose coded data are given, published at a moment."""
        member = load_members().by_code[MunicipalityCode(record["municipality"])]
        signal = {**data, "summary": record["summary"]}
        subjects = [{**each, **self._of_subject(record, each["ref"], at)} for each in data["subjects"]]
        places = [{**each, **self._of_thing(record, "places", index, at)} for index, each in enumerate(data["places"])]
        objects = [
            self._of_thing(record, name, index, at)["link_values"] for name in OBJECTS for index in range(len(record[name]))
        ]
        signal.update(subjects=subjects, places=places, objects=[value for values in objects for value in values])
        return {
            "specversion": "1.0",
            "id": f"{data['signal_id']}.{data['version']}",
            "source": source_of(member.oin, "signaalpunt"),
            "type": EVENT_TYPE,
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "dataschema": "https://example.nl/schemas/signal/v1",
            "data": signal,
        }

    def _of_subject(self, record: Record, ref: str, at: datetime) -> Json:
        return {"link_values": self._stand_ins(subject_keys(record, ref) if may_link(record) else (), at)}

    def _of_thing(self, record: Record, name: str, index: int, at: datetime) -> Json:
        return {"link_values": self._stand_ins(thing_keys(record, name, index) if may_link(record) else (), at)}

    def _stand_ins(self, keys: Keys | Iterable[tuple[str, str]], at: datetime) -> list[Json]:
        epoch = epoch_of(at.date())
        return [
            {"type": kind, "epoch": epoch, "stands_for": self._stand_in(kind, value)}
            for kind, value in sorted({*keys} - self._barred)
        ]

    def _stand_in(self, kind: str, value: str) -> str:
        return hmac.digest(self._secret, f"{kind}|{value}".encode(), hashlib.sha256)[:16].hex()
