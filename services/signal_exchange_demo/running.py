"""One run of the demo: publish files, forge, withdraw, erase, wait until all is accounted for, and hold it against the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from signal_exchange.contracts.topics import CONSUMERS, municipality_principal
from signal_exchange.domain.figures.ledger import Ledger
from signal_exchange.privacy.sealing import SealingPrivateKey
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.reference.loading import load_example
from signal_exchange.runtime import clock
from signal_exchange_demo.acting import CannotActError, SecondAct
from signal_exchange_demo.comparing import differences, wrong_links, wrong_refusals
from signal_exchange_demo.driving import DrivenClock
from signal_exchange_demo.ending import CannotEndError, end_all, erasures_of, withdrawals_of
from signal_exchange_demo.exchange import Exchange
from signal_exchange_demo.expecting import expected_links, expected_refusals
from signal_exchange_demo.forging import Forger, Sent
from signal_exchange_demo.judging import (
    Ended,
    Published,
    Told,
    mismatches,
    published_by_key,
    story,
    story_told,
    truth,
    wrong_parked,
)
from signal_exchange_demo.probing import ALONE, TIP, WEAK, changed
from signal_exchange_demo.recording import recorded
from signal_exchange_demo.region.generating import generate_region
from signal_exchange_demo.region.model import Arrival, Forgery, Record, SignalKey
from signal_exchange_demo.region.model import Region as Synthetic
from signal_exchange_demo.region.reading import CORRECTION
from signal_exchange_demo.region.writing import write_region
from signal_exchange_demo.watching import Picture, Watch, lag, picture_until_now

EXAMPLES = ("01_sexual", "02_labour", "03_criminal", "04_organ", "05_minor", "06_anonymous_tip")
ACCOUNTED_SECONDS = 600.0
LOOK_SECONDS = 0.3


class NotAccountedForError(Exception):
    """Not every signal was accounted for in time."""


@dataclass(frozen=True, slots=True)
class Input:
    """The input of the demo: the six examples and a synthetic region, as files per municipality, and corrections after them."""

    synthetic: Synthetic
    arrivals: tuple[Arrival, ...]
    files: Mapping[str, Path]
    corrections: Mapping[str, Path]

    @property
    def lines(self) -> dict[str, list[Arrival]]:
        """Return the records of each file, line by line, by the file's name."""
        found: dict[str, list[Arrival]] = {}
        for kind, files in ((False, self.files), (True, self.corrections)):
            for code, file in files.items():
                own = (each for each in self.arrivals if each.key.municipality == code)
                found[file.name] = [each for each in own if (each.kind == CORRECTION) is kind]
        return found


def prepare_input(folder: Path, seed: int, signals: int, today: date, besides: Sequence[Arrival] = ()) -> Input:
    """Generate the region, write its files and those of the examples and of what comes `besides`, and return them."""
    synthetic = generate_region(seed, signals, today)
    write_region(synthetic, folder)
    arrivals = (*map(_example, EXAMPLES), *besides, *synthetic.arrivals)
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
    """The result of one run of the demo."""

    ledger: Ledger
    refused: int
    forged: int
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0
    judged: bool = True
    judged_seconds: float = 0.0

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
            "judged_seconds": round(self.judged_seconds, 2),
            "signals_per_second": round(self.ledger.published / self.seconds, 1) if self.seconds else None,
        }


Looked = Callable[[Picture], None]


