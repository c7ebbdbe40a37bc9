"""The one command, signal-exchange."""

import typer

app = typer.Typer(no_args_is_help=True, help="Regional exchange of pseudonymised signals of mensenhandel.")


def main() -> None:
    """Run the command line."""
    app()
