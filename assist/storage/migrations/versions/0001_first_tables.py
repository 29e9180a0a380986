"""The first tables."""

from alembic import op
from sqlalchemy import (
    Column,
    Float,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        Column("id", String(length=200), nullable=False),
        Column("kind", String(length=8), nullable=False),
        Column("name", String(length=200), nullable=False),
        Column("role", String(length=16), nullable=False),
        Column("language", String(length=8), nullable=True),
        Column("sha256", String(length=64), nullable=False),
        Column("created_at", String(length=27), nullable=False),
        Column("expires_at", String(length=27), nullable=True),
        Column("revoked_at", String(length=27), nullable=True),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("sha256"),
    )
    op.create_table(
        "conversations",
        Column("id", String(length=200), nullable=False),
        Column("status", String(length=8), nullable=False),
        Column("channel", String(length=16), nullable=False),
        Column("customer_id", String(length=200), nullable=False),
        Column("tier", String(length=40), nullable=True),
        Column("agent_id", String(length=200), nullable=True),
        Column("opened_at", String(length=27), nullable=False),
        Column("closed_at", String(length=27), nullable=True),
        Column("updated_at", String(length=27), nullable=False),
        Column("last_seq", Integer(), nullable=False),
        Column("last_speaker", String(length=16), nullable=True),
        Column("last_text", Text(), nullable=True),
        Column("emotion", String(length=16), nullable=True),
        Column("intensity", Float(), nullable=True),
        Column("flags", String(length=200), nullable=False),
        Column("trend", String(length=8), nullable=True),
        Column("escalation_risk", Float(), nullable=True),
        Column("profile", Text(), nullable=False),
        Column("wrap_up", Text(), nullable=True),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("conversations_by_time", "conversations", ["opened_at", "id"], unique=False)
    op.create_index("ix_conversations_customer_id", "conversations", ["customer_id"], unique=False)
    op.create_table(
        "events",
        Column("conversation_id", String(length=200), nullable=False),
        Column("seq", Integer(), nullable=False),
        Column("type", String(length=40), nullable=False),
        Column("at", String(length=27), nullable=False),
        Column("payload", Text(), nullable=True),
        ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        PrimaryKeyConstraint("conversation_id", "seq"),
    )
    op.create_table(
        "suggestions",
        Column("id", String(length=200), nullable=False),
        Column("conversation_id", String(length=200), nullable=True),
        Column("utterance_key", String(length=420), nullable=False),
        Column("customer_id", String(length=200), nullable=True),
        Column("agent_id", String(length=200), nullable=True),
        Column("at", String(length=27), nullable=False),
        Column("position", Integer(), nullable=False),
        Column("kind", String(length=16), nullable=False),
        Column("emotion", String(length=16), nullable=True),
        Column("flags", String(length=200), nullable=False),
        Column("language", String(length=8), nullable=False),
        Column("relevance", Float(), nullable=False),
        Column("title", Text(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("source_type", String(length=16), nullable=False),
        Column("source_id", String(length=200), nullable=False),
        Column("source_version", String(length=200), nullable=False),
        Column("excerpt", Text(), nullable=True),
        Column("outcome", String(length=16), nullable=False),
        Column("outcome_at", String(length=27), nullable=True),
        Column("outcome_reason", Text(), nullable=True),
        Column("final_text", Text(), nullable=True),
        Column("verdict", String(length=16), nullable=True),
        ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_suggestions_conversation_id", "suggestions", ["conversation_id"], unique=False)
    op.create_index("ix_suggestions_customer_id", "suggestions", ["customer_id"], unique=False)
    op.create_index("ix_suggestions_source_id", "suggestions", ["source_id"], unique=False)
    op.create_index("suggestions_by_time", "suggestions", ["at", "id"], unique=False)
    op.create_table(
        "utterances",
        Column("key", String(length=420), nullable=False),
        Column("conversation_id", String(length=200), nullable=True),
        Column("id", String(length=200), nullable=False),
        Column("seq", Integer(), nullable=False),
        Column("customer_id", String(length=200), nullable=True),
        Column("speaker", String(length=16), nullable=False),
        Column("language", String(length=8), nullable=False),
        Column("text", Text(), nullable=False),
        Column("at", String(length=27), nullable=False),
        Column("logged_at", String(length=27), nullable=False),
        Column("result", Text(), nullable=False),
        ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
        ),
        PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_utterances_customer_id", "utterances", ["customer_id"], unique=False)
    op.create_index("utterances_by_seq", "utterances", ["conversation_id", "seq"], unique=False)
    op.create_table(
        "reviews",
        Column("id", String(length=200), nullable=False),
        Column("suggestion_id", String(length=200), nullable=False),
        Column("verdict", String(length=16), nullable=False),
        Column("note", Text(), nullable=False),
        Column("reviewer", String(length=200), nullable=False),
        Column("at", String(length=27), nullable=False),
        ForeignKeyConstraint(
            ["suggestion_id"],
            ["suggestions.id"],
        ),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reviews_suggestion_id", "reviews", ["suggestion_id"], unique=False)


def downgrade() -> None:
    for table in ("reviews", "utterances", "suggestions", "events", "conversations", "api_keys"):
        op.drop_table(table)
