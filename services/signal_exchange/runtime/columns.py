"""Types of columns that SQLite and PostgreSQL keep alike."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as milliseconds since 1970: the precision of the stream, and it sorts as time does."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return what is stored."""
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - SQLAlchemy's signature
        """Return the moment in UTC."""
        return None if value is None else datetime.fromtimestamp(value / 1000, tz=UTC)


class Sealed(TypeDecorator[Mapping[str, Any]]):
    """A SealedPart: group, key id and ciphertext. It stays sealed in the store."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return what is stored: the ciphertext as base64."""
        return None if value is None else {**value, "ciphertext": b64encode(value["ciphertext"]).decode()}

    def process_result_value(self, value: Any | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ANN401, ARG002 - SQLAlchemy's signature
        """Return the part with its ciphertext as bytes."""
        return None if value is None else {**value, "ciphertext": b64decode(value["ciphertext"])}
