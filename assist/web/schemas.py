"""What may come in, and the few shapes that go out and are no domain records.

Fields that are not named here are accepted and ignored. Text that no database or terminal can hold (NUL, lone
surrogates) is taken out rather than refused: a customer's sentence is never lost over a bad byte.
"""

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

from assist.conversation.known import Known
from assist.domain import (
    Agent,
    ArticleLanguage,
    Channel,
    Clock,
    Contact,
    Conversation,
    ConversationReading,
    Customer,
    DraftIssue,
    Emotion,
    IdentifierKind,
    Item,
    Language,
    Order,
    Outcome,
    Routing,
    Source,
    Speaker,
    Verdict,
    WrapUp,
)
from assist.knowledge.index.gate import Figures, Gate
from assist.knowledge.index.history import Entry
from assist.knowledge.index.records import RecordChange
from assist.storage.records import ConversationSummary, EventType, LoggedSuggestion, Status
from assist.text.identifiers import stand_in_id

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MAX_DEPTH = 16
_MAX_PRICE = 1e9
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _storable(value: object) -> object:
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else value


def _free(value: Any, depth: int = 0) -> Any:
    """A free JSON value that any store and any JSON reader takes: no NUL, no NaN, no bottomless nesting."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("", key): _free(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_free(item, depth + 1) for item in value]
    return _storable(value)


def _sensible(at: datetime) -> datetime:
    """In UTC; a time without a zone is taken as UTC. Refuses years in which nobody shops."""
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    if not EARLIEST <= aware < LATEST:
        raise ValueError(f"must lie between {EARLIEST.year} and {LATEST.year}")
    return aware.astimezone(UTC)


Text = Annotated[str, BeforeValidator(_storable)]
Line = Annotated[Text, Field(max_length=500)]
Said = Annotated[Text, Field(min_length=1, pattern=r"\S")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:~@-]{1,128}$")]
CustomerId = Annotated[Text, Field(min_length=1, max_length=200)]
Time = Annotated[datetime, AfterValidator(_sensible)]
Price = Annotated[float, Field(ge=0, le=_MAX_PRICE, allow_inf_nan=False)]
Free = Annotated[dict[str, Any], BeforeValidator(_free)]


class ItemInput(BaseModel):
    """A product in a cart or looked at."""

    sku: Line
    title: Line = ""
    price: Price = 0.0
    quantity: Annotated[int, Field(ge=0, le=1_000_000)] = 1

    def record(self) -> Item:
        """As the engine wants it."""
        return Item(self.sku, self.title, self.price, self.quantity)


class OrderInput(BaseModel):
    """One bought product line."""

    id: Line
    sku: Line = ""
    title: Line = ""
    price: Price = 0.0
    status: Line = ""
    placed_at: Time | None = None
    channel: Annotated[Line, Field(description="Where it was bought, e.g. online or store.")] = ""

    def record(self) -> Order:
        """As the engine wants it."""
        return Order(self.id, self.sku, self.title, self.price, self.status, self.placed_at, self.channel)


class ContactInput(BaseModel):
    """An earlier contact of the customer."""

    at: Time
    channel: Line = ""
    situation: Line = ""
    summary: Annotated[Text, Field(max_length=4000)] = ""
    open: bool = False

    def record(self) -> Contact:
        """As the engine wants it."""
        return Contact(self.at, self.channel, self.situation, self.summary, self.open)


class CustomerInput(BaseModel):
    """The customer as the caller knows them: by their id, or by what they are known by in the channel."""

    id: CustomerId | None = None
    identifiers: dict[IdentifierKind, CustomerId] = {}
    name: Annotated[Text, Field(max_length=200)] | None = None
    tier: Annotated[Text, Field(max_length=40)] | None = None
    orders: list[OrderInput] = []
    cart: list[ItemInput] = []
    viewed: list[ItemInput] = []
    contacts: list[ContactInput] = []
    attributes: Free = {}

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if self.id is None and stand_in_id(self.identifiers) is None:
            raise ValueError("needs an id or an identifier")
        return self

    def record(self) -> Customer:
        """As the engine wants it. Without an id the strongest identifier stands in for it."""
        return Customer(
            id=self.id or stand_in_id(self.identifiers) or "",
            name=self.name,
            tier=self.tier,
            orders=tuple(order.record() for order in self.orders),
            cart=tuple(item.record() for item in self.cart),
            viewed=tuple(item.record() for item in self.viewed),
            contacts=tuple(contact.record() for contact in self.contacts),
            attributes=self.attributes,
            identifiers=self.identifiers,
        )

    @property
    def longest_list(self) -> int:
        """Entries of the longest list, for the limit."""
        return max(len(self.orders), len(self.cart), len(self.viewed), len(self.contacts))


class AgentInput(BaseModel):
    """The human agent."""

    id: CustomerId
    name: Annotated[Text, Field(max_length=200)] | None = None

    def record(self) -> Agent:
        """As the engine wants it."""
        return Agent(self.id, self.name)


class ConversationInput(BaseModel):
    """Opens a conversation."""

    id: Id | None = None
    channel: Channel = "chat"
    language: Language | None = None
    customer: CustomerInput
    agent: AgentInput | None = None
    metadata: Free = {}

    def record(self, new_id: str, now: datetime) -> Conversation:
        """As the engine wants it."""
        return Conversation(
            id=self.id or new_id,
            channel=self.channel,
            opened_at=now,
            customer=self.customer.record(),
            agent=self.agent.record() if self.agent else None,
            language=self.language,
            metadata=self.metadata,
        )


class UtteranceInput(BaseModel):
    """One thing said."""

    id: Id | None = None
    speaker: Speaker
    text: Said
    at: Time | None = None


class AssistInput(BaseModel):
    """A conversation so far, for a result about its last utterance; nothing else is kept."""

    utterances: Annotated[list[UtteranceInput], Field(min_length=1)]
    customer: CustomerInput | None = None
    channel: Channel = "chat"
    language: Language | None = None


class SearchInput(BaseModel):
    """The agent's own search."""

    query: Said
    kinds: Annotated[list[Literal["article", "case", "phrase", "product"]], Field(min_length=1)] = ["article", "case"]
    language: ArticleLanguage | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class DraftInput(BaseModel):
    """What the agent is typing."""

    conversation_id: Id | None = None
    text: Text


