"""Every process of the exchange refuses an older register at its start, by what its own store has seen (R-VAL-02)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nodes import NOW, VENLO, settings_in
from signal_exchange.agenda.composition import consumer_spec as agenda
from signal_exchange.contracts.topics import CONSUMERS, municipality_principal
from signal_exchange.demo.founding import KEEPERS, Region, found
from signal_exchange.feedback.composition import consumer_spec as feedback
from signal_exchange.linking.composition import consumer_spec as linking
from signal_exchange.municipality.node import node_of
from signal_exchange.oversight.composition import consumer_spec as oversight
from signal_exchange.privacy.register import load_register, sign_register
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.pseudonyms.commands import keeper_of
from signal_exchange.routing.composition import consumer_spec as routing
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.settings import KeeperSettings, MunicipalitySettings, RoutingSettings, ServiceSettings
from signal_exchange.statistics.composition import consumer_spec as statistics
from signal_exchange.worklist.composition import consumer_spec as worklist

NODE = municipality_principal(VENLO)
SERVICES: dict[str, Callable[[ServiceSettings], object]] = {
    "agenda": agenda,
    "feedback": feedback,
    "linking": linking,
    "oversight": oversight,
    "statistics": statistics,
    "worklist": lambda settings: worklist("worklist", settings),
    "worklist-youth": lambda settings: worklist("worklist-youth", settings),
}


def start(region: Region, name: str) -> object:
    """Put a process together as its start does, with the folder that it had before."""
    given = settings_in(region.environment(name, "127.0.0.1:1"))
    if name == NODE:
        return node_of(MunicipalitySettings(**given))
    if name in KEEPERS:
        return keeper_of(KeeperSettings(**given))
    return routing(RoutingSettings(**given)) if name == "routing" else SERVICES[name](ServiceSettings(**given))


def sign(region: Region, serial: int) -> None:
    """Let the region sign its register under another serial."""
    file, secret = region.folder / "register.json", region.folder / "region-secret.json"
    key = SigningKey.from_mapping(json.loads(secret.read_text(encoding="utf-8")))
    file.write_bytes(sign_register(replace(load_register(file.read_bytes(), key.public), serial=serial), key))


@pytest.mark.parametrize("name", [*CONSUMERS, NODE, *KEEPERS])
def test_a_process_that_saw_a_newer_register_does_not_start_with_an_older_one(tmp_path: Path, name: str) -> None:
    region = found(tmp_path / "region", [VENLO], NOW.date())
    sign(region, 5)
    start(region, name)
    sign(region, 4)
    with pytest.raises(Refused, match="serial 4, and one with 5 was seen"):
        start(region, name)
    sign(region, 6)
    start(region, name)
