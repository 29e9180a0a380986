"""Safe access to the files of a knowledge folder: no links out of it, bounded reading, encodings told apart."""

import codecs
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from assist.knowledge.sources.report import Report

MAX_FILES: Final = 200_000
MAX_DEPTH: Final = 20
MAX_LINES_BYTES: Final = 500_000_000
MAX_LINE_CHARS: Final = 100_000
SAMPLE_BYTES: Final = 1 << 20
PLAUSIBLE: Final = 0.2
"""Share of everyday characters from which a guessed encoding is believed.

Paragraphs of the demo's articles have .49 and more in their own encoding and at most .08 in another, single sentences
of its cases .29 and more; Korean and Japanese sentences at most .1. What is not believed is a problem, never wrong
characters.
"""
READABLE: Final = "UTF-8, UTF-16, GB18030 or Big5"

# The 200 most frequent characters each of the demo's simplified and traditional articles, and punctuation.
_EVERYDAY: Final = frozenset(
    "，。！？、：；“”（）《》「」…"
    "的不我时内单退到一您货和说订款用品发们在明要有或看见收后以可上天步先部是商再件号没小骤给电客付请顾选能期里取费会卡包过间门诉把个送日地就了回下出分券开还店按理对账问方告查次修提人确自核新前台金点运承通"
    "等已机面全照好物换认装安配大量也保记价由式清复片起港只定果行算如消结同话来并址额题码家票信作都改知原礼员裹超处马手更帮页库免质优重这满登想经惠系实积澳快留放为进走流接诺水己预签格么适多打让扣当交证联邮"
    "請時單內訂貨們說會與後號電驟費確給間寄認帳顧選編並點過訴沒入個額若門依立為話裝使中證幣勿運開筆問灣換動傳處供國碼數成結香陸滿未庫即還覆完關價發對這見銀態批工記員市來最冒固折聯主合府質向進別離各煙脹組受"
)
_GUESSED: Final = ("gb18030", "big5hkscs", "utf-16-le", "utf-16-be")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class File(NamedTuple):
    """A regular file; `name` is its path inside the knowledge folder, with slashes."""

    path: Path
    name: str

    @property
    def suffix(self) -> str:
        return self.path.suffix.lower()


def files_of(source: Path, folder: str, report: Report, *, deep: bool = False) -> list[File]:
    """The regular files of `source/folder` by name, with `deep` those of its folders too; hidden ones are skipped.

    A link to a file inside `source` is a file. Links out of it, to folders or to nowhere are problems.
    """
    root = source.resolve()
    found: list[File] = []
    open_folders = [(source / folder, 0)]
    while open_folders:
        here, depth = open_folders.pop()
        if here.is_symlink() and not _is_inside(here, root):
            report.problem(name_of(here, source), 1, "a link out of the knowledge folder is not followed")
            continue
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            report.problem(name_of(here, source), 1, f"cannot be read: {error.strerror}")
            continue
        for entry in entries:
            path = here / entry.name
            name = name_of(path, source)
            if entry.name.startswith((".", "~$")):
                continue
            if len(found) >= MAX_FILES:
                report.problem(folder, 1, f"more than {MAX_FILES:,} files; the rest is not read")
                return found
            if entry.is_symlink():
                if not _is_inside(path, root):
                    report.problem(name, 1, "a link out of the knowledge folder, or to nowhere, is not followed")
                    continue
                if path.is_dir():
                    report.problem(name, 1, "a link to a folder is not followed")
                    continue
            if not path.is_dir() or _looks_like_a_file(path):
                found.append(File(path, name))
            elif not deep:
                report.problem(name, 1, f"a folder inside {folder}/ is not read")
            elif depth >= MAX_DEPTH:
                report.problem(name, 1, f"deeper than {MAX_DEPTH} folders; not read")
            else:
                open_folders.append((path, depth + 1))
    return sorted(found, key=lambda file: file.name)


def file_at(source: Path, name: str, report: Report) -> File | None:
    """The file of that name in the knowledge folder, be it there or not; None and a problem if a link leads out."""
    path = source / name
    if os.path.lexists(path) and not _is_inside(path, source.resolve()):
        report.problem(name, 1, "a link out of the knowledge folder, or to nowhere, is not followed")
        return None
    return File(path, name)


def name_of(path: Path, source: Path) -> str:
    """Path inside the knowledge folder, printable whatever bytes the file system holds."""
    return os.fsencode(path.relative_to(source).as_posix()).decode("utf-8", "backslashreplace")


def _is_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # RuntimeError: a loop of links
        return False


def _looks_like_a_file(path: Path) -> bool:
    return path.suffix.lower() in (".md", ".html", ".htm", ".docx", ".xlsx", ".csv", ".pdf", ".jsonl")


