"""The policy parameters: the numbers that the rules put in [brackets], except those of one rule alone, which stand beside it."""

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True)
class Term:
    """Working days to decide on a referral, and to the first contact after acceptance (R-REF-04)."""

    decide_wd: int
    contact_wd: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Parameters with the defaults of the rules; a suffix says the unit (wd = working days)."""

    sender_clock_back_days: int = 7
    sender_clock_ahead_minutes: int = 2
    observed_back_weeks: int = 260
    message_max_bytes: int = 65_536
    summary_max_points: int = 500
    epoch_overlap_days: int = 30

    age_max_years: int = 110
    victims_max: int = 1000
    young_child_years: int = 12
    youth_max_years: int = 27
    at_work_max_years: int = 75
    parent_min_years: int = 12
    entered_back_years: int = 10
    due_ahead_days: int = 400
    planned_contact_ahead_days: int = 60
    first_contact_back_days: int = 90

    alert_within_minutes: int = 15
    rescreen_wd: int = 20
    municipality_wd: int = 20

    day_ends_at: time = time(17)

    meeting_weekday: int = 4
    meeting_at: time = time(10)
    cutoff_wd: int = 2
    cutoff_at: time = time(12)
    regular_items_max: int = 20
    deferrals_max: int = 2
    motivation_max_points: int = 1000

    acute_decide_hours: int = 2
    urgent: Term = Term(decide_wd=1, contact_wd=2)
    regular: Term = Term(decide_wd=5, contact_wd=10)
    monitor: Term = Term(decide_wd=10, contact_wd=20)
    progress_note_wd: int = 20

    link_cap: int = 10
    link_cap_soft: int = 8
    link_cap_kvk: int = 15
    link_cap_address: int = 20
    link_answer_wd: int = 10
    link_questions_officer: int = 20
    link_questions_days: int = 30

    receipt_wd: int = 5

    audit_months: int = 60

    missing_number_minutes: int = 10
