"""The page of the architecture names every service, topic and promise that the code knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from signal_exchange.contracts.topics import CONSUMERS, catalogue

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
STEPS = 7


def test_the_page_names_every_service() -> None:
    assert [name for name in CONSUMERS if f"`{name}`" not in PAGE] == []


def test_the_page_names_every_topic() -> None:
    names = {topic.name.split(".")[0] for topic in catalogue(["GM0983"]).topics}
    shown = PAGE.replace("(-youth)", "")
    assert [name for name in sorted(names) if not re.search(rf"(?<![\w-]){name}(?![\w-])", shown)] == []


def test_every_promise_that_the_code_cites_stands_on_the_page() -> None:
    promises = set(re.findall(r'<a id="promise-(\d)"', PAGE))
    assert promises == {str(number) for number in range(1, 8)}
    files = (
        file for folder in ("services", "tests", "docs") for file in (ROOT / folder).rglob("*") if file.suffix in (".py", ".md")
    )
    cited = {number for file in files for number in re.findall(r"\(promise (\d+)\)", file.read_text(encoding="utf-8"))}
    assert cited
    assert cited <= promises


def test_the_way_of_a_signal_has_seven_steps_and_each_names_file_and_function() -> None:
    way = PAGE.partition("## The way of a signal")[2].partition("\n## ")[0]
    steps = re.findall(r"^\d\. \*\*.*?(?=^\d\. \*\*|\Z)", way, re.MULTILINE | re.DOTALL)
    assert len(steps) == STEPS
    assert [step for step in steps if not re.search(r"`\S+\.py: \w", step)] == []


def test_the_page_names_every_package_of_the_product() -> None:
    folders = (ROOT / "services" / "signal_exchange").iterdir()
    packages = [each.name for each in folders if (each / "__init__.py").exists()]
    assert [name for name in packages if not re.search(rf"`{name}/?`", PAGE)] == []


FILES_OF_A_CONSUMER = ("service.py", "composition.py", "handler.py", "store.py", "actions.py", "commands.py", "rebuilding.py")


@pytest.mark.parametrize("package", sorted({name.removesuffix("-youth") for name in CONSUMERS}))
def test_every_consumer_has_the_files_that_contributing_names(package: str) -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in FILES_OF_A_CONSUMER if f"| `{name}`" not in contributing] == []
    folder = ROOT / "services" / "signal_exchange" / package
    assert [name for name in FILES_OF_A_CONSUMER if not (folder / name).exists()] == []
