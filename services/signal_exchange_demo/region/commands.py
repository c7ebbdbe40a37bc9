"""The commands `signal-exchange region`: make a synthetic region as files, check it, and measure the leak guard on it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from signal_exchange_demo.refusing import DemoError
from signal_exchange_demo.region.checking import check_region
from signal_exchange_demo.region.guard_score import score_guard
from signal_exchange_demo.region.plan import NoSuchRegionError, TargetedProject
from signal_exchange_demo.region.writing import generate

app = typer.Typer(help="Synthetic regions: nobody in them is real, and what is true about them is known.", no_args_is_help=True)
DAY = "%Y-%m-%d"
Day = Annotated[datetime, typer.Option("--start", formats=[DAY], help="First day of the period.", show_default="2025-11-24")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object; progress goes to stderr.")]


@app.callback()
def _group() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # also where the shell had the first one ignored, as in the background
        signal.signal(number, signal.default_int_handler)


@app.command("generate")
def generate_command(
    out: Annotated[Path, typer.Argument(help="Folder to make; it must not be there yet, or be empty.")],
    *,
    start: Day = datetime(2025, 11, 24),  # noqa: DTZ001 - a day
    weeks: Annotated[int, typer.Option(min=1, help="Length of the period.")] = 52,
    scale: Annotated[float, typer.Option(help="Size: 1 is the real region, with about 123 signals a year.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed and arguments give the same bytes.")] = 1,
    project: Annotated[
        str | None, typer.Option(help="A targeted project, as GM0983:2026-03-02:8 (municipality, first day, weeks).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a region with its truth: all of it or, when stopped, nothing."""
    try:
        with _progress("making a synthetic region") as told:
            targeted = _project(project) if project else None
            manifest = generate(seed, start.date(), weeks, scale, out, project=targeted, told=told)
    except NoSuchRegionError as wrong:
        raise DemoError(f"There is no such region. {wrong}") from None
    except KeyboardInterrupt:
        typer.echo("Stopped; nothing was written.", err=True)
        raise typer.Exit(130) from None
    typer.echo(json.dumps(manifest, indent=2) if as_json else _as_text(out, manifest))


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _project(text: str) -> TargetedProject:
    municipality, *rest = text.split(":")
    try:
        first, weeks = rest
        return TargetedProject(date.fromisoformat(first), int(weeks), municipality)
    except ValueError:
        raise NoSuchRegionError("project: write it as GM0983:2026-03-02:8.") from None


def _as_text(out: Path, manifest: dict[str, Any]) -> str:
    counts = {name: sum(kinds.values()) for name, kinds in manifest["counts"].items() if name != "forms"}
    arrivals = manifest["counts"]["arrivals"]
    lines = [f"{out}: {arrivals.get('new', 0)} signals of {len(manifest['arguments']['municipalities'])} municipalities."]
    return "\n".join([*lines, *(f"  {name.replace('_', ' ')}: {count}" for name, count in counts.items())])


@app.command("check")
def check_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a region.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Check a region: is it whole, does it hold together, and does nothing of a person leave? Exit code 1 when not."""
    with _progress("reading records") as told:
        checks = check_region(folder, told)
    if as_json:
        typer.echo(
            json.dumps({"holds": all(check.holds for check in checks), "checks": [each.as_json() for each in checks]}, indent=2)
        )
    else:
        for each in checks:
            places = f" ({each.fault_count}: {', '.join(each.faults)})" if each.faults else ""
            typer.echo(f"{'holds' if each.holds else 'FAILS'}  {each.name}, {each.looked_at} times{places}")
    raise typer.Exit(0 if all(check.holds for check in checks) else 1)


@app.command("guard")
def guard_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a region.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Measure the leak guard on the texts of a region (R-LEAK-04). Exit code 1 when a release may not have it."""
    with _progress("reading texts") as told:
        score = score_guard(folder, told)
    figures = score.as_json()
    typer.echo(json.dumps(figures, indent=2) if as_json else _guard_text(figures))
    raise typer.Exit(0 if figures["fit_for_release"] else 1)


def _guard_text(figures: dict[str, Any]) -> str:
    lines = [f"{figures['texts']} texts, {figures['false_alarms_per_100_texts']} false alarms in 100."]
    for kind, figure in {**figures["types"], "numbers": figures["numbers"]}.items():
        alarms = f", {figure['false_alarms']} false alarms" if "false_alarms" in figure else ""
        lines.append(
            f"  {kind}: {figure['caught']} of {figure['planted']}, recall {figure['recall']} {figure['interval']}{alarms}"
        )
    return "\n".join(lines)
