"""Commands of erasures: how far each is, who owes a receipt, and the check of the logs by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from signal_exchange import words
from signal_exchange.cli.context import GROUP, AsJson, show_json, show_list, show_rows, shown, tell
from signal_exchange.routing.actions import ErasureProgress
from signal_exchange.routing.commands import acting

app = typer.Typer(**GROUP, no_args_is_help=True, help="Erasures: how far each one is, and whether anything is left.")
LISTED = {
    "signal_id": "column.signal",
    "municipality": "column.municipality",
    "erased_at": "column.asked_at",
    "state": "column.state",
    "owing": "column.owing",
}
SHOWN = {"service": "column.service", "state": "column.answer", "at": "column.when"}


@app.command("list")
def list_erasures(*, as_json: AsJson = False) -> None:
    """List every erasure with its state and who still owes a receipt."""
    with acting() as actions:
        rows = [_summary(each) for each in actions.erasures()]
    lines = [{**row, "owing": ", ".join(row["owing"])} for row in rows]
    show_list(lines, LISTED, value=rows, empty=words.text("erasure.empty"), as_json=as_json)


@app.command()
def show(signal_id: str, *, as_json: AsJson = False) -> None:
    """Show one erasure with its receipts, as the certificate will have them."""
    with acting() as actions:
        found = actions.erasure(signal_id)
        certificate = actions.certificate(found)
    erasure = found.erasure
    if as_json:
        show_json({**asdict(erasure), "state": erasure.state, "certificate": certificate})
        return
    asked, certified = shown(erasure.erased_at), shown(erasure.certified_at)
    typer.echo(words.text("erasure.line", signal=signal_id, state=erasure.state, asked=asked, certified=certified))
    show_rows([asdict(each) for each in found.answers], SHOWN, empty=words.text("erasure.no_answer"))


@app.command()
def check(signal_id: str, *, as_json: AsJson = False) -> None:
    """Read the topics from end to end and tell where a record of this signal still stands; exit code 1 when there is one.

    The service does so by itself when the logs must be clean, and gives the certificate then.
    """
    with acting() as actions:
        left = actions.left_in_logs(signal_id)
    sentence = "; ".join(f"{topic}: {count}" for topic, count in left.items()) or words.text("erasure.nothing_left")
    tell({"signal_id": signal_id, "left": left}, sentence, as_json=as_json)
    raise typer.Exit(1 if left else 0)


def _summary(progress: ErasureProgress) -> dict[str, Any]:
    about = {name: getattr(progress.erasure, name) for name in ("signal_id", "municipality", "erased_at", "state")}
    return {**about, "owing": progress.owing}
