"""What a container may do: no root, no capabilities, no writing outside its own folders, no more than its memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from region import ONE_SHOTS, Region, run

Found = tuple[str, list[str]]
"""A promise, and what breaks it."""
PLACES = ("/written", "/etc/written", "/usr/written")
LOOK = "cat /proc/1/status; " + "; ".join(f"touch {place} 2>/dev/null && echo WRITTEN {place}" for place in PLACES) + "; true"
PIDS = 512


def rights(region: Region) -> Iterator[Found]:
    """Look from inside every container that runs."""
    looked = {name: region.inside(name, "sh", "-c", LOOK).stdout for name in region.running()}
    status = {name: _fields(text) for name, text in looked.items()}
    yield "no process runs as root", [name for name, each in status.items() if "0" in each["Uid"].split()]
    none = ("CapEff", "CapPrm", "CapBnd")
    yield "no process has a capability", [name for name, each in status.items() if any(int(each[part], 16) for part in none)]
    yield "no process may get new privileges", [name for name, each in status.items() if each["NoNewPrivs"].strip() != "1"]
    yield "system calls are filtered", [name for name, each in status.items() if each["Seccomp"].strip() != "2"]
    yield f"{', '.join(PLACES)} cannot be written", [name for name, text in looked.items() if "WRITTEN" in text]


def limits(region: Region) -> Iterator[Found]:
    """Look at what the engine holds every container to."""
    there = region.containers()
    host = {name: each["HostConfig"] for name, each in there.items()}
    yield "every root is read-only", [name for name, each in host.items() if not each["ReadonlyRootfs"]]
    yield f"no container has more than {PIDS} threads", [name for name, each in host.items() if each["PidsLimit"] != PIDS]
    wrong = [name for name, each in host.items() if each["Memory"] != mebibytes(name) * 1024**2]
    yield "every container has a bound of memory", wrong
    again = {name: each["RestartPolicy"]["Name"] for name, each in host.items() if name not in ONE_SHOTS}
    yield "what ends is started again", [name for name, policy in again.items() if policy != "unless-stopped"]
    yield "no volume is without a name", [f"{name}: {place}" for name, each in there.items() for place in _nameless(each)]
    published = {name: each["NetworkSettings"]["Ports"] for name, each in there.items()}
    yield "what is published is published on loopback", [name for name, ports in published.items() if _beyond_loopback(ports)]
    seen = region.inside("municipality-gm0983", "ls", "/run/region", "/run/public").stdout.split()
    others = [
        each for each in seen if each in {"admin-password", "databases.sql"} or each.startswith(("municipality-", "keeper-a"))
    ]
    yield "a municipality sees its own secrets only", others


def mebibytes(service: str) -> int:
    """Return the bound of memory of a service."""
    if service == "kafka":
        return 1024
    return 512 if service == "postgres" or service.startswith("municipality-") else 256


def image(region: Region) -> Iterator[Found]:
    """Look at what the image leaves out."""
    found = region.inside(
        "routing", "python", "-c", "import importlib.util as u; print([n for n in ('pip', 'hatchling') if u.find_spec(n)])"
    )
    left = region.inside(
        "routing", "sh", "-c", "ls -d /usr/local/bin/pip* /usr/local/lib/python3.11/site-packages/pip* 2>/dev/null; true"
    )
    yield "nothing in the image installs or builds", [*(found.stdout.strip().strip("[]").split()), *left.stdout.split()]


def memory(region: Region) -> Iterator[Found]:
    """Show what each takes; nobody is near its bound."""
    lines = run(
        (
            "docker",
            "stats",
            "--no-stream",
            "--format",
            "{{.Name}} {{.MemPerc}} {{.MemUsage}}",
            *map(region.name_of, region.running()),
        )
    )
    shares = {line.split()[0]: float(line.split()[1].rstrip("%")) for line in lines.stdout.splitlines()}
    most = max(shares, key=lambda name: shares[name])
    yield (
        f"nobody takes more than 80% of its memory (most: {most} {shares[most]:.0f}%)",
        [
            name
            for name, share in shares.items()
            if share > 80  # noqa: PLR2004 - as the promise says
        ],
    )


def _fields(text: str) -> dict[str, str]:
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _nameless(container: dict[str, Any]) -> list[str]:
    return [each["Destination"] for each in container["Mounts"] if each["Type"] == "volume" and len(each["Name"]) == 64]  # noqa: PLR2004


def _beyond_loopback(ports: dict[str, Any] | None) -> bool:
    return any(place["HostIp"] != "127.0.0.1" for places in (ports or {}).values() for place in places or ())
