"""Our own formats: articles with front matter, cases, phrases, products, situations and the glossary."""

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, get_args

import yaml

from assist.domain import EMOTIONS, Article, Case, Channel, Phrase, PhraseKind, PhraseReview, Product, Situation, Stage
from assist.knowledge.passages import HEADINGS, answer_of, headings_of
from assist.knowledge.sources.blocks import HTML, sound
from assist.knowledge.sources.fields import (
    LANGUAGES,
    MAX_TEXT_CHARS,
    NO_HTML,
    SLOT,
    Fields,
    Place,
    Placed,
    records_of,
    short,
)
from assist.knowledge.sources.files import File, file_at, files_of, lines_of, text_of
from assist.knowledge.sources.report import Report

STATUSES: Final = ("draft", "published", "archived")
ARTICLE_CHANNELS: Final = ("all", "online", "store", "hk_tw")
AUDIENCES: Final = ("customer", "agent")
OUTCOMES: Final = ("resolved", "partly", "unresolved")
SLOTS: Final = ("name", "order_id", "product", "date", "amount")
ANY: Final = "any"
MAX_FILE_BYTES: Final = 1_000_000

_FRONT_MATTER: Final = re.compile(r"---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML_LINE: Final = re.compile(r"\(at line (\d+)")
_YAML: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def article(file: File, text: str, situations: Collection[str], report: Report) -> Article | None:
    """An article of a Markdown file with front matter, or None and problems."""
    text = sound(text)
    matter = _FRONT_MATTER.match(text)
    if not matter:
        report.problem(file.name, 1, "front matter between two lines of --- is needed")
        return None
    count = report.count
    values, lines = _front_matter(matter.group(1), file.name, report)
    if values is None:
        return None
    fields = Fields(values, Place(file.name, 1), lines, report)
    found = _article(fields, file, text, matter.end(), situations)
    return found if report.count == count else None


def _article(fields: Fields, file: File, text: str, start: int, situations: Collection[str]) -> Article:
    report = fields.report
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
        audience=fields.choice("audience", AUDIENCES),
        questions=fields.strings("questions"),
    )
    if article.id and article.language and file.path.name != f"{article.id}.{article.language}.md":
        fields.problem("id", f"the file should be called {article.id}.{article.language}.md")
    if article.valid_from and article.valid_until and article.valid_from > article.valid_until:
        fields.problem("valid_until", "lies before valid_from")
    answer = answer_of(body)
    if not answer:
        report.problem(file.name, line, "the body has to begin with the answer, without a heading above it")
    if len(body) > MAX_TEXT_CHARS:
        report.problem(file.name, line, f"the body is longer than {MAX_TEXT_CHARS:,} characters")
    if html := HTML.search(body):
        report.problem(file.name, line + body.count("\n", 0, html.start()), NO_HTML)
    for offset, heading in headings_of(body):
        if heading.lower() not in HEADINGS:
            at = line + body.count("\n", 0, offset)
            report.problem(file.name, at, f"heading {short(heading)} is not one of {', '.join(HEADINGS)}")
    fields.language_of("language", f"{article.title}\n{answer}", article.language)
    fields.finish()
    return article


def _front_matter(text: str, name: str, report: Report) -> tuple[dict[str, Any] | None, dict[str, int]]:
    """(values, line of each key). The front matter begins at the file's second line."""
    lines: dict[str, int] = {}
    try:
        # A few lines of aliases to aliases can ask for more memory than there is.
        for event in yaml.parse(text, Loader=_YAML):
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 2 if event.start_mark else 2
                report.problem(name, line, "an alias (*) is not read here; write the value again")
                return None, lines
        loader = _YAML(text)
        try:
            node = loader.get_single_node()
            if not isinstance(node, yaml.MappingNode):
                report.problem(name, 2, "the front matter has to be `key: value` lines")
                return None, lines
            for key, _ in node.value:
                if key.value in lines:
                    report.problem(name, key.start_mark.line + 2, f"{short(key.value)} stands here twice")
                    return None, lines
                lines[str(key.value)] = key.start_mark.line + 2
            values = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else 2
        report.problem(name, line, f"not valid YAML: {error.problem or error.context}")
        return None, lines
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        report.problem(name, 2, f"not valid YAML: {short(str(error))}")
        return None, lines
    if not all(isinstance(key, str) for key in values):
        report.problem(name, 2, "every key has to be a word")
        return None, lines
    return values, lines


def cases(file: File, situations: Collection[str], report: Report) -> Placed[Case]:
    """Past cases in our format, one a line."""
    return records_of(file, report, lambda values, place: _case(Fields(values, place, {}, report), situations))


def phrases(source: Path, situations: Collection[str], report: Report) -> Placed[Phrase]:
    """The wordings of all `phrases/*.jsonl`, whatever their review says."""
    return [
        placed
        for file in _lists(source, "phrases", report)
        for placed in records_of(file, report, lambda v, place: _phrase(Fields(v, place, {}, report), situations))
    ]


def products(source: Path, report: Report) -> Placed[Product]:
    """The catalogue: all `products/*.jsonl`."""
    return [
        placed
        for file in _lists(source, "products", report)
        for placed in records_of(file, report, lambda values, place: _product(Fields(values, place, {}, report)))
    ]


def _lists(source: Path, folder: str, report: Report) -> Iterator[File]:
    for file in files_of(source, folder, report):
        if file.suffix == ".jsonl":
            yield file
        else:
            report.drop(folder, f"not a list in .jsonl ({file.suffix or 'no suffix'})"[:40])


def _case(fields: Fields, situations: Collection[str]) -> Case:
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
    fields.sendable("reply", case.reply)
    fields.finish()
    return case


def _phrase(fields: Fields, situations: Collection[str]) -> Phrase:
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
        review=fields.choice("review", get_args(PhraseReview), optional=True) or "approved",
        author=fields.text("author", limit=100) if fields.get("author") is not None else "",
        reason=fields.text("reason", limit=300) if fields.get("reason") is not None else "",
    )
    used = set(SLOT.findall(phrase.text))
    if used != set(phrase.slots):
        fields.problem("slots", f"the text uses {_names(used)}, the list says {_names(phrase.slots)}")
    if any(brace in SLOT.sub("", phrase.text) for brace in "{}"):
        fields.problem("text", "a brace without its partner")
    fields.language_of("text", phrase.text, phrase.language)
    fields.sendable("text", phrase.text)
    fields.finish()
    return phrase


