"""What another vendor has: Apache Avro in Java, kcat, and the files of schemas/. Nothing of ours helps it to read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from signal_exchange.reference.folders import schemas_folder
from signal_exchange.runtime.connection import KafkaConnection

JAVA = Path(__file__).parents[1] / "contracts" / "java"


def java_reads(values: Sequence[bytes]) -> list[dict[str, Any]]:
    """Let Java decode values with the schema files alone; each answer is record and fields, or an error."""
    if shutil.which("javac") is None:
        pytest.fail("The Java compiler is missing: run `make system`.", pytrace=False)
    if not (JAVA / "libs" / ".stamp").is_file():
        pytest.fail("Avro for Java is missing: run `make tests/contracts/java/libs/.stamp`.", pytrace=False)
    command = ["java", "-cp", f"{JAVA / 'libs'}/*", str(JAVA / "SignalReader.java"), str(schemas_folder())]
    lines = "".join(f"{value.hex()}\n" for value in values)
    answer = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in answer.stdout.splitlines()]


def as_java_says(value: object) -> object:
    """Return what Java should print for a datum that Python encoded: times in milliseconds, bytes in hexadecimal."""
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {name: as_java_says(part) for name, part in value.items()}
    return [as_java_says(part) for part in value] if isinstance(value, list | tuple) else value


def kcat(connection: KafkaConnection, folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run kcat as a user; its password stands in a file in `folder`, as it should."""
    settings = {
        "bootstrap.servers": connection.bootstrap,
        "security.protocol": connection.security_protocol,
        "sasl.mechanism": kcat_mechanism(),
        "sasl.username": connection.username,
        "sasl.password": connection.password,
    }
    file = folder / "kcat.conf"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    return _kcat("-q", "-F", str(file), *arguments)


def kcat_mechanism() -> str:
    """Return how this kcat can prove who it is: SCRAM of librdkafka before 2.6.1 is refused by Kafka 4 (edenhill/kcat#462)."""
    found = re.search(rb"librdkafka (\d+)\.(\d+)\.(\d+)", _kcat("-V").stdout)
    assert found is not None
    return "SCRAM-SHA-512" if tuple(map(int, found.groups())) >= (2, 6, 1) else "PLAIN"


def plain_login(user: str, password: str) -> dict[str, str]:
    """Return the settings of a broker that also lets one user in with a plain password, for such a kcat."""
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    return {
        "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
        "listener.name.clients.plain.sasl.jaas.config": f'{module} required user_{user}="{password}";',
    }


def _kcat(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("kcat")
    if program is None:
        pytest.fail("kcat is missing: run `make system`.", pytrace=False)
    return subprocess.run([program, *arguments], capture_output=True, check=False, timeout=30)
