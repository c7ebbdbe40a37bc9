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
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("owner_role", sa.String(), nullable=True),
        sa.Column("next_date", sa.String(), nullable=True),
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
        "record_audit",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("month", "number", name=op.f("pk_record_audit")),
        info={"outlives_restore": True},
    )
    op.create_table(
        "record_audit_months",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("last_hash", sa.String(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_record_audit_months")),
        info={"outlives_restore": True},
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
        "record_deputies",
        sa.Column("deputy_id", sa.String(), nullable=False),
        sa.Column("absent", sa.String(), nullable=False),
        sa.Column("deputy", sa.String(), nullable=False),
        sa.Column("first_day", sa.String(), nullable=False),
        sa.Column("last_day", sa.String(), nullable=False),
        sa.Column("arranged_by", sa.String(), nullable=False),
        sa.Column("arranged_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("deputy_id", name=op.f("pk_record_deputies")),
        info={"outlives_restore": True},
    )
    op.create_table(
        "record_drafts",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject", "form", "name", name=op.f("pk_record_drafts")),
    )
    op.create_table(
        "record_earlier_versions",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", "version", name=op.f("pk_record_earlier_versions")),
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
        "record_justified",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", "version", name=op.f("pk_record_justified")),
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
        "record_people",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("valid_from", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.String(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("stopped_by", sa.String(), nullable=True),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_record_people")),
        info={"outlives_restore": True},
    )
    op.create_table(
        "record_person_tokens",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_record_person_tokens")),
        info={"outlives_restore": True},
    )
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
        "record_reports",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("sent_mac", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("signal_reference", sa.String(), nullable=True),
        sa.Column("merged_into", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("answer_key", sa.LargeBinary(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_record_reports")),
        sa.UniqueConstraint("receipt", name=op.f("uq_record_reports_receipt")),
        sa.UniqueConstraint("sent_mac", name=op.f("uq_record_reports_sent_mac")),
    )
    op.create_index(op.f("ix_record_reports_state"), "record_reports", ["state"], unique=False)
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
        sa.Column("form", sa.String(), nullable=True),
        sa.Column("urgency", sa.String(), nullable=True),
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
    op.create_table(
        "sitting",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("notices", sa.JSON(), nullable=False),
        sa.Column("id_token", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sitting")),
        info={"in_no_backup": True},
    )