def opened(file: File, report: Report, limit: int) -> BinaryIO | None:
    """The file, opened for reading, or None and a problem: not a regular file, unreadable or larger than `limit`."""
    try:
        if file.path.is_dir():
            report.problem(file.name, 1, "cannot be read: Is a directory")
            return None
        # Not to wait for ever at the other end of a pipe.
        stream = os.fdopen(os.open(file.path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except OSError as error:
        report.problem(file.name, 1, f"cannot be read: {error.strerror}")
        return None
    facts = os.fstat(stream.fileno())
    if not stat.S_ISREG(facts.st_mode):
        report.problem(file.name, 1, "cannot be read: not a regular file")
    elif facts.st_size > limit:
        report.problem(file.name, 1, f"larger than {limit:,} bytes; split it")
    else:
        return stream
    stream.close()
    return None


def text_of(file: File, report: Report, limit: int, *, encoding: str | None = None) -> str | None:
    """The whole text with plain line ends, or None and a problem. `encoding` is what the file says of itself."""
    stream = opened(file, report, limit)
    if stream is None:
        return None
    with stream:
        known = encoding_of(stream, encoding)
        data = stream.read(limit)
    try:
        return data.decode(known).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        report.problem(file.name, line, f"byte {error.start} is not {READABLE}; save the file as UTF-8")
        return None


def lines_of(file: File, report: Report) -> Iterator[tuple[int, str]]:
    """(number, line) of each line of a text file that may be large; a broken or endless line is a problem.

    Memory is bounded by the longest allowed line, whatever the file holds.
    """
    stream = opened(file, report, MAX_LINES_BYTES)
    if stream is None:
        return
    with stream:
        encoding = encoding_of(stream)
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        with io.TextIOWrapper(stream, encoding, errors) as text:
            number = 0
            while line := text.readline(MAX_LINE_CHARS + 1):
                number += 1
                if len(line) > MAX_LINE_CHARS and not line.endswith("\n"):
                    while (rest := text.readline(MAX_LINE_CHARS)) and not rest.endswith("\n"):
                        pass
                    report.problem(file.name, number, f"longer than {MAX_LINE_CHARS:,} characters")
                elif errors == "replace" and "\ufffd" in line:
                    report.problem(file.name, number, f"holds bytes that are not {encoding.upper()}")
                elif (broken := _broken_at(line)) is not None:
                    report.problem(file.name, number, f"byte {broken} of the line is not {READABLE}")
                else:
                    yield number, line


def _broken_at(line: str) -> int | None:
    """Offset in bytes of the first byte that could not be decoded."""
    if line.isascii():
        return None
    for at, char in enumerate(line):
        if "\udc80" <= char <= "\udcff":
            return len(line[:at].encode("utf-8"))
    return None


def encoding_of(stream: BinaryIO, said: str | None = None) -> str:
    """The encoding of a text file; the stream is at its beginning afterwards.

    Byte order mark, then UTF-8, then UTF-16 with many zero bytes, then what the file says of itself, then GB18030,
    Big5 or UTF-16, whichever gives most everyday characters. UTF-8 if none fits, so that reading names the first
    broken byte.
    """
    stream.seek(0)
    sample = stream.read(SAMPLE_BYTES)
    found = _encoding(stream, sample, said)
    stream.seek(0)
    return found


def _encoding(stream: BinaryIO, sample: bytes, said: str | None) -> str:
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    if _decodes(stream, "utf-8") and b"\0" not in sample:
        return "utf-8"
    nulls = (sample[0::2].count(0), sample[1::2].count(0))
    if sum(nulls) > 0.2 * len(sample):
        return "utf-16-be" if nulls[0] > nulls[1] else "utf-16-le"
    replaced = codecs.getincrementaldecoder("utf-8")("replace").decode(sample)
    broken = replaced.count("\ufffd")
    if 5 * broken < sum(not char.isascii() for char in replaced) - broken:
        return "utf-8"
    guesses = sorted(((_everyday_share(sample, name), name) for name in _GUESSED), reverse=True)
    if said is not None and said in _GUESSED:
        guesses.insert(0, (1.0, said))
    for share, name in guesses:
        if share >= PLAUSIBLE and _decodes(stream, name):
            return name
    return "utf-8"


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    try:
        while chunk := stream.read(SAMPLE_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _everyday_share(sample: bytes, encoding: str) -> float:
    """Share of the characters beyond ASCII that are everyday Chinese: wrongly decoded text is spread over rare ones."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    others = [char for char in text if not char.isascii()]
    return sum(char in _EVERYDAY for char in others) / max(len(others), 1)
