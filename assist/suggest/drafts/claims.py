"""Claims that contradict the cited article: another figure for the same thing, or yes where the article says no."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final

from assist.knowledge.care.quantities import Quantity, quantities
from assist.knowledge.passages import plain
from assist.suggest.drafts.text import (
    Draft,
    DraftContext,
    Found,
    Piece,
    clauses,
    content,
    fold,
    is_question,
    known_values,
    pieces_of,
)

_KEPT_ARTICLES: Final = 256
_MOST_LINES: Final = 100
_HOURS: Final = {"hours": (1.0, 1.0), "working days": (24.0, 34.0), "months": (696.0, 744.0)}
"""What a unit of time lasts at least and at most, in hours: five working days may have a weekend in between."""

_COUNT: Final = re.compile(
    r"(?P<n>\d{1,3}|[一二两三四五六七八九十])(?P<of>次|期|晚|张券|人|米)(?!性|级|元|工|为|体|货|品|色|白|饭|\d)"
)
_COUNT_EN: Final = re.compile(
    r"\b(?P<n>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)(?: [a-z]+)? (?P<of>codes?|nights?|vouchers?|coupons?|items?|people|uses|changes|exchanges|returns)\b"
)
_NUMBERS: Final = {
    word: number
    for number, words in enumerate(
        "one 一,two 二 两,three 三,four 四,five 五,six 六,seven 七,eight 八,nine 九,ten 十".split(","), 1
    )
    for word in words.split()
}
_ANY_NUMBER: Final = re.compile(
    r"\d+(?:,\d{3})*(?:\.\d+)?|[一二两三四五六七八九十百半]+(?=[个天日周月年小分次折元块人件张米厘公千晚层期倍成点号%只条岁瓶箱]|分之)"
    r"|(?<=分之)[一二三四五六七八九十]+"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|twenty|thirty|half|third|quarter|double|twice|once)\b"
)
_NUMBER_WORDS: Final[dict[str, float]] = {
    **_NUMBERS, "半": 0.5, "half": 0.5, "once": 1, "twice": 2, "double": 2,
    "twelve": 12, "fourteen": 14, "twenty": 20, "thirty": 30,
}  # fmt: skip
_DATE: Final = re.compile(r"\d{1,2}日")
_LASTING: Final = re.compile(r"^[前后留满达需约过近共]\||\|[内后]")
"""30日 is thirty days between such characters, else a day of the month."""
_CLOCK: Final = re.compile(
    r"\b(?P<hour>\d{1,2}) ?(?P<half>am|pm)\b|\b(?P<word>noon|midnight)\b|(?P<part>上午|早上|下午|晚上|晚|中午)(?P<zh>\d{1,2})点(?!\d)"
)
_NEXT_DAY: Final = re.compile(
    r"(?P<same>当天|当日|同日|\bsame (?:day|night))|次日|隔天|隔日|翌日|第二天|\bnext(?: working| business)? (?:day|morning)"
)
_HOUR: Final = {"noon": 12.0, "midnight": 24.0}
_FROM_AMOUNT: Final = re.compile(r"满 ?(?P<n>\d{2,5})(?![\d元块.天日个年人件])")
_SERVICE: Final = re.compile(
    r"稍等|等我|等您|久等|等了|回复|答复|联系|查|核实|催|刚才|已经|今天|目前|还差|还剩|购物车|库存|现价|您的|大概率"
    r"|\b(?:wait|waited|get back|reply|contact|call you|look|check|in the meantime|left|your|yours|sorry|since|ago|been|was|were)\b"
)
_REFUSED: Final = re.compile(
    r"除外|不含|不包括|不可|不能|不支持|无法|不得|不适用|不予|不接受|不参加|不参与|不享|不退|不换|不保|恕不|没有|禁止"
    r"|\b(?:cannot|can't|not|never|no|exclud\w+|except|without)\b|n't\b"
)
_NO: Final = re.compile(
    r"不(?!错|限|过|好意思|客气|用担心|论|管|但|仅|只)|没(?!问题|关系|事)|无(?!论|理由|忧|条件)|未|除外|别|勿|难|免(?!费|运|邮)|唔|冇"
    r"|\b(?:cannot|not|no(?! problem| worries)|never|unable|unfortunately|afraid|except|exclud\w+|without|isn't|unless|only)\b|n't\b"
)
_YES: Final = re.compile(
    r"可以|能|都|也|支持|通用|没问题|行|会|任何|所有|全部|照样|包"
    r"|\b(?:yes|yep|yeah|can|sure|works?|all|both|any|everywhere|there's|there is|you'll|of course|happy to|fine|ok|okay|include[sd]?|covers?|covered|accepts?|accepted)\b"
)
_IF: Final = re.compile(r"如果|要是|的话|除非|若|假如|只要|\?|\b(?:if|unless|whether|when)\b")
_ONLY: Final = re.compile(r"仅限|只限|限于|仅适用|仅可|\bonly (?:valid |available |for |on |in |at )")
_ANY: Final = re.compile(
    r"都(?:通用|可以|能用|能|行|支持|适用)|不限|任何|所有|全场|哪里都|\b(?:everywhere|anywhere|any (?:store|item|order)|all (?:stores|items|orders))\b"
)
_WE_PAY: Final = re.compile(
    r"(?:由|是)?(?:卖家|商家|我方|平台|店铺|我们|本店)(?:来)?(?:承担|出|付|负担)|\bwe(?:'ll)? (?:will )?(?:pay|cover)|运费我们出"
)
_YOU_PAY: Final = re.compile(
    r"(?:由|是|得|要)?(?:买家|客户|顾客|消费者|您|你)(?:自己|自行|来)?(?:承担|出|付|负担)|自费|自理|\b(?:customers?|you|recipient)(?:'ll|'d)? (?:will |just |only |would )*(?:need to |have to )?(?:pays?|cover)|paid by (?:the )?(?:customer|recipient|you)|at your own (?:cost|expense)"
)
_FREE: Final = re.compile(
    r"不收|免收|不用(?:付|出|交|给)|免手续费|不要钱|\bno (?:\w+ )?(?:fee|charge|cost)\b|free of charge"
)
_CHARGE: Final = re.compile(
    r"(?:收取?|费用?为?|需付|承担).{0,8}\d|\d.{0,12}(?:手续费|服务费|fee|charge)|(?:fee|charge)s? .{0,8}(?:applies|appl(?:y|ies)|of)"
)
_WAIVED: Final = re.compile(r"免|不收|waive|\bno\b|\bfree\b")
_NOT_NEEDED: Final = re.compile(
    r"不用|无需|无须|不需要?|不必|毋须|免(?=提供|出示)|\b(?:no need (?:for|to)|don't need|without|not required|no \w+ (?:needed|required))"
)
_NEEDED: Final = re.compile(
    r"凭|(?<!无)(?<!不)(?:必)?须|需(?!要的话|求)(?<!无需)(?<!不需)|(?<!不)(?:要|得)(?:提供|出示|带)|出示|提供|\b(?:must|requires?d?|needs? (?:a|the|to)|have to|only with|with (?:a )?proof)"
)
_NEVER: Final = re.compile(
    r"任何[^,。]{0,6}(?:均|都|也)?不|一律不|均不|不管[^,。]{0,8}(?:都|也)不|无论[^,。]{0,8}(?:都|也)不|\b(?:under no circumstances|in no case|never|no matter)"
)
_MAY: Final = re.compile(r"(?<!不)可(?!能)(?:以)?|支持|\b(?:may|can(?!not|'t)) ")
_SCOPE: Final = re.compile(
    r"都|任何|所有|全部|全场|不限|随时|统一|一律|照样|也(?:可以|能|行|算|没|给)|哪里都|无论|不管|尽管|还可以一起|没关系|不用|无需|免费|直接|全款|全额|永久|一直"
    r"|\b(?:any|all|every|even|both|anywhere|anytime|whenever|unlimited|no limit|forever|always|too|either|free|no need|as many|whole|full)\b"
)
"""Words that give more than a rule with limits does."""
_LIMITS: Final = re.compile(
    r"仅|只|限|除|不含|不包括|不可|不能|不支持|无法|不得|不适用|不予|不接受|须|必须|需|凭|不退|不换|恕|未|超|逾|以上|以内|最多|至少"
    r"|\b(?:only|except|exclud\w*|must|cannot|can't|not|unless|within|at least|maximum|up to|without|limited|requires?|no|never|after|before)\b"
)
_GIVEN: Final = re.compile(r"免费|不收|不用付|不要钱|\bfree\b|\bno (?:\w+ )?(?:fee|charge|cost)\b")
_PRICE: Final = re.compile(r"\d+ ?(?:元|块)|[£$€¥] ?\d")
_GIVING: Final = frozenset("提供出示凭证申请须任何需用必无论管") | frozenset("need must requir provid appl".split())
"""What is asked to be shown, not what is shown."""
_SHARED: Final = 2
_SCALE: Final = 15
_SAME_HOUR: Final = 0.1
"""23:59 is midnight."""
_ASKED_KINDS: Final = {
    "time": re.compile(
        r"多久|几天|几日|多长时间|多少天|几个(?:小时|月|工作日)|几年|几耐|\bhow (?:long|many (?:days|hours|weeks|months))"
    ),
    "¥": re.compile(r"多少钱|运费多少|(?:收|要)多少|满多少|how much"),
    "o'clock": re.compile(r"几点|what time"),
}
_BARE_YES: Final = re.compile(
    r"^\W*(?:您好|亲亲?|你好|嗨|hi|hello)?[, !~]*(?:可以|能|支持|没问题|有的|行|当然|是的|对|得|yes|yep|yeah|yup|sure|of course|absolutely|certainly)"
)
_LEAST: Final = 0.67
_BRIEF: Final = 3


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the customer asked about last, and the kind of quantity asked for."""

    about: set[str]
    kind: str | None


