"""The program that opens what others wrote: HTML, Markdown, DOCX, XLSX and PDF, in a process of its own.

`Converter` starts it with a bound on its memory, waits so long for each file and starts it anew when a file broke it.
So a file made to exhaust or crash a reader costs that file. The two talk JSON over a socket, file by file.
"""

import datetime
import json
import logging
import re
import resource
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from statistics import median_high
from typing import Any, BinaryIO, Final, Self

from assist.knowledge.sources.blocks import Block, clean, join, of_html, of_text
from assist.knowledge.sources.files import encoding_of

MAX_SECONDS: Final = 60.0
MAX_MEMORY_BYTES: Final = 1 << 30
MAX_UNZIPPED_BYTES: Final = 300_000_000
MAX_RATIO: Final = 200
"""Unzipped to zipped, of parts over a megabyte. Office files stay under 50, a bomb of zeros has 1,030."""
MAX_PARTS: Final = 10_000
MAX_TEXT_CHARS: Final = 10_000_000
MAX_PAGES: Final = 1_000
"""Reading a page takes some 25 ms, so that so many are read in half of `MAX_SECONDS`."""
MAX_ROWS: Final = 200_000
HEADING_SIZE: Final = 1.15
"""A short line set so much larger than the body of a PDF is a heading."""
MAX_HEADING_CHARS: Final = 80
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Unreadable(Exception):
    """A file cannot be converted; the message says why and what to do."""


class Converter:
    """Converts files in a process of its own, which it starts when the first one comes. Use as a context manager."""

    def __init__(self, *, seconds: float = MAX_SECONDS, memory_bytes: int = MAX_MEMORY_BYTES) -> None:
        self._seconds, self._memory_bytes = seconds, memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def convert(self, path: Path) -> dict[str, Any]:
        """`title`, `blocks` and `problems` [page, message] of a document, `sheets` of a workbook.

        Raises Unreadable if the file is broken, protected, empty or asks for more time or memory than it may have.
        """
        connection = self._connection or self._start()
        try:
            connection.send_bytes(json.dumps(str(path)).encode())
            if not connection.poll(self._seconds):
                self._stop()
                raise Unreadable(f"reading takes longer than {self._seconds:g} s; split the file")
            said: dict[str, Any] = json.loads(connection.recv_bytes(16 * MAX_TEXT_CHARS))
        except (EOFError, OSError) as error:
            self._stop()
            raise Unreadable("reading it crashed or took more memory than allowed; the file is not read") from error
        if "unreadable" in said:
            if said["restart"]:
                self._stop()
            raise Unreadable(said["unreadable"])
        return said

    def _start(self) -> "Connection[Any, Any]":
        self._connection, theirs = Pipe()
        command = [sys.executable, "-I", "-B", "-m", __name__, str(theirs.fileno()), str(self._memory_bytes)]
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return self._connection

    def _stop(self) -> None:
        if self._connection is not None and self._process is not None:
            self._connection.close()
            self._process.kill()
            self._process.wait()
        self._connection = self._process = None


