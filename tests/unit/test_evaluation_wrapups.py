"""The checker of wrap-ups: it finds what does not stand, and counts by hand-made marks."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assist.conversation.session import Session
from assist.conversation.wrapup import wrap_up
from assist.domain import (
    AssistResult,
    Conversation,
    Customer,
    Emotion,
    FollowUp,
    Utterance,
    Versions,
    WrapUp,
)
from scripts.evaluation.wrapups import (
    BEGIN,
    DATA,
    HOURS,
    OUTCOMES,
    ZONE,
    Mark,
    Place,
    due_at,
    due_scores,
    facts_of,
    hit_rate,
    mark_of,
    promise_scores,
)

NOW = BEGIN + timedelta(minutes=3)
SAID = (
    ("customer", "Hello. My lamp CW7 came broken!"),
    ("agent", "Sorry, Ann. I'll send a new one tomorrow before noon."),
    ("customer", "It was a gift."),
)


@pytest.fixture
def session() -> Session:
    session = Session(Conversation("conv_1", "chat", BEGIN, Customer("cust_1", "Ann")), language="en")
    for index, (speaker, text) in enumerate(SAID):
        at = BEGIN + timedelta(minutes=index)
        emotion = Emotion("frustrated", 0.9, {}, 0.5, "negative") if speaker == "customer" else None
        if emotion is not None:
            session.feel(emotion)
        utterance = Utterance(f"utt_{index}", index + 1, speaker, text, "en", at)  # type: ignore[arg-type]
        result = AssistResult(utterance, emotion, session.reading(at), (), (), Versions("", "", ""), 0.0)
        session.record(utterance, result, is_small_talk=False)
    return session


def broken(found: WrapUp, session: Session) -> list[str]:
    return [fact for fact, stands in facts_of(found, session, NOW) if not stands]


def first_quote(**change: object) -> Callable[[WrapUp], WrapUp]:
    return lambda found: replace(found, quotes=(replace(found.quotes[0], **change), *found.quotes[1:]))


def promise(**change: object) -> Callable[[WrapUp], WrapUp]:
    return lambda found: replace(
        found, quotes=tuple(replace(q, **change) if q.part == "promise" else q for q in found.quotes)
    )


def follow_up(**change: object) -> Callable[[WrapUp], WrapUp]:
    def changed(found: WrapUp) -> WrapUp:
        assert found.follow_up is not None
        return replace(found, follow_up=replace(found.follow_up, **change))

    return changed


def test_a_wrap_up_that_stands(session: Session) -> None:
    found = wrap_up(session, NOW, HOURS)
    assert {quote.part for quote in found.quotes} == {"problem", "promise", "outcome", "worst"}
    assert len(list(facts_of(found, session, NOW))) > 10
    assert broken(found, session) == []


@pytest.mark.parametrize(
    "spoil",
    [
        first_quote(text="My lamp CW8 came broken!"),
        first_quote(start=8),
        first_quote(end=999),
        first_quote(utterance_id="utt_2"),
        first_quote(utterance_id="utt_9"),
        first_quote(speaker="agent"),
        first_quote(start=7, end=7, text=""),
        promise(part="problem"),
        promise(due_text="by Monday"),
        promise(due_text=None),
        promise(due_at=BEGIN - timedelta(days=1)),
        lambda found: replace(found, summary=("She wants a refund.",)),
        lambda found: replace(found, message="To confirm what we agreed:\n• A voucher."),
        lambda found: replace(found, message="To confirm the 50 we agreed:"),
        lambda found: replace(found, emotion_worst="angry"),
        follow_up(action="Call the customer with the 20 that Bob promised"),
        follow_up(reason="dissatisfied since 2019"),
        follow_up(due_at=NOW - timedelta(hours=1)),
        follow_up(due_at=datetime(2026, 11, 25, 3, 0, tzinfo=ZONE)),
    ],
)
def test_what_does_not_stand_is_found(session: Session, spoil: Callable[[WrapUp], WrapUp]) -> None:
    assert broken(spoil(wrap_up(session, NOW, HOURS)), session)


def test_names_and_numbers_of_the_talk_and_the_profile_may_be_said(session: Session) -> None:
    found = wrap_up(session, NOW, HOURS)
    about = FollowUp(BEGIN + timedelta(days=1), "Call and tell Ann about order 7", "a lamp")
    assert broken(replace(found, follow_up=about), session) == []


def test_a_mark_is_a_place_in_a_turn() -> None:
    talk = {"turns": [{"speaker": speaker, "text": text} for speaker, text in SAID]}
    row = {
        "problem": [{"turn": 0, "text": "My lamp CW7 came broken!"}],
        "promises": [
            {"turn": 1, "text": "I'll send a new one", "due": "d1T12:00"},
            {"turn": 1, "text": "S", "optional": 1},
        ],
        "outcome": "promised",
    }
    mark = mark_of(row, talk)
    assert mark.problem == [Place(0, 7, 31)]
    assert mark.promises == [Place(1, 12, 31, datetime(2026, 11, 25, 12, 0, tzinfo=ZONE))]
    assert mark.optional == [Place(1, 0, 1)]
    with pytest.raises(ValueError, match="substring"):
        mark_of({**row, "problem": [{"turn": 2, "text": "My lamp"}]}, talk)


@pytest.mark.parametrize(
    ("mark", "at"),
    [
        ("+20m", "2026-11-24T10:20"),
        ("+24h", "2026-11-25T10:00"),
        ("d0T18:00", "2026-11-24T18:00"),
        ("w4", "2026-11-30T23:59"),
        ("2026-12-09", "2026-12-09T23:59"),
    ],
)
def test_marked_times(mark: str, at: str) -> None:
    assert due_at(mark, BEGIN) == datetime.fromisoformat(at).replace(tzinfo=ZONE)


def test_scores_by_hand() -> None:
    noon = BEGIN + timedelta(hours=2)
    mark = Mark([Place(0, 0, 10)], [Place(1, 0, 10, noon), Place(3, 0, 10)], [Place(5, 0, 10)], "promised")
    chosen = [Place(1, 2, 12, noon), Place(5, 0, 10), Place(7, 0, 10)]
    assert promise_scores([chosen], [mark]) == {"precision": 0.5, "recall": 0.5}
    assert due_scores([chosen], [mark]) == {"precision": 1.0, "recall": 1.0, "marked": 1}
    assert due_scores([[Place(1, 0, 10, BEGIN)]], [mark]) == {"precision": 0.0, "recall": 0.0, "marked": 1}
    assert hit_rate([[Place(0, 6, 40)], [Place(0, 5, 15)]], [mark, mark]) == 0.5
    assert promise_scores([[]], [mark]) == {"precision": 0.0, "recall": 0.0}


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_mark_stands_in_its_conversation(split: str) -> None:
    def rows(path: Path) -> list[dict]:  # type: ignore[type-arg]
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    talks = {talk["id"]: talk for talk in rows(DATA / "conversations" / f"{split}.jsonl")}
    marks = rows(DATA / "wrapups" / f"{split}.jsonl")
    assert len({row["id"] for row in marks}) == len(marks) >= 100
    for row in marks:
        talk = talks[row["id"]]
        mark = mark_of(row, talk)
        assert mark.outcome in OUTCOMES and mark.problem
        assert all(talk["turns"][place.turn]["speaker"] == "customer" for place in mark.problem)
        assert all(talk["turns"][place.turn]["speaker"] == "agent" for place in (*mark.promises, *mark.optional))
