"""The work of linking on one batch: keep signals, tokens and answers, judge every link they touch, and publish the changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from signal_exchange.contracts.records import LinkAnswer, LinkTokens
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.codes import CodeLists
from signal_exchange.domain.links.epochs import previous_epoch
from signal_exchange.domain.links.sharing import Pair
from signal_exchange.domain.links.states import Answer
from signal_exchange.domain.times import local_day
from signal_exchange.linking.clustering import Clusters
from signal_exchange.linking.counting import Persons
from signal_exchange.linking.judging import Judge
from signal_exchange.linking.opening import Open, opened_tokens
from signal_exchange.linking.outcomes import publish_candidate, publish_fact, publish_membership, report_questions
from signal_exchange.linking.records import ERASED, WITHDRAWN, Link, Signal, TokenUse
from signal_exchange.linking.store import LinkingStore
from signal_exchange.privacy.register import NoSealingKeyError, Register
from signal_exchange.privacy.secret_ids import SecretIds
from signal_exchange.runtime import clock, logs
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.stream.erasing import ErasedSignals, answer_asked, is_marked, markers
from signal_exchange.stream.erasure_proof import Proof
from signal_exchange.stream.messages import Incoming
from signal_exchange.stream.outcomes import SealTo
from signal_exchange.stream.scrubbing import owe
from signal_exchange.stream.views import LinkingReads, LinkTokensMessage
from signal_exchange.stream.work import Work


@dataclass(slots=True)
class _BatchChanges:
    """The news in a batch."""

    signals: dict[str, Signal] = field(default_factory=dict)
    token_uses: list[TokenUse] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LinkingHandler:
    """Handles batches of signals and answers. `now` is the moment at which questions are overdue or expire.

    `ids` makes the ids of clusters, persons and facts.
    """

    calendar: WorkingCalendar
    codes: CodeLists
    open_part: Open
    seal_to: SealTo
    ids: Callable[[], SecretIds]
    register: Callable[[], Register] = field(repr=False, compare=False)
    now: Callable[[], datetime] = clock.now
    metrics: Metrics = field(default_factory=Metrics)

    def __call__(self, messages: Sequence[LinkingReads], work: Work) -> None:
        """Keep each record once, judge the links that it touches, and publish the changes."""
        store = LinkingStore(work.connection)
        told = [message for message in messages if message.record == "LinkTokens"]
        taken = self._take(Proof(self.register(), store.owners).proven(told, work), store, work)
        answered = _take_answers(_about_what_is_there(messages, work), store)
        judge = Judge(store, self.calendar, self.now())
        pairs = judge.pairs_of(taken.token_uses) | answered
        pairs |= {link.pair for link in store.links_of(set(taken.signals)).values()}
        self._publish_changes(judge, pairs, taken.signals, store, work)
        _bury_memberships(work.erased, messages, work)

    def recheck(self, work: Work) -> None:
        """Judge the candidates that the passing of time changes, and delete the tokens of more than two epochs ago (R-RET-02)."""
        store, now = LinkingStore(work.connection), self.now()
        deleted = store.forget_tokens_before(previous_epoch(local_day(now)))
        if deleted:
            owe(work.connection)
            logs.log("tokens_deleted", count=deleted)
        due = {link.pair for link in store.links_due(now, local_day(now)).values()}
        if not self._settled(due, store, work):
            for pair in sorted(due):  # only what concerns the municipality without a key waits
                self._settled({pair}, store, work)

    def _settled(self, pairs: set[Pair], store: LinkingStore, work: Work) -> bool:
        """Judge pairs again, or none of them when the register lacks the key of a municipality that must hear of it."""
        told = len(work.outgoing)
        try:
            with work.connection.begin_nested():
                self._publish_changes(Judge(store, self.calendar, self.now()), pairs, {}, store, work)
        except NoSealingKeyError as fault:
            del work.outgoing[told:]
            logs.warn("sealing_key_missing", reason=str(fault))
            return False
        return True

    def _take(self, messages: Sequence[LinkTokensMessage], store: LinkingStore, work: Work) -> _BatchChanges:
        known, taken = store.signals(message.fields["signal_id"] for message in messages), _BatchChanges()
        held = {signal_id for signal_id, signal in known.items() if signal.status != ERASED}
        gone = ErasedSignals(work.connection).receipts(message.fields["signal_id"] for message in messages)
        for message in (each for each in messages if each.fields["signal_id"] not in gone):
            told = signal_of(message.fields)
            before = known.get(told.signal_id)
            if before is None or before.status != ERASED:
                taken.token_uses += self._opened(message, work)
                if before is None or before.revision < told.revision:
                    known[told.signal_id] = taken.signals[told.signal_id] = told
        asks = [message for message in messages if message.fields["status"] == ERASED]
        answer_asked(asks, work, held.intersection)
        taken.token_uses = [each for each in taken.token_uses if each.signal_id not in work.erased]
        store.put_signals(taken.signals.values())
        store.add_tokens(taken.token_uses)
        store.forget(work.erased, store.links_of(work.erased))
        return taken

    def on_tombstones(self, gone: Sequence[Incoming], work: Work) -> None:
        """Delete the rest of signals whose records are gone, and close the segments of linking's own topics with routing's.

        Their memberships are buried once more: one that was sent a second time after a crash came after the first tombstone.
        """
        store = LinkingStore(work.connection)
        tombstones = [each for each in gone if each.topic == "link-tokens"]
        keys = {each.key_text for each in Proof(self.register(), store.owners).proven_tombstones(tombstones, work)}
        late = {} if work.replays else _erased_late(store.signals(keys).values(), gone[0].appended_at)
        self._erase_late(late, gone[0].appended_at, store, work)
        _bury_memberships({*late, *store.members(keys)} - work.erased, gone, work)
        store.forget_signals(keys)
        work.erased |= keys
        if is_marked(gone, "link-tokens"):
            for topic in ("links", "link-candidates"):
                markers(topic, gone[0].appended_at, work)

    def _erase_late(self, late: Mapping[str, Signal], at: datetime, store: LinkingStore, work: Work) -> None:
        """Erase signals of which only the tombstone came, as in a linking that was restored: nobody asks for that again."""
        if late:
            links = store.links_of(late)
            ErasedSignals(work.connection).remember(dict.fromkeys(late, at), late)
            store.put_signals(late.values())
            store.forget(late, links)
            self._publish_changes(
                Judge(store, self.calendar, self.now()), {link.pair for link in links.values()}, late, store, work
            )

    def _opened(self, message: LinkTokensMessage, work: Work) -> list[TokenUse]:
        return opened_tokens(message, self.open_part, self.codes, self.calendar.policy, work)

    def _publish_changes(
        self, judge: Judge, pairs: Iterable[Pair], signals: Mapping[str, Signal], store: LinkingStore, work: Work
    ) -> None:
        changes = list(judge.judged(pairs))
        store.put_links([after for _, after in changes])
        sides = store.signals(signal_id for _, after in changes for signal_id in after.pair)
        self._warn_of_probes(changes, signals)
        for before, after in changes:
            publish_candidate(after, work)
            report_questions(before, after, sides, self.seal_to, work)
        turned = {signal_id for before, after in changes if _turned(before, after) for signal_id in after.pair}
        moved = [*(signal.stated_at for signal in signals.values()), *(after.changed_at for _, after in changes)]
        if moved:
            self._publish_consequences({*turned, *signals}, max(moved), judge, work)

    def _publish_consequences(self, signal_ids: set[str], at: datetime, judge: Judge, work: Work) -> None:
        ids, store, now = self.ids(), judge.store, judge.now
        for membership in Clusters(work.connection, store, ids, now).changed(signal_ids, at):
            publish_membership(membership, work)
        for fact in Persons(work.connection, store, ids, now).changed(signal_ids):
            publish_fact(fact, at, work)

    def _warn_of_probes(self, changes: Iterable[tuple[Link | None, Link]], signals: Mapping[str, Signal]) -> None:
        """Warn when a signal is withdrawn after a question about it went out; which one is not for a log."""
        asked = {signal_id for before, _ in changes if before is not None and before.asked for signal_id in before.pair}
        probes = [signal_id for signal_id in asked & signals.keys() if signals[signal_id].status == WITHDRAWN]
        if probes:
            self.metrics.withdrawn_after_question.inc(len(probes))
            logs.warn("withdrawn_after_question", count=len(probes))


def _bury_memberships(signal_ids: Collection[str], came: Sequence[LinkingReads] | Sequence[Incoming], work: Work) -> None:
    """Leave nothing under these erased signals on `links`, whatever changed now: each may have been told a cluster once."""
    for signal_id in sorted(signal_ids):
        work.tombstone("links", signal_id, at=max(each.appended_at for each in came))


def _erased_late(signals: Iterable[Signal], at: datetime) -> dict[str, Signal]:
    """Return those of these signals that are not erased here, as they are once that is done."""
    left = (signal for signal in signals if signal.status != ERASED)
    nothing = {"status": ERASED, "stated_at": at, "form": None, "subjects": []}
    return {each.signal_id: replace(each, revision=each.revision + 1, **nothing) for each in left}  # type: ignore[arg-type]  # by name


def _turned(before: Link | None, after: Link) -> bool:
    """Say whether a link came to stand, stands no more, stood for a while in this batch, or joins other persons than before."""
    if before is None:
        return after.stood
    turned = (before.confirmed, before.stood) != (after.confirmed, after.stood)
    return turned or (after.confirmed and before.refs != after.refs)


def signal_of(told: LinkTokens) -> Signal:
    """Return the signal in a LinkTokens record, without its tokens."""
    return Signal(
        signal_id=told["signal_id"],
        revision=told["revision"],
        version=told["version"],
        municipality=told["municipality"],
        status=told["status"],
        publish_day=told["publish_day"],
        appended_at=told["appended_at"],
        stated_at=told["stated_at"],
        form=told["form"],
        subjects=told["subjects"],
    )


def _about_what_is_there(messages: Sequence[LinkingReads], work: Work) -> list[LinkAnswer]:
    """Return the answers of a batch without those about a signal that was erased: of its links nothing may come back."""
    told = [message.fields for message in messages if message.record == "LinkAnswer"]
    gone = ErasedSignals(work.connection).receipts(each["signal_id"] for each in told if each["signal_id"])
    return [each for each in told if each["signal_id"] not in gone]


def _take_answers(told: Sequence[LinkAnswer], store: LinkingStore) -> set[Pair]:
    """Keep each answer once; return the pairs that it is about, as far as they are known."""
    links = store.links(each["link_id"] for each in told)
    erased = {link_id for link_id, link in links.items() if link.state == ERASED}
    store.add_answers((each["link_id"], _answer(each)) for each in told if each["link_id"] not in erased)
    return {link.pair for link in links.values()}


def _answer(told: LinkAnswer) -> Answer:
    types = frozenset(told["key_types"])
    return Answer(told["answer_id"], told["kind"], told["by_role"], told["municipality"], types, told["answered_at"])
