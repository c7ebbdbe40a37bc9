"""Commands of the chain director about links: the candidates, and releasing, confirming, rejecting or undoing one (R-LINK-04)."""

from __future__ import annotations

from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.agenda.acting import acting
from signal_exchange.agenda.actions import LinkAct
from signal_exchange.agenda.printing import LINK_COLUMNS, link_of
from signal_exchange.cli.context import GROUP, AsJson, By, show_list
from signal_exchange.cli.naming import number_of
from signal_exchange.domain.people import Person

app = typer.Typer(**GROUP, help="The links: candidates, and what the chain director decides about them.")
Link = Annotated[str, typer.Argument(help="Link id, or the short number of the list.")]


@app.callback(invoke_without_command=True)
def list_links(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List the links: what is overdue first. Never a value, never a word of a municipality."""
    if ctx.invoked_subcommand is not None:
        return
    with acting() as actions:
        rows = [link_of(each) for each in actions.links()]
    show_list(rows, LINK_COLUMNS, empty=words.text("link.empty"), as_json=as_json)


@app.command()
def release(link: Link, by: By) -> None:
    """Let the question about a possible same person go out to both municipalities."""
    _decide(link, "RELEASE", by, words.text("link.released"))


@app.command()
def confirm(link: Link, by: By) -> None:
    """Confirm that two signals share a place or means: they become one item."""
    _decide(link, "CONFIRM", by, words.text("link.confirmed"))


@app.command()
def reject(link: Link, by: By) -> None:
    """Reject a candidate: it returns only when another kind of key is shared."""
    _decide(link, "REJECT", by, words.text("link.rejected"))


@app.command()
def undo(link: Link, by: By) -> None:
    """Undo a confirmed link: clusters and routes are judged again (R-LINK-06)."""
    _decide(link, "UNDO", by, words.text("link.undone"))


def _decide(named: str, act: LinkAct, by: str, said: str) -> None:
    with acting() as actions:
        found = actions.decide_link(named, act, Person(by))
    typer.echo(words.text("link.decided", number=number_of(found.link_id, "K"), said=said))
