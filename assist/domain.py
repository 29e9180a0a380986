"""The product's words as frozen records. Knows nothing of storage, models or the web.

`Emotion`, `Hit`, `Suggestion` and `AssistResult` have the field names that clients see (v1), so that one
definition serves the engine, the log and the wire.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, get_args

Language = Literal["zh-Hans", "zh-Hant", "en", "mixed", "other"]
ArticleLanguage = Literal["zh-Hans", "zh-Hant", "en"]
Speaker = Literal["customer", "agent", "bot", "system"]
Channel = Literal["chat", "voice", "email", "social", "store"]
EmotionLabel = Literal["neutral", "satisfied", "confused", "anxious", "disappointed", "frustrated", "angry", "unknown"]
Polarity = Literal["negative", "neutral", "positive"]
Flag = Literal["urgent", "abusive", "churn_threat", "legal_threat", "media_threat", "safety_risk", "wants_human"]
Trend = Literal["rising", "steady", "falling"]
SuggestionKind = Literal["answer", "case", "calming", "offer", "question", "alert", "next_step"]
Outcome = Literal["shown", "accepted", "edited", "dismissed", "ignored"]
Verdict = Literal["helpful", "wrong", "badly_timed", "badly_worded", "unsafe"]
SourceType = Literal["article", "case", "phrase", "product", "rule"]
PhraseKind = Literal["calming", "next_step", "question", "close"]
PhraseReview = Literal["draft", "approved", "retired"]
Stage = Literal["acknowledge", "empathise", "own", "next_step", "close", "clarify", "discover"]
Tier = Literal["none", "silver", "gold", "platinum"]
QuotePart = Literal["problem", "done", "promise", "outcome", "worst"]
ClosingOutcome = Literal["resolved", "promised", "unresolved"]
IdentifierKind = Literal["customer_id", "membership", "email", "phone", "handle"]
ClockState = Literal["running", "due_soon", "overdue", "met", "late"]
Segment = Literal["core", "promising", "dormant", "new"]
Queue = Literal["safety", "complaints", "delivery", "returns", "billing", "sales", "account", "general"]

EMOTIONS: tuple[EmotionLabel, ...] = get_args(EmotionLabel)[:-1]
"""The seven labels in the order of the model's outputs; `unknown` is never predicted, only said."""
FLAGS: tuple[Flag, ...] = get_args(Flag)
NEGATIVE: frozenset[EmotionLabel] = frozenset({"anxious", "disappointed", "frustrated", "angry"})
THREATS: frozenset[Flag] = frozenset({"churn_threat", "legal_threat", "media_threat"})


