"""The broker that demo and tests start: it answers, keeps its data, leaves nothing behind, and says why it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]  # ships no types
from real_exchange import KAFKA_LIBS, running_broker

from signal_exchange.participants.kafka_files import identity_of
from signal_exchange.runtime.administration import create_topics
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import admin_client, answers
from signal_exchange.runtime.private_files import write_private
from signal_exchange_demo import broker as broker_module
from signal_exchange_demo.broker import EmbeddedBroker
from signal_exchange_demo.java import BrokerError, fetch_libs

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as started:
        yield started


def send(connection: KafkaConnection, topic: str, value: bytes) -> None:
    with closing(KafkaProducer(**connection.for_kafka_python(), acks="all")) as producer:
        producer.send(topic, value=value).get(timeout=10)


def values_of(connection: KafkaConnection, topic: str, count: int) -> list[bytes]:
    arguments = {**connection.for_kafka_python(), "auto_offset_reset": "earliest", "consumer_timeout_ms": 10_000}
    with closing(KafkaConsumer(topic, **arguments)) as consumer:
        return [next(consumer).value for _ in range(count)]


def is_alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_data_ports_and_password_outlive_a_stop_and_a_kill(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, KAFKA_LIBS)
    broker.start()
    try:
        connection = broker.admin_credentials
        with admin_client(connection) as admin:
            create_topics(admin, {"kept": {"num_partitions": 1, "replication_factor": 1}})
        send(connection, "kept", b"before the stop")
        broker.stop()
        broker.start()
        send(connection, "kept", b"before the kill")
        broker.kill()
        assert broker.pid is None
        broker.start()
        assert broker.admin_credentials == connection
        assert values_of(connection, "kept", 2) == [b"before the stop", b"before the kill"]
    finally:
        broker.stop()


def test_a_stop_leaves_nothing_running_and_may_be_repeated(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, KAFKA_LIBS)
    broker.start()
    pid = broker.pid
    connection = broker.admin_credentials
    broker.stop()
    broker.stop()
    assert pid is not None
    assert not is_alive(pid)
    assert not answers(connection, seconds=1)


def test_a_second_start_of_a_running_broker_changes_nothing(running: EmbeddedBroker) -> None:
    pid = running.pid
    running.start()
    assert running.pid == pid


def test_progress_is_told_while_it_starts(tmp_path: Path) -> None:
    told: list[str] = []
    broker = EmbeddedBroker(tmp_path, KAFKA_LIBS)
    try:
        broker.start(told.append)
    finally:
        broker.stop()
    assert told == ["Preparing the storage of Kafka", "Starting Kafka", f"Kafka answers on {broker.bootstrap}"]


def test_it_listens_on_loopback_only(running: EmbeddedBroker) -> None:
    identity = identity_of(running.log_file.parent)
    ports = {f"{identity.client_port:04X}", f"{identity.controller_port:04X}"}
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = [(words[1].rpartition(":")[0], words[1].rpartition(":")[2]) for words in lines if words[3] == "0A"]
    found = {(address, port) for address, port in listening if port in ports}
    loopback = ("0100007F", "0000000000000000FFFF00000100007F")
    assert {port for _, port in found} == ports
    assert all(address in loopback for address, _ in found)


def test_secrets_are_for_their_owner_only_and_on_no_command_line(running: EmbeddedBroker) -> None:
    directory = running.log_file.parent
    secret = running.admin_credentials.password
    holding = [file for file in directory.iterdir() if file.is_file() and secret in file.read_text(encoding="utf-8")]
    command = Path(f"/proc/{running.pid}/cmdline").read_text(encoding="utf-8")
    assert sorted(file.name for file in holding) == ["broker.json", "server.properties"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in (*holding, running.log_file))
    assert secret not in command


PARENT = """
import sys
from pathlib import Path
from signal_exchange_demo.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), Path(sys.argv[2]))
broker.start()
print(broker.pid, flush=True)
sys.stdin.read()
"""


def test_a_killed_parent_leaves_no_java_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(KAFKA_LIBS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(signal.SIGKILL)
    assert ends_within(pid, seconds=5)


def test_no_java_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"^Java is not installed: install version 17 or later \(.*\)\.$"):
        EmbeddedBroker(tmp_path, KAFKA_LIBS, java="no-such-java").start()


def a_program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o700)
    return str(path)


@pytest.mark.parametrize(("said", "version"), [('openjdk version "11.0.20" 2023-07-18', 11), ('java version "1.8.0_292"', 8)])
def test_an_old_java_is_told_in_one_sentence(tmp_path: Path, said: str, version: int) -> None:
    java = a_program(tmp_path / "java", f"echo '{said}' >&2")
    with pytest.raises(BrokerError, match=rf"^Java {version} is too old for Kafka: install version 17 or later\.$"):
        EmbeddedBroker(tmp_path, KAFKA_LIBS, java=java).start()


def test_a_java_that_says_no_version_is_told_in_one_sentence(tmp_path: Path) -> None:
    java = a_program(tmp_path / "java", "exit 1")
    with pytest.raises(BrokerError, match=r"^The program named java does not say which version it is: reinstall Java\.$"):
        EmbeddedBroker(tmp_path, KAFKA_LIBS, java=java).start()


def test_missing_jars_are_told_with_the_target_that_fetches_them(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"make deploy/kafka/libs/\.stamp"):
        EmbeddedBroker(tmp_path, tmp_path / "libs").start()


def test_a_missing_maven_is_told_in_one_sentence(tmp_path: Path) -> None:
    pom = tmp_path / "pom.xml"
    pom.touch()
    with pytest.raises(BrokerError, match=r"^Maven is not installed, which fetches the jars of Kafka \(.*\)\.$"):
        fetch_libs(pom, tmp_path / "libs", maven="no-such-maven")


def test_what_maven_says_when_it_fails_is_passed_on_and_nothing_counts_as_fetched(tmp_path: Path) -> None:
    pom = tmp_path / "pom.xml"
    pom.touch()
    maven = a_program(tmp_path / "mvn", "echo '[ERROR] Could not resolve dependencies'; exit 1")
    with pytest.raises(BrokerError, match=r"^Maven could not fetch the jars of Kafka: Could not resolve dependencies\.$"):
        fetch_libs(pom, tmp_path / "libs", maven=maven)
    assert not (tmp_path / "libs" / ".stamp").exists()


def test_jars_that_are_there_are_not_fetched_again() -> None:
    fetch_libs(KAFKA_LIBS.parent / "pom.xml", KAFKA_LIBS, maven="no-such-maven")


def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    port = identity_of(tmp_path).client_port
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(BrokerError, match=rf"^Port {port} is taken by another program"),
    ):
        EmbeddedBroker(tmp_path, KAFKA_LIBS).start()


def test_a_broker_that_runs_already_is_told_in_one_sentence(running: EmbeddedBroker) -> None:
    with pytest.raises(BrokerError, match=r"or this broker runs already: end that one first\.$"):
        EmbeddedBroker(running.log_file.parent, KAFKA_LIBS).start()


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"^The disk is full: Kafka needs at least \d+ MB free in .*\.$"):
        EmbeddedBroker(tmp_path, KAFKA_LIBS, least_free_bytes=2**62).start()


def test_a_place_that_is_no_directory_is_told_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(BrokerError, match=r"^The directory .* cannot be used: .*\.$"):
        EmbeddedBroker(file, KAFKA_LIBS).start()


def test_a_wrong_setting_is_told_with_the_last_meaningful_line_of_the_log(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, KAFKA_LIBS, settings={"num.io.threads": "0"})
    with pytest.raises(BrokerError, match=r"^Kafka stopped at its start: .*num\.io\.threads.*; its log is .*broker\.log\.$"):
        broker.start()
    assert broker.pid is None


def test_a_start_that_fails_halfway_leaves_nothing_running(tmp_path: Path) -> None:
    java = a_program(
        tmp_path / "java",
        f"""case "$*" in
  *-version*) echo 'openjdk version "17.0.1"' >&2 ;;
  *@*) exit 0 ;;
  *) echo $$ > {tmp_path}/pid; echo 'java.io.IOException: No space left on device'; exit 1 ;;
