"""One customer from two views, in one spelling of what they are known by."""

from datetime import UTC, datetime, timedelta

import pytest

from assist.conversation.profile import identified, joined
from assist.domain import Contact, Customer, IdentifierKind, Item, Order
from assist.text.identifiers import named_by, normal, normalised, stand_in_id

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def order(number: int, days: float, status: str = "delivered") -> Order:
    return Order(f"O{number}", f"S{number}", "T", 10.0, status, NOW - timedelta(days=days))


KNOWN = Customer(
    "cust_1",
    name="Ann Lee",
    tier="gold",
    orders=(order(1, 30), order(2, 20)),
    cart=(Item("C1", "Lamp", 9.0),),
    viewed=(Item("V1", "Rug", 9.0),),
    contacts=(Contact(NOW - timedelta(days=2), "voice", "invoice", "asked"),),
    attributes={"size": "M", "city": "Wuhan"},
    identifiers={"phone": "13800138000", "membership": "M1"},
)


def test_the_request_is_completed_and_where_both_speak_it_counts() -> None:
    given = Customer(
        "web-7",
        name="Ann",
        orders=(order(2, 20, "returned"), order(3, 1)),
        viewed=(Item("V2", "Sofa", 9.0),),
        attributes={"size": "L"},
        identifiers={"phone": "+86 13800138000"},
    )
    both = joined(given, KNOWN, limit=10)
    assert (both.id, both.name, both.tier) == ("web-7", "Ann", "gold")
    assert [(o.id, o.status) for o in both.orders] == [("O1", "delivered"), ("O2", "returned"), ("O3", "delivered")]
    assert [item.sku for item in both.cart] == ["C1"]
    assert [item.sku for item in both.viewed] == ["V2", "V1"]
    assert both.contacts == KNOWN.contacts
    assert both.attributes == {"size": "L", "city": "Wuhan"}
    assert both.identifiers == {"customer_id": "cust_1", "phone": "+86 13800138000", "membership": "M1"}


def test_an_id_that_only_stood_in_gives_way() -> None:
    given = Customer("phone:13800138000", identifiers={"phone": "13800138000"})
    assert joined(given, KNOWN, limit=10).id == "cust_1"


def test_the_latest_are_kept() -> None:
    both = joined(Customer("web-7", orders=(order(3, 1), order(4, 25))), KNOWN, limit=2)
    assert [o.id for o in both.orders] == ["O2", "O3"]


def test_equal_lines_of_a_request_are_both_kept() -> None:
    line = order(1, 3)
    assert joined(Customer("c", orders=(line, line)), Customer("c"), limit=9).orders == (line, line)


def test_the_id_is_an_identifier() -> None:
    assert identified(Customer("web-7", identifiers={"phone": "1"})).identifiers == {
        "customer_id": "web-7",
        "phone": "1",
    }
    assert identified(Customer("email:a@x.example")).identifiers == {"email": "a@x.example"}


@pytest.mark.parametrize(
    ("kind", "written", "one"),
    [
        ("phone", "+86 138-0013-8000", "13800138000"),
        ("phone", "0086 13800138000", "13800138000"),
        ("phone", "8613800138000", "13800138000"),
        ("phone", "0912-345-678", "912345678"),
        ("phone", "+886 912 345 678", "912345678"),
        ("phone", "(852) 9123 4567", "91234567"),
        ("phone", "+1 380 013 8000", "+13800138000"),
        ("phone", "0044 20 7946 0018", "+442079460018"),
        ("email", " Ann@Shop.Example ", "ann@shop.example"),
        ("handle", "@Ann_L", "ann_l"),
        ("membership", "cw 88-103", "CW88103"),
        ("customer_id", " cust_1 ", "cust_1"),
        ("phone", " ", ""),
    ],
)
def test_one_spelling(kind: IdentifierKind, written: str, one: str) -> None:
    assert normal(kind, written) == one


def test_the_strongest_comes_first_and_the_empty_one_not_at_all() -> None:
    found = normalised({"handle": "@a", "phone": "", "membership": "m1"})
    assert list(found.items()) == [("membership", "M1"), ("handle", "a")]
    assert stand_in_id({"handle": "@a", "phone": "1"}) == "phone:1"
    assert named_by("handle:a") == {"handle": "a"}
    assert named_by("shop:a") == {"customer_id": "shop:a"}
