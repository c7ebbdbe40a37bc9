"""R-LEAK-04: recall and false alarms on the synthetic region, whose truth is known. The figures gate a release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from signal_exchange.privacy.leak_guard import Finding, check_text
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.model import Leak, Region

NUMBER_TYPES = ("PHONE", "PLATE", "IBAN", "DOB", "ADDRESS")


@pytest.fixture(scope="module")
def region() -> Region:
    return generate_region(20261120, 1500, date(2026, 11, 20))


def records(region: Region) -> list[tuple[dict[str, Any], list[Leak]]]:
    leaks: dict[object, list[Leak]] = {}
    for leak in region.truth.leaks:
        leaks.setdefault(leak.signal_id, []).append(leak)
    return [(arrival.record, leaks.get(arrival.signal_id, [])) for arrival in region.arrivals if arrival.kind == "new"]


def is_covered(text: str, leak: Leak, findings: Sequence[Finding]) -> bool:
    return all(
        any(finding.start <= place < finding.end for finding in findings)
        for place in range(leak.start, leak.end)
        if text[place].isalnum()
    )


def test_r_leak_04_recall_is_98_per_cent_for_numbers_and_95_for_names(region: Region) -> None:
    planted, caught = Counter[str](), Counter[str]()
    for record, leaks in records(region):
        findings = check_text(record["narrative"], record)
        planted.update(leak.leak_type for leak in leaks)
        caught.update(leak.leak_type for leak in leaks if is_covered(record["narrative"], leak, findings))
    assert planted["NAME"] > 100
    assert caught["NAME"] / planted["NAME"] >= 0.95
    numbers = [sum(counts[kind] for kind in NUMBER_TYPES) for counts in (caught, planted)]
    assert numbers[1] > 300
    assert numbers[0] / numbers[1] >= 0.98


def test_r_leak_04_there_are_at_most_5_false_alarms_in_100_texts(region: Region) -> None:
    alarms = texts = 0
    for record, leaks in records(region):
        spans = [(leak.start, leak.end) for leak in leaks]
        texts += 2
        alarms += len(check_text(record["summary"], record))
        alarms += sum(
            not any(finding.start < end and start < finding.end for start, end in spans)
            for finding in check_text(record["narrative"], record)
        )
    assert alarms / texts <= 0.05
