"""Takes personal data out of text for the log, with recognisers of our own: `\\b` and the usual ones fail beside Han.

Precision is second here: a price left readable is worth less than a phone number that leaks.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

KINDS: Final = ("EMAIL", "ID", "CARD", "PHONE", "ORDER", "ADDRESS", "NAME")
_HIDDEN: Final = "\x00"


@dataclass(frozen=True, slots=True)
class PersonalSpan:
    """A stretch of the original text, in code points, and the kind of personal data in it."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """`text` with a placeholder such as [PHONE] for each of `spans`, which refer to the original text."""

    text: str
    spans: tuple[PersonalSpan, ...]


class _Recogniser(NamedTuple):
    kind: str
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool] | None = None
    needs_digit: bool = True


def redact(text: str, names: Iterable[str] = ()) -> Redacted:
    """Replace personal data by placeholders. `names` are the customer's and the agent's as the profile has them.

    Redacting redacted text changes nothing.
    """
    hidden = _PLACEHOLDER.sub(lambda found: _HIDDEN * len(found.group()), text)
    recognisers = [*_RECOGNISERS, *_known_names(names)]
    spans: list[PersonalSpan] = []
    # A hidden span can free its neighbour (a number glued to an address), hence until nothing new is found.
    while fresh := list(_find(hidden, recognisers)):
        spans += fresh
        for span in fresh:
            hidden = hidden[: span.start] + _HIDDEN * (span.end - span.start) + hidden[span.end :]
    if not spans:
        return Redacted(text, ())
    spans.sort(key=lambda span: span.start)
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    return Redacted("".join([*parts, text[at:]]), tuple(spans))


def _find(text: str, recognisers: Iterable[_Recogniser]) -> Iterator[PersonalSpan]:
    """Spans that do not overlap; an earlier recogniser wins."""
    has_digit = _DIGIT.search(text) is not None
    taken = bytearray(len(text))
    for kind, pattern, accepts, needs_digit in recognisers:
        if needs_digit and not has_digit:
            continue
        for found in pattern.finditer(text):
            start, end = found.span("it" if "it" in pattern.groupindex else 0)
            is_free = start < end and 1 not in taken[start:end]
            if is_free and (not accepts or accepts(text[start:end])):
                taken[start:end] = b"\1" * (end - start)
                yield PersonalSpan(start, end, kind)


def _known_names(names: Iterable[str]) -> Iterator[_Recogniser]:
    """Full names in any case; of a Latin name its parts as written, of a longer Han name also the given name."""
    for name in names:
        name = name.strip()
        if len(name) < 2 or _HIDDEN in name:
            continue
        if _HAN.search(name):
            forms = [name, name[-2:]] if len(name) > 2 else [name]
            yield _Recogniser("NAME", re.compile("|".join(map(re.escape, forms))), needs_digit=False)
        else:
            parts = "|".join(re.escape(part) for part in name.split() if len(part) > 2)
            full = r"\s+".join(map(re.escape, name.split()))
            either = f"(?i:{full})" + (f"|{parts}" if parts else "")
            yield _Recogniser("NAME", re.compile(rf"(?<![A-Za-z])(?:{either})(?![A-Za-z])"), needs_digit=False)


def luhn(digits: str) -> bool:
    """Check digit of bank cards (ISO/IEC 7812-1, annex B)."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def cn_id(number: str) -> bool:
    """Check character of mainland identity numbers (GB 11643-1999, ISO 7064 MOD 11-2)."""
    weights = [pow(2, 17 - i, 11) for i in range(17)]
    return "10X98765432"[sum(int(d) * w for d, w in zip(number[:17], weights, strict=True)) % 11] == number[17].upper()