class OutcomeInput(BaseModel):
    """What became of a suggestion."""

    outcome: Outcome
    final_text: Text | None = None
    reason: Line | None = None


class ClosureInput(BaseModel):
    """How to wrap up: the frame around the quotes comes in the agent's language, or else in the customer's."""

    agent_language: ArticleLanguage | None = None


class ReviewInput(BaseModel):
    """A reviewer's verdict."""

    verdict: Verdict
    note: Annotated[Text, Field(max_length=2000)] = ""


class BuildInput(BaseModel):
    """Orders a build of the index from the knowledge folder."""

    activate: bool = True
    full: bool = Field(False, description="Encode everything anew instead of reusing unchanged passages.")
    strict: bool = Field(False, description="Fail at a problem in the source instead of leaving that place out.")
    force: bool = Field(False, description="Activate even what the gate would hold back.")


class ActiveInput(BaseModel):
    """Which index version to use."""

    version: Line
    force: bool = Field(False, description="Even one that the gate held back.")


class SocketUtterance(UtteranceInput):
    """`utterance` from a socket: like the REST call."""

    type: Literal["utterance"]


class SocketOutcome(OutcomeInput):
    """`outcome` from a socket: like the REST call."""

    type: Literal["outcome"]
    suggestion_id: Id


class SocketPing(BaseModel):
    """`ping` from a socket; answered by `pong`."""

    type: Literal["ping"]


SocketMessage = Annotated[SocketUtterance | SocketOutcome | SocketPing, Field(discriminator="type")]


class Out(BaseModel):
    """Base of what goes out."""

    model_config = ConfigDict(frozen=True)


class ErrorBody(Out):
    """`code` is stable, `message` is for people, `details` depends on the code."""

    code: str
    message: str
    details: dict[str, Any]


class ErrorOut(Out):
    """The one shape of every error."""

    error: ErrorBody


