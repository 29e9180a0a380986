"""The customer in the talk: which order is meant, which products, what fills the slots."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache

from assist.domain import ArticleLanguage, Customer, Order, Product

PENDING = frozenset({"refund_pending", "return_pending"})
"""Statuses of an order line on its way back."""

_ORDER_ID = re.compile(r"(?<![0-9A-Za-z])[A-Z]{2}\d{8}-\d{3,6}(?!\d)", re.IGNORECASE)
_HAN_RUN = re.compile(r"[㐀-鿿]{2,}")
_WORD = re.compile(r"[a-z]{4,}")
_COMMON_WORDS = frozenset(
    "with from your this that have what when white black grey green blue home pack piece size".split()
)
_SHARED_HAN = 3
"""Han characters in a row that a title and a sentence must share: two occur by chance (不锈, 自动), three hardly do."""


def mentions(text: str, title: str) -> bool:
    """Whether the text speaks of the thing with this title: a shared run of Han characters or a telling word."""
    lowered = text.lower()
    pieces, words = _marks(title)
    if any(piece in lowered for piece in pieces):
        return True
    shared = words.intersection(_WORD.findall(lowered)) if words else words
    return len(shared) >= 2 or any(len(word) >= 6 for word in shared)


@lru_cache(8192)  # titles only: what customers say is not kept beside the conversation
def _marks(title: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """What in a text tells the thing: runs of Han characters, telling words."""
    title = title.lower()
    runs = ((run, min(_SHARED_HAN, len(run))) for run in _HAN_RUN.findall(title))
    pieces = {run[i : i + size]: None for run, size in runs for i in range(len(run) - size + 1)}
    return tuple(pieces), frozenset(_WORD.findall(title)) - _COMMON_WORDS


def order_meant(customer: Customer, texts: Iterable[str]) -> Order | None:
    """The one order that the talk is about: named by its id, else by its product, else the only one under way."""
    texts = list(texts)
    ids = {match.upper() for text in texts for match in _ORDER_ID.findall(text)}
    named = [order for order in customer.orders if order.id.upper() in ids]
    if not named:
        named = [order for order in customer.orders if any(mentions(text, order.title) for text in texts)]
    if not named:
        named = [order for order in customer.orders if order.status in ("paid", "shipped", *PENDING)]
    return named[0] if len({order.id for order in named}) == 1 and len(named) == 1 else None


def talked_about(
    customer: Customer, products: Mapping[str, Product], texts: Iterable[str], order: Order | None
) -> tuple[Product, ...]:
    """Catalogue products among the customer's orders, cart and views that the talk mentions, the order's first."""
    texts = list(texts)
    skus: dict[str, None] = {}
    known = [(item.sku, item.title) for item in (*customer.cart, *customer.viewed)]
    known += [(bought.sku, bought.title) for bought in customer.orders]
    for sku, title in known:
        if any(mentions(text, title) for text in texts):
            skus.setdefault(sku)
    if order is not None and order.sku in skus:
        skus = {order.sku: None, **skus}
    return tuple(products[sku] for sku in skus if sku in products)


def slots_of(customer: Customer, order: Order | None, language: ArticleLanguage, product: str | None) -> dict[str, str]:
    """What phrases may say: only what is known for certain has a key."""
    slots: dict[str, str] = {}
    if customer.name and customer.name.strip():
        name = customer.name.strip()
        slots["name"] = name.split()[0] if name.isascii() else name
    if order is not None:
        if order.id:  # empty after a restart: the log keeps no order numbers
            slots["order_id"] = order.id
        slots["amount"] = f"¥{order.price:g}"
        if order.placed_at is not None:
            slots["date"] = spoken_date(order.placed_at.date(), language)
    if product:
        slots["product"] = product
    return slots


def spoken_date(day: date, language: ArticleLanguage) -> str:
    """A date as it is said in a sentence: 11月8日, 8 November."""
    return f"{day.day} {day:%B}" if language == "en" else f"{day.month}月{day.day}日"
