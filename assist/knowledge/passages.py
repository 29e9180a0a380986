"""Cuts an article into what is retrieved: its answer, its steps and its notes, long ones at sentence ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Section = Literal["answer", "steps", "notes"]

HEADINGS: Final[dict[str, Section]] = {
    "steps": "steps",
    "步骤": "steps",
    "步驟": "steps",
    "agent notes": "notes",
    "内部说明": "notes",
    "內部說明": "notes",
}
MAX_TOKENS: Final = 180
"""Longest passage. The encoder reads more, but one vector for several thoughts is near to none of them."""

_HEADING: Final = re.compile(r"^##[ \t]+(.*)$", re.MULTILINE)
_BREAK: Final = re.compile(r"\n+|(?<=[。！？!?])|(?<=[.;；])(?=\s)")
_STEP: Final = re.compile(r"^[ \t]*\d{1,2}[.)、．][ \t]*(\S.*)$", re.MULTILINE)
_LINK: Final = re.compile(r"\[([^\[\]]*)\]\([^)\]]*\)")
_EMPHASIS: Final = re.compile(r"(\*\*|__|`)(.+?)\1", re.DOTALL)
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD: Final = re.compile(r"[A-Za-z0-9][\w'.-]*")


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of an article's body, in code points. `notes` are for the agent only."""

    start: int
    end: int
    section: Section


def split(body: str) -> list[Passage]:
    """The body's passages in order. They touch each other, so that together they are the body."""
    found: list[Passage] = []
    for start, end, section in _sections(body):
        found += [Passage(a, b, section) for a, b in _pieces(body, start, end)]
    return found


def answer_of(body: str) -> str:
    """What can be sent to a customer as it stands: everything before the first heading, without markup."""
    first = _HEADING.search(body)
    return plain(body[: first.start()] if first else body)


def reply_of(body: str, start: int, end: int) -> str:
    """What can be sent where a passage was found: the answer, or of a long one only that passage."""
    answer = answer_of(body)
    if tokens(answer) <= MAX_TOKENS:
        return answer
    first = _HEADING.search(body)
    if first and start >= first.start():
        start, end = split(body)[0].start, split(body)[0].end
    return plain(body[start:end])


def steps_of(body: str) -> tuple[str, ...]:
    """The numbered steps, without numbers and markup."""
    return tuple(
        plain(step)
        for start, end, section in _sections(body)
        if section == "steps"
        for step in _STEP.findall(body[start:end])
    )


def headings_of(body: str) -> Iterator[tuple[int, str]]:
    """(offset, text) of every second-level heading."""
    return ((found.start(), _text(found)) for found in _HEADING.finditer(body))


def plain(markdown: str) -> str:
    """Markdown without links, emphasis and heading marks."""
    text = _HEADING.sub(_text, _LINK.sub(r"\1", markdown))
    return _EMPHASIS.sub(r"\2", text).strip()


def tokens(text: str) -> int:
    """Roughly how many tokens the encoder makes of it: 0.7 a Han character, 1.4 an English word."""
    return round(0.7 * len(_HAN.findall(text)) + 1.4 * len(_LATIN_WORD.findall(text)))


def _text(heading: re.Match[str]) -> str:
    return heading.group(1).rstrip("# \t")


def _sections(body: str) -> Iterator[tuple[int, int, Section]]:
    marks = list(_HEADING.finditer(body))
    ends = [*(mark.start() for mark in marks), len(body)]
    if ends[0] > 0:
        yield 0, ends[0], "answer"
    for mark, end in zip(marks, ends[1:], strict=True):
        # What stands under a heading that is not ours may be internal: it is shown to agents only.
        yield mark.start(), end, HEADINGS.get(_text(mark).lower(), "notes")


def _pieces(body: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if tokens(body[start:end]) <= MAX_TOKENS:
        yield start, end
        return
    stops = [start + found.end() for found in _BREAK.finditer(body[start:end])]
    begin = last = start
    for stop in [*(s for s in stops if start < s < end), end]:
        if last > begin and tokens(body[begin:stop]) > MAX_TOKENS:
            yield begin, last
            begin = last
        last = stop
    yield begin, end
