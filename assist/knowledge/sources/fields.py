"""Typed access to the fields of one record, and JSON that cannot surprise."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple, TypeVar, get_args

from assist.domain import ArticleLanguage
from assist.knowledge.sources.blocks import HTML, sound
from assist.knowledge.sources.files import File, lines_of
from assist.knowledge.sources.report import Report
from assist.text.language import detect

LANGUAGES: Final[tuple[ArticleLanguage, ...]] = get_args(ArticleLanguage)
MAX_TEXT_CHARS: Final = 20_000
MAX_HAN_SHARE: Final = 0.1
"""Han characters in an English text, such as the 統一發票 that a receipt is not."""
NO_HTML: Final = "holds HTML, which a customer would see as it stands; write it as plain text or Markdown"
SLOT: Final = re.compile(r"\{([^{}]*)\}")

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_LATIN: Final = re.compile(r"[A-Za-z]+")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SAMPLE_CHARS: Final = 4000

Record = TypeVar("Record")


class Place(NamedTuple):
    """A file of the knowledge folder and the line (row, page) in it."""

    path: str
    line: int


Placed = list[tuple[Place, Record]]


class Fields:
    """Typed access to one record; a wrong or missing field becomes a problem and a harmless value."""

    def __init__(self, values: Mapping[str, Any], place: Place, lines: Mapping[str, int], report: Report) -> None:
        self._values, self.place, self._lines, self.report = values, place, lines, report
        self._asked: set[str] = set()

    def problem(self, key: str, message: str) -> None:
        self.report.problem(self.place.path, self._lines.get(key, self.place.line), f"{key}: {message}")

    def get(self, key: str) -> Any:
        self._asked.add(key)
        return self._values.get(key)

    def text(self, key: str, *, limit: int = MAX_TEXT_CHARS) -> str:
        value = self.get(key)
        if not isinstance(value, str) or not sound(value).strip():
            self.problem(key, "a text is needed")
            return ""
        if len(value) > limit:
            self.problem(key, f"longer than {limit:,} characters")
        if any("\ud800" <= c <= "\udfff" for c in value):
            self.problem(key, "half a surrogate pair")
            return ""
        return sound(value).strip()

    def id(self, key: str = "id") -> str:
        value = self.text(key, limit=100)
        if value and not _ID.fullmatch(value):
            self.problem(key, f"{value!r} may hold letters, digits, '_', '.' and '-' only")
        return value

    def choice(self, key: str, allowed: Collection[str], *, optional: bool = False) -> Any:
        value = self.get(key)
        if optional and value is None:
            return None
        if not isinstance(value, str) or value not in allowed:
            self.problem(key, f"{short(value)} is not one of {', '.join(sorted(allowed)) or 'none'}")
            return ""
        return value

    def strings(self, key: str, allowed: Collection[str] | None = None, *, required: bool = False) -> tuple[str, ...]:
        value = self.get(key)
        if value is None and not required:
            return ()
        if not isinstance(value, list) or not all(isinstance(v, str) and sound(v).strip() for v in value):
            self.problem(key, "a list of texts is needed")
            return ()
        if required and not value:
            self.problem(key, "may not be empty")
        for item in value:
            if allowed is not None and item not in allowed:
                self.problem(key, f"{short(item)} is not known")
            if len(item) > MAX_TEXT_CHARS or any("\ud800" <= c <= "\udfff" for c in item):
                self.problem(key, "an item is too long or holds half a surrogate pair")
                return ()
        return tuple(sound(item).strip() for item in value)

    def day(self, key: str) -> date | None:
        value = self.get(key)
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                value = 0
        if value is not None and (isinstance(value, datetime) or not isinstance(value, date)):
            self.problem(key, "a date such as 2026-11-23 is needed, or null")
            return None
        return value

    def number(self, key: str, low: float, high: float, *, whole: bool = False, optional: bool = False) -> Any:
        value = self.get(key)
        if optional and value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
            self.problem(key, f"{'a whole number' if whole else 'a number'} from {low:g} to {high:g} is needed")
            return 0
        return value

    def translations(self, key: str) -> dict[str, str]:
        value = self.get(key)
        if not isinstance(value, dict) or set(value) != set(LANGUAGES):
            self.problem(key, f"needs {', '.join(LANGUAGES)}")
            return {}
        texts = value.values()
        if not all(isinstance(v, str) and v.strip() and len(v) <= MAX_TEXT_CHARS and v.isprintable() for v in texts):
            self.problem(key, "each language needs a text")
            return {}
        return value

    def sendable(self, key: str, text: str) -> None:
        """Report a text for customers that holds HTML: what sends it shows the tags."""
        if HTML.search(text):
            self.problem(key, NO_HTML)

    def language_of(self, key: str, text: str, language: str) -> None:
        """Report a text that is not in the language it claims. A few words of the other one are fine."""
        if not text or language not in LANGUAGES:
            return
        hint: ArticleLanguage = "en" if language == "en" else "zh-Hans" if language == "zh-Hans" else "zh-Hant"
        found = detect(SLOT.sub(" ", text[:_SAMPLE_CHARS]), hint)
        mostly_latin = len(_HAN.findall(text)) < MAX_HAN_SHARE * len(text)
        if found != language and not (found == "mixed" and mostly_latin == (language == "en")):
            self.problem(key, f"reads as {found}, but the language is {language}")

    def finish(self) -> None:
        for key in self._values:
            if key not in self._asked:
                self.problem(key, "unknown field")


def article_language(text: str, hint: ArticleLanguage | None = None) -> ArticleLanguage | None:
    """The language of a document that does not say it; None if it is none of ours.

    Chinese that names English products stays Chinese, English with a few Chinese words English.
    """
    sample = text[:_SAMPLE_CHARS]
    found = detect(sample, hint)
    if found == "mixed":
        if len(_HAN.findall(sample)) < MAX_HAN_SHARE * len(sample):
            return "en"
        found = detect(_LATIN.sub(" ", sample), hint)
    return found if found in LANGUAGES else None


def records_of(
    file: File, report: Report, make: Callable[[dict[str, Any], Place], Record | None]
) -> list[tuple[Place, Record]]:
    """Records of a JSONL file, one a line; blank lines are skipped, and a line that has a problem is left out."""
    records = []
    for number, line in lines_of(file, report):
        if not line.strip():
            continue
        place = Place(file.name, number)
        count = report.count
        values = json_object(line, place, report)
        record = make(values, place) if values is not None else None
        if record is not None and report.count == count:
            records.append((place, record))
    return records


def json_object(line: str, place: Place, report: Report) -> dict[str, Any] | None:
    """The object in a line of JSON, or None and a problem."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            raise ValueError("a field stands here twice")
        return values

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number")

    try:
        values = json.loads(line, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        report.problem(*place, f"not valid JSON: {short(str(error))}")
        return None
    if not isinstance(values, dict):
        report.problem(*place, "a JSON object is needed")
        return None
    return values


def short(value: object) -> str:
    """A value for a message. Lists and tables are not spelt out: aliases in YAML can make them endless."""
    if isinstance(value, (list, tuple, dict, set)):
        return f"a {type(value).__name__}"
    text = repr(value) if not isinstance(value, str) else value
    return text if len(text) <= 80 else text[:77] + "..."