@dataclass(frozen=True, slots=True)
class _Stated:
    """A clause of an article: what it is about, its quantities and counts. `own` is content no other clause has."""

    raw: str
    text: str
    about: frozenset[str]
    own: frozenset[str]
    stated: tuple[tuple[str, float, float], ...]


def contradictions(draft: Draft, context: DraftContext) -> Iterator[Found]:
    """Clauses of the draft that the cited articles contradict, with what the article says."""
    if not context.articles:
        return
    told = fold("\n".join([text for _, text in context.turns] + list(known_values(context.customer))))
    heard = {figure[:3] for clause in clauses(told) if not is_question(clause) for figure in _figures(clause)}
    question = next((fold(text) for speaker, text in reversed(context.turns) if speaker == "customer"), "")
    asked = _Asked(content(question), _asked_kind(question))
    for article in context.articles:
        lines = _article(article)
        for place, clause in enumerate(draft.clauses):
            said = _contradicted(draft, place, clause, lines, heard, asked)
            if said is not None:
                yield Found("contradicts_article", clause.start, clause.end, (("article", said),))


def statement_about(said: str, context: DraftContext) -> str:
    """What the cited articles say nearest to a folded stretch of a draft."""
    about = content(said)
    stated = [line for article in context.articles for line in _article(article)]
    return max(stated, key=lambda line: len(line.about & about)).raw.strip() if stated else ""


