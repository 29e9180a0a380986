"""What a customer's own words say of a wish: how much to spend, that advice is wanted, that they have decided."""

import re

_AMOUNT = r"(?:\d{1,3}(?:,\d{3})+|\d{2,6})(?![\d,.]*\d)"
_HAN_AMOUNT = "[一二两兩三四五六七八九十百千万萬]{2,7}"
_ANY_AMOUNT = rf"(?:{_AMOUNT}|{_HAN_AMOUNT})"
_MONEY = "(?:元|块钱|块|塊錢|塊|rmb|yuan)?"
_NOT_MONEY = (
    r"(?!\s*(?:days?|hours?|hrs?|min|weeks?|months?|years?|kg|g\b|cm|mm|ml|l\b|w\b|db|%|people|pieces|pcs|sq"
    r"|天|日|小时|小時|分|周|週|个|個|岁|歲|平|坪|人|片|公斤|斤|升))"
)
_PATTERNS = (
    rf"(?:预算|預算|budget)\D{{0,12}}?[¥$]?\s*(?:{_ANY_AMOUNT}\s*{_MONEY}\s*(?:到|至|[-–~]|to)\s*[¥$]?\s*)?"
    rf"({_ANY_AMOUNT}){_NOT_MONEY}",
    rf"(?:under|below|less than|up to|within|max(?:imum)?|no more than)\s*(?:of\s*)?(?:[¥$]|rmb)?\s*({_AMOUNT})"
    rf"{_NOT_MONEY}",
    rf"({_ANY_AMOUNT})\s*{_MONEY}\s*(?:以内|以內|以下|之内|之內|内的|內的|左右)",
    rf"{_AMOUNT}\s*(?:到|至|[-–~]|to)\s*[¥$]?\s*({_AMOUNT})\s*(?:元|块|塊|rmb|yuan)",
)
_BUDGET = re.compile("|".join(_PATTERNS), re.IGNORECASE)
_ADVICE = re.compile(
    r"\bany (?:ideas|recommendations|suggestions)\b(?! (?:when|why|where|what|how))"
    r"|\b(?:could|can|would|do) you (?:recommend|suggest)\b|\bwhat (?:do|would) you (?:recommend|suggest)\b"
    r"|\bwhich (?:one )?(?:would|do) you (?:recommend|suggest)\b|\bwhich (?:one|model) is better\b"
    r"|(?:有|求|帮我|幫我|能|可以|给我|給我)(?:没有|沒有)?(?:什么|什麼|啥)?(?:推荐|推薦)|推荐一[款个下]|推薦一[款個下]"
    r"|哪[一]?(?:款|个|個|种|種)(?:更|比较|比較)?(?:好|适合|適合|合适|值得)",
    re.IGNORECASE,
)
_DECIDED = re.compile(
    r"\b(?:I'll|I will|I'm going to|let me) (?:take|order|buy|get|go (?:for|with))\b"
    r"|\b(?:just |have |I've |placed (?:the |an |my )?)order(?:ed)?\b|\bbought it\b"
    r"|下(?:了)?[单單]|就(?:买|買|要|选|選)?(?:这|這|它|那)|(?:买|買|拍|订|訂|付)(?:好)?了",
    re.IGNORECASE,
)
_DIGITS = {digit: value for value, digits in enumerate(("", "一", "二两兩", *"三四五六七八九")) for digit in digits}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000, "萬": 10000}


def budget_in(text: str) -> float | None:
    """The latest upper bound that the text names, or None; 五百以内 and "300 to 500 yuan" are understood."""
    found = None
    for match in _BUDGET.finditer(text):
        found = next(group for group in match.groups() if group)
    if found is None:
        return None
    return float(found.replace(",", "")) if found[0].isdigit() else float(_han_number(found))


def asks_for_advice(text: str) -> bool:
    """Whether the customer asks what to choose, whatever the talk was about before."""
    return _ADVICE.search(text) is not None


def has_decided(text: str) -> bool:
    """Whether the customer says that they are buying."""
    return _DECIDED.search(text) is not None


def _han_number(text: str) -> int:
    total = digit = 0
    for place, character in enumerate(text):
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif _UNITS[character] == 10000:
            total, digit = (total + digit or 1) * 10000, 0
        else:
            total, digit = total + (digit or 1) * _UNITS[character], 0
        if digit and place == len(text) - 1 and len(text) > 1 and text[place - 1] in _UNITS:
            digit *= _UNITS[text[place - 1]] // 10  # 三百五 is 350
    return total + digit
