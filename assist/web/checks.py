"""Limits that are settings, the wording of refused fields, and the opaque cursor of lists."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json, to_json

from assist.errors import BadRequest, TooLarge
from assist.settings import Settings
from assist.storage.records import Place
from assist.web.schemas import CustomerInput


def check_text(settings: Settings, text: str | None) -> None:
    """Raises TooLarge if a text is longer than allowed."""
    if text is not None and len(text) > settings.max_text_chars:
        raise TooLarge("The text is too long.", {"max_text_chars": settings.max_text_chars, "chars": len(text)})


def check_customer(settings: Settings, customer: CustomerInput | None) -> None:
    """Raises TooLarge if a list of the profile is longer than allowed."""
    if customer and customer.longest_list > settings.max_profile_items:
        raise TooLarge("A list in the profile is too long.", {"max_profile_items": settings.max_profile_items})


def fields_of(problems: Iterable[Any]) -> dict[str, list[dict[str, str]]]:
    """Which fields are wrong and why, without quoting what was in them."""
    return {
        "fields": [
            {"path": ".".join(_printable(part) for part in problem["loc"]), "message": _printable(problem["msg"])}
            for problem in problems
        ]
    }


def cursor_of(place: Place) -> str:
    """Where a page ended, as text that clients only hand back."""
    return urlsafe_b64encode(to_json(place)).decode()


def place_of(cursor: str | None) -> Place | None:
    """The place in a cursor. Raises BadRequest if the cursor is not one of ours."""
    if cursor is None:
        return None
    try:
        at, identifier = from_json(urlsafe_b64decode(cursor))
    except (ValueError, TypeError):
        raise BadRequest("This cursor is not one that a list has returned.") from None
    if not (isinstance(at, str) and isinstance(identifier, str)) or "\x00" in at + identifier:
        raise BadRequest("This cursor is not one that a list has returned.")
    return at, identifier


def _printable(part: object) -> str:
    return str(part).encode("utf-8", "replace").decode()
