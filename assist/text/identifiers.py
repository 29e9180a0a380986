"""What a customer is known by in a channel, in one spelling: the same phone number is the same person everywhere."""

import re
from collections.abc import Mapping
from typing import cast, get_args

from assist.domain import IdentifierKind

KINDS: tuple[IdentifierKind, ...] = get_args(IdentifierKind)
"""The strongest first: where two identifiers speak of two people, the one that stands first here decides."""

_SEPARATORS = re.compile(r"[\s().\-/ ]")
_MOBILE = re.compile(r"(?:\+|00)?(?:86(1[3-9]\d{9})|886(9\d{8})|85[23]([4-9]\d{7}))")
_TAIWAN = re.compile(r"0(9\d{8})")


def normal(kind: IdentifierKind, value: str) -> str:
    """The identifier as it is compared; empty if nothing of it is left.

    A mainland, Taiwanese, Hong Kong or Macau mobile number loses its country code, any other number keeps it.
    """
    value = value.strip()
    if kind == "email":
        return value.casefold()
    if kind == "handle":
        return value.removeprefix("@").casefold()
    if kind == "membership":
        return _SEPARATORS.sub("", value).upper()
    if kind == "phone":
        digits = _SEPARATORS.sub("", value)
        mobile = _MOBILE.fullmatch(digits) or _TAIWAN.fullmatch(digits)
        return next(group for group in mobile.groups() if group) if mobile else re.sub(r"^00", "+", digits)
    return value


def normalised(identifiers: Mapping[IdentifierKind, str]) -> dict[IdentifierKind, str]:
    """All identifiers in their one spelling, the strongest first, without the empty ones."""
    found = {kind: normal(kind, identifiers[kind]) for kind in KINDS if kind in identifiers}
    return {kind: value for kind, value in found.items() if value}


def stand_in_id(identifiers: Mapping[IdentifierKind, str]) -> str | None:
    """An id for a customer of whom only identifiers are known: the strongest of them, e.g. `phone:13800138000`."""
    return next((f"{kind}:{value}" for kind, value in normalised(identifiers).items()), None)


def named_by(customer_id: str) -> dict[IdentifierKind, str]:
    """What an id says: the identifier it stands in for, else that it is the customer's id."""
    kind, colon, value = customer_id.partition(":")
    if colon and kind in KINDS and kind != "customer_id":
        return {cast(IdentifierKind, kind): value}
    return {"customer_id": customer_id}
