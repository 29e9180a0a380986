"""Draft check: what the agent is typing, before the customer sees it. Rules only; each names its span and a better wording."""

import re
from dataclasses import dataclass
from typing import Literal

from assist.domain import ArticleLanguage, DraftIssue, Language

_Severity = Literal["note", "warning", "block"]


@dataclass(frozen=True, slots=True)
class _Rule:
    code: str
    severity: _Severity
    pattern: re.Pattern[str]
    messages: tuple[str, str, str]
    better: tuple[str, str, str] | None = None


def _rule(
    code: str,
    severity: _Severity,
    pattern: str,
    messages: tuple[str, str, str],
    better: tuple[str, str, str] | None = None,
) -> _Rule:
    return _Rule(code, severity, re.compile(pattern, re.IGNORECASE), messages, better)


_RULES = (
    _rule(
        "dismissive",
        "warning",
        r"冷静一下|您?先?冷静|你冷静点|冷靜一點|請您?冷靜|别激动|別激動|不要激动|不要激動|calm down|relax\b|no need to (?:be|get) upset",
        ("让人冷静往往更激怒人，先承认感受。", "請人冷靜往往更激怒對方，先承認感受。", "Telling someone to calm down does the opposite; acknowledge first."),
        ("给您添了这么多麻烦，确实让人着急，我来跟进。", "讓您這麼困擾，真的很不好意思，我來跟進。", "I can see why this is upsetting, and I am taking it on now."),
    ),
    _rule(
        "blame",
        "warning",
        r"(?:是|这是|這是)(?:您|你)自己|(?:您|你)(?:自己)?(?:没有?|沒有?)(?:看清楚|看清|看仔细|看仔細|说清楚|說清楚|填对|填對)|(?:您|你)(?:应该|應該)早|谁让(?:您|你)|誰叫(?:您|你)"
        r"|you should have|you (?:failed|forgot) to|your (?:own )?(?:fault|mistake)|you didn't (?:read|check|tell)",
        ("像是在责怪客户。", "像是在責怪顧客。", "This reads as blame."),
        ("这里确实容易看漏，我帮您一起看看怎么补救。", "這裡確實容易漏看，我來幫您看看怎麼補救。", "This is easy to miss; let me see how we can put it right."),
    ),
    _rule(
        "cold",
        "warning",
        r"^(?:不行|不可以|不能|没办法|沒辦法|没有办法|沒有辦法|不知道|规定就是这样|規定就是這樣|自己看|自己查|等着|等著|说了(?:不|没)|no\.?|can't\.?|not possible\.?|i don't know\.?|as i (?:already )?said.*|that's (?:our|the) policy\.?|just wait\.?)[。.!！~ ]*$"
        r"|这个我管不了|這個我管不了|不归我管|不歸我管|跟我没关系|跟我沒關係|那是(?:快递|物流|宅配)的(?:问题|問題|事)|not my (?:job|problem|department)",
        ("太生硬：说明原因，并给出能做的一步。", "太生硬：說明原因，並給出能做的一步。", "Too curt: give the reason and one thing that you can do."),
        ("这一点暂时做不到，我能为您做的是……", "這部分目前沒辦法，我可以為您做的是……", "I am not able to do that, but here is what I can do for you: …"),
    ),
    _rule(
        "forbidden_promise",
        "block",
        r"(?:保证|保證|肯定|一定|绝对|絕對|百分之?百|100\s*%)[^，。,.!?]{0,8}(?:到(?:货|貨|账|帳|达|達)?|送到|送达|送達|退(?:款|还|還)|赔|賠|治好|有效|不会(?:再)?(?:坏|壞|涨|漲|降)|最低)"
        r"|永远不会|永遠不會|马上到账|馬上到帳|立刻到账|(?:guarantee|promise)[^.!?]{0,40}(?:arriv|deliver|refund|by (?:today|tomorrow)|lowest|work|cure)|\b100\s*% (?:sure|certain|guaranteed)|will definitely (?:arrive|be there|be refunded)",
        ("承诺了数据支持不了的事。", "承諾了資料無法支持的事。", "This promises what the data cannot hold."),
        ("按目前的进度预计是……，有变化我会主动告诉您。", "依目前進度預計是……，如有變動我會主動通知您。", "As things stand it is expected …; I will tell you myself if that changes."),
    ),
    _rule(
        "sarcasm",
        "warning",
        r"那您?(?:可)?真(?:厉害|厲害|聪明|聰明)|您?说(?:的)?都对|您?說(?:的)?都對|(?:呵呵|哦豁)|good for you|whatever you say|if you say so|congratulations on",
        ("读起来像讽刺。", "讀起來像諷刺。", "This can be read as sarcasm."),
    ),
    _rule(
        "personal_data",
        "block",
        r"(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)\d{17}[\dXx](?!\w)|(?<!\d)(?:\d[ -]?){15,18}\d(?!\d)",
        ("含有手机号、证件号或卡号，请勿发送。", "含有手機號碼、身分證或卡號，請勿傳送。", "A phone, ID or card number: do not send it."),
    ),
    _rule(
        "asks_again",
        "note",
        r"(?:麻烦|麻煩|请|請)(?:您|你)?(?:再|重新)(?:说|說|提供|描述|发|發)(?:一遍|一次|一下)?|(?:could|can) you (?:please )?(?:repeat|tell me again|send (?:it|that) again|explain again)",
        ("客户可能已经说过，先看上文或记录。", "顧客可能已經說過，先看上文或紀錄。", "The customer may have said this already: check above and the record first."),
    ),
)  # fmt: skip

