from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from signal_exchange_demo.commands import MARK
from signal_exchange_demo.holding import empty, held
from signal_exchange_demo.refusing import DemoError

HOLDER = """
import sys, time
from pathlib import Path
from signal_exchange_demo.commands import MARK
from signal_exchange_demo.holding import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_demo_in_the_same_folder_is_refused_until_the_first_ends_however_it_ends(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        (folder / "of the first").touch()
        for path in (folder, tmp_path / "demo" / ".." / "demo"):
            with pytest.raises(DemoError, match="already"), held(path):
                raise AssertionError
        assert (folder / "of the first").exists()
        first.send_signal(signal.SIGKILL)
    with held(folder):
        pass


def test_emptying_a_folder_keeps_hold_of_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder = tmp_path / "demo"
    with held(folder):
        (folder / "logs" / "deep").mkdir(parents=True)
        (folder / "file").touch()
        (folder / "link").symlink_to(outside)
        before = folder.stat().st_ino
        empty(folder)
        assert (list(folder.iterdir()), folder.stat().st_ino) == ([], before)
        with pytest.raises(DemoError), held(folder):
            raise AssertionError
    assert (outside / "kept").exists()


@pytest.mark.parametrize("options", [[], ["--keep"]])
def test_the_command_leaves_a_folder_alone_in_which_a_demo_runs(tmp_path: Path, options: list[str]) -> None:
    folder = tmp_path / "demo"
    words = [sys.executable, "-m", "signal_exchange.cli.main", "demo", "--once", "--dir", str(folder), *options]
    with held(folder):
        (folder / MARK).write_text("", encoding="utf-8")
        (folder / "of the first").touch()
        said = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert (said.returncode, "runs in" in said.stderr, "Traceback" in said.stderr) == (1, True, False)
        assert (folder / "of the first").exists()
