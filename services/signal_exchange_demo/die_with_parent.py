"""Runs a program that cannot outlive the process that started it, not even when that one is killed.

Used as a script: it ties itself to its parent and then becomes the program, so that the process id stays the same.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def die_with_parent(command: list[str]) -> list[str]:
    """Return the command that runs `command` tied to this process; Linux only.

    The kernel ties it to the thread that starts it: start it from a thread that lives as long as the program should.
    """
    return [sys.executable, "-I", "-S", str(Path(__file__)), str(os.getpid()), *command]


def main(arguments: list[str]) -> None:
    """Ask the kernel for SIGKILL when the parent ends, and become the program."""
    parent, program, *rest = arguments
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == int(parent):  # else the parent ended before the kernel was asked
        os.execvp(program, [program, *rest])  # noqa: S606 - becoming the program is what this script is for


if __name__ == "__main__":
    main(sys.argv[1:])
