"""All that a hostile member can send, through routing's own loop into oversight's ledger: every record is accounted for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hostile_member import Hostile
from oversight_bench import Bench as Oversight
from raw_signals import Raw, raw
from routing_bench import Bench
from senders import AT, Sender, coded_example

from signal_exchange.participants.region import Region
from signal_exchange.routing.sparing import park_sparingly
from signal_exchange.routing.tables import OUTBOX
from signal_exchange.runtime import clock
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.health import Progress
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.consumer import BatchLoop, ConsumerSpec, read_as
from signal_exchange.stream.flood import FloodGate
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.outbox import OutgoingRecord

HOSTILE, HONEST = "GM1894", "GM0983"
LIMIT, KEPT, EACH = 20, 10, 60


class Exchange:
    """Routing's loop on a store, with what it sends."""

    def __init__(self, bench: Bench) -> None:
        self.outgoing: list[OutgoingRecord] = []
        metrics = Metrics()
        self.loop = BatchLoop(
            ConsumerSpec(
                "routing",
                sources=(),
                reader="routing",
                database=bench.database,
                outbox=OUTBOX,
                handle=replace(bench.handler, flood_records=LIMIT),
                seal=bench.seal,
                metrics=metrics,
                park=park_sparingly(KEPT),
            ),
            self,
            Progress(metrics),
            FloodGate(LIMIT),
            patience_seconds=1.0,
        )
        self.offset = 0

    async def send(self, outgoing: Sequence[OutgoingRecord]) -> None:
        self.outgoing += outgoing

    def comes_in(self, records: Sequence[Raw]) -> None:
        at = int(clock.now().timestamp() * 1000)
        batch = [
            SimpleNamespace(
                topic="signals",
                partition=place % 6,
                offset=self.offset + place,
                key=key,
                value=value,
                headers=headers,
                timestamp=at,
            )
            for place, (key, value, headers) in enumerate(records)
        ]
        self.offset += len(records)
        asyncio.run(self.loop.on_batch(batch))

    def told(self, topic: str) -> list[Message]:
        incoming = [
            Incoming(topic, 0, place, b"k", each.value, {}, AT) for place, each in enumerate(self.outgoing) if each.topic == topic
        ]
        return [cast("Message", read_as(each, "oversight")) for each in incoming]


def test_every_record_of_a_hostile_member_is_accounted_for_and_an_honest_one_is_routed(region: Region, tmp_path: Path) -> None:
    bench = Bench(region, tmp_path / "routing.sqlite")
    exchange, honest = Exchange(bench), Sender.of(region, HONEST)
    hostile = Hostile(region.folder, cast("KafkaConnection", None), HOSTILE)
    bad = [raw(hostile._signed(sector="NO_SECTOR")) for _ in range(EACH)]
    kinds: dict[str, list[Raw]] = {
        "garbage": [hostile._garbage() for _ in range(EACH)],
        "forged": [hostile._forged() for _ in range(EACH)],
        "bad": bad,
        "repeats": bad[:1] * EACH,
        "good": [raw(hostile._signed()) for _ in range(EACH)],
    }
    for place, records in enumerate(kinds.values()):
        signal = {**coded_example("01_sexual"), "signal_id": f"0000000{place}-0000-4000-8000-000000000000"}
        exchange.comes_in([*records, raw(honest.published(signal, at=clock.now()))])
    sent = hostile._sender.sequence
    exchange.comes_in([raw(each.checkpoint(each.sequence, at=clock.now())) for each in (hostile._sender, honest)])

    oversight = Oversight()
    oversight.run(*exchange.told("signal-trace"))
    ledger = oversight.ledger(clock.now())
    assert (ledger.sent, ledger.counts["in_flight"], ledger.conserved) == (sent + len(kinds), 0, True)
    assert ledger.unattributed == 2 * EACH
    assert (ledger.counts["routed"], ledger.counts["parked"]) == (len(kinds), sent)
    reasons: Counter[Any] = Counter(each.fields["reason"] for each in exchange.told("parked"))
    assert reasons == {"SCHEMA_INVALID": KEPT, "UNKNOWN_CODE": LIMIT, "SENDER_HELD": sent - LIMIT}
    bench.database.close()
