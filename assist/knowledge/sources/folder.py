"""Reads a knowledge folder into domain records. What is broken is named with file and line, and the rest is read."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from assist.domain import Article, Case, Phrase, Product, Situation
from assist.errors import KnowledgeError, Problem
from assist.knowledge.sources import documents, exports, native, orders, tables
from assist.knowledge.sources.blocks import Block
from assist.knowledge.sources.convert import CONVERTERS, Converter, Unreadable
from assist.knowledge.sources.fields import Place, Placed, Record, records_of, short
from assist.knowledge.sources.files import File, files_of, opened, text_of
from assist.knowledge.sources.kept import Kept, KeptFile, digest_of
from assist.knowledge.sources.report import Report

MAX_DOCUMENT_BYTES: Final[dict[str, int]] = {
    **dict.fromkeys((".md",), native.MAX_FILE_BYTES),
    **dict.fromkeys((".html", ".htm"), 20_000_000),
    **dict.fromkeys((".docx", ".docm", ".xlsx", ".xlsm", ".pdf"), 100_000_000),
}
UNREAD: Final[dict[str, str]] = {
    ".doc": "save it as .docx",
    ".rtf": "save it as .docx",
    ".odt": "save it as .docx",
    ".pages": "export it as .docx",
    ".xls": "save it as .xlsx",
    ".ods": "save it as .xlsx",
    ".numbers": "export it as .xlsx",
    ".ppt": "export it as .pdf",
    ".pptx": "export it as .pdf",
    ".zip": "unpack it",
    ".txt": "save it as .md",
    ".json": "save it as .jsonl, one object a line",
}
"""Formats of knowledge that are not read. What else lies in the folder, such as pictures, is only counted."""

_ARTICLE_LINK: Final = re.compile(r"\]\(article:([^)\]\s]*)\)")
_LOST_FRONT_MATTER: Final = re.compile(r"(?:id|title|language|status):", re.I)


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that one knowledge folder says. `glossary` are groups of equal words, `baskets` SKUs by order.

    `problems` are the broken places that were left out or mended, `dropped` counts by folder and reason what was left
    out on purpose. `kept` is for the next reading of the folder.
    """

    articles: tuple[Article, ...]
    cases: tuple[Case, ...]
    phrases: tuple[Phrase, ...]
    products: tuple[Product, ...]
    situations: tuple[Situation, ...]
    glossary: tuple[tuple[str, ...], ...]
    baskets: tuple[frozenset[str], ...] = ()
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    dropped: Mapping[str, int] = field(default_factory=dict, compare=False)
    kept: Kept = field(default_factory=Kept, compare=False)


def read_folder(
    source: Path,
    *,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
    kept: Kept | None = None,
) -> Content:
    """Read articles, cases, phrases, products, situations, the glossary and orders.

    Only `situations.toml` has to exist; a folder or file that is not there counts as empty. A broken record is left out
    and named in `problems`. `progress` is called with article files read and to read; those that are in `kept` with the
    same bytes are taken from there. Raises KnowledgeError with all problems if there is one and `strict`, if
    `situations.toml` cannot be read, or if there is a problem and nothing valid remains.
    """
    if not source.is_dir():
        raise KnowledgeError(f"no knowledge folder at {source}")
    report = Report()
    situations = native.situations(source, report)
    if situations is None:
        # Without them every article and phrase would be refused for naming one.
        raise _error(report)
    known = frozenset(situation.id for situation in situations)
    products = native.products(source, report)
    articles, files = _articles(
        source, known, report, progress, kept.files if kept and kept.situations == known else {}
    )
    cases = _cases(source, known, report)
    phrases = native.phrases(source, known, report)
    glossary = native.glossary(source, report)
    baskets = tuple(basket.skus for basket in orders.baskets(source, report))
    articles = _unique(articles, lambda a: f"article {a.id} ({a.language})", report)
    cases = _unique(cases, lambda c: f"case {c.id}", report)
    phrases = _unique(phrases, lambda p: f"phrase {p.id}", report)
    products = _unique(products, lambda p: f"product {p.sku}", report)
    articles, cases, products = _checked(articles, cases, products, report)
    for _, phrase in phrases:
        if phrase.review != "approved":
            report.drop("phrases", phrase.review)
    problems = report.problems()
    if problems and (strict or not (articles or cases or phrases or products or situations)):
        raise _error(report)
    return Content(
        articles=tuple(article for _, article in articles),
        cases=tuple(case for _, case in cases),
        phrases=tuple(phrase for _, phrase in phrases if phrase.review == "approved"),
        products=tuple(product for _, product in products),
        situations=situations,
        glossary=glossary,
        baskets=baskets,
        problems=problems,
        dropped=dict(sorted(report.dropped.items())),
        kept=Kept(known, files),
    )


