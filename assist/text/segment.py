"""The one tokeniser for index and query: simplified Chinese words, stemmed English, whole codes, glossary synonyms."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import opencc
import rjieba

from assist.text.normalise import normalise

# A code of letters is looked for where its first part begins: what has none there has none further on.
_PIECE: Final = re.compile(
    r"(?P<code>[a-z]*\d[a-z\d]*(?:[-_/][a-z\d]+)+|(?<![a-z\d][-_])[a-z]++(?:[-_][a-z\d]+)*[-_][a-z]*\d[a-z\d]*)"
    r"|(?P<number>\d+(?:[.,:]\d+)*(?:\s?(?:mah|ml|kg|cm|mm|gb|tb|wh|kwh|khz|hz|db|inch|oz|lb|w|v|l|g|m|h|%)(?![a-z]))?[a-z]*)"
    r"|(?P<word>[a-z\u00df-\u024f\u1e00-\u1eff]+(?:'[a-z]+)?\d*[a-z\d]*)"
    r"|(?P<han>[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+)"
)
_STOPWORDS: Final = frozenset(
    """
    的 了 吗 嘛 呢 吧 啊 呀 哦 哈 嗯 么 是 我 你 您 他 她 它 我们 你们 在 就 都 也 还 和 与 及 或 这 那
    这个 那个 一个 一下 着 过 得 地 把 被 给 请 请问 没 没有 怎么 什么 现在 有 到 会 要 想 可以 可 对 很 又
    再 从 里 上 个 们 啦 咯 喔 嘅 咗 系 以 而 且 但 之 其 为 若 于
    a an the is are was were be been am to of and or in on at it its it's i i'm i've my me you your we our us they
    them he she his her this that these those for with as by from do does did have has had will would can could so
    if but not there here please pls just im ive hi hello
    """.split()
)


class Term(NamedTuple):
    """A search term and the stretch of the normalised text that it stands for."""

    term: str
    surface: str


class Segmenter:
    """Cuts text into search terms. `glossary` holds groups of equal words; a group's first word stands for all.

    Immutable after construction and safe to share between threads.
    """

    def __init__(self, glossary: Iterable[Sequence[str]] = ()) -> None:
        self._fold = opencc.OpenCC("t2s")
        self._jieba = rjieba.Jieba()
        groups = [[self._folded(word) for word in group] for group in glossary]
        for group in groups:
            for word in group:
                if len(word) > 1 and _is_han(word):
                    self._jieba.add_word(word, None, None)
        self._synonyms: dict[tuple[str, ...], str] = {}
        for group in groups:
            canonical = "_".join(term for term, _ in self._words(group[0])) if group else ""
            for word in group:
                parts = tuple(term for term, _ in self._words(word))
                if parts and canonical:
                    self._synonyms.setdefault(parts, canonical)
        self._longest = max(map(len, self._synonyms), default=1)

    def terms(self, text: str) -> list[str]:
        """Search terms of the text, in order, without stopwords; repeated ones are kept."""
        return [term.term for term in self.analyse(text)]

    def analyse(self, text: str) -> list[Term]:
        """Like `terms`, with the surface of each term."""
        plain = normalise(text)
        folded = self._folded(plain)
        words = list(self._words(folded, plain if len(folded) == len(plain) else folded))
        found: list[Term] = []
        at = 0
        while at < len(words):
            size = self._synonym_at(words, at)
            if size:
                surfaces = [surface for _, surface in words[at : at + size]]
                parts = tuple(term for term, _ in words[at : at + size])
                found.append(Term(self._synonyms[parts], ("" if _is_han(surfaces[0]) else " ").join(surfaces)))
                at += size
                continue
            term, surface = words[at]
            if term not in _STOPWORDS:
                found.append(Term(term, surface))
                if len(term) > 2 and _is_han(term):
                    found.extend(Term(part, surface) for part in self._parts(term))
            at += 1
        return found

    def _folded(self, text: str) -> str:
        return str(self._fold.convert(normalise(text))).lower()

    def _words(self, folded: str, plain: str | None = None) -> Iterable[tuple[str, str]]:
        """(term, surface) of every word, stopwords included; `plain` has the length of `folded`."""
        plain = plain or folded
        for piece in _PIECE.finditer(folded):
            start, end = piece.span()
            if piece.lastgroup == "han":
                for word in self._jieba.cut(piece.group(), False):
                    yield word, plain[start : start + len(word)]
                    start += len(word)
            elif piece.lastgroup == "word":
                word = piece.group()
                yield word if word in _STOPWORDS else stem(word), plain[start:end]
            else:
                yield piece.group().replace(" ", ""), plain[start:end]

    def _synonym_at(self, words: list[tuple[str, str]], at: int) -> int:
        for size in range(min(self._longest, len(words) - at), 0, -1):
            if tuple(term for term, _ in words[at : at + size]) in self._synonyms:
                return size
        return 0

    def _parts(self, word: str) -> list[str]:
        """Shorter dictionary words inside a long one: 信用卡退款 is also found by 信用卡."""
        return [p for p in self._jieba.cut_for_search(word, False) if p != word and len(p) > 1]


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """A light English stem: plural, -ing, -ed and final e go; shipped, shipping and ships become ship."""
    word = word.removesuffix("'s")
    if len(word) < 4:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]
    for suffix in ("ing", "ed"):
        base = word.removesuffix(suffix)
        if base != word and len(base) > 2 and any(v in base for v in "aeiouy"):
            if base[-1] == base[-2] and base[-1] not in "lsz":
                base = base[:-1]
            return base.removesuffix("e") if len(base) > 3 else base
    return word.removesuffix("e") if len(word) > 4 else word


def _is_han(text: str) -> bool:
    return all("\u3007" <= c <= "\u9fff" or c >= "\uf900" for c in text) and bool(text)
