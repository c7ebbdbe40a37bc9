"""Kafka's access rules (ACLs): which principal may do what with which topic or consumer group."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from kafka.admin import (  # type: ignore[import-untyped]  # ships no types
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from signal_exchange.domain.refusals import RefusedError

Admin: TypeAlias = Any
"""A KafkaAdminClient: kafka-python ships no types."""
_Acl: TypeAlias = Any

IN_FORCE_SECONDS = 60.0


class AdministrationFailedError(RefusedError):
    """Kafka is not as the catalogue says and cannot be made so."""


@dataclass(frozen=True, slots=True, order=True)
class AccessRule:
    """One permission: `principal` may do `operation` (READ, WRITE or DESCRIBE) with the `kind` (TOPIC or GROUP) of this name.

    READ and WRITE imply DESCRIBE. We use no patterns, denials or addresses: what has no rule is refused.
    """

    principal: str
    operation: str
    kind: str
    name: str


def replace_rules(admin: Admin, wanted: Iterable[AccessRule]) -> tuple[tuple[AccessRule, ...], tuple[AccessRule, ...]]:
    """Make exactly these the rules of a Kafka, and return what was added and what was removed.

    Raises:
        AdministrationFailedError: Kafka refuses a rule, or the rules are not in force in time.
    """
    goal = set(map(_acl, wanted))
    found = _in_force(admin)
    added, removed = goal - found, found - goal
    _create(admin, added)
    _delete(admin, removed)
    if added or removed:
        _await(admin, lambda now: now == goal)
    return tuple(sorted(map(_rule, added))), tuple(sorted(map(_rule, removed)))


def add_rules(admin: Admin, wanted: Iterable[AccessRule]) -> None:
    """Add rules to those that a Kafka has; one that is there already stays.

    Raises:
        AdministrationFailedError: Kafka refuses a rule, or the rules are not in force in time.
    """
    goal = set(map(_acl, wanted))
    _create(admin, goal)
    _await(admin, lambda now: now >= goal)


def remove_rules(admin: Admin, principal: str) -> tuple[AccessRule, ...]:
    """Take every rule of one principal away, and return what it had.

    Raises:
        AdministrationFailedError: Kafka keeps one, or they are still in force after a while.
    """
    own = {acl for acl in _in_force(admin) if acl.principal == f"User:{principal}"}
    _delete(admin, own)
    if own:
        _await(admin, lambda now: not now & own)
    return tuple(sorted(map(_rule, own)))


def _acl(rule: AccessRule) -> _Acl:
    pattern = ResourcePattern(ResourceType[rule.kind], rule.name)
    return ACL(f"User:{rule.principal}", "*", ACLOperation[rule.operation], ACLPermissionType.ALLOW, pattern)


def _rule(acl: _Acl) -> AccessRule:
    pattern = acl.resource_pattern
    return AccessRule(acl.principal.removeprefix("User:"), acl.operation.name, pattern.resource_type.name, pattern.resource_name)


def _in_force(admin: Admin) -> set[_Acl]:
    pattern = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    every = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, pattern)
    acls, _ = admin.describe_acls(every)
    return set(acls)


def _create(admin: Admin, acls: set[_Acl]) -> None:
    refused = admin.create_acls(list(acls))["failed"] if acls else []
    if refused:
        raise AdministrationFailedError("ACCESS_RULE_REFUSED", fault=refused[0].__name__)


def _delete(admin: Admin, acls: set[_Acl]) -> None:
    answers = admin.delete_acls(list(acls)) if acls else []
    refused = [error for _, _, error in answers if error.errno]
    if refused:
        raise AdministrationFailedError("ACCESS_RULE_KEPT", fault=refused[0].__name__)


def _await(admin: Admin, reached: Callable[[set[_Acl]], bool]) -> None:
    deadline = time.monotonic() + IN_FORCE_SECONDS
    while not reached(_in_force(admin)):
        if time.monotonic() > deadline:
            raise AdministrationFailedError("ACCESS_RULES_NOT_IN_FORCE", seconds=round(IN_FORCE_SECONDS))
        time.sleep(0.01)
