"""JSON of values that hold bytes and dates: bytes as base64, days and moments as ISO 8601."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import date
from typing import Any


def json_safe(value: Any) -> Any:  # noqa: ANN401 - JSON of whatever it is given
    """Return a value with everything in it as JSON takes it."""
    if isinstance(value, Mapping):
        return {name: json_safe(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(each) for each in value]
    return as_text(value) if isinstance(value, bytes | date) else value


def canonical_json(value: object) -> str:
    """Return the one spelling of a value that is hashed, signed or compared; its form is frozen, since hashes are kept.

    Keys are sorted, nothing stands between the signs, and text is not escaped. Raises TypeError for what is neither JSON nor
    bytes nor a date.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=as_text)


def as_text(value: object) -> str:
    """Return bytes as base64, and a day or a moment as ISO 8601; TypeError for anything else."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError("a plain value holds only JSON, bytes and dates")
