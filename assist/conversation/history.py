"""What the customer's history demands now: facts with their evidence, none that has no bearing on the talk."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from assist.conversation.customer import PENDING
from assist.conversation.routing import is_high_value
from assist.conversation.segments import value_of
from assist.domain import ArticleLanguage, Channel, Contact, Customer, Emotion, Order, Product, Segment
from assist.suggest import policy
from assist.suggest.moment import FactCode, HistoryFact
from assist.suggest.offers import owned_skus, title_of
from assist.suggest.wording import say

REPEAT_WINDOW = timedelta(days=7)
REPEAT_CONTACTS = 3
NAMED = 3
"""Orders or contacts that evidence names; more are counted."""

_THINGS: Mapping[str, str] = {
    "parcel": "delivery_delay delivery_status delivery_lost delivery_signed_not_received address_change store_pickup"
    " large_goods_delivery cross_border courier_conduct",
    "money_back": "return_how return_policy refund_time refund_missing cancel_order",
    "faulty_goods": "damaged_on_arrival missing_or_wrong_item quality_fault warranty_repair spare_parts installation"
    " exchange_size_colour genuine_doubt",
    "harm": "safety_incident skincare_reaction recall",
    "payment": "payment_problem instalment",
    "price": "price_protection coupon_use",
}
_THING_OF = {situation: thing for thing, names in _THINGS.items() for situation in names.split()}
_ABOUT_THE_SERVICE = frozenset({"repeated_contact", "complaint_service", "wants_supervisor"})
"""A customer who complains of the service complains of something behind it: the history tells of what."""

_RETURN_SITUATIONS = frozenset(_THINGS["money_back"].split()) | {"exchange_size_colour"}
_SIZE_SITUATIONS = frozenset({"exchange_size_colour", "product_choice", "product_compare"})
_BIRTHDAY = re.compile(r"(?:^|\d{4}[-/.])(\d{1,2})[-/.](\d{1,2})$")
_COUPON_TIERS = frozenset({"gold", "platinum"})
_CHANNELS = frozenset({"chat", "voice", "email", "social", "store", "online"})


def history_facts(
    customer: Customer,
    *,
    situation: str | None,
    emotion: Emotion,
    channel: Channel,
    language: ArticleLanguage,
    about: tuple[Product, ...],
    order: Order | None,
    segment: Segment | None,
    now: datetime,
) -> tuple[HistoryFact, ...]:
    """What the history demands at this moment, the most pressing first.

    Args:
        customer: with orders and earlier contacts.
        situation: what the talk is about.
        emotion: how the customer feels now.
        channel: where they speak now.
        language: of the wordings.
        about: catalogue products that the talk is about.
        order: the order that is meant, if it is clear.
        segment: the customer's segment.
        now: the present, in the retailer's time zone.
    """
    is_hurt = emotion.polarity == "negative" or policy.is_hostile(emotion)
    is_presales = situation in policy.PRESALES_SITUATIONS
    facts = _repeated(customer.contacts, situation, language, now)
    facts += _open_elsewhere(customer.contacts, situation, channel, language, is_hurt=is_hurt)
    if situation in _RETURN_SITUATIONS or (situation in _ABOUT_THE_SERVICE and is_hurt):
        facts += _pending(customer.orders, language)
    elif order is not None and (situation is None or is_hurt):
        facts += _pending([order], language)
    facts += _bought_before(customer.orders, about, order, language, is_presales=is_presales)
    if is_hurt and is_high_value(segment, customer.tier):
        facts.append(_high_value(customer, segment, language, now))
    return tuple(facts + _on_record(customer, situation, language, now, is_presales=is_presales))


def thing_of(situation: str) -> str:
    """What a customer would call the same thing: a late refund and a missing one are both about the money."""
    return _THING_OF.get(situation, situation)


def _repeated(
    contacts: Iterable[Contact], situation: str | None, language: ArticleLanguage, now: datetime
) -> list[HistoryFact]:
    begin = now - REPEAT_WINDOW
    recent = [contact for contact in contacts if contact.situation and begin <= contact.at <= now]
    if situation is None:
        return []
    thing = thing_of(situation)
    if situation in _ABOUT_THE_SERVICE and recent:
        thing = Counter(thing_of(contact.situation) for contact in recent).most_common(1)[0][0]
    same = sorted((contact for contact in recent if thing_of(contact.situation) == thing), key=lambda c: c.at)
    if len(same) + 1 < REPEAT_CONTACTS:
        return []
    values = {"count": str(len(same) + 1), "summary": same[-1].summary.rstrip("。.")}
    return [HistoryFact("repeated_contact", thing, values, _contacts(same, language))]


def _open_elsewhere(
    contacts: Iterable[Contact], situation: str | None, channel: Channel, language: ArticleLanguage, *, is_hurt: bool
) -> list[HistoryFact]:
    facts: list[HistoryFact] = []
    elsewhere = [contact for contact in contacts if contact.open and contact.channel != channel]
    for contact in sorted(elsewhere, key=lambda contact: contact.at, reverse=True)[:NAMED]:
        is_same = situation is not None and thing_of(contact.situation) == thing_of(situation)
        if contact.situation not in policy.PRESALES_SITUATIONS and (is_hurt or is_same):
            where = channel_name(contact.channel, language)
            values = {"channel": where, "summary": contact.summary.rstrip("。.")}
            key = f"{contact.at:%Y%m%d%H%M}"
            facts.append(HistoryFact("open_complaint", key, values, _contacts([contact], language)))
    return facts


def _pending(orders: Iterable[Order], language: ArticleLanguage) -> list[HistoryFact]:
    pending: dict[str, list[Order]] = {}
    for order in orders:
        if order.status in PENDING:
            pending.setdefault(order.sku, []).append(order)
    # The key goes into the log, which holds no order numbers.
    return [
        HistoryFact("return_pending", sku, {"product": same[0].title}, _orders(same, language))
        for sku, same in pending.items()
    ]


def _bought_before(
    orders: Iterable[Order],
    about: Iterable[Product],
    meant: Order | None,
    language: ArticleLanguage,
    *,
    is_presales: bool,
) -> list[HistoryFact]:
    """While choosing: any earlier purchase. About a purchase: another one of the same before it."""
    facts = []
    for product in about:
        same = [o for o in orders if o.sku == product.sku and o.placed_at is not None and owned_skus([o])]
        if not is_presales:
            same = [o for o in same if o is not meant] if meant is not None else []
        same.sort(key=lambda o: f"{o.placed_at:%Y-%m-%d %H:%M}")
        if same:
            values = {"date": _day(same[-1].placed_at), "product": title_of(product, language)}
            facts.append(HistoryFact("bought_before", product.sku, values, _orders(same, language)))
    return facts


def _high_value(customer: Customer, segment: Segment | None, language: ArticleLanguage, now: datetime) -> HistoryFact:
    tier = (customer.tier or "").lower()
    marks = [say("segment.core", language)] if segment == "core" else []
    marks += [say(f"tier.{tier}", language)] if tier in _COUPON_TIERS else []
    value = value_of(customer, now)
    evidence = say("evidence.tier", language)
    if value.orders:
        days = value.days_since if value.days_since is not None else 0
        evidence = say("evidence.value", language, orders=value.orders, spend=f"{value.spend:,.0f}", days=days)
    return HistoryFact("high_value", "tier", {"tier": say("list", language).join(marks)}, evidence)


def _on_record(
    customer: Customer, situation: str | None, language: ArticleLanguage, now: datetime, *, is_presales: bool
) -> list[HistoryFact]:
    facts = []
    attributes = customer.attributes
    birthday = _BIRTHDAY.search(str(attributes.get("birthday") or "").strip())
    if birthday and int(birthday[1]) == now.month and 1 <= int(birthday[2]) <= 31:
        has_coupon = (customer.tier or "").lower() in _COUPON_TIERS
        values = {"coupon": say("fact.birthday.coupon", language) if has_coupon else ""}
        day = f"{int(birthday[1]):02}-{int(birthday[2]):02}"
        facts.append(HistoryFact("birthday", "month", values, say("evidence.profile", language, value=day)))
    allergies = attributes.get("allergies") or attributes.get("allergy")
    if allergies and (is_presales or situation == "skincare_reaction"):
        facts.append(_recorded("allergy", allergies, language))
    size = next((attributes[k] for k in ("size", "shoe_size", "clothing_size") if attributes.get(k)), None)
    if size and situation in _SIZE_SITUATIONS:
        facts.append(_recorded("size_on_record", size, language))
    return facts


def _recorded(code: FactCode, value: object, language: ArticleLanguage) -> HistoryFact:
    listed = listing(value)
    return HistoryFact(code, "record", {"value": listed}, say("evidence.profile", language, value=listed))


def listing(value: object) -> str:
    """A value of the profile in a sentence."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def channel_name(channel: str, language: ArticleLanguage) -> str:
    """A channel as the reader calls it."""
    return say(f"channel.{channel}", language) if channel in _CHANNELS else channel


def order_name(order: Order, language: ArticleLanguage) -> str:
    """An order in few words: its number, the day and where it was bought, as far as they are known."""
    parts = [order.id, _day(order.placed_at), channel_name(order.channel, language)]
    return " ".join(part for part in parts if part)


def contact_name(contact: Contact, language: ArticleLanguage) -> str:
    """A contact in few words: its day and channel."""
    return f"{_day(contact.at)} {channel_name(contact.channel, language)}".strip()


def _orders(orders: list[Order], language: ArticleLanguage) -> str:
    return say("evidence.orders", language, names=_names([order_name(o, language) for o in orders], language))


def _contacts(contacts: list[Contact], language: ArticleLanguage) -> str:
    return say("evidence.contacts", language, names=_names([contact_name(c, language) for c in contacts], language))


def _names(names: list[str], language: ArticleLanguage) -> str:
    """The latest few of many."""
    listed = say("list", language).join(names[-NAMED:])
    return listed if len(names) <= NAMED else say("evidence.of", language, names=listed, count=len(names))


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at is not None else ""
