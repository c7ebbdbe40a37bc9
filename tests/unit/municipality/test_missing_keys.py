"""What cannot be sealed does not leave: a person hears which key the register lacks, and nothing else stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from nodes import Town, a_town, example
from refusing import refused
from structlog.testing import capture_logs

from signal_exchange.municipality.publishing.preparing import Preparer
from signal_exchange.municipality.publishing.renewing import Renewed, Renewer
from signal_exchange.municipality.store import SIGNALS
from signal_exchange.privacy.keeper_client import NoTokens, Reason
from signal_exchange.stream.identity import Identity


@pytest.mark.parametrize("group", ["care", "table", "linking"])
def test_a_signal_that_cannot_be_sealed_is_refused_in_one_sentence_and_stays_unpublished(tmp_path: Path, group: str) -> None:
    town = a_town(tmp_path)
    register = town.node.identity.register
    keys = tuple(each for each in register.sealing_keys if each.key.group != group)
    identity = Identity(lambda: replace(register, sealing_keys=keys), town.node.identity.current_keys)
    lacking = Town(town.region, replace(town.node, identity=identity))
    with refused(f"geen geldige sleutel van {group}"):
        lacking.publish(example(local_ref="A-1"))
    assert lacking.rows(SIGNALS) == []
    [result] = town.publish(example(local_ref="A-1"))
    assert result.signal_id is not None


def test_the_renewal_of_tokens_waits_for_the_key_says_so_and_loses_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    town.keepers.refusal = NoTokens(Reason.TIMEOUT, "keeper-a")
    town.publish(example(local_ref="A-1"))
    town.keepers.refusal = None
    register = town.node.identity.register
    lacking = tuple(each for each in register.sealing_keys if each.key.group != "linking")
    identity = Identity(lambda: replace(register, sealing_keys=lacking), town.node.identity.current_keys)
    with capture_logs() as logged:
        assert renewer(town, identity).renew() == Renewed(0, "NO_SEALING_KEY")
    assert [entry["event"] for entry in logged] == ["sealing_key_missing"]
    assert renewer(town, town.node.identity).renew() == Renewed(1)


def renewer(town: Town, identity: Identity) -> Renewer:
    preparer = Preparer(identity.sealed_part, town.keepers, frozenset())
    return Renewer(town.node.settings.municipality, town.node.vault_key, town.node.database, preparer, town.clock)
