"""Language of short strings as customers type them."""

import pytest

from assist.text.language import detect

CONFIDENT = {
    "zh-Hans": """我的包裹怎么还没到
        退款什么时候到账
        这个优惠券用不了
        你们客服都不回复的吗
        订单号CW20261108-4471帮我查一下
        我要退货!!!
        请问空气炸锅5L的有货吗
        AirPods Pro 的保护壳有吗
        VIP会员有什么优惠
        我在APP上下单的,怎么没有物流信息
        发票开错了,能重开吗
        收到的时候杯子已经碎了😡
        买了CW-KIT-0012,说明书在哪
        满299减50の券怎么领
        谢谢你们,问题解决了""",
    "zh-Hant": """我的包裹怎麼還沒到
        請問退款什麼時候入帳
        這張優惠券不能用
        客服都不回覆是怎樣
        幫我查一下訂單CW20261108-4471
        我要退貨!!!
        有沒有現貨
        收到的時候杯子已經破了
        佢哋成日都唔覆我
        我想換尺寸可以嗎
        超商取貨要帶什麼
        ㄏㄏ 好喔
        發票可以補寄嗎
        請找主管來跟我說
        謝謝妳""",
    "en": """where is my parcel
        ok thx
        wheres my order its late
        plz help asap
        lol no
        tbh this sucks
        hi
        hello there
        u guys r useless
        refund pls
        my kettel is brokn
        air fryer 5L
        wtf
        still nothing
        is it legit
        omg so cute
        no invoice
        return label
        AirPods Pro case
        Visa card declined
        thx a lot bro
        i wanna return dis
        CW-KIT-0012 in stock?
        gr8 service
        Your courier left it in the rain
        I'd like a refund to my Visa card
        gift wrap
        cancel it
        ??? nobody answers
        yes
        no
        The zipper came off after two days""",
    "mixed": """我的order还没到please help
        这个refund要几天才到my card
        can you帮我查一下物流
        请问有没有free shipping之类的
        我要return這個order
        thank you so much 问题解决了
        你们的delivery太slow了""",
    "other": """merci beaucoup
        bonjour je voudrais un remboursement
        où est mon colis
        hola donde esta mi pedido
        quiero un reembolso
        ich möchte mein geld zurück
        wann kommt meine Bestellung an
        guten tag
        terima kasih
        barang saya belum sampai
        cảm ơn bạn
        obrigado
        onde está a minha encomenda
        vorrei un rimborso
        商品がまだ届きません
        ありがとう
        환불해 주세요
        где моя посылка
        أين طلبي
        สินค้ายังไม่มา
        dónde está mi paquete
        gracias""",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"), [(line.strip(), lang) for lang, lines in CONFIDENT.items() for line in lines.split("\n")]
)
def test_confident_texts_need_no_hint(text, expected):
    assert detect(text) == expected


@pytest.mark.parametrize("text", ["好的", "可以", "你好", "嗯嗯好", "什么时候"[:1] + "人"])
def test_han_text_of_both_scripts_follows_the_hint(text):
    assert detect(text) == "zh-Hans"
    assert detect(text, "zh-Hant") == "zh-Hant"
    assert detect(text, "en") == "zh-Hans"


@pytest.mark.parametrize(
    "text", ["", "   ", "😡😡", "12345", "???", "CW20261108-4471", "13800138000", "https://x.example/a"]
)
def test_text_without_words_follows_the_hint(text):
    assert detect(text) == "zh-Hans"
    assert detect(text, "en") == "en"
    assert detect(text, "zh-Hant") == "zh-Hant"


def test_a_hint_never_overrules_clear_text():
    assert detect("我的包裹怎么还没到", "en") == "zh-Hans"
    assert detect("where is my parcel", "zh-Hant") == "en"
    assert detect("請問退款什麼時候入帳", "zh-Hans") == "zh-Hant"


def test_full_width_letters_are_read_as_latin():
    assert detect("ｗｈｅｒｅ　ｉｓ　ｍｙ　ｐａｒｃｅｌ") == "en"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("run", ["a", "a.", "a-", "a_", ".", "+", "a1", "1-", "a@", "-a1_"])
def test_a_long_run_is_gone_through_once(run):
    assert detect(run * (100_000 // len(run)), "en") == "en"
