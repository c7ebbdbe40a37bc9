"""A process sees a change of the participants' register without a restart, and never takes over a bad one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from signal_exchange.privacy.register import Register, sign_register
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.runtime.settings import ProcessSettings
from signal_exchange.stream.identity import RegisterFile

REGION = SigningKey.generate("region-2026-1")


@pytest.fixture
def settings(tmp_path: Path) -> ProcessSettings:
    public = {"key_id": REGION.key_id, "public_key": REGION.public.raw.hex()}
    (tmp_path / "region-key.json").write_text(json.dumps(public), encoding="utf-8")
    write(tmp_path / "register.json", 5)
    register, region = tmp_path / "register.json", tmp_path / "region-key.json"
    return ProcessSettings(mode="demo", data_dir=tmp_path, register_file=register, region_key_file=region)


def write(file: Path, serial: int, key: SigningKey = REGION) -> None:
    fresh = file.with_name("fresh")
    fresh.write_bytes(sign_register(Register(serial), key))
    fresh.replace(file)


def test_a_newer_register_is_in_force_at_once(settings: ProcessSettings) -> None:
    current = RegisterFile(settings)
    assert current().serial == 5
    assert current() is current()
    write(settings.register_file, 6)
    assert current().serial == 6


@pytest.mark.parametrize("bad", ["older", "forged", "gone"])
def test_a_bad_register_is_told_and_the_one_before_stays_in_force(settings: ProcessSettings, bad: str) -> None:
    current = RegisterFile(settings)
    if bad == "gone":
        settings.register_file.unlink()
    else:
        write(settings.register_file, 4 if bad == "older" else 9, REGION if bad == "older" else SigningKey.generate("other"))
    with capture_logs() as logged:
        assert current().serial == 5
        assert current().serial == 5
    assert [entry["event"] for entry in logged] == ["register_refused"]
    write(settings.register_file, 7)
    assert current().serial == 7
