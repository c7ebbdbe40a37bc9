"""The commands `rebuild`, `backup` and `restore`, for the plan of any service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from signal_exchange import words
from signal_exchange.cli.context import show_json, show_rows
from signal_exchange.recovery.backing_up import Making, Opening, back_up
from signal_exchange.recovery.backup_key_files import read_backup_key, read_restore_key
from signal_exchange.recovery.rebuilding import Plan, Rebuilt, Tell, rebuild
from signal_exchange.recovery.replaying import KafkaReplay, kafka_replay
from signal_exchange.recovery.restoring import restore
from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import ServiceSettings
from signal_exchange.stream.identity import exchange_of

LEAVE_SECONDS = 15.0
"""How much longer than its session a stopped worker may keep its place in the group."""
ROWS = {"table": "column.table", "rows": "column.rows"}


def run_rebuild(plan: Plan, settings: ServiceSettings, *, as_json: bool) -> None:
    """Rebuild a service, with the progress on standard error.

    Raises:
        RefusedError: see `rebuild`.
        WorldUnavailableError: the database or the broker does not answer; the store is as it was.
    """
    with _at_work(plan, settings, "store.rebuilding") as (replay, tell):
        rebuilt = rebuild(plan, replay, tell)
    if as_json:
        show_json(asdict(rebuilt))
    else:
        _show(rebuilt)


def run_backup(plan: Plan, settings: ServiceSettings, file: Path | None, *, as_json: bool) -> None:
    """Make a back-up, while the service may run.

    Raises:
        RefusedError: see `back_up`.
        WorldUnavailableError: the database or the broker does not answer.
    """
    making = Making(read_backup_key(settings.backup_key_file), exchange_of(settings))
    file = file or Path(f"{plan.spec.name}-{clock.now():%Y%m%dT%H%M%SZ}.backup")
    with _at_work(plan, settings, "store.copying") as (replay, tell):
        manifest = back_up(plan, file, replay.committed(plan.spec.sources), tell, making)
    if as_json:
        show_json({"file": str(file), **asdict(manifest)})
    else:
        rows = sum(manifest.rows.values())
        typer.echo(words.text("store.backed_up", file=str(file), count=rows, service=plan.spec.name))


def run_restore(
    plan: Plan, settings: ServiceSettings, file: Path, key: Path, *, older: str | None, replace: bool, as_json: bool
) -> None:
    """Restore a stopped service from a back-up, with the key that was kept offline; `older` is why an old one may go back.

    Raises:
        RefusedError: see `restore`.
        WorldUnavailableError: the database or the broker does not answer; the store is as it was.
    """
    opening = Opening(read_restore_key(key), exchange_of(settings), older)
    with _at_work(plan, settings, "store.restoring") as (replay, tell):
        restored = restore(plan, file, replay, tell, opening, replace=replace)
    if as_json:
        show_json(asdict(restored))
    else:
        typer.echo(words.text("store.restored", service=restored.service, made_at=str(restored.made_at)))
        if restored.left_out:
            typer.echo(words.text("store.left_out", count=restored.left_out))


@contextmanager
def _at_work(plan: Plan, settings: ServiceSettings, what: str) -> Iterator[tuple[KafkaReplay, Tell]]:
    """Open the store and Kafka, and show how far the work is."""
    plan.spec.database.create_tables()
    patience = settings.session_seconds + LEAVE_SECONDS
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f"{plan.spec.name} {words.text(what)}", total=None)
            with kafka_replay(settings.kafka, plan.spec.name, patience) as replay:
                yield replay, lambda done, of: progress.update(task, completed=done, total=of)
    finally:
        plan.spec.database.close()


def _show(rebuilt: Rebuilt) -> None:
    show_rows([{"table": name, "rows": rows} for name, rows in rebuilt.rows.items()], ROWS, empty="-")
    kept = words.text("store.unchanged", count=len(rebuilt.unchanged))
    service, records, seconds = rebuilt.service, rebuilt.records, rebuilt.seconds
    typer.echo(words.text("store.rebuilt", service=service, records=records, seconds=seconds, kept=kept))
