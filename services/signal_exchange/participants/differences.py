"""What a change does to the participants' register, in words, so that the office sees it before it signs."""

from __future__ import annotations

from collections.abc import Iterator

from signal_exchange.privacy.register import Register
from signal_exchange.privacy.register_entries import GroupKey, MemberKey, Participant, Period


def differences(before: Register, after: Register) -> list[str]:
    """Return each entry that is added or changed, in Dutch, one sentence each; nothing when the registers are the same."""
    return [*_of_members(before, after), *_of_sealing_keys(before, after)]


def _of_members(before: Register, after: Register) -> Iterator[str]:
    for member in after.municipalities:
        known = before.municipality(member.code)
        if known is None or _standing(known) != _standing(member):
            yield f"{member.code}: {_standing(member)} (was: {_standing(known) if known else 'niet ingeschreven'})"
        signed = {each.key.key_id: each for each in known.signing_keys} if known else {}
        for key in member.signing_keys:
            yield from _of_key(f"{member.code}: tekensleutel {key.key.key_id}", signed.get(key.key.key_id), key)


def _of_sealing_keys(before: Register, after: Register) -> Iterator[str]:
    known = {each.key.key_id: each for each in before.sealing_keys}
    for key in after.sealing_keys:
        yield from _of_key(f"{key.key.group}: verzegelsleutel {key.key.key_id}", known.get(key.key.key_id), key)


def _of_key(what: str, known: MemberKey | GroupKey | None, key: MemberKey | GroupKey) -> Iterator[str]:
    if known is None:
        yield f"{what} komt erbij, {_in_words(key.valid)}"
    elif known.valid != key.valid:
        yield f"{what} verandert: {_in_words(key.valid)} (was: {_in_words(known.valid)})"


def _in_words(valid: Period) -> str:
    end = f" tot {valid.end.isoformat(timespec='minutes')}" if valid.end is not None else " zonder einde"
    return f"geldig vanaf {valid.begin.isoformat(timespec='minutes')}{end}"


def _standing(member: Participant) -> str:
    until = f" tot {member.left_date.isoformat()}" if member.left_date is not None else ""
    since = f" vanaf {member.accession_date.isoformat()}" if member.accession_date is not None else ""
    return f"{member.accession_status}{since}{until}"
