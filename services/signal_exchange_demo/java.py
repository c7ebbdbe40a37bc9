"""Finds Java and the broker's jars, and says in one sentence what is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from signal_exchange_demo.refusing import DemoError

OLDEST_JAVA = 17
"""Kafka 4 brokers run on Java 17 and later."""
STAMP = ".stamp"
"""The file that says that every jar arrived."""


class BrokerError(DemoError):
    """The broker cannot run; the text is one sentence for the person who started it."""


def require_java(java: str) -> None:
    """Check that `java` is a Java that can run the broker.

    Raises:
        BrokerError: there is none, or it is too old.
    """
    if shutil.which(java) is None:
        raise BrokerError(f"Java is not installed: install version {OLDEST_JAVA} or later (Debian: openjdk-17-jre-headless).")
    version = _version(java)
    if version < OLDEST_JAVA:
        raise BrokerError(f"Java {version} is too old for Kafka: install version {OLDEST_JAVA} or later.")


def _version(java: str) -> int:
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', answer)
    if found is None:
        raise BrokerError("The program named java does not say which version it is: reinstall Java.")
    return int(found[1])


def require_libs(libs: Path) -> None:
    """Check that the broker's jars are complete.

    Raises:
        BrokerError: they are not; names the make target that fetches them.
    """
    if not (libs / STAMP).is_file():
        raise BrokerError("The jars of Kafka are missing: run `make deploy/kafka/libs/.stamp`, which fetches them with Maven.")


def fetch_libs(pom: Path, libs: Path, maven: str = "mvn") -> None:
    """Fetch the jars that a pom names into a folder, unless they are there already.

    Raises:
        BrokerError: Maven is missing, or could not fetch them.
    """
    stamp = libs / STAMP
    if stamp.is_file() and stamp.stat().st_mtime >= pom.stat().st_mtime:
        return
    if shutil.which(maven) is None:
        raise BrokerError("Maven is not installed, which fetches the jars of Kafka (Debian: apt-get install maven).")
    shutil.rmtree(libs, ignore_errors=True)
    _copy_dependencies(pom, libs, maven)
    stamp.touch()


def _copy_dependencies(pom: Path, libs: Path, maven: str) -> None:
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={libs.resolve()}", "-DincludeScope=runtime"]
    done = subprocess.run([maven, "-q", "-B", "-f", str(pom), *goal], capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in done.stdout.splitlines() if line.startswith("[ERROR]")), "it gave no reason")
        raise BrokerError(f"Maven could not fetch the jars of Kafka: {said.removeprefix('[ERROR]').strip(' .')}.")
