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
        "projection_parked",
        sa.Column("parked_id", sa.String(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("about", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("parked_id", name=op.f("pk_projection_parked")),
    )
    op.create_index(op.f("ix_projection_parked_about"), "projection_parked", ["about"], unique=False)
    op.create_table(
        "projection_referrals",
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
        sa.Column("advise_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_projection_referrals")),
    )
    op.create_index(op.f("ix_projection_referrals_advise_by"), "projection_referrals", ["advise_by"], unique=False)
    op.create_table(
        "record_advice",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("offer", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", "offer", "number", name=op.f("pk_record_advice")),
    )
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
        "record_contacts",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("offer", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("next_try", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", "number", name=op.f("pk_record_contacts")),
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
        "record_erased",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_record_erased")),
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
        "record_referrals",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("offer", sa.Integer(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("municipality", sa.String(), nullable=False),
        sa.Column("deliver_as", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("due_from", sa.BigInteger(), nullable=False),
        sa.Column("decide_by", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("contact_by", sa.BigInteger(), nullable=True),
        sa.Column("progress_by", sa.BigInteger(), nullable=True),
        sa.Column("planned_contact", sa.String(), nullable=True),
        sa.Column("first_contact", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("retraction", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", "offer", name=op.f("pk_record_referrals")),
    )
    op.create_index(op.f("ix_record_referrals_state"), "record_referrals", ["state"], unique=False)
    op.create_table(
        "record_set_aside",
        sa.Column("parked_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("parked_id", name=op.f("pk_record_set_aside")),
    )
    op.create_table(
        "record_transitions",
        sa.Column("signal_id", sa.String(), nullable=False),
        sa.Column("offer", sa.Integer(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("came_from", sa.String(), nullable=True),
        sa.Column("went_to", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("signal_id", "offer", "row_version", name=op.f("pk_record_transitions")),
    )
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
