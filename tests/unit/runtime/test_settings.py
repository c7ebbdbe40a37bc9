"""Settings: what is missing is named together and never shown; production refuses what is only good for a demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refused

from signal_exchange.runtime.production_checks import (
    DEMO_FILES,
    PUBLIC_FILES,
    SECRET_FILES,
    is_loopback,
    refuse_plain_addresses,
    refuse_sample_settings,
)
from signal_exchange.runtime.settings import (
    KeeperSettings,
    MunicipalitySettings,
    ProcessSettings,
    RoutingSettings,
    ServiceSettings,
    loaded,
    settings_catalogue,
)
from signal_exchange.words import sentence

GROUPS: tuple[type[ProcessSettings], ...] = (
    ProcessSettings,
    ServiceSettings,
    RoutingSettings,
    MunicipalitySettings,
    KeeperSettings,
)


def private(file: Path) -> Path:
    file.write_text("synthetic", encoding="utf-8")
    file.chmod(0o600)
    return file


def a_node(folder: Path, **changes: Any) -> MunicipalitySettings:
    secrets = {name: private(folder / name) for name in SECRET_FILES if name != "tokens_file"}
    public = {name: folder / name for name in PUBLIC_FILES}
    values = {"data_dir": folder, "kafka_bootstrap": "127.0.0.1:9092", "kafka_user": "municipality-gm0983"}
    return MunicipalitySettings(**{**values, **secrets, **public, "municipality": "GM0983", **changes})


def refusal_of(settings: ProcessSettings) -> str:
    with refused() as refusal:
        refuse_sample_settings(settings)
    return sentence(refusal.value, "en")


def test_missing_settings_are_named_together_with_their_meaning() -> None:
    with refused() as refusal:
        loaded(KeeperSettings)
    required = [name for name, field in KeeperSettings.model_fields.items() if field.is_required()]
    assert len(required) > 4
    told = sentence(refusal.value, "en")
    for name in required:
        assert f"SIGNAL_EXCHANGE_{name.upper()} ({KeeperSettings.model_fields[name].description})" in told


def test_a_wrong_setting_is_named_and_its_value_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNAL_EXCHANGE_METRICS_PORT", "not-for-any-log")
    with refused() as refusal:
        loaded(ServiceSettings)
    assert "SIGNAL_EXCHANGE_METRICS_PORT" in sentence(refusal.value, "en")
    assert "not-for-any-log" not in sentence(refusal.value, "en")
    assert refusal.value.__suppress_context__


def test_settings_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in a_node(tmp_path, batch_records=7).model_dump(exclude_none=True).items():
        monkeypatch.setenv(f"SIGNAL_EXCHANGE_{name.upper()}", str(value))
    assert loaded(MunicipalitySettings) == a_node(tmp_path, batch_records=7)


def test_the_store_is_sqlite_in_the_data_folder_unless_an_address_is_given(tmp_path: Path) -> None:
    assert a_node(tmp_path).database("routing") == f"sqlite+pysqlite:///{tmp_path}/routing.sqlite"
    assert a_node(tmp_path, database_url="postgresql+psycopg://h/d").database("routing") == "postgresql+psycopg://h/d"


def test_the_password_is_read_from_its_file_without_the_last_line_end(tmp_path: Path) -> None:
    settings = a_node(tmp_path)
    settings.kafka_password_file.write_text("synthetic-secret\n", encoding="utf-8")
    assert settings.kafka.password == "synthetic-secret"
    assert "synthetic-secret" not in repr(settings)
    assert settings.kafka.security_protocol == "SASL_SSL"


def test_every_setting_is_documented_once_with_its_meaning() -> None:
    documented = [setting.variable for setting in settings_catalogue()]
    wanted = {f"SIGNAL_EXCHANGE_{name.upper()}" for group in GROUPS for name in group.model_fields}
    assert set(documented) == wanted
    assert all(setting.meaning.endswith(".") for setting in settings_catalogue())
    required = {setting.variable for setting in settings_catalogue() if setting.default == "(required)"}
    assert "SIGNAL_EXCHANGE_DATA_DIR" in required
    assert "SIGNAL_EXCHANGE_MODE" not in required


def test_every_setting_that_names_a_file_is_known_as_secret_or_public() -> None:
    files = {name for group in GROUPS for name in group.model_fields if name.endswith("_file")}
    assert files == {*SECRET_FILES, *PUBLIC_FILES, *DEMO_FILES}


def test_production_is_the_mode_that_nobody_has_to_choose(tmp_path: Path) -> None:
    assert a_node(tmp_path).mode == "production"
    refuse_sample_settings(a_node(tmp_path))


def test_production_refuses_a_plain_text_connection_to_kafka(tmp_path: Path) -> None:
    assert "SIGNAL_EXCHANGE_KAFKA_CA_FILE is empty" in refusal_of(a_node(tmp_path, kafka_ca_file=None))


def test_production_refuses_debug(tmp_path: Path) -> None:
    assert "SIGNAL_EXCHANGE_LOG_LEVEL is DEBUG" in refusal_of(a_node(tmp_path, log_level="DEBUG"))


KEEPERS_OWN = ("tokens_file", "certificate_file")


@pytest.mark.parametrize("name", [name for name in SECRET_FILES if name not in KEEPERS_OWN])
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660])
def test_production_refuses_a_secret_that_others_can_read(tmp_path: Path, name: str, mode: int) -> None:
    settings = a_node(tmp_path)
    (tmp_path / name).chmod(mode)
    assert f"the file of SIGNAL_EXCHANGE_{name.upper()} can be read by others" in refusal_of(settings)


def test_production_refuses_a_secret_that_is_not_there(tmp_path: Path) -> None:
    settings = a_node(tmp_path)
    settings.keys_file.unlink()
    assert refusal_of(settings) == "Production mode refuses to start: the file of SIGNAL_EXCHANGE_KEYS_FILE is missing."


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://me:not-for-any-log@h/d", "postgresql+psycopg://h/d?password=not-for-any-log"]
)
def test_production_refuses_a_password_in_the_environment_and_does_not_repeat_it(tmp_path: Path, url: str) -> None:
    told = refusal_of(a_node(tmp_path, database_url=url))
    assert "SIGNAL_EXCHANGE_DATABASE_URL holds a password" in told
    assert "not-for-any-log" not in told


@pytest.mark.parametrize(
    "url", ["no address at all", "mysql://not-for-any-log@h/d", "postgresql+psycopg2://h/d", "postgresql://h/d"]
)
def test_an_address_of_another_database_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    for name, value in a_node(tmp_path).model_dump(exclude_none=True).items():
        monkeypatch.setenv(f"SIGNAL_EXCHANGE_{name.upper()}", str(value))
    monkeypatch.setenv("SIGNAL_EXCHANGE_DATABASE_URL", url)
    with refused("SIGNAL_EXCHANGE_DATABASE_URL", "en") as refusal:
        loaded(MunicipalitySettings)
    assert url not in sentence(refusal.value, "en")


def an_address(folder: Path, host: str = "db.example", mode: int = 0o600, sslmode: str = "verify-full") -> str:
    passfile = folder / "pgpass"
    passfile.touch()
    passfile.chmod(mode)
    return f"postgresql+psycopg://me@{host}/d?passfile={passfile}&sslmode={sslmode}"


def test_production_takes_postgresql_with_a_passfile_and_a_checked_certificate(tmp_path: Path) -> None:
    refuse_sample_settings(a_node(tmp_path, database_url=an_address(tmp_path)))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", ""])
def test_production_takes_postgresql_on_the_same_machine_without_tls(tmp_path: Path, host: str) -> None:
    refuse_sample_settings(a_node(tmp_path, database_url=an_address(tmp_path, host, sslmode="disable")))
    refuse_sample_settings(a_node(tmp_path, database_url="postgresql+psycopg://me@/d?host=/run/postgresql"))


@pytest.mark.parametrize("sslmode", ["disable", "prefer", "require", "verify-ca"])
def test_production_refuses_postgresql_whose_certificate_is_not_checked(tmp_path: Path, sslmode: str) -> None:
    assert "has no sslmode=verify-full" in refusal_of(a_node(tmp_path, database_url=an_address(tmp_path, sslmode=sslmode)))


def test_production_refuses_a_passfile_that_others_can_read_or_that_is_missing(tmp_path: Path) -> None:
    settings = a_node(tmp_path, database_url=an_address(tmp_path, mode=0o640))
    assert "the passfile of SIGNAL_EXCHANGE_DATABASE_URL" in refusal_of(settings)
    (tmp_path / "pgpass").unlink()
    assert "the passfile of SIGNAL_EXCHANGE_DATABASE_URL" in refusal_of(settings)


def test_production_tells_every_reason_at_once(tmp_path: Path) -> None:
    settings = a_node(tmp_path, log_level="DEBUG", kafka_ca_file=None)
    settings.vault_key_file.chmod(0o644)
    assert refusal_of(settings).count(";") == 2


def test_an_optional_secret_that_is_not_set_is_not_missed(tmp_path: Path) -> None:
    refuse_sample_settings(a_node(tmp_path, api_token_file=None, keeper_token_file=None))


def test_mode_demo_allows_all_of_it(tmp_path: Path) -> None:
    settings = a_node(tmp_path, mode="demo", log_level="DEBUG", kafka_ca_file=None, database_url="postgresql+psycopg://a:b@h/d")
    settings.vault_key_file.chmod(0o644)
    refuse_sample_settings(settings)


@given(st.ip_addresses(v=4))
def test_only_127_is_loopback_among_the_old_addresses(address: Any) -> None:
    assert is_loopback(str(address)) == str(address).startswith("127.")


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("localhost", True), ("::1", True), ("127.0.0.1", True), ("::", False), ("keeper-a", False), ("", False)],
)
def test_names_and_new_addresses_are_judged_as_well(address: str, *, loopback: bool) -> None:
    assert is_loopback(address) == loopback


@pytest.mark.parametrize(
    "address",
    ["https://keeper.example:8443", "HTTPS://keeper.example", "http://127.0.0.1:8000", "http://[::1]:1", "http://localhost"],
)
def test_production_asks_a_keeper_with_tls_or_on_this_machine(tmp_path: Path, address: str) -> None:
    refuse_plain_addresses(a_node(tmp_path), [address])


@pytest.mark.parametrize(
    "address",
    [
        "http://keeper.example", "http://10.0.0.1:8080", "http://127.0.0.1@keeper.example/", "http://127.0.0.1.example", "ftp://127.0.0.1",
        "keeper.example", "", "https://", "http://0.0.0.0:8080",
    ],
)  # fmt: skip
def test_production_asks_no_keeper_in_plain_text(tmp_path: Path, address: str) -> None:
    with refused("asks no keeper in plain text", "en"):
        refuse_plain_addresses(a_node(tmp_path), ["https://keeper.example", address])
    refuse_plain_addresses(a_node(tmp_path, mode="demo"), [address])
