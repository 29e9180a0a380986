"""What is known and need not be asked again: said in this conversation, bought, told in an earlier contact, on record.

Worked out when somebody looks, not with every utterance. What was said is known while the process lives: the log holds
no phone or order numbers, so after a restart they are known from the profile at most.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from assist.conversation.customer import PENDING, mentions, order_meant
from assist.conversation.history import contact_name, listing, order_name
from assist.conversation.session import Session
from assist.domain import ArticleLanguage, Customer, Order
from assist.suggest.wishes import budget_in
from assist.suggest.wording import say
from assist.text.redact import redact

TURNS = 30
"""The customer's latest turns that are looked through; what matters is said again."""

ITEMS = 40
"""Orders, cart and viewed items that a turn may be about; beyond the latest of them nobody means one."""

_SPAN_CODES = {"ORDER": "order_number", "PHONE": "phone", "EMAIL": "email", "ADDRESS": "address"}
_STATUSES = frozenset("paid shipped delivered cancelled returned refund_pending return_pending".split())
_ON_RECORD = ("size", "shoe_size", "clothing_size", "allergies", "allergy", "skin_type")
_SIZE = re.compile(
    r"(?<![A-Za-z\d.])(?P<a>[2-5]?X{0,3}[SL]|M|\d{2}(?:\.5)?)\s*[码碼](?!洗)"
    r"|(?:尺[码碼寸]|鞋[码碼]|穿|(?i:\bsize|\btake an?|\bwear an?))\s*(?:是|[:：])?\s*"
    r"(?P<b>[2-5]?X{0,3}[SL]|M|\d{1,2}(?:\.5)?)(?![A-Za-z\d]|\s*[个個件双雙年天月次])"
)
_DAY_ZH = (
    r"(?:\d{1,2}\s*月\s*)?\d{1,2}\s*[号號日]|(?:这|這|本|下)?(?:周|週|星期|礼拜|禮拜)[一二三四五六日天末]"
    r"|今天|今晚|明天|明晚|明早|后天|後天|月底|年底|国庆|國慶|春节|春節|中秋|圣诞节?|聖誕節?"
)
_DEADLINE_ZH = re.compile(
    rf"(?P<a>{_DAY_ZH})(?:[上下中]午|晚上|早上)?(?:之前|以前|前|就?要用|就?要出[发發]|就?要送|就?得)"
    rf"|(?:最晚|最迟|最遲|赶在|趕在)(?P<b>{_DAY_ZH})"
)
_MONTH_EN = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DAY_EN = (
    r"(?:(?:this|next) )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|tonight|the weekend|christmas"
    r"|the \d{1,2}(?:st|[nr]d|th)"
    rf"|\d{{1,2}}(?:st|[nr]d|th)?(?: of)? {_MONTH_EN}|{_MONTH_EN} \d{{1,2}}(?:st|[nr]d|th)?"
)
_DEADLINE_EN = re.compile(rf"\b(?:by|before|no later than)\s+(?P<a>{_DAY_EN})\b", re.IGNORECASE)
_ALLERGY = re.compile(
    r"[对對](?P<a>[㐀-鿿]{1,8}?|[A-Za-z ]{2,20}?)[过過]敏|\ballergic to (?:the )?(?P<b>[a-z]+(?: [a-z]+)?)",
    re.IGNORECASE,
)
_BEFORE_ADDRESS = re.compile(r"^.{0,4}?(?:[寄送发發改换換]到|[寄送发發]往|地址(?:是|[:：])?|住在)")
_PATTERNS = (("size", _SIZE), ("deadline", _DEADLINE_ZH), ("deadline", _DEADLINE_EN), ("allergies", _ALLERGY))


@dataclass(frozen=True, slots=True)
class Known:
    """One known thing in the reader's language. `evidence` says where from, `turn` in which turn it was said."""

    code: str
    label: str
    value: str
    source: Literal["said", "order", "contact", "profile"]
    evidence: str
    turn: int | None = None


