"""Answers and past cases: found passages turned into something that the agent can send."""

from assist.domain import Hit, Suggestion
from assist.knowledge.search import MEANING
from assist.suggest import policy
from assist.suggest.moment import Moment
from assist.suggest.weights import NEUTRAL
from assist.suggest.wording import say

ANSWER_THRESHOLD = 0.5
"""Relevance is a calibrated probability that an agent would use the hit: below even odds it is noise."""

CASE_THRESHOLD = 0.7
"""Higher than for answers: case relevance is fitted on "same situation", which is less than "would be used"."""

SAFETY_THRESHOLD = 0.2
"""Where someone may be harmed a near miss is better than silence."""


def answers(moment: Moment, *, as_steps: bool = False, safety_only: bool = False) -> list[Suggestion]:
    """Answers to what was said, best first. `as_steps` adds the article's numbered steps for a confused customer."""
    threshold = SAFETY_THRESHOLD if safety_only else ANSWER_THRESHOLD
    # Where someone may be harmed, what agents used to turn away is shown all the same.
    weights = NEUTRAL if safety_only else moment.weights
    fitting = [
        hit
        for hit in moment.hits
        if hit.kind == "article"
        and hit.audience == "customer"
        and weights.weigh(hit.relevance, "answer", "article", hit.id) >= threshold
        and ("article", hit.id) not in moment.shown
        and (not safety_only or hit.situation in policy.SAFETY_SITUATIONS)
    ]
    fitting.sort(key=lambda hit: -hit.relevance * weights.of("article", hit.id))
    return [_answer(moment, hit, as_steps=as_steps) for hit in fitting]


def cases(moment: Moment) -> list[Suggestion]:
    """How such a case was solved before, best first; unresolved ones are never shown."""
    return [
        _suggestion(moment, hit, "case", hit.reply, _why_case(moment, hit))
        for hit in moment.hits
        if hit.kind == "case"
        and hit.language == moment.language  # a case is a wording; in another variant it could not be sent
        and hit.outcome != "unresolved"
        and moment.weights.weigh(hit.relevance, "case", "case", hit.id) >= CASE_THRESHOLD
        and ("case", hit.id) not in moment.shown
    ]


def _answer(moment: Moment, hit: Hit, *, as_steps: bool) -> Suggestion:
    text = hit.reply
    if as_steps and hit.steps:
        text += "\n" + "\n".join(f"{number}. {step}" for number, step in enumerate(hit.steps, 1))
    if hit.why == MEANING:
        why = say("why.meaning", moment.language)
    else:
        why = say("why.matched", moment.language, terms=hit.why)
    return _suggestion(moment, hit, "answer", text, why)


def _suggestion(moment: Moment, hit: Hit, kind: str, text: str, why: str) -> Suggestion:
    if hit.language != moment.language:
        note = say("why.other_language", moment.language, language=say(f"language.{hit.language}", moment.language))
        why = f"{note} · {why}"
    return Suggestion(
        id="",
        kind="answer" if kind == "answer" else "case",
        text=text,
        title=hit.title,
        language=hit.language,
        relevance=hit.relevance,
        reason=why,
        source=hit.source,
    )


def _why_case(moment: Moment, hit: Hit) -> str:
    if hit.csat is None:
        return say("why.case", moment.language)
    return say("why.case.csat", moment.language, csat=hit.csat)
