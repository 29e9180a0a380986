"""Measures what is bought together on a retailer's own orders, beside popularity, cosine and association rules.

  scripts/evaluate offers FOLDER                         orders/*.csv in it: order_id, sku, date, quantity
  scripts/evaluate offers FOLDER --leave-out POST,M      *.jsonl in it; postage is no product
  scripts/evaluate offers FOLDER --slice tune            what the constants in assist/knowledge/copurchase.py came from

JSONL lines are baskets, {"items": […]}, or order lines, {"order_id" or "invoice", "sku", "date", "qty"}.
Orders are split by date, or as they stand where there is none: the first 70 % teach, the next 15 % tune, the last 15 %
test; for the test the tune slice teaches too. "rest": each product of an order is hidden and looked for among what the
rest of the order brings. "one": each product alone has to bring another one of its order. Products that were never sold
before cannot be found by anyone and are left out. The last line is one JSON document.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from assist.errors import AssistError, KnowledgeError
from assist.knowledge.copurchase import RIDGE, ease, neighbours, pair_counts
from assist.knowledge.sources.orders import baskets as read_orders
from assist.knowledge.sources.report import Report

SLICES = (0.7, 0.85)
FIRST, DEPTH = 5, 10
RULE_ORDERS = 5
"""Support that a rule needs; the best for either kind of rule among 2, 3 and 5 on the tune slice of UCI."""
SHRINKAGE = 3.0
"""Best among 1, 3, 10 and 30 there."""
OURS = "ours: EASE, its neighbours"
RIDGES = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 400.0)
Basket = frozenset[str]
Matrix = np.ndarray


class Method(NamedTuple):
    """Scores of all products from those in the basket: rows of `weights` added up, or the best of them.

    Popularity is one row that always counts.
    """

    weights: Matrix
    combine: Callable[[Matrix], Matrix] = lambda rows: rows.sum(axis=0)


def main() -> int:
    arguments = parse()
    try:
        found = read(arguments.folder)
    except AssistError as error:
        print(error.message, file=sys.stderr)
        return 1
    left_out = set(filter(None, arguments.leave_out.split(",")))
    orders = [basket for basket in (frozenset(basket) - left_out for basket in found) if basket]
    first, second = (round(len(orders) * share) for share in SLICES)
    is_tune = arguments.slice == "tune"
    taught, asked = (orders[:first], orders[first:second]) if is_tune else (orders[:second], orders[second:])
    skus = sorted(set().union(*taught)) if taught else []
    number = {sku: place for place, sku in enumerate(skus)}
    hidden = [np.array(sorted(number[sku] for sku in basket if sku in number), np.int64) for basket in asked]
    hidden = [places for places in hidden if len(places) > 1]
    if not hidden:
        print("no order with two known products to ask about", file=sys.stderr)
        return 1
    figures = {
        name: measure(method, hidden)
        for name, method in track(
            methods(taught, skus, is_tune).items(), "asking", console=Console(stderr=True), transient=True
        )
    }
    counts = {"orders": len(orders), "taught": len(taught), "asked": len(hidden), "products": len(skus)}
    show(figures, counts)
    document = {"part": "offers", "data": arguments.folder.name, "slice": arguments.slice, **counts, "figures": figures}
    print(json.dumps(document, ensure_ascii=False))
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate offers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--slice", choices=("test", "tune"), default="test", help="what is asked about")
    parser.add_argument("--leave-out", default="", metavar="SKU,…", help="SKUs that are no products, such as postage")
    return parser.parse_args()


def read(folder: Path) -> list[Basket]:
    """Baskets of a folder, the oldest first. Raises KnowledgeError if there are none or a line is broken."""
    lists = sorted(folder.glob("*.jsonl"))
    if lists:
        return _read_lists(lists)
    report = Report()
    found = [basket.skus for basket in read_orders(folder, report)]
    if problems := report.problems():
        raise KnowledgeError(str(problems[0]), problems)
    if not found:
        raise KnowledgeError(f"no orders/*.csv and no *.jsonl in {folder}")
    return found


def _read_lists(paths: Iterable[Path]) -> list[Basket]:
    bought: dict[str, set[str]] = {}
    at: dict[str, datetime] = {}
    for path in paths:
        for line, text in enumerate(path.read_text("utf-8").splitlines(), 1):
            try:
                row = json.loads(text)
                if "items" in row:
                    bought[f"{path.name}:{line}"] = set(row["items"])
                elif row.get("qty", 1) > 0:
                    order = str(row.get("order_id") or row["invoice"])
                    bought.setdefault(order, set()).add(str(row["sku"]))
                    at[order] = _moment(row["date"])
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise KnowledgeError(f"{path.name}:{line}: neither a basket nor an order line: {error!r}") from error
    return [frozenset(bought[order]) for order in sorted(bought, key=lambda order: at.get(order, datetime.min))]


def _moment(text: str) -> datetime:
    """ISO, or month/day/year as in UCI Online Retail."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return datetime.strptime(text, "%m/%d/%Y %H:%M")


