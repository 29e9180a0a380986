"""When something is due, from the words of a promise."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.conversation.due import due_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)

WORDS = (
    "tomorrow today tonight by before within in at 6 pm 3 5 working days day hours half an noon Friday next this"
    " the 28th November 31 about 明天 后天 下周二 周五 今晚 下午 上午 6点 十一点半 前 之内 内 3 个工作日 半 小时"
    " 分钟 二十 天 25号 2月30日 ， 。 ： : - 至 到 大概"
).split()


@pytest.mark.parametrize(
    ("text", "words", "at"),
    [
        ("I'll call you tomorrow before 6 pm.", "tomorrow before 6 pm", "2026-11-25T18:00"),
        ("The refund arrives in 3 working days.", "in 3 working days", "2026-11-27T23:59"),
        ("3-5 working days to your card", "3-5 working days", "2026-12-01T23:59"),
        ("within 24 hours", "within 24 hours", "2026-11-25T10:00"),
        ("in half an hour", "in half an hour", "2026-11-24T10:30"),
        ("We'll deliver between 2 and 4 pm tomorrow.", "4 pm tomorrow", "2026-11-25T16:00"),
        ("by Friday", "Friday", "2026-11-27T23:59"),
        ("Thursday before noon", "Thursday before noon", "2026-11-26T12:00"),
        ("on 3 December", "3 December", "2026-12-03T23:59"),
        ("It goes out on Jan 5", "Jan 5", "2027-01-05T23:59"),
        ("3 个工作日内到账", "3 个工作日内", "2026-11-27T23:59"),
        ("明天下午送到", "明天下午", "2026-11-25T18:00"),
        ("明天下午6点前给您回电", "明天下午6点", "2026-11-25T18:00"),
        ("专员会在24小时内联系您", "24小时内", "2026-11-25T10:00"),
        ("半小時內", "半小時內", "2026-11-24T10:30"),
        ("二十分钟内到", "二十分钟内", "2026-11-24T10:20"),
        ("周五前补发", "周五", "2026-11-27T23:59"),
        ("下周二下午上门", "下周二下午", "2026-12-01T18:00"),
        ("25号前发货", "25号", "2026-11-25T23:59"),
        ("预约的是今天14:00-18:00送达", "今天14:00-18:00", "2026-11-24T18:00"),
        ("师傅下午四点到", "下午四点", "2026-11-24T16:00"),
        ("6点前", "6点", "2026-11-24T18:00"),
        ("今晚發出", "今晚", "2026-11-24T23:59"),
    ],
)
def test_what_leaves_one_reading(text: str, words: str, at: str) -> None:
    due = due_of(text, TUESDAY, SHANGHAI)
    assert due is not None
    assert text[due.start : due.end] == words
    assert due.at == datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "text",
    [
        "next Friday",
        "It'll be there tomorrow after 2.",
        "tomorrow at 3:30",
        "明天6点前",
        "大概3天",
        "一般1-3个工作日",
        "usually by tomorrow",
        "week commencing 3 March",
        "2月30日",
        "the shop closes on Friday, come at 10 am",
    ],
)
def test_no_moment_where_there_is_more_than_one_reading(text: str) -> None:
    due = due_of(text, TUESDAY, SHANGHAI)
    assert due is None or due.at is None


@pytest.mark.parametrize(
    "text", ["", "好的", "请提前10分钟到", "30天价保", "已经过了3天了", "three days late", "快一点", "有两点建议"]
)
def test_what_names_no_time(text: str) -> None:
    assert due_of(text, TUESDAY, SHANGHAI) is None


def test_a_day_begins_where_the_retailer_is() -> None:
    late = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)  # one in the morning in Shanghai
    due = due_of("明天", late, SHANGHAI)
    assert due is not None and due.at is not None
    assert due.at.date().isoformat() == "2026-11-26"


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(WORDS), max_size=12).map("".join),
        st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join),
    ),
    st.datetimes(datetime(2000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)),
)
def test_any_words_at_any_time(text: str, at: datetime) -> None:
    due = due_of(text, at, SHANGHAI)
    if due is not None:
        assert 0 <= due.start < due.end <= len(text)
        assert text[due.start : due.end].strip() == text[due.start : due.end]
        assert due.at is None or at <= due.at < at + timedelta(days=1500)
