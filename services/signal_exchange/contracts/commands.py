"""Commands about the schemas."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from signal_exchange.contracts.schemas import current_schemas

app = typer.Typer(no_args_is_help=True, help="The Avro schemas on the stream.")


@app.command("list")
def list_schemas(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show each record with the header (mark and fingerprint) that its values start with."""
    headers = {name: schema.header.hex() for name, schema in current_schemas().items()}
    typer.echo(json.dumps(headers, indent=2) if as_json else "\n".join(f"{header}  {name}" for name, header in headers.items()))


@app.command()
def check(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check that old and new readers and writers can meet, both ways; exit code 1 when they cannot."""
    from signal_exchange.contracts.compatibility import check_all  # noqa: PLC0415 - avro is loaded for this command alone

    problems = check_all()
    typer.echo(json.dumps({"problems": problems}, indent=2) if as_json else "\n".join(problems) or "All schemas fit each other.")
    raise typer.Exit(1 if problems else 0)
