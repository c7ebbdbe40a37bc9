"""One step that the world may refuse: told in the log, and for its caller to do again later."""

from collections.abc import Callable

from signal_exchange.runtime import logs
from signal_exchange.runtime.faults import WorldUnavailableError


def was_answered(step: str, act: Callable[[], object]) -> bool:
    """Do something that needs store or broker, and say whether they answered; `step` names it in the log."""
    try:
        act()
    except WorldUnavailableError as fault:
        logs.warn("world_unavailable", step=step, reason=type(fault).__name__)
        return False
    return True
