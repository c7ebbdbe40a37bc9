"""Commands of linking: which links there are and where they stand. No value is ever shown (R-LINK-05)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, CommandContext, show_list, shown
from signal_exchange.linking.actions import LinkingActions
from signal_exchange.linking.records import Link
from signal_exchange.linking.tables import TABLES

app = typer.Typer(**GROUP, no_args_is_help=True, help="Links between signals, without knowing whom they are about.")
acting = CommandContext("linking", TABLES, LinkingActions).acting
"""Opens the actions of linking for one command."""
LISTED = {
    "link_id": "column.link",
    "kind": "column.kind",
    "types": "column.shared",
    "frequency": "column.frequency",
    "state": "column.state",
    "overdue": "column.late",
}
FIELD = {"name": "column.field", "value": "column.value"}
_HIDDEN = frozenset({"refs", "versions", "last_day"})
Everything = Annotated[bool, typer.Option("--all", help="The rejected, revoked and expired ones too.")]


@app.command("list")
def list_links(*, everything: Everything = False, as_json: AsJson = False) -> None:
    """List the candidates and the confirmed links, oldest first."""
    with acting() as actions:
        rows = [_row(link) for link in actions.links(ended=everything)]
    show_list([*map(_labelled, rows)], LISTED, value=rows, empty=words.text("linking.empty"), as_json=as_json)


@app.command()
def show(link_id: str, *, as_json: AsJson = False) -> None:
    """Show one link: both signals by their random ids, what kind of value they share, and who must still answer."""
    with acting() as actions:
        row = _row(actions.link(link_id))
    lines = [{"name": name, "value": shown(", ".join(each) if isinstance(each, tuple) else each)} for name, each in row.items()]
    show_list(lines, FIELD, value=row, empty="", as_json=as_json)


def _row(link: Link) -> dict[str, Any]:
    return {name: value for name, value in asdict(link).items() if name not in _HIDDEN}


def _labelled(row: dict[str, Any]) -> dict[str, Any]:
    types = ", ".join(words.label("link_key_type", each) for each in row["key_types"])
    return {
        **row,
        "types": types,
        "kind": words.label("link_kind", row["kind"]),
        "state": words.label("link_state", row["state"]),
    }
