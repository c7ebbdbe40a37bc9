"""Founding a region for containers: every secret private, nothing secret in public, and twice is once."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from refusing import refused
from speaking import speaking
from typer.testing import CliRunner

from signal_exchange.cli.main import app
from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.participants.container_files import KEEPER_URLS, databases_text, erasing_grants
from signal_exchange.participants.region import KEEPERS
from signal_exchange.privacy.register import load_register
from signal_exchange.privacy.signing import VerifyingKey

PUBLIC_AT_ROOT = {"register.json", "region-key.json", "containers"}


def found(folder: Path, *more: str) -> str:
    result = CliRunner().invoke(app, ["init-region", f"--dir={folder}", *more], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("containers") / "region"
    found(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_founding_twice_changes_nothing(region: Path) -> None:
    before = contents(region)
    assert "GM0957, GM0983, GM0984, GM0988, GM1507, GM1894" in found(region)
    assert contents(region) == before


def test_where_the_region_stands_is_said_in_the_language_that_is_chosen(region: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f" staat in {region}." in found(region)
    monkeypatch.setenv("SIGNAL_EXCHANGE_LANGUAGE", "en")
    with speaking("en"):
        assert f" stands in {region}." in found(region)


def test_every_file_is_private_but_what_everybody_must_have(region: Path) -> None:
    for file in region.rglob("*"):
        public = file.parent.name == "public" or (file.parent == region and file.name in PUBLIC_AT_ROOT)
        if file.is_file() and not public:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_nothing_in_public_is_a_secret(region: Path) -> None:
    assert {file.name for file in (region / "public").iterdir()} == {"register.json", "region-key.json", "ca.pem"}
    public = b"".join(file.read_bytes() for file in (region / "public").iterdir())
    assert b"PRIVATE" not in public
    for name, content in contents(region).items():
        if name.endswith(("password", "vault-key", "api-token")):
            assert content not in public


def test_the_key_of_the_authority_is_not_kept(region: Path) -> None:
    keys = {name for name, content in contents(region).items() if b"PRIVATE KEY" in content}
    own = {"kafka/certificate.pem", "postgres/key.pem"}
    assert keys == own | {
        f"{keeper}/certificate.pem" for keeper in ("keeper-a", "keeper-b", "web-worklist", "web-worklist-youth")
    }


def test_no_two_passwords_are_the_same(region: Path) -> None:
    secrets = [content for name, content in contents(region).items() if name.endswith(("password", "api-token", "vault-key"))]
    assert len(set(secrets)) == len(secrets) > 20


def test_the_register_is_signed_and_names_the_keepers_as_containers_find_them(region: Path) -> None:
    key = json.loads((region / "public" / "region-key.json").read_text(encoding="utf-8"))
    register = load_register(
        (region / "public" / "register.json").read_bytes(), VerifyingKey(key["key_id"], bytes.fromhex(key["public_key"]))
    )
    assert {keeper.name: keeper.url for keeper in register.registered_keepers} == KEEPER_URLS
    assert set(KEEPER_URLS) == set(KEEPERS)


def test_each_service_has_a_database_that_its_own_user_alone_may_enter(region: Path) -> None:
    made = (region / "databases" / "databases.sql").read_text(encoding="utf-8")
    for service in CONSUMERS:
        *place, password = (region / service / "pgpass").read_text(encoding="utf-8").strip().split(":")
        assert place == ["postgres", "5432", service, service]
        assert f"ALTER ROLE \"{service}\" PASSWORD '{password}';" in made
        assert f'CREATE DATABASE "{service}" OWNER "{service}"' in made
        assert f'REVOKE ALL ON DATABASE "{service}" FROM PUBLIC;' in made
        own = made.partition(f'\\connect "{service}"\n')[2].partition("\\connect")[0]  # rights on functions count in one database
        assert all(f"{grant};\n" in own for grant in erasing_grants(service))


def test_who_makes_the_databases_enters_as_the_owner_of_postgresql(region: Path) -> None:
    owner = (region / "postgres" / "password").read_text(encoding="utf-8")
    assert (region / "databases" / "pgpass").read_text(encoding="utf-8") == f"postgres:5432:*:postgres:{owner}\n"


def test_what_every_user_could_enter_is_closed_first() -> None:
    assert databases_text({}) == "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;\n"


def test_kafka_lets_nobody_do_what_no_rule_grants_and_speaks_tls_with_clients(region: Path) -> None:
    lines = (region / "kafka" / "server.properties").read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    assert settings["authorizer.class.name"].endswith(".StandardAuthorizer")
    assert settings["allow.everyone.if.no.acl.found"] == "false"
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["listener.security.protocol.map"] == "CLIENTS:SASL_SSL,OUTSIDE:SASL_SSL,CONTROLLER:SASL_PLAINTEXT"
    assert settings["listeners"].endswith("CONTROLLER://127.0.0.1:9093")


def test_a_region_of_other_municipalities_is_founded_in_another_folder(tmp_path: Path) -> None:
    found(tmp_path / "one", "--municipality=GM0983")
    with refused("stands the region of GM0983: choose another folder", "en"):
        found(tmp_path / "one", "--municipality=GM1507")


def test_a_municipality_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with refused("There is no municipality GM0001", "en"):
        found(tmp_path / "one", "--municipality=GM0001")


@pytest.mark.parametrize("more", [[], ["--admin-password-file=missing"]])
def test_without_the_admins_password_kafka_is_not_asked(region: Path, more: list[str]) -> None:
    with refused(r"admin's password|cannot be read", "en"):
        found(region, "--bootstrap=127.0.0.1:1", *more)
