"""Commands of an operator of a keeper: make and destroy epoch keys, admit municipalities, let one ask more for a while."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from signal_exchange import words
from signal_exchange.domain.ids import MunicipalityCode, parse_municipality_code
from signal_exchange.pseudonyms.actions import KeeperActions
from signal_exchange.pseudonyms.store import Quota, QuotaRaise
from signal_exchange.runtime import clock
from signal_exchange.runtime.settings import KeeperSettings, loaded

app = typer.Typer(no_args_is_help=True, help="A keeper of the link tokens.")
Code = Annotated[MunicipalityCode, typer.Argument(parser=parse_municipality_code, help="CBS code, as GM0983.")]


def _actions() -> KeeperActions:
    return KeeperActions(loaded(KeeperSettings), clock.now)


@app.command("new-key")
def new_key(epoch: str) -> None:
    """Make a new key for an epoch such as 2027H1 and print its public key, for the participants' register."""
    typer.echo(_actions().make_key(epoch).key.public_key.hex())


@app.command("destroy-key")
def destroy_key(
    epoch: str,
    *,
    early: Annotated[bool, typer.Option("--early", help="Although tokens are still made with it, as after a theft.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; there is no way back.")] = False,
) -> None:
    """Destroy the key of an epoch whose last day is past; this cannot be undone."""
    if not yes:
        typer.confirm(words.text("keeper.ask_destroy", epoch=epoch), abort=True)
    _actions().destroy_key(epoch, early=early)
    typer.echo(words.text("keeper.destroyed", epoch=epoch))


@app.command()
def admit(
    municipality: Code,
    *,
    token_out: Annotated[Path, typer.Option(help="File for its token, mode 600; a token that stands there is kept.")],
) -> None:
    """Let a municipality ask this keeper, at once. Hand the file over so that nobody else sees it. Twice is once.

    The file is a JSON object with a token per keeper, as SIGNAL_EXCHANGE_KEEPER_TOKEN_FILE of the municipality's node.
    """
    actions = _actions()
    actions.admit(municipality, token_out)
    typer.echo(words.text("keeper.may_ask", municipality=municipality, keeper=actions.settings.keeper, file=str(token_out)))


@app.command()
def remove(municipality: Code) -> None:
    """Let a municipality ask this keeper no more, at once. Twice is once."""
    actions = _actions()
    actions.remove(municipality)
    typer.echo(words.text("keeper.may_ask_no_more", municipality=municipality, keeper=actions.settings.keeper))


@app.command("raise-quota")
def raise_quota(
    municipality: Code,
    first_day: datetime,
    last_day: datetime,
    *,
    a_day: Annotated[int, typer.Option(help="Requests of 16 points a day.")],
    a_month: Annotated[int, typer.Option(help="The same a month.")],
    approved_by: Annotated[str, typer.Option(help="Who approves this.")],
    second_approver: Annotated[str, typer.Option(help="Who approves this as well.")],
) -> None:
    """Let a municipality ask more for a while; two people approve it, and the other keeper needs its own."""
    days = first_day.date(), last_day.date()
    raised = QuotaRaise(municipality, *days, Quota(a_day, a_month), approved_by, second_approver)
    _actions().raise_quota(raised)
    typer.echo(words.text("keeper.may_ask_more", municipality=municipality, first=str(days[0]), last=str(days[1])))


@app.command()
def usage(first_day: datetime, last_day: datetime) -> None:
    """Show how often each municipality asked, per day: for the audit."""
    table = Table(*(words.text(each) for each in ("column.day", "column.municipality", "column.answered", "column.refused")))
    for count in _actions().usage(first_day.date(), last_day.date()):
        table.add_row(count.day.isoformat(), count.municipality, str(count.evaluated), str(count.refused))
    Console().print(table)
