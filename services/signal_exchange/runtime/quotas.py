"""Kafka's quotas by user: read, set and taken away. kafka-python has the requests, but no method for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import kafka.errors as kafka_errors  # type: ignore[import-untyped]  # ships no types
from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest  # type: ignore[import-untyped]  # ships no types

from signal_exchange.runtime.access_rules import Admin, AdministrationFailedError

Quotas = Mapping[str, Mapping[str, float]]
"""By user: the limits by Kafka's own names, as producer_byte_rate."""
_USER = "user"
_EVERY_NAME = 2
"""Match type of Kafka's request: every entity of the type that has a name."""
_Entry = AlterClientQuotasRequest.EntryData


def quotas_in_force(admin: Admin) -> dict[str, dict[str, float]]:
    """Return the limits of every user that has any."""
    component = DescribeClientQuotasRequest.ComponentData(entity_type=_USER, match_type=_EVERY_NAME, match=None)
    answer = _sent(admin, DescribeClientQuotasRequest(components=[component], strict=True))
    error = kafka_errors.for_code(answer.error_code)
    if error is not kafka_errors.NoError:
        raise error(answer.error_message)
    return {each.entity[0].entity_name: {limit.key: limit.value for limit in each.values} for each in answer.entries or ()}


def set_quotas(admin: Admin, wanted: Quotas) -> tuple[str, ...]:
    """Give each of these users exactly these limits, others keep theirs; return for whom anything changed.

    Raises:
        AdministrationFailedError: Kafka refuses.
    """
    found = quotas_in_force(admin)
    changes = {user: _change(found.get(user, {}), limits) for user, limits in wanted.items()}
    differing = {user: change for user, change in changes.items() if change}
    if differing:
        _alter(admin, differing)
    return tuple(sorted(differing))


def remove_quotas(admin: Admin, users: Iterable[str]) -> tuple[str, ...]:
    """Take every limit of these users away; return who had any."""
    return set_quotas(admin, {user: {} for user in users})


def _change(found: Mapping[str, float], wanted: Mapping[str, float]) -> dict[str, float | None]:
    gone = {key: None for key in found if key not in wanted}
    return {**gone, **{key: value for key, value in wanted.items() if found.get(key) != value}}


def _alter(admin: Admin, changes: Mapping[str, Mapping[str, float | None]]) -> None:
    entries = [
        _Entry(
            entity=[_Entry.EntityData(entity_type=_USER, entity_name=user)],
            ops=[_Entry.OpData(key=key, value=value or 0.0, remove=value is None) for key, value in change.items()],
        )
        for user, change in changes.items()
    ]
    answer = _sent(admin, AlterClientQuotasRequest(entries=entries, validate_only=False))
    refused = sorted(each.entity[0].entity_name for each in answer.entries if each.error_code)
    if refused:
        raise AdministrationFailedError("QUOTA_REFUSED", principals=refused)


def _sent(admin: Admin, request: object) -> Admin:
    manager = admin._manager  # noqa: SLF001 - the client has no public way to send one request
    return manager.run(manager.send, request)
