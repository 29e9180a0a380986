"""What is taken out of text for the log, and what is left."""

import pytest

from assist.text.redact import cn_id, hk_id, luhn, redact, tw_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的电话是13812345678谢谢", "我的电话是[PHONE]谢谢"),
        ("call +86 138 1234 5678", "call [PHONE]"),
        ("電話0912-345-678", "電話[PHONE]"),
        ("我電話係9123 4567呀", "我電話係[PHONE]呀"),
        ("+852 9123-4567", "[PHONE]"),
        ("ring me on +44 7911 123456 please", "ring me on [PHONE] please"),
        ("座机010-62345678", "座机[PHONE]"),
        ("(02) 2345-6789", "[PHONE]"),
        ("（13812345678）", "（[PHONE]）"),
        ("邮箱lin.xw@example.com收不到", "邮箱[EMAIL]收不到"),
        ("mail me: a.b+c@mail.example.co.uk.", "mail me: [EMAIL]."),
        ("身份证11010519491231002X", "身份证[ID]"),
        ("身分證A123456789", "身分證[ID]"),
        ("HKID A123456(3)", "HKID [ID]"),
        ("卡号4111 1111 1111 1111被扣了两次", "卡号[CARD]被扣了两次"),
        ("6222021234567890128", "[CARD]" if luhn("6222021234567890128") else "[ORDER]"),
        ("订单CW20261108-4471什么时候到", "订单[ORDER]什么时候到"),
        ("快递单号SF1234567890123", "快递单号[ORDER]"),
        ("单号784512369874", "单号[ORDER]"),
        ("寄到浙江省杭州市西湖区文三路138号2幢301室", "[ADDRESS]"),
        ("地址:台北市大安區忠孝東路四段100號5樓", "地址:[ADDRESS]"),
        ("I live at 12 King Street, London", "I live at [ADDRESS], London"),
        ("Flat 5B, 12/F", "[ADDRESS]"),
        ("我叫张伟,想问下订单", "我叫[NAME],想问下订单"),
        ("敝姓陳", "敝姓[NAME]"),
        ("我姓林", "我姓[NAME]"),
        ("我叫欧阳小红。", "我叫[NAME]。"),
        ("Hi, my name is Sarah Connor and I want a refund", "Hi, my name is [NAME] and I want a refund"),
        ("This is Tom speaking", "This is [NAME] speaking"),
    ],
)
def test_personal_data_goes(text, expected):
    found = redact(text).text
    assert found.endswith(expected) if expected == "[ADDRESS]" else found == expected


@pytest.mark.parametrize(
    "text",
    [
        "我知道3号能到",
        "满299减50,打8折",
        "CW-KIT-0012 有货吗",
        "充电宝20000mAh,批次PB2409",
        "¥1299太贵了,价格1299.00",
        "请打400-820-5566",
        "2026年11月8日下单",
        "2026-11-08 15:30",
        "我叫了三次客服都没人",
        "我叫你们经理来",
        "I'm waiting 3 weeks, way too long",
        "5 Days in a row",
        "9号线堵车",
        "我是会员",
        "in 3 working days",
    ],
)
def test_ordinary_text_stays(text):
    assert redact(text).text == text
    assert redact(text).spans == ()


def test_known_names_go_in_full_and_in_parts():
    assert redact("林晓雯的包裹", names=["林晓雯"]).text == "[NAME]的包裹"
    assert redact("晓雯您好", names=["林晓雯"]).text == "[NAME]您好"
    assert redact("dear MAY CHAN, hello Chan", names=["May Chan"]).text == "dear [NAME], hello [NAME]"
    assert redact("it may arrive, Maybe", names=["May Chan"]).text == "it may arrive, Maybe"
    assert redact("Channel 5", names=["May Chan"]).text == "Channel 5"


def test_spans_refer_to_the_original():
    text = "我叫张伟，电话13812345678，a@b.example"
    redacted = redact(text)
    assert [(text[s.start : s.end], s.kind) for s in redacted.spans] == [
        ("张伟", "NAME"),
        ("13812345678", "PHONE"),
        ("a@b.example", "EMAIL"),
    ]


def test_check_digits():
    assert cn_id("11010519491231002X") and not cn_id("110105194912310021")
    assert tw_id("A123456789") and not tw_id("A123456788")
    assert hk_id("A123456(3)") and hk_id("A1234563") and not hk_id("A1234564")
    assert luhn("4111111111111111") and not luhn("4111111111111112")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("run", ["市" * 200, "1" + "市" * 200_000, "区市" * 100 + "路"])
def test_a_run_of_administrative_characters_ends(run):
    assert redact(run).text == run


def test_an_address_begins_with_its_province():
    assert redact("寄到广东省深圳市南山区科技路15号3栋").text == "[ADDRESS]"
