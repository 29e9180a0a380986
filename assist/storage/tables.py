"""The tables of the log. Times are UTC ISO-8601 strings of fixed width, so that they sort and read the same everywhere.

Nothing here holds a customer's name, phone, address, card or order number: `assist.storage.redaction` takes them out.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy import Float as Real

metadata = MetaData()

_ID = String(200)
_TIME = String(27)

conversations = Table(
    "conversations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("status", String(8), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("customer_id", _ID, nullable=False, index=True),
    Column("tier", String(40)),
    Column("agent_id", _ID),
    Column("opened_at", _TIME, nullable=False),
    Column("closed_at", _TIME),
    Column("updated_at", _TIME, nullable=False),
    Column("last_seq", Integer, nullable=False),
    # Where the conversation stands: enough for a list without reading every utterance.
    Column("last_speaker", String(16)),
    Column("last_text", Text),
    Column("emotion", String(16)),
    Column("intensity", Real),
    Column("flags", String(200), nullable=False),
    Column("trend", String(8)),
    Column("escalation_risk", Real),
    Column("profile", Text, nullable=False),
    Column("wrap_up", Text),
    Index("conversations_by_time", "opened_at", "id"),
)

utterances = Table(
    "utterances",
    metadata,
    # conversation id and utterance id joined, so that the key alone makes an utterance unrepeatable.
    Column("key", String(420), primary_key=True),
    Column("conversation_id", _ID, ForeignKey("conversations.id")),
    Column("id", _ID, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("customer_id", _ID, index=True),
    Column("speaker", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("text", Text, nullable=False),
    # When it was said, by the caller's clock, and when it was logged, by ours. Retention goes by ours.
    Column("at", _TIME, nullable=False),
    Column("logged_at", _TIME, nullable=False),
    Column("result", Text, nullable=False),
    Index("utterances_by_seq", "conversation_id", "seq"),
)

suggestions = Table(
    "suggestions",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("conversation_id", _ID, ForeignKey("conversations.id"), index=True),
    Column("utterance_key", String(420), nullable=False),
    Column("customer_id", _ID, index=True),
    Column("agent_id", _ID),
    Column("at", _TIME, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("emotion", String(16)),
    Column("flags", String(200), nullable=False),
    Column("language", String(8), nullable=False),
    Column("relevance", Real, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source_type", String(16), nullable=False),
    Column("source_id", _ID, nullable=False, index=True),
    Column("source_version", _ID, nullable=False),
    Column("excerpt", Text),
    Column("outcome", String(16), nullable=False),
    Column("outcome_at", _TIME),
    Column("outcome_reason", Text),
    Column("final_text", Text),
    Column("verdict", String(16)),
    Index("suggestions_by_time", "at", "id"),
)

events = Table(
    "events",
    metadata,
    Column("conversation_id", _ID, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("type", String(40), nullable=False),
    Column("at", _TIME, nullable=False),
    # Null for utterance.added: its data is the utterance's result, which is stored once, in `utterances`.
    Column("payload", Text),
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("suggestion_id", _ID, ForeignKey("suggestions.id"), nullable=False, index=True),
    Column("verdict", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("reviewer", _ID, nullable=False),
    Column("at", _TIME, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", _ID, primary_key=True),
    # key: a program's or person's key; login: a link that works once; session: a signed-in browser.
    Column("kind", String(8), nullable=False),
    Column("name", _ID, nullable=False),
    Column("role", String(16), nullable=False),
    Column("language", String(8)),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("created_at", _TIME, nullable=False),
    Column("expires_at", _TIME),
    Column("revoked_at", _TIME),
)
