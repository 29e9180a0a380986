"""The policy table of the design, held against conversations that nobody thought of.

Real assistant, real index over the demo knowledge base; only the feelings are scripted, so that every row of the table
is met whatever the emotion model says today. Vectors come from a hashing encoder: what is found does not matter here.
"""

import itertools
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hashing_encoder import HashingEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from made_encodings import encoding

from assist.conversation.assistant import Assistant
from assist.conversation.session import Session
from assist.domain import (
    EMOTIONS,
    FLAGS,
    NEGATIVE,
    THREATS,
    AssistResult,
    Conversation,
    Customer,
    Emotion,
    Language,
    Order,
    Speaker,
    Utterance,
    polarity_of,
)
from assist.knowledge.index import IndexStore, build
from assist.knowledge.search import Knowledge
from assist.text.small_talk import is_small_talk

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TEXTS = (
    "退款怎么还没到账",
    "想买个空气炸锅，三个人用",
    "預算500以內有推薦的耳機嗎",
    "which kettle would suit two people, under 300",
    "the bulbs came smashed",
    "电池鼓包了，很烫",
    "好的",
    "谢谢",
    "ok",
    "包裹到哪了",
    "我的 order 到底 where is it",
    "can I exchange the jacket for a larger size",
    "优惠券怎么叠加",
)
AGENT_TEXTS = ("我查一下", "已经为您办理退款了", "I've issued the refund.", "Let me look.")
UNFILLED = re.compile(r"\{[a-z_]+\}")


class ScriptedEmotions:
    """Reads the feeling that the test has put down for the next utterance."""

    version = "scripted"

    def __init__(self) -> None:
        self.next: Emotion | None = None

    def read(self, *_: object) -> Emotion:
        assert self.next is not None
        return self.next


@dataclass(frozen=True)
class Said:
    """One utterance of a generated conversation; `emotion` is None for the agent."""

    text: str
    emotion: Emotion | None


@dataclass(frozen=True)
class Engine:
    """The assistant over one index version, with feelings from a script."""

    knowledge: Knowledge
    emotions: ScriptedEmotions
    encoder: HashingEncoder

    def assistant(self) -> Assistant:
        ids = itertools.count()
        return Assistant(
            emotions=self.emotions,  # type: ignore[arg-type]
            knowledge=lambda: self.knowledge,
            clock=lambda: NOW,
            new_id=lambda prefix: f"{prefix}_{next(ids)}",
        )

    def play(
        self,
        conversation: list[Said],
        customer: Customer,
        assistant: Assistant | None = None,
        session: Session | None = None,
    ) -> list[AssistResult]:
        assistant = assistant or self.assistant()
        session = session or assistant.start(Conversation("conv_1", "chat", NOW, customer))
        results = []
        for number, said in enumerate(conversation, 1):
            speaker: Speaker = "agent" if said.emotion is None else "customer"
            language: Language = "en" if said.text.isascii() else "zh-Hans"
            utterance = Utterance(
                f"utt_{number}", number, speaker, said.text, language, NOW + timedelta(seconds=number)
            )
            self.emotions.next = said.emotion
            read = None if said.emotion is None else encoding(self.encoder.encode_query(said.text).vector)
            results.append(assistant.assist(session, utterance, read))
        return results


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("policy")
    encoder = HashingEncoder()
    manifest = build(ROOT / "knowledge_base", folder, encoder)
    return Engine(IndexStore(folder).open(manifest.id), ScriptedEmotions(), encoder)


@st.composite
def feelings(draw: st.DrawFn) -> Emotion:
    label = draw(st.sampled_from(EMOTIONS))
    sure = draw(st.floats(0.3, 1.0))
    rest = (1 - sure) / (len(EMOTIONS) - 1)
    probabilities = {name: sure if name == label else rest for name in EMOTIONS}
    flags = tuple(sorted(draw(st.sets(st.sampled_from(FLAGS), max_size=2))))
    return Emotion(label, sure, probabilities, draw(st.floats(0, 1)), polarity_of(label), flags)


