"""The demo as a newcomer starts it: right, loud when something is wrong, and gone without a trace when it stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]
COMMAND = [sys.executable, "-m", "signal_exchange.cli.main", "demo"]
STAYS = "stays up until Ctrl-C"


def test_once_every_signal_is_accounted_for_and_equal_to_the_oracle(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    options = ["--once", "--json", "--signals", "100", "--seed", "7", "--dir", str(folder)]
    said = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=500, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    figures = json.loads(said.stdout)
    assert (figures["conserved"], figures["mismatches_with_truth"], figures["in_flight"]) == (True, 0, 0)
    assert figures["published"] == sum(figures[place] for place in ("routed", "parked", "withdrawn", "erased"))
    assert figures["withdrawn"] > 0
    assert figures["parked"] > 0
    assert figures["refused"] > 0
    assert left_running(folder) == []


@pytest.fixture
def staying(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    options = ["--signals", "5", "--dir", str(tmp_path / "demo")]
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_ctrl_c_and_sigterm_stop_everything_that_was_started_and_say_so(
    staying: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    read_until(staying, STAYS)
    staying.send_signal(number)
    said = rest_of(staying)
    assert (staying.wait(60), "nothing is left running" in said) == (130, True)
    assert left_running(tmp_path / "demo") == []


def test_a_process_that_dies_is_told_in_one_sentence_and_nothing_is_left(staying: subprocess.Popen[str], tmp_path: Path) -> None:
    read_until(staying, STAYS)
    [victim] = [pid for pid, command in children_of(staying.pid) if "run worklist-youth" in command]
    os.kill(victim, signal.SIGKILL)
    said = rest_of(staying)
    assert staying.wait(60) == 1
    assert "worklist-youth ended with exit code -9" in said.replace("\n", " ")
    assert "Traceback" not in said
    assert left_running(tmp_path / "demo") == []
    figures = going_on_with(tmp_path / "demo")
    assert (figures["conserved"], figures["in_flight"], figures["published"]) == (True, 0, 15)


def test_killing_the_demo_itself_leaves_nothing_running(staying: subprocess.Popen[str], tmp_path: Path) -> None:
    read_until(staying, STAYS)
    staying.kill()
    staying.wait()
    for _ in range(50):
        if not left_running(tmp_path / "demo"):
            return
        time.sleep(0.1)
    assert left_running(tmp_path / "demo") == []


def test_a_folder_with_someone_elses_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    said = subprocess.run([*COMMAND, "--once", "--dir", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, "choose another folder" in said.stderr) == (1, True)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_there_must_be_something_to_go_on_with(tmp_path: Path) -> None:
    options = ["--once", "--keep", "--dir", str(tmp_path)]
    said = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, "nothing of the demo" in said.stderr) == (1, True)


def going_on_with(folder: Path) -> dict[str, Any]:
    options = ["--once", "--keep", "--json", "--dir", str(folder)]
    said = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=300, check=False)
    assert said.returncode == 0, said.stderr
    figures: dict[str, Any] = json.loads(said.stdout)
    return figures


def read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if words in line:
            return
    raise AssertionError("".join(seen))


def rest_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.read()


def children_of(parent: int) -> list[tuple[int, str]]:
    return [(pid, command) for pid, ancestor, command in _processes() if ancestor == parent]


def left_running(folder: Path) -> list[str]:
    """Return the commands of processes whose settings or arguments point into a folder."""
    return [command for pid, _, command in _processes() if str(folder) in command or str(folder) in _environment(pid)]


def _processes() -> Iterator[tuple[int, int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                parent = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            yield int(entry.name), parent, command


def _environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""
