"""The engine: one customer utterance in, one assist result out. No I/O; the caller encodes, stores and sends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from functools import partial
from time import perf_counter
from zoneinfo import ZoneInfo

import numpy as np

from assist.conversation import customer
from assist.conversation.clocks import Limits
from assist.conversation.history import history_facts
from assist.conversation.known import Known, known_in
from assist.conversation.segments import Cuts, segment_of
from assist.conversation.session import Session
from assist.conversation.wrapup import CallHours, wrap_up
from assist.domain import (
    ArticleLanguage,
    AssistResult,
    Conversation,
    ConversationReading,
    DraftIssue,
    Emotion,
    Hit,
    Language,
    Outcome,
    Speaker,
    Utterance,
    Versions,
    WrapUp,
)
from assist.inference.emotion import EmotionReader
from assist.inference.encoder import Context, Encoding
from assist.knowledge.search import Knowledge
from assist.suggest import policy
from assist.suggest.answers import SAFETY_THRESHOLD
from assist.suggest.compose import suggestions
from assist.suggest.drafts import DraftChecker, DraftContext, Heard
from assist.suggest.moment import Moment
from assist.suggest.phrase_choice import PhraseChoice
from assist.suggest.weights import NEUTRAL, Weights
from assist.suggest.wishes import asks_for_advice
from assist.text.small_talk import is_small_talk

SEARCH_LIMIT = 4
"""Articles and cases looked at: two answers and a case are shown, the rest may have been shown before."""

NEW_TOPIC = 0.9
"""Probability from which a situation replaces the one before; short answers to the agent look like many things."""

TELLING = 0.5
"""Relevance from which a hit says something about the situation; below even odds it is as likely about another."""

RECENT = 3
"""Customer utterances that tell together what is being looked for; needs are told in pieces."""

DRAFT_TURNS = 40
"""Turns that a draft is read in the light of; what was said longer ago may be asked again."""


class Assistant:
    """Reads an utterance in the light of its conversation and says what the screen should show.

    Args:
        emotions: turns logits into a calibrated emotion with flags and evidence.
        knowledge: returns the index version that is active now; called once an utterance, so a swap never tears one.
        clock: the present, in UTC.
        new_id: makes an id with the given prefix.
        callback_hours: from when until when, in `timezone`, a phrase may promise a call back.
        timezone: where the retailer's day runs.
        limits: how long the clocks run.
        cuts: where the customer segments part.
        weights: what was learned from outcomes.
        choice: what was learned of calming phrases; None leaves them to the rules.
        drafts: checks what the agent is typing.
    """

    def __init__(
        self,
        *,
        emotions: EmotionReader,
        knowledge: Callable[[], Knowledge],
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        callback_hours: tuple[time, time] = (time(9), time(21)),
        timezone: str = "Asia/Shanghai",
        limits: Limits | None = None,
        cuts: Cuts | None = None,
        weights: Weights = NEUTRAL,
        choice: PhraseChoice | None = None,
        drafts: DraftChecker | None = None,
    ) -> None:
        self._emotions = emotions
        self._knowledge = knowledge
        self._clock = clock
        self._new_id = new_id
        self._callback_hours = callback_hours
        self._timezone = ZoneInfo(timezone)
        self._limits, self._cuts = limits or Limits(), cuts or Cuts()
        self._weights, self._choice = weights, choice
        self._drafts = drafts or DraftChecker()

    @property
    def versions(self) -> Versions:
        """What a result made now would be made with."""
        return self._versions(self._knowledge(), self._weights)

    def start(self, conversation: Conversation) -> Session:
        """An empty session for a conversation that has just been opened."""
        segment = segment_of(conversation.customer, self._clock(), self._cuts)
        session = Session(conversation, limits=self._limits, segment=segment)
        hint = conversation.language
        if hint in ("zh-Hans", "zh-Hant", "en"):
            session.language = hint
        return session

    def needs_encoding(self, speaker: Speaker, session: Session) -> bool:
        """Whether the encoder has to read what this speaker says now: the customer, and the agent as context.

        Where the turns before are forgotten, an agent's turn waits until a customer's turn recalls them all.
        """
        return speaker == "customer" or (speaker == "agent" and bool(session.memories or not session.turns))

    def context(self, session: Session) -> Context:
        """The turns that the encoder should read an utterance in the light of, as they were encoded."""
        return tuple(session.memories)

    def prepare(self, session: Session, utterance: Utterance) -> None:
        """What can be done before the encoding is there: flags and search terms of the text, kept until `assist`."""
        if utterance.speaker != "customer":
            return
        self._emotions.prepare(utterance.text)
        self._knowledge().prepare(utterance.text, spoken_language(utterance.language, session.language))

    def assist(self, session: Session, utterance: Utterance, encoding: Encoding | None) -> AssistResult:
        """Reads the utterance, chooses what to show and records both in the session.

        Args:
            session: the conversation's state; moved on by this call.
            utterance: what was said; its `seq` is given by the caller.
            encoding: the encoder's single pass over the text, or None for anyone but customer and agent.
        """
        begin = perf_counter()
        knowledge = self._knowledge()
        now = self._clock()
        small_talk = is_small_talk(utterance.text)
        if encoding is None or utterance.speaker != "customer":
            emotion, shown, superseded = None, [], []
            intent = session.intent
        else:
            session.language = spoken_language(utterance.language, session.language)
            emotion = self._emotions.read(utterance.text, utterance.language, encoding)
            risk_before = session.risk
            session.feel(emotion)
            moment, intent = self._moment(
                session, utterance, encoding, emotion, knowledge, now, risk_before, small_talk
            )
            shown = [replace(s, id=self._new_id("sug")) for s in suggestions(moment)]
            superseded = session.superseded_by(shown, is_small_talk=small_talk, intent=intent)
        if encoding is not None:
            session.hear(utterance.speaker, encoding)
        session.intent = intent
        result = AssistResult(
            utterance=utterance,
            emotion=emotion,
            conversation=session.reading(now),
            suggestions=tuple(shown),
            superseded=tuple(superseded),
            versions=self._versions(knowledge, self._weights.for_conversation(session.conversation.id)),
            took_ms=round((perf_counter() - begin) * 1000, 2),
        )
        session.record(utterance, result, is_small_talk=small_talk)
        # What was just said starts and stops clocks, too.
        return replace(result, conversation=session.reading(now))

    def restore(
        self,
        conversation: Conversation,
        turns: Sequence[tuple[Utterance, AssistResult]],
        outcomes: Mapping[str, Outcome],
    ) -> Session:
        """The session as it was, from what the log holds: the same steps as live, without the models."""
        session = self.start(conversation)
        for utterance, result in turns:
            if result.emotion is not None:
                session.language = spoken_language(utterance.language, session.language)
                session.feel(result.emotion)
            session.record(utterance, result, is_small_talk=is_small_talk(utterance.text))
        for suggestion_id, outcome in outcomes.items():
            session.set_outcome(suggestion_id, outcome)
        return session

    def recall(self, session: Session, turns: Sequence[tuple[Speaker, Encoding]]) -> None:
        """Gives a session back what the log does not hold: how its last turns were encoded, oldest first.

        The oldest of them is encoded without the turns before it, as in training; live it had looked back at some.
        """
        session.memories.extend((speaker, encoding.memory) for speaker, encoding in turns)
        if not session.vectors:
            session.vectors.extend(encoding.vector for speaker, encoding in turns if speaker == "customer")

    def forget(self, session: Session) -> None:
        """Drops what takes most of a session's memory and can be recalled: what later turns look back at."""
        session.memories.clear()

    def set_outcome(self, session: Session, suggestion_id: str, outcome: Outcome) -> None:
        """What the agent did with a suggestion."""
        session.set_outcome(suggestion_id, outcome)

    def state(self, session: Session) -> ConversationReading:
        """Where the conversation stands at this moment."""
        return session.reading(self._clock())

    def known(self, session: Session, language: ArticleLanguage | None) -> tuple[Known, ...]:
        """What need not be asked again, in the reader's language, else in that of the conversation."""
        return known_in(session, self._clock().astimezone(self._timezone), language or session.language)

    def close(self, session: Session, agent_language: ArticleLanguage | None = None) -> WrapUp:
        """Ends the conversation and wraps it up, in the customer's language where the agent's is not given."""
        session.closed_at = session.closed_at or self._clock()
        hours = CallHours(*self._callback_hours, self._timezone)
        return wrap_up(session, self._clock(), hours, agent_language)

    def draft_hearing(self, text: str, session: Session | None) -> Callable[[], Mapping[str, Heard] | None]:
        """What the network hears in a draft, for `check_draft`: to be called on a thread, where it computes for some
        milliseconds. It holds what it needs of the session as it is now.
        """
        context = self.context(session) if session is not None else ()
        return partial(self._drafts.hear, text, context, self._cited(session))

    def check_draft(
        self, text: str, session: Session | None, heard: Mapping[str, Heard] | None = None
    ) -> list[DraftIssue]:
        """What is wrong with what the agent is typing, in the light of the conversation if there is one.

        Args:
            text: the draft so far.
            session: the conversation's state; it is not moved on.
            heard: what `draft_hearing` said of it; without it only the wording is judged.
        """
        if session is None:
            return self._drafts.check(text, DraftContext(), heard)
        context = DraftContext(
            turns=tuple((turn.utterance.speaker, turn.utterance.text) for turn in session.turns[-DRAFT_TURNS:]),
            language=session.language if session.first_customer_at else None,
            customer=session.conversation.customer,
            articles=self._cited(session),
        )
        return self._drafts.check(text, context, heard)

    def _cited(self, session: Session | None) -> tuple[str, ...]:
        """Texts of the articles that the latest answers cite."""
        cited = session.cited if session is not None else ()
        return tuple(a.body for a in self._knowledge().articles if (a.id, a.version) in cited) if cited else ()

    def _moment(
        self,
        session: Session,
        utterance: Utterance,
        encoding: Encoding,
        emotion: Emotion,
        knowledge: Knowledge,
        now: datetime,
        risk_before: float,
        small_talk: bool,
    ) -> tuple[Moment, str | None]:
        who, channel = session.conversation.customer, session.conversation.channel
        texts = [*session.customer_texts(), utterance.text]
        order = customer.order_meant(who, texts)
        about = customer.talked_about(who, knowledge.products, texts, order)
        hits: tuple[Hit, ...] = ()
        intent = session.intent
        situations: Mapping[str, float] = {}
        if not small_talk and emotion.label != "unknown":
            hits = tuple(
                knowledge.search(
                    utterance.text,
                    encoding.vector,
                    language=session.language,
                    kinds=("article", "case") if policy.shows_cases(emotion) else ("article",),
                    channel=channel,
                    limit=SEARCH_LIMIT,
                    on=now.astimezone(self._timezone).date(),
                    about=[product.sku for product in about],
                    min_relevance=min(SAFETY_THRESHOLD, TELLING),
                )
            )
            telling = [hit for hit in hits if hit.relevance >= TELLING]
            situations = knowledge.likely_situations(
                encoding.vector, telling, memory=encoding.memory, text=utterance.text
            )
            intent = _topic(intent, *next(iter(situations.items()), (None, 0.0)))
        recent = np.sum([encoding.vector, *session.context_vectors()[: RECENT - 1]], axis=0)
        product = order.title if order is not None else None
        facts = (
            ()
            if small_talk
            else history_facts(
                who,
                situation=intent,
                emotion=emotion,
                channel=channel,
                language=session.language,
                about=about,
                order=order,
                segment=session.segment,
                now=now.astimezone(self._timezone),
            )
        )
        moment = Moment(
            utterance=utterance,
            emotion=emotion,
            language=session.language,
            channel=channel,
            customer=who,
            knowledge=knowledge,
            now=now,
            vector=encoding.vector,
            recent_text=" ".join(texts[-RECENT:]),
            recent_vector=(recent / np.linalg.norm(recent)).astype(np.float32),
            hits=hits,
            situation=intent,
            situations=_with_topic(situations, intent),
            is_small_talk=small_talk,
            is_choosing=intent in policy.PRESALES_SITUATIONS or asks_for_advice(utterance.text),
            was_ever_negative=session.was_ever_negative,
            calm_since_resolution=session.calm_since_resolution,
            has_agent_answered=session.has_agent_answered,
            trend=session.trend,
            risk=session.risk,
            risk_before=risk_before,
            negative_streak=session.negative_streak,
            stages_said=frozenset(session.stages_said),
            heard=tuple(text for text in (session.last_agent_text, session.last_calming) if text),
            question_count=session.question_count,
            shown=frozenset(session.shown),
            facts=facts,
            talked_about=about,
            slots=customer.slots_of(who, order, session.language, product),
            holds=self._holds(now, has_order=order is not None, has_product=product is not None),
            segment=session.segment,
            weights=self._weights.for_conversation(session.conversation.id),
            choice=self._choice,
        )
        return moment, intent

    def _versions(self, knowledge: Knowledge, weights: Weights) -> Versions:
        rules = weights.versioned(policy.VERSION)
        return Versions(models=self._emotions.version, index=knowledge.version, policy=rules)

    def _holds(self, now: datetime, *, has_order: bool, has_product: bool) -> frozenset[str]:
        begin, end = self._callback_hours
        in_hours = begin <= now.astimezone(self._timezone).time() < end
        facts = {"order": has_order, "product": has_product, "in_hours": in_hours, "outside_hours": not in_hours}
        return frozenset(name for name, holds in facts.items() if holds)


def spoken_language(language: Language, before: ArticleLanguage) -> ArticleLanguage:
    """The variant to answer in: the customer's own; for mixed text the Chinese variant that was spoken before."""
    if language == "other":
        return before
    if language == "mixed":
        return before if before != "en" else "zh-Hans"
    return language


def _topic(before: str | None, found: str | None, probability: float) -> str | None:
    """The situation talked about: a new one needs to be clearer than the one that everybody is already in."""
    if found is None or probability < 0.5 or found == "small_talk" or (before is not None and probability < NEW_TOPIC):
        return before
    return found


def _with_topic(situations: Mapping[str, float], topic: str | None) -> Mapping[str, float]:
    """What this utterance may be about; where it does not tell, the topic of the talk speaks for itself."""
    if topic is None:
        return situations
    untold = max(0.0, 1 - sum(share for name, share in situations.items() if name != "small_talk"))
    return {**situations, topic: situations.get(topic, 0.0) + untold}
