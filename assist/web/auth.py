"""Who calls and what they may do: keys, roles, browser sessions and the same-origin rule.

Programs send `Authorization: Bearer ask_…`. A browser signs in once and then sends a cookie, which other sites cannot
read but may cause to be sent; so with a cookie every unsafe method and every socket must come from our own pages.
"""

import hashlib
import time
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from assist.errors import Forbidden, Unauthenticated
from assist.settings import Settings, is_loopback
from assist.storage.keys import Key, Keys

COOKIE = "assist_session"
ROLES = ("agent", "knowledge", "reviewer", "supervisor", "admin")
_CACHE_S = 2.0
"""How long a key is believed without asking the database; a revoked key stops within this time."""
_MAX_CACHED = 10_000

_AGENT, _KNOWLEDGE, _REVIEWER, _SUPERVISOR = ({role} for role in ROLES[:-1])
_READERS = _AGENT | _REVIEWER | _SUPERVISOR
_ALL = set(ROLES)

MAY: dict[tuple[str, str], set[str]] = {
    ("GET", "/v1/me"): _ALL,
    ("POST", "/v1/conversations"): _AGENT,
    ("GET", "/v1/conversations"): _READERS,
    ("GET", "/v1/conversations/{conversation_id}"): _READERS,
    ("GET", "/v1/conversations/{conversation_id}/events"): _READERS,
    ("POST", "/v1/conversations/{conversation_id}/utterances"): _AGENT,
    ("POST", "/v1/conversations/{conversation_id}/closure"): _AGENT | _SUPERVISOR,
    ("WEBSOCKET", "/v1/conversations/{conversation_id}/live"): _AGENT | _SUPERVISOR,
    ("POST", "/v1/assists"): _AGENT,
    ("POST", "/v1/searches"): _ALL,
    ("POST", "/v1/draft_checks"): _AGENT,
    ("PUT", "/v1/suggestions/{suggestion_id}/outcome"): _AGENT,
    ("GET", "/v1/suggestions"): _REVIEWER | _SUPERVISOR | _KNOWLEDGE,
    ("GET", "/v1/suggestions/{suggestion_id}"): _REVIEWER | _SUPERVISOR | _KNOWLEDGE,
    ("POST", "/v1/suggestions/{suggestion_id}/reviews"): _REVIEWER | _SUPERVISOR,
    ("GET", "/v1/knowledge/versions"): _KNOWLEDGE | _REVIEWER | _SUPERVISOR,
    ("GET", "/v1/knowledge/versions/{version}"): _KNOWLEDGE | _REVIEWER | _SUPERVISOR,
    ("DELETE", "/v1/knowledge/versions"): _KNOWLEDGE,
    ("GET", "/v1/knowledge/history"): _KNOWLEDGE,
    ("GET", "/v1/knowledge/builds"): _KNOWLEDGE,
    ("POST", "/v1/knowledge/builds"): _KNOWLEDGE,
    ("GET", "/v1/knowledge/builds/{build_id}"): _KNOWLEDGE,
    ("GET", "/v1/knowledge/builds/{build_id}/events"): _KNOWLEDGE,
    ("PUT", "/v1/knowledge/active"): _KNOWLEDGE,
    ("POST", "/v1/knowledge/rollback"): _KNOWLEDGE,
    ("DELETE", "/v1/customers/{customer_id:path}"): set(),
    ("GET", "/v1/live/board"): _SUPERVISOR,
    ("GET", "/v1/demo/conversations"): _AGENT | _SUPERVISOR,
    ("GET", "/v1/demo/conversations/{demo_id}"): _AGENT | _SUPERVISOR,
}
"""Method and path to the roles that may use it. An admin may use everything; a path that is not here is refused."""

NOBODY_ASKED = Key("key_none", "key", "local", "admin", None, "1970-01-01T00:00:00.000000Z", None, None)
"""Who everyone is when keys are off."""


def allowed(role: str, method: str, path: str) -> bool:
    """Whether a role may use a route, given the route's path with its parameters in braces."""
    roles = MAY.get((method, path))
    return roles is not None and (role == "admin" or role in roles)


class Gate:
    """Decides on every request. One for each app."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys
        self._cache: dict[str, tuple[float, Key]] = {}

    async def enter(self, connection: HTTPConnection) -> Key:
        """The caller, if they may use the route they called. Raises Unauthenticated or Forbidden."""
        key = await self.identify(connection)
        method = "WEBSOCKET" if connection.scope["type"] == "websocket" else connection.scope["method"]
        if not allowed(key.role, method, connection.scope["route"].path):
            raise Forbidden(f"The role {key.role} may not do this.", {"role": key.role})
        return key

    async def identify(self, connection: HTTPConnection) -> Key:
        """The caller. Raises Unauthenticated without a valid secret, Forbidden for a page of another site."""
        if not self._settings.auth:
            self._refuse_foreign(connection)
            return NOBODY_ASKED
        bearer = connection.headers.get("authorization")
        if bearer is not None:
            scheme, _, secret = bearer.partition(" ")
            if scheme.lower() == "bearer" and (key := await self._find(secret.strip())):
                return key
            raise Unauthenticated("This key is not known, or no longer valid.")
        secret = connection.cookies.get(COOKIE, "")
        if secret and (key := await self._find(secret)):
            self._refuse_foreign(connection)
            return key
        raise Unauthenticated("Sign in, or send a key as: Authorization: Bearer ask_…")

    async def sign_in(self, secret: str) -> tuple[Key, str] | None:
        """A session for a login link's secret (once) or for a key. None if the secret is worth nothing."""
        key = await self._keys.take_login(secret) or await self._find(secret)
        if key is None or key.kind == "session":
            return None
        lifetime = timedelta(hours=self._settings.session_hours)
        return await self._keys.add(key.name, key.role, kind="session", language=key.language, lifetime=lifetime)

    async def sign_out(self, connection: HTTPConnection) -> None:
        """End the browser's session."""
        secret = connection.cookies.get(COOKIE, "")
        if secret and (key := await self._find(secret)):
            await self._keys.revoke(key.id)
            self._cache.clear()

    def set_cookie(self, response: Response, secret: str) -> None:
        """Give the browser its session."""
        response.set_cookie(
            COOKIE,
            secret,
            max_age=self._settings.session_hours * 3600,
            httponly=True,
            samesite="strict",
            secure=self._settings.secure_cookies,
        )

    async def _find(self, secret: str) -> Key | None:
        digest = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
        now = time.monotonic()
        cached = self._cache.get(digest)
        if cached and now < cached[0]:
            return cached[1]
        key = await self._keys.find(secret)
        if key is None:
            self._cache.pop(digest, None)
            return None
        if len(self._cache) >= _MAX_CACHED:
            self._cache.clear()
        self._cache[digest] = (now + _CACHE_S, key)
        return key

    def _refuse_foreign(self, connection: HTTPConnection) -> None:
        """Stops other sites: forged requests, foreign sockets, and names that were rebound to this machine."""
        host = connection.headers.get("host", "")
        if not self._settings.auth and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            raise Forbidden("Without keys the service answers on a loopback name only.")
        is_socket = connection.scope["type"] == "websocket"
        if not is_socket and connection.scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return
        origin = connection.headers.get("origin")
        if origin is None:
            # Browsers send Origin with every socket and every unsafe method; programs do not.
            if connection.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none"):
                return
        elif urlsplit(origin).netloc == host or origin in self._settings.allowed_origins:
            return
        raise Forbidden("This page may not use the service.", {"origin": origin})
