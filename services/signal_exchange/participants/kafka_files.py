"""The files of a broker in its own directory: its identity, and the settings and formatting of one KRaft node."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from signal_exchange.runtime.private_files import write_private

ADMIN = "admin"
HOST = "127.0.0.1"
PORTS = range(20_000, 30_000)
"""Below the ports that outgoing connections take: a client that knocks on a stopped broker must not become its port."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a broker, the same at every start: ports, cluster id and the admin's password."""

    client_port: int
    controller_port: int
    cluster_id: str
    admin_password: str = field(repr=False)

    @property
    def bootstrap(self) -> str:
        """Return host:port for clients."""
        return f"{HOST}:{self.client_port}"


def identity_of(directory: Path) -> Identity:
    """Return the identity of the broker of this directory; at first sight it gets free ports, a cluster id and a password."""
    file = directory / "broker.json"
    if not file.exists():
        free = free_ports()
        write_private(file, json.dumps(asdict(new_identity(next(free), next(free)))))
    return Identity(**json.loads(file.read_text(encoding="utf-8")))


def new_identity(client_port: int, controller_port: int) -> Identity:
    """Return the identity of a new broker at these ports."""
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return Identity(client_port, controller_port, cluster_id, secrets.token_urlsafe(24))


_GIVEN: dict[int, socket.socket] = {}
"""Ports that this process has given out, each with the socket that says so to other processes until this one ends."""


def free_ports(taken: Iterable[int] = ()) -> Iterator[int]:
    """Yield loopback ports that are free now and that no process was given; `taken` are those that were given out long ago."""
    candidates = sorted(set(PORTS).difference(taken))
    secrets.SystemRandom().shuffle(candidates)  # processes that seed `random` alike need not knock on the same ports
    for port in candidates:
        if port not in _GIVEN and port_is_free(port) and _reserved(port):
            yield port


def _reserved(port: int) -> bool:
    """Say whether this process now holds the port, which whoever was given it may not listen on for a long time.

    The sign of it is the UDP port of the same number: nobody here listens on UDP, two processes cannot both hold it, and the
    system takes it back from a process that was killed.
    """
    sign = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sign.bind((HOST, port))
    except OSError:
        sign.close()
        return False
    _GIVEN[port] = sign
    return True


def port_is_free(port: int) -> bool:
    """Say whether a loopback port can be listened on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def properties_text(settings: Mapping[str, str]) -> str:
    """Return settings as a Java properties file."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def server_settings(identity: Identity, data: Path) -> dict[str, str]:
    """Return every setting of the node: who may come in, and a small, quick single broker."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "log.dirs": str(data),
        **_listeners(identity),
        **access_settings(identity),
        **SMALL_AND_QUICK,
    }


def _listeners(identity: Identity) -> dict[str, str]:
    return {
        "listeners": f"CLIENTS://{identity.bootstrap},CONTROLLER://{HOST}:{identity.controller_port}",
        "advertised.listeners": f"CLIENTS://{identity.bootstrap}",
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"{HOST}:{identity.controller_port}",
    }


def access_settings(identity: Identity) -> dict[str, str]:
    """Return the rules of access: the admin and the users it makes by SCRAM, and nobody without a rule."""
    admin = f'required username="{ADMIN}" password="{identity.admin_password}"'
    scram, plain = (f"org.apache.kafka.common.security.{name} {admin}" for name in (_SCRAM, _PLAIN))
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{ADMIN}",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": f"{scram};",
        # The controller knows no SCRAM users before it has read its log, and without a password any local user could rule it.
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": f'{plain} user_{ADMIN}="{identity.admin_password}";',
    }


_SCRAM = "scram.ScramLoginModule"
_PLAIN = "plain.PlainLoginModule"
SMALL_AND_QUICK = {
    "auto.create.topics.enable": "false",
    # The broker makes room for a request before it has read it, as much as its first four bytes say; the default is 100 MB.
    "socket.request.max.bytes": "1310720",
    "group.initial.rebalance.delay.ms": "0",
    # After a kill the controller waits this long before it lets the same broker in again.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    "log.cleaner.dedupe.buffer.size": "8388608",
    "log.index.size.max.bytes": "2097152",
    "offsets.topic.num.partitions": "3",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}


def format_arguments(identity: Identity, settings: Path, *, controller: bool = True) -> str:
    """Return the arguments of the storage tool as a Java argument file: on a command line everybody could read the password.

    A node that is no controller gets the users from the one that is.
    """
    scram = f"SCRAM-SHA-512=[name={ADMIN},password={identity.admin_password}]"
    cluster = f"--cluster-id={identity.cluster_id}"  # in one word, since an id may begin with a hyphen
    alone = ("--standalone", "--add-scram", scram) if controller else ()
    words = ("format", cluster, "--config", str(settings), *alone)
    return "kafka.tools.StorageTool\n" + "".join(f'"{word}"\n' for word in words)
