"""Chooses approved phrases: what calms, what comes next, what to ask, how to close.

Emotion, situation, stage, channel and language select; similarity to what was said only orders what is left.
A phrase whose slot has no value is never shown: the library holds a sibling without that slot.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from assist.domain import ArticleLanguage, Emotion, Phrase, PhraseKind, Source, Stage, Suggestion
from assist.knowledge.search import Knowledge
from assist.suggest import policy
from assist.suggest.moment import Moment
from assist.suggest.wording import say

# Acknowledge before solving, then own it, then say what happens next; who grieves is met before who is told.
_STAGES: Mapping[str, tuple[Stage, ...]] = {
    "angry": ("acknowledge", "own", "next_step", "empathise"),
    "frustrated": ("acknowledge", "own", "next_step", "empathise"),
    "disappointed": ("empathise", "acknowledge", "own", "next_step"),
    "anxious": ("acknowledge", "next_step", "empathise", "own"),
}
_HANDOVER = "wants_supervisor"


def calming(moment: Moment) -> list[Suggestion]:
    """Calming phrases, the best first, for the stage that this conversation has come to."""
    feeling = _feeling(moment)
    stages = _STAGES[feeling]
    begin = min(moment.calming_count, len(stages) - 1)
    order = stages[begin:] + stages[:begin]
    ranked = _ranked(moment, "calming", emotion=feeling, stages=order, situations=_situations(moment))
    return [_suggestion(moment, phrase, score, "calming.title") for phrase, score in ranked]


def next_steps(moment: Moment) -> list[Suggestion]:
    """One concrete thing to do now: a handover where a person is wanted or the talk is hostile, else by situation."""
    flags = frozenset(moment.emotion.flags)
    if "safety_risk" in flags:
        situations = [s for s in _situations(moment) if s in policy.SAFETY_SITUATIONS] or ["safety_incident"]
    elif "wants_human" in flags or policy.is_hostile(moment.emotion):
        situations = [_HANDOVER]
    else:
        situations = [s for s in _situations(moment) if s != _HANDOVER]
    ranked = _ranked(moment, "next_step", emotion=None, stages=("next_step",), situations=situations)
    return [_suggestion(moment, phrase, score, "next_step.title") for phrase, score in ranked]


def closes(moment: Moment) -> list[Suggestion]:
    """Warm closes for a satisfied customer whose matter is settled; one a conversation."""
    closed_before = any(p.kind == "close" and ("phrase", p.id) in moment.shown for p in moment.knowledge.phrases)
    is_open = moment.was_ever_negative and not moment.calm_since_resolution
    if closed_before or is_open or not moment.has_agent_answered or moment.emotion.probability < policy.SURE:
        return []
    ranked = _ranked(moment, "close", emotion=None, stages=("close",), situations=_situations(moment))
    reason = say("why.close", moment.language)
    return [_suggestion(moment, phrase, score, "close.title", reason) for phrase, score in ranked]


def clarifying(moment: Moment) -> list[Suggestion]:
    """One question that finds the step at which a confused customer is stuck."""
    ranked = _ranked(moment, "question", emotion=None, stages=("clarify",), situations=_situations(moment))
    reason = say("why.clarify", moment.language)
    return [_suggestion(moment, phrase, score, "question.title", reason) for phrase, score in ranked]


def discovering(moment: Moment) -> list[Suggestion]:
    """One discovery question (SPIN: Rackham 1988) while the need of a choosing customer is unclear."""
    ranked = _ranked(moment, "question", emotion=None, stages=("discover",), situations=_situations(moment))
    reason = say("why.discover", moment.language)
    return [_suggestion(moment, phrase, score, "question.title", reason) for phrase, score in ranked]


def _feeling(moment: Moment) -> str:
    """The emotion to calm: a threat or insult is met like anger, whatever the label says."""
    return "angry" if policy.is_hostile(moment.emotion) else moment.emotion.label


def _situations(moment: Moment) -> list[str]:
    return [moment.situation, "any"] if moment.situation else ["any"]


def _ranked(
    moment: Moment, kind: PhraseKind, *, emotion: str | None, stages: Sequence[Stage], situations: Sequence[str]
) -> list[tuple[Phrase, float]]:
    """Fitting phrases with a score in 0–1, best first; ties are broken by id so that a replay chooses the same."""
    phrases = moment.knowledge.phrases
    fitting = [
        index
        for index in _numbers(moment.knowledge).get((kind, moment.language), ())
        if (phrase := phrases[index]).stage in stages
        and (emotion is None or emotion in phrase.emotions)
        and any(situation in phrase.situations for situation in situations)
        and ("all" in phrase.channels or moment.channel in phrase.channels)
        and ("phrase", phrase.id) not in moment.shown
        and all(slot in moment.slots for slot in phrase.slots)
        and moment.holds.issuperset(phrase.needs)
    ]
    if not fitting:
        return []
    similarities = moment.knowledge.phrase_similarities(moment.vector, fitting)
    scored = []
    for index, similarity in zip(fitting, similarities, strict=True):
        phrase = phrases[index]
        place = next(n for n, situation in enumerate(situations) if situation in phrase.situations)
        rank = (stages.index(phrase.stage), place, -round(float(similarity), 4), phrase.id)
        score = max(0.0, min(1.0, 0.9 - 0.1 * rank[0] - 0.15 * place + 0.1 * float(similarity)))
        scored.append((rank, phrase, score))
    scored.sort(key=lambda entry: entry[0])
    return [(phrase, score) for _, phrase, score in scored]


@lru_cache(maxsize=2)
def _numbers(knowledge: Knowledge) -> Mapping[tuple[PhraseKind, ArticleLanguage], Sequence[int]]:
    """Where the phrases of each kind and language stand, so that a call looks at a few dozen and not at all."""
    numbers: dict[tuple[PhraseKind, ArticleLanguage], list[int]] = {}
    for number, phrase in enumerate(knowledge.phrases):
        numbers.setdefault((phrase.kind, phrase.language), []).append(number)
    return numbers


def _suggestion(moment: Moment, phrase: Phrase, relevance: float, title: str, reason: str | None = None) -> Suggestion:
    return Suggestion(
        id="",
        kind="calming" if phrase.kind == "calming" else "question" if phrase.kind == "question" else "next_step",
        text=phrase.text.format_map(moment.slots) if phrase.slots else phrase.text,
        title=say(title, moment.language),
        language=phrase.language,
        relevance=round(relevance, 3),
        reason=reason or why_emotion(moment.emotion, moment),
        source=Source(type="phrase", id=phrase.id, version=moment.knowledge.version),
    )


def why_emotion(emotion: Emotion, moment: Moment) -> str:
    """The reason line that names the feeling and how sure the model is."""
    name = say(f"emotion.{emotion.label}", moment.language)
    return say("why.emotion", moment.language, emotion=name, percent=round(emotion.probability * 100))
