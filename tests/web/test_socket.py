"""The live socket: two screens, resume, refusals, slow screens."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from stand_ins import SOCKET, open_conversation, say
from starlette.testclient import TestClient

from assist.web.board import Board, Watcher


def live(client: TestClient, conversation: str, query: str = "") -> Any:
    return client.websocket_connect(f"{SOCKET}/v1/conversations/{conversation}/live{query}")


def until(socket: Any, kind: str) -> dict[str, Any]:
    """The next message of a type, past heartbeats."""
    while True:
        message: dict[str, Any] = socket.receive_json()
        if message["type"] == kind:
            return message
        assert message["type"] in ("heartbeat", "event", "result"), message


def test_two_screens_see_the_same_conversation(client: TestClient, opened: str) -> None:
    with live(client, opened) as one, live(client, opened) as two:
        assert until(one, "ready")["seq"] == until(two, "ready")["seq"] == 1
        one.send_json({"type": "utterance", "id": "utt_1", "speaker": "customer", "text": "I am angry"})
        result = until(one, "result")["result"]
        event = until(two, "event")["event"]
        assert event["type"] == "utterance.added"
        assert event["data"] == result
        assert result["utterance"]["text"] == "I am angry"
        suggestion = result["suggestions"][0]["id"]
        two.send_json({"type": "outcome", "suggestion_id": suggestion, "outcome": "edited", "final_text": "Hello"})
        event = until(one, "event")["event"]
        assert event["type"] == "suggestion.outcome"
        assert event["data"] == {
            "suggestion_id": suggestion,
            "outcome": "edited",
            "final_text": "Hello",
            "reason": None,
        }
        client.post(f"/v1/conversations/{opened}/closure")
        assert until(one, "event")["event"]["type"] == "conversation.closed"
        assert until(two, "event")["event"]["type"] == "suggestion.outcome"
        assert until(two, "event")["event"]["type"] == "conversation.closed"


def test_the_sender_gets_the_event_and_the_result(client: TestClient, opened: str) -> None:
    with live(client, opened) as socket:
        until(socket, "ready")
        socket.send_json({"type": "utterance", "speaker": "agent", "text": "Good morning"})
        kinds = sorted([socket.receive_json()["type"], socket.receive_json()["type"]])
        assert kinds == ["event", "result"]


def test_a_screen_resumes_where_it_left(client: TestClient, opened: str) -> None:
    for at in range(4):
        say(client, opened, f"sentence {at}")
    with live(client, opened, "?since=2") as socket:
        assert until(socket, "ready")["seq"] == 5
        assert [until(socket, "event")["event"]["seq"] for _ in range(3)] == [3, 4, 5]
        say(client, opened, "one more")
        assert until(socket, "event")["event"]["seq"] == 6
    with live(client, opened) as socket:
        until(socket, "ready")
        say(client, opened, "only what is new")
        assert until(socket, "event")["event"]["seq"] == 7


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", "unprocessable"),
        ("{}", "unprocessable"),
        ("[]", "unprocessable"),
        ('{"type":"shout"}', "unprocessable"),
        ('{"type":"utterance","speaker":"customer","text":" "}', "unprocessable"),
        ('{"type":"utterance","speaker":"customer","text":"\\ud800"}', "unprocessable"),
        ('{"type":"outcome","suggestion_id":"sug_none","outcome":"accepted"}', "not_found"),
        ('{"type":"utterance","speaker":"customer","text":"overload"}', "overloaded"),
        ('{"type":"utterance","speaker":"customer","text":"crash"}', "internal"),
        ('{"type":"utterance","speaker":"customer","text":"%s"}' % ("x" * 4001), "too_large"),
        (" " * 300_000, "too_large"),
    ],
)
def test_a_bad_message_is_answered_and_the_socket_lives(
    client: TestClient, opened: str, message: str, code: str
) -> None:
    with live(client, opened) as socket:
        until(socket, "ready")
        socket.send_text(message)
        assert until(socket, "error")["error"]["code"] == code
        socket.send_json({"type": "ping"})
        assert until(socket, "pong")
    assert client.get(f"/v1/conversations/{opened}").json()["seq"] == 1


def test_binary_messages_are_read_as_text(client: TestClient, opened: str) -> None:
    with live(client, opened) as socket:
        until(socket, "ready")
        socket.send_bytes(b'{"type":"ping"}')
        assert until(socket, "pong")
        socket.send_bytes(b"\xff\x00")
        assert until(socket, "error")["error"]["code"] == "unprocessable"


def test_the_heart_beats(serve: Callable[..., TestClient]) -> None:
    client = serve(heartbeat_s=0.05)
    with live(client, open_conversation(client)) as socket:
        assert socket.receive_json()["type"] == "ready"
        assert [socket.receive_json()["type"] for _ in range(2)] == ["heartbeat", "heartbeat"]


def test_a_withdrawn_key_ends_its_sockets(
    serve: Callable[..., TestClient], secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assist.web.auth._CACHE_S", 0.0)
    client = serve(auth=True, heartbeat_s=0.05)
    headers = {"authorization": f"Bearer {secrets['agent']}"}
    conversation = client.post("/v1/conversations", json={"customer": {"id": "c"}}, headers=headers).json()["id"]
    parts = client.app.state.parts  # type: ignore[attr-defined]
    with client.websocket_connect(f"{SOCKET}/v1/conversations/{conversation}/live", headers=headers) as socket:
        assert socket.receive_json()["type"] == "ready"
        assert client.portal is not None
        mine = next(key for key in client.portal.call(parts.engine.repository.keys.list) if key.role == "agent")
        client.portal.call(parts.engine.repository.keys.revoke, mine.id)
        while (message := socket.receive())["type"] == "websocket.send":
            pass
        assert message["code"] == 4401
    assert client.get("/v1/me", headers=headers).status_code == 401


@pytest.mark.anyio
async def test_a_slow_screen_is_dropped_and_not_buffered() -> None:
    watcher = Watcher(3)
    for at in range(3):
        watcher.send(str(at))
    assert not watcher.dropped
    assert await watcher.take(1) == ["0", "1", "2"]
    for at in range(4):
        watcher.send(str(at))
    assert watcher.dropped
    watcher.send("late")
    assert await watcher.take(1) == []


@pytest.mark.anyio
async def test_a_slow_board_is_ended(line: Any) -> None:
    board = Board(lines=9, watcher_queue=2)
    watching = board.watch()
    assert await anext(watching) == []
    for _ in range(3):
        board.change(line)
    with pytest.raises(StopAsyncIteration):
        await anext(watching)


@pytest.fixture
def line(client: TestClient, opened: str) -> Any:
    return client.app.state.parts.board.live(opened)  # type: ignore[attr-defined]


@pytest.mark.anyio
async def test_a_watcher_wakes_for_a_message() -> None:
    watcher = Watcher(3)
    waiting = asyncio.create_task(watcher.take(60))
    await asyncio.sleep(0)
    begin = time.monotonic()
    watcher.send("now")
    assert await waiting == ["now"]
    assert time.monotonic() - begin < 30
