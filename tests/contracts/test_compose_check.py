"""deploy/compose_check against the compose file that it tries, and what it says where there is no Docker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hardening
import life
import pytest
import region
from compose_file import METRICS, ONE_SHOTS, ROOT, environment_of, processes, screens, services

from signal_exchange.contracts.topics import CONSUMERS

DOCKER = """#!{python}
import json, sys
told = json.load(open({answers!r}))
words = " ".join(sys.argv[1:])
for part, answer in told.items():
    if part in words:
        print(answer)
        raise SystemExit(0)
raise SystemExit(1)
"""


def checked(tmp_path: Path, answers: dict[str, str] | None) -> subprocess.CompletedProcess[str]:
    """Run the check with a `docker` that knows these answers and fails at everything else, or with none."""
    programs = tmp_path / "bin"
    programs.mkdir()
    if answers is not None:
        (tmp_path / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
        docker = programs / "docker"
        docker.write_text(DOCKER.format(python=sys.executable, answers=str(tmp_path / "answers.json")), encoding="utf-8")
        docker.chmod(0o755)
    command = [sys.executable, str(ROOT / "deploy" / "compose_check")]
    environment = {**os.environ, "PATH": str(programs)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("answers", [None, {}])
def test_without_docker_it_says_so_and_ends_with_2(tmp_path: Path, answers: dict[str, str] | None) -> None:
    done = checked(tmp_path, answers)
    assert done.returncode == 2
    assert done.stdout.startswith("There is no Docker with Compose here, or it does not answer")
    assert done.stderr == ""


def test_a_command_of_docker_that_fails_is_a_broken_promise(tmp_path: Path) -> None:
    done = checked(tmp_path, {"version": "29.0", " down ": "", " ps ": ""})
    assert done.returncode == 1
    assert "FAIL  docker compose" in done.stdout
    assert "1 broken" in done.stdout


def test_it_knows_the_services_and_their_bounds() -> None:
    assert region.ONE_SHOTS == ONE_SHOTS
    bounds = {name: {"256m": 256, "512m": 512, "1g": 1024}[each["mem_limit"]] for name, each in services().items()}
    assert bounds == {name: hardening.mebibytes(name) for name in services()}
    assert {each["pids_limit"] for each in services().values()} == {hardening.PIDS}
    assert set(CONSUMERS) == life.SERVICES
    assert set(screens()) == set(life.SCREENS)
    assert len([each for each in processes().values() if METRICS in environment_of(each)]) == life.TARGETS


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"Status": "running", "ExitCode": 0, "Health": {"Status": "healthy"}}, []),
        ({"Status": "running", "ExitCode": 0, "Health": {"Status": "unhealthy"}}, ["routing: running unhealthy 0"]),
        ({"Status": "running", "ExitCode": 0, "Health": {"Status": "starting"}}, ["routing: running starting 0"]),
        ({"Status": "restarting", "ExitCode": 1, "Health": {"Status": "unhealthy"}}, ["routing: restarting unhealthy 1"]),
        ({"Status": "exited", "ExitCode": 0}, ["routing: exited  0"]),
    ],
)
def test_only_who_runs_and_is_healthy_is_well(state: dict[str, Any], told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with region.Region() as checking:
        monkeypatch.setattr(checking, "declared", lambda: {"routing"})
        monkeypatch.setattr(checking, "containers", lambda: {"routing": {"State": state}})
        assert checking.unwell() == told
