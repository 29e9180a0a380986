"""Budgets, calls for advice and decisions in customers' own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.suggest.wishes import asks_for_advice, budget_in, has_decided


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("预算500以内有推荐的吗", 500),
        ("預算大概一千五", 1500),
        ("想要三百块左右的耳机", 300),
        ("两千以内吧", 2000),
        ("三百五以内", 350),
        ("一万二以内的沙发", 12000),
        ("300到500元的", 500),
        ("预算 300-500", 500),
        ("something under 1,200 please", 1200),
        ("my budget is ¥250", 250),
        ("under 300, or rather up to 400", 400),
        ("no more than 80 rmb", 80),
    ],
)
def test_reads_the_upper_bound(text: str, amount: float) -> None:
    assert budget_in(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "客厅38平左右",
        "within 300 days",
        "can you answer within 48 hours",
        "一个人住",
        "7天以内能到吗",
        "under 30 kg",
        "1499一次付有点肉疼",
        "订单 CW20261118-2217",
        "",
    ],
)
def test_what_is_no_money_is_no_budget(text: str) -> None:
    assert budget_in(text) is None


@given(st.text(alphabet="一二两三五九十百千万0123456789,以内左右预算到至元块 ¥-under", max_size=40))
def test_any_text_gives_an_amount_or_none(text: str) -> None:
    found = budget_in(text)
    assert found is None or found >= 0


@pytest.mark.parametrize("text", ["any ideas?", "哪款好用", "有推薦的嗎", "what would you recommend", "能推荐一款吗"])
def test_a_call_for_advice(text: str) -> None:
    assert asks_for_advice(text)


@pytest.mark.parametrize("text", ["any ideas when it arrives?", "订单哪天到", "我的退款呢", "the one I have is fine"])
def test_no_call_for_advice(text: str) -> None:
    assert not asks_for_advice(text)


@pytest.mark.parametrize("text", ["I'll order it tonight", "placed order，谢谢", "好，下单了", "就這款", "买好了"])
def test_a_decision(text: str) -> None:
    assert has_decided(text)


@pytest.mark.parametrize("text", ["我的订单呢", "in order to get a refund", "哈哈你挺实在", "下周到吗"])
def test_no_decision(text: str) -> None:
    assert not has_decided(text)
