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
PLAUSIBLE: Final = 0.6
"""Share of everyday characters from which a guessed encoding is believed.

The demo's Chinese articles have over .97 in the encoding of their script and less, at most .71, in the other one;
traditional characters in GB18030 have .58 to .74. What is not believed is a problem, never wrong characters.
"""
READABLE: Final = "UTF-8, UTF-16, GB18030 or Big5"

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
            if not path.is_dir() or not deep or _looks_like_a_file(path):
                found.append(File(path, name))
            elif depth >= MAX_DEPTH:
                report.problem(name, 1, f"deeper than {MAX_DEPTH} folders; not read")
            else:
                open_folders.append((path, depth + 1))
    return sorted(found, key=lambda file: file.name)


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

    Byte order mark, then UTF-8, then what the file says of itself, then UTF-16 without a mark, then GB18030 or Big5,
    whichever gives more everyday characters. UTF-8 if none fits, so that reading names the first broken byte.
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
    guesses = sorted(((_everyday_share(sample, name), name) for name in ("gb18030", "big5hkscs")), reverse=True)
    if said is not None and said in ("gb18030", "big5hkscs"):
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
    """Share of the non-ASCII characters that are Chinese punctuation or everyday Han characters in that standard.

    GB 2312 has its 3,755 level-1 characters in rows 16-55, Big5 its 5,401 in A4-C6: wrongly decoded text is spread
    over the rare ones.
    """
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    others = [char for char in text if not char.isascii()]
    if not others:
        return 0.0
    strict, lead_of_han = ("gb2312", range(0xB0, 0xD8)) if encoding == "gb18030" else ("big5", range(0xA4, 0xC7))
    everyday = 0
    for char in others:
        try:
            lead = char.encode(strict)[0]
        except UnicodeEncodeError:
            continue
        everyday += lead in lead_of_han or lead in (0xA1, 0xA3)
    return everyday / len(others)
