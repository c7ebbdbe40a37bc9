"""Columns, and types of columns that SQLite and PostgreSQL keep alike."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from signal_exchange.domain.plain_json import json_safe


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as milliseconds since 1970: the precision of the stream, and it sorts as time does."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the stored value."""
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - SQLAlchemy's signature
        """Return the moment in UTC."""
        return None if value is None else datetime.fromtimestamp(value / 1000, tz=UTC)


class Sealed(TypeDecorator[Mapping[str, Any]]):
    """A SealedPart: group, key id and ciphertext. It stays sealed in the store."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the stored value, with the ciphertext as base64."""
        return None if value is None else json_safe(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ANN401, ARG002 - SQLAlchemy's signature
        """Return the part with its ciphertext as bytes."""
        return None if value is None else {**value, "ciphertext": b64decode(value["ciphertext"])}


Types = type[TypeEngine[Any]] | TypeEngine[Any]


def keys(**columns: Types) -> list[Column[Any]]:
    """Return the columns of the primary key, each with its type."""
    return [Column(name, kind, primary_key=True) for name, kind in columns.items()]


def required(**columns: Types) -> list[Column[Any]]:
    """Return columns that every row has, each with its type."""
    return [Column(name, kind, nullable=False) for name, kind in columns.items()]


def optional(**columns: Types) -> list[Column[Any]]:
    """Return columns that may be null, each with its type."""
    return [Column(name, kind) for name, kind in columns.items()]
