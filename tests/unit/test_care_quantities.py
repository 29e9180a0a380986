"""Quantities come to one form, whatever the language and the numerals."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.knowledge.care.quantities import masked, quantities
from assist.text.normalise import normalise


def found(sentence: str) -> list[tuple[str, tuple[float, float]]]:
    return [(one.unit, one.value) for one in quantities(normalise(sentence))]


@pytest.mark.parametrize(
    "sentence",
    ["within 7 days of receipt", "七天内可以退", "收到後 7 天內", "a 7-day return", "seven days", "一周内", "168 小时"],
)
def test_a_week_is_a_week(sentence):
    assert found(sentence) == [("hours", (168, 168))]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("2–4 days", [("hours", (48, 96))]),
        ("1 至 3 个工作日", [("working days", (1, 3))]),
        ("3 to 5 business days", [("working days", (3, 5))]),
        ("半小时", [("hours", (0.5, 0.5))]),
        ("两三天到账", [("hours", (48, 72))]),
        ("三五个工作日", [("working days", (3, 5))]),
        ("两年", [("months", (24, 24))]),
        ("三三天", [("hours", (72, 72))]),
        ("一两个小时", [("hours", (1, 2))]),
        ("二三十元", [("¥", (20, 30))]),
        ("十三四天", [("hours", (312, 336))]),
        ("七八百块钱", [("¥", (700, 800))]),
        ("两个半小时", [("hours", (2.5, 2.5))]),
        ("1 个半小时", [("hours", (1.5, 1.5))]),
        ("三个半月", [("months", (3.5, 3.5))]),
        ("一个半天", [("hours", (12, 12))]),
        ("三到五天半", [("hours", (84, 132))]),
        ("一年半保修", [("months", (18, 18))]),
        ("两年半价", [("months", (24, 24))]),
        ("满 99 块包邮", [("¥", (99, 99))]),
        ("统一7天无理由", [("hours", (168, 168))]),
        ("1,000,000 points", [("points", (1_000_000, 1_000_000))]),
        ("十二个月", [("months", (12, 12))]),
        ("满 ¥1,000 或 1000 元", [("¥", (1000, 1000)), ("¥", (1000, 1000))]),
        ("￥99 and RMB 8 and HK$299", [("¥", (99, 99)), ("¥", (8, 8)), ("HK$", (299, 299))]),
        ("三千五百元", [("¥", (3500, 3500))]),
        ("1.5 万元", [("¥", (15000, 15000))]),
        ("二十四小时", [("hours", (24, 24))]),
        ("百分之二十", [("%", (20, 20))]),
        ("20 % off", [("%", (20, 20))]),
        ("八折", [("%", (20, 20))]),
        ("85折", [("%", (15, 15))]),
        ("09:00–21:00", [("o'clock", (9, 21))]),
        ("3 times the price", [("times", (3, 3))]),
        ("¥10 and 3 days", [("¥", (10, 10)), ("hours", (72, 72))]),
        ("8 % from 50 and 12 % from 200", [("%", (8, 8)), ("%", (12, 12))]),
    ],
)
def test_units_and_ranges(sentence, expected):
    assert found(sentence) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "第 7 天",
        "2026 年 11 月 23 日",
        "CW-2-day",
        "有一点小问题",
        "打折",
        "400-820-5566",
        "一起来",
        "同一天下单",
        "另一件",
        "一块退",
    ],
)
def test_what_is_no_quantity(sentence):
    assert found(sentence) == []


def test_a_sentence_without_its_figures_is_the_same_for_any_figure():
    first, second = (
        normalise(f"收到货 {days}，不喜欢就可以退，运费 {fee}。") for days, fee in (("7 天", "¥10"), ("十四天", "¥25"))
    )
    assert masked(first, quantities(first)).replace(" ", "") == masked(second, quantities(second)).replace(" ", "")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["一", "1", "1,", "1,111,", "1.", "百分之", "¥1", "7 to ", "一二 ", "1天", "eleven-"])
def test_a_long_line_is_read_once(piece):
    line = piece * (200_000 // len(piece))
    assert sum(one.end - one.start for one in quantities(line)) <= len(line)


@given(st.text(alphabet="0123456789.,:-–零一二两十百千万半天日年周个月元¥%折第满 daysworkinghurto", max_size=60))
def test_any_text_is_read_in_order_and_without_overlap(text):
    sentence = normalise(text)
    stated = quantities(sentence)
    assert all(sentence[one.start : one.end] == one.text and one.value[0] <= one.value[1] for one in stated)
    assert all(one.end <= other.start for one, other in pairwise(stated))
    masked(sentence, stated)
