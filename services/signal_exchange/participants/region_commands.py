"""The command `signal-exchange init-region`: makes a region for containers, and brings their Kafka to what the catalogue says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.domain.times import local_day
from signal_exchange.participants.container_files import KEEPER_URLS, write_container_files
from signal_exchange.participants.kafka_files import ADMIN
from signal_exchange.participants.region import SIX, Region, init_region
from signal_exchange.runtime import clock
from signal_exchange.runtime.administration import apply_catalogue
from signal_exchange.runtime.connection import KafkaConnection

app = typer.Typer(add_completion=False)


@app.command("init-region")
def init_region_command(
    folder: Annotated[Path, typer.Option("--dir", help="Folder for the keys and secrets, one folder in it per process.")],
    *,
    municipality: Annotated[list[str] | None, typer.Option(help="CBS code; repeat it. Without: the six of the demo.")] = None,
    bootstrap: Annotated[str, typer.Option(help="Address of a Kafka to set up as well, as host:port.")] = "",
    admin_user: Annotated[str, typer.Option(help="Who may set it up.")] = ADMIN,
    admin_password_file: Annotated[Path | None, typer.Option(help="File with that user's password.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust for TLS; without: no TLS.")] = None,
) -> None:
    """Make a demo region for containers: its keys, register and secrets; with --bootstrap also topics, users and access rules.

    Twice is once: what was made stays, and of Kafka only what differs from the catalogue is changed. One process that makes
    every key is for a demo; in a real region each organisation makes its own.
    """
    region = _region_in(folder, tuple(municipality or SIX))
    write_container_files(region, clock.now())
    typer.echo(words.text("region.founded", municipalities=region.municipalities, folder=str(folder)))
    if bootstrap:
        password = _password(admin_password_file)
        _apply(region, KafkaConnection(bootstrap, admin_user, password, ca_file))


def _region_in(folder: Path, municipalities: tuple[str, ...]) -> Region:
    region = init_region(folder, municipalities, local_day(clock.now()), KEEPER_URLS)
    if set(region.municipalities) != set(municipalities):
        raise RefusedError("FOLDER_OF_ANOTHER_REGION", folder=str(folder), municipalities=region.municipalities)
    return region


def _password(file: Path | None) -> str:
    if file is None:
        raise RefusedError("NO_ADMIN_PASSWORD", field="admin_password_file")
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        raise RefusedError("FILE_UNREADABLE", file=str(file)) from None


def _apply(region: Region, admin: KafkaConnection) -> None:
    applied = apply_catalogue(admin, region.catalogue, region.passwords)
    topics, users, rules = len(applied.topics_created), len(applied.users_created), len(applied.rules_added)
    typer.echo(words.text("region.kafka_set_up", bootstrap=admin.bootstrap, topics=topics, users=users, rules=rules))
