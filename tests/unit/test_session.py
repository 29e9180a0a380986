"""Trend, risk, streak, resolution and clocks from a sequence of feelings."""

from datetime import UTC, datetime, timedelta

from assist.conversation.session import Session
from assist.domain import (
    AssistResult,
    Conversation,
    Customer,
    Emotion,
    EmotionLabel,
    Flag,
    Source,
    Speaker,
    Suggestion,
    SuggestionKind,
    Utterance,
    Versions,
    polarity_of,
)

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def feeling(label: EmotionLabel, intensity: float = 0.5, flags: tuple[Flag, ...] = ()) -> Emotion:
    return Emotion(label, 0.9, {label: 1.0}, intensity, polarity_of(label), flags)


def a_session() -> Session:
    return Session(Conversation("conv_1", "chat", NOW, Customer("cust_1")))


def say(
    session: Session,
    text: str,
    emotion: Emotion | None,
    *,
    speaker: Speaker = "customer",
    at: datetime = NOW,
    shows: tuple[Suggestion, ...] = (),
) -> None:
    if emotion is not None:
        session.feel(emotion)
    utterance = Utterance(f"utt_{len(session.turns)}", len(session.turns) + 1, speaker, text, "en", at)
    result = AssistResult(utterance, emotion, session.reading(at), shows, (), Versions("m", "i", "p"), 0.0)
    session.record(utterance, result, is_small_talk=False)


def suggestion(suggestion_id: str, kind: SuggestionKind) -> Suggestion:
    return Suggestion(suggestion_id, kind, "text", "title", "en", 0.9, "why", Source("article", suggestion_id, "1"))


def test_streak_counts_negative_utterances_in_a_row() -> None:
    session = a_session()
    for label, streak in (("anxious", 1), ("frustrated", 2), ("neutral", 0), ("angry", 1)):
        say(session, "x", feeling(label))  # type: ignore[arg-type]
        assert session.negative_streak == streak


def test_threat_in_a_neutral_tone_counts_as_negative() -> None:
    session = a_session()
    say(session, "then I will call my lawyer", feeling("neutral", 0.0, ("legal_threat",)))
    assert session.negative_streak == 1
    assert session.was_ever_negative


def test_resolution_starts_with_what_the_agent_has_done() -> None:
    session = a_session()
    say(session, "still no refund!", feeling("frustrated"))
    say(session, "I've issued the refund to your card.", None, speaker="agent")
    assert session.calm_since_resolution == 0
    say(session, "okay", feeling("neutral", 0.0))
    say(session, "thanks", feeling("satisfied"))
    assert session.calm_since_resolution == 2
    say(session, "wait, it is the wrong amount!", feeling("angry"))
    assert session.calm_since_resolution is None


def test_resolution_may_also_be_the_customers_relief() -> None:
    session = a_session()
    say(session, "where is it?", feeling("anxious"))
    say(session, "ah, found it, thank you", feeling("satisfied"))
    assert session.calm_since_resolution == 0


def test_accepted_answer_counts_as_resolution_and_leaves_the_screen() -> None:
    session = a_session()
    say(session, "where is it?", feeling("anxious"), shows=(suggestion("sug_1", "answer"),))
    session.set_outcome("sug_1", "accepted")
    assert session.calm_since_resolution == 0
    assert "sug_1" not in session.open


def test_superseding_keeps_alerts_and_answers_to_the_same_question() -> None:
    session = a_session()
    shows = (suggestion("a", "answer"), suggestion("c", "calming"), suggestion("r", "alert"))
    say(session, "where is my parcel?", feeling("frustrated"), shows=shows)
    assert session.superseded_by([], is_small_talk=True, intent=None) == []
    assert session.superseded_by([], is_small_talk=False, intent=None) == ["c"]
    assert session.superseded_by([], is_small_talk=False, intent="refund_time") == ["a", "c"]


def test_first_answer_clock_runs_out_and_is_met() -> None:
    session = a_session()
    assert session.reading(NOW).clocks == ()
    say(session, "hi, my kettle leaks", feeling("neutral", 0.0))
    states = [
        next(c.state for c in session.reading(NOW + timedelta(seconds=s)).clocks if c.name == "first_answer")
        for s in (10, 50, 61)
    ]
    assert states == ["running", "due_soon", "overdue"]
    say(session, "Let me look.", None, speaker="agent", at=NOW + timedelta(seconds=30))
    later = session.reading(NOW + timedelta(minutes=10)).clocks
    assert next(c.state for c in later if c.name == "first_answer") == "met"


def test_complaint_clock_starts_with_hostility() -> None:
    session = a_session()
    say(session, "you cheats!", feeling("angry"))
    names = {clock.name for clock in session.reading(NOW).clocks}
    assert {"complaint_contact", "closure"} <= names


def test_what_the_agent_says_moves_the_stages_on_until_the_next_hurt() -> None:
    session = a_session()
    say(session, "Sorry to keep you waiting in the queue.", None, speaker="agent")
    say(session, "still no refund!", feeling("frustrated"))
    assert session.stages_said == set(), "an apology for something else, before it hurt"
    say(session, "I'm sorry. I'll check and get back to you within 2 hours.", None, speaker="agent")
    assert session.stages_said == {"acknowledge", "next_step"}
    say(session, "and?", feeling("frustrated"))
    say(session, "I've issued the refund to your card.", None, speaker="agent")
    say(session, "now the parcel is late as well!", feeling("angry"))
    assert session.stages_said == set()