customer_says = st.builds(Said, st.sampled_from(TEXTS), feelings())
agent_says = st.builds(Said, st.sampled_from(AGENT_TEXTS), st.none())
FRYER = Order("CW20261108-4471", "CW-KIT-0001", "Aqua 空气炸锅 2.5L", 199, "shipped", NOW)
customers = st.sampled_from(
    (
        Customer("nobody"),
        Customer("named", "林晓雯", "platinum", (FRYER,)),
        Customer("en", "Emily Carter", "gold", attributes={"allergies": ["nickel"], "birthday": "1990-11-02"}),
    )
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(customer_says | agent_says, min_size=1, max_size=12), customers)
def test_no_row_of_the_policy_table_is_ever_broken(
    engine: Engine,
    conversation: list[Said],
    customer: Customer,
) -> None:
    shown: set[tuple[str, str]] = set()
    was_negative, calm_since_negative = False, 0
    for said, result in zip(conversation, engine.play(conversation, customer), strict=True):
        kinds = [suggestion.kind for suggestion in result.suggestions]
        for suggestion in result.suggestions:
            source = (suggestion.source.type, suggestion.source.id)
            assert source not in shown, "a suggestion came twice"
            shown.add(source)
            assert not UNFILLED.search(suggestion.text)
            assert suggestion.text.strip()
            assert suggestion.title.strip()
            assert 0 <= suggestion.relevance <= 1
        if said.emotion is None:
            assert not kinds
            continue
        flags = set(said.emotion.flags)
        is_hostile = said.emotion.label == "angry" or "abusive" in flags or bool(flags & THREATS)
        is_negative = said.emotion.label in NEGATIVE or is_hostile
        calm_since_negative = 0 if is_negative else calm_since_negative + 1
        was_negative |= is_negative
        if "offer" in kinds:
            assert not is_negative
            assert "safety_risk" not in flags
            assert said.emotion.label in ("neutral", "satisfied")
            assert not is_small_talk(said.text)
            assert not was_negative or calm_since_negative >= 2
        if flags & {*THREATS, "safety_risk", "abusive"}:
            assert kinds[0] == "alert", "a danger, a threat or an insult is told every time"
        if "safety_risk" in flags:
            assert set(kinds) <= {"alert", "answer", "next_step"}
        elif is_hostile:
            assert "question" not in kinds
            first_words = [kind for kind in kinds if kind != "alert"]
            assert not first_words or first_words[0] == "calming" or "calming" not in first_words
        elif is_small_talk(said.text):
            assert not set(kinds) - {"alert", "next_step"}
            assert not kinds or "wants_human" in flags
        elif said.emotion.label in ("neutral", "confused", "satisfied"):
            assert "calming" not in kinds
        if said.emotion.label == "satisfied" and not is_hostile and "safety_risk" not in flags:
            assert not {"answer", "case"} & set(kinds), "further process text for a satisfied customer"


def test_offered_products_are_in_stock_affordable_and_not_owned(engine: Engine) -> None:
    calm = Emotion("neutral", 0.9, {"neutral": 0.9, "satisfied": 0.1}, 0.0, "neutral")
    wishes = [Said(f"{text} {n}", calm) for n in range(4) for text in TEXTS if "买" in text or "under" in text]
    some = tuple(itertools.islice(engine.knowledge.products.values(), 0, 150, 3))
    owned = tuple(Order(f"CW-{p.sku}", p.sku, p.titles["en"], p.price, "delivered", NOW) for p in some)
    offered = [
        engine.knowledge.products[suggestion.source.id]
        for result in engine.play(wishes, Customer("owner", orders=owned))
        for suggestion in result.suggestions
        if suggestion.kind == "offer"
    ]
    owned_skus = {order.sku for order in owned}
    assert all(product.stock > 0 for product in offered)
    assert all(product.consumable or product.sku not in owned_skus for product in offered)


def test_a_replay_gives_the_same_answers(engine: Engine) -> None:
    hurt = Emotion("frustrated", 0.8, {"frustrated": 0.8, "neutral": 0.2}, 0.6, "negative")
    calm = Emotion("neutral", 0.9, {"neutral": 1.0}, 0.0, "neutral")
    conversation = [Said(text, feeling) for text in TEXTS for feeling in (calm, hurt)]
    first, second = (engine.play(conversation, Customer("nobody")) for _ in range(2))
    assert [r.suggestions for r in first] == [r.suggestions for r in second]
    assert [r.conversation for r in first] == [r.conversation for r in second]


def test_a_restored_session_stands_where_the_live_one_stood(engine: Engine) -> None:
    hurt = Emotion("angry", 0.8, {"angry": 0.8, "neutral": 0.2}, 0.9, "negative")
    calm = Emotion("neutral", 0.9, {"neutral": 1.0}, 0.0, "neutral")
    conversation = [Said(TEXTS[0], hurt), Said(AGENT_TEXTS[2], None), Said(TEXTS[9], calm), Said(TEXTS[4], calm)]
    assistant = engine.assistant()
    opened = Conversation("conv_1", "chat", NOW, Customer("nobody"))
    live = assistant.start(opened)
    turns = [(result.utterance, result) for result in engine.play(conversation, Customer("nobody"), assistant, live)]
    restored = assistant.restore(opened, turns, {})
    for name in ("risk", "trend", "negative_streak", "calm_since_resolution", "shown", "open", "intent", "language"):
        assert getattr(restored, name) == getattr(live, name), name


def test_a_conversation_that_heats_up_is_told_once_and_with_its_streak(engine: Engine) -> None:
    hurt = Emotion("frustrated", 0.9, {"frustrated": 0.9, "neutral": 0.1}, 0.6, "negative")
    results = engine.play([Said("还没到", hurt)] * 6, Customer("nobody"))
    told = [s.text for result in results for s in result.suggestions if s.source.id == "rising"]
    first = next(result for result in results if any(s.source.id == "rising" for s in result.suggestions))
    assert len(told) == 1
    assert f"已连续 {first.conversation.negative_streak} 句负面" in told[0]
    assert first.conversation.negative_streak > 1


def test_heating_up_without_a_streak_does_not_count_one(engine: Engine) -> None:
    calm = Emotion("neutral", 0.9, {"neutral": 0.9, "satisfied": 0.1}, 0.0, "neutral")
    furious = Emotion("angry", 1.0, {"angry": 1.0}, 1.0, "negative")
    results = engine.play([Said("好的", calm)] * 3 + [Said("退钱", furious)], Customer("nobody"))
    told = [s.text for s in results[-1].suggestions if s.source.id == "rising"]
    assert told
    assert "句负面" not in told[0]
