"""Offers: a product proposed now, with a reason. Gated by `policy.may_offer`; what cannot be bought is never named.

Candidates come from what was said, from what completes or is bought with the products of the talk and the cart, from
what is about used up, and, where the product asked for is out of stock, from those like it. They are ranked by fit ×
acceptance × margin.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from assist.domain import ArticleLanguage, Order, Product, Source, Suggestion
from assist.suggest import policy
from assist.suggest.comparison import advantages, similar
from assist.suggest.moment import Moment
from assist.suggest.replenishment import due
from assist.suggest.wishes import budget_in, has_decided
from assist.suggest.wording import say

CONTENT_THRESHOLD, RELATED_THRESHOLD = 0.6, 0.2
"""How well a product must fit what was said, on the scale of `Knowledge.product_search`: any, and one of a category
that the customer looks at, has in the cart or speaks of; set by eye on a few wishes."""

PRICE_BAND = 2.5
"""An offer may cost this many times the median of what the customer buys and looks at, unless a budget was named."""

USUAL_MARGIN = 0.3
"""Of a product that does not tell its own. Margin moves a rank by at most a third, so that the fit stays ahead."""

# Fit of candidates that nothing was said about, on the scale of content, where .5 is worth showing; set by eye.
_NEAREST, _BETTER, _COMPLEMENT, _DUE, _TOGETHER = 0.9, 0.85, 0.6, 0.5, 0.45
_VIEWED_BONUS = 0.1
_SPOKEN_OF_BONUS = 0.3
_NOT_OWNED = frozenset({"returned", "cancelled", "refund_pending"})
_LIST = re.compile(r"[,，、;；/]|\band\b|和|及")
_FREE_OF = re.compile(r"[a-z]+[- ]free|(?:不含|不添加)[^，,。；;]{1,8}")
_ALLERGENS = (
    ("nut", "坚果", "堅果"),
    ("peanut", "花生"),
    ("milk", "dairy", "牛奶", "乳制品", "乳製品"),
    ("egg", "鸡蛋", "雞蛋"),
    ("soy", "大豆"),
    ("wheat", "gluten", "小麦", "小麥", "麸质", "麩質"),
    ("fish", "salmon", "鱼", "魚"),
    ("chicken", "鸡肉", "雞肉"),
    ("latex", "乳胶", "乳膠"),
    ("lanolin", "羊毛脂", "wool", "羊毛"),
    ("nickel", "镍", "鎳"),
    ("feather", "down", "羽绒", "羽絨"),
    ("fragrance", "perfume", "香精", "香料"),
    ("alcohol", "酒精"),
)
"""Names of one allergen, as a customer's record and a product's attributes may have them in different languages."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """`way` is how it was found; `text` the whole wording where the usual one does not fit."""

    product: Product
    fit: float
    way: str
    why: str
    text: str | None = None


def offers(moment: Moment) -> list[Suggestion]:
    """Products that fit, best first: what was asked for, what completes what is owned or in the cart, what runs out.

    Fit × margin × how much more or less than usual agents use the product's offers, as the moment's weights say.
    """
    if not policy.may_offer(moment):
        return []
    budget = budget_in(moment.recent_text)
    limit = _usual_limit(moment) if budget is None else budget
    seen = {item.sku for item in moment.customer.viewed} | {product.sku for product in moment.talked_about}
    taken = _taken(moment)
    best: dict[str, tuple[float, _Candidate]] = {}
    for candidate in _candidates(moment):
        product = candidate.product
        rank = candidate.fit * _pull(product)
        if (
            rank > (best[product.sku][0] if product.sku in best else 0.0)
            and (product.price <= limit or (budget is None and product.sku in seen))
            and product.sku not in taken
            and _may_be_sold(moment, product)
        ):
            best[product.sku] = (rank, candidate)
    weights = moment.weights
    ranked = sorted(best.values(), key=lambda e: (-e[0] * weights.of("product", e[1].product.sku), e[1].product.sku))
    return [_offer(moment, candidate, rank) for rank, candidate in ranked]


def replacements(moment: Moment) -> list[Suggestion]:
    """An in-stock product instead of the one that is the problem: help, shown as a next step and never as a sale."""
    found = []
    for bad in moment.talked_about[:1]:
        if bad.stock > 0:
            continue  # the same product again is the better remedy, and the articles say so
        for product in similar(moment.knowledge.products, bad):
            if _may_be_sold(moment, product):
                found.append(_replacement(moment, bad, product))
    return found


def owned_skus(orders: Iterable[Order]) -> set[str]:
    """What the customer still has: everything bought and neither returned nor cancelled."""
    return {order.sku for order in orders if order.status not in _NOT_OWNED}


def _candidates(moment: Moment) -> Iterator[_Candidate]:
    yield from _by_content(moment)
    yield from _instead(moment)
    yield from _running_out(moment)
    if _is_settled(moment) and policy.may_upsell(moment):
        yield from _by_complement(moment)
        yield from _bought_together(moment)


def _is_settled(moment: Moment) -> bool:
    """Whether there is room for what was not asked for: content, not choosing any more, not offered much already."""
    return (
        moment.emotion.label == "satisfied"
        and (not moment.is_choosing or has_decided(moment.utterance.text))
        and policy.products_shown(moment) < policy.UNASKED_PRODUCTS
    )


def _by_content(moment: Moment) -> Iterator[_Candidate]:
    if not moment.is_choosing:
        return
    found = moment.knowledge.product_search(
        moment.recent_text, moment.recent_vector, language=moment.language, limit=20
    )
    products = moment.knowledge.products
    viewed = {item.sku for item in moment.customer.viewed}
    near = {product.category for product in moment.talked_about}
    near |= {products[i.sku].category for i in (*moment.customer.viewed, *moment.customer.cart) if i.sku in products}
    for product, score in found:
        if score >= (RELATED_THRESHOLD if product.category in near else CONTENT_THRESHOLD):
            if product.sku in viewed:
                yield _Candidate(product, score + _VIEWED_BONUS, "content", say("offer.why.viewed", moment.language))
            else:
                yield _Candidate(product, score, "content", say("offer.why.content", moment.language))


def _instead(moment: Moment) -> Iterator[_Candidate]:
    """For what is wanted and out of stock: the nearest in stock, and the best of the rest with what is better."""
    language = moment.language
    owned = owned_skus(moment.customer.orders)
    for wanted in moment.talked_about:
        if wanted.stock > 0 or (wanted.sku in owned and not wanted.consumable):
            continue
        name = title_of(wanted, language)
        in_stock = [p for p in similar(moment.knowledge.products, wanted) if _may_be_sold(moment, p)]
        if in_stock:
            nearest = in_stock[0]
            better = advantages(nearest, wanted, language)
            text = say(
                "offer.text.nearest.better" if better else "offer.text.nearest",
                language,
                wanted=name,
                better=_listed(better, language),
                title=title_of(nearest, language),
                price=_money(nearest.price),
            )
            yield _Candidate(nearest, _NEAREST, "nearest", say("offer.why.nearest", language, product=name), text)
        for product in in_stock[1:]:
            better = advantages(product, wanted, language)
            if not better or (product.price > wanted.price and not policy.may_upsell(moment)):
                continue
            told = _listed(better, language)
            title, price = title_of(product, language), _money(product.price)
            text = say("offer.text.better", language, wanted=name, better=told, title=title, price=price)
            why = say("offer.why.better", language, product=name, better=told)
            yield _Candidate(product, _BETTER + 0.01 * len(better), "better", why, text)


def _running_out(moment: Moment) -> Iterator[_Candidate]:
    """Consumables that are about used up, once the customer is content or speaks of them."""
    language = moment.language
    kept = [order for order in moment.customer.orders if order.status not in _NOT_OWNED]
    spoken_of = {product.sku for product in moment.talked_about}
    is_settled = _is_settled(moment)
    for low in due(kept, moment.knowledge.products, moment.now):
        if is_settled or low.product.sku in spoken_of:
            why = say(
                "offer.why.habit" if low.is_habit else "offer.why.used_up",
                language,
                date=f"{low.bought_on:%Y-%m-%d}",
                days=low.days,
            )
            title, price = title_of(low.product, language), _money(low.product.price)
            text = say("offer.text.due", language, title=title, price=price)
            yield _Candidate(low.product, _DUE + _SPOKEN_OF_BONUS * (low.product.sku in spoken_of), "due", why, text)


def _by_complement(moment: Moment) -> Iterator[_Candidate]:
    """What the catalogue names as completing the products of this talk and of the cart."""
    for anchor, when in _anchors(moment):
        why = say("offer.why.complement", moment.language, product=title_of(anchor, moment.language), when=when)
        for place, sku in enumerate(anchor.complements):
            if product := moment.knowledge.products.get(sku):
                yield _Candidate(product, _COMPLEMENT - 0.01 * place, "complement", why)


def _bought_together(moment: Moment) -> Iterator[_Candidate]:
    """What other customers' orders hold with the products of this talk and of the cart, all of them together."""
    weights: dict[str, float] = {}
    told: dict[str, tuple[float, str]] = {}
    for anchor, when in _anchors(moment):
        for near in moment.knowledge.together.get(anchor.sku, ()):
            weights[near.sku] = weights.get(near.sku, 0.0) + near.weight
            if near.weight > told.get(near.sku, (0.0, ""))[0]:
                name = title_of(anchor, moment.language)
                why = say("offer.why.together", moment.language, product=name, when=when, orders=near.orders)
                told[near.sku] = (near.weight, why)
    for sku, (_, why) in told.items():
        if (product := moment.knowledge.products.get(sku)) and weights[sku] > 0:
            yield _Candidate(product, _TOGETHER + 0.4 * min(weights[sku], 0.5), "together", why)


