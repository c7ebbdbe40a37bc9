"""The preview is what leaves: made by the code that publishes, and equal to the outbox field by field (A9)."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from nodes import EXAMPLES, a_town, example

from signal_exchange.domain.destinations import LINKING
from signal_exchange.municipality.publishing.importing import Line
from signal_exchange.municipality.publishing.previewing import Code, Preview
from signal_exchange.municipality.sending.outbox import OUTBOX
from signal_exchange.privacy.sealing import decode_tokens, unpad_summary


@pytest.mark.parametrize("name", EXAMPLES)
def test_a9_every_field_of_the_preview_is_that_of_the_message(name: str, tmp_path: Path) -> None:
    record = example(name)
    town = a_town(tmp_path, record["municipality"])
    publisher, line = town.actions.publisher, Line(1, "", record)
    seen = publisher.preview(line)
    assert isinstance(seen, Preview)
    assert town.rows(OUTBOX) == []
    (result,) = publisher.publish([line])
    (row,) = town.rows(OUTBOX)
    sent: dict[str, Any] = json.loads(row["fields"])
    assert {**seen.signal, "signal_id": result.signal_id} == sent["signal"]
    assert (seen.warnings, seen.contradictions) == (result.warnings, ())
    parts = {each["group"]: {**each, "ciphertext": b64decode(each["ciphertext"]["$bytes"])} for each in sent["sealed"]}
    assert {*seen.groups, *([LINKING] if LINKING in parts else [])} == parts.keys()
    for group in seen.groups:
        assert unpad_summary(town.opened(group, parts[group], row["signal_id"] + ".1")) == seen.text
    tokens = decode_tokens(town.opened(LINKING, parts[LINKING], row["signal_id"] + ".1")) if LINKING in parts else ()
    assert [Code(each.carrier, each.type) for each in tokens] == list(seen.codes)
    assert sent.keys() == {"own_ref", "tokens_pending", "signal", "sealed"}


def test_a_record_that_may_not_go_has_no_preview_but_the_same_faults(tmp_path: Path) -> None:
    town, line = a_town(tmp_path), Line(1, "", example(sector="CRI_THEFT", summary="Bel 06-00001234."))
    faults = town.actions.publisher.preview(line)
    (result,) = town.actions.publisher.publish([line])
    assert faults == result.faults
    assert {each.rule for each in result.faults} == {"R-VAL-05", "R-LEAK-02"}


def test_of_a_signal_that_stands_the_next_version_is_shown(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    town.publish(example())
    seen = town.actions.publisher.preview(Line(1, "", example(estimated_victims=7)))
    assert isinstance(seen, Preview)
    assert (seen.signal["version"], seen.signal["supersedes"], seen.signal["signal_id"]) == (2, 1, town.waiting()[0].signal_id)
