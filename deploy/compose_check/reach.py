"""Who reaches whom: tried from inside the containers, by name and by every address of the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from region import Region

Found = tuple[str, list[str]]
Place = tuple[str, str, int]
"""Whose it is, the name or address, and the port."""
METRICS_PORT, KAFKA_PORTS, POSTGRES_PORT, KEEPER_PORT = 9100, (9092, 9094), 5432, 8080
TOWN, KEEPER, SCREENS = "municipality-", "keeper-", "web-"
"""How the names of each kind begin."""
SCREENS_PORT = 8443
OTHERS = {"kafka", "postgres", "prometheus"}
TRY = """
import concurrent.futures, json, socket, sys
def opens(place):
    try:
        socket.create_connection((place[1], place[2]), timeout=4).close()
    except OSError:
        return None
    return place
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    print(json.dumps([each for each in pool.map(opens, json.load(sys.stdin)) if each]))
"""


def networks(region: Region) -> Iterator[Found]:
    """Try every way that must be open and every way that must be closed."""
    there = region.running()
    own = sorted(set(there) - OTHERS)
    watched = _streaming(own)
    opened = {name: _opened(region, name, _places(there, watched)) for name in own}
    yield from _open(opened, own)
    yield from _closed(opened, own)
    seen = [
        f"{name} sees {host} of {other}"
        for name in own
        for other, host, port in opened[name]
        if port == METRICS_PORT and other != name
    ]
    yield "nobody but Prometheus and the process itself reaches its metrics", seen
    heard = [f"{name} hears {each[0]}" for name in own for each in opened[name] if each[2] == SCREENS_PORT and each[0] != name]
    yield "nobody inside reaches screens", heard
    yield "Kafka reaches no metrics", _from_kafka(region, there, watched)
    yield "Prometheus and Kafka share no network", sorted(_networks(there["prometheus"]) & _networks(there["kafka"]))
    inside = [name for name in (*own, "postgres") if not name.startswith(SCREENS)]  # screens ask an identity provider
    yield "no process of ours but screens has a way out", [name for name in inside if _has_default_route(region, name)]


def _open(opened: Mapping[str, Sequence[Place]], own: Sequence[str]) -> Iterator[Found]:
    streaming = _streaming(own)
    yield "every consumer and municipality reaches Kafka", [name for name in streaming if not _reaches(opened[name], "kafka")]
    services = [name for name in own if not name.startswith((TOWN, KEEPER))]
    yield "every service and its screens reach PostgreSQL", [name for name in services if not _reaches(opened[name], "postgres")]
    towns = [name for name in own if name.startswith(TOWN)]
    yield (
        "every municipality reaches both keepers",
        [f"{name}: {keeper}" for name in towns for keeper in ("keeper-a", "keeper-b") if not _reaches(opened[name], keeper)],
    )


def _closed(opened: Mapping[str, Sequence[Place]], own: Sequence[str]) -> Iterator[Found]:
    towns = [name for name in own if name.startswith(TOWN)]
    keepers = [name for name in own if name.startswith(KEEPER)]
    services = [name for name in own if name not in {*towns, *keepers}]
    screens = [name for name in own if name.startswith(SCREENS)]
    yield "no screens reach Kafka", [name for name in screens if _reaches(opened[name], "kafka")]
    yield "no municipality reaches PostgreSQL", [name for name in towns if _reaches(opened[name], "postgres")]
    yield (
        "no keeper reaches Kafka or PostgreSQL",
        [name for name in keepers if _reaches(opened[name], "kafka") or _reaches(opened[name], "postgres")],
    )
    yield (
        "no service reaches a keeper",
        [name for name in services if any(_reaches(opened[name], keeper) for keeper in ("keeper-a", "keeper-b"))],
    )


def _has_screens(name: str) -> bool:
    return name.startswith(SCREENS)


def _streaming(own: Sequence[str]) -> list[str]:
    return [name for name in own if not name.startswith((KEEPER, SCREENS))]


def _places(there: Mapping[str, Any], watched: Sequence[str]) -> list[Place]:
    ports: dict[str, Sequence[int]] = {
        "kafka": KAFKA_PORTS, "postgres": (POSTGRES_PORT,), "keeper-a": (KEEPER_PORT,), "keeper-b": (KEEPER_PORT,),
        **dict.fromkeys(watched, (METRICS_PORT,)), **dict.fromkeys(filter(_has_screens, there), (SCREENS_PORT,)),
    }  # fmt: skip
    return [
        (name, host, port)
        for name, numbers in ports.items()
        for host in (name, f"metrics.{name}", *_addresses(there[name]))
        for port in numbers
    ]


def _opened(region: Region, source: str, places: Sequence[Place]) -> list[Place]:
    said = region.inside(source, "python", "-c", TRY, text=json.dumps(places)).stdout
    return [(name, host, port) for name, host, port in json.loads(said)]


def _from_kafka(region: Region, there: Mapping[str, Any], watched: Sequence[str]) -> list[str]:
    ways = [(name, address) for name in watched for address in _addresses(there[name])]
    tries = "".join(f"(nc -z -w 4 {address} {METRICS_PORT} 2>/dev/null && echo {name}) & " for name, address in ways)
    return region.inside("kafka", "sh", "-c", f"{tries} wait").stdout.split()


def _reaches(opened: Sequence[Place], name: str) -> bool:
    return any(each[0] == name for each in opened)


def _addresses(container: Mapping[str, Any]) -> list[str]:
    return [each["IPAddress"] for each in container["NetworkSettings"]["Networks"].values() if each["IPAddress"]]


def _networks(container: Mapping[str, Any]) -> set[str]:
    return set(container["NetworkSettings"]["Networks"])


def _has_default_route(region: Region, name: str) -> bool:
    routes = region.inside(name, "cat", "/proc/net/route").stdout.splitlines()[1:]
    return any(line.split()[1] == "00000000" for line in routes)
