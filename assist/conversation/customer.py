"""The customer across channels: which order is meant, what fills the slots, what the history demands."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from assist.domain import ArticleLanguage, Channel, Customer, Emotion, Order, Product
from assist.suggest import policy
from assist.suggest.moment import HistoryFact
from assist.suggest.offers import owned_skus, title_of
from assist.suggest.wording import say

REPEAT_WINDOW = timedelta(days=7)
REPEAT_CONTACTS = 3
HIGH_VALUE_SPEND = 8000.0
"""Spend that counts as high value like the highest tier itself; the demo retailer's cut for that tier."""

_REFUND_SITUATIONS = frozenset({"refund_time", "refund_missing", "return_how", "return_policy"})
_SIZE_SITUATIONS = frozenset({"exchange_size_colour", "product_choice", "product_compare"})
_PENDING = frozenset({"refund_pending", "return_pending"})
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
    lowered, title = text.lower(), title.lower()
    for run in _HAN_RUN.findall(title):
        size = min(_SHARED_HAN, len(run))
        if any(run[i : i + size] in lowered for i in range(len(run) - size + 1)):
            return True
    words = set(_WORD.findall(lowered)) - _COMMON_WORDS
    title_words = set(_WORD.findall(title)) - _COMMON_WORDS
    shared = words & title_words
    return len(shared) >= 2 or any(len(word) >= 6 for word in shared)


def order_meant(customer: Customer, texts: Iterable[str]) -> Order | None:
    """The one order that the talk is about: named by its id, else by its product, else the only one under way."""
    texts = list(texts)
    ids = {match.upper() for text in texts for match in _ORDER_ID.findall(text)}
    named = [order for order in customer.orders if order.id.upper() in ids]
    if not named:
        named = [order for order in customer.orders if any(mentions(text, order.title) for text in texts)]
    if not named:
        named = [order for order in customer.orders if order.status in ("paid", "shipped", *_PENDING)]
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


def history_facts(
    customer: Customer,
    *,
    situation: str | None,
    emotion: Emotion,
    channel: Channel,
    language: ArticleLanguage,
    about: tuple[Product, ...],
    now: datetime,
) -> tuple[HistoryFact, ...]:
    """What the history demands at this moment, each fact with its evidence; nothing that has no bearing on the talk."""
    facts: list[HistoryFact] = []
    is_negative = emotion.polarity == "negative"
    is_presales = situation in policy.PRESALES_SITUATIONS
    recent = [
        contact
        for contact in customer.contacts
        if situation
        and _family(contact.situation) == _family(situation)
        and contact.at <= now <= contact.at + REPEAT_WINDOW
    ]
    if situation and len(recent) + 1 >= REPEAT_CONTACTS:
        latest = max(recent, key=lambda c: c.at)
        facts.append(
            HistoryFact(
                "repeated_contact", _family(situation), {"count": str(len(recent) + 1), "summary": latest.summary}
            )
        )
    for contact in customer.contacts:
        if contact.open and contact.channel != channel and (is_negative or contact.situation == situation):
            values = {
                "channel": say(f"channel.{contact.channel}", language)
                if contact.channel in _CHANNELS
                else contact.channel,
                "date": f"{contact.at:%Y-%m-%d}",
                "summary": contact.summary,
            }
            facts.append(HistoryFact("open_complaint", f"{contact.at:%Y%m%d%H%M}", values))
    if situation in _REFUND_SITUATIONS:
        for order in customer.orders:
            if order.status in _PENDING:
                facts.append(HistoryFact("return_pending", order.id, {"product": order.title, "order_id": order.id}))
    if is_presales:
        facts += _bought_before(customer, about, language)
    spent = sum(o.price for o in customer.orders if o.sku in owned_skus([o]))
    tier = (customer.tier or "").lower()
    if is_negative and (tier == "platinum" or spent >= HIGH_VALUE_SPEND):
        known = tier if tier in ("gold", "platinum") else "none"
        facts.append(HistoryFact("high_value", "tier", {"tier": say(f"tier.{known}", language)}))
    facts += _on_record(customer, situation, is_presales, now)
    return tuple(facts)


_CHANNELS = frozenset({"chat", "voice", "email", "social", "store"})


def _family(situation: str) -> str:
    """What a customer would call the same thing: a late refund and a missing one are both `refund`."""
    return situation.partition("_")[0]


def _bought_before(customer: Customer, about: tuple[Product, ...], language: ArticleLanguage) -> list[HistoryFact]:
    facts = []
    for product in about:
        bought = [o for o in customer.orders if o.sku == product.sku and o.placed_at is not None]
        if bought and product.sku in owned_skus(bought):
            latest = max(o.placed_at for o in bought if o.placed_at is not None)
            values = {"date": f"{latest:%Y-%m-%d}", "product": title_of(product, language)}
            facts.append(HistoryFact("bought_before", product.sku, values))
    return facts


def _on_record(customer: Customer, situation: str | None, is_presales: bool, now: datetime) -> list[HistoryFact]:
    facts = []
    attributes = customer.attributes
    birthday = str(attributes.get("birthday") or "")
    month = re.search(r"(?:^|\D)(\d{1,2})-\d{1,2}$", birthday)
    if month and int(month.group(1)) == now.month and (customer.tier or "").lower() in ("gold", "platinum"):
        facts.append(HistoryFact("birthday", "month", {}))
    allergies = attributes.get("allergies") or attributes.get("allergy")
    if allergies and (is_presales or situation == "skincare_reaction"):
        facts.append(HistoryFact("allergy", "record", {"value": _listed(allergies)}))
    size = next((attributes[k] for k in ("size", "shoe_size", "clothing_size") if attributes.get(k)), None)
    if size and situation in _SIZE_SITUATIONS:
        facts.append(HistoryFact("size_on_record", "record", {"value": _listed(size)}))
    return facts


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