def _anchors(moment: Moment) -> list[tuple[Product, str]]:
    """Products of the talk, then of the cart, with how the customer came by them; none that they gave back."""
    language = moment.language
    bought = {order.sku: order for order in moment.customer.orders}
    kept = {order.sku: order for order in moment.customer.orders if order.status not in _NOT_OWNED}
    carted = [item.sku for item in moment.customer.cart]
    found = []
    for sku in dict.fromkeys([product.sku for product in moment.talked_about] + carted):
        product = moment.knowledge.products.get(sku)
        if product is None or (sku in bought and sku not in kept and sku not in carted):
            continue
        order = kept.get(sku)
        if order is not None and order.placed_at is not None:
            when = say("offer.when.bought", language, date=f"{order.placed_at:%Y-%m-%d}")
        else:
            when = say("offer.when.cart" if sku in carted else "offer.when.talk", language)
        found.append((product, when))
    return found


def _may_be_sold(moment: Moment, product: Product) -> bool:
    """In stock, not recalled, not yet shown in this conversation, and nothing that is known to harm this customer."""
    return (
        product.stock > 0
        and not product.attributes.get("recalled")
        and ("product", product.sku) not in moment.shown
        and not _is_harmful(moment, product)
    )


def _taken(moment: Moment) -> set[str]:
    """What the customer has in the cart, or owns and does not use up."""
    products = moment.knowledge.products
    owned = {sku for sku in owned_skus(moment.customer.orders) if not (sku in products and products[sku].consumable)}
    return owned | {item.sku for item in moment.customer.cart}


