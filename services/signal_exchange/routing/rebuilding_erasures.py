"""How routing knows its erasures again: from the trace what began each, from what it told how far each is, and from the receipts.

Nobody was told when the topics were marked: they are marked again, which does no harm. Of an erasure with a certificate nothing
is done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from signal_exchange.routing.composition import SERVICE
from signal_exchange.routing.erasing import KIND
from signal_exchange.routing.erasures import ASKED, Answer, Erasure, ErasureStore
from signal_exchange.routing.store import RoutingStore
from signal_exchange.stream.erasing import ERASED, RECEIPT
from signal_exchange.stream.messages import Message

Fields = Mapping[str, Any]


def is_own_word(message: Message) -> bool:
    """Say whether routing itself told with this outcome how far an erasure is."""
    return (message.fields["kind"], message.fields["source"]) == (KIND, SERVICE)


def put_begun(facts: Iterable[Fields], erasures: ErasureStore) -> None:
    """Give back the erasures that the trace says were accepted; of one that was told twice the first moment counts."""
    begun = {each["signal_id"]: each for each in reversed(list(facts)) if each["verdict"] == "erased"}
    erasures.put([_begun(each, each["at"]) for each in begun.values()])


def put_told(told: Sequence[Message], erasures: ErasureStore) -> None:
    """Give back how far erasures are and who answered, also of those that the trace does not have any more."""
    own = [each.fields for each in told if is_own_word(each)]
    known = erasures.erasures(each["signal_id"] for each in own)
    for each in own:
        before = known.get(each["signal_id"]) or _begun(each, each["occurred_at"])
        if each["revision"] > before.revision:
            known[before.signal_id] = before.as_told(each["state"], each["revision"], each["occurred_at"])
    erasures.put(list(known.values()))
    _put_answers([each.fields for each in told if each.fields["kind"] == RECEIPT], erasures)


def _begun(about: Fields, at: Any) -> Erasure:  # noqa: ANN401 - a moment of a decoded record
    return Erasure(about["signal_id"], 0, about["municipality"], about["version"], erased_at=at, asked_at=at)


def _put_answers(receipts: Sequence[Fields], erasures: ErasureStore) -> None:
    known = erasures.erasures(each["signal_id"] for each in receipts)
    for each in receipts:
        if each["signal_id"] in known and each["source"] in ASKED:
            erasures.add_answer(Answer(each["signal_id"], each["source"], each["state"], each["occurred_at"]))


def leave_nothing_of_erased(store: RoutingStore, erasures: ErasureStore) -> None:
    """Leave of erased signals what is left of them: no row once they were buried, and before that no version."""
    erased = erasures.erasures()
    rows = store.signals(erased)
    untold = [each for each in erased.values() if not each.revision and each.signal_id in rows]
    erasures.put([replace(each, revision=rows[each.signal_id].revision) for each in untold])
    left = {each for each, row in rows.items() if row.state == ERASED and not erased[each].is_buried}
    store.forget_signals(rows.keys() - left)
    store.put_seen([replace(rows[each], seen="{}") for each in left])
