"""A region as files: records per municipality, what leaves, the truth, and a manifest with a hash of every file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO

from signal_exchange_demo.refusing import DemoError
from signal_exchange_demo.region.aftermath import After, Aftermath, published_at
from signal_exchange_demo.region.figures import Counted, Figures
from signal_exchange_demo.region.generating import Generator, listed
from signal_exchange_demo.region.oracle import Oracle, members_table
from signal_exchange_demo.region.plan import Plan, TargetedProject
from signal_exchange_demo.region.publishing import Publisher
from signal_exchange_demo.region.reading import MANIFEST, inside_file
from signal_exchange_demo.region.references import References
from signal_exchange_demo.region.spilling import Weeks
from signal_exchange_demo.region.tables import rows_text, table
from signal_exchange_demo.region.truth import truth_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path
    from typing import Self

    from signal_exchange_demo.region.model import Arrival, Built, Forgery, Region, Truth

GENERATOR_VERSION: Final = "3"
HEADERS: Final = {
    "truth_signals.csv": "signal_id version municipality local_ref kind came published fate reason",
    "truth_persons.csv": "person_id form is_minor first_week last_week",
    "truth_mentions.csv": "signal_id subject person_id",
    "truth_links.csv": "signal_a signal_b kind key_types",
    "truth_clusters.csv": "cluster_id signal_id",
    "truth_leaks.csv": "signal_id start end leak_type",
    "truth_routes.csv": "signal_id version destination effect rule_id",
    "truth_bad_records.csv": "municipality local_ref kind field rule code",
    "withdrawals.csv": "signal_id version reason at",
    "erasures.csv": "signal_id version at",
}
"""The tables that are written while signals are made, with their columns."""
AGAIN: Final = ("correction", "duplicate")
LINES: Final = ("published.jsonl", "forgeries.jsonl")
_EMPTY_REFERENCE: Final = '"local_ref": ""'


def generate(
    seed: int,
    start: date,
    weeks: int,
    scale: float,
    out: Path,
    *,
    project: TargetedProject | None = None,
    told: Callable[[int, int], None] = lambda _done, _parts: None,
) -> dict[str, Any]:
    """Write the region of these arguments into the folder `out`, all or nothing, and return its manifest.

    The same arguments give the same bytes. Memory does not grow with the scale but for 1 signal in 12 that comes again.
    `told` hears how many of how many parts are made.

    Raises:
        NoSuchRegionError: an argument makes no sense, or its municipality is not of the region.
        DemoError: `out` is there already and not empty.
    """
    plan = Plan(seed, start, weeks, scale, project=project)
    generator = Generator(plan)
    aftermath = Aftermath(generator.streams, plan)
    with _all_or_nothing(out) as folder, RegionWriter(plan, folder, listed(generator.junk)) as writer:
        for number, part in enumerate(generator.parts(), start=1):
            after = aftermath.of(part.built)
            sent = [one for one in part.built if plan.may_publish(one.event.municipality, one.day)]
            writer.add(sent, after, truth_of(sent, part.people))
            told(number, plan.blocks)
        return writer.finish()


def write_region(region: Region, folder: Path) -> None:
    """Write a region that is in memory into a folder, as `generate` writes one."""
    after = After(
        list(region.arrivals), list(region.withdrawals), list(region.erasures), list(region.bad_records), list(region.forgeries)
    )
    with _all_or_nothing(folder) as place, RegionWriter(region.plan, place, region.barred) as writer:
        writer.add(region.built, after, region.truth)
        writer.finish()


@contextmanager
def _all_or_nothing(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` that becomes it at the end, and is gone when that is not reached."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DemoError(f"{out} is there already and not empty: choose another folder.")
    making = out.absolute().with_name(f".{out.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        yield making
        os.replace(making, out)  # noqa: PTH105 - a folder over an empty one
    finally:
        shutil.rmtree(making, ignore_errors=True)


class RegionWriter:
    """Writes parts of a region as they are made; only what leaves or comes in is put into order, week by week."""

    def __init__(self, plan: Plan, folder: Path, barred: Sequence[tuple[str, str]]) -> None:
        self._plan, self._folder, self._barred = plan, folder, barred
        self._publisher = Publisher(plan.seed, barred)
        self._figures = Figures(plan)
        self._counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("arrivals", "withdrawals", "erasures", "bad_records", "forgeries", "forms")
        }
        self._clusters = 0

    def __enter__(self) -> Self:
        """Open the files and start the oracle."""
        self._open = ExitStack()
        with ExitStack() as opening:
            (self._folder / "inside").mkdir()
            inside = [inside_file(code, kind) for code in self._plan.codes for kind in ("new", "correction")]
            self._files: dict[str, TextIO] = {
                name: opening.enter_context((self._folder / name).open("w", encoding="utf-8"))
                for name in (*HEADERS, *LINES, *inside)
            }
            self._weeks = opening.enter_context(Weeks(self._folder / "weeks", self._plan.weeks))
            self._oracle = opening.enter_context(Oracle(self._plan))
            self._open = opening.pop_all()
        for name, columns in HEADERS.items():
            self._rows(name, [columns.split()])
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files and end the oracle."""
        self._open.close()

    def add(self, built: Sequence[Built], after: After, truth: Truth) -> None:
        """Add signals, with everything that came of them and what is true about them."""
        fates = self._fates(after)
        again = {arrival.signal_id for arrival in after.arrivals if arrival.kind in AGAIN}
        for arrival in after.arrivals:
            self._spill(arrival, fates, comes_again=arrival.signal_id in again)
        for one in built:
            self._counts["forms"][one.event.form] += 1
        withdrawn = {each.signal_id for each in after.withdrawals}
        last = {signal_id: fate["data"] for (signal_id, _), fate in sorted(fates.items()) if fate["verdict"] == "accepted"}
        counted = (one for one in built if one.signal_id in last and one.signal_id not in withdrawn)
        self._figures.add([Counted(one, last[one.signal_id]) for one in counted])
        self._write_after(after)
        self._write_truth(truth)
        self._rows("truth_routes.csv", _routes(fates))

    def finish(self) -> dict[str, Any]:
        """Write what needs everything, and the manifest, which is returned."""
        self._write_in_order()
        for file in self._files.values():
            file.close()
        self._write("truth_statistics.csv", table(("indicator", "period", "area", "class", "value"), self._figures.rows()))
        self._write("barred_values.csv", table(("type", "value"), self._barred))
        self._write("municipalities.csv", members_table(self._plan))
        self._open.close()
        manifest = self._manifest()
        self._write(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
        return manifest

    def _fates(self, after: After) -> dict[tuple[str, int], Any]:
        """Ask the oracle what becomes of every version, withdrawal and erasure of these signals."""
        entries = [self._entry(arrival) for arrival in after.arrivals if arrival.kind in ("new", "correction")]
        for name, ends in (("withdrawn", after.withdrawals), ("erased", after.erasures)):
            entries += [{"event": name, "signal_id": end.signal_id, "version": end.version} for end in ends]
        entries.sort(key=lambda entry: (entry["signal_id"], entry["version"]))
        return {(fate["signal_id"], fate["version"]): fate for fate in self._oracle.ask(entries)}

    def _entry(self, arrival: Arrival) -> dict[str, Any]:
        return {
            "record": arrival.record,
            "signal_id": arrival.signal_id,
            "version": arrival.version,
            "supersedes": arrival.version - 1 or None,
            "publish_day": published_at(arrival.came, self._plan).date().isoformat(),
        }

    def _spill(self, arrival: Arrival, fates: dict[tuple[str, int], Any], *, comes_again: bool) -> None:
        self._counts["arrivals"][arrival.kind] += 1
        fate = fates.get((arrival.signal_id, arrival.version)) if arrival.kind in ("new", "correction") else None
        text = json.dumps(arrival.record, ensure_ascii=False)
        line = (*self._row(arrival, fate), "again" if comes_again else "", text, self._event(arrival, fate))
        self._weeks.add((arrival.came.date() - self._plan.start).days // 7, "\t".join(line))

    def _row(self, arrival: Arrival, fate: dict[str, Any] | None) -> tuple[str, ...]:
        """Give the sort key of the record, and then the row of truth_signals.csv, with the reference that it has so far."""
        sorts = f"{int(arrival.came.timestamp()):012d}"
        published = published_at(arrival.came, self._plan).isoformat() if fate else ""
        verdict = fate["verdict"] if fate else _FATES[arrival.kind]
        reason = "|".join(fate.get("codes", ())) if fate else _REASONS.get(arrival.kind, "")
        named = (arrival.signal_id, str(arrival.version), arrival.kind, *_named(arrival.record))
        return sorts, *named, arrival.came.isoformat(), published, verdict, reason

    def _event(self, arrival: Arrival, fate: dict[str, Any] | None) -> str:
        if fate is None:
            return ""
        event = self._publisher.event(arrival.record, fate["data"], published_at(arrival.came, self._plan))
        return json.dumps(event, ensure_ascii=False)

    def _write_in_order(self) -> None:
        numbered = _Numbered()
        for line in self._weeks.in_order():
            _, *told, again, record, event = line.split("\t")
            signal_id, version, kind, municipality, given, came, *fate = told
            local_ref = given if kind == "bad" else numbered.reference(signal_id, kind, municipality, int(came[:4]))
            if again and kind == "new":
                numbered.remember(signal_id, local_ref)
            named = record.replace(_EMPTY_REFERENCE, f'"local_ref": "{local_ref}"', 1)
            self._files[inside_file(municipality, kind)].write(named + "\n")
            if event:
                self._files["published.jsonl"].write(event + "\n")
            self._rows("truth_signals.csv", [(signal_id, version, municipality, local_ref, kind, came, *fate)])

    def _write_after(self, after: After) -> None:
        self._counts["withdrawals"].update(each.reason for each in after.withdrawals)
        self._counts["erasures"].update("erased" for _ in after.erasures)
        self._counts["bad_records"].update(each.kind for each in after.bad_records)
        self._counts["forgeries"].update(each.kind for each in after.forgeries)
        withdrawals = ((each.signal_id, each.version, each.reason, each.at.isoformat()) for each in after.withdrawals)
        self._rows("withdrawals.csv", withdrawals)
        self._rows("erasures.csv", ((each.signal_id, each.version, each.at.isoformat()) for each in after.erasures))
        bad = ((*_named(each.record), each.kind, each.field, each.rule, each.code) for each in after.bad_records)
        self._rows("truth_bad_records.csv", bad)
        self._files["forgeries.jsonl"].writelines(json.dumps(_forgery(one)) + "\n" for one in after.forgeries)

    def _write_truth(self, truth: Truth) -> None:
        persons = ((one.person_id, one.form, int(one.is_minor), one.first_week, one.last_week) for one in truth.persons)
        self._rows("truth_persons.csv", persons)
        self._rows("truth_mentions.csv", ((one.signal_id, one.ref, one.person_id) for one in truth.mentions))
        self._rows("truth_links.csv", ((one.first, one.second, one.kind, "|".join(one.key_types)) for one in truth.links))
        for cluster in truth.clusters:
            self._clusters += 1
            self._rows("truth_clusters.csv", ((f"T{self._clusters:06d}", signal_id) for signal_id in cluster))
        self._rows("truth_leaks.csv", ((one.signal_id, one.start, one.end, one.leak_type) for one in truth.leaks))

    def _rows(self, name: str, rows: Iterable[Sequence[object]]) -> None:
        self._files[name].write(rows_text(rows))

    def _write(self, name: str, text: str) -> None:
        (self._folder / name).write_bytes(text.encode())

    def _manifest(self) -> dict[str, Any]:
        plan, project = self._plan, self._plan.project
        files = sorted(path for path in self._folder.rglob("*") if path.is_file())
        return {
            "generator_version": GENERATOR_VERSION,
            "arguments": {
                "seed": plan.seed,
                "start": plan.start.isoformat(),
                "weeks": plan.weeks,
                "scale": plan.scale,
                "municipalities": list(plan.codes),
                "publish_day": plan.publish_day and plan.publish_day.isoformat(),
                "targeted_project": project and {**vars(project), "start": project.start.isoformat()},
            },
            "counts": {name: dict(sorted(counts.items())) for name, counts in self._counts.items()},
            "files": {path.relative_to(self._folder).as_posix(): hash_of(path) for path in files},
        }


_FATES: Final = {"duplicate": "no_op", "bad": "refused_inside", "refused": "refused_inside"}
_REASONS: Final = {"refused": "V02_MUNICIPALITY"}


class _Numbered:
    """Gives records their references in the order in which they came; only of those that come again it remembers one."""

    def __init__(self) -> None:
        self._references = References()
        self._known: dict[str, str] = {}

    def reference(self, signal_id: str, kind: str, municipality: str, year: int) -> str:
        """Return the reference of a record."""
        return self._known[signal_id] if kind in AGAIN else self._references.next(municipality, year)

    def remember(self, signal_id: str, local_ref: str) -> None:
        """Keep the reference of a signal that comes again."""
        self._known[signal_id] = local_ref


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(record: dict[str, Any]) -> tuple[str, str]:
    return record["municipality"], record["local_ref"]


def _routes(fates: dict[tuple[str, int], Any]) -> Iterator[tuple[str, int, str, str, str]]:
    for (signal_id, version), fate in fates.items():
        for destination, route in fate.get("routes", {}).items():
            yield signal_id, version, destination, route["effect"], route["rule_id"]


def _forgery(one: Forgery) -> dict[str, object]:
    return {
        "kind": one.kind,
        "base": one.base,
        "municipality": one.municipality,
        "sender": one.sender,
        "changes": dict(one.changes),
        "is_new_signal": one.is_new_signal,
        "expected": "repeat" if one.expected_reason is None else "parked",
        "expected_reason": one.expected_reason,
        "expected_codes": list(one.expected_codes),
        "parked_by": one.parked_by,
        "unattributed": one.unattributed,
        "days_old": one.days_old,
    }
