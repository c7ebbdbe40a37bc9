"""One run of the demo: publish files, forge, withdraw, erase, wait until all is accounted for, and hold it against the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from signal_exchange.contracts.reference import load_example
from signal_exchange.contracts.topics import CONSUMERS, municipality_principal
from signal_exchange.demo.ending import CannotEnd, end_all, erasures_of, withdrawals_of
from signal_exchange.demo.exchange import Exchange
from signal_exchange.demo.forging import Forger, Sent
from signal_exchange.demo.judging import Ended, Published, Told, mismatches, published_by_key, truth, wrong_parked
from signal_exchange.demo.places import checkout
from signal_exchange.demo.region import Arrival, Forgery, SignalKey, generate_region
from signal_exchange.demo.region.model import Record
from signal_exchange.demo.region.model import Region as Synthetic
from signal_exchange.demo.region.reading import CORRECTION
from signal_exchange.demo.region.writing import write_region
from signal_exchange.demo.watching import Picture, Watch, lag, picture_until_now
from signal_exchange.domain.ledger import Ledger
from signal_exchange.privacy.sealing import SealingPrivateKey
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.runtime import clock

EXAMPLES = ("01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip")
ACCOUNTED_SECONDS = 600.0
LOOK_SECONDS = 0.3


class NotAccountedFor(Exception):  # noqa: N818 - says what is wrong
    """Not every signal was accounted for in time."""


@dataclass(frozen=True, slots=True)
class Input:
    """What the demo publishes: the six examples and a synthetic region, as files per municipality, and corrections after them."""

    synthetic: Synthetic
    arrivals: tuple[Arrival, ...]
    files: Mapping[str, Path]
    corrections: Mapping[str, Path]


def prepare_input(folder: Path, seed: int, signals: int, today: date) -> Input:
    """Generate the region, write its files and those of the examples, and return them."""
    synthetic = generate_region(seed, signals, today)
    write_region(synthetic, folder)
    arrivals = (*map(_example, EXAMPLES), *synthetic.arrivals)
    corrections = [arrival for arrival in arrivals if arrival.kind == CORRECTION]
    others = [arrival for arrival in arrivals if arrival.kind != CORRECTION]
    codes = sorted({arrival.key.municipality for arrival in corrections})
    files = {code: _write(folder / f"publish-{code}.jsonl", code, others) for code in synthetic.municipalities}
    return Input(
        synthetic, arrivals, files, {code: _write(folder / f"correct-{code}.jsonl", code, corrections) for code in codes}
    )


def _example(name: str) -> Arrival:
    record = dict(load_example(name, "inside"))
    return Arrival(name, "new", 1, datetime.fromisoformat(record["received_at"]), record)


def _write(file: Path, code: str, arrivals: Sequence[Arrival]) -> Path:
    lines = (json.dumps(arrival.record, ensure_ascii=False) + "\n" for arrival in arrivals if arrival.key.municipality == code)
    file.write_text("".join(lines), encoding="utf-8")
    return file


@dataclass(slots=True)
class Result:
    """What one run of the demo came to."""

    ledger: Ledger
    refused: int
    forged: int
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0
    judged: bool = True

    @property
    def as_expected(self) -> bool:
        """Say whether nothing is lost and everything went where it should."""
        return self.ledger.conserved and not self.differences

    def as_json(self) -> dict[str, Any]:
        """Return the figures: signals by their place, numbers by their entry of the ledger (R-FLOW-01)."""
        signals = self.ledger.signals
        return {
            "published": self.ledger.published,
            **{place: signals[place] for place in ("routed", "parked", "discarded", "withdrawn", "erased", "in_flight")},
            "conserved": self.ledger.conserved,
            "mismatches_with_truth": len(self.differences) if self.judged else None,
            "differences": self.differences[:20],
            "refused": self.refused,
            "forged": self.forged,
            "unattributed": self.ledger.unattributed,
            "numbers_sent": self.ledger.sent,
            "numbers": dict(self.ledger.counts),
            "seconds": round(self.seconds, 2),
            "signals_per_second": round(self.ledger.published / self.seconds, 1) if self.seconds else None,
        }


Looked = Callable[[Picture], None]


class DemoRun:
    """One run on an exchange that runs. `looked` is told what the trace says, about three times a second."""

    def __init__(self, exchange: Exchange, watch: Watch, today: date, looked: Looked) -> None:
        self.exchange, self.watch, self.today, self.looked = exchange, watch, today, looked
        self.refused = 0
        self.forged: list[tuple[Forgery, str]] = []
        self.ended: Sequence[Ended] = ()

    def wait(self) -> Result:
        """Publish nothing: wait until what the folder held before is accounted for. The oracle is not asked.

        Raises:
            ChildFailed: a process ended meanwhile.
            NotAccountedFor: a signal stayed away.
        """
        began = time.monotonic()
        ledger = self._await_all().ledger
        return Result(ledger, 0, 0, seconds=time.monotonic() - began, judged=False)

    def run(self, given: Input) -> Result:
        """Publish, forge, withdraw, erase, wait and judge.

        Raises:
            ChildFailed: a process ended meanwhile.
            NotAccountedFor: a signal stayed away.
        """
        began = time.monotonic()
        self._publish(given)
        found = published_by_key(self.exchange, [arrival.key for arrival in given.arrivals])
        self._forge(given, found)
        self._end(given)
        picture = self._await_all()
        seconds = time.monotonic() - began
        return Result(picture.ledger, self.refused, len(self.forged), self._judge(given, picture, found), seconds)

    def _publish(self, given: Input) -> None:
        with ThreadPoolExecutor(1) as pool:
            self._await(pool.submit(self.exchange.publish, given.files))
            self._await(pool.submit(self.exchange.publish, given.corrections, "--yes"))

    def _await(self, job: Future[dict[str, CompletedProcess[str]]]) -> None:
        while not job.done():
            self._look()
            time.sleep(LOOK_SECONDS)
        self.refused += sum(_refused(code, said.stdout, said.stderr) for code, said in job.result().items())

    def _forge(self, given: Input, found: Mapping[SignalKey, Published]) -> None:
        by_sender: dict[str, list[tuple[Forgery, Sent, SigningKey]]] = {}
        keys = given.synthetic.keys
        for forgery in given.synthetic.forgeries:
            base = keys[forgery.base]
            if base in found:
                key = self._key(forgery.sender)
                by_sender.setdefault(base.municipality, []).append((forgery, found[base].sent, key))
        linking = SealingPrivateKey.from_mapping(self._keys("linking")["sealing"][0]).public
        for code, forgeries in by_sender.items():
            connection = self.exchange.connection(municipality_principal(code))
            signal_ids = Forger(self._key(code), connection, linking).forge(forgeries, clock.now())
            self.forged += [(forgery, signal_id) for (forgery, _, _), signal_id in zip(forgeries, signal_ids, strict=True)]

    def _key(self, code: str) -> SigningKey:
        return SigningKey.from_mapping(self._keys(municipality_principal(code))["signing"])

    def _keys(self, process: str) -> dict[str, Any]:
        file = self.exchange.region.process_folder(process) / "keys.json"
        keys: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return keys

    def _end(self, given: Input) -> None:
        ends = [*withdrawals_of(given.synthetic), *erasures_of(given.synthetic)]
        try:
            self.ended = end_all(self.exchange, ends)
        except CannotEnd as refusal:
            raise NotAccountedFor(str(refusal)) from None

    def _await_all(self) -> Picture:
        until = time.monotonic() + ACCOUNTED_SECONDS
        quiet = 0
        while quiet < 2:  # noqa: PLR2004 - nothing to do, seen twice, since one service's output is the next one's input
            picture = self._look()
            rests = not picture.ledger.counts["in_flight"] and not lag(
                self.exchange.admin, self.exchange.region.catalogue, self._groups()
            )
            quiet = quiet + 1 if rests else 0
            if time.monotonic() > until:
                raise NotAccountedFor(
                    f"{picture.ledger.counts['in_flight']} numbers are not accounted for after {ACCOUNTED_SECONDS:.0f} s."
                )
            time.sleep(LOOK_SECONDS)
        return picture_until_now(self.exchange.connection("oversight"))

    def _groups(self) -> tuple[str, ...]:
        return (*CONSUMERS, *self.exchange.nodes)

    def _look(self) -> Picture:
        self.exchange.household.check()
        picture = self.watch.look()
        self.looked(picture)
        return picture

    def _judge(self, given: Input, picture: Picture, found: Mapping[SignalKey, Published]) -> list[str]:
        tests = checkout() / "tests"
        told = Told(given.arrivals, self.ended, self._taken(given), self.today)
        expected = truth(tests, told, found)
        parked = wrong_parked(self.exchange, [forgery for forgery, _ in self.forged])
        return [*mismatches(self.exchange, picture, expected), *parked]

    def _taken(self, given: Input) -> dict[str, Record]:
        """Give the forged signals that routing takes, since only a service behind it can see what is wrong."""
        records = {arrival.signal_id: arrival.record for arrival in given.arrivals if arrival.kind == "new"}
        return {signal_id: records[forgery.base] for forgery, signal_id in self.forged if forgery.parked_by != "routing"}


def _refused(code: str, said: str, complaint: str) -> int:
    try:
        return int(json.loads(said)["refused"])
    except (ValueError, KeyError):
        raise NotAccountedFor(f"Publishing at {code} failed: {complaint.strip()[-300:]}") from None