def known_in(session: Session, now: datetime, language: ArticleLanguage) -> tuple[Known, ...]:
    """Everything known of the customer that an agent would otherwise ask for: the talk first, the record last."""
    customer = session.conversation.customer
    said = list(_said(session, language))
    meant = order_meant(customer, session.customer_texts())
    if meant is not None:
        # The order itself says more than its number or its product.
        said = [one for one in said if one.value not in (meant.id.upper(), meant.title)]
    told = {(one.code, one.value) for one in said}
    rest = (*_orders(customer, meant, language), *_contacts(customer, now, language), *_profile(customer, language))
    return (*said, *(one for one in rest if (one.code, one.value) not in told))


def _said(session: Session, language: ArticleLanguage) -> Iterator[Known]:
    """The last word on each thing, in the order in which it came up; of order numbers every one."""
    found: dict[tuple[str, str], tuple[str, int]] = {}
    customer = session.conversation.customer
    items = [item.title for item in (*customer.cart, *customer.viewed)]
    titles = [title for title in dict.fromkeys([o.title for o in reversed(customer.orders)] + items) if title][:ITEMS]
    spoken = [(n, t.utterance.text) for n, t in enumerate(session.turns, 1) if t.utterance.speaker == "customer"]
    for turn, text in spoken[-TURNS:]:
        for code, value in _things(text):
            found[code, value if code == "order_number" else ""] = (value, turn)
        for title in titles:
            if mentions(text, title):
                found.setdefault(("product", title), (title, turn))
    for (code, _), (value, turn) in found.items():
        evidence = say("known.said", language, turn=turn)
        yield Known(code, say(f"known.{code}", language), value, "said", evidence, turn)


def _things(text: str) -> Iterator[tuple[str, str]]:
    for span in redact(text).spans:
        if span.kind in _SPAN_CODES:
            value = _BEFORE_ADDRESS.sub("", text[span.start : span.end].strip())
            yield _SPAN_CODES[span.kind], value.upper() if span.kind == "ORDER" else value
    for code, pattern in _PATTERNS:
        match = pattern.search(text)
        if match:
            yield code, next(group for group in match.groups() if group).strip()
    budget = budget_in(text)
    if budget is not None:
        yield "budget", f"¥{budget:g}"


def _orders(customer: Customer, meant: Order | None, language: ArticleLanguage) -> Iterator[Known]:
    orders = [meant] if meant is not None else []
    orders += [order for order in customer.orders if order.status in PENDING and order is not meant]
    for order in orders:
        status = say(f"order.{order.status}", language) if order.status in _STATUSES else order.status
        value = " · ".join(part for part in (order.title, status) if part)
        code = "order" if order is meant else "pending"
        evidence = say("known.from_order", language, name=order_name(order, language))
        yield Known(code, say(f"known.{code}", language), value, "order", evidence)
    for code, items in (("cart", customer.cart), ("viewed", customer.viewed)):
        titles = [item.title for item in items if item.title][:3]
        if titles:
            value = say("list", language).join(titles)
            yield Known(code, say(f"known.{code}", language), value, "profile", say("known.from_shop", language))


def _contacts(customer: Customer, now: datetime, language: ArticleLanguage) -> Iterator[Known]:
    """Those that are open, and the last one."""
    past = sorted((contact for contact in customer.contacts if contact.at <= now), key=lambda contact: contact.at)
    for contact in [one for one in past[:-1] if one.open][-3:] + past[-1:]:
        code = "open_contact" if contact.open else "last_contact"
        evidence = say("known.from_contact", language, name=contact_name(contact, language))
        yield Known(code, say(f"known.{code}", language), contact.summary or contact.situation, "contact", evidence)


def _profile(customer: Customer, language: ArticleLanguage) -> Iterator[Known]:
    evidence = say("known.from_profile", language)
    for kind in ("membership", "phone", "email"):
        value = customer.identifiers.get(kind)
        if value:
            yield Known(kind, say(f"known.{kind}", language), value, "profile", evidence)
    for name in _ON_RECORD:
        if customer.attributes.get(name):
            code = {"allergy": "allergies", "shoe_size": "size", "clothing_size": "size"}.get(name, name)
            yield Known(code, say(f"known.{code}", language), listing(customer.attributes[name]), "profile", evidence)
