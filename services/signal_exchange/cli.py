"""The one command, signal-exchange. Each part is imported only when it is asked for, so that a service starts fast."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

GROUPS = {
    "region": "signal_exchange.demo.region.commands:app",
    "inbox": "signal_exchange.municipality.inbox_commands:app",
    "certificates": "signal_exchange.municipality.commands:certificates_app",
    "erasures": "signal_exchange.routing.erasure_commands:app",
    "rules": "signal_exchange.routing.rules_commands:app",
    "routing": "signal_exchange.routing.commands:app",
    "linking": "signal_exchange.demo.linking_score:app",
    "questions": "signal_exchange.municipality.question_commands:questions_app",
    "tokens": "signal_exchange.municipality.question_commands:tokens_app",
    "worklist": "signal_exchange.worklist.commands:app",
    "worklist-youth": "signal_exchange.worklist.commands:youth_app",
    "agenda": "signal_exchange.agenda.commands:app",
    "statistics": "signal_exchange.statistics.commands:app",
    "feedback": "signal_exchange.feedback.commands:app",
    "participants": "signal_exchange.participants.commands:app",
    "parked": "signal_exchange.oversight.parked_commands:app",
    "check": "signal_exchange.oversight.giving_up:check_app",
    "keeper": "signal_exchange.pseudonyms.commands:app",
    "vendor": "signal_exchange.demo.vendor.commands:app",
    "schemas": "signal_exchange.contracts.commands:app",
    "topics": "signal_exchange.contracts.commands:topics_app",
    "settings": "signal_exchange.runtime.commands:app",
    "log-events": "signal_exchange.runtime.commands:log_events_app",
    "metrics": "signal_exchange.runtime.commands:metrics_app",
}
"""Groups of commands, by name: module and Typer app."""
COMMANDS = {
    "publish": "signal_exchange.municipality.commands:app",
    "trace": "signal_exchange.municipality.commands:app",
    "withdraw": "signal_exchange.municipality.commands:app",
    "erase": "signal_exchange.municipality.commands:app",
    "outbox": "signal_exchange.municipality.commands:app",
    "answer": "signal_exchange.municipality.question_commands:app",
    "alarms": "signal_exchange.oversight.commands:app",
    "open": "signal_exchange.oversight.commands:app",
    "demo": "signal_exchange.demo.commands:app",
    "found": "signal_exchange.demo.found_command:app",
}
"""Single commands, by name: module and the Typer app that has it."""
SERVICES = {
    "routing": "signal_exchange.routing.composition:main",
    "linking": "signal_exchange.linking.composition:main",
    "worklist": "signal_exchange.worklist.composition:main",
    "worklist-youth": "signal_exchange.worklist.composition:main_youth",
    "agenda": "signal_exchange.agenda.composition:main",
    "statistics": "signal_exchange.statistics.composition:main",
    "feedback": "signal_exchange.feedback.composition:main",
    "oversight": "signal_exchange.oversight.composition:main",
    "municipality": "signal_exchange.municipality.composition:main",
    "keeper": "signal_exchange.pseudonyms.composition:main",
}
"""What `run` can run."""
PLANS = {
    "routing": "signal_exchange.routing.rebuilding:plan",
    "linking": "signal_exchange.linking.rebuilding:plan",
    "worklist": "signal_exchange.worklist.rebuilding:plan",
    "worklist-youth": "signal_exchange.worklist.rebuilding:plan_youth",
    "agenda": "signal_exchange.agenda.rebuilding:plan",
    "statistics": "signal_exchange.statistics.rebuilding:plan",
    "feedback": "signal_exchange.feedback.rebuilding:plan",
    "oversight": "signal_exchange.oversight.rebuilding:plan",
    "municipality": "signal_exchange.municipality.rebuilding:plan",
}
"""How each service is rebuilt, by name."""
FIRST_WORDS = {"demo": "The demo starts: a synthetic region, Kafka and every service, on this machine alone."}
"""What a command says at once, before it is imported."""
UMASK = 0o077
"""What a process makes is its owner's alone; what everybody may read is given its mode where it is made."""
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for a machine.")]


def _load(where: str) -> Any:  # noqa: ANN401 - a Typer app or a function
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


