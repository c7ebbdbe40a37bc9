"""What the tests of the rules share: check values, examples and the region's reference data."""

import copy
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.signals.inside_rules import LinkToken
from signal_exchange.domain.times import AMSTERDAM
from signal_exchange.reference.loading import load_code_lists, load_equated_days, load_example, load_members

CODES = load_code_lists()
MEMBERS = load_members()
POLICY = Policy()
CALENDAR = WorkingCalendar(load_equated_days())
PUBLISH_DAY = date(2026, 11, 20)
EXAMPLES = ("01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip")


@cache
def _check_values() -> Mapping[str, Any]:
    text = (Path(__file__).parents[1] / "data" / "check_values.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text)
    return values


def check_values(section: str) -> Any:
    """Give one section of the machine-readable check values, free to change."""
    return copy.deepcopy(_check_values()[section])


def amsterdam(text: str) -> datetime:
    """Read a local clock time as the check values write it."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def published(name: str) -> dict[str, Any]:
    """Give the `data` of a published example, with summary and tokens."""
    data: dict[str, Any] = load_example(name, "published")["data"]
    return data


def tokens_of(data: Mapping[str, Any]) -> list[LinkToken]:
    """Give the link tokens of a published example as they are opened."""
    entries = [(f"subject:{each['ref']}", token) for each in data["subjects"] for token in each["link_tokens"]]
    entries += [(f"place:{index}", token) for index, each in enumerate(data["places"]) for token in each["link_tokens"]]
    entries += [(f"object:{index}", token) for index, token in enumerate(data["objects"])]
    return [LinkToken(carrier, token["type"], token["epoch"], token["token"]) for carrier, token in entries]


def coded(name: str) -> dict[str, Any]:
    """Give the coded signal of a published example: what is on the wire beside the sealed parts."""
    data = published(name)
    del data["summary"], data["objects"]
    for carrier in (*data["subjects"], *data["places"]):
        del carrier["link_tokens"]
    return data
