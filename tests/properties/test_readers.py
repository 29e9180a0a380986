"""Readers on anything that may stand in a file: records or a KnowledgeError, never another exception."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assist.errors import KnowledgeError, Problem
from assist.knowledge.passages import answer_of, split, steps_of
from assist.knowledge.readers import Content, read_folder

SAMPLE = Path(__file__).parent.parent / "data" / "knowledge"
FILES = [
    "articles/late-parcel.en.md",
    "cases/cases.jsonl",
    "phrases/phrases.jsonl",
    "products/products.jsonl",
    "situations.toml",
    "glossary.txt",
]


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as root:
        yield Path(shutil.copytree(SAMPLE, Path(root) / "knowledge"))


def read_with(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    before = path.read_bytes()
    try:
        path.write_bytes(data)
        assert isinstance(read_folder(folder), Content)
    except KnowledgeError as error:
        assert error.problems and all(isinstance(p, Problem) and p.line >= 1 for p in error.problems)
    finally:
        path.write_bytes(before)


@given(name=st.sampled_from(FILES), data=st.binary(max_size=300))
@example(name=FILES[0], data=b"---\n\xc2\x85: &a [*a]\n---\n")
@example(name=FILES[0], data=b"---\n&a a: *a\n---\nx")
@example(name=FILES[0], data=b"---\n!!python/object:os.system x\n---\nx")
@example(name=FILES[1], data=b'{"id": 1e999}')
@example(name=FILES[1], data=b"1" * 5000)
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
