"""Wrap-up at closure: what was said, quoted; a proposed disposition, the feelings and a follow-up.

Facts are quotes with their places; the frame around them holds no number, name or date of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal

from assist.conversation.due import due_of
from assist.conversation.quotes import (
    AGENT,
    CUSTOMER,
    Sentence,
    is_done,
    is_promise,
    is_refusal,
    problem_of,
    sentences_of,
    weight_of,
)
from assist.conversation.routing import is_high_value
from assist.conversation.session import Session, Turn
from assist.conversation.trajectory import HEAT, heat_of
from assist.domain import (
    ArticleLanguage,
    ClosingOutcome,
    Flag,
    FollowUp,
    Quote,
    QuotePart,
    WrapUp,
    WrapUpText,
)
from assist.suggest import policy

COMPLAINT_FOLLOW_UP = timedelta(hours=24)
SAFETY_FOLLOW_UP = timedelta(hours=2)
PROMISES = 5
"""Promises and things done that are quoted at the most, the latest ones."""

_HOT = 0.4
"""Heat from which a feeling is in the way of "resolved": that of plain worry."""

_COLUMN: Mapping[ArticleLanguage, int] = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}
_THINGS = {
    "refund": ("退款的金额和到账时间", "退款的金額與入帳時間", "the amount of the refund and when it arrives"),
    "replacement": (
        "补发或换货的运单号和送达时间",
        "補寄或換貨的物流單號與到貨時間",
        "the tracking number of the replacement and when it arrives",
    ),
    "visit": ("上门时间和师傅的联系方式", "到府時間與師傅的聯絡方式", "the time of the visit and who is coming"),
    "delivery": ("包裹的最新位置和送达时间", "包裹的最新位置與到貨時間", "where the parcel is and when it arrives"),
    "outcome": ("处理结果和下一步安排", "處理結果與後續安排", "what has come of it and the next step"),
}
_TOPICS = (
    (
        "refund",
        re.compile(
            r"退款|退费|退費|退回|退差|退一|退您|全额退|全額退|\brefund|\bmoney back|\breimburse|\bcredit",
            re.IGNORECASE,
        ),
    ),
    (
        "replacement",
        re.compile(
            r"补发|補發|补寄|補寄|重发|重發|重寄|重新发|换货|換貨|换新|換新|\breplace|\bresend|\bexchange|\bnew one",
            re.IGNORECASE,
        ),
    ),
    (
        "visit",
        re.compile(
            r"上门|到府|师傅|師傅|技师|技師|维修|維修|\bengineer|\btechnician|\brepair",
            re.IGNORECASE,
        ),
    ),
    (
        "delivery",
        re.compile(
            r"送达|送達|送到|送来|送來|送货|送貨|到货|到貨|发货|發貨|发出|發出|寄出|出库|出庫|物流|快递|快遞|包裹|配送|\bdeliver|\bparcel|\bdriver|\bcourier"
            r"|\bship",
            re.IGNORECASE,
        ),
    ),
)
_ACTIONS = {
    "safety": (
        "致电确认客户平安，并告知{thing}",
        "致電確認顧客平安，並說明{thing}",
        "Call to make sure the customer is well, and tell them {thing}",
    ),
    "call": ("致电客户，告知{thing}", "致電顧客，說明{thing}", "Call to tell the customer {thing}"),
    "check": (
        "核实承诺是否已兑现，并告知客户{thing}",
        "確認承諾是否已兌現，並告知顧客{thing}",
        "Check that the promise was kept, and tell the customer {thing}",
    ),
}
_REASONS = {
    "safety": ("提到人身安全", "提到人身安全", "a safety risk was mentioned"),
    "complaint": ("对话中出现强烈不满", "對話中出現強烈不滿", "strong dissatisfaction in the conversation"),
    "unresolved": ("结束时问题仍未解决", "結束時問題仍未解決", "the problem was still open at the end"),
    "promised": ("承诺的事尚未完成", "承諾的事尚未完成", "what was promised is still to be done"),
    "core": (
        "核心客户有过不愉快的体验",
        "重要顧客有過不愉快的經驗",
        "a core customer has had a bad experience",
    ),
}
_DISPOSITIONS = {
    "safety": ("安全事件", "安全事件", "Safety"),
    "complaint": ("投诉", "客訴", "Complaint"),
    "unresolved": ("未解决", "未解決", "Unresolved"),
    "promised": ("已承诺，待完成", "已承諾，待完成", "Promised, to be done"),
    "resolved": ("已解决", "已解決", "Resolved"),
    "enquiry_answered": ("咨询已答复", "諮詢已回覆", "Enquiry answered"),
    "sales_enquiry": ("售前咨询", "購物諮詢", "Sales enquiry"),
    "no_content": ("无有效内容", "無有效內容", "No content"),
}
Plan = Literal["safety", "complaint", "unresolved", "promised", "core"]
_AGREED = ("跟您确认一下我们说好的：", "跟您確認一下我們說好的：", "To confirm what we agreed:")


@dataclass(frozen=True, slots=True)
class CallHours:
    """When the customer may be called, in the retailer's time zone; `begin` not before `end` means always."""

    begin: time
    end: time
    zone: tzinfo

    def next(self, moment: datetime) -> datetime:
        """The first moment inside the hours that is not before `moment`."""
        local = moment.astimezone(self.zone)
        if self.begin >= self.end or self.begin <= local.time() < self.end:
            return local
        day = local.date() if local.time() < self.begin else local.date() + timedelta(days=1)
        return datetime.combine(day, self.begin, self.zone)

    def last(self, moment: datetime) -> datetime:
        """The last moment inside the hours that is not after `moment`."""
        local = moment.astimezone(self.zone)
        if self.begin >= self.end or self.begin <= local.time() < self.end:
            return local
        day = local.date() if local.time() >= self.end else local.date() - timedelta(days=1)
        return datetime.combine(day, self.end, self.zone) - timedelta(minutes=1)


