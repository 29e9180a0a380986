"""Flags by wording: what raises one, what must not, and how a broken rule file is reported."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assist.domain import FLAGS
from assist.errors import ModelError
from assist.inference.flags import FlagRules


@pytest.fixture(scope="module")
def rules() -> FlagRules:
    return FlagRules()


RAISED = {
    "urgent": [
        "明天一早的飞机，今晚能不能到",
        "明天就要用了，來得及嗎",
        "I need it by tomorrow morning",
        "聽日朝早要用，趕唔切",
        "The wedding is tomorrow and it still isn't here",
        "后天的货先放着，今晚六点前必须把蛋糕送到",
        "还剩二十分钟，付不了款名额就没了",
        "限你们下班前给我答复",
        "水已经漫到客厅了，师傅什么时候来",
        "聽日結婚，婚紗仲未到點算",
        "孩子误吞了干燥剂怎么办",
        "Our flight's at six tonight and the case won't open",
        "You have until noon to sort this",
        "refund. today.",
        "She starts school tomorrow and has no shoes",
    ],
    "abusive": [
        "你们就是骗子",
        "客服是傻逼吧",
        "你們這群騙子",
        "you useless idiots",
        "Shut up and refund me",
        "不要臉的公司",
        "你們腦子進水了是不是",
        "滚，别再回我",
        "抱歉你妹",
        "客服都是猪脑",
        "冚家鏟，貨呢",
        "道歉个屁",
        "you lying bunch of cowards",
        "what a shower of useless jobsworths",
        "go f*** yourselves",
        "Your driver is a thief",
    ],
    "churn_threat": [
        "再也不在你们家买了",
        "我要注销账号",
        "以後不會再買了",
        "I'm closing my account",
        "I will never order from you again",
        "去别家买",
        "这辈子不会再进你们店",
        "會員到期我就不續了",
        "帮我把账号注销了",
        "以後一律去別家買",
        "公司从今换供应商",
        "I'll be taking my business elsewhere",
        "Delete my account, we're done with you",
        "please let the membership lapse",
        "You've just lost a loyal customer",
        "唔會再嚟買嘢",
    ],
    "legal_threat": [
        "我打12315投诉",
        "不退钱就法院见",
        "我要去消保會申訴",
        "律师函等着收吧",
        "I'll do a chargeback",
        "You'll hear from my solicitor",
        "我已经请律师发函",
        "再拖我就去派出所立案",
        "小額錢債見",
        "這筆我會申請爭議款",
        "我現在就打消委會",
        "Trading Standards have my letter",
        "I'll take you to court",
        "My bank will reverse the charge, I've raised a dispute with the card provider",
        "I am going to sue you",
        "the ombudsman has been told",
    ],
    "media_threat": [
        "我要发到小红书上曝光",
        "再不處理我就po上網",
        "找记者曝光你们",
        "This is going on Trustpilot tonight",
        "明天全部發到Threads讓大家評評理",
        "我是有十萬粉的測評號，周末出视频",
        "記者朋友很想聽這個故事",
        "写篇长文挂你",
        "等着上热搜吧",
        "I'll be posting the footage all over Facebook",
        "I've emailed a reporter at the Herald",
        "expect a one-star review everywhere",
        "I'll tell my subscribers what you did, all forty thousand followers will hear",
        "放上網公審",
    ],
    "safety_risk": [
        "充电宝鼓包了",
        "插座冒烟了",
        "行動電源突然膨脹",
        "宝宝用了起红疹",
        "it caught fire",
        "The battery is swollen",
        "我不想活了",
        "I want to kill myself",
        "烫伤了手",
        "吹风机插上就冒火花",
        "插頭燒到發黑，有股焦味",
        "平板背面拱起来一块，屏幕都翘了",
        "電了我一下，手麻到現在",
        "罐头里吃出一块碎玻璃",
        "杯子炸裂，割伤孩子的手",
        "用了面霜，整张脸肿得睁不开眼",
        "飲咗之後全家上吐下瀉",
        "前轮突然脱落，差点撞上护栏",
        "屋里有股煤气味",
        "活着好累，真的撑不下去了",
        "I don't want to be alive any more",
        "The kettle gave me an electric shock",
        "My toddler swallowed a button cell",
        "There was a shard of glass in the jar",
        "His lips are swelling after one biscuit",
        "the pushchair collapsed with my baby in it",
        "we can smell gas in the kitchen",
        "it melted the socket",
        "I ended up in A&E with a burnt hand",
    ],
    "wants_human": [
        "转人工",
        "我要找你们经理",
        "叫你們主管出來",
        "get me a manager",
        "Can I speak to a real person",
        "真人客服",
        "别再发模板了，找个能做主的来",
        "換個懂的人跟我談",
        "让你们店长接电话",
        "我要真人客服，不要機器人",
        "叫話事人出嚟",
        "有冇真人呀",
        "agent please",
        "I need a manager right now",
        "put me through to somebody in charge",
        "Is this a bot?",
        "Could someone with authority ring me back",
    ],
}
NOT_RAISED = {
    "urgent": [
        "不急，下周到就行",
        "No rush at all",
        "今天收到了，谢谢",
        "昨天下的单",
        "今天已经收到了，谢谢你们",
        "你们说24小时内发货，是真的吗",
        "The engineer rang within the hour, brilliant",
        "Does the sale end this month?",
        "今天天气真好，逛逛看",
        "明天能不能改个地址",
        "Is delivery available for tomorrow?",
        "明天能收到就行，不着急",
    ],
    "abusive": [
        "滚筒洗衣机怎么用",
        "收到一个骗子电话，冒充你们客服",
        "I feel like an idiot for asking",
        "质量太差了",
        "当我是傻子也行，笑笑就过去了",
        "被骗子骗过一次，所以小心",
        "变态辣口味还有吗",
        "運費NT 80元",
        "2B铅笔一盒",
        "The knob. It came off the drawer",
        "Someone stole it, there are parcel thieves round here",
        "I felt such an idiot when it was in my bag",
        "Do you sell a clown costume?",
        "猪头肉怎么保存",
        "神经性皮炎能用这款枕头吗",
    ],
    "churn_threat": [
        "怎么取消订单",
        "app闪退，卸载重装还是不行",
        "cancel this order please",
        "别家也有卖这个吗",
        "注销账号后优惠券还在吗",
        "How do I cancel a subscription?",
        "本来想退会，想想还是算了",
        "I'd never shop anywhere else",
        "不用再来回跑了，谢谢",
        "Please don't cancel my order",
    ],
    "legal_threat": [
        "我没想要告你们",
        "烟雾报警器怎么安装",
        "court shoes in size 6",
        "订单号9912315678",
        "收货地址是法院旁边",
        "报警器一直响怎么关",
        "这个律师袍图案的杯子有货吗",
        "a badminton court bag",
        "燃气报警器是不是要换电池",
        "收件地址是派出所对面",
        "My friend is a solicitor and loves this pen",
        "please ask Sue at the desk",
    ],
    "media_threat": [
        "我在小红书上看到的这款",
        "抖音直播间下的单",
        "I saw it on TikTok",
        "How do I post it back to you?",
        "小红书推荐的那款还有吗",
        "曝光补偿怎么调",
        "Great reviews on Trustpilot, so I ordered",
        "glitter all over the floor",
        "发朋友圈集赞送礼品吗",
        "Can I share the list online?",
        "My followers will love this lamp",
    ],
    "safety_risk": [
        "没有冒烟，就是充不进电",
        "敏感肌会不会过敏",
        "跳楼价",
        "好吃到爆炸",
        "Does the smoke detector need batteries?",
        "Fire tablet case",
        "剁手了，心在滴血",
        "便宜到爆炸",
        "会不会过敏啊，第一次用",
        "防摔手机壳有货吗",
        "烧烤架包邮吗",
        "Is the charger going to overheat?",
        "Smoked salmon, two packs please",
        "spark plugs for a mower",
        "Will the strap snap?",
        "no burning smell or anything, it just won't turn on",
        "I nearly died laughing",
        "膨胀螺丝送几个",
        "嗓子冒烟了，来瓶水",
        "my sister works at the hospital, deliver there",
        "Do you have the charger case in black?",
        "手机对焦不准，拍出来很糊",
        "行李箱轮子掉了",
        "屏幕划伤能换吗",
        "背包缝线开了",
        "耳机外壳裂开了",
        "the strap on the bag snapped",
        "these earbuds won't stay in my ears",
    ],
    "wants_human": [
        "不用转人工了",
        "人工草坪多少钱",
        "你们主管说可以退",
        "给我们老板买的礼物",
        "I spoke to a manager yesterday",
        "人工智能音箱有几款",
        "让快递员给我打电话",
        "我们老板要一把椅子",
        "终于有真人回复了，谢谢",
        "Please don't ring me at work",
        "The courier never called me",
        "password manager included?",
        "Please tell your manager she is brilliant",
    ],
}


@pytest.mark.parametrize(("flag", "text"), [(flag, text) for flag, texts in RAISED.items() for text in texts])
def test_raised(rules: FlagRules, flag: str, text: str) -> None:
    assert flag in rules.find(text)


@pytest.mark.parametrize(("flag", "text"), [(flag, text) for flag, texts in NOT_RAISED.items() for text in texts])
def test_not_raised(rules: FlagRules, flag: str, text: str) -> None:
    assert flag not in rules.find(text)


def test_both_scripts_and_full_width_letters_match_the_same_pattern(rules: FlagRules) -> None:
    assert rules.find("充电宝鼓包") == rules.find("充電寶鼓包") == ("safety_risk",)
    assert rules.find("ＧＥＴ ＭＥ Ａ ＭＡＮＡＧＥＲ") == ("wants_human",)


def test_flags_come_in_a_fixed_order(rules: FlagRules) -> None:
    found = rules.find("骗子！叫你们经理出来，不然我打12315，再也不来了")
    assert found == tuple(flag for flag in FLAGS if flag in found)
    assert {"abusive", "legal_threat", "wants_human", "churn_threat"} <= set(found)


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=100))
def test_any_text_is_searched(rules: FlagRules, text: str) -> None:
    assert set(rules.find(text)) <= set(FLAGS)


def rule_file(
    folder: Path, zh: str, *, unless: str = "", emoji: str = "", bars: tuple[object, object] = (0.2, 0.8)
) -> Path:
    """A file with one pattern of interest, for `urgent`; the other flags get a harmless one."""
    lines = []
    with_wording, model_alone = bars
    for flag in FLAGS:
        patterns = zh if flag == "urgent" else '"zzz"'
        lines.append(f'[flags.{flag}]\nmeaning = "m"\nzh = [{patterns}]\nen = []\nunless = [{unless}]')
        lines.append(f"with_wording = {with_wording}\nmodel_alone = {model_alone}")
    path = folder / "flags.toml"
    path.write_text("\n".join(lines) + f"\n[emoji]\n{emoji}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("加急", "请加急处理", "请处理"),
        ("(今天|今晚)到", "今晚到吗", "明晚到吗"),
        ("今天…到", "今天下午能到", "今天。明天到"),
        ("今天(就|)走", "今天走", "今天不走"),
        ("need*…now", "I needed this right now", "indeed, nowhere"),
        ("rush", "Rush it!", "crushed"),
        ("due #", "due 8am", "due soon"),
        ("#(点|點)前", "十二 12点前", "12个前"),
        ("f\\\\*\\\\*k", "f**k", "fork"),
        ("结束$", "今天结束", "结束了吗"),
        ("(甲(乙|丙)|丁)戊", "甲丙戊", "甲戊"),
    ],
)
def test_the_notation(tmp_path: Path, pattern: str, matching: str, other: str) -> None:
    rules = FlagRules(rule_file(tmp_path, f'"{pattern}"'))
    assert rules.find(matching) == ("urgent",)
    assert rules.find(other) == ()


def test_an_exclusion_counts_only_where_it_lies_over_the_match(tmp_path: Path) -> None:
    rules = FlagRules(rule_file(tmp_path, '"急"', unless='"不急"'))
    assert rules.find("不急") == ()
    assert rules.find("他不急我急") == ("urgent",)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ('"(今天"', "not closed"),
        ('"今天)"', "not opened"),
        ('"…"', "empty text"),
        ('""', "empty text"),
        ("7", "no text"),
    ],
)
def test_a_broken_pattern_is_named(tmp_path: Path, pattern: str, reason: str) -> None:
    with pytest.raises(ModelError, match=rf"flags\.urgent.*{reason}"):
        FlagRules(rule_file(tmp_path, pattern))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "flags.toml"
    with pytest.raises(ModelError, match="cannot read"):
        FlagRules(path)
    path.write_text("[flags")
    with pytest.raises(ModelError, match="not valid TOML"):
        FlagRules(path)
    path.write_text('[flags.urgent]\nmeaning = ""\nzh = []\nen = []\n')
    with pytest.raises(ModelError, match="must hold exactly"):
        FlagRules(path)
    path.write_text("\n".join(f"[flags.{flag}]\nmeaning = 'm'" for flag in FLAGS))
    with pytest.raises(ModelError, match="needs en, meaning, model_alone"):
        FlagRules(path)


@pytest.mark.parametrize("bars", [(0.9, 0.8), (-0.1, 0.8), (0.1, 1.1), ('"high"', 1)])
def test_bars_that_make_no_sense_are_refused(tmp_path: Path, bars: tuple[object, object]) -> None:
    with pytest.raises(ModelError, match="with_wording <= model_alone"):
        FlagRules(rule_file(tmp_path, '"加急"', bars=bars))


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


@pytest.mark.parametrize(
    ("probability", "worded", "raised"),
    [(0.1, True, False), (0.3, True, True), (0.3, False, False), (0.9, False, True)],
)
def test_model_and_wording_decide_together(tmp_path: Path, probability: float, worded: bool, raised: bool) -> None:
    rules = FlagRules(rule_file(tmp_path, '"加急"'))
    logits = np.full(7, -9, np.float32)
    logits[FLAGS.index("urgent")] = logit(probability)
    assert rules.decide(rules.find("加急" if worded else "普通"), logits) == (("urgent",) if raised else ())


def test_without_words_for_the_model_the_wording_decides(tmp_path: Path) -> None:
    rules = FlagRules(rule_file(tmp_path, '"#"'))
    assert rules.decide(rules.find("12315"), None) == ("urgent",)


@pytest.mark.parametrize(
    ("emoji", "reason"),
    [('happy = "😀"', "a label that is none of"), ('angry = "😀"\nsatisfied = "😀"', "lists 😀 under")],
)
def test_a_broken_emoji_table_is_named(tmp_path: Path, emoji: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        FlagRules(rule_file(tmp_path, '"加急"', emoji=emoji))
