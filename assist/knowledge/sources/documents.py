"""Turns a foreign document into articles: one intent each, the answer first, steps and notes under our headings.

A document of at most `MAX_TOKENS` stays one article, and headings inside its answer become bold lines. A longer one, or
one whose headings are questions, is cut at its highest headings, again inside a part that is still too long, and where
there are no headings between paragraphs.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from assist.domain import Article, ArticleLanguage
from assist.knowledge import passages
from assist.knowledge.passages import HEADINGS
from assist.knowledge.sources.blocks import Block
from assist.knowledge.sources.fields import LANGUAGES, MAX_TEXT_CHARS, article_language
from assist.knowledge.sources.report import Report

MAX_TOKENS: Final = 2 * passages.MAX_TOKENS
"""Two passages. The longest of the demo's articles, each written for one intent, has 297 tokens."""
MAX_TITLE_CHARS: Final = 200

STEPS: Final[dict[ArticleLanguage, str]] = {"en": "Steps", "zh-Hans": "步骤", "zh-Hant": "步驟"}
NOTES: Final[dict[ArticleLanguage, str]] = {"en": "Agent notes", "zh-Hans": "内部说明", "zh-Hant": "內部說明"}

_QUESTION: Final = re.compile(
    r".*[?？]|(?:how|what|why|when|where|who|which|can|do|does|is|are|will)\b.*|(?:如何|怎[么麼样樣]|为什么|為什麼|是否|能否).*",
    re.I,
)
_SENTENCE: Final = re.compile(r"(?<=[。！？!?])|(?<=[.;；])(?=\s)")


class Part(NamedTuple):
    """A stretch of a document with one intent."""

    title: str
    blocks: Sequence[Block]
    key: str
    """Its headings, which identify it as long as they stay; empty if it is the whole document."""


def articles_of(name: str, blocks: Sequence[Block], title: str, report: Report) -> list[Article]:
    """The articles of a document at `name`. Reports one that holds no text or is in a language that is not ours."""
    stem, said = split_language(PurePosixPath(name))
    title, blocks = _titled(blocks, title, PurePosixPath(stem).stem)
    if not blocks:
        report.problem(name, 1, "holds no text")
        return []
    language = said or article_language("\n".join(block.text for block in blocks))
    if language is None:
        report.problem(name, 1, f"is in none of {', '.join(LANGUAGES)}")
        return []
    base = slug(stem)
    articles: list[Article] = []
    alike: Counter[str] = Counter()
    for part in _cut(list(_bounded(blocks)), title, ""):
        id_ = f"{base}.{_digest(part.key)}" if part.key else base
        alike[id_] += 1
        made = article(id_ if alike[id_] == 1 else f"{id_}-{alike[id_]}", language, part.title, part.blocks)
        if made is None:
            report.drop("articles", "a heading without text")
        else:
            articles.append(made)
    return articles


def article(
    id_: str,
    language: ArticleLanguage,
    title: str,
    blocks: Sequence[Block],
    *,
    questions: Sequence[str] = (),
    notes: str = "",
    status: str = "published",
    situation: str = "",
    audience: str = "customer",
    tags: Sequence[str] = (),
    valid_from: date | None = None,
    valid_until: date | None = None,
    confirmed_at: date | None = None,
) -> Article | None:
    """An article of blocks, or None if there is no text. What begins with notes for the agent is for agents only."""
    blocks = list(blocks)
    while blocks and blocks[0].kind == "heading":
        heading = blocks.pop(0).text
        if HEADINGS.get(heading.lower()) == "notes":
            audience = "agent"
        elif heading.lower() not in HEADINGS:
            title = _joined(title, heading)
    body = render(blocks, language)
    if not body:
        return None
    if notes.strip():
        body += f"\n\n## {NOTES[language]}\n\n{notes.strip()}"
    if _is_question(title) and title not in questions:
        questions = (title, *questions)
    title = title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"
    return Article(
        id=id_,
        language=language,
        title=title,
        status=status,
        body=body,
        version=hashlib.sha256(f"{title}\n{body}".encode()).hexdigest()[:10],
        situation=situation,
        valid_from=valid_from,
        valid_until=valid_until,
        confirmed_at=confirmed_at,
        tags=tuple(tags),
        audience=audience,
        questions=tuple(questions),
    )


def render(blocks: Sequence[Block], language: ArticleLanguage) -> str:
    """Our Markdown. The first numbered list that follows an answer becomes the steps, a later one a plain list."""
    lines: list[str] = []
    section = "answer"
    has_steps = any(HEADINGS.get(block.text.lower()) == "steps" for block in blocks if block.kind == "heading")
    number = 0
    for at, block in enumerate(blocks):
        begins = block.kind == "step" and (at == 0 or blocks[at - 1].kind != "step")
        if begins and at > 0 and not has_steps:
            lines += ["", f"## {STEPS[language]}"]
            section, has_steps = "steps", True
            number = 0
        elif begins and section != "steps":
            number = 0
        if block.kind == "heading":
            number = 0
            if section == "answer" and block.text.lower() not in HEADINGS:
                lines += ["", f"**{block.text}**"]  # a part of the answer; under a heading it would be internal
            else:
                section = HEADINGS.get(block.text.lower(), "notes")
                lines += ["", f"## {block.text}"]
        elif block.kind == "step":
            number += 1
            lines += [*[""] * begins, f"{number}. {block.text}"]
        elif block.kind == "item":
            lines += [*[""] * (at == 0 or blocks[at - 1].kind != "item"), f"- {block.text}"]
        else:
            # A paragraph that only looks like a heading or a rule would be one to whoever reads the body.
            lines += ["", block.text.lstrip("# ")]
    return "\n".join(lines).strip("\n")


