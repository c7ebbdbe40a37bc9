"""The name of a record on the stream, which also tells the type of the record's fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic

from typing_extensions import TypeVar

Fields = TypeVar("Fields", bound=Mapping[str, object], default=Any)


class RecordName(str, Generic[Fields]):
    """A record's name, as `Outcome`. With it decoder and sender hold name and fields together for mypy."""

    __slots__ = ()
