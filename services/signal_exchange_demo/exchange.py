"""The whole exchange on one machine: a real Kafka, two keepers, every service and the nodes of some municipalities."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Self

from signal_exchange.contracts.topics import CONSUMERS, municipality_principal
from signal_exchange.participants.kafka_files import free_ports
from signal_exchange.participants.region import KEEPERS, SIX, Region, init_region
from signal_exchange.runtime.administration import apply_catalogue
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange_demo.broker import EmbeddedBroker
from signal_exchange_demo.cluster import EmbeddedCluster
from signal_exchange_demo.databases import Databases
from signal_exchange_demo.driving import DrivenClock, date_by_producers
from signal_exchange_demo.places import checkout
from signal_exchange_demo.processes import Child, ProcessGroup
from signal_exchange_demo.start.practice import Practice

READY_SECONDS = 180.0
Told = Callable[[str], None]


def kafka_libs() -> Path:
    """Return where the jars of Kafka are."""
    return checkout() / "deploy" / "kafka" / "libs"


def _silently(_message: str) -> None:
    pass


class Exchange:
    """Starts everything in one folder, and stops everything that it started and nothing else.

    `services` are the consumers to run, `nodes` the municipalities whose node runs (all members when None), `broker` another
    Kafka than one node in the folder, `databases` where the stores are when they are not files in the folder, `driven` the clock
    that all follow when it is not the machine's, `sites` the services whose screens run.
    """

    def __init__(
        self,
        folder: Path,
        today: date,
        *,
        municipalities: Iterable[str] = SIX,
        services: Sequence[str] = CONSUMERS,
        nodes: Sequence[str] | None = None,
        libs: Path | None = None,
        settings: dict[str, str] | None = None,
        broker: EmbeddedBroker | EmbeddedCluster | None = None,
        databases: Databases | None = None,
        driven: DrivenClock | None = None,
        sites: Sequence[str] = (),
        told: Told = _silently,
    ) -> None:
        self.folder, self.told = folder, told
        self.region: Region = init_region(folder, municipalities, today)
        self.broker = broker or EmbeddedBroker(folder / "kafka", libs or kafka_libs())
        self.settings, self.databases = {**(settings or {}), **(driven.settings if driven else {})}, databases
        self.driven = driven
        self.practice = Practice(self.region, sites) if sites else None
        self.services = tuple(services)
        self.nodes = tuple(map(municipality_principal, self.region.members if nodes is None else nodes))
        self.processes = ProcessGroup([])

    def __enter__(self) -> Self:
        """Start, or stop what was started when that fails."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start Kafka, apply the catalogue, start every process and wait until each does its work.

        Raises:
            BrokerError: Kafka could not start.
            ChildFailedError: a process ended or was not ready in time.
            DemoError: PostgreSQL refuses to make the databases.
        """
        if self.databases is not None:
            self.told("Databases ...")
            self.databases.make(self.region.processes)
        self.broker.start(self.told)
        self.told("Topics, users and access rules ...")
        copies = self.broker.replication
        apply_catalogue(self.broker.admin_credentials, self.region.catalogue, self.region.passwords, copies)
        if self.driven is not None:
            date_by_producers(self.admin, (topic.name for topic in self.region.catalogue.topics))
        self.processes = ProcessGroup(self._children())
        self.told(f"Starting {len(self.processes.children)} processes ...")
        self.processes.start()
        self._await_ready(self.processes.children)
        # After the consumers, which make the stores: two that make one at once wait for each other, on a busy machine too long.
        sites = self._sites()
        self.processes.add(sites)
        self._await_ready([each.name for each in sites])

    def _await_ready(self, new: Collection[str]) -> None:
        def told(name: str) -> None:
            if name in new:
                self.told(f"{name} is ready")

        self.processes.await_ready(READY_SECONDS, told)

    def stop(self) -> None:
        """Stop every process and then Kafka."""
        self.processes.stop()
        self.broker.stop()

    @property
    def admin(self) -> KafkaConnection:
        """Return the connection of the broker's owner, who looks from outside."""
        return self.broker.admin_credentials

    def connection(self, principal: str) -> KafkaConnection:
        """Return the connection of a principal."""
        return KafkaConnection(self.broker.bootstrap, principal, self.region.passwords[principal])

    def environment(self, name: str, metrics_port: int = 0) -> dict[str, str]:
        """Return the settings of one process, and write them to its env file for whoever wants to look inside."""
        common = self.region.environment(name, self.broker.bootstrap, metrics_port)
        settings = {**common, **self._store(name), **self._screens.get(name, {}), **self.settings}
        lines = "".join(f"{variable}={value}\n" for variable, value in settings.items())
        (self.region.process_folder(name) / "env").write_text(lines, encoding="utf-8")
        return settings

    def _store(self, name: str) -> dict[str, str]:
        return {"SIGNAL_EXCHANGE_DATABASE_URL": self.databases.address_of(name)} if self.databases is not None else {}

    @cached_property
    def _screens(self) -> Mapping[str, dict[str, str]]:
        return self.practice.settings() if self.practice else {}

    def command(self, name: str, *arguments: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Run one signal-exchange command with the settings of a process, and return what it said."""
        inherited = {variable: value for variable, value in os.environ.items() if not variable.startswith("SIGNAL_EXCHANGE_")}
        environment = {**inherited, **self.environment(name)}
        command = [sys.executable, "-m", "signal_exchange.cli.main", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, check=False)

    def publish(self, files: Mapping[str, Path], *options: str) -> dict[str, subprocess.CompletedProcess[str]]:
        """Publish a file per municipality with the ordinary command, two at a time; return what each said."""
        with ThreadPoolExecutor(2) as pool:
            jobs = {code: pool.submit(self._publish, code, file, *options) for code, file in files.items()}
            return {code: job.result() for code, job in jobs.items()}

    def _publish(self, code: str, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
        node = municipality_principal(code)
        return self.command(node, "publish", str(file), "--municipality", code, "--json", *options)

    def _children(self) -> list[Child]:
        ports = free_ports(taken=self.region.ports.values())
        keepers = [self._child(name, ("run", "keeper"), self.region.ports[name], "/v1/sleutels") for name in KEEPERS]
        services = [self._child(name, ("run", name), next(ports), "/health/ready") for name in self.services]
        nodes = [self._child(name, ("run", "municipality"), next(ports), "/health/ready") for name in self.nodes]
        return [*nodes, *services, *keepers]

    def _sites(self) -> list[Child]:
        if self.practice is None:
            return []
        log = self.folder / "logs"
        return [
            Child(
                f"web-{name}",
                ("web", name),
                self.environment(name),
                log / f"web-{name}.log",
                f"http://127.0.0.1:{port}/aanmelden",
            )
            for name, port in ((each, self.practice.ports[each]) for each in self.practice.sites)
        ]

    def _child(self, name: str, arguments: tuple[str, ...], port: int, path: str) -> Child:
        environment = self.environment(name, metrics_port=port)
        return Child(name, arguments, environment, self.folder / "logs" / f"{name}.log", f"http://127.0.0.1:{port}{path}")
