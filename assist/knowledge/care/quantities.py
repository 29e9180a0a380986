"""Finds quantities in Chinese and English sentences and brings them to one form: 七天 and 7 days are 168 hours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_DIGITS: Final = {
    char: number for number, chars in enumerate("零〇 一 二两兩 三 四 五 六 七 八 九".split()) for char in chars
}
_POWERS: Final = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "萬": 10_000}
_WORDS: Final = {
    word: number
    for number, word in [
        *enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1),
        (14, "fourteen"),
        (15, "fifteen"),
        (20, "twenty"),
        (24, "twenty-four"),
        (30, "thirty"),
        (48, "forty-eight"),
        (60, "sixty"),
        (90, "ninety"),
    ]
}

_UNITS: Final[tuple[tuple[str, float, str], ...]] = (
    ("working days", 1, r"个工作日|個工作日|个工作天|個工作天|工作日|工作天|(?:working|business)[ -]days?"),
    ("hours", 1 / 60, r"分钟|分鐘|minutes?|mins?"),
    ("hours", 1, r"个小时|個小時|小时|小時|个钟头|個鐘頭|钟头|鐘頭|hours?|hrs?"),
    ("months", 1, r"个月|個月|(?<=[个個]半)月|months?"),
    ("hours", 168, r"个星期|個星期|个礼拜|個禮拜|星期|礼拜|禮拜|周|週|weeks?"),
    ("hours", 24, r"个自然日|自然日|天|日(?!期|常|本|志|誌)|(?:calendar )?days?"),
    ("months", 12, r"年(?!级|級|龄|齡|份|货|貨)|years?"),
    ("¥", 1, r"元|块钱|塊錢|块|塊|人民币|人民幣|yuan|rmb|cny"),
    ("%", 1, r"%|percent|per cent"),
    ("times", 1, r"倍|times(?= the )"),
    ("kg", 1, r"公斤|千克|kg|kilos?|kilograms?"),
    ("cm", 1, r"公分|厘米|cm"),
    ("points", 1, r"个积分|積分|积分|points?"),
    ("pieces", 1, r"件|pieces?"),
)
_CURRENCIES: Final = {"￥": "¥", "rmb": "¥", "cny": "¥"}
"""Spellings of one currency; any other sign stands for itself."""

# No quantity has more digits. Without a bound, a long run of them would be read again from each of its places.
_NUMBER: Final = r"(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:\.\d{1,15})?(?:\s?[万萬])?"
_HAN_NUMBER: Final = r"(?<![零〇一二两兩三四五六七八九十百千万萬])[零〇一二两兩三四五六七八九十百千万萬]{1,15}|半"
_ENGLISH_NUMBER: Final = rf"(?<![a-z-])(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?![a-z-])"
_ANY: Final = rf"(?:{_NUMBER}|{_HAN_NUMBER}|{_ENGLISH_NUMBER})"
_TO: Final = r"\s?(?:-|–|—|~|～|至|到|to|and|or|或)\s?"
_UNIT: Final = "|".join(f"(?P<u{n}>{pattern})" for n, (_, _, pattern) in enumerate(_UNITS))
_WITH_UNIT: Final = re.compile(
    rf"(?<![\d.:第a-z-])(?P<low>{_ANY})(?:{_TO}(?P<high>{_ANY}))?"
    rf"\s?-?(?P<and>[个個]半(?![天年日]))?(?:{_UNIT})(?P<half>半(?![价價折数數额額年月天日]))?(?![a-z])",
    re.IGNORECASE,
)
_PRICE: Final = re.compile(
    rf"(?P<sign>[¥￥€£]|hk\$|nt\$|\$|\brmb|\bcny)\s?(?P<low>{_NUMBER})(?:\s?[-–—~～至到]\s?(?:[¥￥€£]|hk\$|nt\$|\$)?\s?(?P<high>{_NUMBER}))?",
    re.IGNORECASE,
)
_CLOCK: Final = re.compile(rf"(?<![\d:])(\d{{1,2}}):(\d{{2}})(?:{_TO}(\d{{1,2}}):(\d{{2}}))?(?![\d:])")
_SHARE: Final = re.compile(rf"百分之\s*(?P<low>{_NUMBER}|{_HAN_NUMBER})")
_DISCOUNT: Final = re.compile(
    r"(?<![\d.])(?P<low>\d{1,2}(?:\.\d)?|[一二三四五六七八九]{1,2})\s*折(?!扣|旧|舊|叠|疊|返|磨|合)"
)
_PAIR: Final = re.compile(
    r"(?<![零〇一二两兩三四五六七八九])[一二两兩三四五六七八九]{2}(?![零〇一二两兩三四五六七八九])"
)
MASK: Final = "X"
_FIGURE: Final = re.compile(rf"{_NUMBER}|{_HAN_NUMBER}|{_ENGLISH_NUMBER}", re.IGNORECASE)
FIRST_YEAR: Final = 1900
"""Numbers before 年 from here on are calendar years."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number or range with its unit in base units: hours, working days, months, ¥, % and so on.

    `start` and `end` are places in the normalised sentence, `text` is what stands there.
    """

    unit: str
    value: tuple[float, float]
    start: int
    end: int
    text: str


def quantities(sentence: str) -> list[Quantity]:
    """The quantities of a sentence in order. `sentence` has to be normalised."""
    found = sorted(_all(sentence), key=lambda quantity: (quantity.start, -quantity.end))
    kept: list[Quantity] = []
    for quantity in found:
        if not kept or quantity.start >= kept[-1].end:
            kept.append(quantity)
    return kept


def masked(sentence: str, found: list[Quantity]) -> str:
    """The sentence without its figures, so that what is left says what they are figures of."""
    parts, at = [], 0
    for quantity in found:
        parts += [sentence[at : quantity.start], _FIGURE.sub(MASK, quantity.text)]
        at = quantity.end
    return "".join([*parts, sentence[at:]])


def _all(sentence: str) -> Iterator[Quantity]:
    for match in _WITH_UNIT.finditer(sentence):
        unit, factor = next((name, by) for n, (name, by, _) in enumerate(_UNITS) if match[f"u{n}"])
        before = sentence[max(match.start() - 2, 0) : match.start()].rstrip()[-1:]
        # 第 7 天 is a place in a row, 11 月 23 日 and 2026 年 are dates, 同一天 and 一块退 count nothing.
        is_date = match.group().endswith(("日", "年")) and (before == "月" or _number(match["low"]) >= FIRST_YEAR)
        is_word = match["low"] == "一" and (
            (before and before in "同某这這那哪每另任") or match.group() in ("一块", "一塊")
        )
        if not is_date and not is_word and before != "第":
            yield _made(match, unit, factor)
    for match in _PRICE.finditer(sentence):
        yield _made(match, _CURRENCIES.get(match["sign"].lower(), match["sign"].upper()), 1)
    for match in _SHARE.finditer(sentence):
        share = _number(match["low"])
        yield Quantity("%", (share, share), match.start(), match.end(), match.group())
    for match in _DISCOUNT.finditer(sentence):
        paid = "".join(str(_DIGITS.get(c, c)) for c in match["low"])
        off = 100 - float(paid) * (10 if float(paid) < 10 else 1)
        yield Quantity("%", (off, off), match.start(), match.end(), match.group())
    for match in _CLOCK.finditer(sentence):
        begin = float(match[1]) + float(match[2]) / 60
        end = float(match[3]) + float(match[4]) / 60 if match[3] else begin
        yield Quantity("o'clock", (begin, end), match.start(), match.end(), match.group())


def _made(match: re.Match[str], unit: str, factor: float) -> Quantity:
    low, high = _number(match["low"]), _number(match["high"]) if match["high"] else 0.0
    begin = match.start()
    if not high and (pair := _PAIR.search(match["low"])):  # 两三天 is two or three, 二三十元 twenty to thirty
        low, high = sorted(
            _number(f"{match['low'][: pair.start()]}{one}{match['low'][pair.end() :]}") for one in pair.group()
        )
    if match.groupdict().get("and") or match.groupdict().get("half"):
        low, high = low + 0.5, high and high + 0.5
    if match["high"] and high <= low:  # "from 50 and 12 %" is no range
        low, begin = high, match.start("high")
    high = max(low, high)
    return Quantity(
        unit,
        (round(low * factor, 4), round(high * factor, 4)),
        begin,
        match.end(),
        match.string[begin : match.end()],
    )


def _number(text: str) -> float:
    text = text.lower()
    if text in _WORDS:
        return _WORDS[text]
    if text == "半":
        return 0.5
    if text[0].isascii():
        return float(text.rstrip("万萬 ").replace(",", "")) * (10_000 if text[-1] in "万萬" else 1)
    if not any(c in _POWERS for c in text):
        return float("".join(str(_DIGITS[c]) for c in text))
    total = section = digit = 0
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif _POWERS[c] == 10_000:
            total, section, digit = total + (section + digit or 1) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * _POWERS[c], 0
    return float(total + section + digit)
