"""docker-compose.yml against the code: the same services and principals, known settings, and files that the founding makes."""

from __future__ import annotations

import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from compose_file import (
    FILE,
    MAKERS,
    METRICS,
    ONE_SHOTS,
    OWN_IMAGE,
    ROOT,
    compose,
    environment_of,
    mounts_of,
    processes,
    screens,
    services,
)
from typer.testing import CliRunner

from signal_exchange.cli.main import COMMANDS, SERVICES, SITES, app
from signal_exchange.contracts.topics import CONSUMERS, catalogue
from signal_exchange.participants import container_files
from signal_exchange.participants.region import KEEPERS, SIX
from signal_exchange.runtime.production_checks import SECRET_FILES
from signal_exchange.runtime.settings import (
    PREFIX,
    KeeperSettings,
    MunicipalitySettings,
    ProcessSettings,
    ServiceSettings,
    SiteSettings,
    loaded,
    settings_catalogue,
)

MUNICIPALITIES = {f"municipality-{code.lower()}" for code in SIX}


def settings_of(name: str) -> type[ProcessSettings]:
    if name in KEEPERS:
        return KeeperSettings
    if name in screens():
        return SiteSettings
    return MunicipalitySettings if name in MUNICIPALITIES else ServiceSettings


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that the founding makes."""
    folder = tmp_path_factory.mktemp("founded") / "region"
    assert CliRunner().invoke(app, ["init-region", f"--dir={folder}"]).exit_code == 0
    return folder


def test_there_is_one_container_for_each_service_keeper_and_municipality() -> None:
    others = {"kafka", "postgres", "prometheus", *ONE_SHOTS}
    assert set(services()) == {*CONSUMERS, *KEEPERS, *MUNICIPALITIES, *screens(), *others}


def test_every_service_with_screens_has_a_container_for_them_that_may_fail_by_itself() -> None:
    assert {name: each["command"] for name, each in screens().items()} == {f"web-{name}": ["web", name] for name in SITES}
    assert set(container_files.SCREENS) == set(SITES)


@pytest.mark.parametrize("name", sorted(screens()))
def test_screens_reach_their_store_and_nothing_of_kafka(name: str) -> None:
    service = name.removeprefix("web-")
    assert set(screens()[name]["networks"]) == {"store", f"published-{name}"}
    assert not [variable for variable in environment_of(screens()[name]) if "KAFKA" in variable]
    own, consumers = (environment_of(services()[each])[f"{PREFIX}DATABASE_URL"] for each in (name, service))
    assert own == consumers


@pytest.mark.parametrize("name", sorted(screens()))
def test_screens_are_heard_on_their_published_network_alone_and_with_tls(name: str) -> None:
    told = environment_of(screens()[name])
    alias = told[f"{PREFIX}LISTEN"]
    assert screens()[name]["networks"][f"published-{name}"] == {"aliases": [alias]}
    ((loopback, _, port),) = (each.split(":") for each in screens()[name]["ports"])
    assert (loopback, port) == ("127.0.0.1", told[f"{PREFIX}WEB_PORT"])
    assert told[f"{PREFIX}CERTIFICATE_FILE"] == "/run/region/certificate.pem"


@pytest.mark.parametrize("name", sorted(set(processes()) - set(screens())))
def test_each_process_runs_a_service_that_there_is(name: str) -> None:
    run, service = processes()[name]["command"]
    assert run == "run"
    assert service in SERVICES
    kinds = {**dict.fromkeys(KEEPERS, "keeper"), **dict.fromkeys(MUNICIPALITIES, "municipality")}
    assert service == kinds.get(name, name)


@pytest.mark.parametrize("name", MAKERS)
def test_what_makes_the_region_is_a_command_that_there_is(name: str) -> None:
    assert services()[name]["command"][0] in COMMANDS


def test_the_principals_are_those_of_the_catalogue() -> None:
    users = [environment_of(service).get(f"{PREFIX}KAFKA_USER") for service in processes().values()]
    assert sorted(user for user in users if user) == sorted(catalogue(SIX).principals)


@pytest.mark.parametrize("name", sorted(set(processes()) - set(KEEPERS) - set(screens())))
def test_each_process_is_the_principal_of_its_own_name(name: str) -> None:
    assert environment_of(processes()[name])[f"{PREFIX}KAFKA_USER"] == name


def test_each_node_is_that_of_its_own_municipality() -> None:
    told = {name: environment_of(processes()[name])[f"{PREFIX}MUNICIPALITY"] for name in MUNICIPALITIES}
    assert told == {f"municipality-{code.lower()}": code for code in SIX}


@pytest.mark.parametrize("name", sorted(processes()))
def test_every_variable_is_in_the_catalogue_of_settings_and_of_this_process(name: str) -> None:
    known = {setting.variable for setting in settings_catalogue()}
    own = {PREFIX + field.upper() for field in settings_of(name).model_fields}
    assert set(environment_of(processes()[name])) <= known & own


@pytest.mark.parametrize("name", sorted(processes()))
def test_every_required_setting_is_given_and_fits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = environment_of(processes()[name])
    group = settings_of(name)
    assert {PREFIX + field.upper() for field, info in group.model_fields.items() if info.is_required()} <= set(given)
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    assert loaded(group).mode == given[f"{PREFIX}MODE"]


@pytest.mark.parametrize("name", sorted(processes()))
def test_every_secret_file_stands_in_the_own_folder_and_every_other_file_in_the_public_one(name: str) -> None:
    mounted = mounts_of(processes()[name])
    assert (mounted["/run/region"], mounted["/run/public"]) == (f"region/{name}", "region/public")
    for variable, value in environment_of(processes()[name]).items():
        if variable.endswith("_FILE"):
            secret = variable.removeprefix(PREFIX).lower() in SECRET_FILES
            assert value.startswith("/run/region/" if secret else "/run/public/")


@pytest.mark.parametrize("name", sorted(processes()))
def test_every_file_that_a_process_reads_is_made_by_the_founding(name: str, founded: Path) -> None:
    places = {"/run/region": founded / name, "/run/public": founded / "public"}
    for variable, value in environment_of(processes()[name]).items():
        if variable.endswith("_FILE"):
            place, file = value.rsplit("/", 1)
            assert (places[place] / file).is_file(), variable


def test_every_process_runs_in_production_mode() -> None:
    modes = {name: environment_of(service)[f"{PREFIX}MODE"] for name, service in processes().items()}
    assert {name for name, mode in modes.items() if mode != "production"} == set()


def test_each_service_of_the_region_has_a_database_of_its_own_and_others_keep_their_own() -> None:
    urls = {name: environment_of(service).get(f"{PREFIX}DATABASE_URL") for name, service in processes().items()}
    secrets = "passfile=/run/region/pgpass&sslmode=verify-full&sslrootcert=/run/public/ca.pem"
    own = {name: f"postgresql+psycopg://{name}@postgres:5432/{name}?{secrets}" for name in CONSUMERS}
    assert {name: url for name, url in urls.items() if url and name not in screens()} == own


@pytest.mark.parametrize("name", sorted(processes()))
def test_the_health_check_asks_the_process_itself_whether_it_is_ready(name: str) -> None:
    _, program, *_, script = processes()[name]["healthcheck"]["test"]
    assert program == "python"
    if name in screens():
        assert f'(os.environ["{PREFIX}LISTEN"], {environment_of(processes()[name])[f"{PREFIX}WEB_PORT"]}, ' in script
        assert 'request("GET", "/aanmelden")' in script
    elif name in KEEPERS:
        assert f"https://127.0.0.1:{environment_of(processes()[name])[f'{PREFIX}PORT']}/health/ready" in script
    else:
        assert "GET /health/ready HTTP/1.0" in script
        assert f'(os.environ["{METRICS}"], {environment_of(processes()[name])[f"{PREFIX}METRICS_PORT"]})' in script


@pytest.mark.parametrize(
    ("answer", "code"), [(b"HTTP/1.0 200 OK\r\n", 0), (b"HTTP/1.0 503 Service Unavailable\r\n", 1), (b"", 1)]
)
def test_the_health_check_ends_with_0_only_when_the_process_is_ready(answer: bytes, code: int) -> None:
    _, _, *options, script = processes()["routing"]["healthcheck"]["test"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [sys.executable, *options, script.replace("9100", str(port))]
        with subprocess.Popen(command, env={METRICS: "127.0.0.1"}) as asking:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(100).startswith(b"GET /health/ready ")
                connection.sendall(answer)
            assert asking.wait(60) == code


@pytest.mark.parametrize("name", ["kafka", "postgres", "prometheus"])
def test_what_others_wait_for_has_a_health_check(name: str) -> None:
    assert services()[name]["healthcheck"]["test"]


def test_nobody_starts_before_what_it_needs() -> None:
    done, healthy = {"condition": "service_completed_successfully"}, {"condition": "service_healthy"}
    for name in KEEPERS:
        assert services()[name]["depends_on"] == {"founding": done}
    for name in MUNICIPALITIES:
        assert services()[name]["depends_on"] == {"catalogue": done}
    for name in CONSUMERS:
        assert services()[name]["depends_on"] == {"catalogue": done, "databases": done}
    for name in screens():
        assert services()[name]["depends_on"] == {"databases": done}
    assert services()["databases"]["depends_on"] == {"postgres": healthy}
    assert services()["catalogue"]["depends_on"] == {"kafka": healthy}
    assert services()["kafka"]["depends_on"] == services()["postgres"]["depends_on"] == {"founding": done}


def test_ports_and_addresses_are_those_that_the_founding_writes() -> None:
    environments = {name: environment_of(service) for name, service in processes().items()}
    bootstraps = {each[f"{PREFIX}KAFKA_BOOTSTRAP"] for name, each in environments.items() if name not in {*KEEPERS, *screens()}}
    assert bootstraps == {f"{container_files.KAFKA}:{container_files.CLIENTS_PORT}"}
    for name in KEEPERS:
        assert container_files.KEEPER_URLS[name] == f"https://{name}:{environments[name][f'{PREFIX}PORT']}"
    outside = container_files.OUTSIDE_PORT
    assert services()["kafka"]["ports"] == [f"127.0.0.1:{outside}:{outside}"]
    assert f"--bootstrap=kafka:{container_files.CLIENTS_PORT}" in services()["catalogue"]["command"]


def test_each_keepers_network_reaches_the_municipalities_and_nobody_else() -> None:
    members = {name for name, service in services().items() if "keepers" in service.get("networks", ())}
    assert members == {*KEEPERS, *MUNICIPALITIES}


def test_postgresql_is_reached_by_the_services_of_the_region_alone() -> None:
    members = {name for name, service in services().items() if "store" in service.get("networks", ())}
    assert members == {*CONSUMERS, *screens(), "postgres", "databases"}


def test_prometheus_watches_every_process_that_tells_how_it_goes_and_reads_the_rules() -> None:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "targets" / "compose.yml").read_text(encoding="utf-8"))
    watched = {group["labels"]["process"]: group["targets"] for group in groups}
    ports = {name: environment_of(processes()[name]).get(f"{PREFIX}METRICS_PORT") for name in processes()}
    assert watched == {name: [f"{environment_of(processes()[name])[METRICS]}:{port}"] for name, port in ports.items() if port}
    assert set(processes()) - set(watched) == {*KEEPERS, *screens()}
    mounted = mounts_of(services()["prometheus"])
    for file in ("prometheus.yml", "rules.yml", "targets/compose.yml"):
        assert mounted[f"/etc/prometheus/{file}"] == f"./deploy/prometheus/{file}"


def test_prometheus_reaches_the_metrics_and_nothing_else() -> None:
    watched = {f"watch-{name}" for name in (*CONSUMERS, *MUNICIPALITIES)}
    assert set(services()["prometheus"]["networks"]) == {*watched, "published-prometheus"}


def test_only_the_founding_has_no_network_at_all_and_builds_the_image() -> None:
    assert services()["founding"]["network_mode"] == "none"
    assert [name for name, service in services().items() if "build" in service] == ["founding"]
    assert {service["pull_policy"] for service in (*processes().values(), services()["catalogue"])} == {"never"}


def test_the_image_has_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    images = {each["image"] for each in services().values() if each["image"].startswith(OWN_IMAGE)}
    assert images == {f"{OWN_IMAGE}:{project['version']}"}


def test_kafka_is_the_version_that_the_tests_run_on() -> None:
    pom = (ROOT / "deploy" / "kafka" / "pom.xml").read_text(encoding="utf-8")
    _, _, version = services()["kafka"]["image"].partition(":")
    assert f">{version}<" in pom


def test_every_volume_and_network_is_used_and_declared() -> None:
    used = {each["source"] for service in services().values() for each in service.get("volumes", ()) if each["type"] == "volume"}
    assert used == set(compose()["volumes"])
    assert {each for service in services().values() for each in service.get("networks", ())} == set(compose()["networks"])


def test_every_file_of_the_checkout_that_is_mounted_is_there() -> None:
    bound = [each for service in services().values() for each in service.get("volumes", ()) if each["type"] == "bind"]
    assert len(bound) == 6
    assert all((FILE.parent / each["source"]).is_file() and each["read_only"] for each in bound)


def test_postgresql_lets_nobody_in_from_the_network_without_tls_and_a_password() -> None:
    lines = (ROOT / "deploy" / "postgres" / "pg_hba.conf").read_text(encoding="utf-8").splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]
    assert {rule[-1] for rule in rules} == {"scram-sha-256"}
    assert [rule for rule in rules if rule[0] == "host"] == [["host", "all", "all", "127.0.0.1/32", "scram-sha-256"]]
    (script,) = services()["postgres"]["command"]
    assert "-chba_file=/etc/postgresql/pg_hba.conf" in script
    assert "-cssl=on" in script


def test_a_first_start_of_postgresql_that_broke_off_is_mended_by_the_next() -> None:
    (script,) = services()["postgres"]["command"]
    made, moved = script.index('initdb --pgdata="$$PGDATA.half"'), script.index('mv "$$PGDATA.half" "$$PGDATA"')
    assert script.index('rm -rf "$$PGDATA.half"') < made < moved < script.index("exec postgres")
    databases = services()["databases"]
    assert databases["image"] == services()["postgres"]["image"]
    assert (databases["entrypoint"], "--file=/run/region/databases.sql" in databases["command"]) == (["psql"], True)
    assert environment_of(databases)["PGSSLMODE"] == "verify-full"


def test_what_psql_and_initdb_read_is_there(founded: Path) -> None:
    assert mounts_of(services()["databases"])["/run/region"] == "region/databases"
    assert {each.name for each in (founded / "databases").iterdir()} == {"databases.sql", "pgpass"}
    assert {"certificate.pem", "key.pem", "password"} == {each.name for each in (founded / "postgres").iterdir()}
    (line,) = (ROOT / "deploy" / "postgres" / "passwd").read_text(encoding="utf-8").splitlines()
    assert line.split(":")[2:4] == services()["postgres"]["user"].split(":")
