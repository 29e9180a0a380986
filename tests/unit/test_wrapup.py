"""The wrap-up of a conversation: quotes, disposition, feelings, follow-up, languages."""

from datetime import UTC, datetime, time, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.conversation.session import Session
from assist.conversation.wrapup import PROMISES, CallHours, wrap_up
from assist.domain import (
    FLAGS,
    ArticleLanguage,
    AssistResult,
    Conversation,
    Customer,
    Emotion,
    EmotionLabel,
    Flag,
    Quote,
    Segment,
    Speaker,
    Utterance,
    Versions,
    WrapUp,
    polarity_of,
)
from assist.storage.records import WRAP_UP
from assist.text.small_talk import is_small_talk
from scripts.evaluation.wrapups import HOURS, facts_of

ZONE = ZoneInfo("Asia/Shanghai")
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=ZONE)
Said = tuple[Speaker, str, EmotionLabel]

FRIDGE: list[Said] = [
    ("customer", "你好", "neutral"),
    ("customer", "冰箱约好今天送，到现在没人联系我", "frustrated"),
    ("agent", "很抱歉，我查一下。", "neutral"),
    ("customer", "都第三次了！你们就是骗子", "angry"),
    ("agent", "已为您升级给主管。冰箱明天下午6点前送到，运费全免。", "neutral"),
    ("customer", "行，我等着", "neutral"),
]
JUG: list[Said] = [
    ("customer", "My blender came with a cracked jug.", "neutral"),
    ("agent", "I've ordered a new jug. You'll have it by Friday.", "neutral"),
    ("customer", "OK, thanks!", "satisfied"),
]


def a_session(
    said: list[Said],
    *,
    language: ArticleLanguage = "zh-Hans",
    customer: Customer | None = None,
    flags: tuple[Flag, ...] = (),
    begin: datetime = TUESDAY,
) -> Session:
    session = Session(Conversation("conv_1", "chat", begin, customer or Customer("cust_1")), language=language)
    for index, (speaker, text, label) in enumerate(said):
        emotion = None
        if speaker == "customer":
            emotion = Emotion(label, 0.9, {label: 1.0}, 0.5, polarity_of(label), flags)
            session.feel(emotion)
        at = begin + timedelta(minutes=index)
        utterance = Utterance(f"utt_{index}", index + 1, speaker, text, language, at)
        result = AssistResult(utterance, emotion, session.reading(at), (), (), Versions("m", "i", "p"), 0.0)
        session.record(utterance, result, is_small_talk=is_small_talk(text))
    return session


def closed(
    session: Session, agent_language: ArticleLanguage | None = None, *, after: timedelta | None = None
) -> WrapUp:
    now = session.conversation.opened_at + (after or timedelta(minutes=len(session.turns)))
    return wrap_up(session, now, HOURS, agent_language)


def quoted(found: WrapUp, part: str) -> list[str]:
    return [quote.text for quote in found.quotes if quote.part == part]


def test_each_part_is_quoted_from_where_it_was_said() -> None:
    found = closed(a_session(FRIDGE))
    assert quoted(found, "problem") == ["冰箱约好今天送，到现在没人联系我"]
    assert quoted(found, "done") == ["已为您升级给主管。"]
    assert quoted(found, "outcome") == ["行，我等着"]
    assert quoted(found, "worst") == ["你们就是骗子"] or quoted(found, "worst") == ["都第三次了！"]
    assert [q for q in found.quotes if q.part == "promise"] == [
        Quote(
            "promise",
            "冰箱明天下午6点前送到，运费全免。",
            "utt_4",
            9,
            26,
            "agent",
            datetime(2026, 11, 25, 18, 0, tzinfo=ZONE),
            "明天下午6点",
        )
    ]
    assert (found.emotion_start, found.emotion_worst, found.emotion_end) == ("frustrated", "angry", "neutral")


def test_a_complaint_gets_a_call_with_news_as_the_promise_falls_due() -> None:
    found = closed(a_session(FRIDGE))
    assert (found.disposition, found.outcome) == ("complaint", "promised")
    assert found.follow_up is not None
    assert found.follow_up.kind == "call"
    assert found.follow_up.due_at == datetime(2026, 11, 25, 18, 0, tzinfo=ZONE)
    assert found.follow_up.action == "致电客户，告知包裹的最新位置和送达时间"
    assert found.message == "跟您确认一下我们说好的：\n• 冰箱明天下午6点前送到，运费全免。"


def test_the_frame_speaks_both_languages_and_the_quotes_stay_as_they_were() -> None:
    mine, theirs = closed(a_session(FRIDGE), "en"), closed(a_session(FRIDGE))
    assert mine.quotes == theirs.quotes
    assert [text.language for text in mine.texts] == ["en", "zh-Hans", "zh-Hant"]
    assert [text.language for text in theirs.texts] == ["zh-Hans", "zh-Hant", "en"]
    assert mine.texts[0].disposition == "Complaint" and mine.texts[1] == theirs.texts[0]
    assert mine.follow_up is not None
    assert mine.follow_up.action == "Call to tell the customer where the parcel is and when it arrives"
    assert mine.message == theirs.message


def test_an_open_promise_is_checked_and_a_settled_enquiry_is_left_alone() -> None:
    found = closed(a_session(JUG, language="en"))
    assert found.follow_up is not None
    assert (found.follow_up.kind, found.follow_up.due_at.date().isoformat()) == ("check", "2026-11-27")
    later = closed(a_session(JUG, language="en"), after=timedelta(days=9))
    assert later.follow_up is None and later.message is None


