"""Rounds in which every client does the same work, one after the other, and the ratios within each round."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ground import TRANSPORTED, Ground, fill_signals, fill_transported

OURS, BARE = "ours", "bare-confluent-kafka"
FRAMEWORKS = ("quixstreams", "faststream", "stock-faust-agent")
PEERS = (BARE, "bare-aiokafka", "kafka-python", *FRAMEWORKS)
Round = Mapping[str, Mapping[str, float]]
"""What one round measured: by client its records per second and per second of CPU, and its peak of memory."""


def compared(ground: Ground, work: str, count: int, rounds: int) -> dict[str, Any]:
    """Return the figures of one work: every client in every round, in turning order."""
    source, fill = (TRANSPORTED, fill_transported) if work == "transport" else ("signals", fill_signals)
    fill(ground, count)
    clients = (OURS, *PEERS)
    return figures([_round(ground, work, source, count, _turned(clients, number)) for number in range(rounds)])


def _turned(clients: Sequence[str], number: int) -> list[str]:
    first = number % len(clients)
    return [*clients[first:], *clients[:first]]


def _round(ground: Ground, work: str, source: str, count: int, clients: Sequence[str]) -> Round:
    found = {}
    for client in clients:
        said = ground.measured(client, work, source, count)
        found[client] = {
            "per_second": said["records"] / said["seconds"],
            "per_cpu_second": said["records"] / said["cpu_seconds"],
            "peak_megabytes": said["peak_megabytes"],
        }
        sys.stderr.write(f"{work} {client}: {found[client]['per_second']:.0f} per second\n")
    return found


def figures(rounds: Sequence[Round]) -> dict[str, Any]:
    """Return the medians, and the ratios that were taken within each round.

    The best framework is chosen in each round anew, which is the strictest reading.
    """
    bare = [each[OURS]["per_second"] / each[BARE]["per_second"] for each in rounds]
    framework = [each[OURS]["per_second"] / max(each[name]["per_second"] for name in FRAMEWORKS) for each in rounds]
    cpu = [each[OURS]["per_cpu_second"] / each[BARE]["per_cpu_second"] for each in rounds]
    return {
        "ratio_to_bare": round(statistics.median(bare), 3),
        "ratio_to_best_framework": round(statistics.median(framework), 3),
        "cpu_ratio_to_bare": round(statistics.median(cpu), 3),
        "ratios_to_bare": [round(each, 3) for each in bare],
        "ratios_to_best_framework": [round(each, 3) for each in framework],
        "clients": {client: _medians([each[client] for each in rounds]) for client in rounds[0]},
    }


def _medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(run[name] for run in runs), 1) for name in runs[0]}
