"""The changes of the participants' register: pure, from one register to the next (R-VAL-02).

A key ends and is never taken out, and its id never comes to mean another key: by it what was signed once is checked for ever
(docs/decisions/0023 and 0024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from signal_exchange.domain.members import Municipality
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.participants.requests import KeyRequest, SignedRequest
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.register_entries import GroupKey, MemberKey, Participant, Period

OVERLAP: Final = timedelta(days=8)
"""How long an old signing key stays valid: a row of an outbox is signed once and may still be on its way (7 days, R-VAL)."""


def joined(register: Register, asked: SignedRequest, member: Municipality | None, day: date, at: datetime) -> Register:
    """Return the register in which a municipality takes part from `day` on; unchanged when it does so with these keys.

    Raises:
        RefusedError: it is no municipality of this region, has left, or takes part with other keys.
    """
    request = asked.request
    if member is None:
        raise RefusedError("NOT_OF_THIS_REGION", rule="R-VAL-02", municipality=request.municipality)
    known = register.municipality(request.municipality)
    if known is not None and known.accession_status == "ACCEDED":
        _require_same(known, request)
        return register
    if known is not None and known.accession_status == "LEFT":
        raise RefusedError("MEMBER_HAS_LEFT", municipality=request.municipality)
    valid = Period(at)
    kept = known.signing_keys if known is not None else ()
    keys = (*(key for key in kept if key.key != request.signing), MemberKey(request.signing, valid))
    entry = Participant(request.municipality, "ACCEDED", day, None, member.oin, keys)
    return _next(register, entry, [GroupKey(request.sealing, valid)])


def left(register: Register, code: str, day: date) -> Register:
    """Return the register in which a municipality takes no part from `day` on; what it published stays valid.

    Raises:
        RefusedError: it does not take part, or left on another day.
    """
    known = register.municipality(code)
    if known is not None and known.accession_status == "LEFT" and known.left_date == day:
        return register
    if known is None or known.accession_status != "ACCEDED":
        raise RefusedError("NO_MEMBER", rule="R-VAL-02", municipality=code)
    return _next(register, replace(known, accession_status="LEFT", left_date=day), [])


def rotated(register: Register, asked: SignedRequest, at: datetime) -> Register:
    """Return the register with new keys of a municipality: sealing begins at once, the old signing key ends after the overlap.

    Who has no valid key any more, since the last one was revoked, asks as one that joins: the office checks who brings it.

    Raises:
        RefusedError: it takes no part, or nobody with a key that is valid now asked for it.
    """
    request = asked.request
    known = register.municipality(request.municipality)
    if known is None or not known.is_member(at):
        raise RefusedError("NO_MEMBER", rule="R-VAL-02", municipality=request.municipality)
    if any(key.key.key_id == request.signing.key_id for key in known.signing_keys):
        _require_same(known, request)
        return register
    valid = [key for key in known.signing_keys if key.valid.holds(at)]
    if valid and not any(asked.is_continued_by(key.key) for key in valid):
        raise RefusedError("REQUEST_NOT_SIGNED_BY_MEMBER")
    keys = (*(_ending(key, at + OVERLAP) for key in known.signing_keys), MemberKey(request.signing, Period(at)))
    return _next(register, replace(known, signing_keys=keys), [GroupKey(request.sealing, Period(at))])


def revoked(register: Register, key_id: str, at: datetime) -> Register:
    """Return the register in which a signing key is valid no more from a moment on, as when it was stolen.

    Raises:
        RefusedError: no municipality has a signing key with this id.
    """
    found = [(member, key) for member in register.municipalities for key in member.signing_keys if key.key.key_id == key_id]
    for member, key in found:
        keys = tuple(_ending(each, max(each.valid.begin, at)) if each is key else each for each in member.signing_keys)
        return register if keys == member.signing_keys else _next(register, replace(member, signing_keys=keys), [])
    raise RefusedError("SIGNING_KEY_UNKNOWN", key_id=key_id)


def _ending(key: MemberKey, end: datetime) -> MemberKey:
    ends_earlier = key.valid.end is not None and key.valid.end <= end
    return key if ends_earlier else MemberKey(key.key, Period(key.valid.begin, end))


def _require_same(known: Participant, request: KeyRequest) -> None:
    if not any(key.key == request.signing for key in known.signing_keys):
        raise RefusedError("MEMBER_WITH_OTHER_KEYS", municipality=request.municipality)


def _next(register: Register, entry: Participant, sealing: Iterable[GroupKey]) -> Register:
    _require_unused(register, entry)
    is_other: Callable[[Participant], bool] = lambda member: member.code != entry.code  # noqa: E731 - named for its one use
    members = (*filter(is_other, register.municipalities), entry)
    keys = (*register.sealing_keys, *(key for key in sealing if _is_new(key, register)))
    ordered = tuple(sorted(members, key=lambda member: member.code))
    after = Register(register.serial + 1, ordered, keys, register.registered_keepers)
    after.require_successor_of(register)
    return after


def _require_unused(register: Register, entry: Participant) -> None:
    theirs = {key.key.key_id for member in register.municipalities if member.code != entry.code for key in member.signing_keys}
    for key in entry.signing_keys:
        if key.key.key_id in theirs:
            raise RefusedError("KEY_ID_OF_ANOTHER_MEMBER", key_id=key.key.key_id)


def _is_new(key: GroupKey, register: Register) -> bool:
    """Say whether a sealing key is not in the register yet.

    Raises:
        RefusedError: its id is, for another group or for another key.
    """
    known = next((each.key for each in register.sealing_keys if each.key.key_id == key.key.key_id), None)
    if known is not None and known != key.key:
        raise RefusedError("KEY_ID_OF_ANOTHER_KEY", key_id=key.key.key_id, group=known.group)
    return known is None
