"""The encoder's queue: bounded, and whatever happens in a worker reaches the caller."""

import asyncio
import threading
from collections.abc import Callable

import numpy as np
import pytest
from made_encodings import encoding

from assist.errors import Overloaded, Unavailable
from assist.inference.encoder import Context, Encoding
from assist.inference.pool import EncoderPool

pytestmark = pytest.mark.anyio


class LengthEncoder:
    """A vector that is the text's length; `boom` fails, and `gate` holds everyone back until it is set."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.seen: list[str] = []

    def encode_query(self, text: str, context: Context, begin: Callable[[], object] = lambda: None) -> Encoding:
        begin()
        assert self.gate.wait(10)
        self.seen.append(text)
        if text == "boom":
            raise ValueError("the encoder failed")
        return encoding(np.array([len(text)], np.float32), has_context=bool(context))


async def test_every_caller_gets_the_answer_to_its_own_text() -> None:
    pool = EncoderPool(LengthEncoder(), workers=2)
    texts = ["x" * size for size in range(40)]
    encodings = await asyncio.gather(*(pool.encode_query(text) for text in texts))
    assert [int(encoding.vector[0]) for encoding in encodings] == list(range(40))
    assert pool.depth == 0
    pool.close()


async def test_a_full_queue_is_an_answer() -> None:
    encoder = LengthEncoder()
    encoder.gate.clear()
    pool = EncoderPool(encoder, workers=1, queue_limit=2)
    waiting = [asyncio.create_task(pool.encode_query("a")) for _ in range(3)]
    await asyncio.sleep(0)
    assert pool.depth == 2
    with pytest.raises(Overloaded):
        await pool.encode_query("b")
    encoder.gate.set()
    assert len(await asyncio.gather(*waiting)) == 3
    assert (await pool.encode_query("free again")).vector[0] == 10
    pool.close()


async def test_a_failure_reaches_its_caller_and_the_worker_lives_on() -> None:
    pool = EncoderPool(LengthEncoder(), workers=1)
    results = await asyncio.gather(
        pool.encode_query("boom"), pool.encode_query("boom"), pool.encode_query("fine"), return_exceptions=True
    )
    assert [type(result) for result in results] == [ValueError, ValueError, Encoding]
    assert pool.depth == 0
    pool.close()


async def test_a_cancelled_caller_frees_its_place() -> None:
    encoder = LengthEncoder()
    encoder.gate.clear()
    pool = EncoderPool(encoder, workers=1, queue_limit=1)
    running = asyncio.create_task(pool.encode_query("running"))
    waiting = asyncio.create_task(pool.encode_query("cancelled"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    replacement = asyncio.create_task(pool.encode_query("replacement"))
    await asyncio.sleep(0)
    encoder.gate.set()
    await asyncio.gather(running, replacement)
    assert encoder.seen == ["running", "replacement"]
    pool.close()


async def test_closing_finishes_what_waits() -> None:
    pool = EncoderPool(LengthEncoder(), workers=1)
    waiting = asyncio.gather(*(pool.encode_query("x") for _ in range(5)))
    await asyncio.sleep(0)
    pool.close()
    pool.close()
    assert len(await waiting) == 5
    with pytest.raises(Unavailable):
        await pool.encode_query("late")
    assert pool.depth == 0


async def test_the_caller_goes_on_once_its_text_is_begun_and_other_work_may_be_run() -> None:
    encoder = LengthEncoder()
    encoder.gate.clear()
    pool = EncoderPool(encoder, workers=1, queue_limit=4)
    outcome = await pool.begin("begun")
    assert not outcome.done()
    waiting = asyncio.create_task(pool.begin("waits"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    encoder.gate.set()
    assert (await outcome).vector[0] == 5
    assert (await (await waiting)).vector[0] == 5
    assert await pool.run(lambda: "other work") == "other work"
    pool.close()
