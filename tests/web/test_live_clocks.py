"""Clocks that warn and run out while nobody says anything: on the board, on the desk and over a restart."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stand_ins import (
    ADDRESS,
    SOCKET,
    KeywordAssistant,
    KeywordSession,
    open_conversation,
    open_stand_ins,
    say,
    settings_in,
)
from starlette.testclient import TestClient

from assist.conversation.clocks import Limits, clocks_of
from assist.domain import AssistResult, ConversationReading, Routing, Utterance
from assist.inference.encoder import Encoding
from assist.settings import Settings
from assist.storage.records import ConversationSummary
from assist.web.app import create_app
from assist.web.parts import Engine, Parts

BEGIN = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@dataclass
class Time:
    """A clock that a test sets."""

    now: datetime = BEGIN
    spoken: dict[str, datetime] = field(default_factory=dict)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


class ClockedAssistant(KeywordAssistant):
    """The keyword assistant with the real clocks for the first answer."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time
        self._times: dict[str, dict[str, datetime | None]] = {}

    def assist(self, session: KeywordSession, utterance: Utterance, encoding: Encoding | None) -> AssistResult:
        times = self._of(session)
        times["asked_at" if utterance.speaker == "customer" else "answered_at"] = utterance.at
        return replace(super().assist(session, utterance, encoding), conversation=self.state(session))

    def restore(self, conversation: Any, turns: Any, outcomes: Any) -> KeywordSession:
        session = super().restore(conversation, turns, outcomes)
        for utterance, _ in turns:
            self._of(session)["asked_at" if utterance.speaker == "customer" else "answered_at"] = utterance.at
        return session

    def state(self, session: KeywordSession) -> ConversationReading:
        running = clocks_of(Limits(), self._time.now, **self._of(session))
        return replace(super().state(session), clocks=running, routing=Routing("general", 4, "topic"))

    def _of(self, session: KeywordSession) -> dict[str, datetime | None]:
        names = ("asked_at", "answered_at", "complaint_at", "contacted_at", "closed_at")
        return self._times.setdefault(session.conversation.id, dict.fromkeys(names))


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def start(tmp_path: Path, time: Time) -> Iterator[Callable[[], TestClient]]:
    clients: list[TestClient] = []

    def serve() -> TestClient:
        def engine(settings: Settings) -> Engine:
            assistant: Any = ClockedAssistant(time)
            return replace(open_stand_ins(settings), assistant=assistant, clock=time)

        client = TestClient(create_app(settings=settings_in(tmp_path, auth=False), engine=engine), base_url=ADDRESS)
        client.__enter__()
        clients.append(client)
        return client

    yield serve
    for client in reversed(clients):
        client.__exit__(None, None, None)


def parts_of(client: TestClient) -> Parts:
    parts: Parts = client.app.state.parts  # type: ignore[attr-defined]
    return parts


def line_of(client: TestClient, conversation: str) -> ConversationSummary:
    line = parts_of(client).board.live(conversation)
    assert line is not None
    return line


def first_answer(client: TestClient, conversation: str) -> str:
    return next(clock.state for clock in line_of(client, conversation).clocks if clock.name == "first_answer")


def test_a_silent_conversation_is_warned_of_and_escalated(start: Callable[[], TestClient], time: Time) -> None:
    client = start()
    parts = parts_of(client)
    conversation, calm = open_conversation(client), open_conversation(client)
    say(client, conversation, "Hello?")
    with client.websocket_connect(f"{SOCKET}/v1/conversations/{conversation}/live") as screen:
        assert screen.receive_json()["type"] == "ready"
        told: list[Any] = []
        for seconds, state, priority in ((50, "due_soon", 4), (20, "overdue", 3)):
            time.pass_(seconds=seconds)
            client.portal.call(parts.rooms.tell_clocks)  # type: ignore[union-attr]
            message = screen.receive_json()
            told.append(message)
            assert message["type"] == "clocks"
            assert message["clocks"][0]["state"] == state
            assert message["routing"]["priority"] == priority
            assert first_answer(client, conversation) == state
    assert told[-1]["routing"]["reason"] == "overdue"
    assert [line.id for line in parts.board.snapshot()] == [conversation, calm]
    say(client, conversation, "Good morning", speaker="agent", at=time.now.isoformat())
    assert first_answer(client, conversation) == "late"
    assert line_of(client, conversation).routing == Routing("general", 4, "topic")


def test_nobody_is_told_twice(start: Callable[[], TestClient], time: Time) -> None:
    client = start()
    parts = parts_of(client)
    conversation = open_conversation(client)
    say(client, conversation, "Hello?")
    lines: list[ConversationSummary] = []

    async def tell() -> None:
        watching = parts.board.watch()
        await anext(watching)
        time.pass_(seconds=70)
        for _ in range(3):
            parts.rooms.tell_clocks()
        line = await anext(watching)
        assert isinstance(line, ConversationSummary)
        lines.append(line)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(watching), 0.05)
        await watching.aclose()  # type: ignore[attr-defined]

    client.portal.call(tell)  # type: ignore[union-attr]
    assert [clock.state for clock in lines[0].clocks] == ["overdue", "running"]


def test_clocks_run_on_over_a_restart(start: Callable[[], TestClient], time: Time) -> None:
    before = start()
    waiting, answered, silent = (open_conversation(before) for _ in range(3))
    say(before, waiting, "Hello?", at=time.now.isoformat())
    say(before, answered, "Hello?", at=time.now.isoformat())
    say(before, answered, "Good morning", speaker="agent", at=time.now.isoformat())
    time.pass_(seconds=50)
    after = start()
    assert first_answer(after, waiting) == "due_soon"
    assert first_answer(after, answered) == "met"
    assert line_of(after, silent).clocks == ()
    time.pass_(seconds=20)
    after.portal.call(parts_of(after).rooms.tell_clocks)  # type: ignore[union-attr]
    assert first_answer(after, waiting) == "overdue"
    assert line_of(after, waiting).routing == Routing("general", 3, "overdue")
    assert first_answer(after, answered) == "met"


def test_closed_conversations_have_no_clocks_to_tell(start: Callable[[], TestClient], time: Time) -> None:
    client = start()
    conversation = open_conversation(client)
    say(client, conversation, "Hello?")
    client.post(f"/v1/conversations/{conversation}/closure")
    time.pass_(hours=3)
    client.portal.call(parts_of(client).rooms.tell_clocks)  # type: ignore[union-attr]
    assert parts_of(client).board.live(conversation) is None
