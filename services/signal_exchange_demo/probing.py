"""Four signals that the demo adds to a region, so that what its judge must see occurs in every one of them."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from signal_exchange.reference.loading import load_example
from signal_exchange_demo.region.model import Arrival

Record = dict[str, Any]
WEAK, TIP, MIXED, ALONE = "DEMO-WEAK", "DEMO-TIP", "DEMO-MIXED", "DEMO-ALONE"
"""A weak but confirmed signal of somebody who wants help; a tip that shares a telephone with it; an adult victim beside a minor
suspect; and a tip that shares nothing."""
SHARED_PHONE = "06-00007788"


def probes() -> tuple[Arrival, ...]:
    """Return the four signals; nobody in them is real."""
    return tuple(
        Arrival(record["local_ref"], "new", 1, datetime.fromisoformat(record["received_at"]), record) for record in _records()
    )


def changed(arrival: Arrival) -> Arrival:
    """Return the next version of one of them."""
    record = {**arrival.record, "estimated_victims": (arrival.record["estimated_victims"] or 0) + 1}
    return Arrival(arrival.signal_id, "correction", arrival.version + 1, arrival.came, record)


def _records() -> tuple[Record, ...]:
    victim = {"family_name": "Voorbeeldova", "given_names": "Mira", "birth_date": "1998-07-21", "phone": SHARED_PHONE}
    weak = _record("01_sexual", WEAK, "GM0983", urgency="MONITOR", corroborated=True)
    weak["subjects"] = [{**weak["subjects"][0], **victim}]
    tip = _record("06_anonymous_tip", TIP, "GM1507")
    tip["subjects"] = [{**_somebody(), "ref": "s1", "phone": SHARED_PHONE}]
    mixed = _record("01_sexual", MIXED, "GM0984", urgency="REGULAR")
    adult = {**mixed["subjects"][0], "family_name": "Testman", "given_names": "Ada", "birth_date": "1991-03-17", "phone": None}
    mixed["subjects"] = [adult, {**_somebody(), "ref": "s2", "birth_date": "2010-02-03", "age_band": None}]
    return weak, tip, mixed, _record("06_anonymous_tip", ALONE, "GM0957")


def _record(example: str, reference: str, municipality: str, **changes: Any) -> Record:  # noqa: ANN401 - JSON
    record = copy.deepcopy(dict(load_example(example, "inside")))
    own = {"local_ref": reference, "municipality": municipality, "narrative": "Verzonnen.", "summary": "Verzonnen melding."}
    return {**record, **own, "places": [], "plates": [], **changes}


def _somebody() -> Record:
    return copy.deepcopy(dict(load_example("01_sexual", "inside"))["subjects"][1])
