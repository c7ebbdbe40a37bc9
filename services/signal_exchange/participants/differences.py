"""The differences that a change makes in the participants' register, in words, so that the office sees them before it signs."""

from __future__ import annotations

from collections.abc import Iterator

from signal_exchange import words
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.register_entries import GroupKey, MemberKey, Participant, Period


def differences(before: Register, after: Register) -> list[str]:
    """Return each entry that is added or changed, one sentence each; nothing when the registers are the same."""
    return [*_of_members(before, after), *_of_sealing_keys(before, after)]


def _of_members(before: Register, after: Register) -> Iterator[str]:
    for member in after.municipalities:
        known = before.municipality(member.code)
        if known is None or _standing(known) != _standing(member):
            before_it = _standing(known) if known else words.text("member.not_registered")
            yield words.text("member.becomes", municipality=member.code, now=_standing(member), was=before_it)
        signed = {each.key.key_id: each for each in known.signing_keys} if known else {}
        for key in member.signing_keys:
            yield from _of_key(words.text("key.signing", owner=member.code, key=key.key.key_id), signed.get(key.key.key_id), key)


def _of_sealing_keys(before: Register, after: Register) -> Iterator[str]:
    known = {each.key.key_id: each for each in before.sealing_keys}
    for key in after.sealing_keys:
        yield from _of_key(words.text("key.sealing", owner=key.key.group, key=key.key.key_id), known.get(key.key.key_id), key)


def _of_key(what: str, known: MemberKey | GroupKey | None, key: MemberKey | GroupKey) -> Iterator[str]:
    if known is None:
        yield words.text("key.added", key=what, valid=_in_words(key.valid))
    elif known.valid != key.valid:
        yield words.text("key.changed", key=what, valid=_in_words(key.valid), was=_in_words(known.valid))


def _in_words(valid: Period) -> str:
    begin = valid.begin.isoformat(timespec="minutes")
    if valid.end is None:
        return words.text("valid.from", begin=begin)
    return words.text("valid.between", begin=begin, end=valid.end.isoformat(timespec="minutes"))


def _standing(member: Participant) -> str:
    until = words.text("member.until", day=member.left_date.isoformat()) if member.left_date is not None else ""
    since = words.text("member.since", day=member.accession_date.isoformat()) if member.accession_date is not None else ""
    return f"{member.accession_status}{since}{until}"
