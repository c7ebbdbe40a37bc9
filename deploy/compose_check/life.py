"""What a region lives through: a first start that breaks off, its first signals, a process that ends, Kafka away, down and up."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from region import ROOT, Region, run, until

from signal_exchange.contracts.topics import CONSUMERS  # the standard library is all that this needs

Found = tuple[str, list[str]]
EXAMPLES = ROOT / "services" / "signal_exchange" / "reference" / "data" / "examples" / "inside"
SERVICES = set(CONSUMERS)
TARGETS = len(SERVICES) + 6
"""The services and the six municipalities."""
SCREENS = ("web-worklist", "web-worklist-youth")
OUTAGE_SECONDS = 30
TRIES = 5
DATA = "/var/lib/postgresql/data"
END_OWN_PROCESS = """
import os, pathlib, signal
for each in pathlib.Path("/proc").iterdir():
    if each.name.isdigit() and int(each.name) not in (1, os.getpid()):
        os.kill(int(each.name), signal.SIGKILL)
"""


def first_start(region: Region) -> Iterator[Found]:
    """Break off the first start twice, in the middle of PostgreSQL's own making and in the middle of the databases."""
    half = _broken_while_made(region)
    yield "PostgreSQL killed while it is made leaves nothing that looks whole", [] if half else ["it was never caught half made"]
    some = _killed_at(region, "databases", "CREATE DATABASE")
    yield "PostgreSQL killed while the databases are made", [] if some else ["no database was being made"]


def mended(region: Region) -> Iterator[Found]:
    """Start everything after that, by the ordinary command."""
    began = time.monotonic()
    region.up()
    yield f"the next start mends it: all is healthy after {time.monotonic() - began:.0f} s", region.unwell()
    asked = region.compose("run", "--rm", "databases", "--tuples-only", "--no-align", "--command=SELECT datname FROM pg_database")
    yield "every service has its database", sorted(SERVICES - set(asked.stdout.split()))


def signals(region: Region) -> Iterator[Found]:
    """Publish the six examples from their municipalities, and see them arrive."""
    said = {code: _publish(region, code, records) for code, records in _by_municipality().items()}
    yield (
        "the six examples are published",
        [f"{code}: {each.stdout}{each.stderr}" for code, each in said.items() if each.returncode],
    )
    yield "the worklist has an administrator and a coordinator", region.give_people("worklist", "CARE_COORDINATOR")
    referrals = until(lambda: len(region.listed("worklist", "worklist", "list")) >= 3, 180)  # noqa: PLR2004 - of the six
    yield "referrals stand on the worklist", [] if referrals else ["fewer than 3"]
    yield "items stand on the agenda", [] if until(lambda: region.listed("agenda", "agenda", "list")) else ["none"]
    yield "the ledger is balanced", _unbalanced(region, at_least=6)


def screens(region: Region) -> Iterator[Found]:
    """Ask the screens where they are published, as a browser that trusts the region's authority, also without their consumer."""
    yield "screens answer on loopback, with TLS", _silent(region)
    region.compose("stop", "worklist")
    yield "and while a consumer is stopped", _silent(region)
    region.compose("start", "worklist")


def _silent(region: Region) -> list[str]:
    trusted = ssl.create_default_context(cadata=region.inside(SCREENS[0], "cat", "/run/public/ca.pem").stdout)
    return [name for name in SCREENS if _answer(region.address(name, 8443), trusted) >= HTTPStatus.INTERNAL_SERVER_ERROR]


def _answer(address: str, trusted: ssl.SSLContext) -> int:
    asked = http.client.HTTPSConnection(address, timeout=10, context=trusted)
    asked.request("GET", "/aanmelden")
    return asked.getresponse().status


def prometheus(region: Region) -> Iterator[Found]:
    """Ask Prometheus where it is published."""
    down = until(lambda: _down(region) == [], 120)
    yield "Prometheus reaches every process", [] if down else _down(region)
    rules = [rule for group in _asked(region, "rules")["groups"] for rule in group["rules"]]
    yield (
        f"all {len(rules)} rules evaluate",
        [each["name"] for each in rules if each["health"] != "ok"] if rules else ["no rules"],
    )
    alerts = _asked(region, "alerts")["alerts"]
    yield "no alarm fires", [str(each["labels"]) for each in alerts if each["state"] == "firing"]


