"""What cannot be sealed does not leave: a person hears which key the register lacks, and nothing else stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from nodes import Town, a_town, example
from signal_exchange.municipality.renewing import RenewLoop
from signal_exchange.municipality.store import SIGNALS
from signal_exchange.privacy.register import NoSealingKey
from signal_exchange.runtime.faults import Refused
from signal_exchange.stream.identity import Identity


@pytest.mark.parametrize("group", ["care", "table", "linking"])
def test_a_signal_that_cannot_be_sealed_is_refused_in_one_sentence_and_stays_unpublished(tmp_path: Path, group: str) -> None:
    town = a_town(tmp_path)
    register = town.node.identity.register
    keys = tuple(each for each in register.sealing_keys if each.key.group != group)
    identity = Identity(lambda: replace(register, sealing_keys=keys), town.node.identity.current_keys)
    lacking = Town(town.region, replace(town.node, identity=identity))
    with pytest.raises(Refused, match=f"geen geldige sleutel van {group}"):
        lacking.publish(example(local_ref="A-1"))
    assert lacking.rows(SIGNALS) == []
    [result] = town.publish(example(local_ref="A-1"))
    assert result.signal_id is not None


class Keyless:
    """Renews nothing, since the register lacks linking's key."""

    def renew(self) -> None:
        raise NoSealingKey("The register has no valid sealing key for linking.")


def test_the_renewal_of_tokens_waits_for_the_key_and_the_node_goes_on() -> None:
    rounds = iter([False, False, True])
    with capture_logs() as logged:
        RenewLoop(Keyless(), 0.0).run(lambda _seconds: next(rounds))  # type: ignore[arg-type]  # only renew is used
    assert [entry["event"] for entry in logged] == ["sealing_key_missing"] * 2
