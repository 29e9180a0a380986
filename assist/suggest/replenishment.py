"""What a customer bought to use up, and is about to run out of."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from assist.domain import Order, Product

SAME_PURCHASE_DAYS = 7
"""Orders closer together than this are one purchase of a larger amount."""
DUE_FROM, DUE_UNTIL = 0.85, 2.0
"""Shares of the interval after the last purchase: before it there is enough, after it they buy elsewhere by now."""


class Due(NamedTuple):
    """A consumable that is about used up: bought last on a day, lasting so many days by the customer's own habit."""

    product: Product
    bought_on: date
    days: int
    is_habit: bool


def due(orders: Iterable[Order], products: Mapping[str, Product], now: datetime) -> Iterator[Due]:
    """Consumables among the orders that are due, by the customer's own interval or else the product's `lasts_days`.

    `orders` are those that were kept. One without a date, and a product that says neither, are passed over.
    """
    bought: dict[str, set[date]] = {}
    for order in orders:
        if order.placed_at is not None and order.sku in products and products[order.sku].consumable:
            bought.setdefault(order.sku, set()).add(order.placed_at.date())
    for sku, days in bought.items():
        own = _interval(sorted(days))
        interval = own or products[sku].lasts_days
        if interval and DUE_FROM * interval <= (now.date() - max(days)).days <= DUE_UNTIL * interval:
            yield Due(products[sku], max(days), interval, own is not None)


def _interval(days: list[date]) -> int | None:
    gaps = [(after - before).days for before, after in pairwise(days)]
    gaps = [gap for gap in gaps if gap >= SAME_PURCHASE_DAYS]
    return round(median(gaps)) if gaps else None
