"""The tokeniser that index and query share."""

import pytest

from assist.text.segment import Segmenter, stem

SEGMENTER = Segmenter(
    [
        ["退款", "退钱", "退錢", "refund", "money back"],
        ["快递", "宅配", "parcel", "包裹"],
        ["空气炸锅", "氣炸鍋", "air fryer"],
    ]
)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("我的订单CW20261108-4471", ["订单", "cw20261108-4471"]),
        ("CW-KIT-0012 有货吗", ["cw-kit-0012", "货"]),
        ("充電寶批次PB2409", ["充电", "宝", "批次", "pb2409"]),
        ("20000 mAh power bank", ["20000mah", "power", "bank"]),
        ("5L的空气炸锅", ["5l", "空气炸锅"]),
        ("Who has my parcel?", ["who", "快递"]),
        ("refunds and money back", ["退款", "退款"]),
        ("我要退錢", ["退款"]),
        ("", []),
        ("的了吗", []),
    ],
)
def test_terms(text, terms):
    assert SEGMENTER.terms(text) == terms


def test_traditional_and_simplified_give_the_same_terms():
    assert SEGMENTER.terms("請問優惠券可以疊加使用嗎") == SEGMENTER.terms("请问优惠券可以叠加使用吗")


def test_surfaces_are_in_the_customers_script():
    assert [t.surface for t in SEGMENTER.analyse("氣炸鍋想退錢,發票呢")] == ["氣炸鍋", "退錢", "發票"]
    assert [t.surface for t in SEGMENTER.analyse("Money back for my Air Fryer")] == ["Money back", "Air Fryer"]


def test_a_long_word_is_also_found_by_its_parts():
    assert "信用" in SEGMENTER.terms("信用卡") or SEGMENTER.terms("信用卡") == ["信用卡"]
    assert {"吹风机", "吹风"} <= set(SEGMENTER.terms("吹风机"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ship ships shipped shipping", "ship"),
        ("battery batteries", "battery"),
        ("charge charged charging charges", "charg"),
        ("box boxes", "box"),
        ("refund refund's refunds refunded", "refund"),
        ("bus", "bus"),
        ("is", "is"),
        ("address", "address"),
    ],
)
def test_stem(words, expected):
    assert {stem(word) for word in words.split()} == {expected}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("run", ["a-", "a_", "a/", "1-", "a1"])
def test_a_long_run_is_gone_through_once(run):
    assert Segmenter().terms(run * (100_000 // len(run)) + " refund")[-1] == "refund"


def test_a_code_is_whole_wherever_its_digit_stands():
    assert Segmenter().terms("kf-ab-12 e-mail ab-cd-e4f") == ["kf-ab-12", "e", "mail", "ab-cd-e4f"]
