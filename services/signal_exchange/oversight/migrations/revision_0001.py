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
        "outbox",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("partition_by", sa.String(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("tombstone", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_outbox")),
    )
    op.create_table(
        "projection_checkpoints",
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("publisher_run", sa.String(), nullable=False),
        sa.Column("highest", sa.BigInteger(), nullable=False),
        sa.Column("earliness", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("municipality", "publisher_run", "highest", name=op.f("pk_projection_checkpoints")),
    )
    op.create_table(
        "projection_clocks",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("keeper", sa.String(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("municipality", sa.String(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("owner_role", sa.String(), nullable=True),
        sa.Column("next_date", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", "keeper", name=op.f("pk_projection_clocks")),
    )
    op.create_table(
        "projection_facts",
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.Column("unattributed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("trace_id", name=op.f("pk_projection_facts")),
    )
    op.create_table(
        "projection_numbers",
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("publisher_run", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("signal_id", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("municipality", "publisher_run", "sequence", name=op.f("pk_projection_numbers")),
    )
    op.create_table(
        "projection_parked",
        sa.Column("parked_id", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("about", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("parked_id", name=op.f("pk_projection_parked")),
    )
    op.create_index(op.f("ix_projection_parked_about"), "projection_parked", ["about"], unique=False)
    op.create_table(
        "projection_parked_records",
        sa.Column("parked_id", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("attributed", sa.Boolean(), nullable=False),
        sa.Column("municipality", sa.String(), nullable=True),
        sa.Column("publisher_run", sa.String(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("signal_id", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("parked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("parked_id", name=op.f("pk_projection_parked_records")),
    )
    op.create_table(
        "record_backups",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("backup_id", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_record_backups")),
    )
    op.create_table(
        "record_bytes_owed",
        sa.Column("owed_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("owed_id", name=op.f("pk_record_bytes_owed")),
    )
    op.create_table(
        "record_erased",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_record_erased")),
    )
    op.create_table(
        "record_given_up_numbers",
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("publisher_run", sa.String(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("municipality", "publisher_run", "first", "last", name=op.f("pk_record_given_up_numbers")),
    )
    op.create_table(
        "record_parked_decisions",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("parked_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_record_parked_decisions")),
    )
    op.create_table(
        "record_set_aside",
        sa.Column("parked_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("parked_id", name=op.f("pk_record_set_aside")),
    )
    op.create_table(
        "seen_register",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seen_register")),
    )
