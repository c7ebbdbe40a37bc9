"""The demands of WRITING.md section 4 on sealed parts. The demo holds every group's key, so that they can be opened here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.destinations import recipient_groups
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.signals.inside_rules import LinkToken as Judged
from signal_exchange.domain.signals.inside_rules import validate_tokens
from signal_exchange.domain.times import local_day
from signal_exchange.privacy.leak_guard import check_text
from signal_exchange.privacy.register import NoSealingKeyError, Register
from signal_exchange.privacy.sealing import SEALED_BYTES, CannotOpenError, LinkToken, SealingKeyRing, decode_tokens, unpad_summary

Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens the parts of a demo and judges what is in them."""

    register: Register
    keys: SealingKeyRing = field(repr=False)
    codes: CodeLists
    policy: Policy

    def wrong_parts(self, fields: Mapping[str, Any], at: datetime) -> Iterator[str]:
        """Yield the faults of the parts of a SignalPublished."""
        signal, parts = fields["signal"], fields["sealed"]
        yield from _wrong_groups([part["group"] for part in parts], list(recipient_groups(signal)))
        bound_to = f"{signal['signal_id']}.{signal['version']}"
        opened = {part["group"]: self._opened(part, bound_to) for part in parts}
        for part in parts:
            yield from self._wrong_part(part, opened[part["group"]], bound_to, at)
        texts = [opened[group] for group in ("care", "youth", "table") if opened.get(group) is not None]
        yield from self._wrong_texts([text for text in texts if text is not None])
        if opened.get("linking") is not None:
            yield from self.wrong_tokens(opened["linking"] or b"", at, signal, pending=fields["tokens_pending"])

    def wrong_renewal(self, fields: Mapping[str, Any], at: datetime) -> Iterator[str]:
        """Yield the faults of the part of a TokensRenewed."""
        part, bound_to = fields["tokens"], f"{fields['signal_id']}.{fields['version']}"
        plain = self._opened(part, bound_to)
        if part["group"] != "linking":
            yield f"the tokens are sealed for {part['group']} instead of linking"
        yield from self._wrong_part(part, plain, bound_to, at)
        if plain is not None:
            yield from self.wrong_tokens(plain, at, None, pending=False)

    def wrong_tokens(self, plain: bytes, at: datetime, signal: Any, *, pending: bool) -> Iterator[str]:  # noqa: ANN401 - a CodedSignal
        """Yield the faults of opened slots; without a signal their possible carriers are not known."""
        try:
            tokens = decode_tokens(plain)
        except CannotOpenError:
            yield "part linking: it is not 32 slots of 64 bytes"
            return
        if pending and tokens:
            yield "tokens_pending is true, and there are tokens"
        judged = [Judged(token.carrier, token.type, token.epoch, token.token) for token in tokens]
        broken = validate_tokens(judged, day=local_day(at), codes=self.codes, policy=self.policy)
        yield from sorted({f"part linking: {each.field.rpartition('.')[2]} {each.rule}" for each in broken})
        if signal is not None:
            yield from sorted(
                {f"part linking: carrier {each.carrier} is nothing of this signal" for each in _strangers(tokens, signal)}
            )

    def _opened(self, part: Part, bound_to: str) -> bytes | None:
        try:
            return self.keys.open(part["key_id"], part["ciphertext"], bound_to=bound_to)
        except (CannotOpenError, ValueError):
            return None

    def _wrong_part(self, part: Part, plain: bytes | None, bound_to: str, at: datetime) -> Iterator[str]:
        group = part["group"]
        if len(part["ciphertext"]) != SEALED_BYTES:
            yield f"part {group}: {len(part['ciphertext'])} bytes instead of {SEALED_BYTES}"
        try:
            key_id = self.register.sealing_key(group, at).key_id
        except (NoSealingKeyError, ValueError):
            yield f"part {group}: the register has no key for this group"
            return
        if part["key_id"] != key_id:
            yield f"part {group}: sealed with key {part['key_id']}, and the register says {key_id}"
        elif plain is None:
            yield f"part {group}: it does not open with the group's key, bound to {bound_to}"

    def _wrong_texts(self, plain: Sequence[bytes]) -> Iterator[str]:
        try:
            texts = {unpad_summary(each) for each in plain}
        except CannotOpenError:
            yield "a summary is not 2,048 bytes of length, UTF-8 and zero bytes"
            return
        if len(texts) > 1:
            yield "the groups do not get the same summary"
        for text in texts - {None}:
            if len(text or "") > self.policy.summary_max_points:
                yield f"the summary has more than {self.policy.summary_max_points} code points (R-VAL-15)"
            kinds = sorted({finding.type for finding in check_text(text or "")})
            if kinds:
                yield f"your leak guard let pass what ours finds in the summary: {', '.join(kinds)} (R-LEAK-01)"


def _wrong_groups(found: Sequence[str], expected: Sequence[str]) -> Iterator[str]:
    yield from (f"part {group}: there is more than one" for group in sorted(set(found)) if found.count(group) > 1)
    yield from (f"part {group}: missing" for group in expected if group not in found)
    yield from (
        f"part {group}: nobody asked for it: no entry of exchanges has its purpose"
        for group in sorted(set(found) - set(expected))
    )


def _strangers(tokens: Sequence[LinkToken], signal: Mapping[str, Any]) -> Iterator[LinkToken]:
    refs = {f"subject:{subject['ref']}" for subject in signal["subjects"]}
    places = {f"place:{index}" for index in range(len(signal["places"]))}
    for token in tokens:
        kind, _, index = token.carrier.partition(":")
        if token.carrier not in refs | places and not (kind == "object" and index.isdecimal()):
            yield token
