"""The files that the containers of docker-compose.yml need besides the keys of a region, each in a folder of its own.

A container mounts its own folder and the public one, and sees no other's secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from signal_exchange.contracts.topics import CONSUMERS
from signal_exchange.participants.kafka_files import Identity, format_arguments, new_identity, properties_text, server_settings
from signal_exchange.participants.region import KEEPERS, Region
from signal_exchange.privacy.certificates import Authority
from signal_exchange.runtime.private_files import PUBLIC_FOLDER, private_folder, write_private, write_public

KAFKA, POSTGRES, DATABASES = "kafka", "postgres", "databases"
CLIENTS_PORT, CONTROLLER_PORT, OUTSIDE_PORT = 9092, 9093, 9094
"""Ports of Kafka's container: for the other containers, for itself, and for programs on the machine that runs them."""
POSTGRES_PORT = 5432
KEEPER_PORT = 8080
OWN, PUBLIC = Path("/run/region"), Path("/run/public")
"""Where a container mounts its own folder and the public one."""
KAFKA_DATA = Path("/var/lib/kafka/data")
PUBLIC_FILES = ("register.json", "region-key.json")
SCREENS = ("worklist", "worklist-youth")
"""The services whose screens run in a container of their own."""
KEEPER_URLS = {name: f"https://{name}:{KEEPER_PORT}" for name in KEEPERS}


def write_container_files(region: Region, at: datetime) -> None:
    """Write what Kafka, PostgreSQL, keepers and screens need in containers, and how services reach databases; once per folder."""
    done = region.folder / "containers"
    if done.exists():
        return
    authority = Authority.found("Synthetic demo region", at)
    _write_public(region.folder, authority)
    _write_kafka(region.folder / KAFKA, authority)
    _write_postgres(region, authority)
    _write_keepers(region, authority)
    _write_screens(region, authority)
    done.touch()


def _write_public(folder: Path, authority: Authority) -> None:
    public = folder / "public"
    public.mkdir(exist_ok=True)
    public.chmod(PUBLIC_FOLDER)
    for name in PUBLIC_FILES:
        write_public(public / name, (folder / name).read_bytes())
    write_public(public / "ca.pem", authority.pem)


def _write_kafka(folder: Path, authority: Authority) -> None:
    folder.mkdir(exist_ok=True)
    identity = new_identity(CLIENTS_PORT, CONTROLLER_PORT)
    shown = authority.issue([KAFKA, "localhost", "127.0.0.1"])
    write_private(folder / "certificate.pem", (shown.key + shown.certificate).decode())
    write_private(folder / "admin-password", identity.admin_password)
    write_private(folder / "server.properties", properties_text(kafka_settings(identity)))
    again = '"--ignore-formatted"\n'  # at every start but the first, the storage is formatted already
    write_private(folder / "format.arguments", format_arguments(identity, OWN / "server.properties") + again)


def kafka_settings(identity: Identity) -> dict[str, str]:
    """Return the settings of the Kafka node in its container: as the demo's own broker, with TLS for every client."""
    settings = server_settings(identity, KAFKA_DATA)
    own, scram = f"127.0.0.1:{identity.controller_port}", "scram-sha-512.sasl.jaas.config"
    return {
        **settings,
        "listeners": f"CLIENTS://:{CLIENTS_PORT},OUTSIDE://:{OUTSIDE_PORT},CONTROLLER://{own}",
        "advertised.listeners": f"CLIENTS://{KAFKA}:{CLIENTS_PORT},OUTSIDE://127.0.0.1:{OUTSIDE_PORT}",
        "listener.security.protocol.map": "CLIENTS:SASL_SSL,OUTSIDE:SASL_SSL,CONTROLLER:SASL_PLAINTEXT",
        f"listener.name.outside.{scram}": settings[f"listener.name.clients.{scram}"],
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(OWN / "certificate.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(PUBLIC / "ca.pem"),
    }


def _write_postgres(region: Region, authority: Authority) -> None:
    folder = region.folder / POSTGRES
    folder.mkdir(exist_ok=True)
    shown, password = authority.issue([POSTGRES]), secrets.token_urlsafe(24)
    write_private(folder / "certificate.pem", shown.certificate.decode())
    write_private(folder / "key.pem", shown.key.decode())
    write_private(folder / "password", password)
    passwords = {service: secrets.token_urlsafe(24) for service in CONSUMERS}
    databases = region.folder / DATABASES
    databases.mkdir(exist_ok=True)
    write_private(databases / "databases.sql", databases_text(passwords))
    write_private(databases / "pgpass", f"{POSTGRES}:{POSTGRES_PORT}:*:postgres:{password}\n")
    for service, password in passwords.items():
        line = f"{POSTGRES}:{POSTGRES_PORT}:{service}:{service}:{password}\n"
        write_private(region.process_folder(service) / "pgpass", line)


def _write_keepers(region: Region, authority: Authority) -> None:
    for name in KEEPERS:
        shown = authority.issue([name, "127.0.0.1"])
        write_private(region.process_folder(name) / "certificate.pem", (shown.key + shown.certificate).decode())


def _write_screens(region: Region, authority: Authority) -> None:
    """Give the screens of a service what opens its store and what is sealed in it, and nothing of Kafka."""
    for service in SCREENS:
        own, name = region.process_folder(service), f"web-{service}"
        folder = private_folder(region.folder / name)
        shown = authority.issue([name, f"screens.{service}", "localhost", "127.0.0.1"])
        write_private(folder / "certificate.pem", (shown.key + shown.certificate).decode())
        for file in ("keys.json", "pgpass"):
            write_private(folder / file, (own / file).read_text(encoding="utf-8"))


def databases_text(passwords: Mapping[str, str]) -> str:
    """Return the script by which psql makes one database per service, which its own user alone may enter.

    It makes what is missing and leaves what is there: read again it changes nothing, and it mends a first time that broke off.
    """
    lines = ["REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;"]
    for service, password in passwords.items():
        lines += [
            _unless_there(f'CREATE ROLE "{service}" LOGIN', "pg_roles", "rolname", service),
            f"ALTER ROLE \"{service}\" PASSWORD '{password}';",
            _unless_there(f'CREATE DATABASE "{service}" OWNER "{service}"', "pg_database", "datname", service),
            f'REVOKE ALL ON DATABASE "{service}" FROM PUBLIC;',
            f'\\connect "{service}"',
            *(f"{grant};" for grant in erasing_grants(service)),
        ]
    return "\n".join(lines) + "\n"


def _unless_there(statement: str, table: str, column: str, name: str) -> str:
    there = f"SELECT FROM {table} WHERE {column} = '{name}'"
    return f"SELECT '{statement}' WHERE NOT EXISTS ({there}) \\gexec"


def erasing_grants(role: str) -> tuple[str, ...]:
    """Return the grants of a superuser to a service in its own database, so that erased bytes leave the log too (R-RET-03)."""
    grants = (
        "pg_checkpoint",
        "pg_read_all_stats",
        *(f"EXECUTE ON FUNCTION {name}()" for name in ("pg_switch_wal", "pg_ls_waldir")),
    )
    return tuple(f'GRANT {grant} TO "{role}"' for grant in grants)
