"""Screens as a process of their own, in production as a container has it: with TLS, and with nothing of Kafka."""

from __future__ import annotations

import http.client
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from signal_exchange.cli.main import app
from signal_exchange.participants.kafka_files import free_ports
from signal_exchange.runtime.settings import PREFIX

START_SECONDS = 60.0


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that the founding makes."""
    folder = tmp_path_factory.mktemp("founded") / "region"
    assert CliRunner().invoke(app, ["init-region", f"--dir={folder}"]).exit_code == 0
    return folder


@contextmanager
def screens(founded: Path, data: Path, **more: str | None) -> Iterator[subprocess.Popen[str]]:
    """Run the screens of the worklist with what their container has."""
    own, public = founded / "web-worklist", founded / "public"
    files = {"keys_file": own / "keys.json", "certificate_file": own / "certificate.pem"}
    files |= {"register_file": public / "register.json", "region_key_file": public / "region-key.json"}
    given = {**files, "data_dir": data, "mode": "production", **more}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None}
    command = [sys.executable, "-m", "signal_exchange.cli.main", "web", "worklist"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def status(port: int, trusted: ssl.SSLContext) -> int:
    """Ask for the log-in page until somebody answers."""
    until = time.monotonic() + START_SECONDS
    while True:
        asked = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=trusted)
        try:
            asked.request("GET", "/aanmelden")
            return asked.getresponse().status
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.1)
        finally:
            asked.close()


def test_screens_run_with_tls_and_without_a_word_of_kafka(founded: Path, tmp_path: Path) -> None:
    port = next(free_ports())
    trusted = ssl.create_default_context(cafile=str(founded / "public" / "ca.pem"))
    with screens(founded, tmp_path, web_port=str(port)) as process:
        assert status(port, trusted) < 500
        assert process.poll() is None


def test_production_refuses_screens_that_others_could_hear_in_plain_text(founded: Path, tmp_path: Path) -> None:
    with screens(founded, tmp_path, listen="0.0.0.0", certificate_file=None) as process:  # noqa: S104 - refused
        said, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1
    assert f"{PREFIX}LISTEN" in said