def tw_id(number: str) -> bool:
    """Check digit of Taiwanese identity and residence numbers."""
    letter = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0].upper())
    digits = [letter // 10, letter % 10, *map(int, number[1:])]
    return sum(d * w for d, w in zip(digits, [1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1], strict=True)) % 10 == 0


def hk_id(number: str) -> bool:
    """Check character of Hong Kong identity cards, with or without its brackets."""
    plain = re.sub(r"[()（）]", "", number).upper().rjust(9)
    values = [36 if c == " " else int(c, 36) for c in plain]
    return sum(v * w for v, w in zip(values, range(9, 0, -1), strict=True)) % 11 == 0


def _digits(text: str) -> str:
    return "".join(str(int(c)) for c in text if c.isdecimal())


def _is_card(text: str) -> bool:
    digits = _digits(text)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def _is_international(text: str) -> bool:
    return 8 <= len(_digits(text)) <= 15


_DIGIT: Final = re.compile(r"\d")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_PLACEHOLDER: Final = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")
_GAP: Final = r"[ \u00a0-]?"
_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧蔣葉蘇呂盧鍾譚陸賈韋鄒龍賀顧龔萬錢嚴湯簡游翁詹柯施洪連阮涂古溫"
)
# Two or three characters that begin with a surname: 我叫了外卖 and 我叫你们经理来 have none.
_HAN_NAME: Final = (
    rf"(?:欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|[{_SURNAMES}])"
    r"(?:[\u4e00-\u9fff]{1,2}(?=[\s,，。.!！?？、;；:：)）我想要是的]|$)|[\u4e00-\u9fff]{2}|(?:先生|女士|小姐|太太))"
)
_STREET_ZH: Final = (
    r"(?:大道|大街|胡同|[路街段巷弄里]|(?<![知难難味报報频頻渠地轨軌管])道|小区|小區|社区|社區|花园|花園"
    r"|公寓|大厦|大廈|广场|廣場|苑|村|邨)"
)
_STREET_EN: Final = (
    r"(?:(?i:street|road|avenue|lane|boulevard|terrace|crescent)"
    r"|St|Rd|Ave|Ln|Blvd|Drive|Dr|Court|Ct|Place|Pl|Close|Way)"
)
_NUMBER_ZH: Final = r"(?:\d{1,5}|[一二三四五六七八九十百零]{1,5})(?:[-之]\d{1,4})?\s*"
_UNIT_ZH: Final = r"(?:号楼|號樓|单元|單元|[号號栋棟幢座楼樓室层層弄巷F](?!线|線|下午|上午|到|前|后|後|之前|发货|發貨))"

