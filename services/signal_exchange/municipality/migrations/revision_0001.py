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
        "projection_feedback",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("own_ref", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("view", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_projection_feedback")),
    )
    op.create_index(op.f("ix_projection_feedback_own_ref"), "projection_feedback", ["own_ref"], unique=False)
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
        "projection_questions",
        sa.Column("question_id", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_projection_questions")),
    )
    op.create_index(op.f("ix_projection_questions_signal_id"), "projection_questions", ["signal_id"], unique=False)
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
        "record_erasures",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("left", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_record_erasures")),
    )
    op.create_table(
        "record_inbox_decisions",
        sa.Column("parked_id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("parked_id", name=op.f("pk_record_inbox_decisions")),
    )
    op.create_table(
        "record_inbox_parked",
        sa.Column("parked_id", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("parked_at", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("parked_id", name=op.f("pk_record_inbox_parked")),
    )
    op.create_table(
        "record_outbox",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("traceparent", sa.String(), nullable=False),
        sa.Column("publisher_run", sa.String(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_record_outbox")),
    )
    op.create_index("record_outbox_number", "record_outbox", ["publisher_run", "sequence"], unique=True)
    op.create_index("record_outbox_of_signal", "record_outbox", ["signal_id", "number"], unique=False)
    op.create_table(
        "record_question_acts",
        sa.Column("act_id", sa.String(), nullable=False),
        sa.Column("question_id", sa.String(), nullable=False),
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_record_question_acts")),
    )
    op.create_index(op.f("ix_record_question_acts_question_id"), "record_question_acts", ["question_id"], unique=False)
    op.create_index(op.f("ix_record_question_acts_signal_id"), "record_question_acts", ["signal_id"], unique=False)
    op.create_table(
        "record_runs",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("publisher_run", sa.String(), nullable=False),
        sa.Column("next_sequence", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_record_runs")),
        sa.UniqueConstraint("publisher_run", name=op.f("uq_record_runs_publisher_run")),
    )
    op.create_table(
        "record_set_aside",
        sa.Column("parked_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("parked_id", name=op.f("pk_record_set_aside")),
    )
    op.create_table(
        "record_signals",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("reference_mac", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_mac", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("tokens_epoch", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_record_signals")),
        sa.UniqueConstraint("reference_mac", name=op.f("uq_record_signals_reference_mac")),
    )
    op.create_index(op.f("ix_record_signals_tokens_epoch"), "record_signals", ["tokens_epoch"], unique=False)
    op.create_table(
        "seen_register",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seen_register")),
    )
