"""The one command: every part answers --help under its own name, and what is wrong is told in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from signal_exchange.cli.main import COMMANDS, FORMER, GROUPS, SERVICES, app
from signal_exchange.runtime.settings import take_file

ADDED = ("demo", "region", "vendor")
"""What the package of the demo adds."""


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIGNAL_EXCHANGE_")}
    words = [sys.executable, "-m", "signal_exchange.cli.main", *arguments]
    return subprocess.run(words, env={**inherited, **settings}, capture_output=True, text=True, timeout=60, check=False)


def test_help_names_every_part() -> None:
    said = command("--help")
    assert said.returncode == 0
    assert [name for name in ("run", *COMMANDS, *GROUPS, *ADDED) if f" {name} " not in said.stdout] == []


@pytest.mark.parametrize("name", ["run", *COMMANDS, *GROUPS, *ADDED])
def test_every_part_answers_help_under_its_own_name(name: str) -> None:
    said = CliRunner().invoke(app, [name, "--help"], prog_name="signal-exchange")
    assert (said.exit_code, f"Usage: signal-exchange {name} " in said.stdout) == (0, True)


@pytest.mark.parametrize(("former", "name"), FORMER.items())
def test_a_command_still_answers_to_its_former_name_which_help_does_not_show(former: str, name: str) -> None:
    old, new = (CliRunner().invoke(app, [each, "--help"], prog_name="signal-exchange") for each in (former, name))
    assert (old.exit_code, old.stdout.splitlines()[3:]) == (0, new.stdout.splitlines()[3:])
    assert f"│ {former} " not in CliRunner().invoke(app, ["--help"]).stdout


def test_no_command_waits_for_what_only_a_running_service_needs() -> None:
    load = "from signal_exchange.cli import main as cli; "
    load += "[cli.part_of(each) for each in (*cli.COMMANDS.values(), *cli.GROUPS.values())]"
    words = [sys.executable, "-c", f"import sys; {load}; print({{'faust', 'alembic'}} & set(sys.modules))"]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert said.stdout.strip() == "set()", said.stderr


WITHOUT_THE_DEMO = """
import sys
from importlib import metadata

metadata.entry_points = lambda **_: ()
sys.modules["signal_exchange_demo"] = None
from signal_exchange.cli import main as cli

named = [*cli.COMMANDS.values(), *cli.GROUPS.values()]
named += [where for each in cli.SERVICES.values() for where in (each.spec, each.plan, each.run) if where]
parts = [cli.part_of(where) for where in named]
cli.main()
"""


def test_the_product_runs_without_the_demo() -> None:
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_DEMO, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (said.returncode, "Run the whole exchange" in said.stdout, " publish " in said.stdout) == (0, False, True), said.stderr


def test_without_the_demo_its_command_is_told_to_be_unknown_and_nothing_else() -> None:
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_DEMO, "demo"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (said.returncode, "The demo starts" in said.stderr, "No such command" in said.stderr) == (2, False, True)


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


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nl", "Een naam van sleutels, zoals region-2026-1, heeft hoogstens 40 letters, cijfers, punten of streepjes."),
        ("en", "A name of keys, as region-2026-1, has at most 40 letters, digits, dots or hyphens."),
    ],
)
def test_a_refusal_is_said_in_the_chosen_language_with_the_option_that_corrects_it(language: str, said: str) -> None:
    words = ("backup-keys", "--name", "of the region", "--backup-key", "made", "--restore-key", "made")
    refused = command(*words, SIGNAL_EXCHANGE_LANGUAGE=language)
    assert (refused.returncode, refused.stderr) == (1, f"signal-exchange: {said} (--name)\n")


def test_a_language_that_does_not_exist_is_refused_as_every_wrong_setting(tmp_path: Path) -> None:
    refused = command("run", "routing", SIGNAL_EXCHANGE_LANGUAGE="fr", SIGNAL_EXCHANGE_DATA_DIR=str(tmp_path))
    assert "SIGNAL_EXCHANGE_LANGUAGE (" in refused.stderr
    assert refused.stderr.startswith("signal-exchange: Deze instellingen")


def test_a_file_of_settings_holds_above_the_environment_and_its_values_stand_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNAL_EXCHANGE_KEEPER", "of-the-environment")
    monkeypatch.delenv("SIGNAL_EXCHANGE_KEYS_FILE", raising=False)
    file = tmp_path / "env"
    file.write_text("# a comment\n\nSIGNAL_EXCHANGE_KEEPER=${HOME}=a#b?c\nSIGNAL_EXCHANGE_KEYS_FILE = x \n", encoding="utf-8")
    take_file(file)
    assert (os.environ["SIGNAL_EXCHANGE_KEEPER"], os.environ.pop("SIGNAL_EXCHANGE_KEYS_FILE")) == ("${HOME}=a#b?c", "x")


def test_the_version_is_told() -> None:
    said = command("--version")
    assert (said.returncode, said.stdout) == (0, f"signal-exchange {version('signal-exchange')}\n")


def test_the_demo_speaks_before_it_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['signal_exchange_demo.commands'] = None; from signal_exchange.cli import main as cli; cli.main()"
    )
    words = [sys.executable, "-c", program, "demo", "--dir", str(tmp_path / "demo")]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert said.stderr.startswith("The demo starts")
    assert "The demo starts" not in command("demo", "--help").stderr
