"""What one measured process gets to do, and what it tells when it has done it."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from signal_exchange.runtime.connection import KafkaConnection

BATCH = 200
"""Records in one batch, in every client that knows batches; the product's own default."""
LINGER_MILLISECONDS = 2
"""Of every producer; the product's own."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one client: read `count` records of `source` as a new group, do `work` with each, and leave."""

    client: str
    work: str
    bootstrap: str
    username: str
    password: str
    source: str
    count: int
    group: str
    region: str
    database: str
    instance: str

    @classmethod
    def read(cls, file: Path) -> Self:
        """Return the job in a file."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))

    def write(self, file: Path) -> None:
        """Write the job to a file, which only its owner may read."""
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @property
    def connection(self) -> KafkaConnection:
        """Return the way to Kafka."""
        return KafkaConnection(self.bootstrap, self.username, self.password)


class Meter:
    """Counts records from the first one in hand, until the effects of the last one hold."""

    def __init__(self, count: int) -> None:
        self._count, self._done = count, 0
        self._began, self._cpu = 0.0, 0.0

    def begins(self) -> None:
        """Start the clock at the first call."""
        if not self._began:
            self._began, self._cpu = time.perf_counter(), time.process_time()

    def did(self, records: int) -> bool:
        """Count records whose effects hold, and say whether those were the last; then the result is printed."""
        self._done += records
        if self._done < self._count:
            return False
        seconds, cpu = time.perf_counter() - self._began, time.process_time() - self._cpu
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        said = {"records": self._done, "seconds": seconds, "cpu_seconds": cpu, "peak_megabytes": megabytes}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        return True
