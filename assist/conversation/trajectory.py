"""Where a conversation is heading: trend and escalation risk from the sequence of what the customer felt."""

from collections.abc import Sequence
from math import exp, log1p

from assist.domain import THREATS, Emotion, Trend
from assist.suggest.policy import is_hostile

HEAT = {
    "angry": 1.0,
    "frustrated": 0.65,
    "disappointed": 0.45,
    "anxious": 0.4,
    "confused": 0.2,
    "neutral": 0.05,
    "satisfied": 0.0,
    "unknown": 0.05,
}
"""How near each feeling is to an escalation; ordinal by the labelling guideline, the distances are ours."""

TREND_STEP = 0.15
"""Change of the mean heat of the last two customer utterances against the three before them that is a trend."""

WEIGHTS = {
    "heat": 3.198,
    "recent_heat": 1.129,
    "highest_heat": 0.628,
    "rise": 0.0,
    "anger": 0.292,
    "negative_streak": 0.911,
    "length": 1.175,
}
BIAS = -4.895
"""With WEIGHTS a logistic regression on `features`, fitted by scripts/train_escalation on the tune conversations."""

HAPPENING = 0.9
"""The risk while a threat or an insult is heard: that is an escalation, and these flags are right nine times in ten."""


def features(felt: Sequence[Emotion]) -> dict[str, float]:
    """What the risk is read from, of all feelings so far, the present one last; at least one."""
    now, heats = felt[-1], [heat_of(emotion) for emotion in felt]
    negative = [emotion.polarity == "negative" or is_hostile(emotion) for emotion in felt]
    streak = next((age for age, is_negative in enumerate(reversed(negative)) if not is_negative), len(felt))
    return {
        "heat": heats[-1],
        "recent_heat": sum(heats[-3:]) / len(heats[-3:]),
        "highest_heat": max(heats),
        "rise": rise_of(heats),
        "anger": now.probabilities.get("angry", float(now.label == "angry")),
        "negative_streak": min(streak, 4) / 4,
        "length": log1p(len(felt)),
    }


def escalation_risk(felt: Sequence[Emotion]) -> float:
    """Probability, 0 to 1, that the conversation escalates now or within the next three customer utterances.

    Escalating is anger, a threat to leave, to sue or to publish, or a person demanded in a negative mood, as the
    labelling guideline has it.
    """
    score = BIAS + sum(WEIGHTS[name] * value for name, value in features(felt).items())
    risk = 1 / (1 + exp(-score))
    is_happening = bool({*THREATS, "abusive"} & set(felt[-1].flags))
    return max(risk, HAPPENING) if is_happening else risk


def heat_of(emotion: Emotion) -> float:
    """Expected heat over the calibrated probabilities, so that an unsure "angry" weighs less than a sure one."""
    if not emotion.probabilities:
        return HEAT[emotion.label]
    return sum(HEAT[label] * probability for label, probability in emotion.probabilities.items())


def rise_of(heats: Sequence[float]) -> float:
    """Mean of the last two heats minus the mean of up to three before them; 0 for a single one."""
    if len(heats) < 2:
        return 0.0
    recent = heats[-2:] if len(heats) > 2 else heats[-1:]
    before = heats[-5:-2] if len(heats) > 2 else heats[:1]
    return sum(recent) / len(recent) - sum(before) / len(before)


def trend_of(heats: Sequence[float]) -> Trend:
    """Rising or falling where the heat changed by a step."""
    rise = rise_of(heats)
    return "rising" if rise >= TREND_STEP else "falling" if rise <= -TREND_STEP else "steady"