def methods(taught: Sequence[Basket], skus: Sequence[str], is_tune: bool) -> dict[str, Method]:
    """The shipped neighbours, baselines and EASE with all its weights, on the tune slice with every ridge tried."""
    together = pair_counts(taught, skus)
    sold = np.diag(together).copy()
    either = sold[:, None] + sold[None, :] - together
    confidence = together / sold[:, None]
    lift = confidence * len(taught) / sold[None, :]
    has_support = together >= RULE_ORDERS
    found = {
        "popularity": Method(np.tile(sold / len(sold), (len(skus), 1)), lambda rows: rows[0]),
        "item-item cosine": Method(together / np.sqrt(np.outer(sold, sold))),
        "rules, best confidence": Method(np.where(has_support, confidence, 0), lambda rows: rows.max(axis=0)),
        "rules, sum of lifts": Method(np.where(has_support, lift, 0)),
        "Jaccard, shrunk": Method(together / (either + SHRINKAGE)),
        "RP3, beta .4": Method(_walks(taught, skus, alpha=0.8, beta=0.4)),
    }
    for ridge in RIDGES if is_tune else (RIDGE,):
        found[f"EASE, ridge {ridge:g}"] = Method(ease(together, ridge))
    found[OURS] = Method(_shipped(taught, skus))
    return found


def _shipped(taught: Sequence[Basket], skus: Sequence[str]) -> Matrix:
    number = {sku: place for place, sku in enumerate(skus)}
    weights = np.zeros((len(skus), len(skus)))
    for sku, near in neighbours(taught).items():
        for neighbour in near:
            weights[number[sku], number[neighbour.sku]] = neighbour.weight
    return weights


def _walks(taught: Sequence[Basket], skus: Sequence[str], *, alpha: float, beta: float) -> Matrix:
    """Random walks of three steps with popular products held down (Paudel et al. 2016, doi:10.1145/2955101)."""
    number = {sku: place for place, sku in enumerate(skus)}
    holds = np.zeros((len(taught), len(skus)))
    for row, basket in enumerate(taught):
        holds[row, [number[sku] for sku in basket]] = 1
    sold = holds.sum(axis=0)
    there = (holds.T / sold[:, None]) ** alpha
    back = (holds / holds.sum(axis=1)[:, None]) ** alpha
    return (there @ back) / sold[None, :] ** beta


def measure(method: Method, hidden: Sequence[Matrix]) -> dict[str, float]:
    """hit-rate@5 and nDCG@10 with the rest of the order known, and with one product of it known."""
    rest: list[tuple[float, float]] = []
    one: list[tuple[float, float]] = []
    gains = 1 / np.log2(np.arange(DEPTH) + 2)
    for places in hidden:
        rows = method.weights[places].astype(float)
        for at, place in enumerate(places):
            scores = method.combine(np.delete(rows, at, axis=0)).copy()
            wanted = scores[place]
            scores[places] = -np.inf
            # Ties go against the hidden product: who knows nothing of it has not found it.
            rank = int((scores >= wanted).sum())
            rest.append((rank < FIRST, float(gains[rank]) if rank < DEPTH else 0.0))
            scores = method.combine(rows[at : at + 1]).copy()
            scores[place] = -np.inf
            is_found = np.isin(np.argsort(-scores, kind="stable")[:DEPTH], places)
            gained = float(gains[: len(is_found)] @ is_found)
            one.append((bool(is_found[:FIRST].any()), gained / gains[: len(places) - 1].sum()))
    names = (f"hit@{FIRST}", f"ndcg@{DEPTH}")
    return {
        f"{name}, {given}": round(float(value), 4)
        for given, found in (("rest", rest), ("one", one))
        for name, value in zip(names, np.mean(found, axis=0), strict=True)
    }


def show(figures: dict[str, dict[str, Any]], counts: dict[str, int]) -> None:
    title = "{orders:,} orders · {taught:,} teach, {asked:,} asked about · {products:,} products".format(**counts)
    table = Table("method", title=title, title_justify="left")
    for column in next(iter(figures.values())):
        table.add_column(column, justify="right")
    for name, row in figures.items():
        table.add_row(name, *(f"{value:.3f}" for value in row.values()))
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(main())
