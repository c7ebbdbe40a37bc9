"""The signals and numbers that one batch touches: read at once, changed in memory, written at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from signal_exchange.contracts.codec import decode_as, encode
from signal_exchange.contracts.records import ACCEPTED_SIGNAL, AcceptedSignal
from signal_exchange.domain.signals.versions import KnownVersion
from signal_exchange.routing.clusters import Clusters
from signal_exchange.routing.erasures import ErasureStore
from signal_exchange.routing.store import Number, RoutingStore, StoredSignal, UsedNumber


class BatchState:
    """Working copy of the store for one batch. `accepted_of` gives the last AcceptedSignal of a signal."""

    def __init__(self, store: RoutingStore, signal_ids: Collection[str], numbers: Iterable[Number]) -> None:
        self._store, self._looked_up = store, set(signal_ids)
        self._signals = store.signals(self._looked_up)
        self._erasures = ErasureStore(store.connection)
        self._erased = set(self._erasures.erasures(self._looked_up))
        self._numbers = store.numbers(numbers)
        self.clusters = Clusters(store, self._looked_up)
        self._changed_signals: dict[str, StoredSignal] = {}
        self._changed_numbers: dict[Number, UsedNumber] = {}
        self._forgotten: set[str] = set()

    def signal(self, signal_id: str) -> StoredSignal | None:
        """Return the stored signal, or None when it was never seen."""
        return self._signals.get(signal_id)

    def accepted_of(self, signal_id: str) -> AcceptedSignal | None:
        """Return the last accepted state of a signal; None while every version was parked."""
        stored = self._signals.get(signal_id)
        return decode_as(stored.accepted, ACCEPTED_SIGNAL) if stored and stored.accepted is not None else None

    def number(self, number: Number) -> UsedNumber | None:
        """Return the use of a number, or None."""
        return self._numbers.get(number)

    def parked_numbers(self, signal_id: str) -> list[UsedNumber]:
        """Return the numbers of a signal's parked records: as stored, and as this batch left them."""
        stored = {used.number: used for used in self._store.parked_numbers(signal_id)}
        now = {**stored, **{used.number: used for used in self._changed_numbers.values() if used.signal_id == signal_id}}
        return [used for used in now.values() if used.verdict == "parked"]

    def load_number(self, number: Number) -> UsedNumber | None:
        """Return the use of a number outside this batch, as that of the version that is superseded now."""
        found = self._store.numbers([number]).get(number)
        if found is not None:
            self._numbers[number] = found
        return found

    def erased_since(self, municipality: str, since: datetime) -> int:
        """Return the number of signals that a municipality erased since a moment, in this batch too."""
        return self._erasures.count_since(municipality, since)

    def highest_number(self, municipality: str, publisher_run: str) -> int:
        """Return the highest number of a run that came in, in this batch too; 0 when none did."""
        run = (municipality, publisher_run)
        here = (sequence for *of, sequence in self._changed_numbers if (*of,) == run)
        return max((self._store.highest_number(*run), *here))

    def next_revision(self, signal_id: str) -> int:
        """Return the revision of the signal's next state."""
        stored = self._signals.get(signal_id)
        return stored.revision + 1 if stored else 1

    def has_parked(self, signal_id: str, version: int, digest: str) -> bool:
        """Say whether this version was seen with this content, and parked."""
        return self._seen(signal_id).get(version) in ((digest, True), ("", True))

    def _seen(self, signal_id: str) -> dict[int, tuple[str, bool]]:
        stored = self._signals.get(signal_id)
        found = json.loads(stored.seen) if stored else {}
        return {int(version): (str(digest), bool(parked)) for version, (digest, parked) in found.items()}

    def known_version(self, signal_id: str, but: int | None = None) -> KnownVersion | None:
        """Return the highest version seen of a signal, parked ones too (R-VAL-16), or None; `but` is one not to count."""
        if self.is_erased(signal_id):
            return KnownVersion(0, "", erased=True)
        seen = self._seen(signal_id)
        seen.pop(but or 0, None)
        if not seen:
            return None
        highest = max(seen)
        digest, parked = seen.pop(highest)
        earlier = {version: each[0] for version, each in seen.items()}
        return KnownVersion(highest, digest, parked, earlier=earlier)

    def is_erased(self, signal_id: str) -> bool:
        """Say whether a signal was erased: nothing about it is accepted any more, and its content is not kept either."""
        return signal_id in self._erased

    def erase(self, accepted: AcceptedSignal) -> None:
        """Store the erased state of a signal, and forget what its versions were."""
        self._erased.add(accepted["signal_id"])
        self.keep(accepted, None)
        self._put(replace(self._signals[accepted["signal_id"]], seen="{}"))

    def forget(self, signal_id: str) -> None:
        """Delete the row of an erased signal whose last records were buried."""
        self._signals.pop(signal_id, None)
        self._changed_signals.pop(signal_id, None)
        self._forgotten.add(signal_id)

    def load_signals(self, signal_ids: Iterable[str]) -> None:
        """Read signals outside this batch as well, as those of a cluster."""
        if missing := set(signal_ids) - self._looked_up:
            self._looked_up |= missing
            self._signals |= self._store.signals(missing)

    def cluster_size(self, signal_id: str) -> int:
        """Return the number of open signals in the cluster of a signal, itself included (R-ROUTE-04)."""
        together = self.clusters.together_with(signal_id)
        self.load_signals(together)
        return len({signal_id, *filter(self._is_open, together)})

    def _is_open(self, signal_id: str) -> bool:
        stored = self._signals.get(signal_id)
        return stored is not None and stored.state == "ROUTED"

    def saw(self, signal_id: str, municipality: str, version: int, digest: str, *, parked: bool) -> None:
        """Remember that a version was seen: the next one must be higher (R-VAL-16, R-VAL-21)."""
        stored = self._signals.get(signal_id) or StoredSignal(signal_id, 0, municipality, "PARKED", 0, "{}", None)
        seen = {**json.loads(stored.seen), str(version): [digest, parked]}
        known = json.loads(stored.seen).get(str(version))
        if self.is_erased(signal_id):
            return
        # Bytes that were parked may come again and be taken; other bytes under a version that was seen never replace it
        # (R-VAL-21). An empty digest stands for a version of which a rebuild found no bytes.
        if stored.municipality == municipality and known in (None, [digest, True], ["", True]) and known != [digest, parked]:
            self._put(replace(stored, revision=stored.revision + 1, seen=json.dumps(seen)))

    def keep(self, accepted: AcceptedSignal, rescreen_at: datetime | None) -> None:
        """Store a new accepted state of a signal that was seen, and when time alone makes the rules judge it again."""
        stored = self._signals[accepted["signal_id"]]
        revision, state, version = accepted["revision"], accepted["state"], accepted["version"]
        value = encode(ACCEPTED_SIGNAL, accepted)
        self._put(replace(stored, revision=revision, state=state, version=version, accepted=value, rescreen_at=rescreen_at))

    def rescreen_at(self, signal_id: str) -> datetime | None:
        """Return the moment at which time alone makes the rules judge a signal again."""
        stored = self._signals.get(signal_id)
        return stored.rescreen_at if stored else None

    def was_rescreened(self, signal_id: str) -> None:
        """Remember that the rules judged a signal that was due, and that nothing changed."""
        stored = self._signals[signal_id]
        if stored.rescreen_at is not None:
            self._put(replace(stored, revision=stored.revision + 1, rescreen_at=None))

    def use(self, used: UsedNumber) -> None:
        """Store what a number was used for, or its new verdict."""
        self._numbers[used.number] = self._changed_numbers[used.number] = used

    def save(self) -> None:
        """Write what changed."""
        self._store.forget_signals(self._forgotten)
        self._store.put(list(self._changed_signals.values()), list(self._changed_numbers.values()))
        self.clusters.save()

    def _put(self, stored: StoredSignal) -> None:
        self._signals[stored.signal_id] = self._changed_signals[stored.signal_id] = stored
