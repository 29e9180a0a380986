"""A bounded queue in front of the encoder: threads encode side by side, and being full is an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any, Protocol, TypeVar

from assist.errors import Overloaded, Unavailable
from assist.inference.encoder import Context, Encoding

T = TypeVar("T")


class QueryEncoder(Protocol):
    """What the pool runs: `Encoder`, or a stand-in of a test."""

    def encode_query(self, text: str, context: Context, begin: Callable[[], object] = ...) -> Encoding:
        """Encode one text, said after the turns of `context`; `begin` is called when the pass begins."""


class EncoderPool:
    """Runs one encoder in `workers` threads; at most `queue_limit` more texts may wait."""

    def __init__(self, encoder: QueryEncoder, *, workers: int = 2, queue_limit: int = 64) -> None:
        self._encoder = encoder
        self._workers = workers
        self._queue_limit = queue_limit
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="encoder")
        self._lock = Lock()
        self._pending = 0

    @property
    def depth(self) -> int:
        """Texts that wait for a free worker."""
        return max(0, self._pending - self._workers)

    async def encode_query(self, text: str, context: Context = ()) -> Encoding:
        """Encode `text` in a worker thread; raises as `begin` does."""
        return await self.run(partial(self._encoder.encode_query, text, context))

    async def run(self, work: Callable[[], T]) -> T:
        """Do any other work of a model in a worker thread; raises as `begin` does."""
        return await asyncio.wrap_future(self._submit(work))

    async def begin(self, text: str, context: Context = ()) -> asyncio.Future[Encoding]:
        """Return once the pass over `text` has begun; the caller may do other things before it awaits the rest.

        Sooner they would only fight over the interpreter. Raises Overloaded if the queue is full and Unavailable after
        `close`; awaiting the future raises whatever the encoder raised for this text, and the worker lives on. A caller
        that is cancelled while it waits frees its place.
        """
        loop = asyncio.get_running_loop()
        begun = asyncio.Event()
        tell = partial(loop.call_soon_threadsafe, begun.set)
        future = self._submit(partial(self._encoder.encode_query, text, context, tell))
        future.add_done_callback(lambda _: tell())  # it may fail before
        try:
            await begun.wait()
        except asyncio.CancelledError:
            future.cancel()
            raise
        return asyncio.wrap_future(future)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._pending >= self._workers + self._queue_limit:
                raise Overloaded("the encoder's queue is full", {"queue_limit": self._queue_limit})
            self._pending += 1
        try:
            future = self._executor.submit(work)
        except RuntimeError as error:  # the executor was shut down
            self._release()
            raise Unavailable("the encoder is closed") from error
        future.add_done_callback(self._release)
        return future

    def close(self) -> None:
        """Finish what waits, then end the threads. May be called again."""
        self._executor.shutdown(wait=True)

    def _release(self, _: Future[Any] | None = None) -> None:
        with self._lock:
            self._pending -= 1
