"""Trend and escalation risk from sequences of feelings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.conversation.trajectory import WEIGHTS, escalation_risk, features, heat_of, trend_of
from assist.domain import EMOTIONS, FLAGS, Emotion, EmotionLabel, Flag, polarity_of


def feeling(label: EmotionLabel, intensity: float = 0.5, flags: tuple[Flag, ...] = ()) -> Emotion:
    return Emotion(label, 0.9, {label: 1.0}, intensity, polarity_of(label), flags)


feelings = st.builds(
    feeling,
    st.sampled_from([*EMOTIONS, "unknown"]),
    st.floats(0, 1),
    st.sets(st.sampled_from(FLAGS), max_size=3).map(tuple),
)


def test_trend_needs_two_utterances() -> None:
    assert trend_of([]) == trend_of([1.0]) == "steady"


def test_trend_follows_the_heat() -> None:
    assert trend_of([0.05, 0.65]) == "rising"
    assert trend_of([1.0, 0.65, 0.05]) == "falling"
    assert trend_of([0.4, 0.42, 0.41, 0.4]) == "steady"


def test_heat_is_expected_over_probabilities() -> None:
    unsure = Emotion("angry", 0.5, {"angry": 0.5, "neutral": 0.5}, 0.5, "negative")
    assert heat_of(feeling("neutral")) < heat_of(unsure) < heat_of(feeling("angry"))


@given(st.lists(feelings, min_size=1, max_size=12))
def test_risk_is_a_probability_of_known_features(felt: list[Emotion]) -> None:
    assert set(features(felt)) == set(WEIGHTS)
    assert 0 < escalation_risk(felt) < 1


@pytest.mark.parametrize("label", ["angry", "frustrated", "disappointed", "anxious", "confused", "neutral"])
def test_a_threat_makes_any_feeling_riskier(label: EmotionLabel) -> None:
    assert escalation_risk([feeling(label)]) < escalation_risk([feeling(label, flags=("legal_threat", "abusive"))])


def test_risk_grows_with_the_feeling_and_with_repetition() -> None:
    risks = [escalation_risk([feeling(label)]) for label in ("satisfied", "anxious", "frustrated", "angry")]
    assert risks == sorted(risks)
    once = escalation_risk([feeling("neutral"), feeling("frustrated")])
    assert once < escalation_risk([feeling("frustrated")] * 4)


def test_calm_words_let_risk_fade_but_not_vanish() -> None:
    furious = [feeling("frustrated", 0.7), feeling("angry", 1.0)]
    hot, cooler = escalation_risk(furious), escalation_risk([*furious, feeling("neutral", 0.0)])
    settled = escalation_risk([*furious, feeling("neutral", 0.0), feeling("satisfied")])
    assert escalation_risk([feeling("neutral", 0.0)] * 4) < settled < cooler < hot
