"""The state of one conversation: utterances and results in, trend, risk and memory out. Pure: no I/O, no clock.

The same `record` builds the state while the conversation is live and when it is restored from the log, so a restart
cannot make the two differ.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from assist.conversation import clocks
from assist.conversation.routing import route
from assist.conversation.trajectory import escalation_risk, heat_of, trend_of
from assist.domain import (
    FLAGS,
    ArticleLanguage,
    AssistResult,
    Conversation,
    ConversationReading,
    Emotion,
    Outcome,
    Segment,
    Speaker,
    Stage,
    Suggestion,
    Trend,
    Utterance,
)
from assist.inference.encoder import CONTEXT_TURNS, Encoding, Memory
from assist.suggest import policy
from assist.suggest.moment import SourceKey
from assist.suggest.stages import stages_in

_DONE = re.compile(
    r"已(?:经|經)?(?:为|為|帮|幫|给|給)?您?(?:办理|辦理|处理|處理|安排|提交|补发|補發|退款|退还|退還"
    r"|登记|登記|取消|修改|改好|补偿|補償|预约|預約)"
    r"|(?:退款|补发|補發|换货|換貨|订单|訂單)已(?:经|經)?(?:提交|完成|发起|發起|成功|生效)"
    r"|\bI(?:'ve| have) (?:just |now |already )?(?:arranged|sent|issued|booked|refunded|cancelled|canceled|changed"
    r"|updated|processed|reordered|replaced|submitted|registered|raised|resent)"
    r"|\b(?:is|are|has been|have been) (?:now )?(?:refunded|booked|sorted|cancelled|replaced|resent|resolved)\b",
    re.IGNORECASE,
)
"""An agent's sentence that says something was done: the earliest sign of a resolution that text can give."""

ALERT_LIFE = 3
"""Customer utterances for which an alert stays on the screen; who has not acted on it by then has taken it in."""

_MOMENTARY = frozenset({"calming", "question", "next_step"})
"""Kinds that answer one utterance; when the next one comes their moment has passed."""


@dataclass(slots=True)
class Turn:
    """One utterance with what was felt in it (None for anyone but the customer)."""

    utterance: Utterance
    emotion: Emotion | None
    is_small_talk: bool


