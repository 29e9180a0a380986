"""Judged queries and the figures computed from them."""

import json

import numpy as np
import pytest
from made_encodings import encoding

from assist.errors import KnowledgeError
from assist.knowledge.judgements import Judgement, auroc, mrr_at, rank_of, read_judgements, recall_at


class Remembering:
    """An encoder that notes what it was asked and before what."""

    def __init__(self):
        self.asked = []

    def encode_query(self, text, context=()):
        self.asked.append((text, [speaker for speaker, _ in context]))
        return encoding(vector=np.full(4, len(self.asked), np.float32))


def test_a_query_is_read_after_the_turns_before_it():
    context = (("customer", "退了"), ("agent", "好"), ("customer", "还没到"))
    encoder = Remembering()
    vector = Judgement("那怎么办", "zh-Hans", context, None).vector(encoder)
    assert encoder.asked == [
        ("退了", []),
        ("好", ["customer"]),
        ("还没到", ["customer", "agent"]),
        ("那怎么办", ["customer", "agent", "customer"]),
    ]
    assert vector[0] == 4


def test_the_context_keeps_who_spoke(tmp_path):
    row = {
        "query": "还没呢",
        "language": "zh-Hans",
        "context": [["customer", "退了"], ["agent", "好"]],
        "article": None,
    }
    path = tmp_path / "judged.jsonl"
    path.write_text(json.dumps(row) + "\n\n")
    (judged,) = read_judgements(path)
    assert judged.context == (("customer", "退了"), ("agent", "好")) and judged.article is None


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"query": "x"}',
        '{"query": "x", "language": "fr", "article": null}',
        '{"query": "x", "language": "en", "context": [["boss", "y"]], "article": null}',
    ],
)
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "judged.jsonl"
    path.write_text("\n" + line)
    with pytest.raises(KnowledgeError, match=r"judged\.jsonl:2: not a judged query"):
        read_judgements(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(KnowledgeError, match="cannot read judged queries"):
        read_judgements(tmp_path / "none.jsonl")


def test_figures():
    assert rank_of("b", ["a", "b"]) == 2 and rank_of("c", ["a", "b"]) is None
    assert recall_at(1, [1, 2, None, 1]) == 0.5 and recall_at(5, [1, 2, None, 6]) == 0.5
    assert mrr_at(10, [1, 2, None, 11]) == pytest.approx(1.5 / 4)
    assert auroc([0.9, 0.5], [0.5, 0.1]) == pytest.approx(0.875)
    assert auroc([0.1], [0.9]) == 0
