"""The score of linking: a synthetic region against its own truth of what belongs together, without Kafka.

The signals go through the service's own handler, rules and store; only the keepers and the stream are left out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Annotated, Any

import typer

from signal_exchange.cli.context import AsJson, show_json, show_rows, shown
from signal_exchange.contracts.records import SealedPart
from signal_exchange.domain.calendar import WorkingCalendar
from signal_exchange.domain.figures.persons import age_class
from signal_exchange.domain.links.epochs import epoch_of
from signal_exchange.domain.links.sharing import COMMON, SAME_PERSON, SHARED_CONTEXT, cap_of, pair_of, proposing
from signal_exchange.domain.policy import Policy
from signal_exchange.linking.handler import LinkingHandler
from signal_exchange.linking.records import Link, Value
from signal_exchange.linking.store import LinkingStore
from signal_exchange.linking.tables import TABLES
from signal_exchange.privacy.normalising import KINDS, link_values
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.sealing import TOKEN_SLOTS, LinkToken, SealingPrivateKey, encode_tokens
from signal_exchange.privacy.secret_ids import SecretIds
from signal_exchange.reference.loading import load_code_lists
from signal_exchange.runtime.database import Database
from signal_exchange.stream.messages import Incoming, Message
from signal_exchange.stream.work import Work
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.model import Arrival, Region
from signal_exchange_demo.region.plan import SIGNALS_AT_SCALE_1

app = typer.Typer()
"""What the demo adds to the commands about linking."""
DAY = date(2026, 11, 20)
"""On which the region is published: the same region gives the same figures."""
BATCH = 200
_START = datetime(2026, 11, 20, 8, tzinfo=UTC)
Pairs = set[tuple[str, str]]
Scale = Annotated[
    float, typer.Option("--scale", min=0.01, help="Size of the synthetic region: 1 is the real one, with 123 signals a year.")
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the synthetic region.")]


@app.command()
def score(*, scale: Scale = 100.0, seed: Seed = 7, as_json: AsJson = False) -> None:
    """Measure linking on a synthetic region against its truth."""
    figures = score_region(max(1, round(scale * SIGNALS_AT_SCALE_1)), seed)
    if as_json:
        show_json(figures)
    else:
        lines = [{"name": name, "value": shown(value)} for name, value in figures.items()]
        show_rows(lines, {"name": "column.field", "value": "column.value"}, empty="")


def score_region(signals: int, seed: int) -> dict[str, Any]:
    """Return the score of linking for the signals that belong together in a region of this size, by kind and by key type.

    Municipalities have shelters, police stations and switchboards on their lists (R-LINK-07). `without_lists` tells what the
    frequency cap alone (R-LINK-03) makes of them.
    """
    region = generate_region(seed, signals, DAY)
    published = [arrival for arrival in region.arrivals if arrival.kind in ("new", "correction")]
    unlisted, run = _Run(frozenset()), _Run(frozenset(region.barred))
    unlisted.publish(published)
    run.publish(published)
    found, true = run.links(), _truth(region)
    same = _measured(found, true, SAME_PERSON)
    after_cap = sum(run.is_after_cap(link) for link in found)
    run.confirm([link for link in found if link.pair in true.all[link.kind]])
    confirmed = [link for link in run.links() if link.confirmed]
    return {
        "signals": signals,
        "seed": seed,
        "all": _measured_all(found, true),
        "without_lists": _measured_all(unlisted.links(), true),
        "same_person": same,
        "shared_context": _measured(found, true, SHARED_CONTEXT),
        "key_types": _by_type(found, true),
        "precision_after_confirmation": _ratio(sum(link.pair in true.all[link.kind] for link in confirmed), len(confirmed)),
        "confirmed": len(confirmed),
        "junk": {"common": sum(link.frequency == COMMON for link in found), "after_the_cap": after_cap},
        "b_cubed": _b_cubed(run.clusters(), map(set, region.truth.clusters)),
    }


@dataclass(frozen=True, slots=True)
class _Truth:
    """The pairs that truly belong together, by kind, those whose keys agree, and those by key type."""

    all: Mapping[str, Pairs]
    agreeing: Mapping[str, Pairs]
    by_type: Mapping[str, Pairs]


def _truth(region: Region) -> _Truth:
    found, agreeing, by_type = (defaultdict[str, Pairs](set) for _ in range(3))
    for link in region.truth.links:
        pair = pair_of(link.first, link.second)
        found[link.kind].add(pair)
        if link.key_types:
            agreeing[link.kind].add(pair)
        for key_type in link.key_types:
            by_type[key_type].add(pair)
    return _Truth(found, agreeing, by_type)


def _measured(found: Iterable[Link], true: _Truth, kind: str) -> dict[str, Any]:
    pairs = {link.pair for link in found if link.kind == kind}
    return {
        "candidates": len(pairs),
        "true_pairs": len(true.all[kind]),
        "recall_of_agreeing": _ratio(len(pairs & true.agreeing[kind]), len(true.agreeing[kind])),
        "recall": _ratio(len(pairs & true.all[kind]), len(true.all[kind])),
        "precision": _ratio(len(pairs & true.all[kind]), len(pairs)),
    }


def _measured_all(found: Iterable[Link], true: _Truth) -> dict[str, Any]:
    """Return recall and precision over every candidate, of both kinds together."""
    pairs = {(link.kind, link.pair) for link in found}
    real, agreeing = ({(kind, pair) for kind, pairs in each.items() for pair in pairs} for each in (true.all, true.agreeing))
    return {
        "candidates": len(pairs),
        "true_pairs": len(real),
        "recall_of_agreeing": _ratio(len(pairs & agreeing), len(agreeing)),
        "recall": _ratio(len(pairs & real), len(real)),
        "precision": _ratio(len(pairs & real), len(pairs)),
    }


def _by_type(found: Collection[Link], true: _Truth) -> dict[str, Any]:
    figures = {}
    for key_type in KINDS:
        pairs, real = {link.pair for link in found if key_type in link.key_types}, true.by_type[key_type]
        figures[key_type] = {"precision": _ratio(len(pairs & real), len(pairs)), "recall": _ratio(len(pairs & real), len(real))}
    return figures


def _b_cubed(found: Iterable[set[str]], true: Iterable[set[str]]) -> dict[str, Any]:
    """Return precision, recall and F1 per signal, over every signal that is in a cluster of either side."""
    one, other = ({member: each for each in clusters for member in each} for clusters in (found, true))
    members = one.keys() | other.keys()
    shared = {member: len(one.get(member, {member}) & other.get(member, {member})) for member in members}
    precision = _ratio(sum(shared[each] / len(one.get(each, {each})) for each in members), len(members))
    recall = _ratio(sum(shared[each] / len(other.get(each, {each})) for each in members), len(members))
    both = 2 * precision * recall / (precision + recall) if precision and recall else None
    return {"precision": precision, "recall": recall, "f1": round(both, 4) if both else None}


def _ratio(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


@dataclass(slots=True)
class _Run:
    """A linking of its own, in memory, with keys made for this run; `barred` is what municipalities have on their lists."""

    barred: frozenset[tuple[str, str]] = field(repr=False)
    key: SealingPrivateKey = field(default_factory=lambda: SealingPrivateKey.generate("linking-score", "linking"), repr=False)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    database: Database = field(default_factory=lambda: Database("sqlite+pysqlite:///:memory:", TABLES))
    first: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database.create_tables()

    def publish(self, arrivals: Iterable[Arrival]) -> None:
        """Hand signals to linking, in the order in which they arrive."""
        messages = (self._message(number, arrival) for number, arrival in enumerate(arrivals))
        self._take(messages)

    def confirm(self, links: Iterable[Link]) -> None:
        """Confirm links as everybody concerned would who knows the truth."""
        self._take(message for link in links for message in _confirmations(link))

    def links(self) -> list[Link]:
        """Return every link that was found."""
        with self.database.reading() as connection:
            return [link for link in LinkingStore(connection).all_links() if link.key_types]

    def clusters(self) -> list[set[str]]:
        """Return the clusters of confirmed links."""
        with self.database.reading() as connection:
            rows = connection.exec_driver_sql("select cluster_id, signal_id from record_memberships where cluster_id is not null")
            found: dict[str, set[str]] = defaultdict(set)
            for cluster_id, signal_id in rows:
                found[cluster_id].add(signal_id)
        return list(found.values())

    def is_after_cap(self, link: Link) -> bool:
        """Say whether a link was proposed by nothing but values that were too frequent by then (R-LINK-03)."""
        if link.frequency != COMMON:
            return False
        with self.database.reading() as connection:
            store = LinkingStore(connection)
            one, other = ({each.value for each in found} for found in store.token_uses(link.pair).values())
            return not any(self._proposes(store, value, link) for value in one & other if value.type in link.key_types)

    def _proposes(self, store: LinkingStore, value: Value, link: Link) -> bool:
        cap = cap_of(value.type, Policy())
        return {*link.pair} <= proposing(store.holders(value, cap + 1), cap)

    def _take(self, messages: Iterable[Message]) -> None:
        handler = LinkingHandler(
            WorkingCalendar(),
            load_code_lists(),
            self._opened,
            _unsealed,
            lambda: SecretIds(self.secret),
            lambda: Register(0),
            lambda: _START + timedelta(days=4),
        )
        left = iter(messages)
        while batch := list(islice(left, BATCH)):
            with self.database.transaction() as connection:
                handler(
                    batch, Work("linking", connection, lambda _content, parked_id: _unsealed("parking:linking", b"", parked_id))
                )

    def _opened(self, part: SealedPart, bound_to: str) -> bytes:
        return self.key.decrypt(part["ciphertext"], bound_to=bound_to)

    def _message(self, number: int, arrival: Arrival) -> Message:
        came, signal_id = _START + timedelta(milliseconds=number), arrival.signal_id
        fields = {
            "signal_id": signal_id,
            "version": arrival.version,
            "revision": arrival.version,
            "municipality": arrival.record["municipality"],
            "status": "OPEN",
            "publish_day": DAY.isoformat(),
            "appended_at": self.first.setdefault(signal_id, came),
            "stated_at": came,
            "tokens_at": came,
            "form": arrival.record["forms"]["primary"],
            "subjects": [
                {"ref": each["ref"], "role": each["role"], "age_class": age_class(each.get("age_band") or "")}
                for each in arrival.record["subjects"]
            ],
            "tokens": self._sealed(arrival.record, f"{signal_id}.{arrival.version}"),
        }
        return _as_message("LinkTokens", fields, came)

    def _sealed(self, record: Mapping[str, Any], bound_to: str) -> dict[str, object]:
        tokens = list(self._tokens(record))[:TOKEN_SLOTS]
        ciphertext = self.key.public.encrypt(encode_tokens(tokens), bound_to=bound_to)
        return {"group": "linking", "key_id": self.key.key_id, "ciphertext": ciphertext}

    def _tokens(self, record: Mapping[str, Any]) -> Iterator[LinkToken]:
        for value in link_values(record, kinds=frozenset(KINDS), barred=self.barred):
            token = hmac.digest(self.secret, f"{value.type}|{value.value}".encode(), hashlib.sha256)[:16]
            yield LinkToken(value.carrier, value.type, epoch_of(DAY), token)


def _confirmations(link: Link) -> Iterator[Message]:
    if link.kind == SHARED_CONTEXT:
        yield _answer(link, "CONFIRM", None, 1)
        return
    yield _answer(link, "RELEASE", None, 1)
    for municipality in link.awaits:
        yield _answer(link, "CONFIRM", municipality, 2)


def _answer(link: Link, kind: str, municipality: str | None, days: int) -> Message:
    at = _START + timedelta(days=days)
    fields = {
        "answer_id": f"{link.link_id}.{kind}.{municipality}",
        "link_id": link.link_id,
        "kind": kind,
        "by_role": "ATTENTION_OFFICER" if municipality else "CHAIN_DIRECTOR",
        "municipality": municipality,
        "signal_id": None,
        "key_types": list(link.key_types),
        "answered_at": at,
    }
    return _as_message("LinkAnswer", fields, at)


def _as_message(record: str, fields: dict[str, Any], at: datetime) -> Message:
    return Message(record, fields, Incoming("score", 0, 0, None, None, {}, at))


def _unsealed(group: str, _plaintext: bytes, _bound_to: str) -> SealedPart:
    return SealedPart(group=group, key_id="nobody", ciphertext=b"")
