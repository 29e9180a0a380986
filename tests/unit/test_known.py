"""What need not be asked again: said, bought, told before, on record, each with where it comes from."""

from datetime import UTC, datetime, timedelta

import pytest

from assist.conversation.known import Known, known_in
from assist.conversation.session import Session, Turn
from assist.domain import ArticleLanguage, Contact, Conversation, Customer, Item, Order, Speaker, Utterance

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
KETTLE = Order("CW20261108-4471", "K1", "Aqua 恒温电水壶", 199.0, "shipped", NOW - timedelta(days=15), "online")


def session(*texts: str | tuple[Speaker, str], customer: Customer | None = None) -> Session:
    made = Session(Conversation("conv_1", "chat", NOW, customer or Customer("c")))
    for n, said in enumerate(texts, 1):
        speaker, text = said if isinstance(said, tuple) else ("customer", said)
        made.turns.append(Turn(Utterance(f"u{n}", n, speaker, text, "zh-Hans", NOW), None, False))
    return made


def known(*texts: str | tuple[Speaker, str], customer: Customer | None = None) -> list[Known]:
    return list(known_in(session(*texts, customer=customer), NOW, "en"))


def said(text: str) -> dict[str, str]:
    return {one.code: one.value for one in known(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("订单 cw20261108-4471 还没到", {"order_number": "CW20261108-4471"}),
        ("我电话13812345678，邮箱 a.b@mail.example", {"phone": "13812345678", "email": "a.b@mail.example"}),
        ("送到上海市浦东新区世纪大道100号", {"address": "上海市浦东新区世纪大道100号"}),
        ("我穿38码，预算500以内", {"size": "38", "budget": "¥500"}),
        ("有没有XL码的？", {"size": "XL"}),
        ("尺寸 M 還有嗎", {"size": "M"}),
        ("I take a 9.5", {"size": "9.5"}),
        ("do you have it in size 9.5?", {"size": "9.5"}),
        ("周五之前要收到", {"deadline": "周五"}),
        ("11月28号前能到吗", {"deadline": "11月28号"}),
        ("明天要用的", {"deadline": "明天"}),
        ("最晚後天", {"deadline": "後天"}),
        ("I need it by Friday, under 300", {"deadline": "Friday", "budget": "¥300"}),
        ("it must be here before the 25th", {"deadline": "the 25th"}),
        ("by 28 November please", {"deadline": "28 November"}),
        ("我对坚果过敏", {"allergies": "坚果"}),
        ("I am allergic to latex.", {"allergies": "latex"}),
        ("11月26号下的单", {}),
        ("我穿了两天就坏了", {}),
        ("昨天到的", {}),
        ("穿过3次，用了38天", {}),
        ("验证码收不到", {}),
        ("thanks, bye", {}),
    ],
)
def test_what_is_said(text: str, expected: dict[str, str]) -> None:
    assert said(text) == expected


def test_the_last_word_counts_and_names_its_turn_but_every_order_number_stays() -> None:
    found = known(
        "预算500以内，订单 CW20261108-4471",
        ("agent", "我的电话是 13900000000"),
        "那预算800以内",
        "还有 CW20261109-1111",
    )
    assert [(one.code, one.value, one.turn) for one in found] == [
        ("order_number", "CW20261108-4471", 1),
        ("budget", "¥800", 3),
        ("order_number", "CW20261109-1111", 4),
    ]
    assert found[1].evidence == "said in turn 3"


def test_orders_contacts_and_record_with_their_evidence() -> None:
    customer = Customer(
        "c",
        orders=(
            KETTLE,
            Order("CW20261101-1000", "T1", "毛巾", 59.0, "refund_pending", NOW - timedelta(days=22), "store"),
        ),
        cart=(Item("C1", "Lamp", 9.0), Item("C2", "Rug", 9.0)),
        contacts=(
            Contact(NOW - timedelta(days=9), "voice", "invoice", "asked for the invoice", True),
            Contact(NOW - timedelta(days=8), "email", "invoice", "thanked", False),
            Contact(NOW - timedelta(days=2), "chat", "delivery_status", "asked where it is"),
        ),
        attributes={"shoe_size": 38, "allergies": ["nuts", "latex"], "city": "Wuhan"},
        identifiers={"membership": "M1", "customer_id": "c"},
    )
    found = {one.code: one for one in known("电水壶怎么还没到", customer=customer)}
    assert "product" not in found
    assert found["order"].value == "Aqua 恒温电水壶 · on its way"
    assert found["order"].evidence == "order CW20261108-4471 2026-11-08 online"
    assert found["pending"].evidence == "order CW20261101-1000 2026-11-01 store"
    assert found["cart"].value == "Lamp, Rug"
    assert (found["open_contact"].value, found["open_contact"].evidence) == (
        "asked for the invoice",
        "2026-11-14 phone",
    )
    assert found["last_contact"].value == "asked where it is"
    assert (found["membership"].value, found["size"].value, found["allergies"].value) == ("M1", "38", "nuts, latex")
    assert "city" not in found


def test_a_product_that_is_talked_about_is_told_and_an_order_tells_itself() -> None:
    kettle, lamp = KETTLE, Item("C1", "Aria 阅读落地灯", 399.0)
    customer = Customer("c", orders=(kettle,), viewed=(lamp,))
    found = known("CW20261108-4471 到了，阅读落地灯呢", customer=customer)
    assert [(one.code, one.value) for one in found][:2] == [
        ("product", lamp.title),
        ("order", "Aqua 恒温电水壶 · on its way"),
    ]


def test_nothing_is_told_twice() -> None:
    customer = Customer("c", attributes={"size": "38"}, identifiers={"phone": "13812345678"})
    found = known("我穿38码，电话13812345678", customer=customer)
    assert [(one.code, one.source) for one in found] == [("phone", "said"), ("size", "said")]


def test_nothing_is_known_of_a_stranger() -> None:
    assert known() == []
    assert known("你好") == []


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant", "en"])
def test_every_label_in_the_readers_language(language: ArticleLanguage) -> None:
    talk = session(
        "我穿38码，电话13812345678，周五之前要，订单 CW20261108-4472，预算500以内",
        customer=Customer("c", orders=(KETTLE,)),
    )
    found = known_in(talk, NOW, language)
    assert {"size", "phone", "deadline", "order_number", "budget", "order"} == {one.code for one in found}
    for one in found:
        assert "{" not in one.label + one.value + one.evidence
        assert one.label.isascii() is (language == "en")
