"""The bare peer of a rebuild: read the same records, decode them, and insert the rows that the store holds in bulk.

`python benchmarks/bare_rebuild.py SERVICE`, with the settings of the service in the environment; prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from sqlalchemy import select

from peers import confluent_settings
from signal_exchange.cli.declaring import part_of
from signal_exchange.cli.main import PLANS
from signal_exchange.contracts.codec import decode
from signal_exchange.contracts.faults import UndecodableError
from signal_exchange.contracts.topics import PARTITIONS
from signal_exchange.recovery.rebuilding import PARKED, Plan
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.settings import ServiceSettings, loaded
from signal_exchange.stream.work import park_on_topic

BATCH = 2_000


def main(service: str) -> None:
    """Measure: all of it, and the insert alone."""
    plan: Plan = part_of(PLANS[service])()
    rows = _rows(plan)
    began = time.perf_counter()
    records = sum(_decoded(plan, batch) for batch in _read(plan))
    read = time.perf_counter()
    _insert(plan, rows)
    ended = time.perf_counter()
    seconds = {"read_decode_insert_seconds": round(ended - began, 3), "insert_seconds": round(ended - read, 3)}
    sys.stdout.write(json.dumps({"records": records, **seconds}) + "\n")


def _topics(plan: Plan) -> list[str]:
    parked = (PARKED,) if plan.spec.park is park_on_topic else ()
    return [*parked, *plan.own, *plan.sources]


def _rows(plan: Plan) -> Mapping[str, Sequence[dict[str, Any]]]:
    with plan.spec.database.reading() as connection:
        return {each.name: [dict(row) for row in connection.execute(select(each)).mappings()] for each in plan.tables}


def _read(plan: Plan) -> Iterator[list[Any]]:
    consumer = Consumer(
        {**confluent_settings(loaded(ServiceSettings).kafka), "group.id": plan.spec.name, "enable.auto.commit": False}
    )
    parts = [TopicPartition(topic, number) for topic in _topics(plan) for number in range(PARTITIONS)]
    marks = {(part.topic, part.partition): consumer.get_watermark_offsets(part) for part in parts}
    left = sum(high - low for low, high in marks.values())
    consumer.assign([TopicPartition(topic, number, low) for (topic, number), (low, _) in marks.items()])
    while left > 0:
        batch = consumer.consume(BATCH, 1.0)
        left -= len(batch)
        yield batch
    consumer.close()


def _decoded(plan: Plan, batch: Sequence[Any]) -> int:
    for message in batch:
        if message.value() is not None:
            try:
                decode(message.value(), plan.views.get(message.topic(), plan.spec.reader))
            except UndecodableError:  # in a topic that others share, such as `parked`
                continue
    return len(batch)


def _insert(plan: Plan, rows: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    empty = Database(f"sqlite+pysqlite:///{loaded(ServiceSettings).data_dir / 'bulk.sqlite'}", plan.spec.outbox.metadata)
    empty.create_tables()
    with empty.transaction() as connection:
        for table in plan.tables:
            if rows[table.name]:
                connection.execute(table.insert(), rows[table.name])
    empty.close()


if __name__ == "__main__":
    main(sys.argv[1])
