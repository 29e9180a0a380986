"""Readers on anything that may stand in a file: records and named problems, never another exception."""

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assist.errors import KnowledgeError, Problem
from assist.knowledge.passages import answer_of, headings_of, split, steps_of
from assist.knowledge.sources import Content, read_folder
from assist.knowledge.sources.blocks import clean, of_html, of_text
from assist.knowledge.sources.documents import articles_of
from assist.knowledge.sources.report import Report

SAMPLE = Path(__file__).parent.parent / "data" / "knowledge"
FILES = [
    "articles/late-parcel.en.md",
    "cases/cases.jsonl",
    "phrases/phrases.jsonl",
    "products/products.jsonl",
    "situations.toml",
    "glossary.txt",
    "articles/faq.csv",
    "articles/faq.jsonl",
    "cases/columns.toml",
    "cases/desk.csv",
    "cases/desk.jsonl",
]
FOREIGN = {
    "articles/faq.csv": 'question,answer,tags,valid_until\nHow long?,"Up to 7 days.\n1. Wait\n2. Ask",a;b,2030-01-31\n',
    "articles/faq.jsonl": '{"id": "gift", "title": "Gift cards", "text": "Valid for 3 years.", "tags": ["a"]}\n',
    "cases/columns.toml": """[[export]]
files = ["desk.*"]
csat_scale = [0, 10]
[export.columns]
ticket = "id"
asked = "problem"
answered = "reply"
state = "outcome"
mark = "csat"
closed = "closed_at"
[export.values.outcome]
solved = "resolved"
""",
    "cases/desk.csv": "ticket,asked,answered,state,mark,closed\n"
    "7,My kettle leaks at the bottom,We send you a new kettle today and collect the old one,Solved,10,2026-05-01\n",
    "cases/desk.jsonl": json.dumps(
        {
            "ticket": 8,
            "asked": "The lamp flickers all evening",
            "answered": "Please change the bulb first; if it goes on we exchange the lamp",
            "state": "solved",
            "mark": 8,
            "closed": "2026-05-02T10:00:00Z",
        }
    ),
}


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as root:
        folder = Path(shutil.copytree(SAMPLE, Path(root) / "knowledge"))
        for name, text in FOREIGN.items():
            (folder / name).write_text(text)
        content = read_folder(folder, strict=True)
        assert {article.id for article in content.articles} >= {"faq.csv.r2", "gift"}
        assert {case.id for case in content.cases} >= {"desk.7", "desk.8"}
        yield folder


def read_with(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    before = path.read_bytes()
    try:
        path.write_bytes(data)
        content = read_folder(folder)
        assert isinstance(content, Content)
        problems = content.problems
        # What an index keeps of it, as it keeps it.
        json.dumps(asdict(content), default=str, ensure_ascii=False).encode()
    except KnowledgeError as error:
        assert error.problems
        problems = error.problems
    finally:
        path.write_bytes(before)
    assert all(isinstance(problem, Problem) and problem.line >= 1 for problem in problems)


@given(name=st.sampled_from(FILES), data=st.binary(max_size=300))
@example(name=FILES[0], data=b"---\n\xc2\x85: &a [*a]\n---\n")
@example(name=FILES[0], data=b"---\n&a a: *a\n---\nx")
@example(name=FILES[0], data=b"---\n!!python/object:os.system x\n---\nx")
@example(name=FILES[1], data=b'{"id": 1e999}')
@example(name=FILES[1], data=b"1" * 5000)
@example(name="articles/faq.jsonl", data=b'{"id": "\\ud800", "title": "a", "text": "half a pair", "tags": ["\\udfff"]}')
@example(name="cases/desk.jsonl", data=b'{"ticket": "\\ud800", "asked": ["a"], "answered": {}, "state": "solved"}')
@example(name=FILES[4], data=b"a = 1\nsmall_talk.names = []")
def test_any_bytes(folder, name, data):
    read_with(folder, name, data)


@settings(max_examples=60)
@given(st.data())
def test_a_valid_file_with_something_else_in_it(folder, data):
    name = data.draw(st.sampled_from(FILES))
    text = (folder / name).read_bytes()
    at = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 40))
    junk = data.draw(
        st.one_of(st.binary(max_size=20), st.text(max_size=20).map(lambda t: t.encode("utf-8", "replace")))
    )
    read_with(folder, name, text[:at] + junk + text[at + length :])


lines = st.sampled_from(
    [
        "## Steps",
        "## 内部说明",
        "## else",
        "1. do it",
        "2) more",
        "",
        "A sentence. Another!",
        "一句话。又一句？",
        "很长" * 200,
        "word " * 300,
    ]
)


@given(st.one_of(st.text(), st.lists(lines, max_size=12).map("\n".join)))
def test_passages_rejoin_to_the_body(body):
    cuts = split(body)
    assert "".join(body[cut.start : cut.end] for cut in cuts) == body
    assert all(cut.start < cut.end for cut in cuts)
    assert all(isinstance(step, str) for step in steps_of(body))
    assert answer_of(body) == answer_of(body).strip()


tags = st.sampled_from(
    ["p", "div", "ol", "ul", "li", "h1", "h2", "table", "tr", "td", "a", "b", "script", "style", "br"]
)
markup = st.one_of(
    st.text(max_size=12),
    tags.map("<{}>".format),
    tags.map("</{}>".format),
    st.sampled_from(
        ["<!--", "-->", "## a", "\n", "1. a\n", "2. b\n", "<h2>Steps</h2>", "<h2>内部说明</h2>", "<p hidden>", "&lt;"]
    ),
)


@given(st.lists(markup, max_size=30).map("".join))
def test_any_document_becomes_sound_articles(text):
    for blocks in (of_html(text)[1], of_text(text)):
        assert all(block.text and block.text == clean(block.text) for block in blocks)
        made = articles_of("articles/a.html", blocks, "title", Report())
        assert len({article.id for article in made}) == len(made)
        for article in made:
            assert article.title and article.body == article.body.strip("\n")
            assert answer_of(article.body) or steps_of(article.body) or article.audience == "agent"
            found = [heading.lower() for _, heading in headings_of(article.body)]
            assert set(found) <= {block.text.lower() for block in blocks} | {"steps", "步骤", "步驟"}
