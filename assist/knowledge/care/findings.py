"""What is wrong with an article, where it stands, and how bad it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

from assist.domain import Article

Kind = Literal[
    "unreadable",
    "dead_link",
    "contradiction",
    "duplicate",
    "expired",
    "unconfirmed",
    "missing_language",
    "too_long",
    "never_shown",
    "often_dismissed",
]
Severity = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")


class Place(NamedTuple):
    """A file of the knowledge folder and a line in it; line 0 where the source has no lines."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence that proves a finding."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right; `message` says what and how, `quotes` show it."""

    kind: Kind
    severity: Severity
    place: Place
    message: str
    quotes: tuple[Quote, ...] = ()


class Finder:
    """Finds the file and line of an article's words. An article of a table or document has its id for a place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._text = lru_cache(maxsize=256)(self._read)

    def place(self, article: Article, needle: str = "") -> Place:
        """Where `needle` stands in the article's file, or its first line."""
        name, text = self._text(f"{article.id}.{article.language}.md")
        if not name:
            return Place(f"{article.id} ({article.language})", 0)
        at = text.find(needle) if needle else 0
        if at < 0 and (first := needle.strip().split("\n")[0].strip()):
            at = text.find(first)
        return Place(name, text.count("\n", 0, max(at, 0)) + 1)

    def field(self, article: Article, key: str) -> Place:
        """Where a key of the front matter stands."""
        name, text = self._text(f"{article.id}.{article.language}.md")
        found = re.search(rf"^{re.escape(key)}\s*:", text, re.MULTILINE)
        return Place(name, text.count("\n", 0, found.start()) + 1) if found else self.place(article)

    def path(self, article: Article) -> Path | None:
        """The article's own file, if it has one."""
        name, _ = self._text(f"{article.id}.{article.language}.md")
        return self._folder / name if name else None

    @cached_property
    def _paths(self) -> dict[str, Path]:
        return {path.name: path for path in sorted((self._folder / "articles").rglob("*.md"), reverse=True)}

    def _read(self, file_name: str) -> tuple[str, str]:
        """(path in the folder, text) of an article's own file; both empty if it came out of another document."""
        path = self._paths.get(file_name)
        try:
            text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n") if path else ""
        except (OSError, UnicodeDecodeError):
            return "", ""
        return (path.relative_to(self._folder).as_posix(), text) if path else ("", "")


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """By kind, the worst and then the first place first."""
    kinds: list[str] = list(Kind.__args__)  # type: ignore[attr-defined]
    return sorted(findings, key=lambda f: (kinds.index(f.kind), SEVERITIES.index(f.severity), f.place))
