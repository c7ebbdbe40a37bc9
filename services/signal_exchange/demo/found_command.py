"""The command `signal-exchange found`: makes a region for containers, and brings their Kafka to what the catalogue says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from signal_exchange.demo.broker_files import ADMIN
from signal_exchange.demo.container_files import KEEPER_URLS, write_container_files
from signal_exchange.demo.founding import Region, found
from signal_exchange.demo.region import SIX
from signal_exchange.domain.times import local_day
from signal_exchange.runtime import clock
from signal_exchange.runtime.administration import apply_catalogue
from signal_exchange.runtime.connection import KafkaConnection
from signal_exchange.runtime.faults import Refused

app = typer.Typer(add_completion=False)


@app.command("found")
def found_region(
    folder: Annotated[Path, typer.Option("--dir", help="Folder for the keys and secrets, one folder in it per process.")],
    *,
    municipality: Annotated[list[str] | None, typer.Option(help="CBS code; repeat it. Without: the six of the demo.")] = None,
    bootstrap: Annotated[str, typer.Option(help="Address of a Kafka to set up as well, as host:port.")] = "",
    admin_user: Annotated[str, typer.Option(help="Who may set it up.")] = ADMIN,
    admin_password_file: Annotated[Path | None, typer.Option(help="File with that user's password.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust for TLS; without: no TLS.")] = None,
) -> None:
    """Found a demo region for containers: its keys, register and secrets; with --bootstrap also topics, users and access rules.

    Twice is once: what was made stays, and of Kafka only what differs from the catalogue is changed. One process that makes
    every key is for a demo; in a real region each organisation makes its own.
    """
    region = _founded(folder, tuple(municipality or SIX))
    write_container_files(region, clock.now())
    typer.echo(f"The region of {', '.join(region.municipalities)} stands in {folder}.")
    if bootstrap:
        password = _password(admin_password_file)
        _apply(region, KafkaConnection(bootstrap, admin_user, password, ca_file))


def _founded(folder: Path, municipalities: tuple[str, ...]) -> Region:
    try:
        region = found(folder, municipalities, local_day(clock.now()), KEEPER_URLS)
    except ValueError as unknown:
        raise Refused(str(unknown)) from None
    if set(region.municipalities) != set(municipalities):
        raise Refused(f"In {folder} stands the region of {', '.join(region.municipalities)}: choose another folder.")
    return region


def _password(file: Path | None) -> str:
    if file is None:
        raise Refused("Name the file with the admin's password: --admin-password-file.")
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        raise Refused(f"The file {file} cannot be read.") from None


def _apply(region: Region, admin: KafkaConnection) -> None:
    applied = apply_catalogue(admin, region.catalogue, region.passwords)
    done = f"{len(applied.topics_created)} topics and {len(applied.users_created)} users made"
    typer.echo(f"Kafka at {admin.bootstrap}: {done}, {len(applied.rules_added)} access rules added.")