class ConversationOut(Out):
    """A conversation as it stands now; `seq` is its last event, `known` what need not be asked again."""

    id: str
    status: Status
    channel: Channel
    language: Language | None
    opened_at: datetime
    customer: Customer
    agent: Agent | None
    metadata: dict[str, Any]
    seq: int
    reading: ConversationReading
    emotion: Emotion | None
    wrap_up: WrapUp | None
    known: tuple[Known, ...] = ()


class ClocksOut(Out):
    """Sent over a socket when a clock comes to its end, or close to it, though nobody says anything."""

    type: Literal["clocks"] = "clocks"
    clocks: tuple[Clock, ...]
    routing: Routing | None


CLOCKS: TypeAdapter[ClocksOut] = TypeAdapter(ClocksOut)


class EventOut(Out):
    """A past fact of a conversation. `data` is an assist result, an outcome, a wrap-up or the opened conversation."""

    seq: int
    type: EventType
    at: datetime
    data: dict[str, Any]


class EventsOut(Out):
    """The events after `since`, the oldest first; `seq` is the last event there is."""

    seq: int
    events: list[EventOut]


class ConversationsOut(Out):
    """One page of conversations, the newest first."""

    conversations: list[ConversationSummary]
    next_cursor: str | None


class SuggestionsOut(Out):
    """One page of the log, the newest first."""

    suggestions: list[LoggedSuggestion]
    next_cursor: str | None


class HitOut(Out):
    """Something found. `text` can be sent as it stands; None where there is nothing to send, e.g. agents' notes."""

    kind: Literal["article", "case", "phrase", "product"]
    id: str
    title: str
    language: str
    text: str | None
    excerpt: str
    relevance: float
    why: str
    source: Source


class SearchOut(Out):
    """Hits, the best first."""

    hits: list[HitOut]
    took_ms: float


class DraftOut(Out):
    """What is wrong with a draft; empty if nothing is."""

    issues: list[DraftIssue]


class OutcomeOut(Out):
    """The outcome as it was taken."""

    suggestion_id: str
    outcome: Outcome
    final_text: str | None
    reason: str | None


class ErasedOut(Out):
    """Whose texts are gone and in how many conversations."""

    customer_id: str
    conversations: int


class VersionOut(Out):
    """One index version. `changes` counts records against the version that was in use when it was built."""

    version: str
    active: bool
    created_at: datetime | None
    counts: dict[str, int]
    changes: dict[str, int] = {}
    built_by: str | None = None
    figures: Figures | None = None
    is_held: bool = False


class VersionsOut(Out):
    """All index versions, the newest first. `rollback` is where a rollback would go."""

    versions: list[VersionOut]
    active: str | None
    rollback: str | None = None


class VersionDetailOut(VersionOut):
    """One index version in full. `differs` are the records in which it differs from the version in use.

    `indexes` names the kind of each vector index: `exact`, or `ivf` with its cells and how many a search looks into.
    """

    encoder_version: str
    dimension: int
    embedded: int
    reused: int
    seconds: float
    size_bytes: int
    indexes: dict[str, dict[str, str | int]]
    gate: Gate | None
    differs: list[RecordChange]
    history: list[Entry]


class HistoryOut(Out):
    """Who did what to the index and when, the newest first."""

    history: list[Entry]


class PrunedOut(Out):
    """The versions that are gone."""

    deleted: list[str]


class BuildOut(Out):
    """A build. `problems` names the file and line of each broken article, case, phrase or product.

    While it runs, `done` of `total` steps of its `stage` are through, at `rate` a second. `gate` says how the version
    does on the judged queries; one that was held back is not `activated`.
    """

    id: str
    status: Literal["running", "succeeded", "failed"]
    started_at: datetime
    finished_at: datetime | None = None
    version: str | None = None
    message: str | None = None
    problems: list[str] = []
    by: str | None = None
    stage: Literal["reading", "embedding", "indexing", "measuring", "activating"] | None = None
    done: int = 0
    total: int = 0
    rate: float | None = None
    eta_s: float | None = None
    activated: bool = False
    gate: Gate | None = None
    attempts: int = 1


class BuildsOut(Out):
    """The latest builds, the newest first."""

    builds: list[BuildOut]


class MeOut(Out):
    """Who the caller is. `language` is that of the key, or null for the browser's."""

    name: str
    role: str
    language: str | None
    can_write: bool
