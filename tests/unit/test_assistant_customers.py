"""The engine with a known customer: clocks, segment, routing and evidence in its results, live and restored."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hashing_encoder import HashingEncoder
from made_encodings import encoding

from assist.conversation.assistant import Assistant
from assist.conversation.clocks import Limits
from assist.conversation.segments import Cuts
from assist.conversation.session import Session
from assist.domain import (
    AssistResult,
    Conversation,
    Customer,
    Emotion,
    EmotionLabel,
    Order,
    Routing,
    Utterance,
    polarity_of,
)
from assist.knowledge.index import IndexStore, build

DATA = Path(__file__).parents[1] / "data" / "knowledge"
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CORE = Customer(
    "c",
    tier="gold",
    orders=tuple(Order(f"O{n}", f"S{n}", "Lamp", 600.0, "delivered", NOW - timedelta(days=9 * n)) for n in range(1, 5)),
)


class Feelings:
    """Reads the label that stands before the colon."""

    version = "scripted"

    def read(self, text: str, *_: object) -> Emotion:
        label: EmotionLabel = text.partition(":")[0]  # type: ignore[assignment]
        return Emotion(label, 0.9, {label: 1.0}, 0.8, polarity_of(label))


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    folder = tmp_path_factory.mktemp("index")
    manifest = build(DATA, folder, HashingEncoder())
    knowledge = IndexStore(folder).open(manifest.id)
    ids = itertools.count()
    return Assistant(
        emotions=Feelings(),  # type: ignore[arg-type]
        knowledge=lambda: knowledge,
        clock=lambda: NOW + timedelta(seconds=50),
        new_id=lambda prefix: f"{prefix}_{next(ids)}",
        limits=Limits(enquiry=timedelta(seconds=40)),
        cuts=Cuts(core_orders=4),
    )


def say(assistant: Assistant, session: Session, text: str, speaker: str = "customer") -> AssistResult:
    number = len(session.turns) + 1
    utterance = Utterance(f"u{number}", number, speaker, text, "en", NOW + timedelta(seconds=number))  # type: ignore[arg-type]
    read = encoding(HashingEncoder().encode_query(text).vector) if speaker == "customer" else None
    return assistant.assist(session, utterance, read)


def started(assistant: Assistant, customer: Customer) -> Session:
    return assistant.start(Conversation("conv_1", "chat", NOW, customer))


def test_what_is_said_starts_its_clocks_in_the_same_result(assistant: Assistant) -> None:
    session = started(assistant, Customer("c"))
    reading = say(assistant, session, "neutral: where is my lamp").conversation
    assert [(clock.name, clock.state) for clock in reading.clocks] == [
        ("first_answer", "due_soon"),
        ("enquiry", "overdue"),
    ]
    assert reading.routing == Routing("general", 3, "overdue")
    assert reading.segment is None
    answered = say(assistant, session, "Let me look.", "agent").conversation
    assert answered.clocks[0].state == "met"


def test_anger_of_a_core_customer_is_first_and_says_why(assistant: Assistant) -> None:
    session = started(assistant, CORE)
    result = say(assistant, session, "angry: you cheats, where is my lamp")
    assert result.conversation.segment == "core"
    assert result.conversation.routing == Routing("complaints", 1, "hostile_valued")
    # Two alerts at a time: what can be told only now comes first, the history at the next turn.
    later = say(assistant, session, "frustrated: well?").suggestions
    alert = next(s for s in (*result.suggestions, *later) if s.source.id == "high_value:tier")
    assert "core customer" in alert.text
    assert alert.reason == "Evidence: 4 orders within a year, ¥2,400 in all, the latest 9 days ago"
    plain = say(assistant, started(assistant, Customer("c")), "angry: you cheats, where is my lamp")
    assert plain.conversation.routing == Routing("complaints", 1, "overdue")
    assert all(s.source.id != "high_value:tier" for s in plain.suggestions)


def test_a_restored_session_reads_as_the_live_one(assistant: Assistant) -> None:
    session = started(assistant, CORE)
    results = [say(assistant, session, "frustrated: my lamp broke"), say(assistant, session, "Sorry.", "agent")]
    results.append(say(assistant, session, "angry: that is all?"))
    logged = replace(session.conversation, customer=replace(CORE, orders=tuple(replace(o, id="") for o in CORE.orders)))
    restored = assistant.restore(logged, [(result.utterance, result) for result in results], {})
    assert assistant.state(restored) == assistant.state(session) == results[-1].conversation


def test_closing_ends_the_clocks_once(assistant: Assistant) -> None:
    session = started(assistant, Customer("c"))
    say(assistant, session, "angry: where is my lamp")
    assistant.close(session)
    closed_at = session.closed_at
    assistant.close(session)
    assert session.closed_at == closed_at
    states = {clock.name: clock.state for clock in session.reading(NOW + timedelta(days=9)).clocks}
    assert (states["enquiry"], states["closure"]) == ("late", "met")


def test_what_is_known_is_told_in_the_readers_language_else_in_the_talks(assistant: Assistant) -> None:
    session = started(assistant, Customer("c", attributes={"size": "M"}))
    say(assistant, session, "neutral: hello")
    assert [one.label for one in assistant.known(session, "zh-Hant")] == ["尺寸"]
    assert [one.label for one in assistant.known(session, None)] == ["Size"]
