"""What a principal may do by the access rules that the administration puts in force."""

from functools import lru_cache

from signal_exchange.contracts.topics import Catalogue
from signal_exchange.runtime.access_rules import AccessRule
from signal_exchange.runtime.administration import wanted_rules

_rules = lru_cache(maxsize=8)(wanted_rules)


def may(catalogue: Catalogue, principal: str, operation: str, topic: str) -> bool:
    """Say whether a rule lets a principal READ, WRITE or DESCRIBE a topic; who may READ or WRITE may DESCRIBE as well."""
    implying = ("READ", "WRITE", "DESCRIBE") if operation == "DESCRIBE" else (operation,)
    return any(AccessRule(principal, each, "TOPIC", topic) in _rules(catalogue) for each in implying)
