"""Offers: a product proposed now, with a reason. Gated by `policy.may_offer`; what cannot be bought is never named."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from assist.domain import Order, Product, Source, Suggestion
from assist.suggest import policy
from assist.suggest.moment import Moment
from assist.suggest.wording import say

CONTENT_THRESHOLD = 0.2
"""How well a product must fit what was said, on the scale of `Knowledge.product_search`; set by eye on a few wishes."""

PRICE_BAND = 2.5
"""An offer may cost this many times the median of what the customer buys and looks at, unless a budget was named."""

_COMPLEMENT_SCORE = 0.6
_VIEWED_BONUS = 0.1
_NOT_OWNED = frozenset({"returned", "cancelled", "refund_pending"})
_BUDGET = re.compile(
    r"(?:预算|預算|budget)\D{0,8}?[¥$]?\s*(\d{2,6})"
    r"|(?:under|below|less than|up to|within|max(?:imum)?)\s*(?:of\s*)?(?:[¥$]|rmb)?\s*(\d{2,6})"
    r"|[¥$]?(\d{2,6})\s*(?:元|块|塊|rmb)?\s*(?:以内|以內|以下|之内|之內|内的|內的|左右)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    product: Product
    score: float
    why: str


def offers(moment: Moment) -> list[Suggestion]:
    """Products that fit, best first: what was asked for, what completes what is owned or in the cart."""
    if not policy.may_offer(moment):
        return []
    best: dict[str, _Candidate] = {}
    for candidate in (*_by_content(moment), *_by_complement(moment), *_by_alternative(moment)):
        known = best.get(candidate.product.sku)
        if (known is None or candidate.score > known.score) and _is_allowed(moment, candidate.product):
            best[candidate.product.sku] = candidate
    ranked = sorted(best.values(), key=lambda c: (-c.score, c.product.sku))
    return [_offer(moment, candidate) for candidate in ranked]


def replacements(moment: Moment) -> list[Suggestion]:
    """An in-stock product instead of the one that is the problem: help, shown as a next step and never as a sale."""
    found = []
    for bad in moment.talked_about[:1]:
        choices = [moment.knowledge.products[sku] for sku in bad.alternatives if sku in moment.knowledge.products]
        if bad.stock > 0:
            continue  # the same product again is the better remedy, and the articles say so
        for product in sorted(choices, key=lambda p: abs(p.price - bad.price)):
            if product.stock > 0 and ("product", product.sku) not in moment.shown:
                found.append(_replacement(moment, bad, product))
    return found


def budget_in(text: str) -> float | None:
    """The most that the customer says they would spend, or None."""
    match = _BUDGET.search(text)
    return float(next(group for group in match.groups() if group)) if match else None


def owned_skus(orders: Iterable[Order]) -> set[str]:
    """What the customer still has: everything bought and neither returned nor cancelled."""
    return {order.sku for order in orders if order.status not in _NOT_OWNED}


def _by_content(moment: Moment) -> Iterable[_Candidate]:
    found = moment.knowledge.product_search(
        moment.recent_text, moment.recent_vector, language=moment.language, limit=20
    )
    viewed = {item.sku for item in moment.customer.viewed}
    for product, score in found:
        if score >= CONTENT_THRESHOLD:
            if product.sku in viewed:
                yield _Candidate(product, score + _VIEWED_BONUS, say("offer.why.viewed", moment.language))
            else:
                yield _Candidate(product, score, say("offer.why.content", moment.language))


def _by_complement(moment: Moment) -> Iterable[_Candidate]:
    """What completes the products of this talk, once the customer is content; while they choose, it would distract."""
    if moment.emotion.label != "satisfied":
        return
    language = moment.language
    bought = {order.sku: order for order in moment.customer.orders if order.sku in owned_skus([order])}
    carted = {item.sku for item in moment.customer.cart}
    for anchor in moment.talked_about:
        order = bought.get(anchor.sku)
        if order is not None and order.placed_at is not None:
            when = say("offer.when.bought", language, date=f"{order.placed_at:%Y-%m-%d}")
        else:
            when = say("offer.when.cart" if anchor.sku in carted else "offer.when.talk", language)
        for place, sku in enumerate(anchor.complements):
            product = moment.knowledge.products.get(sku)
            if product is not None:
                why = say("offer.why.complement", language, product=title_of(anchor, language), when=when)
                yield _Candidate(product, _COMPLEMENT_SCORE - 0.01 * place, why)


def _by_alternative(moment: Moment) -> Iterable[_Candidate]:
    for wanted in moment.talked_about:
        if wanted.stock > 0:
            continue
        for place, sku in enumerate(wanted.alternatives):
            product = moment.knowledge.products.get(sku)
            if product:
                why = say("offer.why.alternative", moment.language, product=title_of(wanted, moment.language))
                yield _Candidate(product, 0.9 - 0.01 * place, why)


def _is_allowed(moment: Moment, product: Product) -> bool:
    """In stock, not owned unless it is used up, not in the cart already, within the price band, safe for them."""
    customer = moment.customer
    if product.stock <= 0 or ("product", product.sku) in moment.shown:
        return False
    if product.sku in owned_skus(customer.orders) and not product.consumable:
        return False
    if product.sku in {item.sku for item in customer.cart}:
        return False
    return product.price <= _price_limit(moment) and not _is_harmful(moment, product)


def _price_limit(moment: Moment) -> float:
    named = budget_in(moment.utterance.text)
    if named is not None:
        return named
    customer = moment.customer
    known = [o.price for o in customer.orders] + [i.price for i in (*customer.cart, *customer.viewed)]
    known += [product.price for product in moment.talked_about]
    return max(PRICE_BAND * median(known), 99.0) if known else float("inf")


def _is_harmful(moment: Moment, product: Product) -> bool:
    """Whether the product mentions something that the customer's record says they are allergic to."""
    stated = moment.customer.attributes.get("allergies") or moment.customer.attributes.get("allergy") or ()
    allergens = [stated] if isinstance(stated, str) else [str(a) for a in stated] if isinstance(stated, list) else []
    content = " ".join([*product.titles.values(), *product.pitches.values(), *map(str, product.attributes.values())])
    return any(allergen and allergen.lower() in content.lower() for allergen in allergens)