ALWAYS = CallHours(time(0), time(0), UTC)


def wrap_up(
    session: Session, now: datetime, hours: CallHours = ALWAYS, agent_language: ArticleLanguage | None = None
) -> WrapUp:
    """The wrap-up of a conversation.

    Args:
        session: the conversation's state at its end.
        now: the present; nothing is due before it.
        hours: when the customer may be called; its zone is the one that "tomorrow" is meant in.
        agent_language: the language of the frame; the customer's where it is not given.
    """
    felt = [t for t in session.turns if t.emotion is not None and t.emotion.label != "unknown"]
    telling = [t for t in felt if not t.is_small_talk]
    worst = max(telling, key=_badness, default=None)
    flags = sorted({flag for t in felt if t.emotion for flag in t.emotion.flags})
    promises, done = _by_agent(session, hours.zone)
    outcome = _outcome(session, felt, telling, {quote.utterance_id for quote in promises})
    quotes = _quotes(session, telling, promises, done, worst)
    disposition = _disposition(session, telling, flags, outcome)
    is_core = is_high_value(session.segment, session.conversation.customer.tier)
    agent_language = agent_language or session.language
    follow_up, texts = None, []
    is_awaited = any(q.due_at is not None and q.due_at > now for q in promises)
    plan = _plan(session, disposition, outcome, is_core, is_awaited)
    topic = _topic(session, promises, quotes)
    for language in dict.fromkeys((agent_language, session.language, *_COLUMN)):
        text = _text(language, disposition, outcome, plan, topic, is_core)
        texts.append(text)
        if language == agent_language and plan is not None and text.action is not None and text.reason is not None:
            follow_up = FollowUp(_due(plan, promises, now, hours), text.action, text.reason, _kind(plan, is_core))
    return WrapUp(
        summary=tuple(dict.fromkeys(quote.text for quote in quotes if quote.part != "worst")),
        disposition=disposition,
        tags=tuple(
            dict.fromkeys([*([session.intent] if session.intent else []), *flags, *(["core_customer"] * is_core)])
        ),
        emotion_start=_label(telling[0]) if telling else None,
        emotion_worst=_label(worst),
        emotion_end=_label(felt[-1]) if felt else None,
        follow_up=follow_up,
        quotes=quotes,
        outcome=outcome,
        texts=tuple(texts),
        message=_message([q for q in promises if q.due_at is None or q.due_at > now], session.language),
    )


