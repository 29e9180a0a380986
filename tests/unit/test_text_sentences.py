"""Sentences and their places."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.text.sentences import LONGEST, sentences


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("……！！", []),
        ("退款呢？都三天了！", ["退款呢？", "都三天了！"]),
        ("Hi. It costs 3.50 a piece. OK", ["Hi.", "It costs 3.50 a piece.", "OK"]),
        ("“好的。”他说", ["“好的。”", "他说"]),
        ("one\n\n two ", ["one", "two"]),
    ],
)
def test_where_sentences_end(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == found


@given(st.one_of(st.text(), st.text(alphabet="a。.,， \n我1", max_size=1500)))
def test_nothing_said_is_lost_and_no_piece_is_long(text: str) -> None:
    found = list(sentences(text))
    assert all(0 <= start < end <= len(text) and end - start <= LONGEST for start, end in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    kept = "".join(text[start:end] for start, end in found)
    assert [char for char in kept if char.isalnum()] == [char for char in text if char.isalnum()]
