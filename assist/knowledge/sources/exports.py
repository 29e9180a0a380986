"""Past cases from the export of a help desk: columns mapped, personal data redacted, what teaches nothing left out.

`cases/columns.toml` says which files are exports and what their columns mean. Dropped and counted: unresolved cases,
those too thin to learn from, those answered in another language, and copies of what is there already.
"""

import re
import tomllib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from assist.domain import EMOTIONS, Case, Channel
from assist.knowledge import passages
from assist.knowledge.sources.blocks import clean, of_text
from assist.knowledge.sources.documents import slug
from assist.knowledge.sources.fields import Place, Placed, article_language, json_object, short
from assist.knowledge.sources.files import File, file_at, lines_of, text_of
from assist.knowledge.sources.native import MAX_FILE_BYTES, OUTCOMES
from assist.knowledge.sources.report import Report
from assist.knowledge.sources.tables import csv_rows, language_named, too_wide
from assist.text.redact import redact

MIN_PROBLEM_TOKENS: Final = 5
MIN_REPLY_TOKENS: Final = 10
"""Below these nothing says what was wrong or what helped ("hi", "thanks, solved"). Of the 225 cases written for the
demo the shortest problem has 6 tokens and the shortest reply 24."""
MAX_FIELD_CHARS: Final = 5_000
NEAR: Final = 0.8
"""Share of common four-character pieces from which two cases are one: the same text with another name or number."""

COLUMNS_FILE: Final = "columns.toml"
_FIELDS: Final = (
    *("id", "language", "channel", "situation", "problem", "tried", "reply", "resolution", "outcome", "csat"),
    *("emotion_start", "emotion_end", "closed_at", "name", "agent"),
)
_MAPPED: Final = ("outcome", "csat", "channel", "language", "situation", "emotion_start", "emotion_end")
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})")
_NOT_WORDS: Final = re.compile(r"(?:\[[A-Z]+\]|[\W\d_])+")
_PIECE: Final = 4
_BANDS, _ROWS = 16, 3
_PRIME: Final = (1 << 31) - 1
_MAX_IN_BAND, _MAX_COMPARED = 100, 20
"""A thousand replies from one template are alike without being copies: not all of them are compared with all."""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """How the columns of some files become fields; `values` by field and, in lower case, what stands there."""

    files: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    values: Mapping[str, Mapping[str, Any]]
    csat_scale: tuple[float, float] | None
    defaults: Mapping[str, str]

    def covers(self, file: File) -> bool:
        """Whether this format is for that file."""
        return any(fnmatchcase(file.path.name, pattern) for pattern in self.files)


def formats(source: Path, report: Report) -> list[ExportFormat]:
    """The `[[export]]` tables of `cases/columns.toml`; there need not be one."""
    file = file_at(source, f"cases/{COLUMNS_FILE}", report)
    if file is None or not file.path.exists():
        return []
    text = text_of(file, report, MAX_FILE_BYTES)
    if text is None:
        return []
    try:
        tables = tomllib.loads(text).get("export", [])
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        line = re.search(r"\(at line (\d+)", str(error))
        report.problem(file.name, int(line[1]) if line else 1, f"not valid TOML: {short(str(error))}")
        return []
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        report.problem(file.name, 1, "each export needs a table that begins with [[export]]")
        return []
    starts = [text.count("\n", 0, found.start()) + 1 for found in re.finditer(r"^\s*\[\[export\]\]", text, re.M)]
    found = [
        _format(table, Place(file.name, starts[at] if at < len(starts) else 1), report)
        for at, table in enumerate(tables)
    ]
    return [one for one in found if one is not None]


def _format(table: dict[str, Any], place: Place, report: Report) -> ExportFormat | None:
    count = report.count
    for key in table.keys() - {"files", "columns", "values", "csat_scale", "defaults"}:
        report.problem(*place, f"{key}: unknown field")
    files, scale = table.get("files"), table.get("csat_scale")
    if not isinstance(files, list) or not files or not all(isinstance(pattern, str) for pattern in files):
        report.problem(*place, 'files: a list of file names such as ["tickets-*.csv"] is needed')
        files = []
    columns, values, defaults = (table.get(key, {}) for key in ("columns", "values", "defaults"))
    if not all(isinstance(part, dict) for part in (columns, values, defaults)):
        report.problem(*place, "columns, values and defaults have to be tables")
        return None
    for field in [*columns.values(), *defaults]:
        if field not in _FIELDS:
            report.problem(*place, f"{short(field)} is not one of {', '.join(_FIELDS)}")
    known = {*map(str, columns.values()), *defaults}
    if not {"problem", "outcome"} <= known or not {"reply", "resolution"} & known:
        report.problem(*place, "columns: problem, outcome, and reply or resolution are needed")
    if scale is not None and not (
        isinstance(scale, list)
        and len(scale) == 2
        and all(isinstance(mark, (int, float)) for mark in scale)
        and scale[0] != scale[1]
    ):
        report.problem(*place, "csat_scale: the worst and the best mark are needed, such as [0, 10]")
        scale = None
    for field, ours in values.items():
        if field not in _MAPPED or not isinstance(ours, dict):
            report.problem(*place, f"values: {short(field)} is not a table of one of {', '.join(_MAPPED)}")
        elif field != "csat" and not all(isinstance(one, str) for one in ours.values()):
            report.problem(*place, f"values.{field}: each of our words has to be a text")
        elif field == "outcome" and not set(ours.values()) <= set(OUTCOMES):
            report.problem(*place, f"values.outcome: only {', '.join(OUTCOMES)} are known")
        elif field == "csat" and not all(mark in (1, 2, 3, 4, 5) for mark in ours.values()):
            report.problem(*place, "values.csat: whole numbers from 1 to 5 are needed")
    if report.count > count:
        return None
    return ExportFormat(
        files=tuple(files),
        columns=tuple(columns.items()),
        values={field: {str(theirs).lower(): one for theirs, one in ours.items()} for field, ours in values.items()},
        csat_scale=(float(scale[0]), float(scale[1])) if scale else None,
        defaults={field: str(value) for field, value in defaults.items()},
    )


