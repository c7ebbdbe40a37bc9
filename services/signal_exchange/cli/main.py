"""The one command, signal-exchange. Each part is imported only when it is asked for, so that a service starts fast."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from signal_exchange.cli.declaring import Declaration, declarations, part_of

OWN = Declaration(
    groups={
        "people": "signal_exchange.cli.people_commands:app",
        "audit": "signal_exchange.cli.audit_commands:app",
        "access": "signal_exchange.cli.operator_documents:access_app",
        "schemas": "signal_exchange.cli.schema_commands:app",
        "topics": "signal_exchange.cli.schema_commands:topics_app",
        "settings": "signal_exchange.cli.operator_documents:app",
        "log-events": "signal_exchange.cli.operator_documents:log_events_app",
        "metrics": "signal_exchange.cli.operator_documents:metrics_app",
    }
)
DECLARED = (*declarations().values(), OWN)
GROUPS = {name: where for each in DECLARED for name, where in each.groups.items()}
"""Groups of commands, by name: module and Typer app."""
COMMANDS = {name: where for each in DECLARED for name, where in each.commands.items()}
"""Single commands, by name: module and the Typer app that has it."""
FORMER = {old: name for each in DECLARED for old, name in each.former.items()}
"""Names that commands had before: the name of today for each."""
SERVICES = {service.name: service for each in DECLARED for service in each.services}
"""What `run` can run."""
PLANS = {name: service.plan for name, service in SERVICES.items() if service.plan}
"""How each service is rebuilt, by name."""
SITES = {name: service.pages for name, service in SERVICES.items() if service.pages}
"""The screens that `web` can serve, by service."""
ADDED = "signal_exchange.commands"
"""Entry points by which other packages add commands: `demo`, or `linking.score` for one more command of a group."""
FIRST_WORDS = {"demo": "The demo starts: a synthetic region, Kafka and every service, on this machine alone."}
"""What a command says at once, before it is imported."""
OPTIONS = {
    "planned_contact": "--planned",
    "first_contact": "--first-contact",
    "due": "--due",
    "by": "--by",
    "everything": "--all",
    "name": "--name",
    "older": "--older --reason",
    "replace": "--replace",
    "next_date": "--next",
    "field_decision": "--decision",
    "field_instruments": "--instrument",
    "field_seats_present": "--seat",
    "field_legal_basis": "--basis",
    "field_motivation": "--motivation",
    "field_owner_role": "--owner",
    "field_owner_organisation": "--organisation",
    "field_due_date": "--due",
    "field_kept_signal": "--keeps",
    "early": "--early",
    "rejects": "--rejects",
    "csv_columns": "--csv-columns -",
    "with_open_signals": "--with-open-signals",
    "admin_password_file": "--admin-password-file",
}
"""The options by which people correct the fields of a refusal."""
UMASK = 0o077
"""What a process makes is its owner's alone; what everybody may read is given its mode where it is made."""
T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for a machine.")]


