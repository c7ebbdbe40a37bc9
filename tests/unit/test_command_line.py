"""The one command: every part answers --help under its own name, and what is wrong is told in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from signal_exchange.cli import COMMANDS, GROUPS, SERVICES, app


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIGNAL_EXCHANGE_")}
    words = [sys.executable, "-m", "signal_exchange.cli", *arguments]
    return subprocess.run(words, env={**inherited, **settings}, capture_output=True, text=True, timeout=60, check=False)


def test_help_names_every_part() -> None:
    said = command("--help")
    assert said.returncode == 0
    assert [name for name in ("run", *COMMANDS, *GROUPS) if f" {name} " not in said.stdout] == []


@pytest.mark.parametrize("name", ["run", *COMMANDS, *GROUPS])
def test_every_part_answers_help_under_its_own_name(name: str) -> None:
    said = CliRunner().invoke(app, [name, "--help"], prog_name="signal-exchange")
    assert (said.exit_code, f"Usage: signal-exchange {name} " in said.stdout) == (0, True)


def test_no_command_waits_for_what_only_a_running_service_needs() -> None:
    load = "from signal_exchange import cli; [cli._load(each) for each in (*cli.COMMANDS.values(), *cli.GROUPS.values())]"
    words = [sys.executable, "-c", f"import sys; {load}; print({{'faust', 'alembic'}} & set(sys.modules))"]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert said.stdout.strip() == "set()", said.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_without_settings_names_all_that_are_missing_and_ends(service: str) -> None:
    said = command("run", service)
    assert said.returncode == 1
    assert "SIGNAL_EXCHANGE_DATA_DIR" in said.stderr
    assert "Traceback" not in said.stderr


def test_an_unknown_service_and_an_unreadable_file_of_settings_are_told(tmp_path: Path) -> None:
    assert "There is no service kettle" in " ".join(command("run", "kettle").stderr.split())
    said = command("-e", str(tmp_path / "missing"), "settings")
    assert (said.returncode, "cannot be read" in " ".join(said.stderr.replace("│", " ").split())) == (2, True)


def test_settings_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# comment\nSIGNAL_EXCHANGE_DATA_DIR=/nowhere\n", encoding="utf-8")
    said = command("-e", str(tmp_path / "env"), "run", "routing")
    assert "SIGNAL_EXCHANGE_DATA_DIR" not in said.stderr
    assert "SIGNAL_EXCHANGE_KEYS_FILE" in said.stderr


def test_the_version_is_told() -> None:
    said = command("--version")
    assert (said.returncode, said.stdout) == (0, f"signal-exchange {version('signal-exchange')}\n")


def test_the_demo_speaks_before_it_is_imported(tmp_path: Path) -> None:
    program = "import sys; sys.modules['signal_exchange.demo.commands'] = None; from signal_exchange import cli; cli.main()"
    words = [sys.executable, "-c", program, "demo", "--dir", str(tmp_path / "demo")]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert said.stderr.startswith("The demo starts")
    assert "The demo starts" not in command("demo", "--help").stderr
