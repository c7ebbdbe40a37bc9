"""Commands of linking: which links there are and where they stand. No value is ever shown (R-LINK-05)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.domain.link_states import CANDIDATE, CONFIRMED
from signal_exchange.linking.records import Link
from signal_exchange.linking.store import TABLES, LinkingStore
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.commands import GROUP, AsJson, Place, show_json, show_rows, shown

app = typer.Typer(**GROUP, no_args_is_help=True, help="Samenhang tussen signalen, zonder te weten om wie het gaat.")
PLACE = Place("linking", TABLES)
LISTED = {
    "link_id": "koppeling",
    "kind": "soort",
    "types": "gedeeld",
    "frequency": "komt voor",
    "state": "stand",
    "overdue": "te laat",
}
FIELD = {"name": "gegeven", "value": "waarde"}
_HIDDEN = frozenset({"refs", "versions", "last_day"})
Everything = Annotated[bool, typer.Option("--all", help="The rejected, revoked and expired ones too.")]


@app.command("list")
def list_links(*, everything: Everything = False, as_json: AsJson = False) -> None:
    """List the candidates and the confirmed links, oldest first."""
    with PLACE.reading() as connection:
        found = LinkingStore(connection).all_links()
    rows = [_row(link) for link in found if everything or link.state in (CANDIDATE, CONFIRMED)]
    if as_json:
        show_json(rows)
    else:
        show_rows([*map(_labelled, rows)], LISTED, empty="Er is nog geen samenhang gevonden.")


@app.command()
def show(link_id: str, *, as_json: AsJson = False) -> None:
    """Show one link: both signals by their random ids, what kind of value they share, and who must still answer."""
    with PLACE.reading() as connection:
        link = LinkingStore(connection).links([link_id]).get(link_id)
    if link is None:
        raise Refused("Deze koppeling is hier niet bekend.")
    row = _row(link)
    if as_json:
        show_json(row)
    else:
        lines = [
            {"name": name, "value": shown(", ".join(value) if isinstance(value, tuple) else value)} for name, value in row.items()
        ]
        show_rows(lines, FIELD, empty="")


def _row(link: Link) -> dict[str, Any]:
    return {name: value for name, value in asdict(link).items() if name not in _HIDDEN}


def _labelled(row: dict[str, Any]) -> dict[str, Any]:
    codes = load_code_lists()
    types = ", ".join(codes.label_nl("link_key_type", each) for each in row["key_types"])
    return {
        **row,
        "types": types,
        "kind": codes.label_nl("link_kind", row["kind"]),
        "state": codes.label_nl("link_state", row["state"]),
    }