@pytest.mark.parametrize(
    ("tier", "segment"),
    [("Platinum", None), (None, "core")],
)
def test_a_core_customer_who_was_hurt_is_called_although_it_was_resolved(
    tier: str | None, segment: Segment | None
) -> None:
    said: list[Said] = [("customer", "退款怎么还没到", "frustrated"), ("agent", "已为您退款，您看一下", "neutral")]
    said.append(("customer", "收到了，谢谢", "satisfied"))
    assert closed(a_session(said)).follow_up is None
    session = a_session(said, customer=Customer("c", tier=tier))
    session.segment = segment
    found = closed(session)
    assert found.outcome == "resolved" and found.follow_up is not None
    assert (found.follow_up.kind, found.follow_up.action) == ("call", "致电客户，告知退款的金额和到账时间")
    assert "core_customer" in found.tags


@pytest.mark.parametrize("hour", range(24))
def test_nobody_is_called_at_night_or_in_the_past(hour: int) -> None:
    begin = TUESDAY.replace(hour=hour, minute=59)
    for flags in ((), ("safety_risk",)):
        found = closed(a_session(FRIDGE[:4], flags=flags, begin=begin))  # type: ignore[arg-type]
        assert found.follow_up is not None
        due = found.follow_up.due_at
        assert due > begin + timedelta(minutes=4)
        assert time(9) <= due.astimezone(ZONE).time() < time(21)


def test_hours_that_do_not_make_a_day_are_always() -> None:
    moment = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
    assert CallHours(time(9), time(9), UTC).next(moment) == moment == CallHours(time(22), time(6), UTC).last(moment)


@pytest.mark.parametrize(
    "said",
    [
        [],
        [("bot", "您好，我是智能助手", "neutral"), ("bot", "请问有什么可以帮您？", "neutral")],
        [("customer", "在吗", "neutral"), ("agent", "在的，请问有什么可以帮您？", "neutral")],
        [("system", "The customer has left.", "neutral")],
    ],
    ids=["empty", "bot", "greeting", "system"],
)
def test_where_nothing_was_said_there_is_nothing_to_say(said: list[Said]) -> None:
    found = closed(a_session(said))
    assert (found.disposition, found.outcome, found.follow_up, found.message) == ("no_content", None, None, None)
    assert found.quotes == () == found.summary


def test_nobody_answered() -> None:
    found = closed(a_session(JUG[:1], language="en"))
    assert (found.disposition, found.outcome) == ("unresolved", "unresolved")
    assert found.follow_up is not None and found.follow_up.kind == "call"


@pytest.mark.parametrize(
    ("sentence", "before", "is_one"),
    [
        ("全额退款，东西不用寄回", "", True),
        ("Refunded today? I can check.", "", False),
        ("请您3天内寄回商品", "", False),
        ("请问还有什么可以帮您？", "", False),
        ("Let me look into that for you.", "", False),
        ("I'll call you back tomorrow.", "", True),
        ("To the card, 5 days.", "when do I get it?", True),
        ("Your points expire in 5 days.", "when do they expire?", False),
        ("一般1-3个工作日", "", False),
        ("您好，我們會停權調查，並全額退款。", "", True),
    ],
)
def test_promises(sentence: str, before: str, is_one: bool) -> None:
    found = closed(
        a_session([("customer", before or "my parcel is broken", "neutral"), ("agent", sentence, "neutral")])
    )
    assert bool(quoted(found, "promise")) == is_one


def test_the_latest_promises_are_kept() -> None:
    said: list[Said] = [("customer", "my parcel is broken", "frustrated")]
    said += [("agent", f"I'll call you within {hours} hours.", "neutral") for hours in range(1, 20)]
    promises = quoted(closed(a_session(said, language="en")), "promise")
    assert promises == [f"I'll call you within {hours} hours." for hours in range(20 - PROMISES, 20)]


TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            "I'll call you tomorrow before 6 pm.|退款3个工作日内到账。|明天下午送到，|已为您补发|算了|谢谢！"
            "|Where is my order?|訂單 CW20261105-0831|"
            "\n|  |…|😡|我要投诉你们|refund 89.90|within 999 days|99999小时内|a".split("|")
        ),
        max_size=8,
    ).map("".join),
)
LINES = st.tuples(st.sampled_from(get_args(Speaker)), TEXTS, st.sampled_from(get_args(EmotionLabel)))


@given(
    st.lists(LINES, max_size=12),
    st.sampled_from(get_args(ArticleLanguage)),
    st.sampled_from([None, *get_args(ArticleLanguage)]),
    st.lists(st.sampled_from(FLAGS), max_size=2, unique=True),
    st.sampled_from([None, "gold"]),
    st.integers(0, 23),
)
def test_every_fact_stands_whatever_was_said(
    said: list[Said],
    language: ArticleLanguage,
    agent_language: ArticleLanguage | None,
    flags: list[Flag],
    tier: str | None,
    hour: int,
) -> None:
    customer = Customer("cust_1", "Ann", tier)
    begin = TUESDAY.replace(hour=hour)
    session = a_session(said, language=language, customer=customer, flags=tuple(flags), begin=begin)
    found = closed(session, agent_language)
    now = begin + timedelta(minutes=len(said))
    assert [fact for fact, stands in facts_of(found, session, now) if not stands] == []
    assert closed(session, agent_language) == found


def test_a_wrap_up_logged_before_there_were_quotes_can_be_read() -> None:
    old = (
        '{"summary":["line"],"disposition":"resolved","tags":[],"emotion_start":null,"emotion_worst":null,'
        '"emotion_end":null,"follow_up":{"due_at":"2026-11-24T10:00:00Z","action":"a","reason":"r"}}'
    )
    found = WRAP_UP.validate_json(old)
    assert (found.quotes, found.outcome, found.texts, found.message) == ((), None, (), None)
    new = closed(a_session(FRIDGE), "en")
    assert WRAP_UP.validate_json(WRAP_UP.dump_json(new)) == new
