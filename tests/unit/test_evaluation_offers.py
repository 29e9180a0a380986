"""Evaluating what is bought together: what is read, the figures of a planted pattern, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assist.errors import KnowledgeError
from scripts.evaluation.offers import OURS, Method, measure, methods, read

ROOT = Path(__file__).resolve().parents[2]


def planted(orders: int) -> list[list[str]]:
    """Pairs that go together, each with something that nearly everybody buys."""
    return [[f"cup-{n % 5}", f"saucer-{n % 5}", *(["bag"] if n % 10 else [])] for n in range(orders)]


def write(folder: Path, rows: list[dict[str, object]]) -> Path:
    (folder / "orders.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return folder


def test_finds_a_planted_pair_that_popularity_misses() -> None:
    skus = sorted({sku for basket in planted(100) for sku in basket})
    hidden = [np.array([skus.index(f"cup-{n}"), skus.index(f"saucer-{n}")]) for n in range(5)]
    found = methods([frozenset(basket) for basket in planted(100)], skus, is_tune=False)
    assert measure(found[OURS], hidden)["ndcg@10, rest"] == 1
    assert measure(found["popularity"], hidden)["ndcg@10, rest"] < 0.7


def test_figures_are_those_of_the_ranks() -> None:
    weights = np.zeros((8, 8))
    weights[0] = [0, 3, 2, 9, 8, 7, 6, 5]
    found = measure(Method(weights), [np.array([0, 1])])
    # With 0 known, five come before 1. With 1 known, of which nothing is known, all six others come before 0.
    assert found["hit@5, rest"] == 0
    assert found["ndcg@10, rest"] == round((1 / np.log2(7) + 1 / np.log2(8)) / 2, 4)


def test_order_lines_are_grouped_and_put_in_order(tmp_path: Path) -> None:
    rows = [
        {"invoice": "2", "sku": "b", "date": "12/1/2010 8:45", "qty": 1},
        {"invoice": "1", "sku": "a", "date": "11/30/2010 8:45", "qty": 1},
        {"invoice": "2", "sku": "c", "date": "12/1/2010 8:45", "qty": -1},
        {"order_id": "2", "sku": "d", "date": "2010-12-01"},
    ]
    assert read(write(tmp_path, rows)) == [{"a"}, {"b", "d"}]


@pytest.mark.parametrize("row", [{"sku": "a"}, {"items": 3}, {"invoice": "1", "sku": "a", "date": "soon"}])
def test_names_the_line_that_is_wrong(tmp_path: Path, row: dict[str, object]) -> None:
    with pytest.raises(KnowledgeError, match=r"orders\.jsonl:2"):
        read(write(tmp_path, [{"items": ["a"]}, row]))


def test_the_program_ends_with_one_json_document(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    lines = [f"o{n},{sku},2026-01-{n % 28 + 1:02}" for n, basket in enumerate(planted(100)) for sku in basket]
    (tmp_path / "orders" / "export.csv").write_text("order_id,sku,date\n" + "\n".join(lines), "utf-8")
    program = [sys.executable, str(ROOT / "scripts/evaluation/offers.py"), str(tmp_path), "--leave-out", "bag"]
    run = subprocess.run(program, capture_output=True, text=True, check=True)
    document = json.loads(run.stdout.splitlines()[-1])
    assert document["figures"][OURS]["hit@5, rest"] == 1
    assert document["products"] == 10


def test_a_folder_without_orders_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="no orders"):
        read(tmp_path)
