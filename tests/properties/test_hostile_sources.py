"""Some 300 broken or hostile files in one folder: each is named or read cleanly, nothing else is lost.

The folder is read once, in a process of its own, so that its peak memory can be told.
"""

import io
import json
import os
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from made_documents import docx, pdf, xlsx, zipped

from assist.knowledge.sources.documents import slug

SECRET = "the-content-of-a-file-outside"
MAX_OWN_MEMORY = 450 << 20
MAX_CONVERTER_MEMORY = 1100 << 20
TEXT = "You can return goods within seven days of receipt. We refund the price to your card."
HAN = "签收后七天内可以申请退货，退款会退回原付款方式。请您保留好包装和发票，方便我们为您处理。"
GOOD: dict[str, bytes] = {
    "md": f"# Returns\n\n{TEXT}\n\n1. Open the app\n2. Choose return\n".encode(),
    "html": f"<html><body><h1>Returns</h1><p>{TEXT}</p></body></html>".encode(),
    "csv": f'question,answer\nHow do I return it?,"{TEXT}"\nWhen?,"{TEXT}"\n'.encode(),
    "jsonl": (json.dumps({"title": "Returns", "text": TEXT}) + "\n").encode() * 3,
    "docx": docx([("Heading1", "Returns"), ("", TEXT), ("Number", "Open the app"), ("Number", "Choose return")]),
    "xlsx": xlsx({"FAQ": [["question", "answer"], ["How do I return it?", TEXT], ["When?", TEXT]]}),
    "pdf": pdf([[(20, "Returns"), (11, TEXT)], [(11, TEXT)]]),
}
NATIVE = f"""---
id: native
title: Returns
language: en
status: published
valid_from: null
valid_until: null
confirmed_at: null
channel: [all]
products: []
tags: []
situation: returns
audience: customer
questions: []
---
{TEXT}
"""
SCRIPTS = [
    "<script>STOLEN</script>",
    "<script>STOLEN",
    "<SCRIPT SRC=//x.example>STOLEN</SCRIPT>",
    "<script/x>STOLEN</script\t\n bar>",
    "<script><!--STOLEN--></script>",
    "<style>p{content:'STOLEN'}</style>",
    "<!-- STOLEN -->",
    "<!--><script>STOLEN</script>-->",
    '<img src=x onerror="STOLEN">',
    "<svg onload=STOLEN><text>STOLEN</text></svg>",
    "<svg><script>STOLEN</script></svg>",
    "<math><mtext><script>STOLEN</script></mtext></math>",
    '<iframe srcdoc="STOLEN">STOLEN</iframe>',
    "<object data=x>STOLEN</object>",
    "<noscript>STOLEN</noscript>",
    "<template><p>STOLEN</p></template>",
    '<a href="javascript:STOLEN">read</a>',
    '<a href=" jAvAsCrIpT:STOLEN">read</a>',
    '<a href="data:text/html,STOLEN">read</a>',
    '<a href="vbscript:STOLEN">read</a>',
    '<form action="STOLEN"><input value="STOLEN"><textarea>STOLEN</textarea><button>STOLEN</button></form>',
    '<p style="display: none">STOLEN</p>',
    "<p hidden>STOLEN</p>",
    '<div aria-hidden="true">STOLEN</div>',
    '<span style="font-size:0">STOLEN</span>',
    '<p style="visibility:hidden">STOLEN</p>',
    '<meta http-equiv="refresh" content="0;url=STOLEN">',
    '<base href="STOLEN">',
    "<select><option>STOLEN</option></select>",
    "<noembed>STOLEN</noembed>",
    "<xmp>STOLEN</xmp>",
    '<p title="STOLEN" data-x="STOLEN">read</p>',
    "<![CDATA[STOLEN]]>",
    "<?php STOLEN ?>",
    "<title>STOLEN</title>",
]
ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "big5", "shift_jis", "euc_kr"]
DTD = '<!DOCTYPE w:document [<!ENTITY secret SYSTEM "file://{secret}">]>'
LAUGHS = (
    '<!DOCTYPE w:document [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)


def cut() -> Iterator[tuple[str, bytes]]:
    for kind, data in GOOD.items():
        for share in (0.05, 0.3, 0.6, 0.95):
            yield f"cut-{int(100 * share)}.{kind}", data[: int(share * len(data))]


def damaged() -> Iterator[tuple[str, bytes]]:
    chance = random.Random(1)
    for kind, data in GOOD.items():
        for number in range(6):
            broken = bytearray(data)
            for _ in range(1 + len(data) // 50):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            yield f"damaged-{number}.{kind}", bytes(broken)


def disguised() -> Iterator[tuple[str, bytes]]:
    others = {
        "empty": b"",
        "blank": b" \n\n\t\n",
        "png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        "gzip": b"\x1f\x8b\x08" + random.Random(2).randbytes(3000),
        "zip": zipped({"a.txt": "x"}),
        "nul": bytes(5000),
        "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000),
    }
    for kind in GOOD:
        for what, data in others.items():
            yield f"is-{what}.{kind}", data


def encoded() -> Iterator[tuple[str, bytes]]:
    for encoding in ENCODINGS:
        words = HAN if encoding in ("gb18030", "utf-8-sig") or encoding.startswith("utf") else None
        words = (
            words
            or {
                "big5": "簽收後七天內可以申請退貨，退款會退回原付款方式。",
                "shift_jis": "商品は七日以内に返品できます。",
                "euc_kr": "상품은 칠일 이내에 반품할 수 있습니다.",
            }[encoding]
        )
        yield f"in-{encoding}.md", f"# {words[:4]}\n\n{words}\n".encode(encoding)
        yield f"in-{encoding}.html", f"<h1>{words[:4]}</h1><p>{words}</p>".encode(encoding)
        yield f"in-{encoding}.csv", f"question,answer\n{words[:4]},{words}\n".encode(encoding)
        yield f"in-{encoding}.jsonl", json.dumps({"text": words}, ensure_ascii=False).encode(encoding)
    for kind in ("md", "html", "csv", "jsonl"):
        yield f"in-latin-1.{kind}", GOOD[kind].replace(b"goods", "gööds café".encode("latin-1"))


def large() -> Iterator[tuple[str, bytes]]:
    line = b"a" * 50_000_000
    yield "line-50mb.md", line
    yield "line-50mb.html", b"<p>" + line
    yield "line-50mb.csv", GOOD["csv"] + line + b"\n" + b"Where?,In every store.\n"
    yield "line-50mb.jsonl", GOOD["jsonl"] + b'{"text": "' + line + b'"}\n' + GOOD["jsonl"]
    yield "line-50mb-quoted.csv", GOOD["csv"] + b'Where?,"' + line + b'"\n'
    yield "line-18mb.html", b"<p>" + line[:18_000_000]
    yield "lines-1m.csv", b"question,answer\n" + b",\n" * 1_000_000
    yield "lines.jsonl", b"{}\n" * 50_000


def bombs() -> Iterator[tuple[str, bytes]]:
    zeros = bytes(50_000_000)
    for kind, part in (("docx", "word/document.xml"), ("xlsx", "xl/worksheets/sheet1.xml")):
        with zipfile.ZipFile(io.BytesIO(GOOD[kind])) as archive:
            parts = {info.filename: archive.read(info) for info in archive.infolist()}
        bomb = zipped({**parts, part: zeros})
        yield f"bomb.{kind}", bomb
        yield f"bomb-beside.{kind}", zipped({**parts, f"{part}.bin": zeros})
        # The directory at the end says that the bomb is small.
        lying = bytearray(bomb)
        at = 0
        while (at := lying.find(struct.pack("<I", len(zeros)), at)) >= 0:
            lying[at : at + 4] = struct.pack("<I", 1000)
        yield f"bomb-lying.{kind}", bytes(lying)
        spaces = parts[part].replace(b"</", b" " * 900_000 + b"</", 1)
        yield f"spaces.{kind}", zipped({**parts, part: spaces})
        yield f"parts.{kind}", zipped({**parts, **{f"x/{n}": b"" for n in range(10_001)}})
        yield f"climbs.{kind}", zipped({**parts, "../../../../tmp/evil": b"x", "/etc/evil": b"x"})
        with zipfile.ZipFile(io.BytesIO(GOOD[kind])) as archive:
            locked = bytearray(GOOD[kind])
            for info in archive.infolist():
                locked[info.header_offset + 6] |= 1
        at = 0
        while (at := locked.find(b"PK\x01\x02", at)) >= 0:
            locked[at + 8] |= 1
            at += 4
        yield f"locked.{kind}", bytes(locked)
    yield "bomb.pdf", flate_pdf(zlib.compress(bytes(400_000_000)))
    yield (
        "bomb-twice.pdf",
        flate_pdf(zlib.compress(zlib.compress(bytes(400_000_000))), filters="[/FlateDecode /FlateDecode]"),
    )


def flate_pdf(data: bytes, filters: str = "/FlateDecode") -> bytes:
    whole = pdf([[(11, TEXT)]])
    start, end = whole.rindex(b"<< /Length"), whole.rindex(b"\nendstream")
    head = f"<< /Length {len(data)} /Filter {filters} >>\nstream\n".encode()
    return whole[:start] + head + data + whole[end:]


def scripts() -> Iterator[tuple[str, bytes]]:
    for number, script in enumerate(SCRIPTS):
        yield f"script-{number}.html", f"<body><h2>Returns</h2><p>{TEXT}</p>{script}</body>".encode()
    for number in (0, 1, 6, 8, 16, 22):
        yield f"script-{number}.md", f"# Returns\n\n{TEXT}\n\n{SCRIPTS[number]}\n".encode()
        yield f"script-{number}.jsonl", json.dumps({"title": "R", "text": f"<p>{TEXT}</p>{SCRIPTS[number]}"}).encode()


def entities(secret: Path) -> Iterator[tuple[str, bytes]]:
    dtd = DTD.format(secret=secret)
    yield "entity.docx", docx([("", TEXT), ("", "&secret;")], prologue=dtd)
    yield "laughs.docx", docx([("", TEXT), ("", "&a11;")], prologue=LAUGHS)
    with zipfile.ZipFile(io.BytesIO(GOOD["xlsx"])) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    for name, prologue, entity in (("entity", dtd, b"&secret;"), ("laughs", LAUGHS, b"&a11;")):
        sheet = prologue.encode() + parts["xl/worksheets/sheet1.xml"].replace(b"When?", entity)
        yield f"{name}.xlsx", zipped({**parts, "xl/worksheets/sheet1.xml": sheet})
    yield "entity.html", f"{dtd}<p>{TEXT} &secret;</p>".encode()
    relations = f'<Relationship Id="r9" Type="x" Target="file://{secret}" TargetMode="External"/></Relationships>'
    yield (
        "relation.docx",
        docx(
            [("", TEXT)],
            extra={"word/_rels/footnotes.xml.rels": f"<Relationships>{relations}"},
        ),
    )


def nested() -> Iterator[tuple[str, bytes]]:
    yield "deep-div.html", b"<div>" * 20_000 + TEXT.encode()
    yield "deep-b.html", b"<b>" * 20_000 + TEXT.encode()
    yield "deep-list.html", b"<ol><li>" * 10_000 + TEXT.encode()
    yield "deep-table.html", b"<table><tr><td>" * 20_000 + TEXT.encode()
    yield "deep-quote.md", b">" * 50_000 + TEXT.encode()
    yield "deep-list.md", b"".join(b" " * n + b"- a\n" for n in range(1_000))
    yield "deep-bracket.md", b"[" * 20_000
    yield "deep-star.md", b"*a_" * 50_000
    yield "deep-tick.md", b"".join(b"`" * n + b" " for n in range(1_000))
    yield "deep.jsonl", b"[" * 90_000 + b"\n" + GOOD["jsonl"]
    yield "deep-value.jsonl", b'{"text":' * 900 + b"1" + b"}" * 900 + b"\n" + GOOD["jsonl"]
    yield "deep.pdf", GOOD["pdf"].replace(b"/Type /Catalog", b"/Type /Catalog /X " + b"[" * 50_000, 1)
    yield "deep.docx", docx([("", "<x>" * 50_000)], prologue="<?xml version='1.0'?>")
    matter = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
    )
    yield "laughs.en.md", f"---\n{matter}id: *j\nlanguage: *j\nchannel: *j\n---\n{TEXT}".encode()


def offices() -> Iterator[tuple[str, bytes]]:
    macro = {"word/vbaProject.bin": b"STOLEN" * 100, "xl/vbaProject.bin": b"STOLEN" * 100}
    yield "macro.docm", docx([("", TEXT)], extra=macro)
    yield "macro.xlsm", xlsx({"FAQ": [["question", "answer"], ["How?", TEXT]]}, extra=macro)
    yield (
        "rows-1m.xlsx",
        xlsx(
            {"FAQ": [["question", "answer"], ["How?", TEXT]]},
            tail="".join(f'<row r="{n}"/>' for n in range(3, 1_000_001)),
        ),
    )
    styled = "".join(f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(3, 1_000_001))
    yield "cells-1m.xlsx", xlsx({"FAQ": [["question", "answer"], ["How?", TEXT]]}, tail=styled)
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    yield "far.xlsx", xlsx({"FAQ": [["question", "answer"], ["How?", TEXT]]}, tail=far)
    yield "no-header.xlsx", xlsx({"FAQ": [["a thing", "another"], ["How?", TEXT]]})
    yield (
        "shared.xlsx",
        xlsx(
            {"FAQ": [["question", "answer"], ["How?", TEXT]]}, tail='<row r="9"><c r="A9" t="s"><v>99999</v></c></row>'
        ),
    )
    yield "formula.xlsx", xlsx({"FAQ": [["question", "answer"], ["How?", "=cmd|' /C calc'!A0"]]})
    yield "no-sheet.xlsx", xlsx({})
    yield "no-text.docx", docx([])
    yield "link.docx", docx([("", TEXT)], extra={"word/embeddings/oleObject1.bin": b"STOLEN"})


def pdfs() -> Iterator[tuple[str, bytes]]:
    yield "scanned.pdf", pdf([[], []])
    yield "count.pdf", GOOD["pdf"].replace(b"/Count 2", b"/Count 999999999")
    yield "cycle.pdf", GOOD["pdf"].replace(b"/Kids [6 0 R 8 0 R]", b"/Kids [2 0 R 2 0 R]")
    yield "prev.pdf", pdf([[(11, TEXT)]], trailer="/Prev 9")
    yield "length.pdf", GOOD["pdf"].replace(b"/Length", b"/Length 99999999 %", 1)
    yield "no-root.pdf", GOOD["pdf"].replace(b"/Root 1 0 R", b"/Root 99 0 R")
    yield (
        "script.pdf",
        pdf([[(11, TEXT)]]).replace(b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /JavaScript /JS (STOLEN) >>"),
    )
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(GOOD["pdf"]))
    writer.encrypt("a password", algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    yield "password.pdf", stream.getvalue()
    yield "pages.pdf", pdf([[]] * 1_001)


def odd_tables() -> Iterator[tuple[str, bytes]]:
    yield "quote.csv", GOOD["csv"] + b'"never closed,a\n' + b"Where?,In every store.\n" * 3_000
    yield "quotes.csv", GOOD["csv"] + b'"a"b,c\n' * 500 + b"Where?,In every store.\n"
    yield "nul.csv", GOOD["csv"].replace(b"When", b"Wh\0en")
    yield "wide.csv", b"question,answer" + b",x" * 40_000 + b"\nHow?," + TEXT.encode() + b"\n"
    yield "header.csv", b"question,answer\n"
    yield "formula.csv", b"question,answer\nHow?,=cmd|' /C calc'!A0\n"
    yield "bidi.csv", "question,answer\nHow?,a\u202etxt.exe STOP\u2066\n".encode()
    yield "surrogate.jsonl", b'{"title": "a", "text": "half \\ud800 pair"}\n' + GOOD["jsonl"]
    yield "number.jsonl", b"1" * 5_000 + b"\n" + b'{"text": 1e999}\n' + GOOD["jsonl"]
    yield "twice.jsonl", b'{"text": "a", "text": "b"}\n' + GOOD["jsonl"]


def strange_names() -> Iterator[tuple[str, bytes]]:
    for name in (
        "new\nline.html",
        "-rf.html",
        "dots..in..html",
        "😀.html",
        "a" * 200 + ".html",
        "退货 说明.html",
        "%2e%2e.html",
    ):
        yield name, GOOD["html"]
    for suffix in ("doc", "xls", "pptx", "zip", "txt", "json", "rtf", "odt"):
        yield f"other.{suffix}", b"x"


def make(folder: Path, secret: Path) -> list[str]:
    """The folder with everything in it; returns the names of the hostile files."""
    (folder / "situations.toml").write_text(
        '[returns]\nnames = {zh-Hans = "退货", zh-Hant = "退貨", en = "returns"}\nexamples = ["return it"]\n'
    )
    articles = folder / "articles"
    (articles / "good").mkdir(parents=True)
    (articles / "native.en.md").write_text(NATIVE)
    for kind, data in GOOD.items():
        (articles / "good" / f"good.{kind}").write_bytes(data)
    families = [cut(), damaged(), disguised(), encoded(), large(), bombs(), scripts(), entities(secret), nested()]
    families += [offices(), pdfs(), odd_tables(), strange_names()]
    names = []
    for family in families:
        for name, data in family:
            assert not (articles / name).exists(), name
            (articles / name).write_bytes(data)
            names.append(name)
    (articles / "cycle").symlink_to(articles)
    (articles / "up").symlink_to(folder.parent)
    (articles / "self.html").symlink_to("self.html")
    (articles / "outside.html").symlink_to(secret)
    (articles / "nowhere.md").symlink_to("missing.md")
    (articles / "device.csv").symlink_to("/dev/zero")
    (articles / "folder.pdf").mkdir()
    os.mkfifo(articles / "pipe.jsonl")
    (articles / "unreadable\udcff.docx").write_bytes(b"x")
    deep = articles.joinpath(*["d"] * 25)
    deep.mkdir(parents=True)
    (deep / "deep.html").write_bytes(GOOD["html"])
    links = ["cycle", "up", "self.html", "outside.html", "nowhere.md", "device.csv", "folder.pdf", "pipe.jsonl"]
    return [*names, *links, "unreadable\\xff.docx", "/".join(["d"] * 21)]


READ = """
import json, resource, sys
from pathlib import Path
from assist.knowledge.sources import read_folder
content = read_folder(Path(sys.argv[1]))
# The kernel counts into ru_maxrss what the process was before it became this program; VmHWM is of this program alone.
own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
used = [kilobytes * 1024 for kilobytes in (own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)]
articles = [[a.id, a.title, a.body, *a.questions] for a in content.articles]
print(json.dumps([articles, [[p.path, p.line, p.message] for p in content.problems], dict(content.dropped), used]))
"""


class Result:
    def __init__(self, folder: Path, secret: Path) -> None:
        self.names = make(folder, secret)
        done = subprocess.run([sys.executable, "-c", READ, str(folder)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        articles, problems, self.dropped, (self.own_memory, self.converter_memory) = json.loads(done.stdout)
        self.articles: dict[str, str] = {id_: "\n".join(texts) for id_, *texts in articles}
        self.problems: dict[str, list[str]] = {}
        for path, line, message in problems:
            assert line >= 1 and message
            self.problems.setdefault(path.removeprefix("articles/"), []).append(message)

    def read_from(self, name: str) -> list[str]:
        base = slug(f"articles/{name}")
        return [id_ for id_ in self.articles if id_ == base or id_.startswith(f"{base}.")]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    secret = tmp_path_factory.mktemp("outside") / "secret.html"
    secret.write_text(f"<p>{SECRET}</p>")
    return Result(tmp_path_factory.mktemp("hostile"), secret)


@pytest.mark.timeout(900)
def test_each_file_is_named_or_read(result: Result) -> None:
    assert len(result.names) >= 200
    silent = [name for name in result.names if name not in result.problems and not result.read_from(name)]
    assert silent == []


def test_nothing_else_is_lost(result: Result) -> None:
    assert "native" in result.articles
    for kind, count in {"md": 1, "html": 1, "csv": 2, "jsonl": 3, "docx": 1, "xlsx": 2, "pdf": 1}.items():
        assert len(result.read_from(f"good/good.{kind}")) == count, kind
    assert not any(name.startswith("good/") or name == "native.en.md" for name in result.problems)


def test_good_lines_beside_a_bad_one_are_kept(result: Result) -> None:
    for name, count in {
        "line-50mb.csv": 3,
        "line-50mb.jsonl": 6,
        "line-50mb-quoted.csv": 2,
        "quote.csv": 3_002,
        "deep.jsonl": 3,
        "deep-value.jsonl": 3,
        "twice.jsonl": 3,
    }.items():
        assert len(result.read_from(name)) == count, name
        assert len(result.problems[name]) == 1


def test_memory_is_bounded(result: Result) -> None:
    assert result.own_memory < MAX_OWN_MEMORY
    assert result.converter_memory < MAX_CONVERTER_MEMORY


def test_only_text_comes_in(result: Result) -> None:
    for id_, text in result.articles.items():
        assert "STOLEN" not in text, id_
        assert SECRET not in text, id_
        assert "javascript:" not in text.lower(), id_
        assert not any(char in text for char in "\0\u202e\u2066\ufeff"), id_


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("line-50mb.md", "larger than 1,000,000 bytes"),
        ("line-50mb.html", "larger than 20,000,000 bytes"),
        ("line-50mb.csv", "longer than 100,000 characters"),
        ("line-50mb.jsonl", "longer than 100,000 characters"),
        ("bomb.docx", "a zip bomb?"),
        ("bomb.xlsx", "a zip bomb?"),
        ("parts.docx", "would unzip to more than"),
        ("locked.docx", "protected by a password"),
        ("locked.xlsx", "protected by a password"),
        ("is-ole.docx", "protected by a password or of an old format"),
        ("password.pdf", "protected by a password"),
        ("scanned.pdf", "run OCR first"),
        ("pages.pdf", "more than 1,000 pages"),
        ("no-header.xlsx", "no row among the first names a question and an answer column"),
        ("far.xlsx", "memory"),
        ("cut-30.docx", "cut short, damaged or not an Office file"),
        ("other.doc", ".doc files are not read; save it as .docx"),
        ("cycle", "not followed"),
        ("up", "not followed"),
        ("self.html", "not followed"),
        ("outside.html", "not followed"),
        ("device.csv", "not followed"),
        ("pipe.jsonl", "not a regular file"),
        ("in-shift_jis.md", "UTF-8"),
        ("in-latin-1.html", "UTF-8"),
        ("quotes.csv", "further problems in this file are not listed"),
        ("header.csv", "holds no article"),
    ],
)
def test_the_problem_says_what_to_do(result: Result, name: str, said: str) -> None:
    assert any(said in message for message in result.problems[name]), result.problems[name]


@pytest.mark.parametrize(
    "name",
    [
        *(
            f"in-{encoding}.{kind}"
            for encoding in ENCODINGS[:3] + ENCODINGS[5:7]
            for kind in ("md", "html", "csv", "jsonl")
            if encoding != "utf-16-le"
        ),
        "macro.docm",
        "macro.xlsm",
        "rows-1m.xlsx",
        "cells-1m.xlsx",
        "deep-div.html",
        "formula.csv",
        "surrogate.jsonl",
        "script.pdf",
        "climbs.docx",
        "new\nline.html",
        "😀.html",
    ],
)
def test_what_is_strange_but_sound_is_read(result: Result, name: str) -> None:
    assert name not in result.problems
    assert result.read_from(name)
