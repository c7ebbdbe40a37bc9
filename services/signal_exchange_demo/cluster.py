"""Three Kafka brokers and their controller on this machine: what a region runs, small enough to break in a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from signal_exchange.participants.kafka_files import (
    ADMIN,
    HOST,
    SMALL_AND_QUICK,
    Identity,
    access_settings,
    format_arguments,
    free_ports,
    identity_of,
)
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.private_files import write_private
from signal_exchange_demo.broker import EmbeddedBroker

BROKERS = 3
CONTROLLER = 100
"""Node id of the controller, which stays up while brokers go: what is tried is the loss of copies, not of the quorum."""
_REPLICATED = {
    "offsets.topic.replication.factor": str(BROKERS),
    "transaction.state.log.replication.factor": str(BROKERS),
    "transaction.state.log.min.isr": "2",
    "default.replication.factor": str(BROKERS),
    # A broker that died leaves the copies in sync soon, so that what needs two of them is refused instead of waiting.
    "replica.lag.time.max.ms": "4000",
}


class ClusterNode(EmbeddedBroker):
    """One node of the cluster: a broker, or the controller. It knows the identity that all nodes share."""

    def __init__(self, directory: Path, libs: Path, shared: Identity, number: int) -> None:
        super().__init__(directory, libs)
        self._shared, self.number = shared, number

    @property
    def is_controller(self) -> bool:
        """Say whether this node is the controller."""
        return self.number == CONTROLLER

    def _identity(self) -> Identity:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._shared

    def _ports(self) -> tuple[int, ...]:
        return (self._shared.controller_port,) if self.is_controller else (self._shared.client_port,)

    def _server_settings(self) -> Mapping[str, str]:
        return {
            "process.roles": "controller" if self.is_controller else "broker",
            "node.id": str(self.number),
            "log.dirs": str(self._data),
            **_listeners(self._shared, controller=self.is_controller),
            **access_settings(self._shared),
            **SMALL_AND_QUICK,
            **_REPLICATED,
        }

    def _format_arguments(self) -> str:
        return format_arguments(self._shared, self._properties, controller=self.is_controller)

    def _answers(self) -> bool:
        return self.pid is not None if self.is_controller else super()._answers()


def _listeners(identity: Identity, *, controller: bool) -> dict[str, str]:
    clients = f"CLIENTS://{identity.bootstrap}"
    own = f"CONTROLLER://{HOST}:{identity.controller_port}" if controller else clients
    return {
        "listeners": own,
        "advertised.listeners": own,
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"{HOST}:{identity.controller_port}",
        **({} if controller else {"inter.broker.listener.name": "CLIENTS"}),
    }


class EmbeddedCluster:
    """A controller and three brokers, each in a folder of its own; used like one EmbeddedBroker.

    With `replication` 3 a write is acknowledged when two copies have it.
    """

    replication = BROKERS

    def __init__(self, directory: Path, libs: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        shared = identity_of(directory)
        ports = _client_ports(directory / "ports.json")
        self.controller = ClusterNode(directory / "controller", libs, shared, CONTROLLER)
        self.brokers = tuple(
            ClusterNode(directory / f"broker-{number}", libs, replace(shared, client_port=port), number)
            for number, port in enumerate(ports, start=1)
        )
        self._password = asdict(shared)["admin_password"]

    @property
    def bootstrap(self) -> str:
        """Return every broker's host:port, for clients."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    @property
    def admin_credentials(self) -> KafkaConnection:
        """Return the credentials of the admin, who may do everything."""
        return KafkaConnection(self.bootstrap, ADMIN, self._password)

    def start(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Start every node that does not run, and wait until each answers.

        Raises:
            BrokerError: one cannot start.
        """
        for node in (self.controller, *self.brokers):
            node.start(progress)

    def stop(self) -> None:
        """Stop every node in good order, the controller last."""
        for node in (*self.brokers, self.controller):
            node.stop()

    def kill(self) -> None:
        """End every broker at once, as a power cut does."""
        for node in self.brokers:
            node.kill()


def _client_ports(remembered: Path) -> tuple[int, ...]:
    if not remembered.exists():
        free = free_ports()
        write_private(remembered, json.dumps([next(free) for _ in range(BROKERS)]))
    return tuple(json.loads(remembered.read_text(encoding="utf-8")))
