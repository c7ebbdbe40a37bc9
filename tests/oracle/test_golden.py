"""Generator and oracle still give what the golden files hold: the truth of two small regions on fixed days.

A difference means that the generator or a rule changed. When that was meant, write the files again with
`cd tests && ../.venv/bin/python -m signal_exchange_demo.oracle.test_golden` and read the difference before committing it.
"""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from region_entries import entries_for

from signal_exchange.participants.region import SIX
from signal_exchange_demo.oracle.oracle import truth_for
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.model import Region

GOLDEN = Path(__file__).parent / "golden"
ALL_ACCEDED = (*SIX, "GM0889", "GM0893", "GM0944", "GM1711", "GM1640", "GM1641", "GM1669")
REGIONS: dict[str, tuple[int, int, date, tuple[str, ...]]] = {
    "six_municipalities": (1, 200, date(2026, 11, 20), SIX),
    "thirteen_municipalities": (2, 200, date(2027, 1, 4), ALL_ACCEDED),
}


def golden_text(region: Region) -> str:
    """Write the truth of a region with one entry a line, so that a difference can be read."""
    truth = truth_for(entries_for(region))
    records = "".join(json.dumps(arrival.record, ensure_ascii=False) for arrival in region.arrivals)
    head = {
        "arguments": [region.plan.seed, region.signals, str(region.plan.publish_day), list(region.municipalities)],
        "records_sha256": hashlib.sha256(records.encode()).hexdigest(),
        "counts": region.counts,
        "statistics": truth["statistics"],
    }
    lines = [json.dumps(_short(entry), ensure_ascii=False) for entry in truth["entries"]]
    return json.dumps(head, indent=1)[:-2] + ',\n "entries": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"


def _short(entry: dict[str, Any]) -> dict[str, Any]:
    if "routes" not in entry:
        return entry
    routes = {name: " ".join(str(value) for value in route.values()) for name, route in entry["routes"].items()}
    return {**entry, "routes": routes}


@pytest.mark.parametrize("name", sorted(REGIONS))
def test_generator_and_oracle_give_the_golden_truth(name: str) -> None:
    expected = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert golden_text(generate_region(*REGIONS[name])) == expected


@pytest.mark.parametrize("name", sorted(REGIONS))
def test_the_golden_truth_holds_every_kind_of_fate(name: str) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    verdicts = {entry["verdict"] for entry in golden["entries"]}
    assert verdicts == {"accepted", "parked", "repeat", "withdrawn", "erased"}
    kept = golden["counts"]["arrivals"]["new"] - sum(golden["counts"]["withdrawals"].values())
    assert golden["statistics"]["reports"] == kept + golden["counts"]["forgeries"]["expired_epoch"]
    assert any(entry.get("retracted") for entry in golden["entries"] if entry["version"] == 2)


@pytest.mark.parametrize("name", sorted(REGIONS))
def test_every_forgery_meets_the_fate_that_it_names(name: str) -> None:
    region = generate_region(*REGIONS[name])
    fates = truth_for(entries_for(region))["entries"][-len(region.forgeries) :]
    for forgery, fate in zip(region.forgeries, fates, strict=True):
        if forgery.parked_by != "routing":
            assert fate["verdict"] == "accepted", "routing cannot see the tokens"
        elif forgery.expected_reason is None:
            assert fate["verdict"] == "repeat"
        else:
            assert fate["dead_letter"] == forgery.expected_reason, forgery.kind
            assert tuple(fate["codes"]) == forgery.expected_codes, forgery.kind
            assert fate["unattributed"] is forgery.unattributed, forgery.kind


def write() -> None:
    """Write the golden files again."""
    for name, arguments in REGIONS.items():
        (GOLDEN / f"{name}.json").write_text(golden_text(generate_region(*arguments)), encoding="utf-8")


if __name__ == "__main__":
    write()
