"""API keys, login links and browser sessions. Only the SHA-256 of a secret is kept."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from assist.storage.engine import Readers, Writer
from assist.storage.records import iso
from assist.storage.tables import api_keys

KeyKind = Literal["key", "login", "session"]
PREFIX: dict[KeyKind, str] = {"key": "ask_", "login": "asl_", "session": "ass_"}


@dataclass(frozen=True, slots=True)
class Key:
    """Who holds a secret and what they may do. Times are UTC ISO-8601."""

    id: str
    kind: KeyKind
    name: str
    role: str
    language: str | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None

    def valid_at(self, now: datetime) -> bool:
        """Neither revoked nor past its time."""
        return self.revoked_at is None and (self.expires_at is None or iso(now) < self.expires_at)


class Keys:
    """The statements on `api_keys`."""

    def __init__(self, writer: Writer, readers: Readers, clock: Callable[[], datetime]) -> None:
        self._writer, self._readers, self._clock = writer, readers, clock

    async def add(
        self,
        name: str,
        role: str,
        *,
        kind: KeyKind = "key",
        language: str | None = None,
        lifetime: timedelta | None = None,
    ) -> tuple[Key, str]:
        """Create a secret and return it once, with its record."""
        secret = PREFIX[kind] + secrets.token_urlsafe(32)
        now = self._clock()
        key = Key(
            id=f"key_{secrets.token_hex(8)}",
            kind=kind,
            name=name,
            role=role,
            language=language,
            created_at=iso(now),
            expires_at=iso(now + lifetime) if lifetime else None,
            revoked_at=None,
        )
        row = {field: getattr(key, field) for field in Key.__slots__} | {"sha256": _sha256(secret)}
        await self._writer.write(lambda connection: connection.execute(insert(api_keys), row) and None)
        return key, secret

    async def find(self, secret: str) -> Key | None:
        """The valid key with this secret, of any kind but a login link."""
        key = await self._readers.read(lambda connection: _select(connection, api_keys.c.sha256 == _sha256(secret)))
        return key[0] if key and key[0].kind != "login" and key[0].valid_at(self._clock()) else None

    async def take_login(self, secret: str) -> Key | None:
        """The key of a login link, which is used up by this call."""
        now = self._clock()

        def job(connection: Connection) -> Key | None:
            found = _select(connection, (api_keys.c.sha256 == _sha256(secret)) & (api_keys.c.kind == "login"))
            if not found or not found[0].valid_at(now):
                return None
            connection.execute(update(api_keys).where(api_keys.c.id == found[0].id).values(revoked_at=iso(now)))
            return found[0]

        return await self._writer.write(job)

    async def list(self) -> list[Key]:
        """All keys of programs and people, the oldest first."""
        return await self._readers.read(lambda connection: _select(connection, api_keys.c.kind == "key"))

    async def revoke(self, key_id: str) -> bool:
        """Withdraw a key or a session at once. False if there is none with this id."""
        statement = update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=iso(self._clock()))
        return await self._writer.write(lambda connection: connection.execute(statement).rowcount > 0)

    async def forget_expired(self) -> None:
        """Delete login links and sessions whose time is over."""
        statement = delete(api_keys).where(api_keys.c.expires_at < iso(self._clock()))
        await self._writer.write(lambda connection: connection.execute(statement) and None)


def _select(connection: Connection, condition: object) -> list[Key]:
    columns = [api_keys.c[field] for field in Key.__slots__]
    rows = connection.execute(select(*columns).where(condition).order_by(api_keys.c.created_at))  # type: ignore[arg-type]
    return [Key(*row) for row in rows]


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
