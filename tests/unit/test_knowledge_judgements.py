"""Judged queries and the figures computed from them."""

import json

import pytest

from assist.errors import KnowledgeError
from assist.knowledge.judgements import auroc, mrr_at, rank_of, read_judgements, recall_at


def test_only_the_customers_context_is_kept(tmp_path):
    row = {
        "query": "还没呢",
        "language": "zh-Hans",
        "context": [["customer", "退了"], ["agent", "好"]],
        "article": None,
    }
    path = tmp_path / "judged.jsonl"
    path.write_text(json.dumps(row) + "\n\n")
    (judged,) = read_judgements(path)
    assert judged.context == ("退了",) and judged.article is None


@pytest.mark.parametrize("line", ["{", "[]", '{"query": "x"}', '{"query": "x", "language": "fr", "article": null}'])
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