class DemoRun:
    """One run on an exchange that runs. `looked` is told what the trace says, about three times a second."""

    def __init__(self, exchange: Exchange, watch: Watch, today: date, looked: Looked) -> None:
        self.exchange, self.watch, self.today, self.looked = exchange, watch, today, looked
        self.refused: dict[tuple[str, int], list[Record]] = {}
        self.forged: list[tuple[Forgery, str]] = []
        self.ended: Sequence[Ended] = ()
        self.undone: set[tuple[str, str, str]] = set()

    def wait(self) -> Result:
        """Publish nothing: wait until what the folder held before is accounted for. The oracle is not asked.

        Raises:
            ChildFailedError: a process ended meanwhile.
            NotAccountedForError: a signal stayed away.
        """
        began = time.monotonic()
        ledger = self._await_all().ledger
        return Result(ledger, 0, 0, seconds=time.monotonic() - began, judged=False)

    def run(self, given: Input) -> Result:
        """Publish, forge, withdraw, erase, wait and judge.

        Raises:
            ChildFailedError: a process ended meanwhile.
            NotAccountedForError: a signal stayed away.
        """
        began = time.monotonic()
        self._publish(given)
        found = published_by_key(self.exchange, [arrival.key for arrival in given.arrivals])
        self._forge(given, found)
        self._end(given)
        picture = self._await_all()
        accounted = time.monotonic()
        differences = self._judge(given, picture, found)
        if self.exchange.driven is not None and not differences:
            picture, later = self._second_act(given, found, self.exchange.driven)
            differences += later
        result = Result(picture.ledger, len(self.refused), len(self.forged), differences, accounted - began)
        result.judged_seconds = time.monotonic() - accounted
        return result

    def _publish(self, given: Input) -> None:
        with ThreadPoolExecutor(1) as pool:
            self._await(pool.submit(self.exchange.publish, given.files), given.files)
            self._await(pool.submit(self.exchange.publish, given.corrections, "--yes"), given.corrections)

    def _await(self, job: Future[dict[str, CompletedProcess[str]]], files: Mapping[str, Path]) -> None:
        while not job.done():
            self._look()
            time.sleep(LOOK_SECONDS)
        for code, said in job.result().items():
            for refused in _refused(code, said.stdout, said.stderr):
                self.refused[files[code].name, refused["line"]] = refused["errors"]

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
        except CannotEndError as refusal:
            raise NotAccountedForError(str(refusal)) from None

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
                raise NotAccountedForError(
                    f"{picture.ledger.counts['in_flight']} numbers are not accounted for after {ACCOUNTED_SECONDS:.0f} s."
                )
            time.sleep(LOOK_SECONDS)
        return picture_until_now(self.exchange.connection("oversight"))

    def _groups(self) -> tuple[str, ...]:
        return (*CONSUMERS, *self.exchange.nodes)

    def _look(self) -> Picture:
        self.exchange.processes.check()
        picture = self.watch.look()
        self.looked(picture)
        return picture

    def _judge(self, given: Input, picture: Picture, found: Mapping[SignalKey, Published]) -> list[str]:
        expected = truth(self._told(given), found)
        parked = wrong_parked(self.exchange, [forgery for forgery, _ in self.forged])
        refused = wrong_refusals(expected_refusals(given.synthetic, given.lines), self.refused)
        standing = self._standing(given, picture, found, expected)
        return [*mismatches(self.exchange, picture, expected), *parked, *refused, *standing]

    def _told(self, given: Input) -> Told:
        return Told(given.arrivals, self.ended, self._taken(given), self.today)

    def _standing(
        self, given: Input, picture: Picture, found: Mapping[SignalKey, Published], expected: Mapping[str, Any]
    ) -> list[str]:
        """Return the things that stand elsewhere than in the oracle's story."""
        seen = recorded(self.exchange, picture)
        told = story_told(self._told(given), found, seen.events, expected, clock.now())
        closed = {event["signal_id"] for event in seen.events if event["what"] in ("withdrawn", "erased")}
        links = wrong_links(
            expected_links(_latest_records(told, self._taken(given)), given.synthetic.barred), seen, closed, self.undone
        )
        return [*differences(seen, story(told)), *links]

    def _second_act(self, given: Input, found: Mapping[SignalKey, Published], driven: DrivenClock) -> tuple[Picture, list[str]]:
        """Let people act and four weeks pass, and judge again."""
        ids = {key.local_ref: each.signal_id for key, each in found.items()}
        alone = next(each for each in given.arrivals if each.key.local_ref == ALONE)
        after = replace(given, arrivals=(*given.arrivals, changed(alone)))
        try:
            SecondAct(self.exchange, driven, ids, self._await_all).play(changed(alone), self.exchange.folder / "input")
        except CannotActError as refusal:
            return self._await_all(), [str(refusal)]
        first, second = sorted((ids[WEAK], ids[TIP]))
        self.undone = {(first, second, "SHARED_CONTEXT")}
        picture = self._await_all()
        expected = truth(self._told(after), found)
        return picture, self._standing(after, picture, found, expected)

    def _taken(self, given: Input) -> dict[str, Record]:
        """Give the forged signals that routing takes, since only a service behind it can see what is wrong."""
        records = {arrival.signal_id: arrival.record for arrival in given.arrivals if arrival.kind == "new"}
        return {signal_id: records[forgery.base] for forgery, signal_id in self.forged if forgery.parked_by != "routing"}


def _latest_records(told: Mapping[str, Any], forged: Collection[str]) -> dict[str, Record]:
    """Return the latest record of each signal of a story but the forged ones, in the order in which their first versions came."""
    versions: Mapping[str, Mapping[str, Any]] = told["versions"]
    order = dict.fromkeys(
        event["signal_id"] for event in told["events"] if event["what"] == "published" and event["signal_id"] not in forged
    )
    return {signal_id: versions[signal_id][max(versions[signal_id], key=int)]["record"] for signal_id in order}


def _refused(code: str, said: str, complaint: str) -> list[Record]:
    try:
        return [each for each in json.loads(said)["results"] if each["outcome"] == "REFUSED"]
    except (ValueError, KeyError):
        raise NotAccountedForError(f"Publishing at {code} failed: {complaint.strip()[-300:]}") from None
