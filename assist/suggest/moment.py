"""What a suggestion maker may know: one customer utterance and the state of its conversation, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from assist.domain import (
    ArticleLanguage,
    Channel,
    Customer,
    Emotion,
    Hit,
    Product,
    Segment,
    SourceType,
    Stage,
    Trend,
    Utterance,
)
from assist.knowledge.search import Knowledge
from assist.suggest.phrase_choice import PhraseChoice
from assist.suggest.weights import NEUTRAL, Weights

SourceKey = tuple[SourceType, str]
"""What a suggestion came from; a source is shown at most once in a conversation."""

FactCode = Literal[
    "bought_before",
    "repeated_contact",
    "open_complaint",
    "return_pending",
    "high_value",
    "birthday",
    "allergy",
    "size_on_record",
]


@dataclass(frozen=True, slots=True)
class HistoryFact:
    """Something in the customer's history that the agent must know now; `values` fill its wording.

    `evidence` names, in words, the orders, contacts or entries with their dates that it stands on.
    """

    code: FactCode
    key: str
    values: Mapping[str, str]
    evidence: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One customer utterance with all that was learned of it and of the conversation before it.

    `calm_since_resolution` counts the non-negative customer utterances from the resolution on, that one included;
    it is None while a problem that hurt is open. `risk_before` is the escalation risk before this utterance.
    `recent_text` and `recent_vector` stand for the customer's last utterances together: what they are looking for.
    `situation` is what the talk is about, `situations` how probable each one is that this utterance may be about.
    `stages_said` are the stages that the agent's own words have been through since the customer began to hurt, `heard`
    the last thing that the agent said and the last calming phrase that was shown.
    `holds` names the facts that phrases may need: `order` and `product` are known, `in_hours` and
    `outside_hours` tell of the call-back hours.
    `weights` are what was learned from outcomes, as this conversation applies them; `choice` is what was learned of
    calming phrases, None leaves them to the rules.
    """

    utterance: Utterance
    emotion: Emotion
    language: ArticleLanguage
    channel: Channel
    customer: Customer
    knowledge: Knowledge
    now: datetime
    vector: npt.NDArray[np.float32]
    recent_text: str
    recent_vector: npt.NDArray[np.float32]
    hits: tuple[Hit, ...]
    situation: str | None
    situations: Mapping[str, float]
    is_small_talk: bool
    is_choosing: bool
    was_ever_negative: bool
    calm_since_resolution: int | None
    has_agent_answered: bool
    trend: Trend
    risk: float
    risk_before: float
    negative_streak: int
    stages_said: frozenset[Stage]
    heard: tuple[str, ...]
    question_count: int
    shown: frozenset[SourceKey]
    facts: tuple[HistoryFact, ...]
    talked_about: tuple[Product, ...]
    slots: Mapping[str, str]
    holds: frozenset[str]
    segment: Segment | None = None
    weights: Weights = NEUTRAL
    choice: PhraseChoice | None = None