def _by_agent(session: Session, zone: tzinfo) -> tuple[list[Quote], list[Quote]]:
    """What the agent has promised and what they say is done, the latest of each, in the order of the talk."""
    promises: dict[str, Quote] = {}
    done: dict[str, Quote] = {}
    before, before_at = "", 0
    for sentence in sentences_of(session.turns, AGENT):
        for turn in session.turns[before_at : sentence.index]:
            before = turn.utterance.text if turn.utterance.speaker == "customer" else before
        before_at = sentence.index
        text = sentence.text
        due = due_of(text, sentence.utterance.at, zone)
        words = text[due.start : due.end] if due is not None else None
        if is_promise(text, time=words if due is not None and due.at is not None else None, before=before):
            promises.pop(text, None)
            promises[text] = replace(_quote("promise", sentence), due_at=due.at if due else None, due_text=words)
        elif is_done(text):
            done.pop(text, None)
            done[text] = _quote("done", sentence)
    return list(promises.values())[-PROMISES:], list(done.values())[-PROMISES:]


def _quotes(
    session: Session, telling: list[Turn], promises: list[Quote], done: list[Quote], worst: Turn | None
) -> tuple[Quote, ...]:
    said = list(sentences_of(session.turns, CUSTOMER))
    quotes: list[Quote] = []
    problem = problem_of(session.turns) if telling else []
    quotes += [_quote("problem", sentence) for sentence in problem]
    quotes += [*done, *promises]
    last = [s for s in said if said[-1].index == s.index]
    if last and problem and last[0].index > problem[-1].index:
        quotes.append(_quote("outcome", max(last, key=lambda s: weight_of(s.text))))
    if worst is not None and worst.emotion is not None and worst.emotion.polarity == "negative":
        words = [s for s in said if s.turn is worst]
        if words:
            quotes.append(_quote("worst", max(words, key=_evidence)))
    return tuple(quotes)


def _evidence(sentence: Sentence) -> float:
    """How much in a sentence spoke for the feeling of its turn."""
    emotion = sentence.turn.emotion
    spans = emotion.evidence if emotion is not None else ()
    return sum(span.weight for span in spans if sentence.start <= span.start < sentence.end)


def _quote(part: QuotePart, sentence: Sentence) -> Quote:
    said = sentence.utterance
    return Quote(part, sentence.text, said.id, sentence.start, sentence.end, said.speaker)


def _outcome(session: Session, felt: list[Turn], telling: list[Turn], promising: set[str]) -> ClosingOutcome | None:
    if not telling:
        return None
    agent = [turn for turn in session.turns if turn.utterance.speaker == "agent"]
    if not agent:
        return "unresolved"
    last = _last_word(session, felt, telling)
    assert last.emotion is not None
    if policy.is_hostile(last.emotion) or is_refusal(last.utterance.text):
        agent = [turn for turn in agent if turn.utterance.seq > last.utterance.seq]
        return "promised" if any(turn.utterance.id in promising for turn in agent) else "unresolved"
    has_promise = any(turn.utterance.id in promising for turn in agent[-2:])
    if heat_of(last.emotion) >= _HOT:
        has_done = any(is_done(sentence.text) for sentence in sentences_of(agent[-2:], AGENT))
        return "promised" if has_promise else "resolved" if has_done else "unresolved"
    was_hot = any(heat_of(turn.emotion) >= _HOT for turn in felt if turn.emotion is not None)
    return "promised" if was_hot and has_promise and last.emotion.label != "satisfied" else "resolved"


