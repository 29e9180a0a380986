"""Completes the customer of a request by what the retailer's own records know; no conversation waits long for it."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from assist.conversation.profile import identified, joined
from assist.domain import Customer
from assist.errors import Unavailable
from assist.storage.customers import Customers
from assist.text.identifiers import named_by, normalised
from assist.web.observe import log
from assist.web.schemas import CustomerInput


def parse(profile: Mapping[str, Any]) -> Customer:
    """A profile in the form of a request, by the rules of a request. Raises ValueError without quoting what it says."""
    try:
        return CustomerInput.model_validate(profile).record()
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        told = (": ".join([".".join(map(str, problem["loc"])), problem["msg"]]) for problem in problems)
        raise ValueError("; ".join(told)) from None


async def completed(customers: Customers | None, given: Customer, *, limit: int) -> Customer:
    """The customer with everything known; as given if nobody knows more, or if the records do not answer."""
    if customers is None:
        return given
    try:
        known = await customers.find(identified(given).identifiers)
    except Unavailable as error:
        log.warning("customers.unavailable", reason=error.message, cause=type(error.__cause__).__name__)
        return given
    return given if known is None else joined(given, known, limit=limit)


async def ids_of(customers: Customers | None, customer_id: str) -> tuple[str, ...]:
    """Every id that conversations of this customer may have been logged under. Raises Unavailable."""
    known = await customers.find(named_by(customer_id)) if customers is not None else None
    if known is None:
        return (customer_id,)
    others = (f"{kind}:{value}" for kind, value in normalised(known.identifiers).items() if kind != "customer_id")
    return tuple(dict.fromkeys((customer_id, known.id, *others)))