def _offer(moment: Moment, candidate: _Candidate) -> Suggestion:
    product, language = candidate.product, moment.language
    title = title_of(product, language)
    pitch = product.pitches.get(language, "")
    if pitch and language == "en":
        pitch = f"{pitch} "
    return Suggestion(
        id="",
        kind="offer",
        text=say("offer.text", language, title=title, price=_money(product.price), pitch=pitch),
        title=f"{say('offer.title', language)} · {title}",
        language=language,
        relevance=round(min(candidate.score, 1.0), 3),
        reason=candidate.why,
        source=Source(type="product", id=product.sku, version=moment.knowledge.version),
    )


def _replacement(moment: Moment, bad: Product, product: Product) -> Suggestion:
    language = moment.language
    title = title_of(product, language)
    return Suggestion(
        id="",
        kind="next_step",
        text=say("replacement.text", language, title=title, price=_money(product.price)),
        title=say("replacement.title", language),
        language=language,
        relevance=0.6,
        reason=say("replacement.why", language, product=title_of(bad, language)),
        source=Source(type="product", id=product.sku, version=moment.knowledge.version),
    )


def title_of(product: Product, language: str) -> str:
    """The product's title in the language, else in another variant that the reader can read."""
    for choice in (language, "zh-Hans" if language == "zh-Hant" else "zh-Hant", "en", "zh-Hans"):
        if choice in product.titles:
            return product.titles[choice]
    return product.sku


def _money(amount: float) -> str:
    return f"{amount:.0f}" if amount == int(amount) else f"{amount:.2f}"
