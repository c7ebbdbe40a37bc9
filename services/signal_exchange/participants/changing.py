"""How the participants' register changes: pure, from one register to the next (R-VAL-02)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from signal_exchange.domain.members import Municipality
from signal_exchange.participants.requests import KeyRequest, SignedRequest
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.register_entries import GroupKey, MemberKey, Participant, Period
from signal_exchange.runtime.faults import Refused

OVERLAP: Final = timedelta(days=8)
"""How long an old signing key stays valid: a row of an outbox is signed once and may still be on its way (7 days, R-VAL)."""


def joined(register: Register, asked: SignedRequest, member: Municipality | None, day: date, at: datetime) -> Register:
    """Return the register in which a municipality takes part from `day` on; unchanged when it does so with these keys.

    Raises:
        Refused: it is no municipality of this region, has left, or takes part with other keys.
    """
    request = asked.request
    if member is None:
        raise Refused(f"{request.municipality} is no municipality of this region (R-VAL-02).")
    known = register.municipality(request.municipality)
    if known is not None and known.accession_status == "ACCEDED":
        _require_same(known, request)
        return register
    if known is not None and known.accession_status == "LEFT":
        raise Refused(f"{request.municipality} has left: joining again is a decision of the region, not of this command.")
    valid = Period(at)
    kept = known.signing_keys if known is not None else ()
    keys = (*(key for key in kept if key.key.key_id != request.signing.key_id), MemberKey(request.signing, valid))
    entry = Participant(request.municipality, "ACCEDED", day, None, member.oin, keys)
    return _next(register, entry, [GroupKey(request.sealing, valid)])


def left(register: Register, code: str, day: date) -> Register:
    """Return the register in which a municipality takes no part from `day` on; what it published stays valid.

    Raises:
        Refused: it does not take part, or left on another day.
    """
    known = register.municipality(code)
    if known is not None and known.accession_status == "LEFT" and known.left_date == day:
        return register
    if known is None or known.accession_status != "ACCEDED":
        raise Refused(f"{code} takes no part in the exchange (R-VAL-02).")
    return _next(register, replace(known, accession_status="LEFT", left_date=day), [])


def rotated(register: Register, asked: SignedRequest, at: datetime) -> Register:
    """Return the register with new keys of a municipality: sealing begins at once, the old signing key ends after the overlap.

    Raises:
        Refused: it takes no part, or nobody with a key that is valid now asked for it.
    """
    request = asked.request
    known = register.municipality(request.municipality)
    if known is None or not known.is_member(at):
        raise Refused(f"{request.municipality} takes no part in the exchange (R-VAL-02).")
    if any(key.key.key_id == request.signing.key_id for key in known.signing_keys):
        _require_same(known, request)
        return register
    if not any(key.valid.holds(at) and asked.is_continued_by(key.key) for key in known.signing_keys):
        raise Refused("The request is not signed with a key of this municipality that is valid now.")
    keys = (*(_ending(key, at + OVERLAP) for key in known.signing_keys), MemberKey(request.signing, Period(at)))
    return _next(register, replace(known, signing_keys=keys), [GroupKey(request.sealing, Period(at))])


def _ending(key: MemberKey, end: datetime) -> MemberKey:
    ends_earlier = key.valid.end is not None and key.valid.end <= end
    return key if ends_earlier else MemberKey(key.key, Period(key.valid.begin, end))


def _require_same(known: Participant, request: KeyRequest) -> None:
    if not any(key.key == request.signing for key in known.signing_keys):
        raise Refused(f"{request.municipality} takes part with other keys: `rotate-key` renews them.")


def _next(register: Register, entry: Participant, sealing: Iterable[GroupKey]) -> Register:
    is_other: Callable[[Participant], bool] = lambda member: member.code != entry.code  # noqa: E731 - named for its one use
    members = (*filter(is_other, register.municipalities), entry)
    new = {key.key.key_id: key for key in sealing}
    keys = (*(key for key in register.sealing_keys if key.key.key_id not in new), *new.values())
    ordered = tuple(sorted(members, key=lambda member: member.code))
    return Register(register.serial + 1, ordered, keys, register.registered_keepers)