_RECOGNISERS: Final = (
    _Recogniser("EMAIL", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+", re.ASCII), needs_digit=False),
    _Recogniser("ORDER", re.compile(r"(?<![A-Za-z\d])CW\d{8}-\d{4}(?!\d)", re.IGNORECASE)),
    _Recogniser("ID", re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d{9}[\dXx](?![\dA-Za-z])", re.ASCII), cn_id),
    _Recogniser("ID", re.compile(r"(?<![A-Za-z\d])[A-Za-z][1289]\d{8}(?![A-Za-z\d])", re.ASCII), tw_id),
    _Recogniser(
        "ID", re.compile(r"(?<![A-Za-z\d])[A-Za-z]{1,2}\d{6}(?:[(（][Aa\d][)）]|[Aa\d])(?![A-Za-z\d])", re.ASCII), hk_id
    ),
    _Recogniser("ID", re.compile(r"(?<![A-Za-z\d])[157]\d{6}[(（]\d[)）]")),  # Macau, no public check digit
    _Recogniser("CARD", re.compile(rf"(?<![\d.+])\d(?:{_GAP}\d){{12,18}}(?!\d)"), _is_card),
    # Mainland, Taiwanese and Hong Kong/Macau mobiles; the shop's own 400 hotline is not personal.
    _Recogniser("PHONE", re.compile(rf"(?<![\d+])(?:(?:\+|00)?86{_GAP})?1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}(?!\d)")),
    _Recogniser("PHONE", re.compile(rf"(?<![\d+])(?:(?:\+|00)886{_GAP})?0?9\d{{2}}{_GAP}\d{{3}}{_GAP}\d{{3}}(?!\d)")),
    _Recogniser("PHONE", re.compile(r"(?<!\d)(?:\(0\d{1,3}\)|0\d{1,4})[ -]?\d{3,4}[ -]?\d{3,4}(?!\d)")),
    _Recogniser("PHONE", re.compile(rf"(?<![\d+.])(?:(?:\+|00)?85[23]{_GAP})?[4-9]\d{{3}}{_GAP}\d{{4}}(?![\d.])")),
    _Recogniser("PHONE", re.compile(r"(?<!\d)\+\d{1,3}(?:[ \u00a0.-]?\(?\d{1,5}\)?){1,6}(?!\d)"), _is_international),
    _Recogniser("PHONE", re.compile(r"(?<!\d)(?!400)(?:\(\d{3}\) ?|\d{3}-)\d{3}-\d{4}(?!\d)")),
    # Parcel and order numbers of others: two or more letters and digits, or a bare run of nine digits and more.
    _Recogniser("ORDER", re.compile(r"(?<![A-Za-z\d])[A-Za-z]{1,4}\d{9,20}[A-Za-z]{0,2}(?![A-Za-z\d])", re.ASCII)),
    _Recogniser("ORDER", re.compile(r"(?<![\d.])\d{9,30}[Xx]?(?!\d)")),
    _Recogniser(
        "ADDRESS",
        re.compile(
            # Atomic: a run of 市 can be parted in so many ways that trying them all would take for ever.
            r"(?>(?:[\u4e00-\u9fff]{2,7}?(?:省|自治区|特别行政区|[市区區县縣镇鎮乡鄉])){1,4}\s*)?"
            rf"[\u4e00-\u9fffA-Za-z\d]{{1,8}}?{_STREET_ZH}(?:[东南西北中一二三四五六七八九十\d]{{1,3}}[段路巷弄])*\s*"
            rf"{_NUMBER_ZH}{_UNIT_ZH}(?:[,，\s]*{_NUMBER_ZH}{_UNIT_ZH}|[,，\s]*(?:[A-Za-z]|\d{{1,5}})\s*[座室])*"
            r"(?:[,，\s]*\d{3,4}(?!\d))?"
        ),
        needs_digit=False,
    ),
    _Recogniser(
        "ADDRESS",
        re.compile(
            r"(?:(?i:flat|room|rm|unit|apt|suite)\.?\s*#?\d{1,4}[A-Za-z]?,?\s*(?:\d{1,2}/[Ff],?\s*)?)?"
            rf"(?<![\d¥$£€.])\d{{1,5}}[A-Za-z]?,?\s+(?:[A-Z][\w'.]*\s+){{1,4}}?{_STREET_EN}(?![A-Za-z])"
            r"(?:\s+(?:North|South|East|West|Central))?"
            r"(?:,?\s+(?:[Ff]lat|[Aa]pt|[Uu]nit|#)\.?\s*\d+[A-Za-z]?)?"
        ),
    ),
    _Recogniser(
        "ADDRESS",
        re.compile(
            r"(?<![A-Za-z])(?:[Ff]lat|[Rr]oom|[Aa]pt)\.?\s*(?:\d{1,4}[A-Za-z]?|[A-Z]),?\s*\d{1,2}/[Ff](?![A-Za-z])"
        ),
    ),
    _Recogniser(
        "NAME",
        re.compile(rf"(?:我叫|我的名字是|我名叫|叫我|本人|(?:姓名|收件人)(?:是)?[:：]?)\s*(?P<it>{_HAN_NAME})"),
        needs_digit=False,
    ),
    _Recogniser(
        "NAME",
        re.compile(rf"(?:我姓|敝姓|免[贵貴]姓)\s*(?P<it>[{_SURNAMES}](?:先生|女士|小姐|太太)?)"),
        needs_digit=False,
    ),
    _Recogniser("NAME", re.compile(rf"我是(?P<it>[{_SURNAMES}](?:先生|女士|小姐|太太))"), needs_digit=False),
    _Recogniser(
        "NAME",
        re.compile(
            r"(?<![A-Za-z])(?:[Mm]y name(?: is|'s)|[Nn]ame's|[Tt]his is(?= [A-Z]\w+(?: [A-Z]\w+)? (?:speaking|here)))"
            r"\s+(?P<it>[A-Z][A-Za-z'-]+(?:\s+[A-Z][A-Za-z'-]+){0,2})"
        ),
        needs_digit=False,
    ),
)
