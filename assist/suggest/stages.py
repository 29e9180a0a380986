"""What has already been said: the stages that an agent's own words have been through, and how a sentence opens."""

import re
from collections.abc import Mapping
from typing import Final

from assist.domain import Stage


def _any_of(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


_WHEN: Final = (
    r"(?:\d+|[一两兩二三几幾半])(?:\s?(?:-|–|~|到|至|to)\s?\d+)?\s?[个個]?(?:工作)?"
    r"(?:小时|小時|分钟|分鐘|天|日内|日內|(?:business |working )?(?:hours?|minutes?|days?))"
    r"|今天|今晚|明天|明早|马上|馬上|现在就|現在就|\btoday\b|\btonight\b|\btomorrow\b|\bright now\b|\bby \w+day\b"
)
_WHO: Final = r"我|帮您|幫您|为您|為您|\b(?:I|we)(?:'ll| will|'m)\b"
_SPOKEN_OF: Final = (
    r"回复您|回覆您|答复|答覆|联系您|聯絡您|告诉您|告訴您|给您|給您|get back|let you know|call you|update"
)
_DONE: Final[Mapping[Stage, re.Pattern[str]]] = {
    "acknowledge": _any_of(r"抱歉|对不起|對不起|不好意思|唔好意思|致歉|道歉", r"\bsorry\b|\bapolog"),
    "empathise": _any_of(
        r"理解|体会|體會|体谅|體諒|难怪|難怪|换作|換作|换了谁|谁都会|誰都會|着急|著急|心急|担心|擔心|\bworr(?:y|ied|ying)\b",
        r"\bI(?:'d| would) (?:be|feel)\b|\bunderstand(?:ably)?\b|\bI can (?:see|imagine|hear) (?:why|how|that)\b",
        r"\bmust (?:be|have been|feel)\b|\bfrustrating\b",
    ),
    "own": _any_of(
        r"我来(?:负责|跟|盯|办|处理)|我來(?:負責|跟|追|處理)|由我|我负责|我負責",
        r"我们的?(?:错|责任|问题|疏忽|失误)|我們的?(?:錯|責任|問題|疏失|疏忽)",
        r"\bour (?:mistake|fault|error|responsibility)\b|\bleave (?:it|this) with me\b|\bmine to sort\b",
        r"\bI(?:'ll| will) (?:take (?:this|it) (?:on|over)|own|see (?:this|it) through|look after)\b",
    ),
    "next_step": _any_of(
        rf"(?:{_WHO})[^。！？!?]{{0,60}}?(?:{_WHEN})",
        rf"(?:{_WHEN})[^。！？!?]{{0,60}}?(?:{_SPOKEN_OF})",
    ),
}
_APOLOGY: Final = _DONE["acknowledge"]
_LIGHT: Final = _any_of(r"不好意思", r"\bone moment\b")
_WEIGHTY: Final = _any_of(
    r"非常抱歉|十分抱歉|深表|郑重|鄭重|万分|萬分|诚挚|誠摯",
    r"\b(?:so|very|truly|deeply|sincerely|really) sorry\b|\bsincere(?:st)? apolog|\binexcusable\b|\bunacceptable\b",
)
_STOCK: Final[Mapping[str, re.Pattern[str]]] = {
    "sorry": _any_of(
        r"(?:我们|我們|真的|真是|实在|實在|非常|十分|很|这|這){0,3}(?:抱歉|对不起|對不起|不好意思)",
        r"(?:i(?:'m| am) |we(?:'re| are) )?(?:so |very |really |truly )?sorry|(?:my |our )?(?:sincere )?apolog",
    ),
    "understand": _any_of(
        r"(?:我|我们|我們|非常|完全|能|可以|很|特别|特別){0,3}(?:理解|明白|体会|體會|感受)",
        r"i (?:do |can |fully |completely )?(?:understand|appreciate|see|hear)",
    ),
    "thanks": _any_of(r"(?:非常|十分|很|真的)?(?:感谢|感謝|谢谢|謝謝|多谢|多謝)", r"(?:many )?thank(?:s| you)"),
}
_GREETING: Final = _any_of(
    r"(?:\{name\}|[^\s，,。!！]{1,12})?(?:您好|你好)[，,！!：:。\s]*",
    r"(?:\{name\}|(?:hi|hello|dear)\b[^,]{0,20}|[A-Z][\w.' ]{0,20}),\s*",
)


def stages_in(text: str) -> frozenset[Stage]:
    """The stages that an agent's words have been through: an apology acknowledges, a promise with a time is a step."""
    return frozenset(stage for stage, pattern in _DONE.items() if pattern.search(text))


def opener_of(text: str) -> str:
    """What makes two openings the same: a stock one by its family, any other by its first words."""
    text = text.lstrip()
    greeting = _GREETING.match(text)
    rest = text[greeting.end() :] if greeting else text
    for opening in (text, rest):
        for family, pattern in _STOCK.items():
            if pattern.match(opening):
                return family
    return " ".join(rest.split(maxsplit=2)[:2]).lower() if rest[:1].isascii() else rest[:3]


def apology_in(text: str) -> int:
    """How much is apologised: 0 not, 1 in passing, 2 plainly, 3 weightily or more than once."""
    if _WEIGHTY.search(text):
        return 3
    times = len(_APOLOGY.findall(text))
    return 1 if times == 1 and _LIGHT.search(text) else min(times + 1, 3) if times else 0
