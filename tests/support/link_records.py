"""Synthetic signals and answers as linking meets them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from builders import KEYS, START, VENLO, WEERT, Consuming, a_message, a_register, a_word, an_identity, signal_id

from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.links.sharing import SAME_PERSON, link_id, pair_of
from signal_exchange.linking.handler import LinkingHandler
from signal_exchange.linking.tables import TABLES
from signal_exchange.privacy.sealing import LinkToken, encode_tokens
from signal_exchange.reference.loading import load_code_lists
from signal_exchange.stream.messages import Message

Carried = tuple[str, str, str]
"""Carrier, type and value: ("subject:s1", "NAME_DOB", "meer|anna|19990714")."""
PERSON: Carried = ("subject:s1", "NAME_DOB", "meer|anna|19990714")
PLATE: Carried = ("object:0", "PLATE", "NL:GX123B")
VICTIM = {"ref": "s1", "role": "VICTIM", "age_class": "AGE_23_PLUS"}
LATER = START + timedelta(days=5)
"""When the tests' linking looks, unless they say otherwise."""


def linking(url: str = "sqlite+pysqlite:///:memory:", now: datetime = LATER) -> Consuming:
    """Give a linking without broker, at a fixed moment."""
    identity = an_identity("linking")
    ids = identity.secret_ids("linking")
    handler = LinkingHandler(
        WorkingCalendar(), load_code_lists(), identity.opened, identity.sealed_part, lambda: ids, a_register, lambda: now
    )
    return Consuming("linking", TABLES, handler, url)


def token_of(kind: str, value: str, epoch: str) -> bytes:
    """Give a token as two keepers would: equal for equal values, and nothing else."""
    return hashlib.sha256(f"{kind}|{value}|{epoch}".encode()).digest()[:16]


def sealed_tokens(carried: Sequence[Carried], bound_to: str, epoch: str = "2026H2") -> dict[str, object]:
    """Give the sealed part of a signal with these values."""
    tokens = [LinkToken(carrier, kind, epoch, token_of(kind, value, epoch)) for carrier, kind, value in carried]
    key = KEYS["linking"]
    return {"group": "linking", "key_id": key.key_id, "ciphertext": key.public.encrypt(encode_tokens(tokens), bound_to=bound_to)}


def a_signal(number: int = 1, *carried: Carried, epoch: str = "2026H2", **changed: object) -> Message:
    """Give LinkTokens; the signal came as many hours after START as its number, and counts one victim."""
    identity, came = signal_id(number), START + timedelta(hours=number)
    fields: dict[str, object] = {
        "signal_id": identity,
        "version": 1,
        "revision": 1,
        "municipality": VENLO if number % 2 else WEERT,
        "status": "OPEN",
        "publish_day": "2026-11-18",
        "appended_at": came,
        "stated_at": came,
        "tokens_at": came,
        "form": "LABOUR",
        "subjects": [VICTIM],
        **changed,
    }
    if fields["status"] == "ERASED":
        fields.setdefault("word", a_word(identity, str(fields["municipality"])))
    fields.setdefault("tokens", sealed_tokens(carried, f"{identity}.{fields['version']}", epoch) if carried else None)
    return a_message("LinkTokens", fields, topic="link-tokens", reader="linking", at=came)


def the_link(one: int, other: int, kind: str = SAME_PERSON) -> str:
    """Give the id of the link of two signals."""
    return link_id(pair_of(signal_id(one), signal_id(other)), kind)


def an_answer(
    link: str, kind: str, who: str | None = None, *, days: float = 1, types: Sequence[str] = (), about: str | None = None
) -> Message:
    """Give a LinkAnswer, of the officer of a municipality or of the chain director, so many days after START."""
    at = START + timedelta(days=days)
    fields = {
        "answer_id": f"{link}-{kind}-{who}-{days}",
        "link_id": link,
        "kind": kind,
        "by_role": "ATTENTION_OFFICER" if who else "CHAIN_DIRECTOR",
        "municipality": who,
        "signal_id": about,
        "key_types": list(types),
        "answered_at": at,
    }
    return a_message("LinkAnswer", fields, topic="link-answers", reader="linking", at=at)


def confirmed(link: str) -> list[Message]:
    """Give what confirms a link of Venlo and Weert: a release, and both officers."""
    return [an_answer(link, "RELEASE"), an_answer(link, "CONFIRM", VENLO, days=2), an_answer(link, "CONFIRM", WEERT, days=3)]