def slug(path: str) -> str:
    """An id from a path inside articles/: the path itself as far as it is plain, else with a hash of it."""
    inside = path.partition("/")[2] or path
    plain = re.sub(r"[^A-Za-z0-9._]+", "-", inside.replace("/", ".")).strip("-._")
    if plain == inside.replace("/", ".") and len(plain) <= 60:
        return plain
    return "-".join(filter(None, (plain[:50].strip("-._"), _digest(inside))))


def split_language(path: PurePosixPath) -> tuple[str, ArticleLanguage | None]:
    """(path without its language, language) of a file called `name.<language>.ext`; versions then share an id."""
    for language in LANGUAGES:
        if path.stem.endswith(f".{language}"):
            return str(path.with_name(path.stem.removesuffix(f".{language}") + path.suffix)), language
    return str(path), None


def _titled(blocks: Sequence[Block], title: str, fallback: str) -> tuple[str, list[Block]]:
    """(title, the other blocks): the one highest heading, else what the document calls itself, else its file name."""
    found = list(blocks)
    levels = [block.level for block in found if block.kind == "heading" and block.text.lower() not in HEADINGS]
    if levels and levels.count(min(levels)) == 1:
        at = next(at for at, b in enumerate(found) if b.kind == "heading" and b.level == min(levels))
        if at == 0 or min(levels) == 1:
            return found.pop(at).text, found
    return title or fallback, found


def _cut(blocks: list[Block], title: str, key: str) -> Iterator[Part]:
    marks = [b for b in blocks if b.kind == "heading" and b.text.lower() not in HEADINGS]
    top = min((mark.level for mark in marks), default=0)
    heads = [mark for mark in marks if mark.level == top]
    is_faq = len(heads) >= 2 and 2 * sum(_is_question(head.text) for head in heads) >= len(heads)
    if not is_faq and sum(map(_tokens, blocks)) <= MAX_TOKENS:
        yield Part(title, blocks, key)
    elif heads:
        section: list[Block] = []
        name = ""
        for block in [*blocks, Block("heading", "", top)]:
            if block.kind == "heading" and block.level == top and block.text.lower() not in HEADINGS:
                if section:
                    whole = name if _is_question(name) else _joined(title, name)
                    yield from _cut(section, whole, f"{key}\n{name}" if name else key or "\n")
                section, name = [], block.text
            else:
                section.append(block)
    else:
        groups = list(_grouped(blocks))
        for number, group in enumerate(groups, 1):
            pages = sorted({block.page for block in group if block.page})
            where = f"p. {pages[0]}–{pages[-1]}" if len(pages) > 1 else f"p. {pages[0]}" if pages else ""
            said = where or f"{number}/{len(groups)}"
            yield Part(f"{title} ({said})" if len(groups) > 1 else title, group, f"{key}\n{number}")


def _grouped(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Runs of blocks of at most `MAX_TOKENS`."""
    group: list[Block] = []
    size = 0
    for block in blocks:
        if group and size + _tokens(block) > MAX_TOKENS:
            yield group
            group, size = [], 0
        group.append(block)
        size += _tokens(block)
    yield group


def _bounded(blocks: Sequence[Block]) -> Iterator[Block]:
    """Blocks none of which is longer than an article may be; longer ones are cut at sentence ends."""
    for block in blocks:
        if _tokens(block) <= MAX_TOKENS:
            for at in range(0, len(block.text), MAX_TEXT_CHARS):
                yield block._replace(text=block.text[at : at + MAX_TEXT_CHARS])
            continue
        pieces: list[str] = []
        size = 0.0
        for sentence in _SENTENCE.split(block.text):
            for at in range(0, len(sentence), 2 * MAX_TOKENS):
                piece = sentence[at : at + 2 * MAX_TOKENS]
                # Half a token more than counted, since counts are rounded.
                more = max(passages.tokens(piece) + 0.5, len(piece) / 8)
                if pieces and size + more > MAX_TOKENS:
                    yield block._replace(kind="text", text="".join(pieces).strip(), level=0)
                    pieces, size = [], 0.0
                pieces.append(piece)
                size += more
        yield block._replace(kind="text", text="".join(pieces).strip(), level=0)


def _tokens(block: Block) -> int:
    # What has neither Han characters nor Latin words has a size too.
    return max(passages.tokens(block.text), len(block.text) // 8, 1)


def _is_question(text: str) -> bool:
    return len(text) <= MAX_TITLE_CHARS and _QUESTION.fullmatch(text) is not None


def _joined(title: str, name: str) -> str:
    return f"{title}: {name}" if title and name else title or name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
