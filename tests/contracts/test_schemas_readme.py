"""The glossary of schemas/README.md says what the schemas and the catalogue say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from signal_exchange.contracts.codec import MAX_RECORD_BYTES
from signal_exchange.contracts.topics import catalogue
from signal_exchange.reference.folders import schemas_folder

README = (schemas_folder() / "README.md").read_text(encoding="utf-8")
CATALOGUE = catalogue(["GM0000"])


def first_sentence(file: Path) -> str:
    doc: str = json.loads(file.read_text(encoding="utf-8"))["doc"]
    return doc.partition(". ")[0].rstrip(".") + "."


def topics_and_key_of(record: str) -> str:
    topics = [topic for topic in CATALOGUE.topics if record in topic.records]
    names = [f"`{topic.name.replace('gm0000', '<gm>')}`" for topic in topics]
    key = "publisher_run" if record == "Checkpoint" else topics[0].key
    names = [re.sub(r"`retry\..*`", "`retry.<service>`", name) for name in names]
    return f"{', '.join(dict.fromkeys(names))} | `{key}`"


@pytest.mark.parametrize("file", sorted(schemas_folder().glob("*.avsc")), ids=lambda file: file.stem)
def test_every_record_stands_in_the_glossary_with_its_topics_and_key(file: Path) -> None:
    assert f"| `{file.stem}` | {topics_and_key_of(file.stem)} | {first_sentence(file)} |" in README


@pytest.mark.parametrize("file", sorted(schemas_folder().glob("types/*.avsc")), ids=lambda file: file.stem)
def test_every_shared_type_stands_in_the_glossary(file: Path) -> None:
    assert f"| `{file.stem}` | {first_sentence(file)} |" in README


def test_the_glossary_names_no_record_or_type_that_is_gone() -> None:
    rows = [line.split("`")[1] for line in README.splitlines() if line.startswith("| `") and line.split("`")[1].isalpha()]
    known = {file.stem for file in (*schemas_folder().glob("*.avsc"), *schemas_folder().glob("types/*.avsc"))}
    assert {row for row in rows if row[0].isupper()} == known


def test_the_size_that_the_text_names_is_the_limit_of_the_codec() -> None:
    assert f"at most {MAX_RECORD_BYTES // 1024} KB" in README
