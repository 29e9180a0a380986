"""Articles that state different figures for the same thing, such as 7 days in one and 14 天 in the other.

Two sentences speak of the same thing if, without their figures, they are near in meaning and name the same subjects:
"Gold members get 5 % off" and "Platinum members get 10 % off" are near, but no contradiction. Subjects are the words of
titles, tags and glossary; across languages only the glossary's words can be compared. The thresholds are chosen so that
the shipped demo articles, which agree with each other, give no finding, while of its sentences that state one fact in
two articles (cosine 0.8 or more) 84 % are recognised as such.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assist.domain import Article
from assist.knowledge.care.findings import Finder, Finding, Quote
from assist.knowledge.care.quantities import Quantity, masked, quantities
from assist.knowledge.passages import plain
from assist.text.normalise import normalise
from assist.text.segment import Segmenter

Floats = NDArray[np.float32]

NEAR: Final = 0.58
"""Cosine from which two sentences in one script may speak of the same thing, if they name the same subjects only."""
NEAR_ABROAD: Final = 0.7
"""The same for Chinese and English, where only the glossary tells subjects apart."""
SPECIAL: Final = 0.88
"""Below it, a subject that only one sentence names makes it a special case, not a contradiction."""
SELF_CONTAINED: Final = 3
"""Shared words from which very near sentences need no look at what their articles are about."""
VERY_NEAR: Final = 0.83
BLOCK: Final = 512
MOST_PAIRS: Final = 1_000_000
"""Pairs that are compared word by word, which takes some 10 s."""

_SENTENCE: Final = re.compile(r"[^\n。！？!?；;]+?(?:[。！？!?；;]+|\.(?=\s)|(?=\n)|\Z)")
_MARK: Final = re.compile(r"^\s*(?:\d{1,2}[.)、．]|[-*•])\s*")
_DIGITS: Final = re.compile(r"\d+(?:[.:]\d+)?")

# Words that say what is done with a quantity, not what it is a quantity of.
_GENERIC: Final = """
    about above accept after again against ago all allow allowed already also always another answer any apply are arrive
    arrival ask at available away back before begin below between buy bought by call can change check choose come
    complete contact cost count customer daily day deliver delivered do earlier each end every first follow free from
    full get give given good goods have help his hour hold how if include is item items its keep kept know last late
    later least less let like long longer made make may mean minute money month more most must need new next no normal
    normally not note now number off offer once one ones only open order ordered other our over own pack part pay paid
    payment people per period please policy possible product purchase question reach read receive received receipt rule
    same say see send sent service show shown since some start started step still straight take taken tell than that
    their them then there they thing this through time to together two under until up usual usually use valid want way
    week when where whether which while within without work working year your yes
    一 二 两 天 日 小时 个 周 星期 月 年 分钟 工作日 工作日内 工作 内 后 前 之后 以内 之内 起 满 元 时 时间 期 期限 期间
    可 能 需 需要 必须 可以 一般 通常 大约 约 最多 最少 至少 不超过 超过 以上 以下 不 商品 东西 货 货品 顾客 客户 用户
    订单 下单 收到 收货 签收 购买 付款 支付 费用 费 收 收取 给 联系 告诉 您 请 我 我们 申请 办理 处理 提供 支持 享受
    使用 用 看 见 按 由 每 每件 每次 每天 全天 当天 一次 规则 说明 问题 如何 怎样 多久 多长 多少 已 已经 还 只 全部 所有
    任何 其他 同一 这里 并 则 然 然后 接着 等 会 的话 如 如果 因为 所以 到 进行 完 完成 开始 结束 有 有效 有效期 从
    算 计算 起算 喜欢 自 请求 无需 理由 原 在 马上 立即
"""


class _Subjects(NamedTuple):
    """The words of an article: what it is found by, of its title alone, and everywhere."""

    lead: frozenset[str]
    title: frozenset[str]
    everywhere: frozenset[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an article that states quantities; `bare` is the sentence without its figures."""

    article: int
    raw: str
    text: str
    bare: str
    stated: tuple[Quantity, ...]


def statements(articles: Sequence[Article]) -> list[Statement]:
    """Every sentence with a quantity. Headings are none."""
    found = []
    for number, article in enumerate(articles):
        for raw in _SENTENCE.findall(article.body):
            text = normalise(_MARK.sub("", plain(raw)))
            if not raw.lstrip().startswith("#") and (stated := quantities(text)):
                found.append(Statement(number, raw.strip(), text, masked(text, stated), tuple(stated)))
    return found


