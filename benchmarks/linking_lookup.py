"""How long a new signal takes to find its candidates, with 10^4, 10^5 and 10^6 signals in the store of linking.

    python benchmarks/linking_lookup.py [--sizes 10000,100000,1000000] [--rounds 200] [--out file.json]

What is measured is the service's own code on its own tables: store the tokens of a new signal, find the pairs that they propose,
and judge them. The transaction is undone each time, so that each round meets the same store. A stored signal has six tokens; a
third of the new ones share a value with one to three stored signals, and each shares a common one with a thousand.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.linking.judging import Judge
from signal_exchange.linking.records import Signal, TokenUse, Value
from signal_exchange.linking.store import LinkingStore
from signal_exchange.linking.tables import TABLES
from signal_exchange.runtime.database import Database

START = datetime(2026, 7, 1, tzinfo=UTC)
EPOCH, CHUNK, COMMON_SHARE, TOKENS = "2026H2", 10_000, 1_000, 6
CALENDAR = WorkingCalendar()
TYPES = ("BSN", "NAME_DOB", "NAME_DOB_SOFT", "PHONE", "PLATE")


def measure(sizes: Sequence[int], rounds: int) -> dict[str, object]:
    """Return median and p99 in milliseconds by number of stored signals; the store grows from one size to the next."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+pysqlite:///{Path(folder) / 'linking.sqlite'}", TABLES)
        database.create_tables()
        found, stored = [], 0
        for size in sorted(sizes):
            _fill(database, stored, size)
            stored = size
            found.append(_measured(database, size, rounds))
        database.close()
    return {"what": "a new signal finds its candidates", "unit": "ms", "rounds": rounds, "sizes": found}


def _fill(database: Database, first: int, last: int) -> None:
    for start in range(first, last, CHUNK):
        numbers = range(start, min(start + CHUNK, last))
        with database.transaction() as connection:
            store = LinkingStore(connection)
            store.put_signals([_signal(number) for number in numbers])
            store.add_tokens([use for number in numbers for use in _token_uses(number, number)])


def _measured(database: Database, size: int, rounds: int) -> dict[str, object]:
    took = sorted(islice(_lookups(database, size), rounds))
    p99 = took[min(len(took) - 1, round(0.99 * len(took)))]
    return {"signals": size, "median_ms": round(statistics.median(took), 3), "p99_ms": round(p99, 3)}


def _lookups(database: Database, size: int) -> Iterator[float]:
    new = size
    while True:
        new += 1
        with database.engine.connect() as connection:
            transaction = connection.begin()
            yield _lookup(connection, new, like=(new * 7919) % size if new % 3 == 0 else new)
            transaction.rollback()


def _lookup(connection: Connection, new: int, like: int) -> float:
    token_uses = _token_uses(new, like)
    start = time.perf_counter()
    store = LinkingStore(connection)
    store.put_signals([_signal(new)])
    store.add_tokens(token_uses)
    judge = Judge(store, CALENDAR, START + timedelta(days=100))
    found = list(judge.judged(judge.pairs_of(token_uses)))
    took = (time.perf_counter() - start) * 1000
    if new % 3 == 0 and not found:
        raise RuntimeError("A signal that shares a value found no candidate.")
    return took


def _signal(number: int) -> Signal:
    came = START + timedelta(milliseconds=number)
    return Signal(_id(number), 1, 1, "GM0983", "OPEN", "2026-07-01", came, came, "LABOUR", [])


def _token_uses(number: int, like: int) -> list[TokenUse]:
    """Return six tokens: five that only `like` and its kin carry, and one that a thousand signals share."""
    came = START + timedelta(milliseconds=number)
    values = [Value(kind, EPOCH, _token(kind, like)) for kind in TYPES]
    values.append(Value("ADDRESS_PC", EPOCH, _token("ADDRESS_PC", like // COMMON_SHARE)))
    return [TokenUse(_id(number), 1, f"subject:s{index}", value, came, came) for index, value in enumerate(values)]


def _id(number: int) -> str:
    return str(uuid.UUID(int=(number * 2654435761) % 2**64 << 64 | number))


def _token(kind: str, of: int) -> bytes:
    return hashlib.sha256(f"{kind}:{of}".encode()).digest()[:16]


def main() -> None:
    """Measure and print, or write to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    text = json.dumps(measure([int(each) for each in given.sizes.split(",")], given.rounds), indent=1)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
    else:
        sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
