"""Nothing in the product is there for its tests alone: what nobody runs only seems to be in force."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from callers import Source, named_in_templates, sources_of, uncalled

from signal_exchange.cli.declaring import PACKAGES

SERVICES = Path(__file__).parents[2] / "services"
CALLED_BY_KAFKA_CLIENTS = {
    "signal_exchange.stream.batches:ReadableBatches.next_batch",
    "signal_exchange.stream.batches:Unread.validate_crc",
}
"""Methods of objects that stand in for a client's own, without its class."""
ROOTS = ["signal_exchange.cli.main", *(f"signal_exchange.{name}.service" for name in PACKAGES)]
"""Where running begins: the command line, and what the packages declare to it."""


@cache
def product() -> Mapping[str, Source]:
    return sources_of(SERVICES, "signal_exchange")


@cache
def product_and_demo() -> Mapping[str, Source]:
    return {**product(), **sources_of(SERVICES, "signal_exchange_demo")}


def test_every_function_of_the_domain_has_a_caller_in_the_product() -> None:
    assert uncalled(product(), under="signal_exchange.domain", roots=ROOTS) == []


def test_every_function_of_the_product_has_a_caller_there_or_in_the_demo() -> None:
    roots = [*ROOTS, "signal_exchange_demo"]
    found = uncalled(product_and_demo(), under="signal_exchange.", roots=roots, named=named_in_templates(SERVICES))
    assert set(found) == CALLED_BY_KAFKA_CLIENTS


def of(folder: Path, domain: str, main: str) -> list[str]:
    for name, text in (("domain/rule.py", domain), ("cli/main.py", main), ("cli/__init__.py", "")):
        file = folder / "signal_exchange" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return uncalled(sources_of(folder, "signal_exchange"), under="signal_exchange.domain", roots=["signal_exchange.cli.main"])


RULE = """
def used():
    return _part()
def _part():
    pass
def idle():
    return _of_idle()
def _of_idle():
    return idle()
"""
IDLE = ["signal_exchange.domain.rule:_of_idle", "signal_exchange.domain.rule:idle"]


@pytest.mark.parametrize(
    ("main", "idle"),
    [
        ("from signal_exchange.domain.rule import used\ndef main():\n    used()\n", IDLE),
        ("from signal_exchange.domain import rule\ndef main():\n    rule.used()\n", IDLE),
        ("from signal_exchange.domain.rule import idle, used\ndef main():\n    idle(used)\n", []),
        ("LOADED = 'domain.rule:used'\n", IDLE),
        ("def main():\n    idle = 3\n", [*IDLE, "signal_exchange.domain.rule:_part", "signal_exchange.domain.rule:used"]),
    ],
)
def test_who_is_called_shows_from_imports_and_not_from_equal_names(tmp_path: Path, main: str, idle: list[str]) -> None:
    assert set(of(tmp_path, RULE, main)) == set(idle)


def test_a_method_is_called_where_something_has_its_name_as_an_attribute(tmp_path: Path) -> None:
    rule = "class Day:\n    def next(self):\n        pass\n    def last(self):\n        pass\n"
    main = "from signal_exchange.domain.rule import Day\ndef main():\n    Day().next()\n"
    assert of(tmp_path, rule, main) == ["signal_exchange.domain.rule:Day.last"]