def contradictions(
    articles: Sequence[Article],
    found: Sequence[Statement],
    vectors: Floats,
    glossary: Collection[Sequence[str]],
    finder: Finder,
) -> list[Finding]:
    """Contradictions between language versions of an article, then between articles.

    `vectors` [statements, dimension] are centred unit vectors of the statements' `bare` sentences.
    """
    return [
        *_between_versions(articles, found, vectors, finder),
        *_between_articles(articles, found, vectors, _Words(articles, found, glossary), finder),
    ]


class _Words:
    """The subjects of sentences and articles."""

    def __init__(
        self, articles: Sequence[Article], found: Sequence[Statement], glossary: Collection[Sequence[str]]
    ) -> None:
        self._segmenter = Segmenter(glossary)
        self._generic = {term for word in _GENERIC.split() for term in (word, *self._segmenter.terms(word))}
        self.shared = {term for group in glossary for term in self._segmenter.terms(group[0])[:1]} - self._generic
        self.articles = [self._subjects(article) for article in articles]
        self.sentences = [self._of(statement.bare) for statement in found]
        named = [
            self._of(" ".join(article.tags)) | of.title for article, of in zip(articles, self.articles, strict=True)
        ]
        self.subjects = self.shared.union(*named)

    def _subjects(self, article: Article) -> _Subjects:
        title = self._of(article.title)
        lead = title | self._of("\n".join((*article.questions, *article.tags)))
        return _Subjects(lead, title, lead | self._of(plain(article.body)))

    def _of(self, text: str) -> frozenset[str]:
        return frozenset(
            term for term in self._segmenter.terms(text) if term not in self._generic and not term[0].isdigit()
        )


def _between_versions(
    articles: Sequence[Article], found: Sequence[Statement], vectors: Floats, finder: Finder
) -> Iterator[Finding]:
    """Language versions of an article have to state the same figures."""
    by_topic: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, statement in enumerate(found):
        by_topic[articles[statement.article].id][statement.article].append(row)
    for topic, versions in by_topic.items():
        numbers = list(versions)
        for place, one in enumerate(numbers):
            for other in numbers[place + 1 :]:
                pairs = list(
                    _differing(
                        [(row, q) for row in versions[one] for q in found[row].stated],
                        [(row, q) for row in versions[other] for q in found[row].stated],
                        normalise(plain(articles[one].body)),
                        normalise(plain(articles[other].body)),
                    )
                )
                for unit in dict.fromkeys(pair[0][1].unit for pair in pairs):
                    (a, p), (b, q) = max(
                        (pair for pair in pairs if pair[0][1].unit == unit),
                        key=lambda pair: (float(vectors[pair[0][0]] @ vectors[pair[1][0]]), _led_alike(found, *pair)),
                    )
                    yield _finding(
                        articles,
                        found,
                        (a, p),
                        (b, q),
                        f"the language versions of {topic} state different figures",
                        finder,
                        certain=True,
                    )


def _between_articles(
    articles: Sequence[Article], found: Sequence[Statement], vectors: Floats, words: _Words, finder: Finder
) -> Iterator[Finding]:
    stated: dict[int, set[tuple[str, tuple[float, float]]]] = defaultdict(set)
    for statement in found:
        stated[statement.article] |= {(q.unit, q.value) for q in statement.stated}
    reported: set[tuple[str, str, str]] = set()
    for cosine, a, b in _near(articles, found, vectors):
        first, second = articles[found[a].article], articles[found[b].article]
        abroad = (first.language == "en") != (second.language == "en")
        pairs = list(
            _differing(
                [(a, q) for q in found[a].stated], [(b, q) for q in found[b].stated], found[a].text, found[b].text
            )
        )
        if not pairs or (abroad and cosine < NEAR_ABROAD) or not _same_subject(words, found, a, b, cosine, abroad):
            continue
        for left, right in pairs:
            knows_both = (left[1].unit, left[1].value) in stated[found[b].article] or (
                right[1].unit,
                right[1].value,
            ) in stated[found[a].article]
            key = (*sorted((first.id, second.id)), left[1].unit)
            if key in reported or (knows_both and cosine < SPECIAL):
                continue
            reported.add((key[0], key[1], key[2]))
            message = f"{first.id} and {second.id} state different figures for what reads as the same thing"
            yield _finding(articles, found, left, right, message, finder, certain=False)


