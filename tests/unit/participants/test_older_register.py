"""Every process of the exchange refuses an older register at its start, by what its own store has seen (R-VAL-02)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from nodes import NOW, VENLO, settings_in

from signal_exchange.cli.declaring import part_of
from signal_exchange.cli.main import SERVICES
from signal_exchange.contracts.topics import CONSUMERS, municipality_principal
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.node import node_of
from signal_exchange.participants.region import KEEPERS, Region, init_region
from signal_exchange.privacy.register import load_register, sign_register
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.pseudonyms.composition import keeper_of
from signal_exchange.runtime.settings import KeeperSettings, MunicipalitySettings

NODE = municipality_principal(VENLO)


def start(region: Region, name: str) -> object:
    """Put a process together as its start does, with the folder that it had before."""
    given = settings_in(region.environment(name, "127.0.0.1:1"))
    if name == NODE:
        return node_of(MunicipalitySettings(**given))
    if name in KEEPERS:
        return keeper_of(KeeperSettings(**given))
    return part_of(SERVICES[name].spec)(part_of(SERVICES[name].settings)(**given))


def sign(region: Region, serial: int) -> None:
    """Let the region sign its register under another serial."""
    file, secret = region.folder / "register.json", region.folder / "region-secret.json"
    key = SigningKey.from_mapping(json.loads(secret.read_text(encoding="utf-8")))
    file.write_bytes(sign_register(replace(load_register(file.read_bytes(), key.public), serial=serial), key))


@pytest.mark.parametrize("name", [*CONSUMERS, NODE, *KEEPERS])
def test_a_process_that_saw_a_newer_register_does_not_start_with_an_older_one(tmp_path: Path, name: str) -> None:
    region = init_region(tmp_path / "region", [VENLO], NOW.date())
    sign(region, 5)
    start(region, name)
    sign(region, 4)
    with pytest.raises(RefusedError, match=r"^REGISTER_REFUSED .* serial=4 seen=5$"):
        start(region, name)
    sign(region, 6)
    start(region, name)