def read_phrases(source: Path) -> tuple[Phrase, ...]:
    """All phrases of a folder, drafts and retired ones too.

    Raises KnowledgeError with all problems if one of them is broken or `situations.toml` cannot be read.
    """
    report = Report()
    situations = native.situations(source, report) or ()
    phrases = native.phrases(source, frozenset(situation.id for situation in situations), report)
    phrases = _unique(phrases, lambda p: f"phrase {p.id}", report)
    if report.count:
        raise _error(report)
    return tuple(phrase for _, phrase in phrases)


def _error(report: Report) -> KnowledgeError:
    problems = report.problems()
    more = f" (and {report.count - 1} more)" if report.count > 1 else ""
    return KnowledgeError(f"{problems[0]}{more}", problems)


def _articles(
    source: Path,
    situations: frozenset[str],
    report: Report,
    progress: Callable[[int, int], None] | None,
    kept: Mapping[str, KeptFile],
) -> tuple[Placed[Article], dict[str, KeptFile]]:
    """The articles, and those of files without a problem once more by file."""
    articles: Placed[Article] = []
    clean: dict[str, KeptFile] = {}
    files = files_of(source, "articles", report, deep=True)
    with Converter() as converter:
        for number, file in enumerate(files, 1):
            digest = digest_of(file.path, MAX_DOCUMENT_BYTES.get(file.suffix, native.MAX_FILE_BYTES))
            if digest and file.name in kept and kept[file.name].digest == digest:
                clean[file.name] = kept[file.name]
                found = [(Place(file.name, line), article) for line, article in kept[file.name].articles]
            else:
                before = report.count, report.dropped.total()
                found = _of_file(file, situations, converter, report)
                is_clean = before == (report.count, report.dropped.total())
                if is_clean and not found:
                    report.problem(file.name, 1, "holds no article")
                elif is_clean and digest:
                    clean[file.name] = KeptFile(digest, tuple((place.line, article) for place, article in found))
            articles += found
            if progress is not None:
                progress(number, len(files))
    return articles, clean


def _of_file(file: File, situations: frozenset[str], converter: Converter, report: Report) -> Placed[Article]:
    place = Place(file.name, 1)
    if file.suffix == ".md":
        text = text_of(file, report, native.MAX_FILE_BYTES)
        if text is None:
            return []
        if text.startswith("---") or _LOST_FRONT_MATTER.match(text.lstrip()):
            article = native.article(file, text, situations, report)
            return [(place, article)] if article else []
    if file.suffix in CONVERTERS:
        return _converted(file, situations, converter, report)
    if file.suffix == ".csv":
        found = tables.articles_of(file.name, tables.csv_rows(file, report), situations, report)
        if found is None:
            report.problem(file.name, 1, _NO_HEADER)
        return found or []
    if file.suffix == ".jsonl":
        return records_of(file, report, lambda v, at: tables.article_of_record(v, at, situations, report))
    if file.suffix in UNREAD:
        report.problem(file.name, 1, f"{file.suffix} files are not read; {UNREAD[file.suffix]}")
    else:
        report.drop("articles", f"not an article ({file.suffix or 'no suffix'})"[:40])
    return []


_NO_HEADER: Final = "no row among the first names a question and an answer column"


