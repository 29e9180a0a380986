"""Flags by wording: what raises one, what must not, and how a broken rule file is reported."""

from pathlib import Path

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
    ],
    "abusive": [
        "你们就是骗子",
        "客服是傻逼吧",
        "你們這群騙子",
        "you useless idiots",
        "Shut up and refund me",
        "不要臉的公司",
    ],
    "churn_threat": [
        "再也不在你们家买了",
        "我要注销账号",
        "以後不會再買了",
        "I'm closing my account",
        "I will never order from you again",
        "去别家买",
    ],
    "legal_threat": [
        "我打12315投诉",
        "不退钱就法院见",
        "我要去消保會申訴",
        "律师函等着收吧",
        "I'll do a chargeback",
        "You'll hear from my solicitor",
    ],
    "media_threat": [
        "我要发到小红书上曝光",
        "再不處理我就po上網",
        "找记者曝光你们",
        "This is going on Trustpilot tonight",
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
    ],
    "wants_human": [
        "转人工",
        "我要找你们经理",
        "叫你們主管出來",
        "get me a manager",
        "Can I speak to a real person",
        "真人客服",
    ],
}
NOT_RAISED = {
    "urgent": ["不急，下周到就行", "No rush at all", "今天收到了，谢谢", "昨天下的单"],
    "abusive": ["滚筒洗衣机怎么用", "收到一个骗子电话，冒充你们客服", "I feel like an idiot for asking", "质量太差了"],
    "churn_threat": ["怎么取消订单", "app闪退，卸载重装还是不行", "cancel this order please", "别家也有卖这个吗"],
    "legal_threat": [
        "我没想要告你们",
        "烟雾报警器怎么安装",
        "court shoes in size 6",
        "订单号9912315678",
        "收货地址是法院旁边",
    ],
    "media_threat": [
        "我在小红书上看到的这款",
        "抖音直播间下的单",
        "I saw it on TikTok",
        "How do I post it back to you?",
    ],
    "safety_risk": [
        "没有冒烟，就是充不进电",
        "敏感肌会不会过敏",
        "跳楼价",
        "好吃到爆炸",
        "Does the smoke detector need batteries?",
        "Fire tablet case",
        "剁手了，心在滴血",
    ],
    "wants_human": [
        "不用转人工了",
        "人工草坪多少钱",
        "你们主管说可以退",
        "给我们老板买的礼物",
        "I spoke to a manager yesterday",
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


def rule_file(folder: Path, zh: str, *, unless: str = "", emoji: str = "") -> Path:
    """A file with one pattern of interest, for `urgent`; the other flags get a harmless one."""
    lines = []
    for flag in FLAGS:
        patterns = zh if flag == "urgent" else '"zzz"'
        lines.append(f'[flags.{flag}]\nmeaning = "m"\nzh = [{patterns}]\nen = []\nunless = [{unless}]')
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
    with pytest.raises(ModelError, match="needs meaning, zh and en"):
        FlagRules(path)


@pytest.mark.parametrize(
    ("emoji", "reason"),
    [('happy = "😀"', "a label that is none of"), ('angry = "😀"\nsatisfied = "😀"', "lists 😀 under")],
)
def test_a_broken_emoji_table_is_named(tmp_path: Path, emoji: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        FlagRules(rule_file(tmp_path, '"加急"', emoji=emoji))
