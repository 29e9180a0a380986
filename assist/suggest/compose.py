"""From a moment to what the screen shows: the policy's plan, filled by the makers, in the order of the plan."""

import re
from dataclasses import replace

from assist.domain import Suggestion
from assist.suggest import alerts, answers, offers, phrases, policy
from assist.suggest.moment import Moment
from assist.suggest.stages import opener_of, stages_in
from assist.suggest.wishes import budget_in

AT_MOST = 5
"""More cards than this are not read while a customer waits (ASAPP settled on three beside the composer)."""
_FIRST_SENTENCE = re.compile(r"[^。！？!?.\n]*")
_FIGURE = re.compile(r"\d")


def suggestions(moment: Moment) -> list[Suggestion]:
    """What may and should be shown now, in order; often nothing. Ids are still empty."""
    plan = policy.plan(moment)
    shown: list[Suggestion] = []
    for kind, limit in plan.limits:
        # A discovery question or an offer, not both: who is asked what they need is not yet told what to buy.
        if kind == "question" and plan.row == "plain" and _need_is_clear(moment):
            continue
        if kind == "offer" and any(suggestion.kind == "question" for suggestion in shown):
            continue
        made = _make(kind, moment, plan)[:limit]
        if kind == "offer" and not made and _may_ask_again(moment, shown):
            made = phrases.discovering(moment)[:1]
        shown += made
    return _joined(_most_used(moment, shown))


def _joined(shown: list[Suggestion]) -> list[Suggestion]:
    """The calming phrase as the opening of the first answer, where the two make one reply: the feeling, then the fact.

    Not where the answer opens in the same way or meets the feeling itself, nor with a phrase that gives figures: those
    are the answer's to tell.
    """
    calming = next((s for s in shown if s.kind == "calming"), None)
    place = next((n for n, s in enumerate(shown) if s.kind == "answer"), None)
    if calming is None or place is None or shown[place].language != calming.language:
        return shown
    begin = _FIRST_SENTENCE.match(shown[place].text)
    first = begin.group() if begin else ""
    meets_feeling = {"acknowledge", "empathise"} & stages_in(first)
    if meets_feeling or opener_of(first) == opener_of(calming.text) or _FIGURE.search(calming.text):
        return shown
    return [*shown[:place], replace(shown[place], opening=calming.text), *shown[place + 1 :]]


def _most_used(moment: Moment, shown: list[Suggestion]) -> list[Suggestion]:
    """At most `AT_MOST`, in their order: of too many, those of the kinds that agents use least are left out."""
    if len(shown) <= AT_MOST:
        return shown
    kinds = [suggestion.kind for suggestion in shown]
    wanted = sorted(
        range(len(shown)), key=lambda n: (kinds[n] not in ("alert", "calming"), -moment.weights.of_kind(kinds[n]), n)
    )
    return [shown[n] for n in sorted(wanted[:AT_MOST])]


def _need_is_clear(moment: Moment) -> bool:
    begun = moment.question_count > 0 or policy.products_shown(moment) > 0
    return begun or bool(moment.talked_about) or budget_in(moment.recent_text) is not None


def _may_ask_again(moment: Moment, shown: list[Suggestion]) -> bool:
    """Where nothing fits what a first question brought to light, a second one; a third would be an interrogation."""
    is_unanswered = not any(suggestion.kind == "answer" for suggestion in shown)
    return is_unanswered and moment.is_choosing and moment.question_count == 1 and not policy.products_shown(moment)


def _make(kind: str, moment: Moment, plan: policy.Plan) -> list[Suggestion]:
    match kind:
        case "alert":
            return alerts.alerts(moment)
        case "answer":
            return answers.answers(moment, as_steps=plan.answers_as_steps, safety_only=plan.safety_only)
        case "case":
            return answers.cases(moment)
        case "calming":
            return phrases.calming(moment)
        case "offer":
            return offers.offers(moment)
        case "question":
            return phrases.clarifying(moment) if plan.row == "lost" else phrases.discovering(moment)
        case _:
            if plan.row == "pleased":
                return phrases.closes(moment)
            return (offers.replacements(moment) if plan.replacement else []) + phrases.next_steps(moment)
