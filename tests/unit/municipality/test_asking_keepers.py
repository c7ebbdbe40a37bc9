from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nodes import NOW, VENLO, Clock, ObedientKeepers, Town, a_town, example, lines_of, served, settings_in, settings_of

from signal_exchange.domain.links.epochs import epoch_of
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.municipality.actions import MunicipalityActions
from signal_exchange.municipality.node import node_of, read_vault_key
from signal_exchange.municipality.publishing.field_warnings import tokens_pending
from signal_exchange.municipality.publishing.keepers import REST_SECONDS, RestingTokens, read_bearers
from signal_exchange.municipality.publishing.submissions import Outcome
from signal_exchange.participants.kafka_files import free_ports
from signal_exchange.participants.region import KEEPERS, Region, init_region
from signal_exchange.privacy.certificates import Authority
from signal_exchange.privacy.keeper_client import NoTokens, Reason
from signal_exchange.privacy.normalising import LinkValue, link_values
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.sealing import decode_tokens
from signal_exchange.pseudonyms.api import create_app
from signal_exchange.pseudonyms.composition import keeper_of
from signal_exchange.pseudonyms.store import TABLES
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.private_files import require_private, write_private
from signal_exchange.runtime.settings import PREFIX, KeeperSettings
from signal_exchange.stream.identity import Keys

VALUES = [[LinkValue("subject:s1", "PHONE", "+31612345678")], []]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return a_town(tmp_path_factory.mktemp("town"))


def a_keeper(town: Town, name: str) -> Any:
    settings = KeeperSettings(**settings_in(town.region.environment(name, "127.0.0.1:1")))
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    Database(settings.database(f"keeper-{settings.keeper}"), TABLES).create_tables()
    return create_app(keeper_of(settings))


def test_two_municipal_records_that_name_one_thing_get_one_token_from_the_real_keepers(town: Town) -> None:
    tip = example("06_anonymous_tip", municipality=VENLO)
    with (
        served((a_keeper(town, name), town.region.ports[name]) for name in KEEPERS),
        MunicipalityActions(town.node, town.clock) as actions,
    ):
        results = list(actions.publish(lines_of(example(), tip), changes=True))
    assert [(each.outcome, each.warnings) for each in results] == [(Outcome.PUBLISHED, ()), (Outcome.PUBLISHED, ())]
    town.relay().send_all()
    opened = [
        decode_tokens(town.opened("linking", sent["sealed"][-1], f"{sent['signal']['signal_id']}.1"))
        for sent in town.broker.records()
    ]
    plates = [[token.token for token in tokens if token.type == "PLATE"] for tokens in opened]
    assert plates[0] == plates[1]
    assert {token.epoch for tokens in opened for token in tokens} == {"2026H2"}
    assert [len(tokens) for tokens in opened] == [len(link_values(example())), len(link_values(tip))]


