"""Chooses approved phrases: what calms, what comes next, what to ask, how to close.

Emotion, intensity, situation, stage, channel and language choose; what readers of such moments found right orders what
is left.
A phrase whose slot has no value is never shown: the library holds a sibling without that slot.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assist.domain import ArticleLanguage, Emotion, Phrase, PhraseKind, Source, Stage, Suggestion
from assist.knowledge.search import Knowledge
from assist.suggest import policy
from assist.suggest.moment import Moment
from assist.suggest.phrase_choice import PhraseChoice
from assist.suggest.stages import apology_in, opener_of
from assist.suggest.wording import say

# Acknowledge before solving, then own it, then say what happens next; who grieves is met before who is told.
_STAGES: Mapping[str, tuple[Stage, ...]] = {
    "angry": ("acknowledge", "own", "next_step", "empathise"),
    "frustrated": ("acknowledge", "own", "next_step", "empathise"),
    "disappointed": ("empathise", "acknowledge", "own", "next_step"),
    "anxious": ("acknowledge", "next_step", "empathise", "own"),
}
Floats = NDArray[np.float32]

_HANDOVER = "wants_supervisor"
ANY = "any"

CALMING = 5
"""Calming phrases that are put into words; one is shown, the rest are for choosing from."""
MILD, STIRRED, STRONG = 0.4, 0.5, 0.7
"""Intensities: an apology is too much below the first, one in passing too little from the second, and a weighty one
may be right from the third."""

OF_STAGE, OF_SITUATION, OF_FEELING, OF_LIKENESS, OF_WEIGHT = 0.25, 2.5, 1.5, 1.0, 1.5
"""What a phrase loses by every stage that comes before its own and by an apology of the wrong weight, and gains by
situation, feeling and likeness. Chosen on the development half of models/data/phrase_judgements.jsonl, as is:"""
ANY_SITUATION = 0.75
"""A phrase for any situation fits as well as one for a situation that is this probable."""
_TOP = OF_SITUATION + OF_FEELING + OF_LIKENESS


def calming(moment: Moment) -> list[Suggestion]:
    """At most `CALMING` calming phrases, the best first, for the stage that this conversation has come to.

    What was learned from readers' marks orders them, by the rules' score among other facts; without it, that score
    alone.
    """
    numbers, scores = candidates(moment)
    if not numbers:
        return []
    if moment.choice is not None:
        sides = _sides(moment.knowledge, moment.choice)
        chosen = sides[0][numbers], sides[1][numbers]
        scores = moment.choice.logits(moment, feeling_of(moment), scores, chosen)
        relevances = 1 / (1 + np.exp(-scores))
    else:
        relevances = np.clip(scores / _TOP, 0, 1)
    phrases = [moment.knowledge.phrases[number] for number in numbers]
    # What agents use multiplies the odds; of the rules' score it moves at most three stages (`CAP`, `FLOOR`).
    wanted = [
        round(float(score), 4) + math.log(moment.weights.of("phrase", phrase.id))
        for phrase, score in zip(phrases, scores, strict=True)
    ]
    order = sorted(range(len(phrases)), key=lambda place: (-wanted[place], phrases[place].id))
    return [_suggestion(moment, phrases[place], float(relevances[place]), "calming.title") for place in order[:CALMING]]


def candidates(moment: Moment) -> tuple[list[int], Floats]:
    """Numbers of the calming phrases that may be said now, and the score that the rules give each.

    What the agent has said already moves on: a stage that was heard comes last. A phrase that opens as the last one
    did, or as the agent did, is left out.
    """
    feeling = feeling_of(moment)
    usual = _STAGES[feeling]
    stages = [*(s for s in usual if s not in moment.stages_said), *(s for s in usual if s in moment.stages_said)]
    heard = {opener_of(text) for text in moment.heard}
    library = _library(moment.knowledge)
    fitting = [n for n in _fitting(moment, "calming", moment.situations, feeling) if library.openers[n] not in heard]
    feelings = {feeling: 1.0} if policy.is_hostile(moment.emotion) else moment.emotion.probabilities
    similarities = moment.knowledge.phrase_similarities(moment.vector, fitting)
    scores = []
    for number, similarity in zip(fitting, similarities.tolist(), strict=True):
        phrase = moment.knowledge.phrases[number]
        scores.append(
            -OF_STAGE * (stages.index(phrase.stage) if phrase.stage in stages else len(stages))
            + OF_SITUATION * _match(phrase, moment.situations)
            + OF_FEELING * sum(feelings.get(name, 0.0) for name in phrase.emotions)
            + OF_LIKENESS * round(similarity, 4)
            - OF_WEIGHT * _misweighed(library.apologies[number], moment.emotion.intensity)
        )
    return fitting, np.array(scores, np.float32)


def next_steps(moment: Moment) -> list[Suggestion]:
    """One concrete thing to do now: a handover where a person is wanted or the talk is hostile, else by situation."""
    flags = frozenset(moment.emotion.flags)
    if "safety_risk" in flags:
        situations = [s for s in _situations(moment) if s in policy.SAFETY_SITUATIONS] or ["safety_incident"]
    elif "wants_human" in flags or policy.is_hostile(moment.emotion):
        situations = [_HANDOVER]
    else:
        situations = [s for s in _situations(moment) if s != _HANDOVER]
    ranked = _ranked(moment, "next_step", stages=("next_step",), situations=situations)
    return [_suggestion(moment, phrase, score, "next_step.title") for phrase, score in ranked]


def closes(moment: Moment) -> list[Suggestion]:
    """Warm closes for a satisfied customer whose matter is settled; one a conversation."""
    closed_before = any(p.kind == "close" and ("phrase", p.id) in moment.shown for p in moment.knowledge.phrases)
    is_open = moment.was_ever_negative and not moment.calm_since_resolution
    if closed_before or is_open or not moment.has_agent_answered or moment.emotion.probability < policy.SURE:
        return []
    ranked = _ranked(moment, "close", stages=("close",), situations=_situations(moment))
    reason = say("why.close", moment.language)
    return [_suggestion(moment, phrase, score, "close.title", reason) for phrase, score in ranked]


def clarifying(moment: Moment) -> list[Suggestion]:
    """One question that finds the step at which a confused customer is stuck."""
    ranked = _ranked(moment, "question", stages=("clarify",), situations=_situations(moment))
    reason = say("why.clarify", moment.language)
    return [_suggestion(moment, phrase, score, "question.title", reason) for phrase, score in ranked]


def discovering(moment: Moment) -> list[Suggestion]:
    """One discovery question (SPIN: Rackham 1988) while the need of a choosing customer is unclear."""
    ranked = _ranked(moment, "question", stages=("discover",), situations=_situations(moment))
    reason = say("why.discover", moment.language)
    return [_suggestion(moment, phrase, score, "question.title", reason) for phrase, score in ranked]


def feeling_of(moment: Moment) -> str:
    """The emotion to calm: a threat or insult is met like anger, whatever the label says."""
    return "angry" if policy.is_hostile(moment.emotion) else moment.emotion.label


def _situations(moment: Moment) -> list[str]:
    return [moment.situation, ANY] if moment.situation else [ANY]


def _misweighed(apology: int, intensity: float) -> int:
    """How far an apology is too heavy or too light for the feeling; see `apology_in`."""
    if apology == 1:
        return int(intensity >= STIRRED)
    most = 1 if intensity < MILD else 2 if intensity < STRONG else 3
    return max(apology - most, 0)


def _match(phrase: Phrase, situations: Mapping[str, float]) -> float:
    """How probable it is that the phrase speaks of the customer's situation."""
    named = sum(situations.get(name, 0.0) for name in phrase.situations)
    return max(named, ANY_SITUATION) if ANY in phrase.situations else named