def cases(file: File, format_: ExportFormat, situations: frozenset[str], report: Report) -> Placed[Case]:
    """The resolved cases of an export that say enough. Copies are still among them: see `without_copies`."""
    unknown: set[tuple[str, str]] = set()
    found: Placed[Case] = []
    for line, cells in _records(file, format_, report):
        place = Place(file.name, line)
        case = _case(cells, format_, place, situations, unknown, report)
        if case is not None:
            found.append((place, case))
    return found


def without_copies(found: Placed[Case], known: Iterable[Case], report: Report) -> Placed[Case]:
    """Leave out what `known` cases or a better one of `found` say already, in the same or nearly the same words.

    Better is: resolved, then liked, then recent.
    """
    seen = _Seen()
    for case in known:
        seen.add(_words(case))
    order = sorted(range(len(found)), key=lambda at: _quality(found[at][1]), reverse=True)
    kept = set()
    for at in order:
        copy = seen.add(_words(found[at][1]))
        if copy is None:
            kept.add(at)
        else:
            report.drop("cases", copy)
    return [placed for at, placed in enumerate(found) if at in kept]


def _records(file: File, format_: ExportFormat, report: Report) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """(line, their texts by our field) of each record of a CSV or JSONL export."""
    if file.suffix == ".jsonl":
        for line, text in lines_of(file, report):
            values = json_object(text, Place(file.name, line), report) if text.strip() else None
            if values is not None:
                yield line, _by_field((field, _dig(values, column)) for column, field in format_.columns)
        return
    header: dict[str, int] | None = None
    width = 0
    for row in csv_rows(file, report):
        if header is None:
            header, width = {clean(cell): at for at, cell in enumerate(row.cells)}, len(row.cells)
            missing = [column for column, _ in format_.columns if column not in header]
            for column in missing:
                report.problem(file.name, row.line, f"has no column {short(column)}, which {COLUMNS_FILE} names")
            if missing:
                return
            continue
        if too_wide(row, width, file.name, report):
            continue
        cells = row.cells
        yield (
            row.line,
            _by_field(
                (field, cells[at] if (at := header[column]) < len(cells) else "") for column, field in format_.columns
            ),
        )


