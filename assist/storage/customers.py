"""What the retailer's own records know of a customer: one small interface, asked once when a conversation opens.

A source may be slow, broken or away. Whoever asks gets an answer within the time limit or Unavailable, and goes on.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final, Protocol

from assist.domain import Customer, IdentifierKind
from assist.errors import Unavailable
from assist.text.identifiers import KINDS, normalised

PARTS: Final = ("orders", "cart", "viewed", "contacts")
LINES: Final = 4
"""Questions that may be under way at once; while all of them hang, further ones are not even asked."""

Identifiers = Mapping[IdentifierKind, str]
Parse = Callable[[Mapping[str, Any]], Customer]
"""Makes a customer of a profile in the form of a request. Raises ValueError that says what is wrong, without values."""

log = logging.getLogger(__name__)


class CustomerSource(Protocol):
    """Where customers are known. Blocks; may be asked by several threads at once."""

    def find(self, identifiers: Identifiers) -> Customer | None:
        """The one customer whom the strongest known identifier names, or None. May raise anything."""

    def close(self) -> None:
        """Give back what is open."""


class Customers:
    """A source with a time limit, for the service's event loop."""

    def __init__(self, source: CustomerSource, *, timeout_s: float) -> None:
        self._source, self._timeout_s = source, timeout_s
        self._threads = ThreadPoolExecutor(LINES, thread_name_prefix="customers")
        self._free = threading.BoundedSemaphore(LINES)

    async def find(self, identifiers: Identifiers) -> Customer | None:
        """The customer, or None if the source does not know them. Raises Unavailable if it is too slow or fails."""
        wanted = normalised(identifiers)
        if not wanted:
            return None
        if not self._free.acquire(blocking=False):
            raise Unavailable("The customer source has not answered earlier questions yet.")
        asked = self._threads.submit(self._source.find, wanted)
        asked.add_done_callback(lambda _: self._free.release())
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.wrap_future(asked)
        except TimeoutError:
            raise Unavailable("The customer source was too slow.") from None
        except Exception as error:
            raise Unavailable("The customer source failed.") from error

    def close(self) -> None:
        """Ask nothing more. A question that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._source.close()


def profile_of(raw: Mapping[str, Any], parse: Parse) -> tuple[Customer, list[str]]:
    """A customer of a whole profile; of its lists only what can be read, with a sentence for each entry that cannot.

    Raises:
        ValueError: what is not a list entry cannot be read.
    """
    if not isinstance(raw, Mapping):
        raise ValueError("not an object")
    customer = parse({name: value for name, value in raw.items() if name not in PARTS})
    problems = []
    for part in PARTS:
        entries = raw.get(part) or []
        if not isinstance(entries, list):
            problems.append(f"{part}: not a list")
            continue
        for number, entry in enumerate(entries, start=1):
            try:
                customer = with_entry(customer, part, entry, parse)
            except ValueError as error:
                problems.append(f"{part}, entry {number}: {error}")
    return customer, problems


def with_entry(customer: Customer, part: str, entry: Any, parse: Parse) -> Customer:
    """The customer with one order, item or contact more. Raises ValueError if it cannot be read."""
    read = parse({"id": customer.id, part: [entry]})
    return replace(customer, **{part: getattr(customer, part) + getattr(read, part)})


def profile_of_row(row: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A profile of one flat row: `id`, `name`, `tier`, each identifier; any other column is an attribute."""
    known: dict[str, Any] = {"identifiers": {}, "attributes": {}}
    for name, value in row:
        if value is None or value == "":
            continue
        if name in ("id", "name", "tier"):
            known[name] = str(value)
        elif name in KINDS:
            known["identifiers"][name] = str(value)
        else:
            known["attributes"][name] = value if isinstance(value, str | int | float | bool) else str(value)
    return known
