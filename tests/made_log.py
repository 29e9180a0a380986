"""A log of agents that do not exist, written through the real repository: how good each source is and how often each
place on the screen is read are known, so that what is learned from it can be held against the truth."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from assist.domain import (
    Agent,
    AssistResult,
    Conversation,
    ConversationReading,
    Customer,
    Emotion,
    Outcome,
    ShownSuggestion,
    Source,
    Suggestion,
    SuggestionKind,
    Utterance,
    Versions,
)
from assist.storage.redaction import Redactor
from assist.storage.repository import Repository

BEGIN = datetime(2026, 9, 1, 8, tzinfo=UTC)
READ_AT = (1.0, 0.62, 0.4, 0.27, 0.2)
REFUSES = 0.3
AGENTS = 6
TOGETHER = 100
SOURCES: Mapping[SuggestionKind, tuple[str, int]] = {
    "answer": ("article", 40),
    "case": ("case", 15),
    "calming": ("phrase", 20),
    "next_step": ("phrase", 20),
    "question": ("phrase", 10),
    "offer": ("product", 25),
}
SCREENS: Sequence[Sequence[SuggestionKind]] = (
    ("alert", "calming", "answer", "answer", "next_step"),
    ("calming", "answer", "answer", "next_step", "case"),
    ("answer", "answer", "offer", "offer", "case"),
    ("answer", "answer", "question"),
    ("answer", "answer", "offer", "offer"),
)
Key = tuple[str, str]


@dataclass(slots=True)
class Shop:
    """How often a card is used if it is read: half of its relevance, times the `lift` of its source."""

    lift: Mapping[Key, float] = field(default_factory=dict)
    seed: int = 1

    def good(self, source: Key, relevance: float) -> float:
        return min(0.5 * relevance * self.lift.get(source, 1.0), 0.95)


def keys(kind: SuggestionKind) -> list[Key]:
    type_, count = SOURCES[kind]
    return [(type_, f"{kind}-{number}") for number in range(count)]


def uneven_shop(seed: int = 1) -> Shop:
    """Sources that agents use from 0.4 to 2 times as often as their relevance says."""
    chance = np.random.default_rng(seed)
    lift = {key: float(np.exp(chance.uniform(np.log(0.4), np.log(2.0)))) for kind in SOURCES for key in keys(kind)}
    return Shop(lift, seed)


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance's result and, by place, what became of its cards."""

    talk: Conversation
    result: AssistResult
    outcomes: Sequence[Outcome]


def play(shop: Shop, talks: int) -> list[Said]:
    """Conversations of two utterances each, in their order."""
    chance = np.random.default_rng(shop.seed)
    said = []
    for number in range(talks):
        at = BEGIN + timedelta(minutes=10 * number)
        agent = Agent(f"agent_{chance.integers(AGENTS)}")
        talk = Conversation(f"conv_{number}", "chat", at, Customer(f"cust_{number}", "Emily Carter"), agent)
        seq = 1
        for _ in range(2):
            result = _result(chance, number, seq + 1, at)
            outcomes = [_outcome(chance, shop, place, card) for place, card in enumerate(result.suggestions)]
            said.append(Said(talk, result, outcomes))
            seq += 1 + sum(outcome != "shown" for outcome in outcomes)
    return said


def as_shown(said: Sequence[Said]) -> list[ShownSuggestion]:
    """What the repository would give back."""
    return [
        ShownSuggestion(
            talk=one.talk.id,
            utterance=f"{one.talk.id}/{one.result.utterance.id}",
            agent=one.talk.agent.id if one.talk.agent else None,
            at=one.talk.opened_at,
            position=place,
            kind=card.kind,
            relevance=card.relevance,
            source_type=card.source.type,
            source_id=card.source.id,
            outcome=outcome,
            verdict=None,
            text=card.text,
        )
        for one in said
        for place, (card, outcome) in enumerate(zip(one.result.suggestions, one.outcomes, strict=True))
        if card.kind != "alert"
    ]


async def write(repository: Repository, clock: list[datetime], said: Sequence[Said]) -> None:
    """Write a log; `clock` is what the repository reads the time from."""
    for begin in range(0, len(said), TOGETHER):
        # The writer takes them in this order and commits them together.
        clock[0] = said[begin].talk.opened_at
        writes: list[Awaitable[object]] = []
        for one in said[begin : begin + TOGETHER]:
            redactor = Redactor(one.talk)
            seq = one.result.utterance.seq
            if seq == 2:
                writes.append(repository.open_conversation(one.talk, redactor))
            writes.append(repository.append(one.talk, redactor, one.result))
            for card, outcome in zip(one.result.suggestions, one.outcomes, strict=True):
                if outcome != "shown":
                    seq += 1
                    writes.append(
                        repository.set_outcome(
                            card.id,
                            outcome,
                            final_text=None,
                            reason=None,
                            redactor=redactor,
                            conversation_id=one.talk.id,
                            seq=seq,
                        )
                    )
        await asyncio.gather(*writes)


def _result(chance: np.random.Generator, number: int, seq: int, at: datetime) -> AssistResult:
    kinds = SCREENS[chance.integers(len(SCREENS))]
    chosen = {kind: _chosen(chance, kind) for kind in dict.fromkeys(kinds) if kind != "alert"}
    cards: list[Suggestion] = []
    for place, kind in enumerate(kinds):
        turn = sum(card.kind == kind for card in cards)
        relevance, key = (0.9, ("rule", "angry")) if kind == "alert" else chosen[kind][turn]
        cards.append(
            Suggestion(
                f"sug_{number}_{seq}_{place}",
                kind,
                f"Dear Emily Carter, {key[1]}",
                "title",
                "en",
                relevance,
                "reason",
                Source(key[0], key[1], "v1"),  # type: ignore[arg-type]
            )
        )
    spoken = Utterance(f"utt_{seq}", seq, "customer", "text", "en", at)
    emotion = Emotion("neutral", 0.9, {"neutral": 0.9}, 0.1, "neutral")
    reading = ConversationReading("steady", 0.1, 0, None)
    return AssistResult(spoken, emotion, reading, tuple(cards), (), Versions("m", "i", "p"), 1.0)


def _chosen(chance: np.random.Generator, kind: SuggestionKind) -> list[tuple[float, Key]]:
    """Two sources, the more relevant first. Some are often relevant, and so stand higher than others."""
    numbers = chance.permutation(SOURCES[kind][1])[:2].tolist()
    found = [(round(chance.uniform(0.5, 0.8) + 0.02 * (n % 8), 3), keys(kind)[n]) for n in numbers]
    return sorted(found, reverse=True)


def _outcome(chance: np.random.Generator, shop: Shop, place: int, card: Suggestion) -> Outcome:
    if card.kind == "alert" or chance.random() >= READ_AT[place]:
        return "shown"
    if chance.random() < shop.good((card.source.type, card.source.id), card.relevance):
        return "edited" if chance.random() < 0.2 else "accepted"
    return "dismissed" if chance.random() < REFUSES else "ignored"
