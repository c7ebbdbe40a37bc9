"""The commands `rebuild`, `backup` and `restore`, for the plan of any service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.backing_up import Making, Opening, back_up
from signal_exchange.stream.backup_key_files import read_backup_key, read_restore_key
from signal_exchange.stream.commands import show_json, show_rows
from signal_exchange.stream.identity import exchange_of
from signal_exchange.stream.rebuilding import Plan, Rebuilt, Tell, rebuild
from signal_exchange.stream.replaying import KafkaReplay, kafka_replay
from signal_exchange.stream.restoring import restore

LEAVE_SECONDS = 15.0
"""How much longer than its session a stopped worker may keep its place in the group."""
ROWS = {"table": "tabel", "rows": "rijen"}


def run_rebuild(plan: Plan, settings: ServiceSettings, *, as_json: bool) -> None:
    """Rebuild a service, with the progress on standard error.

    Raises:
        Refused: see `rebuild`.
        WorldUnavailable: the database or the broker does not answer; the store is as it was.
    """
    with _at_work(plan, settings, "herbouwen") as (replay, tell):
        rebuilt = rebuild(plan, replay, tell)
    if as_json:
        show_json(asdict(rebuilt))
    else:
        _show(rebuilt)


def run_backup(plan: Plan, settings: ServiceSettings, file: Path | None, *, as_json: bool) -> None:
    """Make a back-up, while the service may run.

    Raises:
        Refused: see `back_up`.
        WorldUnavailable: the database or the broker does not answer.
    """
    making = Making(read_backup_key(settings.backup_key_file), exchange_of(settings))
    file = file or Path(f"{plan.spec.name}-{clock.now():%Y%m%dT%H%M%SZ}.backup")
    with _at_work(plan, settings, "kopiëren") as (replay, tell):
        manifest = back_up(plan, file, replay.committed(plan.spec.sources), tell, making)
    if as_json:
        show_json({"file": str(file), **asdict(manifest)})
    else:
        typer.echo(
            f"{file}: {sum(manifest.rows.values())} rijen van {plan.spec.name}, verzegeld, zonder sleutels. Bewaar haar elders."
        )


def run_restore(
    plan: Plan, settings: ServiceSettings, file: Path, key: Path, *, older: str | None, replace: bool, as_json: bool
) -> None:
    """Restore a stopped service from a back-up, with the key that was kept offline; `older` is why an old one may go back.

    Raises:
        Refused: see `restore`.
        WorldUnavailable: the database or the broker does not answer; the store is as it was.
    """
    opening = Opening(read_restore_key(key), exchange_of(settings), older)
    with _at_work(plan, settings, "terugzetten") as (replay, tell):
        restored = restore(plan, file, replay, tell, opening, replace=replace)
    if as_json:
        show_json(asdict(restored))
    else:
        typer.echo(f"{restored.service} staat weer zoals op {restored.made_at}. Start de dienst: zij haalt in wat daarna kwam.")
        if restored.left_out:
            typer.echo(f"{restored.left_out} zaken die de uitwisseling niet meer heeft, zijn niet teruggezet (R-RET-03).")


@contextmanager
def _at_work(plan: Plan, settings: ServiceSettings, what: str) -> Iterator[tuple[KafkaReplay, Tell]]:
    """Open the store and Kafka, and show how far the work is."""
    plan.spec.database.create_tables()
    patience = settings.session_seconds + LEAVE_SECONDS
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f"{plan.spec.name} {what}", total=None)
            with kafka_replay(settings.kafka, plan.spec.name, patience) as replay:
                yield replay, lambda done, of: progress.update(task, completed=done, total=of)
    finally:
        plan.spec.database.close()


def _show(rebuilt: Rebuilt) -> None:
    show_rows([{"table": name, "rows": rows} for name, rows in rebuilt.rows.items()], ROWS, empty="-")
    kept = (
        f"{len(rebuilt.unchanged)} tabellen met wat mensen invoerden of wat nog verstuurd moet worden, zijn aantoonbaar gelijk."
    )
    typer.echo(f"{rebuilt.service} is herbouwd uit {rebuilt.records} records in {rebuilt.seconds} s; {kept}")