def beside_article(draft: Draft, context: DraftContext) -> dict[str, float]:
    """How the draft stands beside the cited article, in counts and shares, for the layer that weighs them.

    What the rules above ask of one clause is counted here over the draft, so that several weak signs can add up.
    """
    told = fold("\n".join([text for _, text in context.turns] + list(known_values(context.customer))))
    article = fold("\n".join(context.articles))
    lines = [line for text in context.articles for line in _article(text)]
    stated = [figure for line in lines for figure in line.stated]
    heard = {figure[:3] for figure in _figures(told)}
    text, said = draft.folded, [clause for clause in draft.clauses if not is_question(clause.text)]
    figures = [figure[:3] for clause in said for figure in _figures(clause.text)]
    new = [one for one in figures if one not in heard and not any(_agrees(one, other) for other in stated)]
    known = _numbers(article) | _numbers(told)
    renumbered = [clause for clause in said if _numbers(clause.text) - known]
    nearest = {clause: _nearest(clause, lines) for clause in said}
    shared = {clause: min(len(line.about & content(clause.text)), 6) for clause, line in nearest.items() if line}
    refuses = {clause: bool(_NO.search(clause.text)) for clause in said}
    differ = [clause for clause, line in nearest.items() if line and refuses[clause] != bool(_NO.search(line.text))]
    limits, kept = set(_LIMITS.findall(article)), set(_LIMITS.findall(text))
    no_here, no_there = len(_NO.findall(text)), len(_NO.findall(article))
    return {
        "new_figures": min(len(new), 3),
        "agreeing_figures": min(len(figures) - len(new), 3),
        "figures_there": min(len(stated), 5),
        "new_number": bool(renumbered),
        "new_number_beside_one": any(
            shared.get(clause, 0) >= _SHARED and _numbers(line.text)
            for clause in renumbered
            if (line := nearest[clause])
        ),
        "new_number_shares": max((shared.get(clause, 0) for clause in renumbered), default=0),
        "new_number_of_theirs": any(not _SERVICE.search(clause.text) for clause in renumbered),
        "other_answer_shares": max((shared[clause] for clause in differ), default=0),
        "yes_for_no_shares": max((shared[clause] for clause in differ if not refuses[clause]), default=0),
        "refuses": min(no_here, 3),
        "refuses_only_there": no_there > 0 and no_here == 0,
        "new_scope": any(word not in article for word in _SCOPE.findall(text)),
        "limits_lost": min(len(limits - kept), 4),
        "limits_kept": min(len(limits & kept), 4),
        "free_for_charge": bool(_GIVEN.search(text) and _CHARGE.search(article)),
        "charge_for_free": bool(_PRICE.search(text) and _GIVEN.search(article)),
        "we_pay_for_you_pay": bool(_WE_PAY.search(text) and _YOU_PAY.search(article)),
        "you_pay_for_we_pay": bool(_YOU_PAY.search(text) and _WE_PAY.search(article)),
        "conditional": bool(_IF.search(text)),
        "asks": len(said) < len(draft.clauses),
    }


