"""One measured process: `python benchmarks/client.py job.json`, which prints one line of JSON."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peers
from jobs import Job, Meter
from ours import ours
from works import task_of

CLIENTS: dict[str, Callable[..., Any]] = {
    "ours": ours,
    "bare-confluent-kafka": peers.bare_confluent,
    "bare-aiokafka": peers.bare_aiokafka,
    "kafka-python": peers.kafka_python,
    "quixstreams": peers.quixstreams,
    "faststream": peers.faststream,
    "stock-faust-agent": peers.stock_faust,
}


def main() -> None:
    """Run the job in the named file."""
    warnings.simplefilter("ignore")
    logging.getLogger().setLevel(logging.ERROR)
    job = Job.read(Path(sys.argv[1]))
    del sys.argv[1:]
    done = CLIENTS[job.client](job, task_of(job), Meter(job.count))
    if inspect.isawaitable(done):
        asyncio.run(done)


if __name__ == "__main__":
    main()
