"""Commands of statistics: raw counts, for who keeps the figures. A release with suppressed cells is another thing (R-STAT-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, CommandContext, show_json, show_list, show_rows, shown
from signal_exchange.reference.loading import load_members
from signal_exchange.statistics.actions import StatisticsActions
from signal_exchange.statistics.store import TABLES, ReportCount

COLUMNS = {"name": "column.municipality", "label": "column.form", "reports": "column.signals"}
FACT = {"name": "column.field", "value": "column.value"}

app = typer.Typer(**GROUP, no_args_is_help=True, help="The figures of the region.")
Year = Annotated[int | None, typer.Option("--year", help="Only reports published in this year.", min=2000, max=2999)]


acting = CommandContext("statistics", TABLES, StatisticsActions).acting
"""Opens the actions of statistics for one command."""


@app.command("list")
def list_counts(*, year: Year = None, as_json: AsJson = False) -> None:
    """Count the reports by municipality and primary form (R-STAT-01, I01), raw and unsuppressed: not for publication."""
    with acting() as actions:
        counts = actions.report_counts(year)
    raw = words.text("statistics.raw")  # small numbers can point at a person
    if as_json:
        show_json(
            {"raw": True, "for_publication": False, "note": raw, "year": year, "reports": [asdict(each) for each in counts]}
        )
        return
    typer.echo(raw)
    show_rows([*map(_labelled, counts), _total(counts)] if counts else [], COLUMNS, empty=words.text("statistics.empty"))


@app.command()
def show(observation_id: str, *, as_json: AsJson = False) -> None:
    """Show one fact under its random id, which leads to no signal."""
    with acting() as actions:
        fact = actions.show(observation_id)
    rows = [{"name": name, "value": shown(value)} for name, value in fact.items()]
    show_list(rows, FACT, value=fact, empty="", as_json=as_json)


def _labelled(count: ReportCount) -> dict[str, object]:
    member = load_members().get(count.municipality)
    label = words.label("form_of_exploitation", count.form)
    return {"name": member.name if member else count.municipality, "label": label, "reports": count.reports}


def _total(counts: Sequence[ReportCount]) -> dict[str, object]:
    return {
        "name": words.text("statistics.region"),
        "label": words.text("statistics.all_forms"),
        "reports": sum(each.reports for each in counts),
    }
