"""One customer from two views: what a request says and what the retailer's own records know."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from assist.domain import Contact, Customer, Order
from assist.text.identifiers import named_by

T = TypeVar("T")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def joined(given: Customer, known: Customer, *, limit: int) -> Customer:
    """The customer of a request, completed by what the records know; where both speak, the request is newer.

    The request's own id stays, so that the caller finds the conversation by it; an id that only stood in for an
    identifier gives way to the records'. Of orders and contacts the latest `limit` are kept, of cart
    and views the first.
    """
    is_stand_in = "customer_id" not in named_by(given.id)
    return Customer(
        id=known.id if is_stand_in else given.id,
        name=given.name or known.name,
        tier=given.tier or known.tier,
        orders=_latest(given.orders, known.orders, limit, _same_order, lambda order: order.placed_at or _EARLIEST),
        cart=(given.cart or known.cart)[:limit],
        viewed=tuple(_both(given.viewed, known.viewed, lambda item: item.sku))[:limit],
        contacts=_latest(given.contacts, known.contacts, limit, _same_contact, lambda contact: contact.at),
        attributes={**known.attributes, **given.attributes},
        identifiers={"customer_id": known.id, **known.identifiers, **given.identifiers},
    )


def identified(customer: Customer) -> Customer:
    """The customer with their id among the identifiers."""
    return replace(customer, identifiers={**named_by(customer.id), **customer.identifiers})


def _same_order(order: Order) -> Hashable:
    return order.id, order.sku


def _same_contact(contact: Contact) -> Hashable:
    return contact.at, contact.channel


def _both(given: Iterable[T], known: Iterable[T], key: Callable[[T], Hashable]) -> list[T]:
    told = list(given)
    keys = {key(one) for one in told}
    return told + [one for one in known if key(one) not in keys]


def _latest(
    given: Iterable[T],
    known: Iterable[T],
    limit: int,
    key: Callable[[T], Hashable],
    at: Callable[[T], datetime],
) -> tuple[T, ...]:
    return tuple(sorted(_both(given, known, key), key=at)[-limit:])