def _near(articles: Sequence[Article], found: Sequence[Statement], vectors: Floats) -> Iterator[tuple[float, int, int]]:
    """(cosine, statement, earlier statement) of near pairs in two topics that differ in figures; nearest first.

    Of very many pairs the nearest `MOST_PAIRS`, so that their number is bounded whatever the articles hold.
    """
    topic = _numbered(articles[statement.article].id for statement in found)
    figures = _numbered(frozenset((q.unit, q.value) for q in statement.stated) for statement in found)
    bit = {unit: 1 << number for number, unit in enumerate(sorted({q.unit for s in found for q in s.stated})[:63])}
    units = np.array([sum({bit.get(q.unit, 0) for q in s.stated}) for s in found], np.int64)
    best = np.empty(0, [("cosine", np.float32), ("a", np.int32), ("b", np.int32)])
    for start in range(0, len(vectors), BLOCK):
        rows, columns = slice(start, start + BLOCK), slice(0, start + BLOCK)
        cosines = vectors[rows] @ vectors[columns].T
        wanted = (cosines >= NEAR) & (topic[rows, None] != topic[columns]) & (figures[rows, None] != figures[columns])
        wanted &= (units[rows, None] & units[columns]) != 0
        a, b = np.nonzero(np.tril(wanted, start - 1))
        more = np.empty(len(a), best.dtype)
        more["cosine"], more["a"], more["b"] = cosines[a, b], a + start, b
        best = np.concatenate([best, more])
        if len(best) > 2 * MOST_PAIRS:
            best = best[np.argpartition(best["cosine"], -MOST_PAIRS)[-MOST_PAIRS:]]
    best = best[np.argsort(best["cosine"], kind="stable")[::-1]][:MOST_PAIRS]
    yield from zip(best["cosine"].tolist(), best["a"].tolist(), best["b"].tolist(), strict=True)


def _numbered(values: Iterable[Hashable]) -> NDArray[np.int32]:
    """A number for each value, the same one for equal ones."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int32)


def _same_subject(words: _Words, found: Sequence[Statement], a: int, b: int, cosine: float, abroad: bool) -> bool:
    all_a, all_b = words.sentences[a], words.sentences[b]
    of_a, of_b = words.articles[found[a].article], words.articles[found[b].article]
    known = words.shared if abroad else words.subjects
    in_a, in_b = all_a & known, all_b & known
    if not in_a & in_b:
        return False
    only_a, only_b = in_a - in_b - of_b.lead, in_b - in_a - of_a.lead
    if (only_a and only_b) or ((only_a or only_b) and cosine < SPECIAL):
        return False
    if not abroad and len(all_a - all_b) == 1 == len(all_b - all_a):
        return False  # one word against another in the same sentence: gold and platinum, shoes and clothes
    if cosine >= VERY_NEAR and len(all_a & all_b) >= SELF_CONTAINED:
        return True
    title_a, title_b = (of.title & known if abroad else of.title for of in (of_a, of_b))
    return not (title_a - of_b.everywhere and title_b - of_a.everywhere)


Stated = tuple[int, Quantity]


def _differing(
    ours: Sequence[Stated], theirs: Sequence[Stated], our_text: str, their_text: str
) -> Iterator[tuple[Stated, Stated]]:
    """Pairs of quantities with one unit that the other side does not state, not even as a bare number in a list."""
    our_values, their_values = _values(ours), _values(theirs)
    our_numbers, their_numbers = set(_DIGITS.findall(our_text)), set(_DIGITS.findall(their_text))
    for left in ours:
        if left[1].value in their_values[left[1].unit] or _stands_in(left[1], their_numbers):
            continue
        for right in theirs:
            if right[1].unit != left[1].unit or right[1].value in our_values[left[1].unit]:
                continue
            if not _stands_in(right[1], our_numbers):
                yield left, right


def _values(stated: Sequence[Stated]) -> Mapping[str, set[tuple[float, float]]]:
    values: dict[str, set[tuple[float, float]]] = defaultdict(set)
    for _, quantity in stated:
        values[quantity.unit].add(quantity.value)
    return values


def _stands_in(quantity: Quantity, numbers: Collection[str]) -> bool:
    own = _DIGITS.findall(quantity.text)
    return bool(own) and all(number in numbers for number in own)


def _led_alike(found: Sequence[Statement], left: Stated, right: Stated) -> int:
    """How many characters before the two quantities are the same: in a list they say which of its items these are."""
    ours, theirs = (reversed(found[row].text[: quantity.start]) for row, quantity in (left, right))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False)))


def _finding(
    articles: Sequence[Article],
    found: Sequence[Statement],
    left: Stated,
    right: Stated,
    message: str,
    finder: Finder,
    *,
    certain: bool,
) -> Finding:
    quotes = tuple(
        Quote(finder.place(articles[found[row].article], found[row].raw), _MARK.sub("", plain(found[row].raw)))
        for row, _ in (left, right)
    )
    return Finding(
        "contradiction",
        "error" if certain else "warning",
        quotes[0].place,
        f"{message}: {left[1].text} against {right[1].text}",
        quotes,
    )
