"""What weights do to answers and cases: order and thresholds, and nothing where someone may be harmed."""

from datetime import UTC, datetime

import numpy as np
import pytest

from assist.domain import Customer, Emotion, Hit, Suggestion, SuggestionKind, Utterance
from assist.suggest.answers import answers, cases
from assist.suggest.compose import AT_MOST, _most_used
from assist.suggest.moment import Moment
from assist.suggest.weights import CAP, FLOOR, NEUTRAL, Weights

NOW = datetime(2026, 11, 23, tzinfo=UTC)
VECTOR = np.ones(4, np.float32) / 2


def hit(id_: str, relevance: float, kind: str = "article", situation: str = "safety_incident") -> Hit:
    return Hit(
        kind=kind,  # type: ignore[arg-type]
        id=id_,
        language="en",
        title="title",
        excerpt="excerpt",
        reply="reply",
        steps=(),
        situation=situation,
        version="v1",
        start=0,
        end=1,
        audience="customer",
        cosine=0.5,
        bm25_score=1.0,
        relevance=relevance,
        why="word",
        outcome="resolved",
    )


def moment(weights: Weights, *hits: Hit) -> Moment:
    return Moment(
        utterance=Utterance("utt_1", 1, "customer", "where is it", "en", NOW),
        emotion=Emotion("neutral", 0.9, {"neutral": 0.9}, 0.0, "neutral"),
        language="en",
        channel="chat",
        customer=Customer("nobody"),
        knowledge=None,  # type: ignore[arg-type]
        now=NOW,
        vector=VECTOR,
        recent_text="",
        recent_vector=VECTOR,
        hits=hits,
        situation=None,
        situations={},
        is_small_talk=False,
        is_choosing=False,
        was_ever_negative=False,
        calm_since_resolution=None,
        has_agent_answered=False,
        trend="steady",
        risk=0.0,
        risk_before=0.0,
        negative_streak=0,
        stages_said=frozenset(),
        heard=(),
        question_count=0,
        shown=frozenset(),
        facts=(),
        talked_about=(),
        slots={},
        holds=frozenset(),
        weights=weights,
    )


def ids(found: list[Suggestion]) -> list[str]:
    return [suggestion.source.id for suggestion in found]


def test_what_is_used_more_comes_first_and_what_is_used_less_needs_more() -> None:
    hits = (hit("a", 0.7), hit("b", 0.6), hit("c", 0.55), hit("d", 0.45))
    weights = Weights("w1", sources={"article": {"b": CAP, "c": FLOOR, "d": CAP}})
    assert ids(answers(moment(NEUTRAL, *hits))) == ["a", "b", "c"]
    assert ids(answers(moment(weights, *hits))) == ["b", "d", "a"]
    assert [s.relevance for s in answers(moment(weights, *hits))] == [0.6, 0.45, 0.7], "logged as it was found"
    assert ids(answers(moment(weights, hit("c", 0.67)))) == ["c"], "at the floor it can still be shown"


def test_the_factor_of_a_kind_moves_its_threshold() -> None:
    seldom = Weights("w1", kinds={"case": FLOOR, "answer": FLOOR})
    found = (hit("a", 0.6), hit("b", 0.75, "case"), hit("c", 0.83, "case"))
    assert ids(cases(moment(NEUTRAL, *found))) == ["b", "c"]
    assert ids(cases(moment(seldom, *found))) == ["c"]
    assert ids(answers(moment(seldom, *found))) == []
    both = Weights("w1", {"answer": FLOOR}, {"article": {"a": FLOOR}})
    assert ids(answers(moment(both, hit("a", 0.67)))) == ["a"], "together they are no more than the floor"


def test_where_someone_may_be_harmed_weights_hide_nothing() -> None:
    weights = Weights("w1", {"answer": FLOOR}, {"article": {"a": FLOOR, "b": CAP}})
    hits = (hit("a", 0.3), hit("b", 0.25), hit("c", 0.9, situation="late_delivery"))
    assert ids(answers(moment(weights, *hits), safety_only=True)) == ["a", "b"]


@pytest.mark.parametrize(
    ("kinds", "left_out"),
    [({}, ["case"]), ({"next_step": 0.6, "case": 1.5}, ["next_step"]), ({"answer": 0.5, "case": 1.1}, ["answer"])],
)
def test_of_too_many_cards_the_kind_that_is_used_least_is_left_out(
    kinds: dict[SuggestionKind, float], left_out: list[str]
) -> None:
    row = ("alert", "alert", "calming", "answer", "next_step", "case")
    template = answers(moment(NEUTRAL, hit("a", 0.9)))[0]
    shown = [Suggestion("", kind, "", "", "en", 0.5, "", template.source) for kind in row]  # type: ignore[arg-type]
    kept = [suggestion.kind for suggestion in _most_used(moment(Weights("w1", kinds)), shown)]  # type: ignore[arg-type]
    assert kept == [kind for kind in row if kind not in left_out]
    assert len(kept) == AT_MOST
