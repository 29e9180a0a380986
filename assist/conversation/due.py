"""When something is due: "tomorrow before 6 pm", "3 个工作日内" or "下周二下午" as a date-time.

A date-time is given only where the words leave one reading. Named days last until midnight, mornings until 12:00 and
afternoons until 18:00; "by" and "before" a day (周五前) both include it, as in the trade. Working days are Monday to
Friday: nobody here knows the public holidays.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

END_OF_DAY = time(23, 59)
_JOINS = re.compile(
    r"[\s,，的之]*(?:(?:before|by|at|until|no later than|between|from|on|and)\s+){0,2}"
    r"(?:\d{1,2}(?:[:：]\d\d|[点點时時])?\s?(?:[ap]m)?\s?(?:[-–~～到至]|to|and)\s?)?",
    re.IGNORECASE,
)
"""What may stand between a day and a time of day that belong together: "Friday, between 2 and" 4 pm."""

_DIGITS = {c: n for n, c in enumerate("一二三四五六七八九", start=1)} | {"两": 2, "兩": 2, "日": 7, "天": 7}
_WORDS = {w: n for n, w in enumerate("one two three four five six seven eight nine ten".split(), 1)}
_WORDS |= {"a": 1, "an": 1, "twelve": 12, "fourteen": 14, "twenty": 20, "thirty": 30}
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WEEKDAYS = "mon tue wed thu fri sat sun".split()

_N = r"(?:\d{1,3}|[一二两兩三四五六七八九十]{1,3}|半)"
_N_EN = rf"(?:\d{{1,3}}|{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"

_LENGTH = re.compile(
    rf"(?<![提前每满滿已第近过過等上\d.:：])(?P<n>{_N})(?P<range>\s?[-–~～到至]\s?(?P<m>{_N}))?\s?[个個]?(?P<unit>分钟|分鐘|小时|小時|钟头|鐘頭"
    r"|工作日|工作天|天|日)(?P<within>[以之]?[内內]|[以之]?[后後])?(?![前了价價无無以半多保来來])"
    rf"|(?P<in_en>\b(?:within|in|inside|up to|takes?|under)\s+(?:the\s+)?(?:next\s+)?)?(?<![\w.:])(?P<n_en>{_N_EN}"
    rf"|half an)"
    rf"(?P<range_en>\s?(?:-|–|to|or)\s?(?P<m_en>{_N_EN}))?\s?-?(?P<working>(?:working|business)\s)?"
    r"(?P<unit_en>minutes?|mins?|hours?|hrs?|days?)\b(?!\s+(?:ago|early|late|old|before|notice|free))"
    r"|\b(?P<hour>within the hour)\b",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"(?P<zh>大[后後]天|今[天日晚早]|明[天日早晚]|[后後][天日])"
    r"|(?P<week>[这這本下])?[个個]?(?:周|週|星期|礼拜|禮拜)(?P<weekday>[一二三四五六日天])(?![后後以])"
    r"|(?<!\d)(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?[日号號]?"
    r"|(?<![\d第尾单單房楼樓])(?P<only_day>[1-9]\d?)\s?[号號](?![线線楼樓院门門店铺鋪机機仓倉位])"
    r"|\b(?P<en>today|tonight|this (?:morning|afternoon|evening)|tomorrow|tmrw|tmr|(?:the )?end of (?:the "
    r"|today's )?day|eod)\b"
    rf"|\b(?P<next>next |this "
    rf"|this coming )?(?P<weekday_en>{_WEEKDAY})s?\b"
    rf"|\b(?:the )?(?P<day_en>\d{{1,2}})(?:[snrt][tdh])?\s(?:of\s)?(?P<month_en>{_MONTH})\b"
    rf"|\b(?P<month_us>{_MONTH})\s(?P<day_us>\d{{1,2}})(?:[snrt][tdh])?\b"
    r"|\bthe (?P<the_day>\d{1,2})[snrt][tdh]\b",
    re.IGNORECASE,
)
_FROM = re.compile(r"(?:\b(?:after|from|since|last|ended|expired on)\s(?:the\s)?|[自从從]|[过過]了)$", re.IGNORECASE)
_TIME = re.compile(
    r"(?P<after>\b(?:after|from|since)\s+)?(?:"
    r"(?:(?P<part>凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|今晚|明晚|晚)\s?)?(?<!\d)"
    # 一点 is a bit and 两点 are two points, unless a part of the day stands before it.
    r"(?:(?P<h>\d{1,2})|(?P<h_zh>[三四五六七八九]|十[一二]?|(?<=[午晨上晚])[二两兩]|(?<=[午晨])一)(?=[点點]))\s?"
    r"(?:[:：](?P<m>\d{2})(?!\d)\s?(?P<clock_half>[ap]m\b|[ap]\.m\.)?"
    r"|[点點时時](?!间|間|候)(?P<zh_half>半)?(?:(?P<zh_m>\d{1,2})分?)?|(?P<half>[ap]m\b|[ap]\.m\.))"
    r"|\b(?P<noon>noon|midday)\b)",
    re.IGNORECASE,
)
_PART = re.compile(
    r"(?P<noon>上午|早上|明早|今早|\bmorning\b)|(?P<six>下午|\bafternoon\b)|晚上|今晚|明晚|\bevening\b|\btonight\b",
    re.IGNORECASE,
)
_BARE_HOUR = re.compile(
    r"\b(?:by|before|at|until|till|after)\s+\d{1,2}\b(?![:.]?\d|\s?[ap]\.?m|[snrt][tdh]|\s*(?:%|days?|hours?|min"
    r"|jan|feb|mar|apr|may|ju|aug|sep|oct|nov|dec))",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"大约|大約|大概|差不多|左右|一般|通常|最快|最早|尽量|儘量|尽快|儘快|争取|爭取|可能|应该|應該|约\d|約\d"
    r"|\b(?:about|around|roughly|approximately|usually|normally|typically|earliest|should|might|may(?! \d)"
    r"|hopefully|try|week (?:commencing|of|beginning))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Due:
    """The words that say by when, as a span of the text, and the moment: None where they have more than one reading."""

    start: int
    end: int
    at: datetime | None


def due_of(text: str, said_at: datetime, zone: tzinfo) -> Due | None:
    """What `text`, said at `said_at`, names as the time by which something will be; None if it names none.

    Of several times in the text the last one counts. `said_at` must know its time zone; the result is in `zone`.
    """
    try:
        now = said_at.astimezone(zone)
    except OverflowError:  # the last hours of the year 9999
        return None
    lengths = [(*found.span(), _after(found, now)) for found in _LENGTH.finditer(text) if _is_deadline(found, text)]
    days = [
        (*found.span(), _day(found, now.date()))
        for found in _DAY.finditer(text)
        if not _FROM.search(text, 0, found.start())
    ]
    times = [found for found in _TIME.finditer(text) if not found["after"]]
    length = lengths[-1] if lengths else None
    start_of_moment = max((days[-1][0] if days else -1), (times[-1].start() if times else -1))
    if length is not None and length[0] > start_of_moment:
        start, end, moment = length
    elif start_of_moment >= 0:
        start, end, moment = _moment(text, now, days[-1] if days else None, times[-1] if times else None)
    else:
        return None
    is_vague = _VAGUE.search(text) is not None or _BARE_HOUR.search(text) is not None
    return Due(start, end, None if is_vague or moment is None or moment < now else moment)


def _moment(
    text: str, now: datetime, day: tuple[int, int, date | None] | None, clock: re.Match[str] | None
) -> tuple[int, int, datetime | None]:
    if clock is not None and day is not None:
        apart = text[day[1] : clock.start()] if day[0] < clock.start() else text[clock.end() : day[0]]
        if not _JOINS.fullmatch(apart):
            # "Friday, and the shop opens at 10 am": the later one; an hour whose day is not told is no date.
            if clock.start() > day[0]:
                return *clock.span(), None
            clock = None
    if day is None:
        assert clock is not None
        at = _clock(clock, now, is_today=True)
        moment = datetime.combine(now.date(), at, now.tzinfo) if at is not None else None
        return *clock.span(), moment
    if clock is None:
        part = _PART.match(text, day[1]) or _PART.match(text, day[1] + 1) or _PART.search(text[day[0] : day[1]])
        at = time(12) if part and part["noon"] else time(18) if part and part["six"] else END_OF_DAY
        end = part.end() if part and part.end() > day[1] and part.string is text else day[1]
        return day[0], end, datetime.combine(day[2], at, now.tzinfo) if day[2] else None
    at = _clock(clock, now, is_today=day[2] == now.date())
    start, end = min(day[0], clock.start()), max(day[1], clock.end())
    return start, end, datetime.combine(day[2], at, now.tzinfo) if day[2] and at is not None else None


def _is_deadline(found: re.Match[str], text: str) -> bool:
    if found["hour"]:
        return True
    if found["unit"]:
        if found["within"] or found["range"]:
            return True
        before, after = text[max(0, found.start() - 4) : found.start()], text[found.end() : found.end() + 4]
        return bool(
            re.search(r"预计|預計|需要?$", before) or re.match(r"\s?[会會就给給为為到送发發寄退回处處完]", after)
        )
    if found["in_en"] or found["range_en"] or found["working"]:
        return True
    before = text[max(0, found.start() - 8) : found.start()].lower()
    return re.search(r"\b(?:for|last|past|after|every|of|these|those|first|than|per|the)\s$", before) is None


def _after(found: re.Match[str], now: datetime) -> datetime | None:
    try:
        if found["hour"]:
            return now + timedelta(hours=1)
        n = _number(found["m"] or found["n"] or found["m_en"] or found["n_en"])
        unit = (found["unit"] or found["unit_en"]).lower()
        if unit[0] in "分m":
            return now + timedelta(minutes=n)
        if unit[0] in "小钟鐘h":
            return now + timedelta(hours=n)
        if n != int(n):
            return None
        is_working = unit in ("工作日", "工作天") or found["working"]
        day = _working_day(now.date(), int(n)) if is_working else now.date() + timedelta(days=int(n))
        return datetime.combine(day, END_OF_DAY, now.tzinfo)
    except OverflowError:
        return None


def _working_day(day: date, n: int) -> date:
    while n > 0:
        day += timedelta(days=1)
        n -= day.weekday() < 5
    return day


def _number(word: str) -> float:
    word = word.lower()
    if word in ("半", "half an"):
        return 0.5
    if word.isascii():
        return float(word) if word.isdigit() else float(_WORDS[word])
    if word.isdigit():
        return float(int(word))
    tens, ten, ones = word.rpartition("十")
    return (_DIGITS.get(tens[:1], 1) * 10 if ten else 0) + (_DIGITS.get(ones[:1], 0) if ones else 0)


def _day(found: re.Match[str], today: date) -> date | None:
    try:
        return next(_days(found, today), None)
    except (ValueError, OverflowError):
        return None


def _days(found: re.Match[str], today: date) -> Iterator[date]:
    if word := found["zh"]:
        yield today + timedelta(days=3 if word[0] == "大" else {"今": 0, "明": 1}.get(word[0], 2))
    elif word := found["en"]:
        yield today + timedelta(days=word.lower() in ("tomorrow", "tmrw", "tmr"))
    elif found["weekday"]:
        yield from _weekday(_DIGITS[found["weekday"]] - 1, {"下": "next", None: ""}.get(found["week"], "this"), today)
    elif word := found["weekday_en"]:
        day = _WEEKDAYS.index(word[:3].lower())
        which = (found["next"] or "").strip().lower().split(" ")[0]
        # "Next Friday", said on a Tuesday, is in three days to some and in ten to others.
        if which != "next" or day <= today.weekday():
            yield from _weekday(day, which, today)
    else:
        month = found["month"] or (
            _MONTHS.index((found["month_en"] or found["month_us"])[:3].lower()) + 1
            if found["month_en"] or found["month_us"]
            else None
        )
        day = int(found["day"] or found["only_day"] or found["day_en"] or found["day_us"] or found["the_day"])
        if month:
            this_year = date(today.year, int(month), day)
            yield this_year if this_year >= today else date(today.year + 1, int(month), day)
        elif day >= today.day:
            yield today.replace(day=day)
        else:
            first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
            yield first.replace(day=day)


def _weekday(day: int, which: str, today: date) -> Iterator[date]:
    monday = today - timedelta(days=today.weekday())
    if which == "next":
        yield monday + timedelta(days=7 + day)
    elif which == "this":
        yield monday + timedelta(days=day)
    elif day != today.weekday():
        yield today + timedelta(days=(day - today.weekday()) % 7)


def _clock(found: re.Match[str], now: datetime, *, is_today: bool) -> time | None:
    if found["noon"]:
        return time(12)
    hour = int(found["h"] or _number(found["h_zh"]))
    minute = int(found["m"] or found["zh_m"] or (30 if found["zh_half"] else 0))
    half = (found["half"] or found["clock_half"] or "")[:1].lower()
    part = found["part"] or ""
    is_late = half == "p" or part in ("下午", "傍晚", "晚上", "今晚", "明晚", "晚")
    is_early = half == "a" or part in ("凌晨", "早上", "早晨", "上午")
    if hour > 24 or minute > 59:
        return None
    if hour == 24:
        return END_OF_DAY
    if is_late or (part == "中午" and hour < 11):
        hour = hour % 12 + 12
    elif half == "a":
        hour %= 12
    elif not is_early and not found["m"] and part != "中午" and hour < 8:
        # 6点前: in the evening where the morning is over; of another day nobody knows.
        if not is_today or now.hour < hour:
            return None
        hour += 12
    elif found["m"] and found["h"] and found["h"][0] != "0" and hour < 8 and not is_early:
        return None
    return time(hour, minute)