def ended(region: Region) -> Iterator[Found]:
    """End a process from inside, as one that stands still ends itself."""
    before = region.containers()["routing"]["RestartCount"]
    region.inside("routing", "python", "-c", END_OWN_PROCESS, must=False)
    again = until(lambda: region.containers()["routing"]["RestartCount"] > before, 60)
    yield "a process that ends is started again", [] if again else ["it was not"]
    yield "and is healthy again", [] if until(lambda: not region.unwell(), 240) else region.unwell()


def outage(region: Region) -> Iterator[Found]:
    """Kill Kafka and leave it away for a while."""
    counted = region.ledger()["numbers"]["routed"]
    region.compose("kill", "kafka")
    began = time.monotonic()
    said = _publish(region, *_another())
    yield "publishing goes on while Kafka is away", [] if said.returncode == 0 else [said.stdout + said.stderr]
    time.sleep(max(0.0, OUTAGE_SECONDS - (time.monotonic() - began)))
    region.compose("start", "kafka")
    yield (
        f"all is healthy after Kafka was away for {OUTAGE_SECONDS} s",
        [] if until(lambda: not region.unwell(), 300) else region.unwell(),
    )
    yield "and what was published meanwhile arrives", _unbalanced(region, at_least=counted + 1)


def down_and_up(region: Region) -> Iterator[Found]:
    """Take everything down and start it again with what it kept."""
    before = _kept(region)
    region.down()
    began = time.monotonic()
    region.up()
    yield f"down and up: all is healthy after {time.monotonic() - began:.0f} s", region.unwell()
    same = until(lambda: _kept(region) == before, 120)
    yield f"worklist, agenda and ledger are the same: {before}", [] if same else [str(_kept(region))]


def leaves_nothing(region: Region) -> Iterator[Found]:
    """Remove everything."""
    region.down(volumes=True)
    label = ("--filter", f"label=com.docker.compose.project={region.command[3]}", "--quiet")
    kinds = ("ps", "--all"), ("volume", "ls"), ("network", "ls")
    left = {kind[0]: run(("docker", *kind, *label)).stdout.split() for kind in kinds}
    yield "down --volumes removes everything", [f"{kind}: {each}" for kind, ids in left.items() for each in ids]


def _broken_while_made(region: Region) -> bool:
    for _ in range(TRIES):
        _killed_at(region, "postgres", "creating subdirectories")
        seen = region.compose("run", "--rm", "--no-deps", "--entrypoint", "ls", "postgres", DATA).stdout.split()
        if "exchange" not in seen and "exchange.half" in seen:
            return True
        region.down(volumes=True)
    return False


def _killed_at(region: Region, service: str, said: str) -> bool:
    """Start a service in the foreground, and kill PostgreSQL at the first line that says so; tell whether it came."""
    command = (*region.command, "up", "--no-build", "--no-color", "--attach", service, service)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        came = any(said in line for line in process.stdout or ())
        run(("docker", "kill", region.name_of("postgres")), must=False)
        process.terminate()
        process.communicate()
    return came


def _by_municipality() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(EXAMPLES.glob("*.json")):
        record = json.loads(file.read_text(encoding="utf-8"))
        found.setdefault(record["municipality"], []).append(record)
    return found


def _another() -> tuple[str, list[dict[str, Any]]]:
    code, (record, *_) = next(iter(_by_municipality().items()))
    return code, [{**record, "local_ref": f"{record['local_ref']}-{int(time.time())}"}]


def _publish(region: Region, code: str, records: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    lines = "".join(json.dumps(each) + "\n" for each in records)
    return region.product(f"municipality-{code.lower()}", "publish", "-", text=lines)


def _unbalanced(region: Region, *, at_least: int) -> list[str]:
    def balanced() -> bool:
        found = region.ledger()
        return found.get("conserved") is True and found["numbers"]["routed"] >= at_least

    return [] if until(balanced, 240) else [json.dumps(region.ledger())]


def _kept(region: Region) -> tuple[int, int, Any]:
    rows = len(region.listed("worklist", "worklist", "list")), len(region.listed("agenda", "agenda", "list"))
    return (*rows, region.ledger().get("numbers", {}).get("routed"))


def _asked(region: Region, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{region.address('prometheus', 9090)}/api/v1/{path}", timeout=10) as answer:
        return dict(json.load(answer)["data"])


def _down(region: Region) -> list[str]:
    targets = _asked(region, "targets")["activeTargets"]
    bad = [each["labels"]["process"] for each in targets if each["health"] != "up"]
    return bad if len(targets) == TARGETS else [*bad, f"{len(targets)} targets"]