def _nearest(clause: Piece, lines: Sequence[_Stated]) -> _Stated | None:
    about = content(clause.text)
    return max(lines, key=lambda line: len(line.about & about), default=None)


def _numbers(folded: str) -> set[float | str]:
    """The numbers of a text whatever they count; a written one that is longer than a word stays as it is."""
    return {_number(match.group()) for match in _ANY_NUMBER.finditer(folded)}


def _number(text: str) -> float | str:
    if text[0].isdigit():
        return float(text.replace(",", ""))
    if text in _NUMBER_WORDS:
        return _NUMBER_WORDS[text]
    tens, ten, ones = text.partition("十")
    if ten and len(tens) <= 1 and len(ones) <= 1 and {tens, ones} <= {"", *_NUMBERS}:
        return 10.0 * _NUMBERS.get(tens, 1) + _NUMBERS.get(ones, 0)
    return text


def _contradicted(
    draft: Draft,
    place: int,
    clause: Piece,
    lines: Sequence[_Stated],
    heard: set[tuple[str, float, float]],
    asked: _Asked,
) -> str | None:
    """What the article says instead, or None."""
    if clause.text.endswith("?"):
        return None
    about = content(clause.text)
    if not _SERVICE.search(clause.text):
        for unit, low, high, *_ in _figures(clause.text):
            if (unit, low, high) not in heard:
                said = _other_figure(draft, place, about, (unit, low, high), lines, heard, asked)
                if said is not None:
                    return said
    return _other_answer(draft, clause, about | asked.about if _BARE_YES.search(clause.text) else about, lines)


