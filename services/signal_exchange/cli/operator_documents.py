"""Commands about settings, log events and metrics: what the operator's documents are generated from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from signal_exchange.domain.people import Role
from signal_exchange.people.access import ROLES_OF, TABLE, Access
from signal_exchange.runtime.logs import EVENTS, FIELDS
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.runtime.settings import settings_catalogue

app = typer.Typer(help="Every setting, with its meaning.")
log_events_app = typer.Typer(help="Every log event and its fields, with their meaning.")
access_app = typer.Typer(help="Who may do what: every act and every role.")
metrics_app = typer.Typer(help="Every metric, with its labels and meaning.")
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="As the operator's document of the same name in docs/operator.")]


@app.callback(invoke_without_command=True)
def settings(*, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """Show every setting of every process."""
    catalogue = settings_catalogue()
    lines = (f"{each.variable} [{each.default}] ({each.processes})\n    {each.meaning}" for each in catalogue)
    show_document(lines, as_json and [asdict(each) for each in catalogue], settings_document() if as_markdown else None)


@log_events_app.callback(invoke_without_command=True)
def log_events(*, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """Show every log event, and every field that a line of the log may have."""
    lines = (f"{name}\n    {meaning}" for name, meaning in (*EVENTS.items(), *FIELDS.items()))
    show_document(
        lines, as_json and {"events": dict(EVENTS), "fields": dict(FIELDS)}, log_events_document() if as_markdown else None
    )


@metrics_app.callback(invoke_without_command=True)
def metrics(*, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """Show every metric that a process serves on /metrics."""
    described = Metrics().described
    lines = (f"{each.name} [{each.kind}] {', '.join(each.labels)}\n    {each.meaning}" for each in described)
    show_document(lines, as_json and [asdict(each) for each in described], metrics_document() if as_markdown else None)


@access_app.callback(invoke_without_command=True)
def access(*, as_json: AsJson = False, as_markdown: AsMarkdown = False) -> None:
    """Show which roles may do which act."""
    lines = (f"{row.act}\n    {', '.join(row.roles)}" for row in TABLE)
    show_document(lines, as_json and [asdict(row) for row in TABLE], access_document() if as_markdown else None)


def access_document() -> str:
    """Return docs/operator/access.md."""
    shown = {role: f"{role.replace('_', ' ').lower()}" for role in Role}
    rows = [(f"`{row.act}`", row.action, *(_allowed(row, role) for role in shown)) for row in TABLE]
    services = [(f"`{name}`", ", ".join(shown[role] for role in sorted(roles))) for name, roles in ROLES_OF.items()]
    table = markdown_table(("act", "in the audit log", *shown.values()), rows)
    of_services = markdown_table(("service", "roles"), services)
    return document(
        "Access", "access", ACCESS_INTRODUCTION, table, "## The roles of each service", ROLES_INTRODUCTION, of_services
    )


def _allowed(row: Access, role: Role) -> str:
    if role not in row.roles:
        return ""
    limit = row.limits.get(role)
    return "yes" if limit is None else str(limit)


def settings_document() -> str:
    """Return docs/operator/settings.md."""
    rows = [(f"`{each.variable}`", each.default, each.processes, each.meaning) for each in settings_catalogue()]
    table = markdown_table(("variable", "default", "for", "meaning"), rows)
    return document("Settings", "settings", SETTINGS_INTRODUCTION, table)


def log_events_document() -> str:
    """Return docs/operator/log-events.md."""
    events = markdown_table(("event", "meaning"), [(f"`{name}`", meaning) for name, meaning in EVENTS.items()])
    fields = markdown_table(("field", "meaning"), [(f"`{name}`", meaning) for name, meaning in FIELDS.items()])
    return document("Log events", "log-events", LOG_INTRODUCTION, events, "## Fields", fields)


def metrics_document() -> str:
    """Return docs/operator/metrics.md."""
    described = Metrics().described
    rows = [(f"`{each.name}`", each.kind, ", ".join(each.labels), each.meaning) for each in described]
    return document("Metrics", "metrics", METRICS_INTRODUCTION, markdown_table(("metric", "kind", "labels", "meaning"), rows))


ACCESS_INTRODUCTION = (
    "Every act of a page, a route or a command, and the roles that may do it: an empty cell is refused, and the refusal is "
    "kept in the audit log. A limit says how far a role may go. A deputy has the roles of who is absent, within the days that "
    "were arranged. Services that are not named here have no people of their own yet; whoever holds their settings may act there."
)
ROLES_INTRODUCTION = "Whom the list of people of a service can name. Each service has a list of its own."
SETTINGS_INTRODUCTION = (
    "Settings come from the environment, or from the file named with `--env-file`. Secrets come from files, which production "
    "mode refuses when others can read them."
)
LOG_INTRODUCTION = (
    "Each process writes JSON lines to standard error; a command writes them to `commands.log` in its data folder. Nothing "
    "outside these lists can be logged, and no event holds a personal value."
)
METRICS_INTRODUCTION = (
    "Each consumer and each municipality's node serves `/metrics`, `/health/live` and `/health/ready` at "
    "`SIGNAL_EXCHANGE_METRICS_PORT`, on loopback unless `SIGNAL_EXCHANGE_METRICS_LISTEN` says otherwise."
)


def document(title: str, command: str, *parts: str) -> str:
    """Return a generated Markdown document, which says by which command it was made."""
    made_by = f"Generated by `signal-exchange {command} --markdown` (`make docs`); a test holds them equal."
    return "\n\n".join([f"# {title}", made_by, *parts]) + "\n"


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = (headings, ["---"] * len(headings), *rows)
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def show_document(lines: Iterable[str], value: object, markdown: str | None) -> None:
    """Print a document as Markdown where it is given, else its value as JSON, else its lines."""
    if markdown is not None:
        typer.echo(markdown, nl=False)
    else:
        typer.echo(json.dumps(value, indent=2) if value else "\n".join(lines))
