"""Wrap-up at closure: an extractive summary, a proposed disposition and a follow-up. Every line stands in the talk."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from assist.conversation.session import Session, Turn
from assist.conversation.trajectory import HEAT
from assist.domain import Flag, FollowUp, WrapUp
from assist.suggest import policy

COMPLAINT_FOLLOW_UP = timedelta(hours=24)
SAFETY_FOLLOW_UP = timedelta(hours=2)
_SUMMARY_CHARS = 160

_PROMISE = re.compile(
    r"\d+\s*(?:个|個)?(?:分钟|分鐘|小时|小時|工作日|天|日|号|號)|(?:今天|明天|后天|後天|今晚|明早|稍后|稍後)"
    r"|\b(?:within|by|in)\s+(?:\d+|the next)\b|\b(?:tomorrow|today|tonight)\b"
    r"|\b\d+\s*(?:minutes|hours|working days|days)\b",
    re.IGNORECASE,
)

_FOLLOW_UPS = {
    "safety": (
        "回访确认客户平安，核对取件和全额退款进度",
        "回訪確認顧客平安，並核對取件與全額退款進度",
        "Call back to make sure the customer is well, and check the collection and the full refund",
    ),
    "complaint": (
        "回访客户，告知处理结果，确认是否认可",
        "回訪顧客，說明處理結果並確認是否接受",
        "Call the customer with the outcome and ask whether they accept it",
    ),
    "unresolved": (
        "联系客户，告知问题进展",
        "聯繫顧客，說明問題進度",
        "Contact the customer with news on the open question",
    ),
}
_REASONS = {
    "safety": ("提到人身安全", "提到人身安全", "a safety risk was mentioned"),
    "complaint": ("对话中出现强烈不满", "對話中出現強烈不滿", "strong dissatisfaction in the conversation"),
    "unresolved": ("结束时客户情绪仍为负面", "結束時顧客情緒仍為負面", "the customer still felt negative at the end"),
}
_COLUMN = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}


def wrap_up(session: Session, now: datetime) -> WrapUp:
    """The wrap-up of a conversation; the summary holds the problem, what was promised and the customer's last word."""
    felt = [t for t in session.turns if t.emotion is not None and t.emotion.label != "unknown"]
    telling = [t for t in felt if not t.is_small_talk]
    worst = max(telling, key=lambda t: HEAT[t.emotion.label] if t.emotion else 0.0, default=None)
    flags = sorted({flag for t in felt if t.emotion for flag in t.emotion.flags})
    disposition = _disposition(session, telling, flags)
    return WrapUp(
        summary=_summary(session, telling),
        disposition=disposition,
        tags=tuple(dict.fromkeys([*([session.intent] if session.intent else []), *flags])),
        emotion_start=_label(telling[0]) if telling else None,
        emotion_worst=_label(worst),
        emotion_end=_label(felt[-1]) if felt else None,
        follow_up=_follow_up(session, disposition, flags, now),
    )


def _summary(session: Session, telling: list[Turn]) -> tuple[str, ...]:
    lines: list[str] = []
    if telling:
        # The first sentences tell the problem; the longest of them tells most of it.
        lines.append(max((t.utterance.text for t in telling[:3]), key=len))
    promises = [
        t.utterance.text for t in session.turns if t.utterance.speaker == "agent" and _PROMISE.search(t.utterance.text)
    ]
    lines += promises[-2:]
    if len(telling) > 1:
        lines.append(telling[-1].utterance.text)
    return tuple(dict.fromkeys(line.strip()[:_SUMMARY_CHARS] for line in lines if line.strip()))


def _disposition(session: Session, telling: list[Turn], flags: Sequence[Flag]) -> str:
    if "safety_risk" in flags:
        return "safety"
    if session.complaint_at is not None:
        return "complaint"
    if not telling:
        return "no_content"
    last = telling[-1].emotion
    if last is not None and last.polarity == "negative":
        return "unresolved"
    if session.was_ever_negative or (last is not None and last.label == "satisfied"):
        return "resolved"
    return "sales_enquiry" if session.intent in policy.PRESALES_SITUATIONS else "enquiry_answered"


def _follow_up(session: Session, disposition: str, flags: Sequence[Flag], now: datetime) -> FollowUp | None:
    if disposition not in _FOLLOW_UPS:
        return None
    column = _COLUMN[session.language]
    due = SAFETY_FOLLOW_UP if "safety_risk" in flags else COMPLAINT_FOLLOW_UP
    return FollowUp(
        due_at=now + due,
        action=_FOLLOW_UPS[disposition][column],
        reason=_REASONS[disposition][column],
    )


def _label(turn: Turn | None) -> str | None:
    return turn.emotion.label if turn is not None and turn.emotion is not None else None