esac""",
    )
    with pytest.raises(BrokerError, match=r"^The disk of .* is full\.$"):
        EmbeddedBroker(tmp_path, KAFKA_LIBS, java=java).start()
    assert not is_alive(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_a_broker_that_hangs_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "STOP_SECONDS", 0.3)
    with running_broker(tmp_path) as broker:
        pid = broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        broker.stop()
    assert not is_alive(pid)


def test_a_broker_that_never_answers_is_told_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "START_SECONDS", 0.5)
    java = a_program(
        tmp_path / "java",
        f"""case "$*" in
  *-version*) echo 'openjdk version "17.0.1"' >&2 ;;
  *@*) exit 0 ;;
  *) echo $$ > {tmp_path}/pid; exec sleep 60 ;;
esac""",
    )
    with pytest.raises(BrokerError, match=r"^Kafka does not answer after \d+ s; its log is .*broker\.log\.$"):
        EmbeddedBroker(tmp_path, KAFKA_LIBS, java=java).start()
    assert not is_alive(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_an_interrupted_start_leaves_nothing_running(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, KAFKA_LIBS)
    pids: list[int] = []

    def interrupt(message: str) -> None:
        if message == "Starting Kafka":
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1)).start()

    def ring(_number: int, _frame: object) -> None:
        pids.append(broker.pid or os.getpid())
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, ring)
    try:
        with pytest.raises(KeyboardInterrupt):
            broker.start(interrupt)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert pids[0] != os.getpid()
    assert not is_alive(pids[0])


def test_a_cluster_id_may_begin_with_a_hyphen(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    identity = identity_of(tmp_path / "kafka")
    hyphened = replace(identity, cluster_id="-" + identity.cluster_id[1:])
    write_private(tmp_path / "kafka" / "broker.json", json.dumps(asdict(hyphened)))
    with EmbeddedBroker(tmp_path / "kafka", KAFKA_LIBS) as broker:
        assert answers(broker.admin_credentials, 5)
