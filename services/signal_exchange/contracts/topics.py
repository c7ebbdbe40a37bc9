"""The one catalogue of topics and principals: set-up, access rules, documents and tests all read it.

A state topic is compacted, holds one record type per key, and each record is the full latest state; a log is delete-only;
nothing is both. What is not granted here is refused (architecture, promise 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from signal_exchange.contracts.quotas import LONGEST_BATCH_BYTES, Quota, quotas_of
from signal_exchange.domain.destinations import BY_CODE, CHAIR_ALERT, OWNING_RECEIVERS, RECEIVERS, STATISTICS, Receiver

PARTITIONS = 6
"""Of every topic: a key keeps its partition as long as this number stays."""


DAY_MILLISECONDS = 24 * 3600 * 1000
"""Also the age of a segment: a record can be deleted or compacted only after its segment was closed."""


class Kind(Enum):
    """The way in which a topic forgets."""

    STATE = "compact"
    LOG = "delete"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: what it carries, who may write and read it, and why.

    `writers`, `subscribers`, `rebuilt_by` and `checked_by` are principals, that is SCRAM users. `keep` is the retention of a log.
    """

    name: str
    key: str
    kind: Kind
    records: tuple[str, ...]
    writers: tuple[str, ...]
    subscribers: tuple[str, ...]
    why: str
    keep: timedelta | None = None
    rebuilt_by: tuple[str, ...] = ()
    checked_by: tuple[str, ...] = ()

    @property
    def readers(self) -> tuple[str, ...]:
        """Return its readers: subscribers, readers for a rebuild, and readers that check that an erased signal is gone."""
        return (*self.subscribers, *self.rebuilt_by, *self.checked_by)

    partitions: int = PARTITIONS
    longest_batch: int | None = None

    @property
    def settings(self) -> dict[str, str]:
        """Return the broker's settings of this topic.

        What members write stays as they compressed it. If the broker had to write it anew it would unpack it in its memory, and
        6 kB can hold 200 MB; every reader of ours unpacks no more than it allows (docs/decisions/0022).
        """
        own = self._log() if self.kind is Kind.LOG else self._state()
        limit = (
            {} if self.longest_batch is None else {"max.message.bytes": str(self.longest_batch), "compression.type": "producer"}
        )
        return {"message.timestamp.type": "LogAppendTime", **own, **limit}

    def _log(self) -> dict[str, str]:
        milliseconds = int(self.keep.total_seconds() * 1000) if self.keep else -1
        return {"cleanup.policy": "delete", "retention.ms": str(milliseconds), "segment.ms": str(DAY_MILLISECONDS)}

    def _state(self) -> dict[str, str]:
        # A consumer that was down must still see a tombstone: they stay at least as long as the signals do. What a tombstone or
        # a later state replaced is cleaned within a day after its segment was closed, however little there is to clean.
        return {
            "cleanup.policy": "compact",
            "delete.retention.ms": str(8 * DAY_MILLISECONDS),
            "segment.ms": str(DAY_MILLISECONDS),
            "max.compaction.lag.ms": str(DAY_MILLISECONDS),
        }


SEGMENT = timedelta(milliseconds=DAY_MILLISECONDS)
"""A log is deleted by whole segments: its first record stays this much longer than its last one."""
SIGNALS_KEEP = timedelta(days=7)
TRACE_KEEP = timedelta(days=60 * 30)
RETRY_KEEP = timedelta(days=7)
CONSUMERS = ("routing", "linking", *dict.fromkeys(receiver.service for receiver in RECEIVERS), "feedback", "oversight")
"""Services that consume; the principal, the consumer group and the Faust app of each have this name."""


def municipality_principal(code: str) -> str:
    """Return the principal of a municipality's node: GM0983 gives municipality-gm0983."""
    return f"municipality-{code.lower()}"


def feedback_topic(code: str) -> str:
    """Return the topic on which one municipality, and nobody else, hears of its own signals."""
    return f"feedback.{code.lower()}"


def retry_topic(service: str) -> str:
    """Return the topic on which one service, and no other, hears that it must try a parked record again or drop it."""
    return f"retry.{service}"


def is_state(topic: str) -> bool:
    """Say whether a topic keeps the last record of each key, so that a record without value says that nothing is left there."""
    return topic.startswith("feedback.") or topic in _STATES


def is_open(topic: str) -> bool:
    """Say whether members write to a topic: what is bad there is no fault of a service of ours."""
    return topic == "signals"


def carries(topic: str, record: str) -> bool:
    """Say whether a record belongs on a topic: who may write to one must not be heard as if on another (promise 5)."""
    return record in (_RECORDS.get(topic, frozenset()) if not topic.startswith("feedback.") else {"SignalView"})


