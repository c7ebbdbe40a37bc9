"""The rebuild of routing's erasures: the start of each from the trace, its progress from what routing told, and the receipts.

Several services may write to the topics of both: an erasure is one only on the municipality's own signed word, which routing told
with it, or which the log of signals still has. Nobody was told when the topics were marked: they are marked again, which does no
harm. Of an erasure with a certificate nothing is done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from signal_exchange.contracts.records import RebuildTraceFact, RoutingOutcome
from signal_exchange.privacy.register import Register
from signal_exchange.routing.erasing import KIND
from signal_exchange.routing.erasures import ASKED, Answer, Erasure, ErasureStore
from signal_exchange.routing.service import SERVICE
from signal_exchange.routing.store import RoutingStore, StoredSignal
from signal_exchange.routing.verifying import Verified
from signal_exchange.stream.erasing import ERASED, RECEIPT
from signal_exchange.stream.erasure_word import fault_of, word_of
from signal_exchange.stream.views import RoutingOutcomeMessage
from signal_exchange.stream.work import AboutSignal


def is_own_word(message: RoutingOutcomeMessage) -> bool:
    """Say whether routing itself told with this outcome how far an erasure is."""
    return (message.fields["kind"], message.fields["source"]) == (KIND, SERVICE)


def put_begun(facts: Iterable[RebuildTraceFact], erasures: ErasureStore) -> None:
    """Give back the erasures that the trace says were accepted; of one that was told twice the first moment counts."""
    begun: dict[str, Erasure] = {}
    for each in facts:
        signal_id, version, municipality, at = each["signal_id"], each["version"], each["municipality"], each["at"]
        if each["verdict"] == "erased" and signal_id is not None and version is not None and municipality is not None:
            begun.setdefault(signal_id, Erasure(signal_id, 0, municipality, version, erased_at=at, asked_at=at))
    erasures.put(list(begun.values()))


def put_told(told: Sequence[RoutingOutcomeMessage], erasures: ErasureStore, register: Register) -> None:
    """Give back how far erasures are and who answered, also of those that the trace does not have any more."""
    own = [each.fields for each in told if is_own_word(each) and _is_proven(each.fields, register)]
    known = erasures.erasures(each["signal_id"] for each in own)
    for each in own:
        before = known.get(each["signal_id"])
        if before is None or before.municipality != each["municipality"]:  # the trace is nobody's word
            before = _begun(each, each["occurred_at"])
        if each["revision"] > before.revision:
            after = before.as_told(each["state"], each["revision"], each["occurred_at"])
            known[before.signal_id] = after.on_word(each["word"])
    erasures.put(list(known.values()))
    _put_answers([each.fields for each in told if each.fields["kind"] == RECEIPT], erasures)


def _is_proven(told: RoutingOutcome, register: Register) -> bool:
    signal_id, municipality = told["signal_id"], told["municipality"]
    return fault_of(told["word"], signal_id=signal_id, municipality=municipality, register=register) is None


def put_words(verified: Iterable[Verified], erasures: ErasureStore) -> None:
    """Give the word of its municipality to each erasure that is known without one."""
    said = {each.message.fields["signal_id"]: each for each in verified if each.message.record == "SignalErased"}
    known = erasures.erasures(said)
    own = [each for each in known.values() if each.municipality == said[each.signal_id].municipality]
    erasures.put_words([each.on_word(word_of(said[each.signal_id].message.incoming)) for each in own])


def _begun(about: AboutSignal, at: datetime) -> Erasure:
    return Erasure(about["signal_id"], 0, about["municipality"], about["version"], erased_at=at, asked_at=at)


def _put_answers(receipts: Sequence[RoutingOutcome], erasures: ErasureStore) -> None:
    known = erasures.erasures(each["signal_id"] for each in receipts)
    for each in receipts:
        if each["signal_id"] in known and each["source"] in ASKED:
            erasures.add_answer(Answer(each["signal_id"], each["source"], each["state"], each["occurred_at"]))


def leave_nothing_of_erased(store: RoutingStore, erasures: ErasureStore) -> None:
    """Leave of erased signals what is left of them: no row once they were buried, and before that no version.

    An erasure without the word of the signal's municipality is none: when its word comes again, it is judged then.
    """
    told = erasures.erasures()
    rows = store.signals(told)
    unproven = {each.signal_id for each in told.values() if not _is_of_owner(each, rows.get(each.signal_id))}
    erasures.forget(unproven)
    erased = {signal_id: each for signal_id, each in told.items() if signal_id not in unproven}
    rows = {signal_id: row for signal_id, row in rows.items() if signal_id in erased}
    untold = [each for each in erased.values() if not each.revision and each.signal_id in rows]
    erasures.put([replace(each, revision=rows[each.signal_id].revision) for each in untold])
    left = {each for each, row in rows.items() if row.state == ERASED and not erased[each].is_buried}
    store.forget_signals(rows.keys() - left)
    store.put_seen([replace(rows[each], seen="{}") for each in left])


def _is_of_owner(erasure: Erasure, row: StoredSignal | None) -> bool:
    return erasure.word is not None and (row is None or row.municipality == erasure.municipality)
