"""Alerts from the customer's history: when they must be told, when they must not, and what they stand on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assist.conversation.history import history_facts
from assist.conversation.segments import Cuts, segment_of
from assist.domain import (
    ArticleLanguage,
    Contact,
    Customer,
    Emotion,
    EmotionLabel,
    Flag,
    Order,
    Product,
    polarity_of,
)
from assist.suggest.moment import HistoryFact
from assist.suggest.wording import say

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
KETTLE = Order("CW20261108-4471", "K1", "Aqua Kettle", 199.0, "shipped", NOW - timedelta(days=15), "online")
EARLIER = Order("CW20260301-1111", "K1", "Aqua Kettle", 189.0, "delivered", NOW - timedelta(days=267), "store")
PENDING = Order("CW20261101-1000", "T1", "Towel", 59.0, "refund_pending", NOW - timedelta(days=22))
KETTLE_PRODUCT = Product(
    "K1", {"zh-Hans": "Aqua 恒温电水壶", "zh-Hant": "Aqua 恆溫快煮壺", "en": "Aqua Kettle"}, "kitchen", 199.0, 12
)
LANGUAGES: tuple[ArticleLanguage, ...] = ("zh-Hans", "zh-Hant", "en")


def contact(days: float, situation: str, channel: str = "voice", is_open: bool = False) -> Contact:
    return Contact(NOW - timedelta(days=days), channel, situation, "asked about it", is_open)


def told(
    customer: Customer,
    situation: str | None,
    label: EmotionLabel = "neutral",
    *,
    flags: tuple[Flag, ...] = (),
    **given: Any,
) -> dict[str, HistoryFact]:
    found = history_facts(
        customer,
        situation=situation,
        emotion=Emotion(label, 0.9, {label: 1.0}, 0.5, polarity_of(label), flags),
        now=NOW,
        **{
            "channel": "chat",
            "language": "en",
            "about": (KETTLE_PRODUCT,),
            "order": None,
            "segment": segment_of(customer, NOW, Cuts()),
        }
        | given,
    )
    assert len({(fact.code, fact.key) for fact in found}) == len(found), "the same would be told twice"
    return {fact.code: fact for fact in found}


def buyer(orders: int, price: float = 600.0, tier: str | None = "silver") -> Customer:
    lines = (
        Order(f"O{n}", f"S{n}", "Thing", price, "delivered", NOW - timedelta(days=10 * n)) for n in range(1, orders + 1)
    )
    return Customer("c", tier=tier, orders=tuple(lines))


def test_bought_before_names_the_orders_with_day_and_place() -> None:
    fact = told(Customer("c", orders=(KETTLE, EARLIER)), "product_choice")["bought_before"]
    assert fact.values == {"date": "2026-11-08", "product": "Aqua Kettle"}
    assert fact.evidence == "Evidence: order CW20260301-1111 2026-03-01 store, CW20261108-4471 2026-11-08 online"


def test_the_order_that_is_meant_is_not_told_as_an_earlier_one() -> None:
    both = Customer("c", orders=(KETTLE, EARLIER))
    fact = told(both, "quality_fault", order=KETTLE)["bought_before"]
    assert "CW20260301-1111" in fact.evidence
    assert "CW20261108-4471" not in fact.evidence
    assert "bought_before" not in told(Customer("c", orders=(KETTLE,)), "quality_fault", order=KETTLE)
    assert "bought_before" not in told(both, "quality_fault", order=None)


@pytest.mark.parametrize("status", ["cancelled", "returned", "refund_pending"])
def test_what_was_given_back_was_not_bought_before(status: str) -> None:
    back = Order("CW1", "K1", "Aqua Kettle", 199.0, status, NOW - timedelta(days=40))
    assert "bought_before" not in told(Customer("c", orders=(back,)), "product_choice")


def test_third_contact_within_seven_days_is_told_with_its_contacts() -> None:
    customer = Customer("c", contacts=(contact(1, "delivery_delay", "chat"), contact(6, "delivery_status")))
    fact = told(customer, "delivery_lost")["repeated_contact"]
    assert fact.values["count"] == "3"
    assert fact.evidence == "Evidence: contact on 2026-11-17 phone, 2026-11-22 chat"


@pytest.mark.parametrize(
    ("contacts", "situation"),
    [
        ((contact(1, "delivery_delay"),), "delivery_delay"),
        ((contact(1, "delivery_delay"), contact(8, "delivery_delay")), "delivery_delay"),
        ((contact(1, "delivery_delay"), contact(2, "delivery_delay")), "invoice"),
        ((contact(1, "delivery_delay"), contact(2, "invoice")), "delivery_delay"),
        ((contact(1, "delivery_delay"), contact(-2, "delivery_delay")), "delivery_delay"),
        ((contact(1, ""), contact(2, "")), "delivery_delay"),
        ((contact(1, "delivery_delay"), contact(2, "invoice")), "repeated_contact"),
        ((contact(1, "delivery_delay"), contact(2, "delivery_delay")), None),
    ],
    ids=["second", "too long ago", "other matter", "one of two", "still to come", "unknown", "complains", "no matter"],
)
def test_it_is_not_the_third_contact(contacts: tuple[Contact, ...], situation: str | None) -> None:
    assert "repeated_contact" not in told(Customer("c", contacts=contacts), situation)


def test_a_complaint_of_asking_again_is_about_what_was_asked() -> None:
    contacts = (contact(1, "refund_missing"), contact(3, "refund_time"), contact(2, "invoice"))
    fact = told(Customer("c", contacts=contacts), "repeated_contact", "frustrated")["repeated_contact"]
    assert fact.values["count"] == "3"
    assert "2026-11-21" not in fact.evidence


def test_open_complaint_in_another_channel() -> None:
    open_call = Customer("c", contacts=(contact(2, "invoice", is_open=True),))
    fact = told(open_call, "delivery_delay", "angry")["open_complaint"]
    assert fact.values == {"channel": "phone", "summary": "asked about it"}
    assert fact.evidence == "Evidence: contact on 2026-11-21 phone"
    assert "open_complaint" in told(open_call, "invoice")
    assert "open_complaint" not in told(open_call, "delivery_delay")
    assert "open_complaint" not in told(open_call, "invoice", channel="voice")
    closed = Customer("c", contacts=(contact(2, "invoice"),))
    assert "open_complaint" not in told(closed, "invoice", "angry")
    asking = Customer("c", contacts=(contact(2, "product_choice", is_open=True),))
    assert "open_complaint" not in told(asking, "delivery_delay", "angry")


def test_pending_return_names_its_order_and_keeps_its_number_out_of_the_key() -> None:
    customer = Customer("c", orders=(PENDING, KETTLE))
    fact = told(customer, "refund_missing")["return_pending"]
    assert fact.evidence == "Evidence: order CW20261101-1000 2026-11-01"
    assert fact.key == "T1"
    assert "return_pending" in told(customer, "complaint_service", "angry")
    twice = Customer("c", orders=(PENDING, replace(PENDING, id="CW20261101-0999")))
    evidence = told(twice, "refund_missing")["return_pending"].evidence
    assert PENDING.id in evidence and "CW20261101-0999" in evidence
    assert "return_pending" in told(customer, None, order=PENDING)
    assert "return_pending" not in told(customer, None, order=KETTLE)
    assert "return_pending" not in told(customer, "invoice", order=PENDING)
    assert "return_pending" not in told(customer, "invoice")
    assert "return_pending" not in told(Customer("c", orders=(KETTLE,)), "refund_missing")


def test_high_value_is_told_when_it_hurts_with_what_makes_it_so() -> None:
    fact = told(buyer(4), "invoice", "frustrated")["high_value"]
    assert fact.values["tier"] == "core customer"
    assert fact.evidence == "Evidence: 4 orders within a year, ¥2,400 in all, the latest 10 days ago"
    assert "high_value" in told(buyer(4), "invoice", "neutral", flags=("churn_threat",))
    assert (
        told(Customer("c", tier="Platinum"), "invoice", "angry")["high_value"].evidence
        == "Evidence: the membership tier"
    )
    assert "high_value" not in told(buyer(4), "invoice")
    assert "high_value" not in told(buyer(3), "invoice", "frustrated")
    assert "high_value" not in told(Customer("c", tier="gold"), "invoice", "frustrated")


@pytest.mark.parametrize(
    ("birthday", "is_told"),
    [
        ("1990-11-30", True),
        ("11-02", True),
        ("1990/11/3", True),
        ("1990-12-01", False),
        ("1990-10-11", False),
        (19901130, False),
        ("November", False),
        ("11-45", False),
        ("", False),
    ],
)
def test_birthday_in_this_month(birthday: object, is_told: bool) -> None:
    assert ("birthday" in told(Customer("c", attributes={"birthday": birthday}), "invoice")) is is_told


def test_only_who_gets_a_birthday_coupon_is_reminded_of_it() -> None:
    def wording(tier: str) -> str:
        fact = told(Customer("c", tier=tier, attributes={"birthday": "11-30"}), "invoice")["birthday"]
        assert fact.evidence == "Evidence: the customer's profile (11-30)"
        return say("fact.birthday", "en", **fact.values)

    assert "coupon" in wording("gold")
    assert "coupon" not in wording("silver")


def test_allergy_and_size_where_they_matter() -> None:
    customer = Customer("c", attributes={"allergies": ["nickel", "nuts"], "shoe_size": 38})
    found = told(customer, "product_choice")
    assert found["allergy"].values == {"value": "nickel, nuts"}
    assert found["allergy"].evidence == "Evidence: the customer's profile (nickel, nuts)"
    assert found["size_on_record"].values == {"value": "38"}
    assert "allergy" in told(customer, "skincare_reaction")
    assert not {"allergy", "size_on_record"} & set(told(customer, "invoice"))
    assert not {"allergy", "size_on_record"} & set(
        told(Customer("c", attributes={"allergies": "", "size": 0}), "product_choice")
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_has_its_wording_and_evidence_in_three_languages(language: ArticleLanguage) -> None:
    customer = Customer(
        "c",
        tier="platinum",
        orders=(*buyer(4).orders, KETTLE, EARLIER, PENDING),
        contacts=tuple(contact(n, "refund_missing", is_open=True) for n in range(1, 6)),
        attributes={"birthday": "11-30", "allergies": ["nickel"], "size": "M"},
    )
    found = told(customer, "refund_missing", "angry", language=language) | told(
        customer, "product_choice", language=language
    )
    assert set(found) == {
        "repeated_contact", "open_complaint", "return_pending", "bought_before",
        "high_value", "birthday", "allergy", "size_on_record",
    }  # fmt: skip
    for code, fact in found.items():
        text = say(f"fact.{code}", language, **fact.values)
        assert fact.evidence.startswith({"zh-Hans": "依据", "zh-Hant": "依據", "en": "Evidence"}[language])
        assert "{" not in text + fact.evidence
    assert "5" in found["repeated_contact"].evidence


def test_odd_attributes_do_not_raise() -> None:
    customer = Customer("c", attributes={"birthday": [1], "allergies": {"a": 1}, "size": 0})
    assert "birthday" not in told(customer, "product_choice")