def main(descriptor: int, memory_bytes: int) -> None:
    """Answer one path after the other until the other side closes."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()
    with Connection(descriptor) as connection:
        while True:
            try:
                path = Path(json.loads(connection.recv_bytes()))
            except EOFError:
                return
            connection.send_bytes(json.dumps(_answer(path)).encode())


def _answer(path: Path) -> dict[str, Any]:
    try:
        return CONVERTERS[path.suffix.lower()](path)
    except Unreadable as error:
        return {"unreadable": str(error), "restart": False}
    except MemoryError:
        return {"unreadable": "reading it takes more memory than allowed; split the file", "restart": True}
    except RecursionError:
        return {"unreadable": "nested too deeply", "restart": True}
    except Exception as error:
        # Other people's parsers on other people's files: what they raise is not theirs to choose.
        said = clean(str(error))[:200]
        return {"unreadable": f"damaged or not what its name says ({type(error).__name__}: {said})", "restart": True}


def _html(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        title, blocks = of_html(_decoded(stream))
    return _said(blocks, title)


def _markdown(path: Path) -> dict[str, Any]:
    from markdown_it import MarkdownIt

    with path.open("rb") as stream:
        html = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").render(_decoded(stream))
    return _said(of_html(html)[1])


def _decoded(stream: BinaryIO) -> str:
    head = stream.read(2048)
    said = re.search(rb"charset\s*=\s*[\"']?\s*([\w-]+)", head, re.I)
    names = {b"gb2312": "gb18030", b"gbk": "gb18030", b"gb18030": "gb18030", b"big5": "big5hkscs"}
    encoding = encoding_of(stream, names.get(said[1].lower()) if said else None)
    try:
        return stream.read().decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte {error.start} is not UTF-8, UTF-16, GB18030 or Big5; save the file as UTF-8") from error


def _docx(path: Path) -> dict[str, Any]:
    import mammoth

    with path.open("rb") as stream:
        _check_zip(stream, "word/")
        found = mammoth.convert_to_html(
            stream,
            style_map="p[style-name='Title'] => h1:fresh\np[style-name='标题'] => h1:fresh",
            include_embedded_style_map=False,
            convert_image=mammoth.images.img_element(lambda _: {"src": ""}),
        )
    return _said(of_html(found.value)[1])


def _xlsx(path: Path) -> dict[str, Any]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum

    with path.open("rb") as stream:
        _check_zip(stream, "xl/")
    sheets, characters = [], 0
    with CalamineWorkbook.from_path(str(path)) as workbook:
        for facts in workbook.sheets_metadata:
            if facts.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = workbook.get_sheet_by_name(facts.name)
            first = sheet.start[0] + 1 if sheet.start else 1
            rows: list[tuple[int, list[str]]] = []
            for number, row in enumerate(sheet.iter_rows(), first):
                cells = [_cell(value) for value in row]
                if not any(cells):
                    continue
                characters += sum(map(len, cells))
                if characters > MAX_TEXT_CHARS or len(rows) >= MAX_ROWS:
                    raise Unreadable(
                        f"sheet {facts.name!r}: more than {MAX_ROWS:,} rows or {MAX_TEXT_CHARS:,} characters; split it"
                    )
                rows.append((number, cells))
            sheets.append({"name": clean(facts.name), "rows": rows})
    return {"sheets": sheets}


def _cell(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")
    return str(value).strip()


def _pdf(path: Path) -> dict[str, Any]:
    from pypdf import PasswordType, PdfReader
    from pypdf.errors import DependencyError

    with path.open("rb") as stream:
        reader = PdfReader(stream)
        try:
            locked = reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED
        except DependencyError:
            locked = True
        if locked:
            raise Unreadable("protected by a password; save it without one")
        if len(reader.pages) > MAX_PAGES:
            raise Unreadable(f"more than {MAX_PAGES:,} pages; split it")
        pages: list[list[tuple[str, float]]] = []
        problems: list[tuple[int, str]] = []
        characters = 0
        for number in range(len(reader.pages)):
            try:
                pages.append(list(_sized_lines(reader.pages[number])))
            except MemoryError:
                raise
            except Exception as error:
                # One damaged page of a long manual: the others are still worth having.
                problems.append((number + 1, f"page {number + 1} cannot be read ({type(error).__name__})"))
                pages.append([])
            characters += sum(len(text) for text, _ in pages[-1])
            if characters > MAX_TEXT_CHARS:
                raise Unreadable(f"more than {MAX_TEXT_CHARS:,} characters; split it")
    if not characters:
        if problems:
            raise Unreadable(problems[0][1])
        raise Unreadable("holds pictures of text, not text (scanned?): run OCR first")
    return {**_said(_blocks_of_pages(pages)), "problems": problems}


def _sized_lines(page: Any) -> Iterator[tuple[str, float]]:
    """(line, font size) from top to bottom; an empty line is a gap."""
    sizes: list[tuple[str, float]] = []

    def visit(text: str, _: Any, matrix: Any, __: Any, size: float) -> None:
        scale = (matrix[2] ** 2 + matrix[3] ** 2) ** 0.5 if matrix else 1.0
        if text.strip():
            sizes.append((text.strip(), round(float(size or 0) * (scale or 1.0), 1)))

    text = page.extract_text(visitor_text=visit)
    at = 0
    for raw in text.splitlines():
        line = clean(raw)
        size = 0.0
        # The pieces come in the order of the text: the line's size is that of the piece which it begins with.
        for ahead in range(at, min(at + 20, len(sizes))):
            piece, found = sizes[ahead]
            if line and clean(piece.split("\n")[0])[:20] and line.startswith(clean(piece.split("\n")[0])[:20]):
                size, at = found, ahead
                break
        yield line, size


def _blocks_of_pages(pages: list[list[tuple[str, float]]]) -> list[Block]:
    """Paragraphs, lists and headings. What stands on top or at the foot of most pages is not part of the text."""
    weights: Counter[float] = Counter()
    edges: Counter[str] = Counter()
    for page in pages:
        for line, size in page:
            weights[size] += len(line)
        edges.update({_unnumbered(page[at][0]) for at in _edges(page)})
    sizes = [size for size, weight in weights.items() if size for _ in range(min(weight, 1000))]
    body = median_high(sizes) if sizes else 0.0
    heads = sorted({size for size in weights if body and size >= HEADING_SIZE * body}, reverse=True)
    blocks: list[Block] = []
    for number, page in enumerate(pages, 1):
        lines: list[str] = []
        for line, size in _inner(page, edges, len(pages)):
            if size in heads and len(line) <= MAX_HEADING_CHARS:
                blocks += of_text(_unwrapped(lines), number)
                lines = []
                level = min(heads.index(size) + 1, 6)
                last = blocks[-1] if blocks else None
                if last and last.kind == "heading" and last.level == level and last.page == number:
                    blocks[-1] = last._replace(text=join([last.text, line]))
                else:
                    blocks.append(Block("heading", line, level, number))
            else:
                lines.append(line)
        blocks += of_text(_unwrapped(lines), number)
    return blocks


def _inner(page: list[tuple[str, float]], edges: Counter[str], pages: int) -> list[tuple[str, float]]:
    """The lines of a page without its number and what most pages have in that place."""
    running = {
        at
        for at in _edges(page)
        if page[at][0].isdigit() or (pages >= 3 and edges[_unnumbered(page[at][0])] > pages / 2)
    }
    return [line for at, line in enumerate(page) if at not in running]


def _edges(page: list[tuple[str, float]]) -> list[int]:
    """Where the first and the last line that is not empty stand."""
    filled = [at for at, (line, _) in enumerate(page) if line]
    return [*filled[:1], *filled[-1:]]


def _unnumbered(line: str) -> str:
    return "".join(char for char in line if not char.isdigit())


def _unwrapped(lines: list[str]) -> str:
    """A line that fills the page and ends in the middle of a sentence goes on in the next one."""
    width = max(map(len, lines), default=0)
    text = ""
    for line in lines:
        text += line
        ends = not line or line[-1] in "。！？!?.:：;；" or len(line) < 0.6 * width
        text += "\n\n" if ends and not line[:3].strip(" ").rstrip(".)、").isdigit() else "\n"
    return text


def _check_zip(stream: BinaryIO, inside: str) -> None:
    """Refuse what is not an office file or would grow beyond bounds, before anything is unzipped."""
    head = stream.read(8)
    if head == _OLE:
        raise Unreadable("protected by a password or of an old format; save it anew without a password")
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Unreadable("cut short, damaged or not an Office file") from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNZIPPED_BYTES:
        raise Unreadable(f"would unzip to more than {MAX_UNZIPPED_BYTES:,} bytes or {MAX_PARTS:,} parts")
    for part in parts:
        if part.flag_bits & 1:
            raise Unreadable("protected by a password; save it without one")
        if part.file_size > 1_000_000 and part.file_size > MAX_RATIO * max(part.compress_size, 1):
            raise Unreadable(f"{part.filename[:60]!r} in it unzips to {part.file_size:,} bytes: a zip bomb?")
    if not any(part.filename.startswith(inside) for part in parts):
        raise Unreadable("cut short, damaged or not an Office file")
    stream.seek(0)


def _said(blocks: list[Block], title: str = "") -> dict[str, Any]:
    if sum(len(block.text) for block in blocks) > MAX_TEXT_CHARS:
        raise Unreadable(f"more than {MAX_TEXT_CHARS:,} characters; split it")
    return {"title": title, "blocks": blocks, "problems": []}


CONVERTERS: Final[dict[str, Callable[[Path], dict[str, Any]]]] = {
    ".html": _html,
    ".htm": _html,
    ".md": _markdown,
    ".docx": _docx,
    ".docm": _docx,
    ".xlsx": _xlsx,
    ".xlsm": _xlsx,
    ".pdf": _pdf,
}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
