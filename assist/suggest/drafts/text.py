"""How the draft check reads text: one script, one case, one width, and every character still in its place."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from assist.domain import ArticleLanguage, Customer, Speaker
from assist.text.grams import fold

__all__ = [
    "Draft",
    "DraftContext",
    "Found",
    "Piece",
    "clauses",
    "content",
    "fold",
    "is_question",
    "known_values",
    "pieces_of",
]

READ_CHARS: Final = 2000
"""Of a longer draft or turn only the beginning is read: what is typed to a customer is shorter."""
MOST_PIECES: Final = 60
"""Clauses of a text that are looked at."""

_CLAUSE: Final = re.compile(r"(?:[^,。.!?;:\n~…]|(?<=\d)[.,:](?=\d))+[.!?。~…]*")
_SENTENCE: Final = re.compile(r"(?:[^。.!?;\n]|\.(?=\S))+[.!?。~…]*")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_CONTENT: Final = re.compile(r"[\u3400-\u9fff]|[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?")
_COMMON: Final = frozenset(
    "的了吗嘛呢吧哦哈啊呀么是我你您他她它们在就都也还和与及或这那个一下着过得地把被给请问没有不会要想可以能对很又再从里上"
    "什怎为啥多少几哪谁时候到好麻烦亲先说看用做跟让帮咱家啦喔唷哟而所因但如果只些点等需"
) | frozenset(
    """
    a an the is are was were be been am to of and or in on at it its it's i i'm i've i'll my me you your we our us they
    them he she his her this that these those for with as by from do does did have has had will would can could so if
    but not there here please pls just hi hello hey what when where who how why which any some get got one out up no
    yes it'll you'll we'll don't doesn't isn't can't ok okay thanks thank about into still now then than too very
    """.split()
)


@dataclass(frozen=True, slots=True)
class DraftContext:
    """What a draft is read in the light of.

    `turns` are the conversation so far, oldest first; `language` is the customer's; `articles` are the texts that the
    latest answers cite.
    """

    turns: tuple[tuple[Speaker, str], ...] = ()
    language: ArticleLanguage | None = None
    customer: Customer | None = None
    articles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        turns = tuple((speaker, text[:READ_CHARS]) for speaker, text in self.turns)
        object.__setattr__(self, "turns", turns)
        object.__setattr__(self, "articles", tuple(text[: 4 * READ_CHARS] for text in self.articles))


@dataclass(frozen=True, slots=True)
class Piece:
    """A clause or sentence: its folded text and its place in the draft."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it is checked: `text` as typed, `folded` of the same length."""

    text: str
    folded: str
    clauses: tuple[Piece, ...]
    sentences: tuple[Piece, ...]

    @classmethod
    def of(cls, text: str) -> "Draft":
        """Read what has been typed."""
        folded = fold(text[:READ_CHARS])
        return cls(text, folded, tuple(pieces_of(folded)), tuple(_pieces(_SENTENCE, folded)))


@dataclass(frozen=True, slots=True)
class Found:
    """An issue before it has words for the agent. `values` fill its message."""

    code: str
    start: int
    end: int
    values: tuple[tuple[str, str], ...] = ()


def clauses(folded: str) -> list[str]:
    """The clauses of a folded text."""
    return [piece.text for piece in pieces_of(folded)]


def pieces_of(folded: str) -> list[Piece]:
    """The clauses of a folded text with their places."""
    return list(_pieces(_CLAUSE, folded))


def content(folded: str) -> set[str]:
    """What a folded text is about: Han characters and Latin words but for the common ones; plural and ending cut."""
    return {_stem(token) for token in _CONTENT.findall(folded)} - _COMMON


def is_question(clause: str) -> bool:
    """Whether a folded clause asks something."""
    return _QUESTION.search(clause) is not None


def known_values(customer: Customer | None) -> Iterator[str]:
    """Everything that stands in the profile, as text."""
    if customer is None:
        return
    yield from filter(None, (customer.name, customer.tier))
    for order in customer.orders:
        yield from (order.id, order.title, f"{order.price:g}")
        if order.placed_at is not None:
            yield f"{order.placed_at:%Y-%m-%d}"
    for item in (*customer.cart, *customer.viewed):
        yield from (item.title, f"{item.price:g}")
    for contact in customer.contacts:
        yield contact.summary
    yield from _flat(customer.attributes.values())


_QUESTION: Final = re.compile(
    r"\?|吗|什么|怎么|咋|多少|几(?:天|点|号|个|次|时|多|月|岁)|哪|谁|多久|多长|多重|多大|多高|能不能|可不可以|有没有|有冇|是不是|会不会|要不要|行不行|能否|是否|可否|还是说?.{0,6}$|几时|点解|点样"
    r"|^\W*(?:and |so |but |ok |hi |hello |also )*(?:what|when|where|who|how|why|which|can|could|do|does|did|is|are|will|would|has|have|should)\b"
)


def _pieces(pattern: re.Pattern[str], folded: str) -> Iterator[Piece]:
    for match in islice(pattern.finditer(folded), MOST_PIECES):
        trimmed = match.group().rstrip()
        lead = next((at for at, character in enumerate(trimmed) if character.isalnum() or character in "£$€¥"), None)
        if lead is not None:
            yield Piece(trimmed[lead:], match.start() + lead, match.start() + len(trimmed))


def _stem(token: str) -> str:
    if len(token) > 4 and token.isalpha() and token.isascii():
        for ending in ("ing", "ed", "es", "s"):
            if token.endswith(ending) and len(token) - len(ending) >= 3:
                return token[: -len(ending)]
    return token[:-1] if len(token) > 3 and token.isascii() and token.endswith("s") else token


def _flat(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Mapping):
            yield from _flat(value.values())
        elif isinstance(value, list | tuple):
            yield from _flat(value)
        elif value is not None:
            yield str(value)
