"""Opens the sealed tokens of a signal, checks them (R-VAL-14), and parks what fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from signal_exchange.contracts.border import is_printable
from signal_exchange.contracts.records import LinkTokens, SealedPart
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.signals.inside_rules import LinkToken as Judged
from signal_exchange.domain.signals.inside_rules import validate_tokens
from signal_exchange.domain.signals.violations import Violation, dead_letter_reason
from signal_exchange.domain.times import local_day
from signal_exchange.linking.records import TokenUse, Value
from signal_exchange.privacy.sealing import CannotOpenError, LinkToken, decode_tokens
from signal_exchange.stream.messages import Unreadable
from signal_exchange.stream.views import LinkTokensMessage
from signal_exchange.stream.work import Work

Open = Callable[[SealedPart, str], bytes]
"""Opens a SealedPart that is bound to an id: `Identity.opened`."""


def opened_tokens(message: LinkTokensMessage, open_part: Open, codes: CodeLists, policy: Policy, work: Work) -> list[TokenUse]:
    """Return the tokens of a LinkTokens record; none, and the record is parked, when they cannot be opened or break a rule."""
    fields = message.fields
    if fields["tokens"] is None:
        return []
    try:
        tokens = decode_tokens(open_part(fields["tokens"], f"{fields['signal_id']}.{fields['version']}"))
    except CannotOpenError:
        work.park(Unreadable(message.incoming, "DECRYPT_FAILED"))
        return []
    if unfit := [name for name in ("carrier", "type", "epoch") if not all(is_printable(getattr(each, name)) for each in tokens)]:
        work.park(Unreadable(message.incoming, "SCHEMA_INVALID", tuple(f"{name} R-VAL-22" for name in unfit)))
        return []
    came = fields["tokens_at"] or fields["stated_at"]
    broken = _broken(tokens, came, codes, policy)
    if broken:
        errors = tuple(sorted({f"{each.field.rpartition('.')[2]} {each.rule}" for each in broken}))
        work.park(Unreadable(message.incoming, dead_letter_reason(broken, codes), errors))
        return []
    return [_token_use(fields, token, came) for token in tokens]


def _broken(tokens: Sequence[LinkToken], came: datetime, codes: CodeLists, policy: Policy) -> tuple[Violation, ...]:
    judged = [Judged(token.carrier, token.type, token.epoch, token.token) for token in tokens]
    return validate_tokens(judged, day=local_day(came), codes=codes, policy=policy)


def _token_use(fields: LinkTokens, token: LinkToken, came: datetime) -> TokenUse:
    value = Value(token.type, token.epoch, token.token)
    return TokenUse(fields["signal_id"], fields["version"], token.carrier, value, fields["appended_at"], came)
