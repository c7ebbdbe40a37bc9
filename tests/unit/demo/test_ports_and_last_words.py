"""Ports are given out once, and a process that ends early is told with its last words."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from signal_exchange.participants.kafka_files import PORTS, free_ports
from signal_exchange_demo.processes import Child, ChildFailedError, ProcessGroup


def test_no_port_is_given_twice_even_when_nobody_listens_on_it_yet() -> None:
    given = [*islice(free_ports(), 20), *islice(free_ports(), 20)]
    assert len(set(given)) == len(given)


def test_ports_that_were_given_out_long_ago_are_left_alone() -> None:
    kept = PORTS[200:]
    assert set(islice(free_ports(taken=kept), 20)) <= set(PORTS[:200])


def test_what_one_process_was_given_no_other_is_given_while_nobody_listens_on_it() -> None:
    ours = list(islice(free_ports(), 20))
    others = [port for port in PORTS if port not in ours][:20]
    program = "import sys; from signal_exchange.participants.kafka_files import PORTS, free_ports; "
    program += "print(*free_ports(taken=set(PORTS).difference(map(int, sys.argv[1:]))))"
    command = [sys.executable, "-c", program, *map(str, [*ours, *others])]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    given = set(map(int, said.stdout.split()))
    assert given
    assert not given & set(ours)


def test_what_a_process_that_ended_was_given_is_given_again() -> None:
    program = "from signal_exchange.participants.kafka_files import free_ports; print(next(free_ports()))"
    ended = int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)
    assert list(free_ports(taken=set(PORTS) - {ended})) == [ended]


def ended_with(tmp_path: Path, code: int, log: str) -> Child:
    child = Child("worklist", ("no-such-command",), {}, tmp_path / "worklist.log", "http://127.0.0.1:1/")
    child.start()
    child.wait(60)
    child.log.write_text(log, encoding="utf-8")
    assert child.process is not None
    child.process.returncode = code
    return child


@pytest.mark.parametrize("reason", ["STANDS_STILL", "GROUP_LOST"])
def test_a_process_that_ended_itself_because_it_stood_still_is_started_again_a_few_times(tmp_path: Path, reason: str) -> None:
    log = json.dumps({"event": "consumer_stopped", "reason": reason}) + '\n{"event": "process_stopped"}\n'
    child = ended_with(tmp_path, 1, log)
    for again in (1, 2, 3):
        before = child.process
        ProcessGroup([child]).check()
        assert (child.restarts, child.process is before) == (again, False)
        child.wait(60)
        child.log.write_text(log, encoding="utf-8")
        assert child.process is not None
        child.process.returncode = 1
    with pytest.raises(ChildFailedError):
        ProcessGroup([child]).check()


@pytest.mark.parametrize(
    ("code", "stopped"),
    [
        (-9, {"event": "consumer_stopped", "reason": "STANDS_STILL"}),
        (1, {"event": "consumer_stopped", "exception": "RuntimeError"}),
        (1, {"event": "process_started"}),
        (0, {"event": "process_stopped"}),
    ],
)
def test_a_process_that_ended_otherwise_ends_the_demo(tmp_path: Path, code: int, stopped: dict[str, str]) -> None:
    with pytest.raises(ChildFailedError, match=f"exit code {code}"):
        ProcessGroup([ended_with(tmp_path, code, json.dumps(stopped))]).check()


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("signal-exchange: The port 1 is taken.\nshutting down\n", "It said: The port 1 is taken. "),
        (
            '{"event": "consumer_stopped", "exception": "Refused", "refused": "The port 1 is taken."}\n{"template": "x"}\n',
            "It said: The port 1 is taken. ",
        ),
        ("first\nOSError: no space left\n\n", "It said: OSError: no space left "),
        ("", "exit code 1. Its log: "),
    ],
)
def test_a_process_that_ended_is_told_with_its_last_words(tmp_path: Path, log: str, words: str) -> None:
    child = ended_with(tmp_path, 1, log)
    with pytest.raises(ChildFailedError) as failed:
        ProcessGroup([child]).check()
    assert words in str(failed.value)