@dataclass(slots=True)
class Session:
    """What `assist` remembers of one conversation. Mutable; one writer at a time."""

    conversation: Conversation
    limits: clocks.Limits = field(default_factory=clocks.Limits)
    segment: Segment | None = None
    turns: list[Turn] = field(default_factory=list)
    vectors: deque[npt.NDArray[np.float32]] = field(default_factory=lambda: deque(maxlen=3))
    memories: deque[tuple[Speaker, Memory]] = field(default_factory=lambda: deque(maxlen=CONTEXT_TURNS))
    shown: set[SourceKey] = field(default_factory=set)
    open: dict[str, tuple[Suggestion, str | None, int]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    cited: tuple[tuple[str, str], ...] = ()
    """(id, version) of the articles that the latest answers cite: those shown last, or the one that was taken."""
    language: ArticleLanguage = "zh-Hans"
    intent: str | None = None
    trend: Trend = "steady"
    risk: float = 0.0
    negative_streak: int = 0
    was_ever_negative: bool = False
    calm_since_resolution: int | None = None
    stages_said: set[Stage] = field(default_factory=set)
    last_agent_text: str | None = None
    last_calming: str | None = None
    question_count: int = 0
    emotion: Emotion | None = None
    has_agent_answered: bool = False
    first_customer_at: datetime | None = None
    first_answer_at: datetime | None = None
    complaint_at: datetime | None = None
    complaint_answer_at: datetime | None = None
    closed_at: datetime | None = None

    def customer_texts(self, last: int = 4) -> list[str]:
        """The customer's latest sentences, newest last."""
        return [t.utterance.text for t in self.turns if t.utterance.speaker == "customer"][-last:]

    def context_vectors(self) -> tuple[npt.NDArray[np.float32], ...]:
        """Vectors of the customer's previous utterances, newest first."""
        return tuple(reversed(self.vectors))

    def hear(self, speaker: Speaker, encoding: Encoding) -> None:
        """Keeps of an utterance what the encoder needs to read the next ones."""
        self.memories.append((speaker, encoding.memory))
        if speaker == "customer":
            self.vectors.append(encoding.vector)

    def feel(self, emotion: Emotion) -> None:
        """Moves trend, risk, streak and resolution on by one customer utterance."""
        self.emotion = emotion
        is_negative = emotion.polarity == "negative" or policy.is_hostile(emotion)
        self.negative_streak = self.negative_streak + 1 if is_negative else 0
        felt = [turn.emotion for turn in self.turns if turn.emotion is not None]
        self.trend = trend_of([heat_of(earlier) for earlier in (*felt, emotion)])
        self.risk = escalation_risk([*felt, emotion])
        if is_negative:
            if self.calm_since_resolution is not None:
                self.stages_said.clear()  # what was said calmed an earlier hurt
            self.was_ever_negative = True
            self.calm_since_resolution = None
        elif self.calm_since_resolution is not None:
            self.calm_since_resolution += 1
        elif self.was_ever_negative and emotion.label == "satisfied":
            self.calm_since_resolution = 0

    def superseded_by(self, now_shown: list[Suggestion], *, is_small_talk: bool, intent: str | None) -> list[str]:
        """Ids of open suggestions that no longer fit once this customer utterance has been said."""
        if is_small_talk and not now_shown:
            return []
        replaces_answers = any(s.kind == "answer" for s in now_shown)
        told_anew = {s.source.id.partition(":")[0] for s in now_shown if s.kind == "alert"} & set(FLAGS)
        gone = []
        for suggestion_id, (suggestion, situation, begin) in self.open.items():
            if suggestion.kind == "alert":
                told_again = suggestion.source.id.partition(":")[0] in told_anew
                no_longer_fits = told_again or self._customer_turns() - begin >= ALERT_LIFE
            else:
                no_longer_fits = suggestion.kind in _MOMENTARY or intent != situation or replaces_answers
            if no_longer_fits:
                gone.append(suggestion_id)
        return gone

    def record(self, utterance: Utterance, result: AssistResult, *, is_small_talk: bool) -> None:
        """Takes an utterance and its result into the memory; trend and risk have been moved on by `feel`."""
        self.turns.append(Turn(utterance, result.emotion, is_small_talk))
        self.intent = result.conversation.intent
        if utterance.speaker == "customer":
            self.first_customer_at = self.first_customer_at or utterance.at
            if result.emotion is not None and policy.is_hostile(result.emotion):
                self.complaint_at = self.complaint_at or utterance.at
        elif utterance.speaker == "agent":
            self._hear_agent(utterance)
        for suggestion_id in result.superseded:
            self.open.pop(suggestion_id, None)
        self.cited = tuple(filter(None, map(_cites, result.suggestions))) or self.cited
        for suggestion in result.suggestions:
            self.shown.add((suggestion.source.type, suggestion.source.id))
            self.open[suggestion.id] = (suggestion, self.intent, self._customer_turns())
            if suggestion.kind == "calming":
                self.last_calming = suggestion.text
            self.question_count += suggestion.kind == "question"

    def set_outcome(self, suggestion_id: str, outcome: Outcome) -> None:
        """Remembers what the agent did; an answer or step that was sent is a resolution until the customer objects."""
        self.outcomes[suggestion_id] = outcome
        if outcome == "shown":
            return
        known = self.open.pop(suggestion_id, None)
        if known is not None and outcome in ("accepted", "edited") and (taken := _cites(known[0])):
            self.cited = (taken,)
        is_help = known is not None and known[0].kind in ("answer", "next_step", "case")
        if is_help and outcome in ("accepted", "edited") and self.was_ever_negative:
            self.calm_since_resolution = self.calm_since_resolution or 0

    def reading(self, now: datetime) -> ConversationReading:
        """Where the conversation stands at `now`."""
        running = clocks.clocks_of(
            self.limits,
            now,
            asked_at=self.first_customer_at,
            answered_at=self.first_answer_at,
            complaint_at=self.complaint_at,
            contacted_at=self.complaint_answer_at,
            closed_at=self.closed_at,
        )
        return ConversationReading(
            trend=self.trend,
            escalation_risk=round(self.risk, 3),
            negative_streak=self.negative_streak,
            intent=self.intent,
            clocks=running,
            segment=self.segment,
            routing=route(
                situation=self.intent,
                emotion=self.emotion,
                segment=self.segment,
                tier=self.conversation.customer.tier,
                risk=self.risk,
                has_open_complaint=self.complaint_at is not None and self.calm_since_resolution is None,
                clocks=running,
            ),
        )

    def _customer_turns(self) -> int:
        return sum(turn.utterance.speaker == "customer" for turn in self.turns)

    def _hear_agent(self, utterance: Utterance) -> None:
        self.last_agent_text = utterance.text
        if self.was_ever_negative:
            self.stages_said |= stages_in(utterance.text)
        if self.first_customer_at is not None:
            self.has_agent_answered = True
            self.first_answer_at = self.first_answer_at or utterance.at
        if self.complaint_at is not None:
            self.complaint_answer_at = self.complaint_answer_at or utterance.at
        if self.was_ever_negative and self.calm_since_resolution is None and _DONE.search(utterance.text):
            self.calm_since_resolution = 0


def _cites(suggestion: Suggestion) -> tuple[str, str] | None:
    source = suggestion.source
    return (source.id, source.version) if suggestion.kind == "answer" and source.type == "article" else None
