"""Cuts what somebody said into sentences, each with its place in the text."""

import re
from collections.abc import Iterator

LONGEST = 160
"""Characters of the longest piece; a longer sentence is cut at its commas, and where it has none, at a blank."""

_END = re.compile(r"[。！？!?；;\n…]+[\"”’』」）)]*|\.(?=\s|$)")
_PAUSE = re.compile(r"[，,、:：—]|\s")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end, in code points, of each sentence, without the blanks around it; in the order of the text.

    A piece has a letter, a digit or a symbol in it: bare punctuation belongs to no sentence.
    """
    at = 0
    for end in (*(found.end() for found in _END.finditer(text)), len(text)):
        for start, stop in _pieces(text, at, end):
            piece = text[start:stop]
            start, stop = start + len(piece) - len(piece.lstrip()), stop - len(piece) + len(piece.rstrip())
            if any(char.isalnum() for char in text[start:stop]):
                yield start, stop
        at = end


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST:
        pauses = [found.end() for found in _PAUSE.finditer(text, start, start + LONGEST)]
        cut = pauses[-1] if pauses else start + LONGEST
        yield start, cut
        start = cut
    yield start, end