def _last_word(session: Session, felt: list[Turn], telling: list[Turn]) -> Turn:
    """The turn that says how the customer leaves: a thank-you, else the hottest since anybody else has spoken.

    "好的" after a complaint only says that it was heard.
    """
    if _label(felt[-1]) == "satisfied":
        return felt[-1]
    others = [turn.utterance.seq for turn in session.turns if turn.utterance.speaker == "agent"]
    since = [turn for turn in telling if turn.utterance.seq > max(others, default=0)] or telling[-1:]
    return max(since, key=lambda turn: heat_of(turn.emotion) if turn.emotion is not None else 0.0)


def _disposition(session: Session, telling: list[Turn], flags: Sequence[Flag], outcome: ClosingOutcome | None) -> str:
    if "safety_risk" in flags:
        return "safety"
    if session.complaint_at is not None:
        return "complaint"
    if outcome is None:
        return "no_content"
    if outcome != "resolved":
        return outcome
    if session.was_ever_negative:
        return "resolved"
    if session.intent in policy.PRESALES_SITUATIONS:
        return "sales_enquiry"
    return "resolved" if _label(telling[-1]) == "satisfied" else "enquiry_answered"


def _plan(
    session: Session, disposition: str, outcome: ClosingOutcome | None, is_core: bool, is_awaited: bool
) -> Plan | None:
    """Why somebody should come back to the customer, if anybody should; `is_awaited`: a promise has yet to fall due."""
    if disposition == "safety":
        return "safety"
    if disposition == "complaint":
        return "complaint"
    if outcome in ("unresolved", "promised"):
        return "promised" if outcome == "promised" else "unresolved"
    if is_core and session.was_ever_negative:
        return "core"
    return "promised" if is_awaited and disposition != "sales_enquiry" else None


def _kind(plan: Plan, is_core: bool) -> Literal["call", "check"]:
    return "check" if plan == "promised" and not is_core else "call"


def _topic(session: Session, promises: list[Quote], quotes: Sequence[Quote]) -> str:
    """What the customer is waiting for: the latest promise tells it, else the problem, else the situation."""
    texts = [quote.text for quote in reversed(promises)]
    texts += [quote.text for quote in quotes if quote.part == "problem"]
    texts.append((session.intent or "").replace("_", " "))
    return next((name for text in texts for name, pattern in _TOPICS if pattern.search(text)), "outcome")


def _due(plan: Plan, promises: list[Quote], now: datetime, hours: CallHours) -> datetime:
    """When to come back: as a promise falls due, so that there is something to tell, else after a day."""
    if plan == "safety":
        return hours.next(now + SAFETY_FOLLOW_UP)
    promised = next((q.due_at for q in reversed(promises) if q.due_at is not None and q.due_at > now), None)
    if promised is None:
        return hours.next(now + COMPLAINT_FOLLOW_UP)
    in_time = hours.last(promised)
    return in_time if in_time > now else hours.next(promised)


def _text(
    language: ArticleLanguage,
    disposition: str,
    outcome: ClosingOutcome | None,
    plan: Plan | None,
    topic: str,
    is_core: bool,
) -> WrapUpText:
    column = _COLUMN[language]
    action = reason = None
    if plan is not None:
        template = _ACTIONS["safety" if plan == "safety" else _kind(plan, is_core)][column]
        action, reason = template.format(thing=_THINGS[topic][column]), _REASONS[plan][column]
    return WrapUpText(
        language=language,
        disposition=_DISPOSITIONS[disposition][column],
        outcome=_DISPOSITIONS[outcome][column] if outcome else None,
        action=action,
        reason=reason,
    )


def _message(promises: list[Quote], language: ArticleLanguage) -> str | None:
    """What was promised, for the customer; None if nothing was."""
    if not promises:
        return None
    return "\n".join([_AGREED[_COLUMN[language]], *(f"• {quote.text}" for quote in promises)])


def _badness(turn: Turn) -> tuple[float, float]:
    return (HEAT[turn.emotion.label], heat_of(turn.emotion)) if turn.emotion is not None else (0.0, 0.0)


def _label(turn: Turn | None) -> str | None:
    return turn.emotion.label if turn is not None and turn.emotion is not None else None
