"""The tables of the first release.

Written by `make migration` from the tables of this service.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the changes."""
    op.create_table(
        "counters",
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("evaluated", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("municipality", "day", name=op.f("pk_counters")),
    )
    op.create_table(
        "quota_raises",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("requests_a_day", sa.Integer(), nullable=False),
        sa.Column("requests_a_month", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("second_approver", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_quota_raises")),
    )
    op.create_table(
        "seen_register",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seen_register")),
    )
