"""The keys of the epochs in a keeper's file: made before an epoch, and destroyed after it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.evaluating import EpochKey
from signal_exchange.pseudonyms.keys import HeldKey, read_keys, write_keys

OVERLAP_DAYS = 30
"""How long a keeper still evaluates with the key of the epoch before: R-VAL-14 accepts its tokens that long."""


def epoch_days(epoch: str) -> tuple[date, date]:
    """Return the first and last day on which a keeper evaluates for an epoch such as 2026H2.

    Raises:
        RefusedError: the text is no epoch.
    """
    year, half, number = epoch[:4], epoch[4:5], epoch[5:]
    if not (year.isascii() and year.isdigit() and half == "H" and number in {"1", "2"}):
        raise RefusedError("NO_EPOCH")
    first = date(int(year), 1 if number == "1" else 7, 1)
    next_first = date(first.year + (number == "2"), 7 if number == "1" else 1, 1)
    return first, next_first + timedelta(days=OVERLAP_DAYS - 1)


def make_epoch_key(keys_file: Path, epoch: str) -> HeldKey:
    """Add a new key for an epoch to the key file and return it; its public key goes to the participants' register.

    Raises:
        RefusedError: the epoch has a key already.
    """
    keys = read_keys(keys_file) if keys_file.exists() else ()
    if any(held.key.epoch == epoch for held in keys):
        raise RefusedError("EPOCH_HAS_KEY")
    made = HeldKey(EpochKey.generate(epoch), *epoch_days(epoch))
    write_keys(keys_file, [*keys, made])
    return made


def destroy_epoch_key(keys_file: Path, epoch: str, today: date, *, early: bool = False) -> None:
    """Destroy the key of an epoch: nobody can make its tokens any more.

    Raises:
        RefusedError: there is no such key, or tokens are still made with it and `early` does not say that they need not be.
    """
    keys = read_keys(keys_file)
    gone = [held for held in keys if held.key.epoch == epoch]
    if not gone:
        raise RefusedError("EPOCH_WITHOUT_KEY")
    if any(held.last_day >= today for held in gone) and not early:
        raise RefusedError("EPOCH_KEY_IN_USE", field="early")
    write_keys(keys_file, [held for held in keys if held.key.epoch != epoch])