def polarity_of(label: EmotionLabel) -> Polarity:
    """Polarity as the labelling guideline derives it: confused and unknown count as neutral."""
    if label in NEGATIVE:
        return "negative"
    return "positive" if label == "satisfied" else "neutral"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the customer's text, in code points, that spoke for the label; `weight` in 0–1."""

    start: int
    end: int
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Emotion:
    """What a customer feels in one utterance. `probabilities` are calibrated and sum to 1, or empty if unknown."""

    label: EmotionLabel
    probability: float
    probabilities: Mapping[str, float]
    intensity: float
    polarity: Polarity
    flags: tuple[Flag, ...] = ()
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing said by one speaker. `seq` is its place in the conversation's events."""

    id: str
    seq: int
    speaker: Speaker
    text: str
    language: Language
    at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A product in a cart or looked at; it need not be in the catalogue."""

    sku: str
    title: str
    price: float
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Order:
    """One bought product line. `channel` is where it was bought, e.g. online or store."""

    id: str
    sku: str
    title: str
    price: float
    status: str
    placed_at: datetime | None = None
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """An earlier contact of the customer, in any channel."""

    at: datetime
    channel: str
    situation: str
    summary: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer as the caller knows them. `attributes` are free facts such as birthday, allergies or size.

    `identifiers` are what the customer is known by in other channels; the log never holds them.
    """

    id: str
    name: str | None = None
    tier: str | None = None
    orders: tuple[Order, ...] = ()
    cart: tuple[Item, ...] = ()
    viewed: tuple[Item, ...] = ()
    contacts: tuple[Contact, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    identifiers: Mapping[IdentifierKind, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agent:
    """The human agent of a conversation."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a conversation is opened with. `language` is the caller's hint; each utterance is detected anew."""

    id: str
    channel: Channel
    opened_at: datetime
    customer: Customer
    agent: Agent | None = None
    language: Language | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Situation:
    """A retail situation such as a late delivery; `examples` are customers' sentences by language."""

    id: str
    names: Mapping[str, str]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """One knowledge article in one language. `body` is the Markdown after the front matter."""

    id: str
    language: ArticleLanguage
    title: str
    status: str
    body: str
    version: str
    situation: str
    valid_from: date | None = None
    valid_until: date | None = None
    confirmed_at: date | None = None
    channels: tuple[str, ...] = ("all",)
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    audience: str = "customer"
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A past conversation kept as problem, resolution and outcome."""

    id: str
    language: ArticleLanguage
    channel: str
    situation: str
    problem: str
    tried: tuple[str, ...]
    resolution: str
    reply: str
    outcome: str
    csat: int | None = None
    emotion_start: str | None = None
    emotion_end: str | None = None
    products: tuple[str, ...] = ()
    closed_at: date | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """A wording. `slots` are the names in braces in `text`; all must have a value before it is shown.

    Only what `review` has approved is ever shown; `author` wrote it, `reason` says what it is there for.
    """

    id: str
    language: ArticleLanguage
    kind: PhraseKind
    emotions: tuple[str, ...]
    situations: tuple[str, ...]
    stage: Stage
    text: str
    channels: tuple[str, ...] = ("all",)
    slots: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    review: PhraseReview = "approved"
    author: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """A catalogue product; `price` in the shop's currency, `titles` and `pitches` by language.

    `margin` is the share of the price that the shop keeps, `lasts_days` how long a consumable usually lasts.
    """

    sku: str
    titles: Mapping[str, str]
    category: str
    price: float
    stock: int
    consumable: bool = False
    rating: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    complements: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    pitches: Mapping[str, str] = field(default_factory=dict)
    margin: float | None = None
    lasts_days: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A found passage or case. `relevance` is the calibrated probability in 0–1 that an agent would use it.

    `id` is the article's or case's id, `start`/`end` the passage's span in the article body (0, 0 for a case),
    `reply` what can be sent as it stands (the article's answer, the case's reply), `steps` its numbered steps.
    """

    kind: Literal["article", "case"]
    id: str
    language: ArticleLanguage
    title: str
    excerpt: str
    reply: str
    steps: tuple[str, ...]
    situation: str
    version: str
    start: int
    end: int
    audience: str
    cosine: float
    bm25_score: float
    relevance: float
    why: str
    tried: tuple[str, ...] = ()
    outcome: str | None = None
    csat: int | None = None
    confirmed_at: date | None = None

    @property
    def source(self) -> "Source":
        """Where this was found, as a client sees it."""
        return Source(
            self.kind,
            self.id,
            self.version,
            excerpt=self.excerpt,
            start=self.start,
            end=self.end,
            confirmed_at=self.confirmed_at,
            tried=self.tried,
            outcome=self.outcome,
            csat=self.csat,
        )


@dataclass(frozen=True, slots=True)
class Source:
    """Where a suggestion comes from, down to the span.

    `confirmed_at` is when an article was last found to be right, or a case was closed; `tried`, `outcome` and `csat`
    (1 to 5) tell how a case went.
    """

    type: SourceType
    id: str
    version: str
    url: str | None = None
    excerpt: str | None = None
    start: int | None = None
    end: int | None = None
    confirmed_at: date | None = None
    tried: tuple[str, ...] = ()
    outcome: str | None = None
    csat: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing put before the agent; `text` can be sent as it stands, `reason` tells the agent why it is there.

    `opening` is the calming phrase shown with an answer: sent before `text`, in the same reply, if it has not been
    said yet.
    """

    id: str
    kind: SuggestionKind
    text: str
    title: str
    language: ArticleLanguage
    relevance: float
    reason: str
    source: Source
    slots_missing: tuple[str, ...] = ()
    opening: str | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """A promise that runs out: `due_at` is when, `warn_at` from when it is close.

    `met` was kept in time, `late` was kept after it had run out; both have ended.
    """

    name: str
    due_at: datetime
    state: ClockState
    warn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Routing:
    """A hint who should have the conversation and how soon: `priority` from 1, at once, to 4; `reason` is a code."""

    queue: Queue
    priority: int
    reason: str


@dataclass(frozen=True, slots=True)
class ConversationReading:
    """Where the conversation stands after an utterance. `escalation_risk` in 0–1; `intent` is a situation id."""

    trend: Trend
    escalation_risk: float
    negative_streak: int
    intent: str | None
    clocks: tuple[Clock, ...] = ()
    segment: Segment | None = None
    routing: Routing | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """What a result was made with; with the log it makes the result reproducible."""

    models: str
    index: str
    policy: str


@dataclass(frozen=True, slots=True)
class AssistResult:
    """The answer to one utterance, in the shape that clients rely on (v1)."""

    utterance: Utterance
    emotion: Emotion | None
    conversation: ConversationReading
    suggestions: tuple[Suggestion, ...]
    superseded: tuple[str, ...]
    versions: Versions
    took_ms: float


@dataclass(frozen=True, slots=True)
class DraftIssue:
    """Something wrong with what the agent is typing: a span, how bad it is and a better wording."""

    code: str
    start: int
    end: int
    text: str
    severity: Literal["note", "warning", "block"]
    message: str
    better: str | None = None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What should happen after the conversation, by when and why; in the agent's language.

    A `call` is for the customer and lies inside the call hours, a `check` is a look at whether something was done.
    """

    due_at: datetime
    action: str
    reason: str
    kind: Literal["call", "check"] = "call"


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of the conversation, and what they tell: `text` is `start` to `end`, in code points, of the utterance.

    `due_text` are the words in it that say by when, `due_at` the moment they mean where they leave no doubt.
    """

    part: QuotePart
    text: str
    utterance_id: str
    start: int
    end: int
    speaker: Speaker
    due_at: datetime | None = None
    due_text: str | None = None


@dataclass(frozen=True, slots=True)
class WrapUpText:
    """What a wrap-up says around its quotes, in one language."""

    language: ArticleLanguage
    disposition: str
    outcome: str | None
    action: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class WrapUp:
    """The end of a conversation: an extractive summary, a proposed disposition and a follow-up.

    `texts` is the frame in the agent's language, the customer's and every other one, in this order. `message` can be
    sent to the customer: what was promised, in the agent's own words.
    """

    summary: tuple[str, ...]
    disposition: str
    tags: tuple[str, ...]
    emotion_start: str | None
    emotion_worst: str | None
    emotion_end: str | None
    follow_up: FollowUp | None
    quotes: tuple[Quote, ...] = ()
    outcome: ClosingOutcome | None = None
    texts: tuple[WrapUpText, ...] = ()
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ArticleUse:
    """What agents did with one text of an article: how often it was shown, used (as it was or edited) and dismissed.

    `version` and `language` are the article's, `asked_in` is the language that the customer wrote in.
    """

    id: str
    version: str
    language: str
    asked_in: str
    shown: int
    used: int
    dismissed: int


@dataclass(frozen=True, slots=True)
class PhraseUse:
    """What agents did with a phrase: how often it was shown, sent as it was, edited, dismissed and let pass."""

    id: str
    shown: int
    accepted: int
    edited: int
    dismissed: int
    ignored: int


@dataclass(frozen=True, slots=True)
class ShownSuggestion:
    """A suggestion of the log with what became of it, for learning.

    `talk` is the conversation's id, or that of a result without one; `position` its place on the screen from 0, `text`
    the beginning of its redacted text.
    """

    talk: str
    utterance: str
    agent: str | None
    at: datetime
    position: int
    kind: SuggestionKind
    relevance: float
    source_type: SourceType
    source_id: str
    outcome: Outcome
    verdict: Verdict | None
    text: str


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """What a customer said that no answer or case was found for, or whose answers the agent dismissed.

    `text` is redacted, `before` what agent or bot had said just before; `is_opening` marks the first thing in the
    conversation that was more than a greeting; `dismissed` names the articles and cases, and is empty where nothing was
    found.
    """

    conversation_id: str
    at: datetime
    text: str
    language: Language
    before: str | None
    is_opening: bool
    emotion: EmotionLabel
    intensity: float
    situation: str | None
    dismissed: tuple[str, ...]