def _shared(municipalities: tuple[str, ...]) -> tuple[Topic, ...]:
    return (
        Topic(
            "signals",
            "signal_id",
            Kind.LOG,
            ("SignalPublished", "SignalWithdrawn", "SignalErased", "MunicipalAnswer", "TokensRenewed", "Checkpoint"),
            municipalities,
            ("routing",),
            "The one way in; a Checkpoint is keyed by its publisher_run.",
            SIGNALS_KEEP,
            longest_batch=LONGEST_BATCH_BYTES,
        ),
        Topic(
            "accepted",
            "signal_id",
            Kind.STATE,
            ("AcceptedSignal",),
            ("routing",),
            (),
            "The last verified state of each signal, for rebuild and rehearsal.",
            rebuilt_by=("routing",),
        ),
        *(_delivered(receiver, "signal_id", Kind.STATE, checked_by=("routing",)) for receiver in OWNING_RECEIVERS),
        *(_delivered(receiver, "alert_id", Kind.LOG, keep=SIGNALS_KEEP) for receiver in BY_CODE[CHAIR_ALERT].receivers),
        *_links(),
        *(
            _delivered(receiver, "observation_id", Kind.STATE, writers=("routing", "linking"))
            for receiver in BY_CODE[STATISTICS].receivers
        ),
        Topic(
            "outcomes",
            "signal_id/outcome_id",
            Kind.STATE,
            ("Outcome",),
            ("routing", "linking", *(receiver.service for receiver in OWNING_RECEIVERS), "feedback"),
            ("routing", "feedback"),
            "What happened, on its way home; partitioned by signal_id.",
        ),
        Topic(
            "signal-trace",
            "signal_id",
            Kind.LOG,
            ("TraceFact",),
            CONSUMERS,
            ("feedback", "oversight"),
            "Every step, for the ledger.",
            TRACE_KEEP,
            rebuilt_by=("routing",),
        ),
        Topic(
            "parked",
            "parked_id",
            Kind.STATE,
            ("ParkedRecord",),
            CONSUMERS,
            ("oversight",),
            "What could not be processed, sealed to its owner.",
            rebuilt_by=tuple(name for name in CONSUMERS if name != "oversight"),
        ),
        *map(_retry, CONSUMERS),
    )


def _delivered(
    receiver: Receiver,
    key: str,
    kind: Kind,
    *,
    writers: tuple[str, ...] = ("routing",),
    keep: timedelta | None = None,
    checked_by: tuple[str, ...] = (),
) -> Topic:
    readers = (receiver.service,)
    return Topic(receiver.topic, key, kind, (receiver.record,), writers, readers, receiver.why, keep, checked_by=checked_by)


def _retry(service: str) -> Topic:
    return Topic(
        retry_topic(service),
        "parked_id",
        Kind.LOG,
        ("RetryRequest",),
        ("oversight",),
        (service,),
        f"What a person decided about a record that {service} parked: try it again, or drop it.",
        RETRY_KEEP,
    )


def _links() -> tuple[Topic, ...]:
    return (
        Topic(
            "link-tokens",
            "signal_id",
            Kind.STATE,
            ("LinkTokens",),
            ("routing",),
            ("linking",),
            "Sealed link tokens, passed on unopened, of every signal that may be linked.",
            checked_by=("routing",),
        ),
        Topic(
            "link-answers",
            "link_id",
            Kind.LOG,
            ("LinkAnswer",),
            ("routing", "agenda"),
            ("linking",),
            "What officers and the chain director decide about links.",
            SIGNALS_KEEP,
        ),
        Topic(
            "link-candidates",
            "link_id",
            Kind.STATE,
            ("LinkCandidate",),
            ("linking",),
            ("agenda",),
            "Pairs that may belong together, for who decides; never a value.",
        ),
        Topic(
            "links",
            "signal_id",
            Kind.STATE,
            ("ClusterMembership",),
            ("linking",),
            ("routing", "agenda"),
            "Which signals are one item.",
        ),
    )


def _own(code: str) -> Topic:
    reader = (municipality_principal(code),)
    return Topic(
        feedback_topic(code),
        "signal_id",
        Kind.STATE,
        ("SignalView",),
        ("feedback",),
        reader,
        f"What {code} may know of its own signals.",
    )


_RECORDS = {topic.name: frozenset(topic.records) for topic in _shared(())}
_STATES = frozenset(topic.name for topic in _shared(()) if topic.kind is Kind.STATE)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All topics and principals of an exchange with these municipalities (CBS codes)."""

    municipalities: tuple[str, ...]

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Return every topic."""
        writers = tuple(map(municipality_principal, self.municipalities))
        return (*_shared(writers), *map(_own, self.municipalities))

    @property
    def principals(self) -> tuple[str, ...]:
        """Return every principal that may do anything at all."""
        return (*CONSUMERS, *map(municipality_principal, self.municipalities))

    @property
    def quotas(self) -> dict[str, Quota]:
        """Return the quotas of each principal."""
        return quotas_of(CONSUMERS, map(municipality_principal, self.municipalities))

    @property
    def watchers(self) -> tuple[str, ...]:
        """Return the principals that may see how far every topic and group is, and nothing of the content."""
        return ("oversight",)

    def sources_of(self, principal: str) -> tuple[str, ...]:
        """Return the topics that a principal's consumer subscribes to."""
        return tuple(topic.name for topic in self.topics if principal in topic.subscribers)


def catalogue(municipalities: Iterable[str]) -> Catalogue:
    """Return the catalogue for these municipalities, in a fixed order."""
    return Catalogue(tuple(sorted(municipalities)))