def _other_figure(
    draft: Draft,
    place: int,
    about: set[str],
    figure: tuple[str, float, float],
    lines: Sequence[_Stated],
    heard: set[tuple[str, float, float]],
    asked: _Asked,
) -> str | None:
    asks_for_it = asked.kind == _kind(figure[0])
    rivals = [line for line in lines if any(_is_rival(figure, stated, asks_for_it) for stated in line.stated)]
    listed = re.compile(rf"(?<!\d){figure[2]:g}[、/]")
    # Of what, a sentence may say in many ways.
    stands_there = any(figure in line.stated or listed.search(line.text) for line in lines)
    if not rivals or stands_there or _is_derived(figure, lines, heard):
        return None
    # What a figure is of may stand in the clauses before it in the same sentence, last in the question.
    views = [about]
    for back in range(place - 1, max(-1, place - 3), -1):
        views.append(views[-1] | content(draft.clauses[back].text))
    views.append(views[-1] | asked.about)
    told = [one[:3] for one in _figures(draft.folded)]
    if asks_for_it and not any(_agrees(one, stated) for one in told for line in rivals for stated in line.stated):
        return max(rivals, key=lambda line: len(line.about & views[-1])).raw
    for view in views:
        scores = [
            len(line.about & view) + len(line.own & view) * (2 + 1 / len(line.own))
            if line.own
            else len(line.about & view)
            for line in rivals
        ]
        best = max(scores)
        if best < 3:
            continue
        meant = [line for line, score in zip(rivals, scores, strict=True) if score == best]
        if len(meant) > 1:
            continue
        if any(_agrees(figure, stated) for stated in meant[0].stated):
            return None
        elsewhere = [line for line in rivals if any(_agrees(figure, stated) for stated in line.stated)]
        if elsewhere and not meant[0].own & view:
            return None
        if any(line.own & view for line in elsewhere):
            return None
        return meant[0].raw
    return None


def _other_answer(draft: Draft, clause: Piece, about: set[str], lines: Sequence[_Stated]) -> str | None:
    sentence = next(whole.text for whole in draft.sentences if whole.start <= clause.start < whole.end)
    if _IF.search(sentence):
        return None
    article = " ".join(line.text for line in lines)
    for ours, theirs in ((_NOT_NEEDED, _NEEDED), (_NEVER, _MAY)):
        named = ours.search(clause.text)
        if named is None:
            continue
        what = content(clause.text[named.start() :]) - _REFUSING - _GIVING
        for line in lines:
            stated = theirs.search(line.text)
            both = stated and what & (content(line.text[stated.start() :]) - _REFUSING)
            if both and (len(both) >= _SHARED or any(token.isascii() and len(token) > _BRIEF for token in both)):
                return line.raw
    if _FREE.search(clause.text) and _CHARGE.search(article) and not _WAIVED.search(article):
        return next((line.raw for line in lines if _CHARGE.search(line.text)), None)
    for theirs, ours in ((_WE_PAY, _YOU_PAY), (_YOU_PAY, _WE_PAY)):
        if ours.search(clause.text) and not theirs.search(clause.text):
            same = max((len(line.own & about) for line in lines if ours.search(line.text)), default=0)
            for line in lines:
                if theirs.search(line.text) and len(line.own & about) > same:
                    return line.raw
    if _NO.search(sentence if _BARE_YES.search(clause.text) else clause.text):
        return None
    for line in lines:
        if _ONLY.search(line.text) and _ANY.search(clause.text) and line.about & about:
            return line.raw
        if not _REFUSED.search(line.text) or not line.own or not _YES.search(sentence):
            continue
        matched = line.own & about
        enough = 1 if any(token.isascii() and len(token) > 2 for token in matched) else 2
        if len(matched) >= max(enough, _LEAST * len(line.own)):
            return line.raw
    return None


@lru_cache(maxsize=_KEPT_ARTICLES)
def _article(text: str) -> tuple[_Stated, ...]:
    lines = [line for line in plain(text).splitlines() if line.strip() and not line.startswith("#")][:_MOST_LINES]
    pieces = [(line[piece.start : piece.end], piece.text) for line in lines for piece in pieces_of(fold(line))]
    parts = [folded for _, folded in pieces]
    abouts = [frozenset(content(part)) - _figures_of(part) for part in parts]
    counts = Counter(token for about in abouts for token in about)
    owns = [frozenset(token for token in about if counts[token] == 1 and token not in _REFUSING) for about in abouts]
    # "at most 3 more days" is about what the clause before it says.
    abouts = [
        about | abouts[place - 1] if place and len(about) < _BRIEF else about for place, about in enumerate(abouts)
    ]
    return tuple(
        _Stated(raw, part, about, own, tuple((unit, low, high) for unit, low, high, *_ in _figures(part)))
        for (raw, part), about, own in zip(pieces, abouts, owns, strict=True)
    )


