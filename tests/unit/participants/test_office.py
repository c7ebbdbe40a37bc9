"""The region's office signs what it saw and agreed to, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import click
import pytest
from refusing import refused
from typer.testing import CliRunner

from signal_exchange.domain.ids import parse_municipality_code
from signal_exchange.participants import actions
from signal_exchange.participants.actions import RegionOffice
from signal_exchange.participants.changing import joined, left
from signal_exchange.participants.commands import agree, app
from signal_exchange.participants.requests import new_keys, read_request, request_text
from signal_exchange.privacy.register import Register, load_register, sign_register
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.reference.loading import load_members
from signal_exchange.runtime.connection import KafkaConnection

CODE = parse_municipality_code("GM0907")
DAY, AT = date(2026, 11, 20), datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
REGION = SigningKey.generate("region-1")


@pytest.fixture
def office(tmp_path: Path) -> RegionOffice:
    register, secret = tmp_path / "register.json", tmp_path / "secret.json"
    register.write_bytes(sign_register(Register(1), REGION))
    secret.write_text(json.dumps(REGION.to_mapping()), encoding="utf-8")
    return RegionOffice(register, secret, KafkaConnection("127.0.0.1:1", "admin", "synthetic"), lambda: AT)


def joining(before: Register) -> Register:
    asked = read_request(REQUEST)
    return joined(before, asked, load_members().get(CODE), DAY, AT)


REQUEST = request_text(CODE, *new_keys(CODE, "2026-1"), None)


def standing(office: RegionOffice) -> Register:
    return load_register(office.register_file.read_bytes(), REGION.public)


def test_what_the_office_does_not_agree_to_is_not_signed(office: RegionOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    before = office.register_file.read_bytes()
    monkeypatch.setattr("typer.confirm", _refuse)
    with pytest.raises(click.Abort):
        agree(office.propose(joining), yes=False)
    assert office.register_file.read_bytes() == before


def _refuse(*_: object, **__: object) -> None:
    raise click.Abort


def test_what_changed_meanwhile_is_not_signed(office: RegionOffice) -> None:
    agreed = agree(office.propose(joining), yes=True)
    other = office.sign(agree(office.propose(joining), yes=True))
    with refused("changed meanwhile", "en"):
        office.sign(agreed)
    assert standing(office) == other


def test_it_is_shown_before_it_is_signed_also_with_yes(office: RegionOffice, capsys: pytest.CaptureFixture[str]) -> None:
    agreed = agree(office.propose(joining), yes=True)
    assert f"{CODE}: tekensleutel gm0907-2026-1 komt erbij" in capsys.readouterr().err
    assert standing(office).serial == 1
    assert office.sign(agreed).serial == 2


def test_nothing_to_change_asks_nothing_and_signs_nothing(office: RegionOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office.sign(agree(office.propose(joining), yes=True))
    before = office.register_file.read_bytes()
    monkeypatch.setattr("typer.confirm", _refuse)
    assert office.sign(agree(office.propose(joining), yes=False)).serial == 2
    assert office.register_file.read_bytes() == before


def test_a_command_without_anybody_to_ask_changes_nothing(office: RegionOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office.sign(agree(office.propose(joining), yes=True))
    monkeypatch.setattr(actions, "listens", lambda _connection: None)
    (office.register_file.parent / "password").write_text("synthetic", encoding="utf-8")
    where = ["--register", str(office.register_file), "--region-secret", str(office.secret_file), "--bootstrap", "127.0.0.1:1"]
    words = ["revoke", "gm0907-2026-1", *where, "--admin-password-file", str(office.register_file.parent / "password")]
    said = CliRunner().invoke(app, words)
    assert (said.exit_code, standing(office).serial) == (1, 2)
    said = CliRunner().invoke(app, [*words, "--yes", "--json"])
    assert (said.exit_code, standing(office).serial) == (0, 3), said.output
    assert standing(office).signing_key("gm0907-2026-1", datetime(2027, 1, 1, tzinfo=UTC)) is None


def test_leaving_twice_is_once(office: RegionOffice) -> None:
    office.sign(agree(office.propose(joining), yes=True))
    for _ in range(2):
        assert office.sign(agree(office.propose(lambda before: left(before, CODE, DAY)), yes=True)).serial == 3
