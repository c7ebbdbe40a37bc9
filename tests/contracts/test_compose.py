"""docker-compose.yml by itself: valid, pinned, hardened, on loopback, without a secret, and each container sees its own only."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from compose_file import MAKERS, METRICS, ONE_SHOTS, ROOT, compose, members, mounts_of, networks_with_alias
from jsonschema import Draft202012Validator

SCHEMA = json.loads((ROOT / "tests" / "data" / "compose.schema.json").read_text(encoding="utf-8"))
Compose = Mapping[str, Any]


# Each check returns what is wrong with a compose file; the tests below show that each of them finds something in a worse one.


def misses_the_schema(file: Compose) -> Iterator[str]:
    for fault in Draft202012Validator(SCHEMA).iter_errors(dict(file)):
        yield f"{'/'.join(map(str, fault.path))}: {fault.message}"


def is_not_hardened(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        user = str(service.get("user", "0")).partition(":")[0]
        wanted = {
            "user": user.isdigit() and int(user) > 0,
            "read_only": service.get("read_only") is True,
            "cap_drop": service.get("cap_drop") == ["ALL"],
            "security_opt": "no-new-privileges:true" in service.get("security_opt", ()),
            "pids_limit": 0 < service.get("pids_limit", 0) <= 1024,
        }
        yield from (f"{name}: {part}" for part, good in wanted.items() if not good)
        yield from (f"{name}: {part}" for part in ("privileged", "cap_add", "devices", "pid", "ipc") if part in service)


def publishes_beyond_loopback(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        yield from (f"{name}: {port}" for port in service.get("ports", ()) if not str(port).startswith("127.0.0.1:"))
        if service.get("network_mode", "none") != "none":
            yield f"{name}: network_mode"


def is_not_pinned(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        _, _, tag = service["image"].partition(":")
        if not re.match(r"v?\d+\.\d+", tag):
            yield f"{name}: {service['image']}"


def holds_a_secret(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        for variable, value in service.get("environment", {}).items():
            named = re.search(r"PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL", variable)
            if named and not (variable.endswith("_FILE") and str(value).startswith("/run/")):
                yield f"{name}: {variable}"
            if re.search(r"//[^/@]*:[^/@]*@", str(value)):
                yield f"{name}: {variable} holds a password"
    for word in re.findall(r"[A-Za-z0-9+/_-]{24,}", json.dumps(file["services"])):
        if re.search(r"\d", word) and re.search(r"[a-z]", word) and re.search(r"[A-Z]", word) and "/" not in word:
            yield f"a word that looks like a secret: {word[:4]}..."


def has_a_way_out(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        for network in service.get("networks", ()):
            if not file["networks"][network].get("internal") and "ports" not in service:
                yield f"{name}: {network}"
        if "networks" not in service and service.get("network_mode") != "none":
            yield f"{name}: the default network"


def sees_what_is_not_its_own(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        for target, place in mounts_of(service).items():
            writable = not next(each for each in service["volumes"] if each["target"] == target).get("read_only")
            own = {f"region/{name}", "region/public"} if name not in MAKERS else {"region"}
            if place.partition("/")[0] == "region" and (place not in own or (writable and name != "founding")):
                yield f"{name}: {place}"
            if writable and place not in {f"{name}-data", "region"}:
                yield f"{name}: {place} is writable"


def shows_its_metrics_to_others(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        listens = service.get("environment", {}).get(METRICS)
        own = networks_with_alias(service, listens) if listens else []
        if listens and (len(own) != 1 or members(file, own[0]) != {name, "prometheus"}):
            yield f"{name}: {listens}"


def meets_others_where_it_is_published(file: Compose) -> Iterator[str]:
    for network, told in file["networks"].items():
        if not told.get("internal") and len(members(file, network)) != 1:
            yield f"{network}: {sorted(members(file, network))}"


MEGABYTES = {"kafka": 1024, "postgres": 512, "municipality": 512}
"""Most that each may take, by the first word of its name; every other 256."""


def takes_all_memory(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        number, unit = re.fullmatch(r"(\d+)([mg])", service.get("mem_limit", "0m")).groups()  # type: ignore[union-attr]
        megabytes = int(number) * (1024 if unit == "g" else 1)
        if not 0 < megabytes <= MEGABYTES.get(name.partition("-")[0], 256):
            yield f"{name}: {service.get('mem_limit')}"


def stays_down(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        if service.get("restart") != (None if name in ONE_SHOTS else "unless-stopped"):
            yield f"{name}: {service.get('restart')}"


DECLARED_VOLUMES = {
    "apache/kafka": {"/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"},
    "postgres": {"/var/lib/postgresql/data"},
    "prom/prometheus": {"/prometheus"},
}
"""What the images of others declare as volumes: where nothing is mounted, each start leaves one behind that has no name."""


def leaves_volumes_behind(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        covered = {each.partition(":")[0] for each in service.get("tmpfs", ())} | set(mounts_of(service))
        left = DECLARED_VOLUMES.get(service["image"].partition(":")[0], set()) - covered
        yield from (f"{name}: {place}" for place in sorted(left))


def looks_too_often_or_too_late(file: Compose) -> Iterator[str]:
    for name, service in file["services"].items():
        if name in ONE_SHOTS:
            continue
        check = service.get("healthcheck", {})
        if (check.get("interval"), check.get("start_interval")) != ("30s", "5s") or "start_period" not in check:
            yield f"{name}: {check}"


CHECKS = (
    misses_the_schema,
    is_not_hardened,
    publishes_beyond_loopback,
    is_not_pinned,
    holds_a_secret,
    has_a_way_out,
    sees_what_is_not_its_own,
    shows_its_metrics_to_others,
    meets_others_where_it_is_published,
    takes_all_memory,
    stays_down,
    leaves_volumes_behind,
    looks_too_often_or_too_late,
)


@pytest.mark.parametrize("check", CHECKS)
def test_the_compose_file_is_as_it_should_be(check: Callable[[Compose], Iterator[str]]) -> None:
    assert list(check(compose())) == []


def worse(service: str, part: str, value: object) -> Compose:
    file = copy.deepcopy(dict(compose()))
    if value is None:
        del file["services"][service][part]
    else:
        file["services"][service][part] = value
    return file


LOOKS = {"interval": "10s", "start_interval": "5s", "start_period": "60s"}
REGION = {"type": "volume", "source": "region", "target": "/run/region"}


@pytest.mark.parametrize(
    ("check", "service", "part", "value"),
    [
        pytest.param(misses_the_schema, "routing", "read_onyl", True, id="misspelt"),
        pytest.param(misses_the_schema, "kafka", "healthcheck", {"test": ["curl"]}, id="health check of another form"),
        pytest.param(is_not_hardened, "kafka", "user", "0:0", id="root"),
        pytest.param(is_not_hardened, "kafka", "user", None, id="the image's own user"),
        pytest.param(is_not_hardened, "agenda", "read_only", None, id="writable root"),
        pytest.param(is_not_hardened, "agenda", "cap_drop", ["NET_RAW"], id="capabilities"),
        pytest.param(is_not_hardened, "postgres", "security_opt", [], id="new privileges"),
        pytest.param(is_not_hardened, "postgres", "privileged", True, id="privileged"),
        pytest.param(publishes_beyond_loopback, "kafka", "ports", ["9094:9094"], id="every address"),
        pytest.param(publishes_beyond_loopback, "kafka", "ports", ["0.0.0.0:9094:9094"], id="every address by name"),
        pytest.param(publishes_beyond_loopback, "agenda", "network_mode", "host", id="the host's network"),
        pytest.param(is_not_pinned, "kafka", "image", "apache/kafka:latest", id="latest"),
        pytest.param(is_not_pinned, "kafka", "image", "apache/kafka", id="no tag"),
        pytest.param(holds_a_secret, "postgres", "environment", {"POSTGRES_PASSWORD": "x"}, id="password"),
        pytest.param(holds_a_secret, "agenda", "environment", {"A_URL": "postgresql://me:x@postgres/agenda"}, id="in an address"),
        pytest.param(holds_a_secret, "agenda", "environment", {"A": "bJ8vTcxNcS3N94mfbMZZVq2pPhb4"}, id="looks like one"),
        pytest.param(has_a_way_out, "agenda", "networks", ["published-kafka"], id="network with a way out"),
        pytest.param(has_a_way_out, "agenda", "networks", None, id="default network"),
        pytest.param(sees_what_is_not_its_own, "agenda", "volumes", [{**REGION, "read_only": True}], id="every secret"),
        pytest.param(
            sees_what_is_not_its_own,
            "agenda",
            "volumes",
            [{**REGION, "read_only": True, "volume": {"subpath": "worklist"}}],
            id="another's secret",
        ),
        pytest.param(
            sees_what_is_not_its_own, "agenda", "volumes", [{**REGION, "volume": {"subpath": "agenda"}}], id="writable secret"
        ),
        pytest.param(shows_its_metrics_to_others, "agenda", "environment", {METRICS: "stream"}, id="metrics on a network of all"),
        pytest.param(shows_its_metrics_to_others, "agenda", "networks", {"store": {"aliases": ["metrics.agenda"]}}, id="to all"),
        pytest.param(shows_its_metrics_to_others, "keeper-a", "networks", {"watch-agenda": {}}, id="another sees metrics"),
        pytest.param(
            meets_others_where_it_is_published, "prometheus", "networks", ["published-kafka"], id="Prometheus meets Kafka"
        ),
        pytest.param(takes_all_memory, "agenda", "mem_limit", None, id="no bound"),
        pytest.param(takes_all_memory, "agenda", "mem_limit", "2g", id="a high bound"),
        pytest.param(stays_down, "agenda", "restart", "on-failure", id="stays down after an orderly end"),
        pytest.param(stays_down, "databases", "restart", "unless-stopped", id="makes for ever"),
        pytest.param(leaves_volumes_behind, "databases", "tmpfs", None, id="a volume of a one-shot without a name"),
        pytest.param(leaves_volumes_behind, "kafka", "tmpfs", ["/tmp:size=1m"], id="volumes without a name"),
        pytest.param(looks_too_often_or_too_late, "agenda", "healthcheck", LOOKS, id="looks every 10 s"),
        pytest.param(looks_too_often_or_too_late, "agenda", "healthcheck", None, id="looks never"),
    ],
)
def test_a_worse_file_would_be_noticed(check: Callable[[Compose], Iterator[str]], service: str, part: str, value: object) -> None:
    assert list(check(worse(service, part, value)))
