"""What is bought together: EASE over a retailer's own orders, computed when the index is built, then only looked up.

EASE is a linear item-item model with a closed form (Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data",
arXiv:1905.03375): each product is predicted from the others by ridge regression, so that a product that is bought
because of a third one gets no weight of its own, which counts and cosines cannot tell.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

RIDGE: Final = 20.0
"""Chosen among 5, 10, 20, 50, 100, 200 and 400 on the tune slice of UCI Online Retail (scripts/evaluate offers)."""
MIN_ORDERS: Final = 3
"""Orders with both products below which two of them together are chance: such a pair is never told."""
NEIGHBOURS: Final = 20
"""Products kept that speak for each, and as many against: hit-rate@5 on the tune slice .187, with all of them .189."""
MAX_PRODUCTS: Final = 3000
"""The best sellers that are looked at: the inverse of their matrix takes 70 MB and a few seconds of a build."""

Matrix = NDArray[np.float64]


class Neighbour(NamedTuple):
    """A product with what another one in the basket says for or against it, and in how many orders both were."""

    sku: str
    weight: float
    orders: int


def neighbours(baskets: Sequence[Collection[str]]) -> dict[str, tuple[Neighbour, ...]]:
    """For each product those bought together with it, the strongest first; none where the orders are too few.

    After them come those that it speaks against, with a negative weight: one battery in the basket, not another.
    """
    counts = Counter(sku for basket in baskets for sku in set(basket))
    skus = sorted(sku for sku, count in counts.most_common(MAX_PRODUCTS) if count >= MIN_ORDERS)
    together = pair_counts(baskets, skus)
    weights = ease(together, RIDGE)
    told = np.where((together >= MIN_ORDERS) | (weights < 0), weights, 0.0)
    found = {}
    for number, sku in enumerate(skus):
        order = np.argsort(-told[number], kind="stable")
        chosen = [other for other in order[:NEIGHBOURS] if told[number, other] > 0]
        if chosen:
            chosen += [other for other in order[-NEIGHBOURS:] if told[number, other] < 0]
            found[sku] = tuple(
                Neighbour(skus[other], round(float(told[number, other]), 4), int(together[number, other]))
                for other in chosen
            )
    return found


def pair_counts(baskets: Sequence[Collection[str]], skus: Sequence[str]) -> Matrix:
    """In how many baskets each two of the products are [products, products]; on the diagonal, in how many each is."""
    number = {sku: place for place, sku in enumerate(skus)}
    counts = np.zeros((len(skus), len(skus)))
    for basket in baskets:
        places = np.array(sorted({number[sku] for sku in basket if sku in number}), np.int64)
        counts[np.ix_(places, places)] += 1
    return counts


def ease(together: Matrix, ridge: float) -> Matrix:
    """Weights [from, to] of EASE: what a product in the basket adds to the score of another (equation 8 there)."""
    if not len(together):
        return together
    inverse = np.linalg.inv(together + ridge * np.eye(len(together)))
    weights: Matrix = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def as_json(found: Mapping[str, Sequence[Neighbour]]) -> dict[str, list[list[str | float | int]]]:
    """The neighbours in plain lists."""
    return {sku: [list(neighbour) for neighbour in near] for sku, near in found.items()}


def from_json(values: Mapping[str, Sequence[Sequence[object]]]) -> dict[str, tuple[Neighbour, ...]]:
    """Neighbours from what `as_json` gave. Raises ValueError or TypeError if it is something else."""
    return {
        sku: tuple(Neighbour(str(name), float(str(weight)), int(str(orders))) for name, weight, orders in near)
        for sku, near in values.items()
    }
