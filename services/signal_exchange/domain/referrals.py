"""Referrals to the care and the youth coordinator: their transitions and their clocks (R-REF), in one place to import."""

from signal_exchange.domain.referral_clocks import (
    Alarms,
    AlarmStage,
    Clock,
    contact_alarms,
    decide_by,
    decision_alarms,
    first_contact_by,
    progress_note_by,
    running_clock,
)
from signal_exchange.domain.referral_transitions import (
    CARE,
    CHAIR,
    FINAL_STATES,
    MUNICIPALITY,
    ROUTING,
    YOUTH,
    Standing,
    Transition,
    check_transition,
    is_open,
    next_states,
)

__all__ = [
    "CARE",
    "CHAIR",
    "FINAL_STATES",
    "MUNICIPALITY",
    "ROUTING",
    "YOUTH",
    "AlarmStage",
    "Alarms",
    "Clock",
    "Standing",
    "Transition",
    "check_transition",
    "contact_alarms",
    "decide_by",
    "decision_alarms",
    "first_contact_by",
    "is_open",
    "next_states",
    "progress_note_by",
    "running_clock",
]