def _product(fields: Fields) -> Product:
    attributes = fields.get("attributes") or {}
    if not isinstance(attributes, dict) or not all(map(_is_plain, attributes.values())):
        fields.problem("attributes", "names with plain values are needed")
        attributes = {}
    consumable = fields.get("consumable") or False
    if not isinstance(consumable, bool):
        fields.problem("consumable", "true or false is needed")
    product = Product(
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
        margin=fields.number("margin", 0, 1, optional=True),
        lasts_days=fields.number("lasts_days", 1, 3650, whole=True, optional=True),
    )
    fields.finish()
    return product


def _is_plain(value: object) -> bool:
    """A JSON value without nesting, or a list of such."""
    return not isinstance(value, dict) and not (
        isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)
    )


def _names(slots: Collection[str]) -> str:
    return ", ".join(f"{{{slot}}}" for slot in sorted(slots)) or "none"


def situations(source: Path, report: Report) -> tuple[Situation, ...] | None:
    """The retail situations of `situations.toml`, or None and a problem if the file cannot be read at all."""
    file = file_at(source, "situations.toml", report)
    text = text_of(file, report, MAX_FILE_BYTES) if file else None
    if file is None or text is None:
        return None
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        line = _TOML_LINE.search(str(error))
        report.problem(file.name, int(line.group(1)) if line else 1, f"not valid TOML: {short(str(error))}")
        return None
    found = []
    for key, table in tables.items():
        line_of = re.search(rf"^\[{re.escape(key)}\]", text, re.MULTILINE)
        place = Place(file.name, text.count("\n", 0, line_of.start()) + 1 if line_of else 1)
        if not isinstance(table, dict):
            report.problem(*place, f"{short(key)} has to be a table with names and examples")
            continue
        count = report.count
        fields = Fields({"id": key, **table}, place, {}, report)
        situation = Situation(fields.id(), fields.translations("names"), fields.strings("examples", required=True))
        fields.finish()
        if report.count == count:
            found.append(situation)
    return tuple(found)


def glossary(source: Path, report: Report) -> tuple[tuple[str, ...], ...]:
    """Groups of equal words of `glossary.txt`, one a line; there need not be one."""
    file = file_at(source, "glossary.txt", report)
    groups: list[tuple[str, ...]] = []
    seen: dict[str, int] = {}
    if file is None or not file.path.exists():
        return ()
    for number, line in lines_of(file, report):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = tuple(word.strip() for word in sound(line).split("|"))
        if len(words) < 2 or not all(words):
            report.problem(file.name, number, "two or more words separated by | are needed")
            continue
        known = [word for word in words if seen.setdefault(word.lower(), number) != number]
        for word in known:
            report.problem(file.name, number, f"{short(word)} stands in line {seen[word.lower()]} already")
        if not known:
            groups.append(words)
    return tuple(groups)
