"""The region's own plain normalising and that of the municipalities, written apart, give the same link values."""

from datetime import date
from typing import Any

from signal_exchange.privacy.normalising import link_values
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.truth import subject_keys, thing_keys

KINDS = frozenset({"BSN", "NAME_DOB", "NAME_DOB_SOFT", "ADDRESS_BAG", "ADDRESS_PC", "PHONE", "PLATE", "KVK", "IBAN"})
THINGS = ("places", "plates", "companies", "accounts")


def _plainly(record: dict[str, Any]) -> set[tuple[str, str]]:
    of_subjects = [subject_keys(record, subject["ref"]) for subject in record["subjects"]]
    of_things = [thing_keys(record, name, index) for name in THINGS for index in range(len(record[name]))]
    return {key for keys in (*of_subjects, *of_things) for key in keys}


def test_r_link_02_both_find_the_same_values_in_every_record_that_may_link() -> None:
    region = generate_region(21, 1500, date(2026, 11, 20))
    linking = [arrival for arrival in region.good if any(entry["purpose"] == "LINKING" for entry in arrival.record["exchanges"])]
    assert len(linking) > 1000
    for arrival in linking:
        found = {(value.type, value.value) for value in link_values(arrival.record, kinds=KINDS)}
        assert found == _plainly(arrival.record), str(arrival.key)
