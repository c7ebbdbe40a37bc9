"""Commands of the screening meeting: the agenda of a week, one item, and freezing."""

from __future__ import annotations

from typing import Annotated

import typer

from signal_exchange import words
from signal_exchange.agenda import alert_commands, link_commands
from signal_exchange.agenda.acting import acting
from signal_exchange.agenda.decision_commands import ItemArgument, decide, follow_up
from signal_exchange.agenda.printing import COLUMNS, details_of, lines_of, row_of
from signal_exchange.cli.context import GROUP, AsJson, Opener, OpenSummary, opener, show_list, tell
from signal_exchange.domain.people import Person
from signal_exchange.domain.refusals import Coded

app = typer.Typer(**GROUP, no_args_is_help=True, help="The agenda of the screening meeting.")
app.add_typer(alert_commands.app, name="alerts")
app.add_typer(link_commands.app, name="links")

Week = Annotated[str | None, typer.Option("--week", help="ISO week, as 2026-W48; without it every undecided item.")]


@app.command("list")
def list_items(*, week: Week = None, as_json: AsJson = False) -> None:
    """List the items in the order of the rules, each with the reason why it is there."""
    with acting() as actions:
        rows = [row_of(row) for row in actions.items(week)]
    show_list(rows, COLUMNS, empty=words.text("agenda.empty"), as_json=as_json)


@app.command()
def show(signal_id: ItemArgument, *, open_summary: OpenSummary = False, by: Opener = None, as_json: AsJson = False) -> None:
    """Show one item with what was decided; --open opens the sealed summary and the words of the decisions."""
    with acting() as actions:
        found = actions.open_words(signal_id, opener(by)) if open_summary else actions.show(signal_id)
    details = details_of(found)
    tell(details, "\n".join(lines_of(details)), as_json=as_json)


@app.command()
def freeze(
    week: Annotated[str, typer.Argument(help="ISO week, as 2026-W48.")],
    by: Annotated[str | None, typer.Option("--by", help="The chain director; needed to make the agenda final.")] = None,
) -> None:
    """Freeze the agenda of a week: the draft once its cut-off has passed, and then the final one."""
    with acting() as actions:
        frozen = actions.freeze(week, None if by is None else Person(by))
    state, version = Coded("agenda_state", frozen.agenda.state), frozen.agenda.version
    counts = {"items": frozen.items, "put_off": frozen.put_off}
    typer.echo(words.text("agenda.frozen", week=week, state=state, version=version, **counts))


app.command("decide")(decide)
app.command("follow-up")(follow_up)
