"""The alarms: rules that Prometheus accepts and that fire when they should, on metrics that exist, each with its runbook."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from signal_exchange.oversight.figures import PARKED_TOO_LONG_SECONDS
from signal_exchange.runtime.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOK = (ROOT / "docs" / "operator" / "runbook.md").read_text(encoding="utf-8")
FIGURES = (ROOT / "services" / "signal_exchange" / "oversight" / "figures.py").read_text(encoding="utf-8")


def rules() -> Iterator[dict[str, Any]]:
    loaded = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))
    return (rule for group in loaded["groups"] for rule in group["rules"])


RULES = {rule["alert"]: rule for rule in rules()}
each_rule = pytest.mark.parametrize("name", sorted(RULES))


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "prometheus.yml"), ("check", "rules", "rules.yml"), ("test", "rules", "rules_test.yml")],
    ids=" ".join,
)
def test_promtool_accepts_the_rules_and_each_alarm_fires_when_it_should(arguments: tuple[str, ...]) -> None:
    said = subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)  # noqa: S607 - Debian's
    assert said.returncode == 0, said.stdout + said.stderr


@each_rule
def test_each_alarm_has_a_unit_test_that_hears_it_and_one_that_does_not(name: str) -> None:
    tests = yaml.safe_load((FOLDER / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
    cases = [each for test in tests for each in test["alert_rule_test"] if each["alertname"] == name]
    assert {bool(case["exp_alerts"]) for case in cases} == {True, False}


@each_rule
def test_each_alarm_stands_on_metrics_that_there_are(name: str) -> None:
    asked = set(re.findall(r"\b(?:signal_exchange_\w+|up)\b", RULES[name]["expr"]))
    assert asked
    assert asked <= {*(each.name for each in Metrics().described), "up"}


@each_rule
def test_each_alarm_has_a_section_in_the_runbook_with_what_a_person_needs(name: str) -> None:
    section = RUNBOOK.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    for part in ("**What it means.**", "**Look at.**", "**Do.**", "**Call.**"):
        assert part in section, part


def test_the_runbook_has_no_section_for_an_alarm_that_there_is_not() -> None:
    assert set(re.findall(r"^## ([A-Z]\w+)$", RUNBOOK, re.MULTILINE)) == set(RULES)


def test_every_alarm_of_the_command_is_one_of_the_rules() -> None:
    assert set(re.findall(r'\("([A-Z]\w+)", ', FIGURES)) <= set(RULES)


def test_the_command_and_the_rule_agree_on_what_is_too_long() -> None:
    assert RULES["ParkedTooLong"]["expr"].endswith(f"> {PARKED_TOO_LONG_SECONDS}")


def test_no_alarm_names_a_municipality_or_what_a_signal_is() -> None:
    labels = {label for each in Metrics().described for label in each.labels}
    assert labels.isdisjoint({"municipality", "destination", "form", "urgency"})
