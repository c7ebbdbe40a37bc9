"""Tries what docker-compose.yml promises in real containers: `make compose-check`, where Docker with Compose is present.

One line per promise, PASS or FAIL; exit code 1 when one fails, 2 when there is no Docker. It runs under a project name of its
own, beside a region that may run already, and removes everything that it started.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import hardening
import life
import reach
from region import ComposeFailed, Region, run

STEPS: tuple[Callable[[Region], Iterator[tuple[str, list[str]]]], ...] = (
    life.first_start,
    life.mended,
    hardening.rights,
    hardening.limits,
    hardening.image,
    reach.networks,
    life.signals,
    life.screens,
    life.prometheus,
    hardening.memory,
    life.ended,
    life.outage,
    life.down_and_up,
    life.leaves_nothing,
)
VERSIONS = {
    "python": ("routing", "python", "--version"),
    "PostgreSQL": ("postgres", "postgres", "--version"),
    "Java": ("kafka", "java", "--version"),
    "Prometheus": ("prometheus", "/bin/prometheus", "--version"),
}


def say(line: str) -> None:
    """Tell one line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Try every promise."""
    began = time.monotonic()
    try:
        say(f"Docker Engine {run(('docker', 'version', '--format', '{{.Server.Version}}')).stdout.strip()}, "
            f"{run(('docker', 'compose', 'version')).stdout.strip()}")  # fmt: skip
    except (ComposeFailed, FileNotFoundError) as fault:
        say(f"There is no Docker with Compose here, or it does not answer: {fault}")
        return 2
    with Region() as region:
        failed, passed = _tried(region)
    say(f"{passed} promises kept, {len(failed)} broken, in {time.monotonic() - began:.0f} s.")
    return 1 if failed else 0


def _tried(region: Region) -> tuple[list[str], int]:
    failed, passed = [], 0
    try:
        region.down(volumes=True)  # of a check that was broken off
        _built(region)
        for step in STEPS:
            for promise, broken in step(region):
                say(f"{'FAIL' if broken else 'PASS'}  {promise}{': ' + '; '.join(broken)[:600] if broken else ''}")
                failed += [promise] if broken else []
                passed += not broken
            if step is life.mended:
                _versions(region)
    except ComposeFailed as fault:
        say(f"FAIL  {fault}")
        failed.append("a command of docker")
        with suppress(ComposeFailed):
            _logs(region)
    finally:
        with suppress(ComposeFailed):
            region.down(volumes=True)
    return failed, passed


def _built(region: Region) -> None:
    began = time.monotonic()
    region.build()
    say(f"PASS  the image is built from deploy/Dockerfile in {time.monotonic() - began:.0f} s")


def _versions(region: Region) -> None:
    for name, (service, *words) in VERSIONS.items():
        done = region.inside(service, *words, must=False)
        say(f"      {name}: {(done.stdout or done.stderr).strip().splitlines()[:1]}")


def _logs(region: Region) -> None:
    there = region.containers()
    for each in region.unwell():
        service = each.partition(":")[0]
        if service not in there:
            continue
        say(f"----- {each}\n{region.compose('logs', '--no-color', '--tail', '15', service, must=False).stdout}")


if __name__ == "__main__":
    raise SystemExit(main())