def _converted(file: File, situations: frozenset[str], converter: Converter, report: Report) -> Placed[Article]:
    stream = opened(file, report, MAX_DOCUMENT_BYTES[file.suffix])
    if stream is None:
        return []
    stream.close()
    try:
        said = converter.convert(file.path)
    except Unreadable as error:
        report.problem(file.name, 1, str(error))
        return []
    if "sheets" in said:
        return _of_workbook(file, said["sheets"], situations, report)
    for page, message in said["problems"]:
        report.problem(file.name, page, message)
    blocks = [Block(*block) for block in said["blocks"]]
    return [(Place(file.name, 1), one) for one in documents.articles_of(file.name, blocks, said["title"], report)]


def _of_workbook(
    file: File, sheets: list[dict[str, Any]], situations: frozenset[str], report: Report
) -> Placed[Article]:
    articles: Placed[Article] = []
    unnamed = []
    for sheet in sheets:
        rows = (tables.Row(line, cells) for line, cells in sheet["rows"])
        found = tables.articles_of(file.name, rows, situations, report, sheet=sheet["name"] if len(sheets) > 1 else "")
        if found is None:
            unnamed.append(sheet["name"])
        articles += found or []
    if len(unnamed) == len(sheets):
        report.problem(file.name, 1, _NO_HEADER)
    for _ in unnamed if len(unnamed) < len(sheets) else ():
        report.drop("articles", "a sheet without a question and an answer column")
    return articles


def _cases(source: Path, situations: frozenset[str], report: Report) -> Placed[Case]:
    own: Placed[Case] = []
    exported: Placed[Case] = []
    formats = exports.formats(source, report)
    for file in files_of(source, "cases", report):
        format_ = next((one for one in formats if one.covers(file)), None)
        if format_ is not None and file.suffix in (".csv", ".jsonl"):
            exported += exports.cases(file, format_, situations, report)
        elif file.suffix == ".jsonl":
            own += native.cases(file, situations, report)
        elif file.suffix == ".csv":
            report.problem(file.name, 1, f"cases/{exports.COLUMNS_FILE} does not say what its columns mean")
        elif file.path.name != exports.COLUMNS_FILE:
            report.drop("cases", f"not an export ({file.suffix or 'no suffix'})"[:40])
    return own + exports.without_copies(exported, (case for _, case in own), report)


def _unique(records: Placed[Record], name: Callable[[Record], str], report: Report) -> Placed[Record]:
    """The records without those whose name an earlier one has."""
    seen: dict[str, Place] = {}
    kept = []
    for place, record in records:
        first = seen.setdefault(name(record), place)
        if first is place:
            kept.append((place, record))
        else:
            report.problem(*place, f"{name(record)} stands in {first.path}:{first.line} already")
    return kept


def _checked(
    articles: Placed[Article], cases: Placed[Case], products: Placed[Product], report: Report
) -> tuple[Placed[Article], Placed[Case], Placed[Product]]:
    """The records without products that do not exist. Links that lead nowhere are named and stay."""
    ids = {article.id for _, article in articles}
    skus = {product.sku for _, product in products}
    wares = skus | {product.category for _, product in products}
    situation: dict[str, str] = {}

    def existing(place: Place, named: Iterable[str]) -> tuple[str, ...]:
        kept = tuple(ware for ware in named if ware in wares)
        for ware in named:
            if ware not in wares:
                report.problem(*place, f"products: {short(ware)} is neither a SKU nor a category")
        return kept

    def others(place: Place, product: Product, key: str, named: Iterable[str]) -> tuple[str, ...]:
        kept = tuple(sku for sku in named if sku in skus and sku != product.sku)
        for sku in named:
            if sku not in kept:
                report.problem(*place, f"{key}: {short(sku)} is not another product")
        return kept

    for place, article in articles:
        for link in sorted(set(_ARTICLE_LINK.findall(article.body)) - ids):
            report.problem(*place, f"the link article:{link} leads nowhere")
        if situation.setdefault(article.id, article.situation) != article.situation:
            report.problem(*place, f"situation: another language version says {situation[article.id]}")
    return (
        [(place, replace(article, products=existing(place, article.products))) for place, article in articles],
        [(place, replace(case, products=existing(place, case.products))) for place, case in cases],
        [
            (
                place,
                replace(
                    product,
                    complements=others(place, product, "complements", product.complements),
                    alternatives=others(place, product, "alternatives", product.alternatives),
                ),
            )
            for place, product in products
        ],
    )
