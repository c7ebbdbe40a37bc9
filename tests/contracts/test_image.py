"""The image: pinned, without root, from requirements with hashes, and with everything inside that a service reads."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

import pytest
from compose_file import ROOT, services
from hatchling.builders.wheel import WheelBuilder

LINES = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
INSTRUCTIONS = [line.split(maxsplit=1) for line in LINES if line and not line.startswith("#")]


def arguments(instruction: str) -> list[str]:
    return [words for name, words in INSTRUCTIONS if name == instruction]


def test_every_stage_starts_from_the_same_python_by_its_full_tag() -> None:
    images = [words.split()[0] for words in arguments("FROM")]
    assert len(images) == 2
    assert len(set(images)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", images[0])


def test_what_is_installed_is_pinned_by_hash_and_nothing_else_is_fetched() -> None:
    installed = [words for run in arguments("RUN") for words in run.split("&&") if "install" in words and "/pip" in words]
    fetched = [words for words in installed if "--no-index" not in words]
    assert [words.split()[-1] for words in fetched] == ["/build/requirements/build.txt", "/build/requirements/run.txt"]
    assert all("--require-hashes --no-deps" in words for words in fetched)
    (package,) = [words for words in installed if "--no-index" in words]
    assert "--no-deps" in package
    assert "--no-build-isolation" in next(run for run in arguments("RUN") if "pip wheel" in run)
    assert "ADD" not in {name for name, _ in INSTRUCTIONS}


def behind_an_index() -> str:
    """Return what `make image` would build with secrets: its Dockerfile, then the options of docker."""
    asked = ["make", "--no-print-directory", "image", "PIP_CONF=mine.conf", "PIP_CA=mine.pem", "IMAGE=x"]
    with tempfile.TemporaryDirectory() as folder:
        docker = Path(folder) / "docker"
        docker.write_text('#!/bin/sh\ncat\necho "$@"\n', encoding="utf-8")
        docker.chmod(0o755)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        return subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_an_index_and_a_certificate_of_ones_own_come_in_as_secrets_and_stay_in_no_layer() -> None:
    said = behind_an_index()
    fetching = [line for line in said.splitlines() if "--require-hashes" in line]
    assert fetching[0].startswith("RUN --mount=type=secret,id=pip,target=/run/secrets/pip.conf --mount=type=secret,id=pip-ca,")
    assert "--secret id=pip,src=mine.conf --secret id=pip-ca,src=mine.pem" in said
    assert any("PIP_CONFIG_FILE=/run/secrets/pip.conf" in words for words in arguments("ENV"))
    assert "ARG" not in {name for name, _ in INSTRUCTIONS}


def test_what_installs_and_builds_stays_out_of_the_image() -> None:
    names = {line.partition("==")[0] for line in (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8").splitlines()}
    assert names & {"pip", "hatchling", "editables", "setuptools", "wheel"} == set()
    assert "python -m venv --without-pip /opt/signal-exchange" in " ".join(arguments("RUN"))
    assert "rm -rf /usr/local/bin/pip*" in arguments("RUN")[-1]


def test_it_runs_as_the_user_that_the_compose_file_names_and_never_as_root() -> None:
    assert arguments("USER") == ["1000:1000"]
    assert {service["user"] for name, service in services().items() if name != "prometheus"} == {"1000:1000"}
    assert INSTRUCTIONS[-2:] == [["ENTRYPOINT", '["signal-exchange"]'], ["CMD", '["--help"]']]


def test_the_last_stage_takes_nothing_from_the_checkout() -> None:
    last = max(number for number, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM")
    assert [words for name, words in INSTRUCTIONS[last:] if name == "COPY"] == [
        "--from=build /opt/signal-exchange /opt/signal-exchange"
    ]


def test_what_is_copied_is_there_and_nothing_more_goes_to_the_builder() -> None:
    copied = {source for words in arguments("COPY") if "--from" not in words for source in words.split()[:-1]}
    assert all((ROOT / source).exists() for source in copied)
    ignored = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert ignored[0] == "*"
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package as the image does."""
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    return Path(built)


def test_the_package_carries_every_schema_and_every_file_of_reference_data(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    schemas = {f"signal_exchange/{file.relative_to(ROOT)}" for file in (ROOT / "schemas").rglob("*.avsc")}
    package = ROOT / "services" / "signal_exchange"
    sources_of_static_files = package / "web" / "ui"
    kept = [file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    kept = [file for file in kept if not file.is_relative_to(sources_of_static_files)]
    assert len(schemas) > 30
    assert schemas | {str(file.relative_to(ROOT / "services")) for file in kept} <= inside


def test_the_package_carries_nothing_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "signal_exchange",
        next(n for n in names if "dist-info" in n).partition("/")[0],
    }
