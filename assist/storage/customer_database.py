"""Customers from a retailer's own database, by SQL statements that the retailer writes. Never writes.

The file of statements has one under each of the headings `-- customer`, `-- orders`, `-- cart`, `-- viewed` and
`-- contacts`; all but the first may be missing. `-- customer` is asked with one identifier at a time, the others NULL.
"""

import re
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from assist.domain import Customer
from assist.errors import SettingsError
from assist.storage.customers import LINES, PARTS, Identifiers, Parse, log, profile_of_row, with_entry
from assist.storage.engine import DRIVERS

_HEADING = re.compile(rf"^--[ \t]*(customer|{'|'.join(PARTS)})[ \t]*$", re.MULTILINE)
_STEPS = 10_000
"""SQLite instructions between two looks at the time: about a millisecond."""


class DatabaseSource:
    """A SQLite or PostgreSQL database. Its statements end by themselves after `timeout_s`."""

    def __init__(self, url: str, queries: Path, *, parse: Parse, timeout_s: float) -> None:
        self._parse, self._timeout_s = parse, timeout_s
        self._statements = _statements(queries)
        self._until = threading.local()
        self._engine = self._open(url)

    def find(self, identifiers: Identifiers) -> Customer | None:
        """The customer named by the strongest identifier for which `-- customer` gives exactly one row."""
        self._until.at = time.monotonic() + self._timeout_s
        with self._engine.connect() as connection:
            for kind, value in identifiers.items():
                rows = self._rows(connection, "customer", {kind: value})
                if len(rows) == 1:
                    return self._completed(connection, rows[0])
        return None

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._engine.dispose()

    def _completed(self, connection: Connection, row: dict[str, Any]) -> Customer:
        customer = self._parse(profile_of_row(row.items()))
        # The id as the database has it: PostgreSQL compares no number with a text.
        customer_id = {"customer_id": row["id"]}
        for part in PARTS:
            if part in self._statements:
                for number, row in enumerate(self._rows(connection, part, customer_id), start=1):
                    # Numbers of orders and articles are often numbers.
                    known = ((name, value) for name, value in row.items() if value is not None)
                    entry = {name: str(value) if name in ("id", "sku") else value for name, value in known}
                    try:
                        customer = with_entry(customer, part, entry, self._parse)
                    except ValueError as error:
                        log.warning("customers left out: %s, row %d: %s", part, number, error)
        return customer

    def _rows(self, connection: Connection, name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        statement = self._statements[name]
        wanted = statement.compile().params.keys()
        found = connection.execute(statement, {name: values.get(name) for name in wanted})
        return [dict(row) for row in found.mappings()]

    def _open(self, url: str) -> Engine:
        parsed = make_url(url)
        driver = DRIVERS.get(parsed.get_backend_name())
        if driver is None:
            raise SettingsError(f"customers can be read from SQLite or PostgreSQL, not {parsed.get_backend_name()}")
        parsed = parsed.set(drivername=driver)
        shared: dict[str, Any] = {"pool_size": LINES, "max_overflow": 0, "hide_parameters": True}
        if driver.startswith("postgresql"):
            limit_ms = max(1, int(self._timeout_s * 1000))
            options = f"-c default_transaction_read_only=on -c statement_timeout={limit_ms}"
            connect = {"options": options, "connect_timeout": 2}
            return create_engine(parsed, connect_args=connect, pool_pre_ping=True, **shared)
        path = Path(parsed.database or "").absolute()
        if not path.is_file():
            raise SettingsError("the SQLite file of the customers does not exist")
        parsed = parsed.set(database=path.as_uri(), query={"mode": "ro", "uri": "true"})
        engine = create_engine(parsed, connect_args={"check_same_thread": False, "timeout": self._timeout_s}, **shared)
        event.listen(engine, "connect", lambda connection, _: connection.set_progress_handler(self._is_late, _STEPS))
        return engine

    def _is_late(self) -> bool:
        return time.monotonic() > getattr(self._until, "at", float("inf"))


def _statements(path: Path) -> dict[str, TextClause]:
    """The statements of a file by their headings. Raises SettingsError."""
    try:
        _, *parts = _HEADING.split(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("a customer database needs a readable file of SQL statements") from error
    found = {name: text(body.strip().rstrip(";")) for name, body in zip(parts[::2], parts[1::2], strict=True)}
    if "customer" not in found:
        raise SettingsError(f"{path.name} has no statement under the heading -- customer")
    try:
        for statement in found.values():
            statement.compile()
    except SQLAlchemyError as error:
        raise SettingsError(f"{path.name} is not understood") from error
    return found
