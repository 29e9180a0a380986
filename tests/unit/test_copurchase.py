"""What is bought together: against ridge regressions solved one by one, and from the export to the index."""

from pathlib import Path

import numpy as np
import pytest
from hashing_encoder import HashingEncoder
from hypothesis import given
from hypothesis import strategies as st

from assist.knowledge.copurchase import MIN_ORDERS, as_json, ease, from_json, neighbours, pair_counts
from assist.knowledge.index import IndexStore, build
from assist.knowledge.sources import read_folder
from assist.knowledge.sources.orders import baskets
from assist.knowledge.sources.report import Report

KNOWLEDGE = Path(__file__).resolve().parents[1] / "data" / "knowledge"
SITUATIONS = KNOWLEDGE / "situations.toml"
SKUS = "abcde"
some_baskets = st.lists(st.frozensets(st.sampled_from(SKUS), min_size=1), min_size=1, max_size=40)


@given(some_baskets, st.floats(0.5, 50))
def test_ease_is_one_ridge_regression_a_product(orders: list[frozenset[str]], ridge: float) -> None:
    holds = np.array([[sku in basket for sku in SKUS] for basket in orders], float)
    weights = ease(pair_counts(orders, SKUS), ridge)
    for product in range(len(SKUS)):
        others = [number for number in range(len(SKUS)) if number != product]
        known = holds[:, others]
        solved = np.linalg.solve(known.T @ known + ridge * np.eye(len(others)), known.T @ holds[:, product])
        assert np.allclose(weights[others, product], solved)
        assert weights[product, product] == 0


@given(some_baskets)
def test_neighbours_have_support_and_survive_json(orders: list[frozenset[str]]) -> None:
    found = neighbours(orders)
    for sku, near in found.items():
        for neighbour in near:
            both = sum({sku, neighbour.sku} <= basket for basket in orders)
            assert neighbour.orders == both
            assert both >= MIN_ORDERS or neighbour.weight < 0
            assert neighbour.sku != sku
        assert [n.weight for n in near] == sorted((n.weight for n in near), reverse=True)
    assert from_json(as_json(found)) == found


def test_a_pair_that_a_third_product_explains_weighs_little() -> None:
    # Filters and bags both go with the machine; with it in the basket the one says little of the other.
    orders = [{"machine", "filter"}] * 10 + [{"machine", "bag"}] * 10 + [{"filter", "bag", "machine"}] * 4
    orders += [{"other"}] * 20
    weights = {n.sku: n.weight for n in neighbours(orders)["filter"]}
    assert weights["machine"] > 3 * weights.get("bag", 0)


def knowledge_folder(folder: Path, lines: str) -> Path:
    (folder / "orders").mkdir(parents=True)
    (folder / "orders" / "export.csv").write_text(lines, "utf-8")
    (folder / "products").mkdir()
    for file in (KNOWLEDGE / "products").iterdir():
        (folder / "products" / file.name).write_bytes(file.read_bytes())
    return folder


def test_order_lines_become_baskets_by_date(tmp_path: Path) -> None:
    lines = "订单号,商品编号,日期,数量\nB,x,2026-03-02 10:00,1\nA,y,2026/01/05,2\nB,y,2026-03-02,\nB,z,2026-03-02,-1\n"
    report = Report()
    found = baskets(knowledge_folder(tmp_path, lines), report)
    assert [(basket.order, sorted(basket.skus)) for basket in found] == [("A", ["y"]), ("B", ["x", "y"])]
    assert not report.problems()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("order,product\nA,x\n", "orders/export.csv:1: its first line has to name a column order_id and a column sku"),
        ("order_id,sku\nA,x\nA,\n", "orders/export.csv:3: an order line needs an order_id and a sku"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, lines: str, said: str) -> None:
    report = Report()
    baskets(knowledge_folder(tmp_path, lines), report)
    assert str(report.problems()[0]) == said


@given(st.binary(max_size=300))
def test_no_file_of_orders_stops_a_build(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = knowledge_folder(tmp_path_factory.mktemp("orders"), "")
    (folder / "orders" / "export.csv").write_bytes(b"order_id,sku\n" + data)
    for basket in baskets(folder, Report()):
        assert basket.order
        assert all(basket.skus)


def test_an_index_knows_what_is_bought_together(tmp_path: Path) -> None:
    rows = [f"o{n},{sku}" for n in range(8) for sku in ("T-KIT-0001", "T-KIT-0002", "POST")]
    folder = knowledge_folder(tmp_path / "knowledge", "order_id,sku\n" + "\n".join(rows) + "\no9,T-AUD-0001\n")
    (folder / "situations.toml").write_text(SITUATIONS.read_text("utf-8"), "utf-8")
    content = read_folder(folder)
    assert len(content.baskets) == 9
    manifest = build(content, tmp_path / "index", HashingEncoder())
    knowledge = IndexStore(tmp_path / "index").open(manifest.id)
    (near,) = knowledge.together["T-KIT-0001"]
    assert (near.sku, near.orders) == ("T-KIT-0002", 8)
    assert "T-AUD-0001" not in knowledge.together
