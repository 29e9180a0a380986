"""Reads a knowledge folder into domain records. Everything that is wrong is said at once, with file and line."""

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, get_args

import yaml

from assist.domain import (
    EMOTIONS,
    Article,
    ArticleLanguage,
    Case,
    Channel,
    Phrase,
    PhraseKind,
    Product,
    Situation,
    Stage,
)
from assist.errors import KnowledgeError, Problem
from assist.knowledge.passages import HEADINGS, answer_of, headings_of
from assist.text.language import detect

LANGUAGES: Final[tuple[ArticleLanguage, ...]] = get_args(ArticleLanguage)
STATUSES: Final = ("draft", "published", "archived")
ARTICLE_CHANNELS: Final = ("all", "online", "store", "hk_tw")
OUTCOMES: Final = ("resolved", "partly", "unresolved")
SLOTS: Final = ("name", "order_id", "product", "date", "amount")
ANY: Final = "any"

MAX_FILE_BYTES: Final = 1_000_000
MAX_LINES_BYTES: Final = 500_000_000
MAX_LINE_CHARS: Final = 100_000
MAX_TEXT_CHARS: Final = 20_000
MAX_HAN_SHARE: Final = 0.1
"""Han characters in an English text, such as the 統一發票 that a receipt is not."""

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SLOT: Final = re.compile(r"\{([^{}]*)\}")
_ARTICLE_LINK: Final = re.compile(r"\]\(article:([^)\s]*)\)")
_FRONT_MATTER: Final = re.compile(r"---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML_LINE: Final = re.compile(r"\(at line (\d+)")
_YAML: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Record = TypeVar("Record", Article, Case, Phrase, Product)


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that one knowledge folder says. `glossary` are groups of equal words."""

    articles: tuple[Article, ...]
    cases: tuple[Case, ...]
    phrases: tuple[Phrase, ...]
    products: tuple[Product, ...]
    situations: tuple[Situation, ...]
    glossary: tuple[tuple[str, ...], ...]


class _Place(NamedTuple):
    path: str
    line: int


Placed = list[tuple[_Place, Record]]


def read_folder(source: Path) -> Content:
    """Read articles, cases, phrases, products, situations and the glossary.

    Raises one KnowledgeError with all problems. Only `situations.toml` has to exist; a folder or file that is not there
    counts as empty.
    """
    problems: list[Problem] = []
    if not source.is_dir():
        raise KnowledgeError(f"no knowledge folder at {source}")
    situations = _read_situations(source, problems)
    known = frozenset(situation.id for situation in situations)
    products = _read_lines(source, "products", _product, problems)
    articles = _read_articles(source, known, problems)
    cases = _read_lines(source, "cases", lambda fields: _case(fields, known), problems)
    phrases = _read_lines(source, "phrases", lambda fields: _phrase(fields, known), problems)
    glossary = _read_glossary(source, problems)
    _check_unique(((place, f"case {c.id}") for place, c in cases), problems)
    _check_unique(((place, f"phrase {p.id}") for place, p in phrases), problems)
    _check_unique(((place, f"product {p.sku}") for place, p in products), problems)
    _check_references(articles, cases, products, problems)
    if problems:
        problems.sort(key=lambda problem: (problem.path, problem.line))
        first = f"{problems[0]}" + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")
        raise KnowledgeError(first, problems)
    return Content(
        articles=tuple(article for _, article in articles),
        cases=tuple(case for _, case in cases),
        phrases=tuple(phrase for _, phrase in phrases),
        products=tuple(product for _, product in products),
        situations=situations,
        glossary=glossary,
    )


class _Fields:
    """Typed access to one record; a wrong or missing field becomes a problem and a harmless value."""

    def __init__(
        self, values: Mapping[str, Any], place: _Place, lines: Mapping[str, int], problems: list[Problem]
    ) -> None:
        self._values, self.place, self._lines, self._problems = values, place, lines, problems
        self._asked: set[str] = set()

    def problem(self, key: str, message: str) -> None:
        self._problems.append(Problem(self.place.path, self._lines.get(key, self.place.line), f"{key}: {message}"))

    def get(self, key: str) -> Any:
        self._asked.add(key)
        return self._values.get(key)

    def text(self, key: str, *, limit: int = MAX_TEXT_CHARS) -> str:
        value = self.get(key)
        if not isinstance(value, str) or not value.strip():
            self.problem(key, "a text is needed")
            return ""
        if len(value) > limit:
            self.problem(key, f"longer than {limit:,} characters")
        if any("\ud800" <= c <= "\udfff" for c in value):
            self.problem(key, "half a surrogate pair")
            return ""
        return value.strip()

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
            self.problem(key, f"{_short(value)} is not one of {', '.join(sorted(allowed)) or 'none'}")
            return ""
        return value

    def strings(self, key: str, allowed: Collection[str] | None = None, *, required: bool = False) -> tuple[str, ...]:
        value = self.get(key)
        if value is None and not required:
            return ()
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            self.problem(key, "a list of texts is needed")
            return ()
        if required and not value:
            self.problem(key, "may not be empty")
        for item in value:
            if allowed is not None and item not in allowed:
                self.problem(key, f"{_short(item)} is not known")
            if len(item) > MAX_TEXT_CHARS or any("\ud800" <= c <= "\udfff" for c in item):
                self.problem(key, "an item is too long or holds half a surrogate pair")
                return ()
        return tuple(item.strip() for item in value)

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

    def language_of(self, key: str, text: str, language: str) -> None:
        """Report a text that is not in the language it claims. A few words of the other one are fine."""
        if not text or language not in LANGUAGES:
            return
        hint: ArticleLanguage = "en" if language == "en" else "zh-Hans" if language == "zh-Hans" else "zh-Hant"
        found = detect(_SLOT.sub(" ", text), hint)
        mostly_latin = len(_HAN.findall(text)) < MAX_HAN_SHARE * len(text)
        if found != language and not (found == "mixed" and mostly_latin == (language == "en")):
            self.problem(key, f"reads as {found}, but the language is {language}")

    def finish(self) -> None:
        for key in self._values:
            if key not in self._asked:
                self.problem(key, "unknown field")


def _read_articles(source: Path, situations: Collection[str], problems: list[Problem]) -> list[tuple[_Place, Article]]:
    articles = []
    for path in sorted((source / "articles").glob("*.md")):
        name = path.relative_to(source).as_posix()
        count = len(problems)
        text = _text_of(path, name, problems)
        if text is None:
            continue
        matter = _FRONT_MATTER.match(text)
        if not matter:
            problems.append(Problem(name, 1, "front matter between two lines of --- is needed"))
            continue
        values, lines = _front_matter(matter.group(1), name, problems)
        if values is None:
            continue
        fields = _Fields(values, _Place(name, 1), lines, problems)
        article = _article(fields, path, text, matter.end(), situations, problems)
        if len(problems) == count:
            articles.append((_Place(name, 1), article))
    return articles


def _article(
    fields: _Fields, path: Path, text: str, start: int, situations: Collection[str], problems: list[Problem]
) -> Article:
    name = fields.place.path
    body = text[start:].strip("\n")
    line = text.count("\n", 0, len(text) - len(text[start:].lstrip("\n"))) + 1
    article = Article(
        id=fields.id(),
        language=fields.choice("language", LANGUAGES),
        title=fields.text("title", limit=200),
        status=fields.choice("status", STATUSES),
        body=body,
        version=hashlib.sha256(text.encode()).hexdigest()[:10],
        situation=fields.choice("situation", situations),
        valid_from=fields.day("valid_from"),
        valid_until=fields.day("valid_until"),
        confirmed_at=fields.day("confirmed_at"),
        channels=fields.strings("channel", ARTICLE_CHANNELS, required=True),
        products=fields.strings("products"),
        tags=fields.strings("tags"),
        audience=fields.choice("audience", ("customer", "agent")),
        questions=fields.strings("questions"),
    )
    if article.id and article.language and path.name != f"{article.id}.{article.language}.md":
        fields.problem("id", f"the file should be called {article.id}.{article.language}.md")
    if article.valid_from and article.valid_until and article.valid_from > article.valid_until:
        fields.problem("valid_until", "lies before valid_from")
    answer = answer_of(body)
    if not answer:
        problems.append(Problem(name, line, "the body has to begin with the answer, without a heading above it"))
    if len(body) > MAX_TEXT_CHARS:
        problems.append(Problem(name, line, f"the body is longer than {MAX_TEXT_CHARS:,} characters"))
    for offset, heading in headings_of(body):
        if heading.lower() not in HEADINGS:
            at = line + body.count("\n", 0, offset)
            problems.append(Problem(name, at, f"heading {_short(heading)} is not one of {', '.join(HEADINGS)}"))
    fields.language_of("language", f"{article.title}\n{answer}", article.language)
    fields.finish()
    return article


def _front_matter(text: str, name: str, problems: list[Problem]) -> tuple[dict[str, Any] | None, dict[str, int]]:
    """(values, line of each key). The front matter begins at the file's second line."""
    lines: dict[str, int] = {}
    try:
        loader = _YAML(text)
        try:
            node = loader.get_single_node()
            if not isinstance(node, yaml.MappingNode):
                problems.append(Problem(name, 2, "the front matter has to be `key: value` lines"))
                return None, lines
            for key, _ in node.value:
                if key.value in lines:
                    problems.append(Problem(name, key.start_mark.line + 2, f"{_short(key.value)} stands here twice"))
                    return None, lines
                lines[str(key.value)] = key.start_mark.line + 2
            values = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else 2
        problems.append(Problem(name, line, f"not valid YAML: {error.problem or error.context}"))
        return None, lines
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        problems.append(Problem(name, 2, f"not valid YAML: {_short(str(error))}"))
        return None, lines
    if not all(isinstance(key, str) for key in values):
        problems.append(Problem(name, 2, "every key has to be a word"))
        return None, lines
    return values, lines


def _case(fields: _Fields, situations: Collection[str]) -> Case:
    case = Case(
        id=fields.id(),
        language=fields.choice("language", LANGUAGES),
        channel=fields.choice("channel", get_args(Channel)),
        situation=fields.choice("situation", situations),
        problem=fields.text("problem"),
        tried=fields.strings("tried"),
        resolution=fields.text("resolution"),
        reply=fields.text("reply"),
        outcome=fields.choice("outcome", OUTCOMES),
        csat=fields.number("csat", 1, 5, whole=True, optional=True),
        emotion_start=fields.choice("emotion_start", EMOTIONS, optional=True),
        emotion_end=fields.choice("emotion_end", EMOTIONS, optional=True),
        products=fields.strings("products"),
        closed_at=fields.day("closed_at"),
    )
    fields.language_of("problem", case.problem, case.language)
    fields.language_of("reply", case.reply, case.language)
    return case


def _phrase(fields: _Fields, situations: Collection[str]) -> Phrase:
    phrase = Phrase(
        id=fields.id(),
        language=fields.choice("language", LANGUAGES),
        kind=fields.choice("kind", get_args(PhraseKind)),
        emotions=fields.strings("emotions", {*EMOTIONS, ANY}, required=True),
        situations=fields.strings("situations", {*situations, ANY}, required=True),
        stage=fields.choice("stage", get_args(Stage)),
        text=fields.text("text", limit=1000),
        channels=fields.strings("channels", {*get_args(Channel), "all"}, required=True),
        slots=fields.strings("slots", SLOTS),
        needs=fields.strings("needs"),
    )
    used = set(_SLOT.findall(phrase.text))
    if used != set(phrase.slots):
        fields.problem("slots", f"the text uses {_names(used)}, the list says {_names(phrase.slots)}")
    if any(brace in _SLOT.sub("", phrase.text) for brace in "{}"):
        fields.problem("text", "a brace without its partner")
    fields.language_of("text", phrase.text, phrase.language)
    return phrase


def _product(fields: _Fields) -> Product:
    attributes = fields.get("attributes") or {}
    if not isinstance(attributes, dict) or any(isinstance(v, dict) for v in attributes.values()):
        fields.problem("attributes", "names with plain values are needed")
        attributes = {}
    consumable = fields.get("consumable") or False
    if not isinstance(consumable, bool):
        fields.problem("consumable", "true or false is needed")
    return Product(
        sku=fields.id("sku"),
        titles=fields.translations("title"),
        category=fields.text("category", limit=100),
        price=float(fields.number("price", 0.01, 10_000_000)),
        stock=fields.number("stock", 0, 1_000_000_000, whole=True),
        consumable=bool(consumable),
        rating=fields.number("rating", 0, 5, optional=True),
        attributes=attributes,
        complements=fields.strings("complements"),
        alternatives=fields.strings("alternatives"),
        pitches=fields.translations("pitch"),
    )


def _read_lines(
    source: Path, folder: str, make: Callable[[_Fields], Record], problems: list[Problem]
) -> Placed[Record]:
    """Records of all `folder/*.jsonl`, one a line; blank lines are skipped."""
    records: Placed[Record] = []
    for path in sorted((source / folder).glob("*.jsonl")):
        name = path.relative_to(source).as_posix()
        text = _text_of(path, name, problems, MAX_LINES_BYTES)
        for number, line in enumerate((text or "").split("\n"), 1):
            if not line.strip():
                continue
            count = len(problems)
            values = _json(line, _Place(name, number), problems)
            if values is None:
                continue
            fields = _Fields(values, _Place(name, number), {}, problems)
            record = make(fields)
            fields.finish()
            if len(problems) == count:
                records.append((fields.place, record))
    return records


def _json(line: str, place: _Place, problems: list[Problem]) -> dict[str, Any] | None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            raise ValueError("a field stands here twice")
        return values

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number")

    if len(line) > MAX_LINE_CHARS:
        problems.append(Problem(*place, f"longer than {MAX_LINE_CHARS:,} characters"))
        return None
    try:
        values = json.loads(line, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        problems.append(Problem(*place, f"not valid JSON: {_short(str(error))}"))
        return None
    if not isinstance(values, dict):
        problems.append(Problem(*place, "a JSON object is needed"))
        return None
    return values


def _read_situations(source: Path, problems: list[Problem]) -> tuple[Situation, ...]:
    name = "situations.toml"
    text = _text_of(source / name, name, problems)
    if text is None:
        return ()
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        line = _TOML_LINE.search(str(error))
        problems.append(Problem(name, int(line.group(1)) if line else 1, f"not valid TOML: {_short(str(error))}"))
        return ()
    situations = []
    for key, table in tables.items():
        line_of = re.search(rf"^\[{re.escape(key)}\]", text, re.MULTILINE)
        place = _Place(name, text.count("\n", 0, line_of.start()) + 1 if line_of else 1)
        if not isinstance(table, dict):
            problems.append(Problem(*place, f"{_short(key)} has to be a table with names and examples"))
            continue
        fields = _Fields({"id": key, **table}, place, {}, problems)
        situations.append(
            Situation(fields.id(), fields.translations("names"), fields.strings("examples", required=True))
        )
        fields.finish()
    return tuple(situations)


def _read_glossary(source: Path, problems: list[Problem]) -> tuple[tuple[str, ...], ...]:
    name = "glossary.txt"
    path = source / name
    text = _text_of(path, name, problems) if path.exists() else None
    groups: list[tuple[str, ...]] = []
    seen: dict[str, int] = {}
    for number, line in enumerate((text or "").split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = tuple(word.strip() for word in line.split("|"))
        if len(words) < 2 or not all(words):
            problems.append(Problem(name, number, "two or more words separated by | are needed"))
            continue
        for word in words:
            if seen.setdefault(word.lower(), number) != number:
                problems.append(Problem(name, number, f"{_short(word)} stands in line {seen[word.lower()]} already"))
        groups.append(words)
    return tuple(groups)


def _text_of(path: Path, name: str, problems: list[Problem], limit: int = MAX_FILE_BYTES) -> str | None:
    """The file's text with plain line ends, or None and a problem."""
    try:
        if path.stat().st_size > limit:
            problems.append(Problem(name, 1, f"larger than {limit:,} bytes"))
            return None
        data = path.read_bytes()
    except OSError as error:
        problems.append(Problem(name, 1, f"cannot be read: {error.strerror}"))
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        problems.append(Problem(name, data.count(b"\n", 0, error.start) + 1, f"byte {error.start} is not UTF-8"))
        return None


def _check_unique(named: Iterator[tuple[_Place, str]], problems: list[Problem]) -> None:
    seen: dict[str, _Place] = {}
    for place, name in named:
        first = seen.setdefault(name, place)
        if first is not place:
            problems.append(Problem(*place, f"{name} stands in {first.path}:{first.line} already"))


def _check_references(
    articles: Placed[Article], cases: Placed[Case], products: Placed[Product], problems: list[Problem]
) -> None:
    """Links to articles, SKUs and categories lead somewhere, and all versions of an article have one situation."""
    ids = {article.id for _, article in articles}
    skus = {product.sku for _, product in products}
    wares = skus | {product.category for _, product in products}
    situation: dict[str, str] = {}
    for place, article in articles:
        for link in sorted(set(_ARTICLE_LINK.findall(article.body)) - ids):
            problems.append(Problem(*place, f"the link article:{link} leads nowhere"))
        for ware in article.products:
            if ware not in wares:
                problems.append(Problem(*place, f"products: {_short(ware)} is neither a SKU nor a category"))
        if situation.setdefault(article.id, article.situation) != article.situation:
            problems.append(Problem(*place, f"situation: another language version says {situation[article.id]}"))
    for place, case in cases:
        for ware in case.products:
            if ware not in wares:
                problems.append(Problem(*place, f"products: {_short(ware)} is neither a SKU nor a category"))
    for place, product in products:
        for key, linked in (("complements", product.complements), ("alternatives", product.alternatives)):
            for sku in linked:
                if sku not in skus or sku == product.sku:
                    problems.append(Problem(*place, f"{key}: {_short(sku)} is not another product"))


def _names(slots: Collection[str]) -> str:
    return ", ".join(f"{{{slot}}}" for slot in sorted(slots)) or "none"


def _short(value: object) -> str:
    text = repr(value) if not isinstance(value, str) else value
    return text if len(text) <= 80 else text[:77] + "..."
