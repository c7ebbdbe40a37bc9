"""The ends that municipalities give to signals that they published: taken back, or erased everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from signal_exchange.contracts.topics import municipality_principal
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.judging import Ended
from signal_exchange_demo.region.model import Region

AT_ONCE = 2
"""So many commands run beside each other."""


class CannotEndError(Exception):
    """A municipality refused to take back or to erase a signal."""


@dataclass(frozen=True, slots=True)
class End:
    """One end, and the command that a municipality gives for it."""

    ended: Ended
    command: tuple[str, ...]


def withdrawals_of(region: Region) -> list[End]:
    """Return the withdrawals of a region as commands."""
    keys = region.keys
    ends = ((Ended("withdrawn", keys[each.signal_id], each.version), each.reason) for each in region.withdrawals)
    return [End(ended, ("withdraw", ended.key.local_ref, "--reason", reason)) for ended, reason in ends]


def erasures_of(region: Region) -> list[End]:
    """Return the erasures of a region as commands."""
    keys = region.keys
    ends = (Ended("erased", keys[each.signal_id], each.version) for each in region.erasures)
    return [End(ended, ("erase", ended.key.local_ref, "--by", "demo", "--yes")) for ended in ends]


def end_all(exchange: Exchange, ends: Iterable[End]) -> Sequence[Ended]:
    """Let each municipality end its own signals with the ordinary commands; return which.

    Raises:
        CannotEndError: a command was refused.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda end: _end(exchange, end), ends))


def _end(exchange: Exchange, end: End) -> Ended:
    code = end.ended.key.municipality
    said = exchange.command(municipality_principal(code), *end.command)
    if said.returncode:
        raise CannotEndError(f"`{end.command[0]}` at {code} was refused: {said.stderr.strip()}")
    return end.ended