def test_a_keeper_that_is_not_there_is_a_reason_and_no_failure(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with MunicipalityActions(town.node, town.clock) as actions:
        (result,) = actions.publish(lines_of(example()), changes=True)
    assert (result.outcome, result.warnings) == (Outcome.PUBLISHED, (tokens_pending(Reason.UNREACHABLE),))


def test_after_a_refusal_the_keepers_rest_and_a_long_file_does_not_wait_for_them() -> None:
    clock, real = Clock(), ObedientKeepers(NoTokens(Reason.TIMEOUT, "keeper-a"))
    resting = RestingTokens(real, clock)
    assert resting.tokens_for_many(VALUES, epoch="2026H2") == [real.refusal, ()]
    assert resting.tokens_for_many(VALUES, epoch="2026H2") == [real.refusal, ()]
    assert len(real.asked) == 1
    clock.pass_seconds(REST_SECONDS)
    real.refusal = None
    (made, nothing) = resting.tokens_for_many(VALUES, epoch="2026H2")
    assert not isinstance(made, NoTokens)
    assert len(made) == 1
    assert nothing == ()


def test_the_bearer_tokens_stand_in_a_private_file_per_keeper(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(json.dumps({"keeper-a": "x"}), encoding="utf-8")
    file.chmod(0o640)
    with pytest.raises(RefusedError, match=r"^FILE_OPEN_TO_OTHERS"):
        read_bearers(file)
    file.chmod(0o600)
    assert read_bearers(file) == {"keeper-a": "x"}
    assert read_bearers(None) == {}
    for content in ("secret", "[]", '{"a"'):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(RefusedError) as refusal:
            read_bearers(file)
        assert "secret" not in str(refusal.value)


def test_a_register_without_two_keepers_is_refused_at_the_start(town: Town) -> None:
    register = Register(1, town.node.identity.register.municipalities, town.node.identity.register.sealing_keys)
    node = replace(town.node, identity=replace(town.node.identity, current_register=lambda: register))
    with pytest.raises(RefusedError, match="REGISTER_WITHOUT_TWO_KEEPERS"), node.keepers():
        pass


def test_a_signing_key_of_another_municipality_sends_nothing(tmp_path: Path) -> None:
    region = init_region(tmp_path / "region", [VENLO, "GM0988"], NOW.date())
    theirs = settings_of(region, "GM0988").keys_file
    node = node_of(settings_of(region, VENLO, keys_file=theirs))
    with pytest.raises(RefusedError, match="SIGNING_KEY_NOT_REGISTERED"):
        node.relay()


def test_a_signing_key_that_the_register_does_not_know_sends_nothing(town: Town, tmp_path: Path) -> None:
    other = a_town(tmp_path)
    none = Keys(town.node.identity.keys.sealing)
    strange = replace(town.node, identity=replace(town.node.identity, current_keys=other.node.identity.current_keys))
    without = replace(town.node, identity=replace(town.node.identity, current_keys=lambda: none))
    for node in (strange, without):
        with pytest.raises(RefusedError, match="SIGNING_KEY_NOT_REGISTERED"):
            node.relay()


@pytest.mark.parametrize("content", ["", "zz" * 32, "00" * 31])
def test_a_vault_key_that_is_none_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    town = a_town(tmp_path)
    town.node.settings.vault_key_file.write_text(content, encoding="utf-8")
    with pytest.raises(RefusedError) as refusal:
        node_of(town.node.settings)
    assert not content or content not in str(refusal.value)


def test_a_vault_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    town.node.settings.vault_key_file.chmod(0o644)
    with pytest.raises(RefusedError, match=r"^FILE_OPEN_TO_OTHERS"):
        read_vault_key(town.node.settings)
    town.node.settings.vault_key_file.chmod(0o600)
    require_private(town.node.settings.vault_key_file)


@contextmanager
def keepers_with_tls(region: Region, authority: Authority) -> Iterator[None]:
    """Run both keepers as processes that speak TLS themselves, in production mode."""
    children = []
    for name in KEEPERS:
        file = region.process_folder(name) / "certificate.pem"
        shown = authority.issue(["127.0.0.1"])
        write_private(file, (shown.key + shown.certificate).decode())
        own = {f"{PREFIX}MODE": "production", f"{PREFIX}CERTIFICATE_FILE": str(file)}
        environment = {**os.environ, **region.environment(name, "127.0.0.1:1"), **own}
        children.append(subprocess.Popen([sys.executable, "-m", "signal_exchange.cli.main", "run", "keeper"], env=environment))
    try:
        for name in KEEPERS:
            _await_port(region.ports[name])
        yield
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(60)


def _await_port(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("the keeper does not listen")


def test_keepers_speak_tls_and_a_node_trusts_the_authority_that_it_was_given_and_no_other(tmp_path: Path) -> None:
    ports = dict(zip(KEEPERS, free_ports(), strict=False))
    urls = {name: f"https://127.0.0.1:{port}" for name, port in ports.items()}
    region = init_region(tmp_path / "region", [VENLO], NOW.date(), urls)
    region = replace(region, ports={**region.ports, **ports})
    right, wrong = (Authority.found(name, clock.now()) for name in ("right", "wrong"))
    (tmp_path / "right.pem").write_bytes(right.pem)
    (tmp_path / "wrong.pem").write_bytes(wrong.pem)
    values = [[LinkValue("subject:s1", "PHONE", "+31612345678")]]
    with keepers_with_tls(region, right):
        for file, given in (("right.pem", True), ("wrong.pem", False)):
            node = node_of(settings_of(region, VENLO, keeper_ca_file=tmp_path / file))
            with node.keepers() as tokens:
                [answer] = tokens.tokens_for_many(values, epoch=epoch_of(local_day(clock.now())))
            assert isinstance(answer, tuple) == given


def test_a_node_in_production_does_not_start_with_a_keeper_in_plain_text_elsewhere(tmp_path: Path) -> None:
    urls = {name: f"http://{name}.example:8080" for name in KEEPERS}
    region = init_region(tmp_path / "region", [VENLO], NOW.date(), urls)
    with (
        pytest.raises(RefusedError, match=r"KEEPER_IN_PLAIN_TEXT scheme=http host=keeper-a\.example"),
        node_of(settings_of(region, VENLO, mode="production")).keepers(),
    ):
        pass
    with node_of(settings_of(region, VENLO)).keepers():
        pass