def _usual_limit(moment: Moment) -> float:
    customer = moment.customer
    known = [o.price for o in customer.orders] + [i.price for i in (*customer.cart, *customer.viewed)]
    known += [product.price for product in moment.talked_about]
    return max(PRICE_BAND * median(known), 99.0) if known else float("inf")


def _pull(product: Product) -> float:
    margin = USUAL_MARGIN if product.margin is None else product.margin
    return 1 + (margin - USUAL_MARGIN) / 2


def _is_harmful(moment: Moment, product: Product) -> bool:
    """Whether the product mentions something that the customer's record says they are allergic to."""
    stated = moment.customer.attributes.get("allergies") or moment.customer.attributes.get("allergy")
    if not stated:
        return False
    names = _allergens(", ".join(map(str, stated)) if isinstance(stated, list | tuple) else str(stated))
    if product.attributes.get("fragrance_free") is False and names.search("fragrance"):
        return True
    content = " ".join([*product.titles.values(), *product.pitches.values(), *map(str, product.attributes.values())])
    return names.search(_FREE_OF.sub("", content.lower())) is not None


@lru_cache(maxsize=1024)
def _allergens(stated: str) -> re.Pattern[str]:
    """Finds the allergens of a record by all the names that they go by; walnut is a nut, minute is none."""
    names = {name.strip() for name in _LIST.split(stated.lower())} - {""}
    for group in _ALLERGENS:
        if any(known in name for known in group for name in names):
            names |= set(group)
    return re.compile(
        "|".join(f"{re.escape(name)}s?\\b" if name.isascii() else re.escape(name) for name in sorted(names)) or "(?!)"
    )


def _offer(moment: Moment, candidate: _Candidate, rank: float) -> Suggestion:
    product, language = candidate.product, moment.language
    title = title_of(product, language)
    pitch = product.pitches.get(language, "")
    if pitch and language == "en":
        pitch = f"{pitch} "
    return Suggestion(
        id="",
        kind="offer",
        text=candidate.text or say("offer.text", language, title=title, price=_money(product.price), pitch=pitch),
        title=f"{say('offer.title', language)} · {title}",
        language=language,
        relevance=round(min(rank, 1.0), 3),
        reason=candidate.why,
        source=Source(type="product", id=product.sku, version=moment.knowledge.version),
    )


def _replacement(moment: Moment, bad: Product, product: Product) -> Suggestion:
    language = moment.language
    title = title_of(product, language)
    better = advantages(product, bad, language)
    why = say("replacement.why", language, product=title_of(bad, language))
    return Suggestion(
        id="",
        kind="next_step",
        text=say("replacement.text", language, title=title, price=_money(product.price)),
        title=say("replacement.title", language),
        language=language,
        relevance=0.6,
        reason=f"{why} · {_listed(better, language)}" if better else why,
        source=Source(type="product", id=product.sku, version=moment.knowledge.version),
    )


def _listed(words: list[str], language: ArticleLanguage) -> str:
    return (" and " if language == "en" else "，").join(words)


def title_of(product: Product, language: str) -> str:
    """The product's title in the language, else in another variant that the reader can read."""
    for choice in (language, "zh-Hans" if language == "zh-Hant" else "zh-Hant", "en", "zh-Hans"):
        if choice in product.titles:
            return product.titles[choice]
    return product.sku


def _money(amount: float) -> str:
    return f"{amount:.0f}" if amount == int(amount) else f"{amount:.2f}"
