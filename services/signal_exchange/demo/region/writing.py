"""A region as files: records per municipality, the truth, and a manifest with a hash of every file."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from signal_exchange.demo.region.model import Region

GENERATOR_VERSION: Final = "1"


def write_region(region: Region, directory: Path) -> None:
    """Write a region into a directory; the same region gives the same bytes.

    `inside/GMxxxx.jsonl` holds what a municipality takes in, in order, bad records among it (truth_bad_records.csv names
    them). `withdrawals.csv` and `forgeries.json` say what happens after publishing. Routes and statistics are not here:
    the oracle of the tests works them out from these files.
    """
    files = _files(region)
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (directory / "manifest.json").write_bytes(_manifest(region, files))


def _files(region: Region) -> dict[str, bytes]:
    inside = {f"inside/{code}.jsonl": _records(region, code) for code in region.municipalities}
    return {**inside, **_afterwards(region), **_truth(region)}


def _records(region: Region, municipality: str) -> bytes:
    lines = (json.dumps(arrival.record, ensure_ascii=False) for arrival in region.of(municipality))
    return "".join(f"{line}\n" for line in lines).encode()


def _afterwards(region: Region) -> dict[str, bytes]:
    withdrawals = ((one.key.municipality, one.key.local_ref, one.reason) for one in region.withdrawals)
    bad = ((one.key.municipality, one.key.local_ref, one.kind, one.field, one.rule, one.code) for one in region.bad_records)
    return {
        "withdrawals.csv": _table(("municipality", "local_ref", "reason"), withdrawals),
        "forgeries.json": _json([_forgery(region, index) for index in range(len(region.forgeries))]),
        "truth_bad_records.csv": _table(("municipality", "local_ref", "kind", "field", "rule", "code"), bad),
    }


def _forgery(region: Region, index: int) -> dict[str, object]:
    one = region.forgeries[index]
    return {
        "kind": one.kind,
        "municipality": one.base.municipality,
        "local_ref": one.base.local_ref,
        "sender": one.sender,
        "changes": dict(one.changes),
        "is_new_signal": one.is_new_signal,
        "expected_reason": one.expected_reason,
        "expected_codes": list(one.expected_codes),
        "unattributed": one.unattributed,
        "days_old": one.days_old,
    }


def _truth(region: Region) -> dict[str, bytes]:
    truth = region.truth
    persons = ((one.person_id, one.form, int(one.is_minor), one.first_week, one.last_week) for one in truth.persons)
    mentions = ((one.key, one.ref, one.person_id) for one in truth.mentions)
    links = ((one.first, one.second, one.kind, "|".join(one.key_types)) for one in truth.links)
    clusters = ((f"T{number:05d}", key) for number, cluster in enumerate(truth.clusters, start=1) for key in cluster)
    leaks = ((one.key, one.start, one.end, one.leak_type) for one in truth.leaks)
    return {
        "truth_persons.csv": _table(("person_id", "form", "is_minor", "first_week", "last_week"), persons),
        "truth_mentions.csv": _table(("signal", "subject", "person_id"), mentions),
        "truth_links.csv": _table(("signal_a", "signal_b", "kind", "key_types"), links),
        "truth_clusters.csv": _table(("cluster_id", "signal"), clusters),
        "truth_leaks.csv": _table(("signal", "start", "end", "leak_type"), leaks),
    }


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _manifest(region: Region, files: dict[str, bytes]) -> bytes:
    arguments = {"seed": region.seed, "signals": region.signals, "today": region.today.isoformat()}
    return _json(
        {
            "generator_version": GENERATOR_VERSION,
            "arguments": {**arguments, "municipalities": list(region.municipalities)},
            "counts": region.counts,
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
        }
    )
