"""Commands about the schemas and topics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

import signal_exchange
from signal_exchange.cli.operator_documents import document, markdown_table, show_document
from signal_exchange.contracts.generating import modules
from signal_exchange.contracts.releasing import release
from signal_exchange.contracts.schemas import current_schemas
from signal_exchange.contracts.topics import Kind, Topic, catalogue
from signal_exchange.reference.folders import schemas_folder

app = typer.Typer(no_args_is_help=True, help="The Avro schemas on the stream.")
topics_app = typer.Typer(help="Every topic: who writes and reads it, and why.")
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
ANY_MUNICIPALITY = "GMxxxx"


@app.command("list")
def list_schemas(*, as_json: AsJson = False) -> None:
    """Show each record with the header (mark and fingerprint) that its values start with."""
    headers = {name: schema.header.hex() for name, schema in current_schemas().items()}
    typer.echo(json.dumps(headers, indent=2) if as_json else "\n".join(f"{header}  {name}" for name, header in headers.items()))


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Check that old and new readers and writers can meet, both ways; exit code 1 when they cannot."""
    from signal_exchange.contracts.compatibility import check_all  # noqa: PLC0415 - avro is loaded for this command alone

    problems = check_all()
    typer.echo(json.dumps({"problems": problems}, indent=2) if as_json else "\n".join(problems) or "All schemas fit each other.")
    raise typer.Exit(1 if problems else 0)


@app.command("records")
def write_records() -> None:
    """Write the schemas as Python types, beside the code that uses them (`make schemas`)."""
    package = Path(signal_exchange.__file__).parent
    for place, text in modules(schemas_folder()).items():
        (package / place).write_text(text, encoding="utf-8")
        typer.echo(place)


@app.command("release")
def release_schemas(
    name: Annotated[str, typer.Argument(help="Name of the release, as 1.0.0.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Freeze today's schemas for good: a copy of each in released/NAME, which `check` holds from then on."""
    from signal_exchange.contracts.compatibility import check_all  # noqa: PLC0415 - as above

    if problems := check_all():
        typer.echo("\n".join(problems), err=True)
        raise typer.Exit(1)
    try:
        records = release(schemas_folder(), name)
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from None
    typer.echo(json.dumps({"release": name, "records": records}) if as_json else f"Release {name}: {len(records)} schemas.")


@topics_app.callback(invoke_without_command=True)
def topics(
    *,
    as_json: AsJson = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As the document docs/operator/topics.md.")] = False,
) -> None:
    """Show every topic; GMxxxx stands for each municipality. What is not granted here is refused."""
    rows = [_row(topic) for topic in catalogue([ANY_MUNICIPALITY]).topics]
    lines = (f"{row['topic']}: {row['writers']} -> {row['readers']}\n    {row['why']}" for row in rows)
    show_document(lines, as_json and rows, topics_document() if as_markdown else None)


def topics_document() -> str:
    """Return docs/operator/topics.md."""
    rows = [_row(topic) for topic in catalogue([ANY_MUNICIPALITY]).topics]
    return document("Topics", "topics", _INTRODUCTION, markdown_table(list(rows[0]), [list(row.values()) for row in rows]))


_INTRODUCTION = f"""\
This is also what the access rules of Kafka are made of: what is not granted here is refused. {ANY_MUNICIPALITY} stands for the
CBS code of each municipality that takes part. Every principal is a SCRAM user of this name, and a reader has the consumer group
of its own name and no other. Every topic has the broker's append time as the time of its records."""


def _row(topic: Topic) -> dict[str, str]:
    return {
        "topic": f"`{topic.name}`",
        "key": topic.key,
        "records": ", ".join(topic.records),
        "kind": topic.kind.name.lower(),
        "partitions": str(topic.partitions),
        "term": _term(topic),
        "writers": ", ".join(topic.writers),
        "readers": ", ".join(topic.readers),
        "why": topic.why,
    }


def _term(topic: Topic) -> str:
    if topic.kind is Kind.STATE:
        days = int(topic.settings["delete.retention.ms"]) // (24 * 3600 * 1000)
        return f"the last record of each key; a tombstone at least {days} days"
    return f"{topic.keep.days} days" if topic.keep else "without end"
