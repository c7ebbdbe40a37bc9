"""Commands of the chain director about links: the candidates, and releasing, confirming, rejecting or undoing one (R-LINK-04)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from signal_exchange.agenda.links import Candidate, Links, decide_on
from signal_exchange.agenda.place import PLACE
from signal_exchange.contracts.reference import load_code_lists
from signal_exchange.runtime import clock
from signal_exchange.stream.commands import GROUP, AsJson, By, show_json, show_rows
from signal_exchange.stream.naming import number_of

COLUMNS = {
    "number": "nummer",
    "kind_label": "soort",
    "key_labels": "gedeeld",
    "frequency_label": "komt voor",
    "state_label": "stand",
    "items": "signalen",
    "found_at": "gevonden",
    "overdue": "te laat",
}
FREQUENCIES = {"MORE": "meer dan 10", "COMMON": "veelvoorkomend"}

app = typer.Typer(**GROUP, help="De koppelingen: kandidaten, en wat de ketenregisseur daarover besluit.")
Link = Annotated[str, typer.Argument(help="Link id, or the short number of the list.")]


@app.callback(invoke_without_command=True)
def list_links(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List the links: what is overdue first. Never a value, never a word of a municipality."""
    if ctx.invoked_subcommand is not None:
        return
    with PLACE.reading() as connection:
        rows = [_row(each) for each in Links(connection).candidates()]
    if as_json:
        show_json(rows)
    else:
        show_rows(rows, COLUMNS, empty="Er zijn geen koppelingen.")


@app.command()
def release(link: Link, by: By) -> None:
    """Let the question about a possible same person go out to both municipalities."""
    _decide(link, "RELEASE", by, "de vraag gaat naar beide gemeenten")


@app.command()
def confirm(link: Link, by: By) -> None:
    """Confirm that two signals share a place or means: they become one item."""
    _decide(link, "CONFIRM", by, "de signalen horen bij elkaar")


@app.command()
def reject(link: Link, by: By) -> None:
    """Reject a candidate: it returns only when another kind of key is shared."""
    _decide(link, "REJECT", by, "de signalen horen niet bij elkaar")


@app.command()
def undo(link: Link, by: By) -> None:
    """Undo a confirmed link: clusters and routes are judged again (R-LINK-06)."""
    _decide(link, "UNDO", by, "de koppeling is ongedaan gemaakt")


def _decide(named: str, act: str, who: str, words: str) -> None:
    with PLACE.deciding(PLACE.identity()) as work:
        found = Links(work.connection).find(named)
        decide_on(found, act, who=who, at=clock.now(), work=work)
    typer.echo(f"Vastgelegd: {number_of(found.link_id, 'K')}, {words}.")


def _row(each: Candidate) -> dict[str, Any]:
    codes = load_code_lists()
    return {
        "number": number_of(each.link_id, "K"),
        **asdict(each),
        "kind_label": codes.label_nl("link_kind", each.kind),
        "key_labels": ", ".join(codes.label_nl("link_key_type", name) for name in each.key_types) or "niets meer",
        "frequency_label": FREQUENCIES.get(each.frequency, each.frequency),
        "state_label": "vernietigd" if each.state == "ERASED" else codes.label_nl("link_state", each.state),
        "items": " en ".join(number_of(signal, "P") for signal in (each.signal_a, each.signal_b)),
    }
