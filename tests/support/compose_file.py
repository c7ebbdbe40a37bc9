"""The services of docker-compose.yml as values, for tests that hold them against the code."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
OWN_IMAGE = "signal-exchange"
MAKERS = ("founding", "catalogue")
"""Services of our own image that make the region and end."""
ONE_SHOTS = (*MAKERS, "databases")
"""Every service that makes something and ends."""
METRICS = "SIGNAL_EXCHANGE_METRICS_LISTEN"


@cache
def compose() -> Mapping[str, Any]:
    """Return the whole file, with its anchors filled in."""
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def services() -> Mapping[str, Mapping[str, Any]]:
    """Return every service by its name."""
    return dict(compose()["services"])


def processes() -> dict[str, Mapping[str, Any]]:
    """Return the services that run one of ours: `signal-exchange run ...` or `signal-exchange web ...`."""
    own = {name: each for name, each in services().items() if each["image"].partition(":")[0] == OWN_IMAGE}
    return {name: each for name, each in own.items() if name not in MAKERS}


def screens() -> dict[str, Mapping[str, Any]]:
    """Return the services that serve screens."""
    return {name: each for name, each in processes().items() if each["command"][0] == "web"}


def members(file: Mapping[str, Any], network: str) -> set[str]:
    """Return who stands on a network."""
    return {name for name, service in file["services"].items() if network in service.get("networks", ())}


def networks_with_alias(service: Mapping[str, Any], alias: str) -> list[str]:
    """Return the networks on which a service has this other name."""
    networks = service.get("networks", {})
    return [name for name, there in networks.items() if alias in there.get("aliases", ())] if isinstance(networks, dict) else []


def environment_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Return what a container of this service finds in its environment."""
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def mounts_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands at each mounted place: a volume with its folder, or a file of the checkout."""
    return {
        mount["target"]: "/".join(filter(None, (mount["source"], mount.get("volume", {}).get("subpath"))))
        for mount in service.get("volumes", ())
    }
