"""`make fuzz`: many hostile records through codec, border and every handler, in rounds that each have a seed of their own.

CASES=1000000 SEED=1 are the defaults; ROUND=170 begins at that round again. Not a test: it prints a line for each round, and ends
with exit code 1 at the first that finds something.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hostile import fitting, hostile_for, places, with_value, written
from hostile_exchange import HostileExchange, told
from senders import a_region

from signal_exchange.contracts.border import breaches
from signal_exchange.contracts.codec import decode_whole
from signal_exchange.contracts.faults import UndecodableError
from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.runtime import logs

IN_A_ROUND, THROUGH_HANDLERS = 10_000, 1_000
"""Cases of a round through codec and border, of which so many more go through the handlers too."""
GROWTH_KILOBYTES = 200 * 1024
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


def through_the_border(seed: int, cases: int) -> None:
    """Decode and judge records of every kind with one or two hostile values, and bytes that were changed at random."""
    chance = random.Random(seed)  # noqa: S311 - a seed, no secret
    records = sorted(current_schemas())
    while cases > 0:
        record = chance.choice(records)
        fields = fitting(record, AT, chance)
        for path, value in chance.sample(found := list(places(fields)), min(len(found), 10)):
            wrong = hostile_for(value)
            encoded = written(record, with_value(fields, path, chance.choice(wrong)) if wrong else fields)
            if encoded is not None:
                _decode(_bent(encoded, chance))
            cases -= 1


def _bent(encoded: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.7:
        return encoded
    bent, at = bytearray(encoded), chance.randrange(len(encoded))
    bent[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    return bytes(bent)


def _decode(encoded: bytes) -> None:
    try:
        decoded = decode_whole(encoded)
    except UndecodableError:
        return
    breaches(decoded.record, decoded.fields, AT)


def main() -> int:
    """Run the rounds; return the exit code."""
    cases, seed, first = (int(os.environ.get(name) or default) for name, default in (("CASES", 10**6), ("SEED", 1), ("ROUND", 0)))
    os.umask(0o077)
    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process lives
    logs.configure("fuzz", "WARNING")
    with tempfile.TemporaryDirectory() as folder:
        region, before = a_region(Path(folder) / "region"), 0
        for number in range(first, -(-cases // (IN_A_ROUND + THROUGH_HANDLERS))):
            through_the_border(seed * 10**6 + number, IN_A_ROUND)
            exchange = HostileExchange(region, Path(folder) / "exchange", seed * 10**6 + number)
            found = exchange.run(THROUGH_HANDLERS)
            astray = exchange.unaccounted()
            exchange.balance()
            exchange.close()
            now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            before = before or now
            print(f"round {number}: {told(found)}, astray {len(astray)}, {now // 1024} MB", flush=True)  # noqa: T201 - its output
            if found.faults or astray or now - before > GROWTH_KILOBYTES:
                print("\n".join((*found.faults, *astray)), flush=True)  # noqa: T201 - its output
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
