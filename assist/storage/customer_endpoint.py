"""Customers from an HTTP endpoint of the retailer.

Asked with POST, so that no identifier stands in an access log: `{"identifiers": {"phone": "13800138000"}}`. Answers 200
with a profile in the form of a request, or 204 or 404 for somebody who is not known.
"""

import time
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from pydantic_core import from_json, to_json

from assist.domain import Customer
from assist.errors import SettingsError
from assist.storage.customers import Identifiers, Parse, log, profile_of

MAX_BYTES = 2_000_000
_AT_ONCE = 65_536


class EndpointSource:
    """One address. The standard library's client will do: one small question a conversation, no redirects wanted."""

    def __init__(self, address: str, *, parse: Parse, timeout_s: float, token: str = "") -> None:
        parts = urlsplit(address)
        if not parts.hostname or parts.username:
            raise SettingsError("the address of the customers needs a host, and a token instead of a password")
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._port = parts.hostname, parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._parse, self._timeout_s = parse, timeout_s
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    def find(self, identifiers: Identifiers) -> Customer | None:
        """Whom the endpoint answers with. Raises OSError or HTTPException, or ValueError for an answer of no use."""
        until = time.monotonic() + self._timeout_s
        connection = self._kind(self._host, self._port, timeout=self._timeout_s)
        try:
            connection.request("POST", self._path, to_json({"identifiers": dict(identifiers)}), self._headers)
            with connection.getresponse() as answer:
                if answer.status in (204, 404):
                    return None
                if answer.status != 200:
                    raise ValueError(f"the endpoint answered {answer.status}")
                customer, problems = profile_of(from_json(_body(answer, until)), self._parse)
        finally:
            connection.close()
        for problem in problems:
            log.warning("customers left out: %s", problem)
        return customer

    def close(self) -> None:
        """Nothing is open between two questions."""


def _body(answer: HTTPResponse, until: float) -> bytes:
    # The socket's time limit is for each piece: one that trickles would hold the thread for ever.
    body = b""
    while piece := answer.read1(_AT_ONCE):
        body += piece
        if len(body) > MAX_BYTES:
            raise ValueError("the endpoint's answer is too long")
        if time.monotonic() > until:
            raise TimeoutError("the endpoint's answer trickles")
    return body
