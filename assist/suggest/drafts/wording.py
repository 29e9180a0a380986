"""What the draft check tells the agent, and the better wording that can be taken, in three languages."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Severity = Literal["note", "warning", "block"]
Texts = tuple[str, str, str]
"""zh-Hans, zh-Hant, en."""


class Words(NamedTuple):
    """How an issue is shown: how bad it is, why, and what could stand there instead."""

    severity: Severity
    message: Texts
    better: Texts | None = None


WORDS: Final[Mapping[str, Words]] = {
    "cold": Words(
        "warning",
        (
            "太生硬：说明原因，并给出能做的一步。",
            "太生硬：請說明原因，並給出能做的一步。",
            "Too curt: give the reason and one thing that you can do.",
        ),
        (
            "这一点暂时做不到，抱歉。我看看还能为您做什么，看好就告诉您。",
            "這部分目前沒辦法，很抱歉。我看看還能幫您做什麼，確認後就告訴您。",
            "I'm sorry, I can't do that. Let me see what I can do instead, and I'll tell you here.",
        ),
    ),
    "dismissive": Words(
        "warning",
        (
            "像是在说这不算什么，先承认对方的感受。",
            "像是在說這沒什麼，請先承認對方的感受。",
            "This plays it down; acknowledge the trouble first.",
        ),
        (
            "遇到这种事确实让人着急，我来跟进。",
            "遇到這種狀況真的會讓人著急，我來跟進。",
            "I can see why this is upsetting, and I am taking it on now.",
        ),
    ),
    "blame": Words(
        "warning",
        ("像是在责怪客户。", "像是在責怪顧客。", "This reads as blame."),
        (
            "这里确实容易弄错，我帮您看看怎么补救。",
            "這裡確實容易弄錯，我來幫您看看怎麼補救。",
            "This is easily done; let me see how we can put it right.",
        ),
    ),
    "sarcasm": Words(
        "warning",
        ("读起来像讽刺。", "讀起來像諷刺。", "This can be read as sarcasm."),
        ("抱歉让您有这样的体验，我来处理。", "抱歉讓您有這樣的體驗，我來處理。", "I'm sorry this has been your experience; let me put it right."),
    ),
    "shouting": Words(
        "note",
        (
            "语气过重，去掉多余的感叹号或大写。",
            "語氣過重，請拿掉多餘的驚嘆號或大寫。",
            "Reads as shouting: drop the extra marks or capitals.",
        ),
    ),
    "forbidden_promise": Words(
        "block",
        ("承诺了现有信息保证不了的事。", "承諾了現有資料無法保證的事。", "This promises what nobody can be sure of."),
        (
            "我先查目前的进度，查到什么就告诉您什么，有变化也会主动说。",
            "我先查目前的進度，查到的情況會如實告訴您，如有變動也會主動通知。",
            "Let me check where it stands and tell you exactly what I can see. If that changes, I will let you know myself.",
        ),
    ),
    "personal_data": Words(
        "block",
        (
            "含有不属于这位客户或不该写在对话里的信息，请勿发送。",
            "含有不屬於這位顧客或不該寫在對話裡的資料，請勿傳送。",
            "Data that is not this customer's or does not belong in a chat: do not send it.",
        ),
    ),
    "asks_again": Words(
        "note",
        (
            "客户已经说过，或记录里已有，先看上文。",
            "顧客已經說過，或紀錄裡已有，請先看上文。",
            "The customer has said this, or it is on record: look above first.",
        ),
        (
            "这项信息我这边有记录，您不用再提供，我接着往下查。",
            "這項資料我這邊有紀錄，您不用再提供，我接著往下查。",
            "I have that on record, so there is no need to send it again; I am looking into it now.",
        ),
    ),
    "contradicts_article": Words(
        "block",
        ("与所引文章不符：“{article}”", "與所引文章不符：「{article}」", "The cited article says otherwise: “{article}”"),
    ),
    "unanswered_question": Words(
        "note",
        ("客户问的还没有回答：“{question}”", "顧客問的還沒有回答：「{question}」", "Not answered yet: “{question}”"),
    ),
    "wrong_language": Words(
        "warning",
        ("客户用的是{their}，草稿是{ours}。", "顧客使用{their}，草稿是{ours}。", "The customer writes {their}, the draft is {ours}."),
    ),
    "wrong_variant": Words(
        "note",
        ("台湾和香港的客户更习惯说“{better}”。", "台灣和香港的顧客較習慣說「{better}」。", "In Taiwan and Hong Kong one says “{better}”."),
    ),
}  # fmt: skip

LANGUAGES: Final[Mapping[str, Texts]] = {
    "zh-Hans": ("简体中文", "簡體中文", "simplified Chinese"),
    "zh-Hant": ("繁体中文", "繁體中文", "traditional Chinese"),
    "en": ("英文", "英文", "English"),
}
OTHER_LANGUAGE: Final[Texts] = ("另一种语言", "另一種語言", "another language")
COLUMN: Final = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}

MAINLAND_WORDS: Final = {
    "視頻": "影片",
    "短信": "簡訊",
    "默認": "預設",
    "立馬": "馬上",
    "激活": "啟用",
    "公眾號": "官方帳號",
    "咱們": "我們",
    "咱家": "我們",
    "快遞小哥": "配送員",
    "親親": "您好",
}
"""Words that neither Taiwan nor Hong Kong uses, with what is said in Taiwan."""
