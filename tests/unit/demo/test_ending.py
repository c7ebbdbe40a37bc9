"""The ends of a region become commands of the municipality whose signal it is."""

from dataclasses import dataclass, field
from datetime import date
from subprocess import CompletedProcess
from typing import cast

import pytest

from signal_exchange_demo.ending import CannotEndError, end_all, erasures_of, withdrawals_of
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.model import Region


@dataclass
class Municipalities:
    """Takes commands; those that begin with a refused word fail."""

    refused: str = ""
    given: list[tuple[str, ...]] = field(default_factory=list)

    def command(self, name: str, *arguments: str) -> CompletedProcess[str]:
        self.given.append((name, *arguments))
        return CompletedProcess([], int(arguments[0] == self.refused), "", "Dat kan niet.")


@pytest.fixture(scope="module")
def region() -> Region:
    return generate_region(2, 500, date(2026, 11, 20))


def test_each_end_is_a_command_at_its_own_municipality(region: Region) -> None:
    at = Municipalities()
    ended = end_all(cast("Exchange", at), [*withdrawals_of(region), *erasures_of(region)])
    keys = region.keys
    assert len(ended) == len(region.withdrawals) + len(region.erasures)
    assert {(name, word, ref) for name, word, ref, *_ in at.given} == {
        *((f"municipality-{keys[i].municipality.lower()}", "withdraw", keys[i].local_ref) for i in ids(region.withdrawals)),
        *((f"municipality-{keys[i].municipality.lower()}", "erase", keys[i].local_ref) for i in ids(region.erasures)),
    }


def ids(ends: tuple[object, ...]) -> list[str]:
    return [str(getattr(each, "signal_id", "")) for each in ends]


def test_a_refusal_says_which_command_and_where(region: Region) -> None:
    with pytest.raises(CannotEndError, match="`erase` at GM"):
        end_all(cast("Exchange", Municipalities(refused="erase")), erasures_of(region))
