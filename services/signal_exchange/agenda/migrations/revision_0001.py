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
        "projection_candidates",
        sa.Column("link_id", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key_types", sa.JSON(), nullable=False),
        sa.Column("frequency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("evidence_gone", sa.Boolean(), nullable=False),
        sa.Column("signal_a", sa.String(), nullable=False),
        sa.Column("signal_b", sa.String(), nullable=False),
        sa.Column("across", sa.Boolean(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.Column("awaits", sa.JSON(), nullable=False),
        sa.Column("answer_by", sa.BigInteger(), nullable=True),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_projection_candidates")),
    )
    op.create_table(
        "projection_items",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("offer", sa.Integer(), nullable=False),
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("deliver_as", sa.String(), nullable=False),
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("due_from", sa.BigInteger(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=True),
        sa.Column("partnership", sa.String(), nullable=True),
        sa.Column("signal", sa.JSON(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=True),
        sa.Column("cluster_id", sa.String(), nullable=False),
        sa.Column("minor", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_projection_items")),
    )
    op.create_index(op.f("ix_projection_items_cluster_id"), "projection_items", ["cluster_id"], unique=False)
    op.create_table(
        "projection_memberships",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("cluster_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_projection_memberships")),
    )
    op.create_index(op.f("ix_projection_memberships_cluster_id"), "projection_memberships", ["cluster_id"], unique=False)
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
        "record_acknowledgements",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_record_acknowledgements")),
    )
    op.create_table(
        "record_agendas",
        sa.Column("week", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("week", "version", name=op.f("pk_record_agendas")),
    )
    op.create_table(
        "record_alerts",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("minor", sa.Boolean(), nullable=False),
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_record_alerts")),
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
        "record_decisions",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("offer", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cluster_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("instruments", sa.JSON(), nullable=False),
        sa.Column("seats_present", sa.JSON(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("owner_role", sa.String(), nullable=True),
        sa.Column("owner_organisation", sa.String(), nullable=True),
        sa.Column("due_date", sa.String(), nullable=True),
        sa.Column("kept_signal", sa.String(), nullable=True),
        sa.Column("week", sa.String(), nullable=False),
        sa.Column("agenda_version", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", "offer", "number", name=op.f("pk_record_decisions")),
    )
    op.create_table(
        "record_deferrals",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("offer", sa.Integer(), nullable=False),
        sa.Column("week", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", "offer", "week", name=op.f("pk_record_deferrals")),
    )
    op.create_table(
        "record_erased",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_record_erased")),
    )
    op.create_table(
        "record_follow_ups",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("offer", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("next_date", sa.String(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", "offer", "number", name=op.f("pk_record_follow_ups")),
    )
    op.create_table(
        "record_link_acts",
        sa.Column("answer_id", sa.String(), nullable=False),
        sa.Column("link_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_record_link_acts")),
    )
    op.create_table(
        "record_notes",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("offer", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", "offer", "rule_id", name=op.f("pk_record_notes")),
    )
    op.create_table(
        "record_openings",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", "version", "at", "who", name=op.f("pk_record_openings")),
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
