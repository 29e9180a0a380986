"""Many readers, one writer: the engines, the migrations and the thread that commits.

The writer is one thread with a bounded queue. Whatever waits goes into one transaction (group commit), and a caller's
future resolves only after that commit. A plain thread with the blocking drivers is used because an async driver hops
between threads once per statement; here an utterance costs one hop for all its statements.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from alembic import command
from alembic.config import Config
from sqlalchemy import ClauseElement, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.compiler import SQLCompiler

from assist.errors import AssistError, Overloaded, SettingsError, Unavailable

T = TypeVar("T")
Job = Callable[[Connection], T]
_Waiting = tuple[Job[Any], asyncio.Future[Any]]

DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
READERS = 4
MAX_GROUP = 256


def open_engine(url: str, *, synchronous: str = "FULL", read_only: bool = False) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://…`. Raises SettingsError for any other kind of URL."""
    parsed = make_url(url)
    driver = DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        raise SettingsError(f"the database must be SQLite or PostgreSQL, not {parsed.get_backend_name()}")
    parsed = parsed.set(drivername=driver)
    size = READERS if read_only else 2  # the writer keeps one; the other is for care
    if driver.startswith("postgresql"):
        options = "-c default_transaction_read_only=on" if read_only else ""
        return create_engine(
            parsed, pool_size=size, max_overflow=0, hide_parameters=True, connect_args={"options": options}
        )
    if not parsed.database or parsed.database == ":memory:":
        raise SettingsError("the SQLite database must be a file")
    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        parsed,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,  # an error message must not carry text into the service's own log
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself: it would begin them as readers and fail to upgrade.
        connection.isolation_level = None
        for pragma in (
            "busy_timeout=5000",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            # Erased text is overwritten, not merely unlinked.
            "secure_delete=ON",
            f"query_only={'ON' if read_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def migrate(engine: Engine) -> None:
    """Bring the database to the newest tables."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class Prepared:
    """A statement that is compiled once and handed to the driver as it is.

    SQLAlchemy needs about as long for one execution as SQLite for four; what every utterance runs is worth it.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {}

    def run(self, connection: Connection, *rows: Mapping[str, Any]) -> int:
        """Run it for each row of values; a column without one becomes NULL. Returns how many rows the last changed."""
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            compiled = cast(SQLCompiler, self._statement.compile(dialect=dialect))
            self._compiled[dialect.name] = str(compiled), dict(compiled.params), compiled.positiontup
        sql, constants, order = self._compiled[dialect.name]
        with closing(connection.connection.cursor()) as cursor:
            for row in rows:
                values = constants | dict(row)
                cursor.execute(sql, values if order is None else [values[name] for name in order])
            return int(cursor.rowcount)


class Writer:
    """The one thread that writes, on one connection that it keeps until something fails."""

    def __init__(self, engine: Engine, *, queue_limit: int) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(queue_limit)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """Jobs that wait."""
        return self._queue.qsize()

    async def write(self, job: Job[T]) -> T:
        """Run `job` in a transaction and return its result after the commit; raises as `submit` and its future do."""
        return await self.submit(job)

    def submit(self, job: Job[T]) -> asyncio.Future[T]:
        """Have `job` run in a transaction; the future has its result after the commit.

        A job may be run twice (see `_commit`), so it must do nothing but statements. Raises Overloaded if the queue is
        full and Unavailable after `close`; the future raises Unavailable if the database fails, and the job's own
        AssistError unchanged.
        """
        if self._closed:
            raise Unavailable("The log is closed.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((job, future))
        except queue.Full:
            raise Overloaded("The log cannot keep up. Try again in a moment.") from None
        return future

    def close(self) -> None:
        """Commit what waits, then stop. Blocks."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        try:
            while (first := self._queue.get()) is not None:
                group = [first]
                while len(group) < MAX_GROUP and not self._queue.empty():
                    waiting = self._queue.get()
                    if waiting is None:
                        self._commit(group)
                        return
                    group.append(waiting)
                self._commit(group)
        finally:
            self._disconnect()

    def _commit(self, group: list[_Waiting]) -> None:
        outcomes: list[tuple[Any, BaseException | None]]
        try:
            results = self._transaction([job for job, _ in group])
            outcomes = [(result, None) for result in results]
        except Exception as error:
            # One bad job has rolled the whole group back: each gets its own transaction, so only the bad one fails.
            outcomes = [self._alone(job) for job, _ in group] if len(group) > 1 else [(None, error)]
        for (_, future), (result, failure) in zip(group, outcomes, strict=True):
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, future, result, failure)

    def _alone(self, job: Job[Any]) -> tuple[Any, BaseException | None]:
        try:
            return self._transaction([job])[0], None
        except Exception as error:
            return None, error

    def _transaction(self, jobs: list[Job[Any]]) -> list[Any]:
        try:
            connection = self._connection = self._connection or self._engine.connect()
            with connection.begin():
                return [job(connection) for job in jobs]
        except AssistError:
            raise
        except Exception:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            # Closing a broken one may fail, too; the pool makes a new one in any case.
            with suppress(Exception):
                self._connection.close()
            self._connection = None


class Readers:
    """A few threads with connections that cannot write."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="log-reader")

    async def read(self, job: Job[T]) -> T:
        """Run `job` on a read-only connection. Raises Unavailable if the database fails."""

        def run() -> T:
            with self._engine.connect() as connection:
                return job(connection)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, run)
        except SQLAlchemyError as error:
            raise Unavailable("The log cannot be read at the moment.") from error

    def close(self) -> None:
        """Wait for running reads, then stop. Blocks."""
        self._threads.shutdown()


def _resolve(future: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if future.done():  # the caller has gone away; the commit stands
        return
    if failure is None:
        future.set_result(result)
    elif isinstance(failure, AssistError):
        future.set_exception(failure)
    else:
        unavailable = Unavailable("The log cannot be written at the moment.")
        unavailable.__cause__ = failure
        future.set_exception(unavailable)
