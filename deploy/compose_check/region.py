"""The containers of docker-compose.yml under a project name of their own, spoken to through `docker compose`."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "signal-exchange-check"
ACCOUNT = "exchange"
"""The account of the operating system under which the image runs everything."""
ONE_SHOTS = ("founding", "catalogue", "databases")
# Beside a region that somebody runs already: the same file but for the numbers of published ports, which the engine chooses.
OVERRIDE = """services:
  kafka: {ports: !override ["127.0.0.1::9094"]}
  prometheus: {ports: !override ["127.0.0.1::9090"]}
  web-worklist: {ports: !override ["127.0.0.1::8443"]}
  web-worklist-youth: {ports: !override ["127.0.0.1::8443"]}
"""
T = TypeVar("T")
Ran = subprocess.CompletedProcess[str]


class ComposeFailed(Exception):  # noqa: N818 - says what happened
    """A command of docker failed that had to work; the text is what it said."""


class Region:
    """The region under test. Nothing of another project is touched."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="compose-check-")
        self._tokens: dict[str, str] = {}
        override = Path(self._folder.name) / "override.yml"
        override.write_text(OVERRIDE, encoding="utf-8")
        files = ("--file", str(ROOT / "docker-compose.yml"), "--file", str(override))
        self.command = ("docker", "compose", "--project-name", PROJECT, "--project-directory", str(ROOT), *files)

    def __enter__(self) -> Self:
        """Give it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget its file; what it started is taken away by `down`."""
        self._folder.cleanup()

    def compose(self, *words: str, text: str | None = None, must: bool = True, seconds: float = 600) -> Ran:
        """Run one command of docker compose."""
        return run((*self.command, *words), text=text, must=must, seconds=seconds)

    def build(self) -> None:
        """Build the image as deploy/Dockerfile says: with BuildKit where it is, else with the engine's own builder."""
        if run(("docker", "buildx", "version"), must=False).returncode:
            os.environ["DOCKER_BUILDKIT"] = "0"
        self.compose("build", seconds=3600)

    def up(self) -> None:
        """Start everything that is not there, and wait until all is healthy or done."""
        self.compose("up", "--no-build", "--detach", "--wait", "--wait-timeout", "900", seconds=1000)

    def down(self, *, volumes: bool = False) -> None:
        """Stop and remove every container and network, and with `volumes` everything they kept."""
        self.compose("down", "--remove-orphans", *(["--volumes"] if volumes else []))

    def inside(self, service: str, *words: str, text: str | None = None, must: bool = True) -> Ran:
        """Run a command in the container of a service."""
        return self.compose("exec", "--no-TTY", service, *words, text=text, must=must)

    def product(self, service: str, *words: str, text: str | None = None) -> Ran:
        """Run signal-exchange in the container of a service, as the person whom it has a token of."""
        token = self._tokens.get(service)
        proven = ("env", f"SIGNAL_EXCHANGE_PERSON_TOKEN_FILE={token}") if token else ()
        return self.inside(service, *proven, "signal-exchange", *words, text=text, must=False)

    def give_people(self, service: str, role: str) -> list[str]:
        """Give a service an administrator and one person with a token; return what went wrong."""
        token = f"/data/{role.lower()}.token"
        admin = ("add", "--name", "admin", "--role", "ORGANISATION_ADMIN", "--organisation", service, "--subject", ACCOUNT)
        person = (
            "add",
            "--name",
            "person",
            "--role",
            role,
            "--organisation",
            service,
            "--issuer",
            "check",
            "--subject",
            "person",
        )
        steps = (admin, person, ("token", "person", token))
        said = [self.product(service, "people", *words) for words in steps]
        self._tokens[service] = token
        return [f"{each.stdout}{each.stderr}" for each in said if each.returncode]

    def listed(self, service: str, *words: str) -> list[Any]:
        """Return the list that a command of ours gives as JSON; nothing when it gives none."""
        said = self.product(service, *words, "--json").stdout
        try:
            found = json.loads(said)
        except ValueError:
            return []
        return found if isinstance(found, list) else next((each for each in found.values() if isinstance(each, list)), [])

    def ledger(self) -> dict[str, Any]:
        """Return what oversight says of conservation; it is balanced when `conserved` is true."""
        return dict(json.loads(self.product("oversight", "ledger", "conservation", "--json").stdout or "{}"))

    def declared(self) -> set[str]:
        """Return the name of every service of the file."""
        return set(self.compose("config", "--services").stdout.split())

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what the engine knows of each container, by its service."""
        ids = self.compose("ps", "--all", "--quiet").stdout.split()
        inspected = json.loads(run(("docker", "inspect", *ids)).stdout) if ids else []
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in inspected}

    def running(self) -> dict[str, dict[str, Any]]:
        """Return the containers that run."""
        return {name: each for name, each in self.containers().items() if each["State"]["Running"]}

    def unwell(self) -> list[str]:
        """Return which service is not healthy, and which that makes something did not end well."""
        there = self.containers()
        bad = [f"{name}: not there" for name in self.declared() - set(there)]
        for name, each in there.items():
            state = each["State"]
            well = state["Status"] == "exited" and state["ExitCode"] == 0 if name in ONE_SHOTS else _health(state) == "healthy"
            bad += [] if well else [f"{name}: {state['Status']} {_health(state)} {state['ExitCode']}"]
        return sorted(bad)

    def address(self, service: str, port: int) -> str:
        """Return where a port of a service is published on this machine."""
        return self.compose("port", service, str(port)).stdout.strip()

    def name_of(self, service: str) -> str:
        """Return the engine's name of a container that may not be there yet."""
        return f"{PROJECT}-{service}-1"


def _health(state: Mapping[str, Any]) -> str:
    return str(state.get("Health", {}).get("Status", ""))


def run(command: Sequence[str], *, text: str | None = None, must: bool = True, seconds: float = 600) -> Ran:
    """Run a command and return what it said.

    Raises:
        ComposeFailed: it failed, and it must not.
    """
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=seconds, check=False, env=dict(os.environ))
    if must and done.returncode:
        raise ComposeFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done


def until(look: Callable[[], T], seconds: float = 180, pause: float = 2.0) -> T:
    """Look until the answer is true, and return it; the last answer when time runs out."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(pause)
    return found
