"""A real Kafka of our own on this machine: one KRaft node for the demo and the tests, in its own directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Self

from signal_exchange.participants.kafka_files import (
    ADMIN,
    Identity,
    format_arguments,
    identity_of,
    port_is_free,
    properties_text,
    server_settings,
)
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.kafka import answers
from signal_exchange.runtime.private_files import write_private
from signal_exchange_demo.broker_log import reason_in
from signal_exchange_demo.die_with_parent import die_with_parent
from signal_exchange_demo.java import BrokerError, require_java, require_libs

Progress = Callable[[str], None]

START_SECONDS = 120.0
STOP_SECONDS = 20.0
LEAST_FREE_BYTES = 256 * 1024 * 1024
JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError")
"""A small Java that starts quickly; a broker under real load wants another one."""


def _say_nothing(_message: str) -> None:
    return


class EmbeddedBroker:
    """One Kafka node whose data, ports, log and admin's password stay in its directory.

    `libs` holds the jars, with log4j2.properties beside that folder. `settings` are added to the node's own. It never
    outlives the process that started it, and it is not safe to share between threads: start it from the main thread.
    """

    replication = 1

    def __init__(
        self,
        directory: Path,
        libs: Path,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        java: str = "java",
        least_free_bytes: int = LEAST_FREE_BYTES,
    ) -> None:
        self._directory = directory.resolve()
        self._libs = libs.resolve()
        self._settings = settings
        self._java = java
        self._least_free_bytes = least_free_bytes
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """Return host:port for clients, the same at every start."""
        return self._identity().bootstrap

    @property
    def admin_credentials(self) -> KafkaConnection:
        """Return the credentials of the admin, who may do everything."""
        identity = self._identity()
        return KafkaConnection(identity.bootstrap, ADMIN, identity.admin_password)

    @property
    def log_file(self) -> Path:
        """Return the file that the broker writes its log to, over all its starts."""
        return self._directory / "broker.log"

    @property
    def pid(self) -> int | None:
        """Return the process id of the running broker, or None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self, progress: Progress = _say_nothing) -> None:
        """Start the broker and wait until it answers; nothing happens when it runs already.

        Raises:
            BrokerError: it cannot start; says why in one sentence, and nothing is left running.
        """
        if self.pid is not None:
            return
        self._check_programs()
        with self._directory_needed():
            self._check_place()
            self._format_once(progress)
        progress("Starting Kafka")
        log_begins = self._log_size()
        self._process = self._run(*JVM, *self._class_path(), "kafka.Kafka", str(self._properties))
        try:
            self._await_answer(log_begins)
        except BaseException:
            self.kill()
            raise
        progress(f"Kafka answers on {self.bootstrap}")

    def stop(self) -> None:
        """Stop the broker in good order, by force when it takes too long; its data stays."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End the broker at once, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _identity(self) -> Identity:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return identity_of(self._directory)

    @property
    def _properties(self) -> Path:
        return self._directory / "server.properties"

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _check_programs(self) -> None:
        require_java(self._java)
        require_libs(self._libs)

    @contextmanager
    def _directory_needed(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BrokerError(f"The directory {self._directory} cannot be used: {error.strerror}.") from error

    def _ports(self) -> tuple[int, ...]:
        identity = self._identity()
        return identity.client_port, identity.controller_port

    def _server_settings(self) -> Mapping[str, str]:
        return server_settings(self._identity(), self._data)

    def _format_arguments(self) -> str:
        return format_arguments(self._identity(), self._properties)

    def _check_place(self) -> None:
        self._identity()
        self._require_room()
        for port in self._ports():
            if not port_is_free(port):
                raise BrokerError(f"Port {port} is taken by another program, or this broker runs already: end that one first.")

    def _require_room(self) -> None:
        if shutil.disk_usage(self._directory).free < self._least_free_bytes:
            megabytes = self._least_free_bytes // 1024**2
            raise BrokerError(f"The disk is full: Kafka needs at least {megabytes} MB free in {self._directory}.")

    def _format_once(self, progress: Progress) -> None:
        settings = {**self._server_settings(), **self._settings}
        write_private(self._properties, properties_text(settings))
        formatted = self._directory / "formatted"
        if not formatted.exists():
            progress("Preparing the storage of Kafka")
            shutil.rmtree(self._data, ignore_errors=True)  # what an interrupted formatting left, never data
            self._format()
            formatted.touch()

    def _format(self) -> None:
        log_begins = self._log_size()
        arguments = self._directory / "format.arguments"
        write_private(arguments, self._format_arguments())
        try:
            code = self._run(*JVM, *self._class_path(), f"@{arguments}").wait()
        finally:
            arguments.unlink()
        if code:
            raise BrokerError(self._reason(log_begins))

    def _class_path(self) -> tuple[str, ...]:
        log_settings = self._libs.with_name("log4j2.properties")
        return (f"-Dlog4j2.configurationFile={log_settings}", "-cp", f"{self._libs}/*")

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        with os.fdopen(os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            return subprocess.Popen(
                die_with_parent([self._java, *arguments]),
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,  # Ctrl-C is for whoever started it, who stops things in order
            )

    def _await_answer(self, log_begins: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.pid is None:
                raise BrokerError(self._reason(log_begins))
            if time.monotonic() > deadline:
                raise BrokerError(f"Kafka does not answer after {START_SECONDS:.0f} s; its log is {self.log_file}.")
            time.sleep(0.05)

    def _answers(self) -> bool:
        return answers(self.admin_credentials, seconds=5)

    def _log_size(self) -> int:
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def _reason(self, log_begins: int) -> str:
        with self.log_file.open("rb") as log:
            log.seek(log_begins)
            return reason_in(log.read().decode(errors="replace"), self._directory, self.log_file)
