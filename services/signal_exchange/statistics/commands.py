"""Commands of statistics: raw counts, for who keeps the figures. A release with suppressed cells is another thing (R-STAT-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from signal_exchange.contracts.reference import load_code_lists, load_members
from signal_exchange.runtime.faults import Refused
from signal_exchange.statistics.store import TABLES, ReportCount, StatisticsStore
from signal_exchange.stream.commands import GROUP, AsJson, Place, show_json, show_rows, shown

RAW = "RUWE TELLING: niet onderdrukt en niet afgerond. Niet voor publicatie en niet om te delen."
"""Stands above every raw count: small numbers can point at a person."""
COLUMNS = {"name": "gemeente", "label": "vorm", "reports": "signalen"}
FACT = {"name": "gegeven", "value": "waarde"}
PLACE = Place("statistics", TABLES)

app = typer.Typer(**GROUP, no_args_is_help=True, help="Regionale cijfers.")
Year = Annotated[int | None, typer.Option("--year", help="Only reports published in this year.", min=2000, max=2999)]


@app.command("list")
def list_counts(*, year: Year = None, as_json: AsJson = False) -> None:
    """Count the reports by municipality and primary form (R-STAT-01, I01), raw and unsuppressed: not for publication."""
    since, until = (f"{year}-01-01", f"{year}-12-31") if year else ("0000", "9999")
    with PLACE.reading() as connection:
        counts = StatisticsStore(connection).report_counts(since, until)
    if as_json:
        show_json(
            {"raw": True, "for_publication": False, "note": RAW, "year": year, "reports": [asdict(each) for each in counts]}
        )
        return
    typer.echo(RAW)
    show_rows([*map(_labelled, counts), _total(counts)] if counts else [], COLUMNS, empty="Er zijn nog geen signalen geteld.")


@app.command()
def show(observation_id: str, *, as_json: AsJson = False) -> None:
    """Show one fact under its random id, which leads to no signal."""
    with PLACE.reading() as connection:
        fact = StatisticsStore(connection).fact(observation_id)
    if fact is None:
        raise Refused("Dit feit is hier niet bekend.")
    if as_json:
        show_json(fact)
    else:
        show_rows([{"name": name, "value": shown(value)} for name, value in fact.items()], FACT, empty="")


def _labelled(count: ReportCount) -> dict[str, object]:
    member = load_members().get(count.municipality)
    label = load_code_lists().label_nl("form_of_exploitation", count.form)
    return {"name": member.name if member else count.municipality, "label": label, "reports": count.reports}


def _total(counts: Sequence[ReportCount]) -> dict[str, object]:
    return {"name": "regio", "label": "alle vormen", "reports": sum(each.reports for each in counts)}
