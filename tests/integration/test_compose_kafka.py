"""The Kafka container's own command, on the files of `signal-exchange init-region`: TLS for all, and access as listed."""

from __future__ import annotations

import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from compose_file import services
from raw_kafka import RawKafka
from real_exchange import KAFKA_LIBS, ROOT
from typer.testing import CliRunner

from signal_exchange.cli.main import app
from signal_exchange.contracts.topics import catalogue
from signal_exchange.participants.kafka_files import ADMIN, free_ports
from signal_exchange.participants.region import SIX
from signal_exchange.privacy.certificates import Authority
from signal_exchange.runtime import clock
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import admin_client, answers
from signal_exchange_demo.die_with_parent import die_with_parent

START_SECONDS = 60.0
TLS_ALERT = 21
TOPICS = ("signals", "accepted")
pytestmark = pytest.mark.broker


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@dataclass(frozen=True)
class Container:
    """Kafka as in its container, with places and ports of this machine."""

    folder: Path
    clients: int
    outside: int

    @property
    def ca_file(self) -> Path:
        return self.folder / "public" / "ca.pem"

    def connection(self, principal: str, password: str, port: int | None = None) -> KafkaConnection:
        return KafkaConnection(f"127.0.0.1:{port or self.clients}", principal, password, self.ca_file)

    @property
    def admin(self) -> KafkaConnection:
        return self.connection(ADMIN, (self.folder / "kafka" / "admin-password").read_text(encoding="utf-8"))

    def of(self, principal: str, port: int | None = None) -> KafkaConnection:
        return self.connection(principal, (self.folder / principal / "password").read_text(encoding="utf-8"), port)

    def set_up(self) -> str:
        place = [f"--dir={self.folder}", f"--bootstrap=127.0.0.1:{self.clients}", f"--ca-file={self.ca_file}"]
        return run("init-region", *place, f"--admin-password-file={self.folder / 'kafka' / 'admin-password'}")


def replaced(text: str, places: Mapping[str, str]) -> str:
    for inside, here in places.items():
        text = text.replace(inside, here)
    assert not re.search(r"/opt/kafka|/run/|/etc/|/var/lib|//:|//kafka", text), "a place of the container that is not known here"
    return text


def on_this_machine(folder: Path) -> tuple[Container, dict[str, str]]:
    """Found a region, and return Kafka's container with where its places and ports are here."""
    run("init-region", f"--dir={folder}")
    free = free_ports()
    clients, outside, controller = next(free), next(free), next(free)
    places = {
        "/opt/kafka/libs": str(KAFKA_LIBS),
        "/etc/kafka/log4j2-exchange.properties": str(ROOT / "deploy" / "kafka" / "log4j2.properties"),
        "/run/region": str(folder / "kafka"),
        "/run/public": str(folder / "public"),
        "/var/lib/kafka/data": str(folder / "kafka-data"),
        "CLIENTS://:9092": f"CLIENTS://127.0.0.1:{clients}",
        "OUTSIDE://:9094": f"OUTSIDE://127.0.0.1:{outside}",
        "CLIENTS://kafka:9092": f"CLIENTS://127.0.0.1:{clients}",
        "OUTSIDE://127.0.0.1:9094": f"OUTSIDE://127.0.0.1:{outside}",
        "127.0.0.1:9093": f"127.0.0.1:{controller}",
    }
    for name in ("server.properties", "format.arguments"):
        file = folder / "kafka" / name
        file.write_text(replaced(file.read_text(encoding="utf-8"), places), encoding="utf-8")
    return Container(folder, clients, outside), places


@contextmanager
def running(container: Container, places: Mapping[str, str]) -> Iterator[None]:
    """Run the command of the compose file until the block ends, and stop it in good order."""
    kafka = services()["kafka"]
    (script,) = kafka["command"]
    with (container.folder / "kafka.log").open("ab") as log:
        command = die_with_parent([*kafka["entrypoint"], replaced(script, places)])
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            await_answer(container, process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def await_answer(container: Container, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(container.admin, seconds=5):
        said = (container.folder / "kafka.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    container, places = on_this_machine(tmp_path_factory.mktemp("region"))
    with running(container, places):
        told = container.set_up()
        assert f"topics en {len(catalogue(SIX).principals)} gebruikers gemaakt" in told
    with running(container, places):  # the second start finds its storage formatted, its topics and its users
        await_leaders(container)
        yield container


def await_leaders(container: Container) -> None:
    """Wait until the partitions have their leader back, which takes a moment longer than answering."""
    deadline = time.monotonic() + START_SECONDS
    with RawKafka(container.admin) as raw:
        while set(told := raw.produce(TOPICS).values()) != {"NoError"}:
            assert time.monotonic() < deadline, told
            time.sleep(0.1)


def test_after_a_restart_everything_is_as_the_catalogue_says(kafka: Container) -> None:
    assert "0 topics en 0 gebruikers gemaakt, 0 toegangsregels toegevoegd" in kafka.set_up()
    with admin_client(kafka.admin) as admin:
        assert {topic.name for topic in catalogue(SIX).topics} <= {each["name"] for each in admin.describe_topics()}


@pytest.mark.parametrize("listener", ["clients", "outside"])
def test_a_principal_does_over_tls_what_is_listed_and_nothing_else(kafka: Container, listener: str) -> None:
    port = getattr(kafka, listener)
    with RawKafka(kafka.of("municipality-gm0983", port)) as raw:
        assert raw.produce(TOPICS) == {"signals": "NoError", "accepted": "TopicAuthorizationFailedError"}


@pytest.mark.parametrize("listener", ["clients", "outside"])
def test_a_client_without_tls_gets_no_answer_of_kafka(kafka: Container, listener: str) -> None:
    asks_for_versions = bytes.fromhex("0000000a 0012 0000 00000001 ffff")
    with socket.create_connection(("127.0.0.1", getattr(kafka, listener)), timeout=10) as plain:
        plain.sendall(asks_for_versions)
        answer = answer_on(plain)
    assert answer == b"" or answer[0] == TLS_ALERT


def answer_on(plain: socket.socket) -> bytes:
    try:
        return plain.recv(1024)
    except ConnectionResetError:
        return b""


def test_a_client_that_trusts_another_authority_refuses_this_kafka(kafka: Container) -> None:
    misled = ssl.create_default_context(cadata=Authority.found("Another", clock.now()).pem.decode())
    with socket.create_connection(("127.0.0.1", kafka.clients), timeout=10) as plain, pytest.raises(ssl.SSLCertVerificationError):
        misled.wrap_socket(plain, server_hostname="127.0.0.1")


def test_what_kafka_shows_is_valid_under_every_name_that_it_is_reached_by(kafka: Container) -> None:
    for name in ("kafka", "localhost", "127.0.0.1"):
        context = ssl.create_default_context(cafile=str(kafka.ca_file))
        with socket.create_connection(("127.0.0.1", kafka.clients), timeout=10) as plain:
            context.wrap_socket(plain, server_hostname=name).close()