class LazyGroup(TyperGroup):
    """Finds a part by its name and imports it then."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - click's context
        """Return every name, in the order of this file."""
        return [*super().list_commands(ctx), *COMMANDS, *GROUPS]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - click's types
        """Return the command that is run, after its first word if it has one: importing it takes a while."""
        if args and args[0] in FIRST_WORDS and not {"--help", "-h"} & set(args):
            typer.echo(FIRST_WORDS[args[0]], err=True)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - click's types
        """Return the command of this name, importing its part."""
        if cmd_name in GROUPS:
            group = typer.main.get_command(_load(GROUPS[cmd_name]))
            group.name = cmd_name
            return group
        if cmd_name in COMMANDS:
            part = typer.main.get_command(_load(COMMANDS[cmd_name]))
            return part.get_command(ctx, cmd_name) if hasattr(part, "get_command") else part
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Regional exchange of pseudonymised signals of mensenhandel.",
)


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it with the option
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - no other command needs it

        typer.echo(f"signal-exchange {version('signal-exchange')}")
        raise typer.Exit


@app.callback()
def _root(
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", "-e", help="File with settings, as NAME=VALUE lines; the demo writes one per process."),
    ] = None,
    version: Annotated[bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say the version.")] = False,  # noqa: ARG001, FBT002 - its callback ends the command
) -> None:
    if env_file is not None:
        os.environ.update(_settings_in(env_file))


def _settings_in(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        raise typer.BadParameter(f"The file {file} cannot be read.") from None
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


@app.command()
def run(service: Annotated[str, typer.Argument(help="One of: " + ", ".join(SERVICES) + ".")]) -> None:
    """Run one service until it is stopped. Settings come from the environment: see `signal-exchange settings`."""
    _load(_chosen(service, SERVICES))()


Rebuildable = Annotated[str, typer.Argument(help="One of: " + ", ".join(PLANS) + ".")]


@app.command()
def rebuild(service: Rebuildable, *, as_json: AsJson = False) -> None:
    """Build the projection tables of a stopped service anew from the topics; what people entered is not touched."""
    from signal_exchange.stream.commands import service_settings  # noqa: PLC0415 - as every part, imported when asked for
    from signal_exchange.stream.store_commands import run_rebuild  # noqa: PLC0415 - as above

    run_rebuild(_load(_chosen(service, PLANS))(), service_settings(), as_json=as_json)


@app.command()
def backup(
    service: Rebuildable,
    *,
    to: Annotated[
        Path | None, typer.Option(help="File to write; else one in this folder, named after service and moment.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy the store of a service, which may run, into one sealed and signed file. It holds no keys: keep those apart."""
    from signal_exchange.stream.commands import service_settings  # noqa: PLC0415 - as above
    from signal_exchange.stream.store_commands import run_backup  # noqa: PLC0415 - as above

    run_backup(_load(_chosen(service, PLANS))(), service_settings(), to, as_json=as_json)


@app.command()
def restore(
    service: Rebuildable,
    file: Annotated[Path, typer.Argument(help="The back-up.")],
    *,
    key: Annotated[Path, typer.Option(help="The key that opens back-ups, which was kept offline.")],
    replace: Annotated[bool, typer.Option("--replace", help="What the store holds now may go.")] = False,
    older: Annotated[
        bool, typer.Option("--older", help="Also one of more than 7 days, or not the last one; with --reason.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why an older one goes back; stays in the store.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put a back-up in place of the store of a stopped service; at its next start it catches up with what came since."""
    if older != bool(reason.strip()):
        raise typer.BadParameter("--older and --reason belong together.")
    from signal_exchange.stream.commands import service_settings  # noqa: PLC0415 - as above
    from signal_exchange.stream.store_commands import run_restore  # noqa: PLC0415 - as above

    run_restore(
        _load(_chosen(service, PLANS))(),
        service_settings(),
        file,
        key,
        older=reason.strip() or None,
        replace=replace,
        as_json=as_json,
    )


@app.command("backup-keys")
def backup_keys(
    *,
    name: Annotated[str, typer.Option(help="What tells these keys from other ones, as region-2026-1.")],
    backup_key: Annotated[Path, typer.Option(help="New file for the half that makes back-ups; it stays with the services.")],
    restore_key: Annotated[Path, typer.Option(help="New file for the half that opens them; keep it offline.")],
) -> None:
    """Make the two keys of an organisation's back-ups: one that makes them and opens none, and one that opens and checks them."""
    from signal_exchange.stream.backup_key_files import make_backup_keys  # noqa: PLC0415 - as above

    make_backup_keys(name, backup_key, restore_key)
    typer.echo(f"{backup_key} blijft bij de diensten; bewaar {restore_key} apart en niet op deze machine.")


def _chosen(service: str, of: Mapping[str, str]) -> str:
    if service not in of:
        raise typer.BadParameter(f"There is no service {service}. Choose one of: {', '.join(of)}.")
    return of[service]


def main() -> None:
    """Run the command line; what was refused is told in one sentence, with exit code 1."""
    os.umask(UMASK)
    from signal_exchange.runtime.faults import Refused, WorldUnavailable  # noqa: PLC0415 - --help needs no more than typer

    try:
        app()
    except Refused as refusal:
        sys.exit(f"signal-exchange: {refusal}")
    except WorldUnavailable as fault:
        sys.exit(f"signal-exchange: {type(fault).__name__}: the database or Kafka does not answer. Nothing was lost; try again.")


if __name__ == "__main__":
    main()