def _by_field(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    by_field: dict[str, list[str]] = {}
    for field, value in pairs:
        if value.strip():
            by_field.setdefault(field, []).append(value)
    return by_field


def _dig(values: dict[str, Any], column: str) -> str:
    """A value of a JSON object, `ticket.subject` inside another; lists of texts are joined."""
    value: Any = values.get(column)
    if value is None and "." in column:
        value = values
        for key in column.split("."):
            value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        value = "\n\n".join(item for item in value if isinstance(item, str))
    return "" if value is None or isinstance(value, dict) else str(value)


def _case(
    cells: dict[str, list[str]],
    format_: ExportFormat,
    place: Place,
    situations: frozenset[str],
    unknown: set[tuple[str, str]],
    report: Report,
) -> Case | None:
    names = [name.strip() for field in ("name", "agent") for name in cells.get(field, ())]

    def text(field: str) -> str:
        blocks = [block for cell in cells.get(field, ()) for block in of_text(cell)]
        # Redacted before it is cut: half of a number is a number that nobody recognises.
        return redact("\n".join(block.text for block in blocks), names).text[:MAX_FIELD_CHARS]

    def said(field: str) -> str:
        theirs = clean(cells[field][0]) if field in cells else format_.defaults.get(field, "")
        return str(format_.values.get(field, {}).get(theirs.lower(), theirs))

    def value(field: str, allowed: Iterable[str]) -> str:
        """Our word for theirs; a word that nobody explained is named once a file and left out."""
        ours = said(field)
        if ours == "" or ours in allowed:
            return ours
        if (field, ours) not in unknown:
            unknown.add((field, ours))
            report.problem(
                *place, f"{field}: {short(ours)} is not explained in {COLUMNS_FILE}, [export.values.{field}]"
            )
        return ""

    outcome = value("outcome", OUTCOMES)
    if not outcome:
        report.drop("cases", "outcome not understood" if said("outcome") else "no outcome")
        return None
    if outcome == "unresolved":
        report.drop("cases", "unresolved")
        return None
    problem, reply, resolution = text("problem"), text("reply"), text("resolution")
    reply, resolution = reply or resolution, resolution or reply
    if passages.tokens(problem) < MIN_PROBLEM_TOKENS or passages.tokens(reply) < MIN_REPLY_TOKENS:
        report.drop("cases", "too thin")
        return None
    # Each text says its script itself; a short one may be the same in both, then the other one or the column decides.
    language = article_language(problem, language_named(said("language")))
    answered = article_language(reply, language)
    language = article_language(problem, answered)
    if language is None or answered != language:
        report.drop("cases", "another language, or answered in another one" if language else "in none of our languages")
        return None
    tried = text("tried")
    return Case(
        id=_id(cells, names, place),
        language=language,
        channel=value("channel", get_args(Channel)) or "chat",
        situation=value("situation", situations),
        problem=problem,
        tried=tuple(line for line in tried.split("\n") if line),
        resolution=resolution,
        reply=reply,
        outcome=outcome,
        csat=_csat(cells, format_),
        emotion_start=value("emotion_start", EMOTIONS) or None,
        emotion_end=value("emotion_end", EMOTIONS) or None,
        closed_at=_day(cells),
    )


def _id(cells: dict[str, list[str]], names: Sequence[str], place: Place) -> str:
    theirs = clean(cells["id"][0]) if "id" in cells else ""
    # Long ticket numbers read as order numbers; an address or a phone number names a person, not a case.
    if not theirs or any(span.kind != "ORDER" for span in redact(theirs, names).spans):
        theirs = f"r{place.line}"
    return slug(f"cases/{Path(place.path).stem}.{theirs}")


def _csat(cells: dict[str, list[str]], format_: ExportFormat) -> int | None:
    """Satisfaction from 1 to 5; None for what is no mark, such as "not offered"."""
    said = clean(cells["csat"][0]) if "csat" in cells else ""
    explained = format_.values.get("csat", {}).get(said.lower())
    if explained is not None:
        return int(explained)
    try:
        mark = float(said)
    except ValueError:
        return None
    worst, best = format_.csat_scale or (1.0, 5.0)
    share = (mark - worst) / (best - worst)
    return 1 + round(4 * share) if 0 <= share <= 1 else None


def _day(cells: dict[str, list[str]]) -> date | None:
    found = _DATE.match(cells["closed_at"][0].strip()) if "closed_at" in cells else None
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _quality(case: Case) -> tuple[bool, int, date]:
    return case.outcome == "resolved", case.csat or 0, case.closed_at or date.min


def _words(case: Case) -> str:
    """What a case says, without numbers, placeholders and punctuation."""
    return _NOT_WORDS.sub(" ", f"{case.problem} {case.reply}").lower().strip()


class _Seen:
    """Texts seen so far, found again by MinHash bands (Broder 1997) and compared in full: share of common pieces."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self._a = random.integers(1, _PRIME, (_BANDS * _ROWS, 1), np.int64)
        self._b = random.integers(0, _PRIME, (_BANDS * _ROWS, 1), np.int64)
        self._bands: dict[tuple[int, bytes], list[int]] = {}
        self._pieces: list[NDArray[np.int64]] = []

    def add(self, text: str) -> str | None:
        """Remember a text, or say which kind of copy it is."""
        pieces = np.unique(
            [zlib.crc32(text[at : at + _PIECE].encode()) % _PRIME for at in range(max(len(text) - _PIECE + 1, 1))]
        ).astype(np.int64)
        # (a x + b) mod p in 62 bits; the smallest value of each row is the same for two sets with their Jaccard share.
        signature = ((self._a * pieces + self._b) % _PRIME).min(axis=1).reshape(_BANDS, _ROWS)
        keys = [(band, row.tobytes()) for band, row in enumerate(signature)]
        near = Counter(number for key in keys for number in self._bands.get(key, ()))
        for number, _ in near.most_common(_MAX_COMPARED):
            other = self._pieces[number]
            common = len(np.intersect1d(pieces, other, assume_unique=True))
            share = common / (len(pieces) + len(other) - common)
            if share >= NEAR:
                return "copy" if share == 1 else "near copy"
        for key in keys:
            if len(band := self._bands.setdefault(key, [])) < _MAX_IN_BAND:
                band.append(len(self._pieces))
        self._pieces.append(pieces)
        return None