_REFUSING: Final = frozenset("除外含包括支持法适用予接受参享恕禁止仅限商品") | frozenset(
    "appl appli accept except cannot never only exclud used".split()
)


def _figures_of(part: str) -> frozenset[str]:
    return frozenset(token for quantity in quantities(part) for token in content(quantity.text))


def _figures(folded: str) -> Iterator[tuple[str, float, float, int, int]]:
    for quantity in quantities(folded):
        if not _DATE.fullmatch(quantity.text) or _LASTING.search(
            folded[max(0, quantity.start - 1) : quantity.start] + "|" + folded[quantity.end : quantity.end + 1]
        ):
            yield _of(quantity)
    for match in _CLOCK.finditer(folded):
        hour = _HOUR.get(match["word"] or "") or _hour(match["hour"] or match["zh"], match["half"] or match["part"])
        yield ("o'clock", hour, hour, match.start(), match.end())
    yield from _soon(folded)
    for match in _FROM_AMOUNT.finditer(folded):
        yield ("¥", float(match["n"]), float(match["n"]), match.start(), match.end())
    for pattern in (_COUNT, _COUNT_EN):
        for match in pattern.finditer(folded):
            number = float(_NUMBERS.get(match["n"]) or match["n"])
            yield (match["of"].rstrip("s"), number, number, match.start(), match.end())


def _soon(folded: str) -> Iterator[tuple[str, float, float, int, int]]:
    """The next day is a figure too."""
    for match in _NEXT_DAY.finditer(folded):
        low, high = (0.0, 24.0) if match["same"] else (24.0, 48.0)
        yield ("hours", low, high, match.start(), match.end())


def _hour(digits: str, half: str) -> float:
    hour = int(digits) % 12
    return float(hour + 12 if half in ("pm", "下午", "晚上", "晚", "中午") else hour)


def _of(quantity: Quantity) -> tuple[str, float, float, int, int]:
    return (quantity.unit, *quantity.value, quantity.start, quantity.end)


def _asked_kind(question: str) -> str | None:
    return next((kind for kind, pattern in _ASKED_KINDS.items() if pattern.search(question)), None)


def _kind(unit: str) -> str:
    return "time" if unit in _HOURS else unit


def _agrees(figure: tuple[str, float, float], stated: tuple[str, float, float]) -> bool:
    if _kind(figure[0]) != _kind(stated[0]):
        return False
    (a, b), (c, d) = _span(figure), _span(stated)
    slack = _SAME_HOUR if figure[0] == "o'clock" else 0
    return a <= d + slack and c <= b + slack


def _is_rival(figure: tuple[str, float, float], stated: tuple[str, float, float], asks_for_it: bool) -> bool:
    """Whether both measure the same kind of thing; minutes and months do so only where that is the question."""
    if _kind(figure[0]) != _kind(stated[0]):
        return False
    ours, theirs = _span(figure)[1], _span(stated)[1]
    return asks_for_it or figure[0] not in _HOURS or max(ours, theirs) <= _SCALE * max(1.0, min(ours, theirs))


def _span(figure: tuple[str, float, float]) -> tuple[float, float]:
    least, most = _HOURS.get(figure[0], (1.0, 1.0))
    return figure[1] * least, figure[2] * most


def _is_derived(
    figure: tuple[str, float, float], lines: Sequence[_Stated], heard: set[tuple[str, float, float]]
) -> bool:
    """Whether a figure is the sum or difference of two that are known: 5 and 3 working days are 8 at most."""
    values = {high for line in lines for unit, _, high in line.stated if unit == figure[0]}
    values |= {high for unit, _, high in heard if unit == figure[0]}
    return any(figure[2] in (a + b, abs(a - b)) for a, b in combinations(sorted(values), 2))