class LazyGroup(TyperGroup):
    """Finds a part by its name and imports it then."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - click's context
        """Return every name, in the order of the packages; what other products add comes last."""
        return [*super().list_commands(ctx), *COMMANDS, *GROUPS, *(name for name in _added() if "." not in name)]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - click's types
        """Return the command that is run, after its first word if it has one: importing it takes a while."""
        if args and args[0] in FIRST_WORDS.keys() & _added() and not {"--help", "-h"} & set(args):
            typer.echo(FIRST_WORDS[args[0]], err=True)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - click's types
        """Return the command of this name, importing its part; a former name is that of today."""
        cmd_name = FORMER.get(cmd_name, cmd_name)
        if cmd_name in GROUPS:
            return _group(cmd_name)
        if cmd_name in COMMANDS:
            return _command(ctx, typer.main.get_command(part_of(COMMANDS[cmd_name])), cmd_name)
        if cmd_name in (added := _added()):
            return _command(ctx, typer.main.get_command(added[cmd_name].load()), cmd_name)
        return super().get_command(ctx, cmd_name)


def _added() -> dict[str, EntryPoint]:
    return {each.name: each for each in entry_points(group=ADDED)}


def _group(name: str) -> Any:  # noqa: ANN401 - click's group
    group: Any = typer.main.get_command(part_of(GROUPS[name]))
    group.name = name
    for added, point in _added().items():
        if added.startswith(f"{name}."):
            command = typer.main.get_command(point.load())
            group.add_command(command, added.partition(".")[2])
    return group


def _command(ctx: Any, part: Any, name: str) -> Any:  # noqa: ANN401 - click's types
    """Return the command itself, or the one of this name in a part that has several, or the part as a group."""
    own = part.get_command(ctx, name) if hasattr(part, "get_command") else None
    if own is None:
        part.name = name
    return own or part


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
    from signal_exchange.runtime import logs, settings  # noqa: PLC0415 - --help needs no more than typer
    from signal_exchange.words import speak  # noqa: PLC0415 - as above

    if env_file is not None:
        try:
            settings.take_file(env_file)
        except OSError:
            raise typer.BadParameter(f"The file {env_file} cannot be read.") from None
    command = settings.of_a_command()
    speak(command.language)
    if command.data_dir is not None:
        logs.configure("command", "WARNING", commands_in=command.data_dir)


@app.command()
def run(service: Annotated[str, typer.Argument(help="One of: " + ", ".join(SERVICES) + ".")]) -> None:
    """Run one service until it is stopped. Settings come from the environment: see `signal-exchange settings`."""
    _chosen(service, SERVICES).start()


@app.command("web")
def web(service: Annotated[str, typer.Argument(help="One of: " + ", ".join(SITES) + ".")]) -> None:
    """Serve the screens of one service until it is stopped; they run apart from its consumer, on the same store."""
    from signal_exchange.runtime.settings import SiteSettings, loaded  # noqa: PLC0415 - as every part, imported when asked for
    from signal_exchange.web.serving import serve_site  # noqa: PLC0415 - as above

    serve_site(part_of(_chosen(service, SITES)), loaded(SiteSettings), service)


Rebuildable = Annotated[str, typer.Argument(help="One of: " + ", ".join(PLANS) + ".")]


@app.command()
def rebuild(service: Rebuildable, *, as_json: AsJson = False) -> None:
    """Build the projection tables of a stopped service anew from the topics; what people entered is not touched."""
    from signal_exchange.cli.store_commands import run_rebuild  # noqa: PLC0415 - as above

    run_rebuild(*_plan_of(service), as_json=as_json)


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
    from signal_exchange.cli.store_commands import run_backup  # noqa: PLC0415 - as above

    run_backup(*_plan_of(service), to, as_json=as_json)


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
    from signal_exchange.cli.store_commands import run_restore  # noqa: PLC0415 - as above

    run_restore(*_plan_of(service), file, key, older=reason.strip() or None, replace=replace, as_json=as_json)


@app.command("backup-keys")
def backup_keys(
    *,
    name: Annotated[str, typer.Option(help="What tells these keys from other ones, as region-2026-1.")],
    backup_key: Annotated[Path, typer.Option(help="New file for the half that makes back-ups; it stays with the services.")],
    restore_key: Annotated[Path, typer.Option(help="New file for the half that opens them; keep it offline.")],
) -> None:
    """Make the two keys of an organisation's back-ups: one that makes them and opens none, and one that opens and checks them."""
    from signal_exchange import words  # noqa: PLC0415 - as above
    from signal_exchange.recovery.backup_key_files import make_backup_keys  # noqa: PLC0415 - as above

    make_backup_keys(name, backup_key, restore_key)
    typer.echo(words.text("backup_keys.made", backup_key=str(backup_key), restore_key=str(restore_key)))


def _plan_of(service: str) -> tuple[Any, Any]:
    """Return the plan of a service, and the settings of the environment."""
    from signal_exchange.runtime.settings import ServiceSettings, loaded  # noqa: PLC0415 - as every part, imported when asked for

    return part_of(_chosen(service, PLANS))(), loaded(ServiceSettings)


def _said(refusal: Any) -> str:  # noqa: ANN401 - a RefusedError, which is imported when it is needed
    """Return the text of a refusal: its sentence, and the options that correct its fields."""
    from signal_exchange.words import sentence  # noqa: PLC0415 - as above

    named = (refusal.field, *(each.key for each in refusal.facts.get("fields", ())))
    options = ", ".join(OPTIONS[name] for name in named if name in OPTIONS)
    return f"{sentence(refusal)} ({options})" if options else sentence(refusal)


def _chosen(service: str, of: Mapping[str, T]) -> T:
    if service not in of:
        raise typer.BadParameter(f"There is no service {service}. Choose one of: {', '.join(of)}.")
    return of[service]


def main() -> None:
    """Run the command line; what was refused is told in one sentence, with exit code 1."""
    os.umask(UMASK)
    from signal_exchange.domain.refusals import RefusedError  # noqa: PLC0415 - --help needs no more than typer
    from signal_exchange.runtime.faults import WorldUnavailableError  # noqa: PLC0415 - as above

    try:
        app()
    except RefusedError as refusal:
        sys.exit(f"signal-exchange: {_said(refusal)}")
    except WorldUnavailableError as fault:
        from signal_exchange import words  # noqa: PLC0415 - as above

        sys.exit(f"signal-exchange: {type(fault).__name__}: {words.text('world_silent')}")


if __name__ == "__main__":
    main()
