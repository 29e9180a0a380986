"""What an app is made of, opened once and closed in the reverse order."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from starlette.requests import HTTPConnection

from assist.conversation.assistant import Assistant
from assist.inference.pool import EncoderPool
from assist.settings import Settings
from assist.storage.customers import Customers
from assist.storage.repository import Repository
from assist.web.auth import Gate
from assist.web.board import Board
from assist.web.knowledge import Builds, LiveKnowledge
from assist.web.live import Rooms
from assist.web.observe import Metrics


def now() -> datetime:
    """The present in UTC."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """An opaque id that nobody can guess."""
    return f"{prefix}_{secrets.token_hex(10)}"


@dataclass(slots=True)
class Engine:
    """The parts that do the work. Tests give others to `create_app`."""

    repository: Repository
    assistant: Assistant
    pool: EncoderPool
    knowledge: LiveKnowledge
    clock: Callable[[], datetime] = now
    new_id: Callable[[str], str] = new_id
    customers: Customers | None = None


@dataclass(slots=True)
class Parts:
    """Everything that a route may need."""

    settings: Settings
    engine: Engine
    metrics: Metrics
    builds: Builds
    board: Board = field(init=False)
    rooms: Rooms = field(init=False)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        engine = self.engine
        self.board = Board(lines=self.settings.max_live_conversations, watcher_queue=self.settings.watcher_queue)
        self.gate = Gate(self.settings, engine.repository.keys)
        self.rooms = Rooms(
            repository=engine.repository,
            assistant=engine.assistant,
            pool=engine.pool,
            board=self.board,
            metrics=self.metrics,
            clock=engine.clock,
            new_id=engine.new_id,
            limit=self.settings.max_live_conversations,
        )


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts of the app that serves this connection."""
    return cast(Parts, connection.app.state.parts)
