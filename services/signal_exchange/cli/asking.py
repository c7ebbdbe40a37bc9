"""The question before a command does what cannot be undone, or what is done to many things at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from signal_exchange.domain.refusals import RefusedError

DryRun = Annotated[bool, typer.Option("--dry-run", help="Say which and how many, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, *, yes: bool) -> None:
    """Ask a person whether it is meant.

    Raises:
        RefusedError: nobody is there to ask and nothing says that it is meant.
        Abort: it is not meant.
    """
    if yes:
        return
    if not _terminal():
        raise RefusedError("NOBODY_TO_ASK", question=question)
    typer.confirm(question, abort=True, err=True)
