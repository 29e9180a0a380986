"""Alerts: what the agent or the supervisor must know now, from flags, from the risk and from the customer's history."""

from dataclasses import replace

from assist.domain import THREATS, Flag, Source, Suggestion
from assist.suggest import policy
from assist.suggest.moment import Moment
from assist.suggest.phrases import why_emotion
from assist.suggest.wording import say

RISING_RISK = 0.5
"""The escalation risk whose crossing is told: more likely than not. On tune conversations left out of the fit its
precision is .78, its recall .97, and it comes one customer turn ahead at the median (scripts/train_escalation)."""

_SUPERVISOR_FLAGS: tuple[Flag, ...] = (
    "legal_threat",
    "media_threat",
    "churn_threat",
    "abusive",
    "wants_human",
)


def alerts(moment: Moment) -> list[Suggestion]:
    """New alerts for this moment, the most pressing first.

    A danger, a threat or an insult is told every time it comes, with its count; everything else once a conversation.
    """
    found: list[Suggestion] = []
    flags = moment.emotion.flags
    if "safety_risk" in flags:
        found.append(_counted(moment, "safety_risk", "alert.safety.title", "alert.safety", 1.0))
    for flag in _SUPERVISOR_FLAGS:
        if flag in flags:
            found.append(_counted(moment, flag, "alert.supervisor.title", f"alert.{flag}", 0.95))
    if moment.emotion.label == "angry" and not {*THREATS, "abusive"} & set(flags):
        found.append(_alert(moment, "angry", "alert.supervisor.title", "alert.angry", 0.9))
    if moment.risk >= RISING_RISK > moment.risk_before:
        risk, streak = round(moment.risk * 100), moment.negative_streak
        text = (
            say("alert.rising.streak", moment.language, risk=risk, streak=streak)
            if streak > 1
            else say("alert.rising", moment.language, risk=risk)
        )
        found.append(_alert(moment, "rising", "alert.rising.title", text, moment.risk))
    if "urgent" in flags:
        found.append(_alert(moment, "urgent", "alert.urgent.title", "alert.urgent", 0.8))
    for fact in moment.facts:
        if fact.code == "birthday" and not policy.may_offer(moment):
            continue  # a birthday wish in the middle of a complaint reads as mockery
        text = say(f"fact.{fact.code}", moment.language, **fact.values)
        told = _alert(moment, f"{fact.code}:{fact.key}", "fact.title", text, 0.7)
        found.append(replace(told, reason=fact.evidence))
    return [alert for alert in found if ("rule", alert.source.id) not in moment.shown]


def _counted(moment: Moment, flag: Flag, title: str, text: str, relevance: float) -> Suggestion:
    told = sum(type_ == "rule" and code.partition(":")[0] == flag for type_, code in moment.shown)
    if not told:
        return _alert(moment, flag, title, text, relevance)
    again = say("alert.again", moment.language, count=told + 1, text=say(text, moment.language))
    return _alert(moment, f"{flag}:{told + 1}", title, again, relevance)


def _alert(moment: Moment, code: str, title: str, text: str, relevance: float) -> Suggestion:
    if text.startswith("alert."):
        text = say(text, moment.language)
    return Suggestion(
        id="",
        kind="alert",
        text=text,
        title=say(title, moment.language),
        language=moment.language,
        relevance=relevance,
        reason=why_emotion(moment.emotion, moment),
        source=Source(type="rule", id=code, version=policy.VERSION),
    )
