"""The writer: group commit, neighbours of a bad job, a full queue, a failing database."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from assist.errors import NotFound, Overloaded, SettingsError, Unavailable
from assist.storage.engine import Readers, Writer, open_engine

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'log.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE rows (n INTEGER PRIMARY KEY)"))
    yield engine
    engine.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    writer = Writer(engine, queue_limit=8)
    yield writer
    writer.close()


def insert(number: int):
    return lambda connection: connection.execute(text("INSERT INTO rows VALUES (:n)"), {"n": number}).rowcount


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT n FROM rows ORDER BY n")).scalars())


async def test_a_write_is_there_when_it_returns(writer: Writer, engine: Engine) -> None:
    assert await writer.write(insert(1)) == 1
    assert numbers(engine) == [1]


async def test_what_waits_is_committed_together(writer: Writer, engine: Engine) -> None:
    begun, go_on = threading.Event(), threading.Event()
    transactions: list[int] = []

    def hold(connection: Connection) -> None:
        begun.set()
        go_on.wait(10)

    def remember(connection: Connection) -> None:
        transactions.append(id(connection))

    held = asyncio.create_task(writer.write(hold))
    await asyncio.to_thread(begun.wait, 10)
    waiting = [asyncio.create_task(writer.write(remember)) for _ in range(5)]
    await asyncio.sleep(0)
    assert writer.depth == 5
    go_on.set()
    await asyncio.gather(held, *waiting)
    assert len(set(transactions)) == 1


async def test_a_bad_job_spoils_no_neighbour(writer: Writer, engine: Engine) -> None:
    def refuse(connection: Connection) -> None:
        raise NotFound("not here")

    jobs = [insert(1), refuse, insert(2), insert(1), insert(3)]
    results = await asyncio.gather(*(writer.write(job) for job in jobs), return_exceptions=True)
    assert [type(result) for result in results] == [int, NotFound, int, Unavailable, int]
    assert numbers(engine) == [1, 2, 3]


async def test_a_failing_commit_reaches_every_waiter(writer: Writer, engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE rows"))
    results = await asyncio.gather(*(writer.write(insert(n)) for n in range(4)), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 4
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE rows (n INTEGER PRIMARY KEY)"))
    assert await writer.write(insert(7)) == 1


async def test_a_full_queue_is_an_answer(writer: Writer) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        begun.set()
        go_on.wait(10)

    held = asyncio.create_task(writer.write(hold))
    await asyncio.to_thread(begun.wait, 10)
    waiting = [asyncio.create_task(writer.write(insert(n))) for n in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await writer.write(insert(99))
    go_on.set()
    await asyncio.gather(held, *waiting)


async def test_a_caller_who_leaves_harms_nobody(writer: Writer, engine: Engine) -> None:
    leaving = asyncio.create_task(writer.write(insert(1)))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert await writer.write(insert(2)) == 1
    assert 2 in numbers(engine)


async def test_closing_commits_what_waits(engine: Engine) -> None:
    writer = Writer(engine, queue_limit=100)
    waiting = [asyncio.create_task(writer.write(insert(n))) for n in range(50)]
    await asyncio.sleep(0)
    await asyncio.to_thread(writer.close)
    await asyncio.gather(*waiting)
    assert numbers(engine) == list(range(50))
    with pytest.raises(Unavailable):
        await writer.write(insert(99))


async def test_readers_cannot_write(engine: Engine, tmp_path: Path) -> None:
    reading = open_engine(f"sqlite:///{tmp_path / 'log.db'}", read_only=True)
    readers = Readers(reading)
    with pytest.raises(Unavailable):
        await readers.read(insert(1))
    assert numbers(engine) == []
    readers.close()
    reading.dispose()


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite://", "sqlite:///:memory:"])
async def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        open_engine(url)
