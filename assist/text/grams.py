"""Groups of characters and words, for linear layers over what stands in a text."""

import re
import zlib
from functools import cache
from itertools import pairwise
from typing import Final

import opencc

READ_CHARS: Final = 600
"""A text that long has said what it is about; every further word would weigh next to nothing."""
_RUN: Final = re.compile(r"[\u3400-\u9fff]+|[a-z']+|0+")
_WORD: Final = re.compile(r"[a-z']+")
_DIGIT: Final = re.compile(r"\d")
_HAN_GROUP, _LONG_WORD = 3, 5
_CARE: Final = {"‘": "'", "’": "'", "“": '"', "”": '"', "妳": "你", "～": "~", "﹗": "!", "﹖": "?"}


def fold(text: str) -> str:
    """Simplified, lower case, half width. Every character stays one character, so that spans hold for the original."""
    return text.translate(_table())


def grams(text: str) -> set[str]:
    """Han groups of one to three characters, words alone and in pairs, and the beginnings of long words."""
    folded = _DIGIT.sub("0", fold(text[:READ_CHARS]))
    found: set[str] = set()
    for run in _RUN.findall(folded):
        if "\u3400" <= run[0] <= "\u9fff":
            for size in range(1, _HAN_GROUP + 1):
                found.update(run[at : at + size] for at in range(len(run) - size + 1))
        else:
            found.add(f" {run}")
            if len(run) > _LONG_WORD:
                found.add(f"^{run[:_LONG_WORD]}")
    words = _WORD.findall(folded)
    found.update(f"{one} {two}" for one, two in pairwise(words))
    return found


def buckets(text: str, count: int) -> list[int]:
    """The numbers below `count` of the buckets that a text's groups fall into, in order."""
    return sorted({zlib.crc32(gram.encode("utf-8", "surrogatepass")) % count for gram in grams(text)})


@cache
def _table() -> dict[int, str]:
    han = "".join(map(chr, range(0x3400, 0xA000)))
    simple = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    table = {ord(a): b for a, b in zip(han, simple, strict=True) if a != b and len(b) == 1}
    table |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table |= {code: chr(code - 0xFEE0).lower() for code in range(0xFF21, 0xFF3B)}
    table |= {code: chr(code).lower() for code in range(0x41, 0x5B)}
    table |= {ord(mark): plain for mark, plain in _CARE.items()} | {0x3000: " "}
    return table
