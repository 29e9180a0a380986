"""What the log gives back, and the JSON forms in which it keeps the domain's records."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from assist.domain import AssistResult, Clock, Conversation, Outcome, Routing, Segment, Verdict, WrapUp

Status = Literal["open", "closed"]
EventType = Literal["conversation.opened", "utterance.added", "suggestion.outcome", "conversation.closed"]

RESULT: TypeAdapter[AssistResult] = TypeAdapter(AssistResult)
CONVERSATION: TypeAdapter[Conversation] = TypeAdapter(Conversation)
WRAP_UP: TypeAdapter[WrapUp] = TypeAdapter(WrapUp)

Place = tuple[str, str]
"""Where a page ended: the time and the id of its last row."""


def iso(at: datetime) -> str:
    """UTC ISO-8601 with microseconds and Z: 27 characters that sort as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of a conversation; `data` is its JSON text."""

    seq: int
    type: EventType
    at: str
    data: str


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation as the log has it: redacted."""

    conversation: Conversation
    status: Status
    last_seq: int
    wrap_up: WrapUp | None
    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """One line of a list of conversations."""

    id: str
    status: Status
    channel: str
    customer: dict[str, Any]
    agent: dict[str, Any] | None
    opened_at: str
    closed_at: str | None
    updated_at: str
    seq: int
    emotion: str | None
    intensity: float | None
    flags: list[str]
    trend: str | None
    escalation_risk: float
    last_speaker: str | None
    last_text: str | None
    waiting_since: str | None
    clocks: tuple[Clock, ...] = ()
    segment: Segment | None = None
    routing: Routing | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewer's verdict on a suggestion."""

    id: str
    suggestion_id: str
    verdict: Verdict
    note: str
    reviewer: str
    at: str


@dataclass(frozen=True, slots=True)
class LoggedSuggestion:
    """One suggestion in the log, with the utterance it answered and the result it came in."""

    id: str
    conversation_id: str | None
    agent_id: str | None
    at: str
    position: int
    kind: str
    emotion: str | None
    flags: list[str]
    language: str
    relevance: float
    title: str
    text: str
    reason: str
    source: dict[str, Any]
    utterance: dict[str, Any] | None
    versions: dict[str, str] | None
    outcome: Outcome
    outcome_at: str | None
    outcome_reason: str | None
    final_text: str | None
    review_state: Literal["open", "reviewed"]
    reviews: list[Review]


@dataclass(frozen=True, slots=True)
class SuggestionFilter:
    """Which suggestions of the log are wanted; None means any. Times are UTC ISO-8601 as `iso` writes them."""

    since: str | None = None
    until: str | None = None
    kind: str | None = None
    emotion: str | None = None
    flag: str | None = None
    outcome: str | None = None
    agent: str | None = None
    article: str | None = None
    language: str | None = None
    conversation: str | None = None
    review_state: Literal["open", "reviewed"] | None = None
    verdict: str | None = None
