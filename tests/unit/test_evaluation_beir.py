"""Evaluating a folder in the BEIR layout: what is read, what is refused, and the figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.errors import KnowledgeError
from scripts.evaluation.beir import FIGURES, _figures, as_content, read

ROOT = Path(__file__).resolve().parents[2]
CORPUS = [
    {"_id": "late", "title": "包裹迟到", "text": "超过 48 小时没有物流更新，我们会请承运商查件，24 小时内答复。"},
    {"_id": "refund", "title": "", "text": "退款在收到退货后 2 个工作日内审核，支付宝 1 到 3 天到账。"},
    {"_id": "warranty", "title": "Warranty", "text": "Small appliances are covered for 24 months from delivery."},
]
QUERIES = [
    {"_id": "q1", "text": "快递三天没动了"},
    {"_id": "q2", "text": "how long is the guarantee on a blender"},
    {"_id": "q3", "text": "你们老板姓什么"},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\tlate\t1\nq2\twarranty\t2\n"


def write(folder: Path, *, corpus: list = CORPUS, queries: list = QUERIES, qrels: str = QRELS) -> Path:
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "qrels.tsv").write_text(qrels, encoding="utf-8")
    return folder


def test_reads_documents_queries_and_grades(tmp_path: Path) -> None:
    data = read(write(tmp_path))
    assert data.documents["late"][0] == "包裹迟到"
    assert data.judged == {"q1": {"late": 1.0}, "q2": {"warranty": 2.0}}
    languages = {article.id: article.language for article in as_content(data.documents).articles}
    assert languages == {"late": "zh-Hans", "refund": "zh-Hans", "warranty": "en"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"corpus": [{"_id": "x"}]}, "corpus.jsonl:1: needs _id and text"),
        ({"queries": [*QUERIES, ["list"]]}, "queries.jsonl:4: needs _id and text"),
        ({"qrels": "q1 late 1\n"}, "qrels.tsv:1: needs query-id"),
        ({"qrels": "q1\tlate\tgood\n"}, "qrels.tsv:1: could not convert"),
    ],
)
def test_names_the_line_that_is_wrong(tmp_path: Path, change: dict, said: str) -> None:
    with pytest.raises(KnowledgeError, match=said.replace(".", r"\.")):
        read(write(tmp_path, **change))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"corpus\.jsonl"):
        read(tmp_path)


def test_figures_by_hand() -> None:
    figures = _figures([{"a": 1.0, "b": 1.0}, {"c": 1.0}, {}], [["x", "a"], ["c"], ["a"]])
    assert figures["recall@1"] == 0.5 and figures["recall@5"] == 0.75
    assert figures["hit@1"] == 0.5 and figures["hit@5"] == 1.0
    assert figures["mrr@10"] == 0.75
    assert figures["ndcg@10"] == pytest.approx((0.6309 / 1.6309 + 1) / 2, abs=1e-4)


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True, max_size=6), min_size=1, max_size=5))
def test_figures_stay_between_nothing_and_all(ranked: list[list[str]]) -> None:
    figures = _figures([{"a": 2.0, "b": 1.0}] * len(ranked), ranked)
    assert set(figures) == set(FIGURES)
    assert all(0 <= value <= 1 for value in figures.values())
    assert figures["recall@1"] <= figures["recall@5"] <= figures["hit@5"]


def test_the_command_measures_a_folder_with_baselines(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts/evaluation/retrieval.py"), str(write(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    result = json.loads(done.stdout.strip().rsplit("\n", 1)[-1])
    assert result["n_queries"] == 2 and result["n_without_answer"] == 1
    assert {"recall@1", "recall@5", "mrr@10", "ndcg@10", "no_answer_auroc"} <= set(result)
    assert set(result["baselines"]) == {"bm25", "dense", "rrf"}
    assert result["recall@5"] == 1.0


def test_a_broken_folder_ends_with_a_sentence(tmp_path: Path) -> None:
    write(tmp_path, corpus=[{"text": "no id"}])
    command = [sys.executable, str(ROOT / "scripts/evaluation/retrieval.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "corpus.jsonl:1" in done.stderr and "Traceback" not in done.stderr
