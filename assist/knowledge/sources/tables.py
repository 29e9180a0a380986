"""FAQ tables: one row, one article. The columns are found by their names in three languages."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from assist.domain import Article, ArticleLanguage
from assist.knowledge.sources.blocks import clean, of_text, sound
from assist.knowledge.sources.documents import MAX_TITLE_CHARS, article, slug
from assist.knowledge.sources.fields import LANGUAGES, MAX_TEXT_CHARS, Place, Placed, article_language, short
from assist.knowledge.sources.files import File, lines_of
from assist.knowledge.sources.native import AUDIENCES, STATUSES
from assist.knowledge.sources.report import Report

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "title": ("title", "subject", "标题", "標題", "主题", "主題"),
    "question": ("question", "questions", "q", "问题", "問題", "提问", "提問", "常见问题", "常見問題"),
    "answer": (
        "answer",
        "answers",
        "a",
        "reply",
        "text",
        "body",
        "答案",
        "回答",
        "答复",
        "答覆",
        "回复",
        "回覆",
        "内容",
        "內容",
    ),
    "id": ("id", "no", "编号", "編號", "序号", "序號"),
    "language": ("language", "lang", "locale", "语言", "語言", "语种", "語種"),
    "tags": ("tags", "tag", "keywords", "标签", "標籤", "关键词", "關鍵字", "關鍵詞"),
    "situation": ("situation", "场景", "場景", "情境"),
    "status": ("status", "状态", "狀態"),
    "audience": ("audience", "对象", "對象"),
    "notes": ("notes", "agent notes", "internal notes", "内部说明", "內部說明", "备注", "備註", "内部备注", "內部備註"),
    "valid_from": ("valid_from", "valid from", "生效日期", "开始日期", "開始日期"),
    "valid_until": ("valid_until", "valid until", "expires", "有效期至", "有效期", "有效期限", "到期日", "失效日期"),
    "confirmed_at": ("confirmed_at", "confirmed at", "last reviewed", "确认日期", "確認日期", "更新日期"),
}
HEADER_ROWS: Final = 10
"""How far down the header may stand: people put a title and a date above a table."""
LANGUAGE_NAMES: Final[dict[str, ArticleLanguage]] = {
    **dict.fromkeys(("zh-hans", "zh-cn", "cn", "chs", "简体", "简体中文", "简中"), "zh-Hans"),
    **dict.fromkeys(
        ("zh-hant", "zh-tw", "zh-hk", "tw", "hk", "cht", "繁体", "繁體", "繁體中文", "繁体中文", "繁中"), "zh-Hant"
    ),
    **dict.fromkeys(("en", "en-us", "en-gb", "eng", "english", "英文", "英语", "英語"), "en"),
}
CHINESE: Final = frozenset(("zh", "chinese", "中文"))
"""Names that leave the script to the text."""

_NAMES: Final = {name: field for field, names in COLUMNS.items() for name in names}
_LIST: Final = re.compile(r"[,，;；、|\n]+")
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_TITLE_CHARS: Final = 80
_DELIMITERS: Final = ",;\t|"
_MAX_REWINDS: Final = 200
"""A quote that is never closed swallows at most the 131,072 characters of a cell, so often at most."""


class Row(NamedTuple):
    """A row of a table and the line at which it begins."""

    line: int
    cells: Sequence[str]


def csv_rows(file: File, report: Report) -> Iterator[Row]:
    """The rows of a CSV file, whichever of , ; tab | parts its cells. A row that is no CSV is a problem.

    A quote that is never closed would swallow the file: reading goes on in the line after it. A file with very many
    of them loses what the last ones swallow, and the problem names those lines.
    """
    waiting: deque[tuple[int, str]] = deque()
    taken: list[tuple[int, str]] = []
    source = lines_of(file, report)
    first = next(source, None)
    if first is None:
        return
    waiting.append(first)

    def feed() -> Iterator[str]:
        while (item := waiting.popleft() if waiting else next(source, None)) is not None:
            taken.append(item)
            yield item[1]

    delimiter = max(_DELIMITERS, key=first[1].count)
    rewinds = 0
    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    while True:
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line, last = (taken[0][0], taken[-1][0]) if taken else (first[0], first[0])
            lost = ""
            if last > line and rewinds < _MAX_REWINDS:
                rewinds += 1
                waiting.extendleft(reversed(taken[1:]))
            elif last > line:
                lost = f"; the lines up to {last} are not read"
            report.problem(file.name, line, f"not valid CSV: {error}{lost}")
            reader = csv.reader(feed(), delimiter=delimiter, strict=True)
        else:
            if any(map(str.strip, cells)):
                yield Row(taken[0][0], cells)


def articles_of(
    name: str, rows: Iterable[Row], situations: frozenset[str], report: Report, *, sheet: str = ""
) -> Placed[Article] | None:
    """The articles of a table, or None if its first rows name no question and answer column."""
    where = f"sheet {sheet!r}, " if sheet else ""
    base = slug(f"{name}/{sheet}" if sheet else name)
    columns: dict[str, int] | None = None
    width = 0
    articles: Placed[Article] = []
    hint: ArticleLanguage | None = None
    for number, row in enumerate(rows):
        if columns is None:
            columns, width = _columns(row.cells), len(row.cells)
            if columns is None and number + 1 >= HEADER_ROWS:
                return None
            continue
        if not sheet and too_wide(row, width, name, report):
            continue
        cells = {field: sound(row.cells[at]).strip() for field, at in columns.items() if at < len(row.cells)}
        filled = {field: cell for field, cell in cells.items() if cell}
        place = Place(name, row.line)
        made = _article(filled, place, columns, where, base, situations, hint, report)
        if made is not None:
            hint = hint or made.language
            articles.append((place, made))
    return articles if columns is not None else None


def too_wide(row: Row, width: int, name: str, report: Report) -> bool:
    """Whether a CSV row holds more than its header names: an unquoted comma, which would cut a sentence short."""
    if not any(map(str.strip, row.cells[width:])):
        return False
    said = f"has {len(row.cells)} cells, the header {width}; put a text that holds the separator in quotes"
    report.problem(name, row.line, said)
    return True


def article_of_record(
    values: dict[str, Any], place: Place, situations: frozenset[str], report: Report
) -> Article | None:
    """An article of a JSON object `{"id", "title", "text" or "body", …}` with the fields of a table."""
    cells: dict[str, str] = {}
    for key, value in values.items():
        field = "id" if key == "_id" else _NAMES.get(key.strip().lower())
        if field is None or value is None or value == "":
            continue
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            value = "\n".join(value)
        if isinstance(value, (dict, list)):
            report.problem(*place, f"{key}: a text is needed")
            return None
        cells.setdefault(field, sound(str(value)).strip())
    if not cells.keys() & {"title", "question"}:
        cells["title"] = clean(cells.get("answer", ""))[:_TITLE_CHARS]
    filled = {field: cell for field, cell in cells.items() if cell}
    return _article(filled, place, {}, "", slug(place.path), situations, None, report)


def language_named(name: str) -> ArticleLanguage | None:
    """The language that people call by this name, or None."""
    return LANGUAGE_NAMES.get(name.lower().replace("_", "-"))


def _columns(cells: Sequence[str]) -> dict[str, int] | None:
    found: dict[str, int] = {}
    for at, cell in enumerate(cells):
        field = _NAMES.get(clean(cell).lower().replace("\ufeff", "").rstrip("*:："))
        if field is not None:
            found.setdefault(field, at)
    return found if "answer" in found and found.keys() & {"title", "question"} else None


def _article(
    cells: dict[str, str],
    place: Place,
    columns: dict[str, int],
    where: str,
    base: str,
    situations: frozenset[str],
    hint: ArticleLanguage | None,
    report: Report,
) -> Article | None:
    count = report.count

    def problem(field: str, message: str) -> None:
        cell = f"cell {_letters(columns[field])}{place.line}: " if field in columns else ""
        report.problem(*place, f"{where}{cell}{field}: {message}")

    def choice(field: str, allowed: Sequence[str] | frozenset[str], otherwise: str) -> str:
        value = cells.get(field, otherwise)
        if value != otherwise and value not in allowed:
            problem(field, f"{short(value)} is not one of {', '.join(sorted(allowed)) or 'none'}")
        return value

    def day(field: str) -> date | None:
        if field not in cells:
            return None
        try:
            if found := _DATE.fullmatch(cells[field]):
                return date(*map(int, found.groups()))
        except ValueError:
            pass
        problem(field, f"{short(cells[field])} is not a date such as 2026-11-23")
        return None

    for field, cell in cells.items():
        if len(cell) > MAX_TEXT_CHARS:
            problem(field, f"longer than {MAX_TEXT_CHARS:,} characters")
            return None
    questions = [line for line in map(clean, cells.get("question", "").splitlines()) if line]
    title = clean(cells.get("title", "")) or (questions[0] if questions else "")
    blocks = of_text(cells.get("answer", ""))
    if not title or not blocks:
        problem("answer" if title else "question", "is empty")
        return None
    if len(title) > MAX_TITLE_CHARS:
        problem("title" if "title" in cells else "question", f"longer than {MAX_TITLE_CHARS} characters")
    said = cells.get("language", "")
    named = language_named(said)
    language = article_language("\n".join([title, *(block.text for block in blocks)]), named or hint)
    if said and named is None and said.lower() not in CHINESE:
        problem("language", f"{short(said)} is not one of {', '.join(LANGUAGES)}")
    elif language is None:
        problem("answer", f"is in none of {', '.join(LANGUAGES)}")
    elif named not in (None, language):
        problem("language", f"the text reads as {language}, but the language is {named}")
    id_ = cells.get("id", "")
    if not _ID.fullmatch(id_) or id_.isdigit():
        # Running numbers are unique in their table only.
        id_ = f"{base}.{id_ or f'r{place.line}'}" if id_.isdigit() or not id_ else f"{base}.{slug(id_)}"
    status, audience = choice("status", STATUSES, "published"), choice("audience", AUDIENCES, "customer")
    situation = choice("situation", situations, "")
    start, end, confirmed = day("valid_from"), day("valid_until"), day("confirmed_at")
    if start and end and start > end:
        problem("valid_until", "lies before valid_from")
    if language is None or report.count > count:
        return None
    return article(
        id_,
        language,
        title,
        blocks,
        questions=questions,
        notes="\n\n".join(block.text for block in of_text(cells.get("notes", ""))),
        status=status,
        situation=situation,
        audience=audience,
        tags=[tag.strip() for tag in _LIST.split(cells.get("tags", "")) if tag.strip()],
        valid_from=start,
        valid_until=end,
        confirmed_at=confirmed,
    )


def _letters(column: int) -> str:
    """The name of a column in a spreadsheet: A, B … Z, AA …"""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