def _fitting(moment: Moment, kind: PhraseKind, situations: Iterable[str], feeling: str | None = None) -> list[int]:
    """Numbers of the phrases that may be said now: by language, situation, channel, slots and facts; none twice."""
    phrases, places = moment.knowledge.phrases, _library(moment.knowledge).places
    numbers = {n for name in (*situations, ANY) for n in places.get((kind, moment.language, name, feeling), ())}
    return [
        number
        for number in sorted(numbers)
        if ("phrase", (phrase := phrases[number]).id) not in moment.shown
        and ("all" in phrase.channels or moment.channel in phrase.channels)
        and all(slot in moment.slots for slot in phrase.slots)
        and moment.holds.issuperset(phrase.needs)
    ]


def _ranked(
    moment: Moment, kind: PhraseKind, *, stages: Sequence[Stage], situations: Sequence[str]
) -> list[tuple[Phrase, float]]:
    """Fitting phrases with a score in 0–1, best first; ties are broken by id so that a replay chooses the same."""
    phrases = moment.knowledge.phrases
    fitting = [
        number
        for number in _fitting(moment, kind, situations)
        if phrases[number].stage in stages and any(name in phrases[number].situations for name in situations)
    ]
    if not fitting:
        return []
    similarities = moment.knowledge.phrase_similarities(moment.vector, fitting)
    scored = []
    for index, similarity in zip(fitting, similarities, strict=True):
        phrase = phrases[index]
        place = next(n for n, situation in enumerate(situations) if situation in phrase.situations)
        wanted = float(similarity) * moment.weights.of("phrase", phrase.id)
        rank = (place, -round(wanted, 4), phrase.id)
        score = max(0.0, min(1.0, 0.9 - 0.15 * place + 0.1 * float(similarity)))
        scored.append((rank, phrase, score))
    scored.sort(key=lambda entry: entry[0])
    return [(phrase, score) for _, phrase, score in scored]


@dataclass(frozen=True, slots=True)
class _Library:
    """The phrases of an index laid out for choosing, so that a call looks at a few dozen and not at all.

    `places` are numbers by kind, language, situation and feeling (None: whichever); `openers` and `apologies` [phrases]
    describe the wording.
    """

    places: Mapping[tuple[PhraseKind, ArticleLanguage, str, str | None], Sequence[int]]
    openers: Sequence[str]
    apologies: Sequence[int]


@lru_cache(maxsize=2)
def _library(knowledge: Knowledge) -> _Library:
    places: dict[tuple[PhraseKind, ArticleLanguage, str, str | None], list[int]] = {}
    for number, phrase in enumerate(knowledge.phrases):
        for situation in phrase.situations:
            for emotion in (*phrase.emotions, None):
                places.setdefault((phrase.kind, phrase.language, situation, emotion), []).append(number)
    texts = [phrase.text for phrase in knowledge.phrases]
    return _Library(places, [opener_of(text) for text in texts], [apology_in(text) for text in texts])


@lru_cache(maxsize=2)
def _sides(knowledge: Knowledge, choice: PhraseChoice) -> tuple[Floats, Floats]:
    return choice.sides(knowledge.phrases, knowledge.phrase_vectors)


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
