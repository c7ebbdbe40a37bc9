"""Writes the Avro schemas as Python types, in the files that `modules` names. `make schemas` stores them.

A TypedDict is a plain dict when it runs, which is what fastavro reads and writes: the types cost nothing on the way of a signal
(docs/decisions/0036).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from keyword import iskeyword
from pathlib import Path
from re import findall, sub
from typing import Any

from signal_exchange.contracts.schemas import NAMESPACE, Schema

GENERATED = "Generated from schemas/ by `make schemas`; a test holds it equal. Change a schema, not this file."
ENVELOPE = "envelope"
"""The first field of a signed record, which it gets when it is numbered and signed."""
_PLAIN: Mapping[str, str] = {
    "string": "str",
    "bytes": "bytes",
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "null": "None",
    "timestamp-millis": "datetime",
}
_CODED = f'''"""The coded signal as types, which rules and records share.

{GENERATED}
The rules read signals that nobody has judged: there, a field may be absent, and a list that is absent counts as empty.
"""

from __future__ import annotations

from typing import TypedDict
'''
_RECORDS = f'''# ruff: noqa: E501 - a schema's doc is one line
"""The fields of every record on the stream, as types.

{GENERATED}
A field of an Avro enum has its symbols; a time is aware, in UTC, in whole milliseconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, TypedDict

from signal_exchange.contracts.record_names import RecordName
'''
_VIEWS = f'''"""The messages that each service reads, with the fields that it may see of them.

{GENERATED}
The record's name tells the type of the fields: `if message.record == "Referral"` narrows both.
"""

from __future__ import annotations

from typing import Literal

from signal_exchange.contracts import records
from signal_exchange.stream.messages import Message
'''


def modules(folder: Path) -> dict[str, str]:
    """Return the text of each generated module, by its place in the package."""
    return {
        "domain/signals/coded_types.py": coded_module(folder),
        "contracts/records.py": records_module(folder),
        "stream/views.py": views_module(folder),
    }


def coded_module(folder: Path) -> str:
    """Return domain/signals/coded_types.py: the coded signal and what it is made of."""
    coded = _of_the_coded_signal(folder)
    types = (each for each in _schemas(folder.glob("types/*.avsc")) if each["name"] in coded)
    return "\n\n".join((_CODED, *(text for schema in types for text in _classes(schema))))


def records_module(folder: Path) -> str:
    """Return contracts/records.py: the other types, records, views of services that see less, and the names of the records."""
    coded = _of_the_coded_signal(folder)
    types = [each for each in _schemas(folder.glob("types/*.avsc")) if each["name"] not in coded]
    written = _schemas(folder.glob("*.avsc"))
    shown = ({**view, "name": reader + view["name"]} for reader, views in _readers(folder) for view in views if "fields" in view)
    schemas = [*types, *written, *shown]
    classes = [text for schema in schemas for text in _classes(schema)]
    shared = sorted(coded & _named_in(json.dumps(schemas)))
    head = f"{_RECORDS}from signal_exchange.domain.signals.coded_types import {', '.join(shared)}\n"
    return "\n\n".join((head, *classes)) + "\n\n" + "\n".join(_names(written)) + "\n"


def _names(written: list[Schema]) -> Iterator[str]:
    """Give a constant for the name of each record, and of each body that is sent before it is signed."""
    for each in written:
        bodies = ("", "Body") if each["fields"][0]["name"] == ENVELOPE else ("",)
        for body in bodies:
            yield f'{_constant(each["name"] + body)}: Final = RecordName[{each["name"]}{body}]("{each["name"]}")'


def views_module(folder: Path) -> str:
    """Return stream/views.py: a message type for each record, and for each service the union of those that it reads."""
    readers = list(_readers(folder))
    whole = (("", each["name"]) for each in _schemas(folder.glob("*.avsc")))
    seen = ((reader, view["name"]) for reader, views in readers for view in views if "fields" in view)
    messages = (f'{who}{name}Message = Message[Literal["{name}"], records.{who}{name}]' for who, name in (*whole, *seen))
    unions = (f"{reader}Reads = {_union(reader, views)}" for reader, views in readers)
    return f"{_VIEWS}\n" + "\n".join((*messages, "", *unions)) + "\n"


def _of_the_coded_signal(folder: Path, name: str = "CodedSignal") -> set[str]:
    """Return the names of a type and of every type within it."""
    inner = _named_in((folder / "types" / f"{name}.avsc").read_text(encoding="utf-8"))
    return {name}.union(*(_of_the_coded_signal(folder, each) for each in inner))


def _named_in(schemas: str) -> set[str]:
    return set(findall(rf'"{NAMESPACE}\.(\w+)"', schemas))


def _union(reader: str, views: list[Schema]) -> str:
    names = [f"{reader if 'fields' in view else ''}{view['name']}Message" for view in views]
    one_line = " | ".join(names)
    return one_line if len(one_line) < 100 else "(\n    " + "\n    | ".join(names) + "\n)"  # noqa: PLR2004 - as ruff breaks lines


def _schemas(files: Iterator[Path]) -> list[Schema]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(files)]


def _readers(folder: Path) -> Iterator[tuple[str, list[Schema]]]:
    """Give each reader's name with its views; one without fields shows the whole record."""
    for file in sorted(folder.glob("readers/*.avsc")):
        views = json.loads(file.read_text(encoding="utf-8"))
        yield file.stem.title(), [{"name": _short(view)} if isinstance(view, str) else view for view in views]


def _classes(schema: Schema) -> Iterator[str]:
    """Give the types that a record defines inside itself, and then its own."""
    for each in schema["fields"]:
        inner = each["type"].get("items") if isinstance(each["type"], dict) else None
        if isinstance(inner, dict):
            yield from _classes(inner)
    name, doc, fields = schema["name"], schema["doc"], schema["fields"]
    if any(iskeyword(each["name"]) for each in fields):
        yield _functional(schema)
    elif fields[0]["name"] == ENVELOPE:
        yield _class(f"{name}Body", "TypedDict", f"What {name} says, before its sender numbers and signs it.", fields[1:])
        yield _class(name, f"{name}Body", doc, fields[:1])
    else:
        yield _class(name, "TypedDict", doc, fields)


def _class(name: str, base: str, doc: str, fields: list[Schema]) -> str:
    lines = (f'    {each["name"]}: {_type(each["type"])}\n    """{each["doc"]}"""' for each in fields)
    return f'class {name}({base}):\n    """{doc}"""\n\n' + "\n".join(lines) + "\n"


def _functional(schema: Schema) -> str:
    """Return a type of which a field has the name of a keyword, as `from`."""
    fields = ", ".join(f'"{each["name"]}": {_type(each["type"])}' for each in schema["fields"])
    return f'{schema["name"]} = TypedDict("{schema["name"]}", {{{fields}}})\n"""{schema["doc"]}"""\n'


def _type(schema: Any) -> str:  # noqa: ANN401 - JSON in
    match schema:
        case str():
            return _PLAIN.get(schema) or _short(schema)
        case list():
            return " | ".join(_type(branch) for branch in sorted(schema, key=lambda branch: branch == "null"))
        case {"type": "array", "items": items}:
            return f"list[{_type(items)}]"
        case {"type": "enum", "symbols": symbols}:
            return f"Literal[{', '.join(map(json.dumps, symbols))}]"
        case {"type": "record", "name": name}:
            return str(name)
        case _:
            return _PLAIN[schema["logicalType"]]


def _short(name: str) -> str:
    return name.removeprefix(f"{NAMESPACE}.")


def _constant(name: str) -> str:
    return sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