_SHOUTING = re.compile(r"[!！]{2,}|(?:\b[A-Z]{4,}\b[ ,!]*){3,}")
_SHOUTING_MESSAGES = ("语气过重，去掉多余的感叹号或大写。", "語氣過重，拿掉多餘的驚嘆號或大寫。", "Reads as shouting: drop the extra marks or capitals.")  # fmt: skip
_LANGUAGE_MESSAGES = (
    "客户用的是{their}，草稿是{ours}。",
    "顧客使用{their}，草稿是{ours}。",
    "The customer writes {their}, the draft is {ours}.",
)
_NAMES = {
    "zh-Hans": ("简体中文", "簡體中文", "simplified Chinese"),
    "zh-Hant": ("繁体中文", "繁體中文", "traditional Chinese"),
    "en": ("英文", "英文", "English"),
}
_COLUMN = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}


def check_draft(text: str, language: Language, customer_language: ArticleLanguage | None) -> list[DraftIssue]:
    """What is wrong with a draft, in the order of the text; empty when nothing is.

    Args:
        text: what the agent has typed so far.
        language: the draft's own language, as detected.
        customer_language: the customer's, or None if not known; a draft in another one is an issue.
    """
    column = _COLUMN.get(customer_language or language, 0)
    issues = [
        DraftIssue(
            code=rule.code,
            start=match.start(),
            end=match.end(),
            text=match.group(),
            severity=rule.severity,
            message=rule.messages[column],
            better=rule.better[column] if rule.better else None,
        )
        for rule in _RULES
        for match in rule.pattern.finditer(text)
    ]
    for match in _SHOUTING.finditer(text):
        issues.append(
            DraftIssue("shouting", match.start(), match.end(), match.group(), "note", _SHOUTING_MESSAGES[column])
        )
    if customer_language is not None and language in _NAMES and language != customer_language and text.strip():
        message = _LANGUAGE_MESSAGES[column].format(
            their=_NAMES[customer_language][column], ours=_NAMES[language][column]
        )
        issues.append(DraftIssue("wrong_language", 0, len(text), text, "warning", message))
    return sorted(issues, key=lambda issue: (issue.start, issue.code))
