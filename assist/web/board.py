"""Who watches: screens on one conversation, supervisors' boards on all of them. A slow one is dropped, not buffered."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from assist.storage.records import ConversationSummary

LOWEST = 4


class Watcher:
    """What waits for one screen. `dropped` is set when it has fallen too far behind or may no longer look."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()
        self.dropped = False

    def send(self, message: str) -> None:
        """Queue a message, or drop the screen if too many wait."""
        if len(self._waiting) >= self._limit:
            self.drop()
        elif not self.dropped:
            self._waiting.append(message)
            self._wake.set()

    def drop(self) -> None:
        """Stop here; what waits is thrown away, the screen asks again with `since`."""
        self.dropped = True
        self._waiting.clear()
        self._wake.set()

    async def take(self, timeout: float) -> list[str]:
        """Everything that waits, in order; empty after `timeout` seconds of silence or when dropped."""
        if not self._waiting and not self.dropped:
            self._wake.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return []
        messages = list(self._waiting)
        self._waiting.clear()
        return messages


class Board:
    """Open conversations, the most pressing first, with everyone who looks at the list."""

    def __init__(self, *, lines: int, watcher_queue: int) -> None:
        self._lines: dict[str, ConversationSummary] = {}
        self._watchers: set[asyncio.Queue[ConversationSummary | None]] = set()
        self._most_lines, self._most_waiting = lines, watcher_queue

    def fill(self, lines: list[ConversationSummary]) -> None:
        """Begin with what the log has as open."""
        for line in lines:
            self._lines.setdefault(line.id, line)

    def snapshot(self) -> list[ConversationSummary]:
        """By priority, then by risk; among equals who has waited longest first."""
        return sorted(
            self._lines.values(),
            key=lambda line: (
                line.routing.priority if line.routing else LOWEST,
                -line.escalation_risk,
                line.waiting_since or "~",
            ),
        )

    def lines(self) -> list[ConversationSummary]:
        """Every open conversation, in no order."""
        return list(self._lines.values())

    def live(self, conversation_id: str) -> ConversationSummary | None:
        """The line of an open conversation."""
        return self._lines.get(conversation_id)

    def change(self, line: ConversationSummary) -> None:
        """Put a line up or change it."""
        self._lines[line.id] = line
        if len(self._lines) > self._most_lines:
            # Conversations that nobody ever closed must not fill the board: the longest untouched one leaves.
            del self._lines[min(self._lines.values(), key=lambda one: one.updated_at).id]
        self._tell(line)

    def remove(self, line: ConversationSummary) -> None:
        """Take a closed conversation down; viewers get its last line with status `closed`."""
        self._lines.pop(line.id, None)
        self._tell(line)

    def forget(self, conversation_id: str) -> None:
        """Take an erased conversation down and make every viewer begin anew."""
        if self._lines.pop(conversation_id, None):
            self.end()

    def end(self) -> None:
        """End every stream; viewers connect again by themselves."""
        for queue in tuple(self._watchers):
            self._end(queue)

    async def watch(self) -> AsyncIterator[list[ConversationSummary] | ConversationSummary]:
        """The whole list once, then each changed line. Ends when the viewer is too slow."""
        queue: asyncio.Queue[ConversationSummary | None] = asyncio.Queue(self._most_waiting)
        self._watchers.add(queue)
        try:
            yield self.snapshot()
            while (line := await queue.get()) is not None:
                yield line
        finally:
            self._watchers.discard(queue)

    def _tell(self, line: ConversationSummary) -> None:
        for queue in tuple(self._watchers):
            if queue.full():
                self._end(queue)
            else:
                queue.put_nowait(line)

    def _end(self, queue: asyncio.Queue[ConversationSummary | None]) -> None:
        self._watchers.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
