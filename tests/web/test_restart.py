"""Nothing that was acknowledged is lost, whatever ends the process."""

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen

import httpx2
import pytest
from pytest import MonkeyPatch
from service import free_port, running
from stand_ins import open_conversation, say
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

SERVER = Path(__file__).with_name("serve_stand_ins.py")


@pytest.fixture
def process(tmp_path: Path) -> Callable[[int], AbstractContextManager[Popen[bytes]]]:
    """Starts the service on this test's folder."""
    tests = SERVER.parent.parent
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (tests.parent, tests)))
    return lambda port: running([sys.executable, str(SERVER), str(tmp_path), str(port)], port)


def test_after_a_restart_the_same_id_gives_the_same_result(serve: Callable[..., TestClient]) -> None:
    before = serve()
    conversation = open_conversation(before)
    nameless = open_conversation(before, customer={"id": "cust_2"})
    first = say(before, nameless, "I am angry", id="utt_1")
    say(before, conversation, "Ann Lee, 13812345678", id="utt_2")
    after = serve()
    assert say(after, nameless, "I am angry", id="utt_1") == first
    # The log has the redacted words only; the original words still match them, others do not.
    again = say(after, conversation, "Ann Lee, 13812345678", id="utt_2")
    assert again["utterance"]["text"] == "[NAME], [PHONE]"
    body = {"id": "utt_2", "speaker": "customer", "text": "Bob Lee was here"}
    assert after.post(f"/v1/conversations/{conversation}/utterances", json=body).status_code == 409


def test_after_a_restart_the_conversation_goes_on(serve: Callable[..., TestClient]) -> None:
    before = serve()
    conversation = open_conversation(before)
    result = say(before, conversation, "I am angry")
    suggestion = result["suggestions"][0]["id"]
    before.put(f"/v1/suggestions/{suggestion}/outcome", json={"outcome": "accepted"})
    after = serve()
    state = after.get(f"/v1/conversations/{conversation}").json()
    assert (state["seq"], state["reading"]["trend"], state["emotion"]["label"]) == (3, "rising", "angry")
    result = say(after, conversation, "I am angry again")
    assert result["conversation"]["negative_streak"] == 2
    assert result["utterance"]["seq"] == 4
    assert result["suggestions"][0]["text"] == "Dear you, call 400-820-5566."
    after.post(f"/v1/conversations/{conversation}/closure")
    last = serve()
    body = {"speaker": "customer", "text": "Hello?"}
    assert last.post(f"/v1/conversations/{conversation}/utterances", json=body).status_code == 409
    assert last.get(f"/v1/conversations/{conversation}").json()["wrap_up"]["disposition"] == "answered"
    assert last.post(f"/v1/conversations/{conversation}/closure").status_code == 200


def test_a_log_that_fails_leaves_no_trace_and_loses_nothing(client: TestClient, opened: str) -> None:
    say(client, opened, "I am angry", id="utt_1")
    engine = client.app.state.parts.engine.repository._writing  # type: ignore[attr-defined]
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE utterances RENAME TO gone")
    body = {"id": "utt_2", "speaker": "customer", "text": "I am angry again, 13812345678"}
    answer = client.post(f"/v1/conversations/{opened}/utterances", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO utterances")
    result = say(client, opened, "I am angry again, 13812345678", id="utt_2")
    assert (result["utterance"]["seq"], result["conversation"]["negative_streak"]) == (3, 2)
    events = client.get(f"/v1/conversations/{opened}/events").json()["events"]
    assert [event["seq"] for event in events] == [1, 2, 3]
    # What was said before the failure is still there in its original words.
    assert events[1]["data"]["utterance"]["text"] == "I am angry"


def given_to_the_encoder(client: TestClient) -> list[tuple[str, int]]:
    """Texts that were encoded, each with the number of turns before it that were looked at."""
    given: list[tuple[str, int]] = client.app.state.parts.engine.pool.given  # type: ignore[attr-defined]
    return given


def test_after_a_restart_the_turns_before_are_encoded_again(serve: Callable[..., TestClient]) -> None:
    before = serve()
    conversation = open_conversation(before)
    for number in range(5):
        say(before, conversation, f"word {number}")
    assert given_to_the_encoder(before) == [(f"word {number}", number) for number in range(5)]
    after = serve()
    after.get(f"/v1/conversations/{conversation}")
    assert given_to_the_encoder(after) == []
    say(after, conversation, "word 5")
    assert given_to_the_encoder(after) == [("word 2", 0), ("word 3", 1), ("word 4", 2), ("word 5", 3)]


def test_an_agents_words_are_context_and_are_never_refused(client: TestClient) -> None:
    conversation = open_conversation(client)
    say(client, conversation, "hello", speaker="agent")
    say(client, conversation, "word 1")
    say(client, conversation, "overload", speaker="agent")
    say(client, conversation, "go on", speaker="agent")
    assert given_to_the_encoder(client) == [("hello", 0), ("word 1", 1)]
    body = {"speaker": "customer", "text": "overload"}
    assert client.post(f"/v1/conversations/{conversation}/utterances", json=body).status_code == 429


def test_a_recall_that_failed_is_made_again(client: TestClient) -> None:
    conversation = open_conversation(client)
    for speaker, text in (("customer", "word 1"), ("agent", "overload"), ("bot", "notice")):
        say(client, conversation, text, speaker=speaker)
    body = {"speaker": "customer", "text": "word 2"}
    assert client.post(f"/v1/conversations/{conversation}/utterances", json=body).status_code == 429
    pool = client.app.state.parts.engine.pool  # type: ignore[attr-defined]
    pool.overloaded_by = "another word"
    say(client, conversation, "word 2")
    assert given_to_the_encoder(client)[-3:] == [("word 1", 0), ("overload", 1), ("word 2", 2)]


def test_a_closed_conversation_is_not_kept_encoded(client: TestClient) -> None:
    conversation = open_conversation(client)
    say(client, conversation, "word 1")
    rooms = client.app.state.parts.rooms  # type: ignore[attr-defined]
    assert conversation in rooms._remembering
    assert client.post(f"/v1/conversations/{conversation}/closure").status_code == 200
    assert conversation not in rooms._remembering


def test_only_so_many_conversations_stay_encoded(serve: Callable[..., TestClient], monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr("assist.web.live.REMEMBERED", 1)
    client = serve()
    first, second = open_conversation(client), open_conversation(client)
    for conversation, text in ((first, "one"), (second, "two"), (first, "three"), (first, "four")):
        say(client, conversation, text)
    assert given_to_the_encoder(client) == [("one", 0), ("two", 0), ("one", 0), ("three", 1), ("four", 2)]


@pytest.mark.crash
def test_what_a_killed_process_acknowledged_is_in_the_log(
    process: Callable[[int], AbstractContextManager[Popen[bytes]]],
) -> None:
    port = free_port()
    acknowledged: dict[str, dict[str, str]] = {}
    for round_number in range(2):
        with process(port) as server:
            url = f"http://127.0.0.1:{port}"
            conversations = [
                httpx2.post(f"{url}/v1/conversations", json={"customer": {"id": "c"}}).json()["id"] for _ in range(4)
            ]
            for one in conversations:
                acknowledged[one] = {}
            threads = [threading.Thread(target=talk, args=(port, one, acknowledged[one])) for one in conversations]
            for thread in threads:
                thread.start()
            time.sleep(random.uniform(0.2, 0.8))
            server.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join(20)
            assert round_number or sum(map(len, acknowledged.values())) > 0
    with process(port):
        for conversation, results in acknowledged.items():
            events: list[dict[str, object]] = []
            while True:
                query = {"since": len(events), "limit": 200}
                answer = httpx2.get(f"http://127.0.0.1:{port}/v1/conversations/{conversation}/events", params=query)
                if not answer.json()["events"]:
                    break
                events += answer.json()["events"]
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
            logged = {
                event["data"]["utterance"]["id"]: event["data"]["utterance"]["text"]  # type: ignore[index]
                for event in events
                if event["type"] == "utterance.added"
            }
            assert results.items() <= logged.items()
            # At most the one utterance that was under way is there without its answer having arrived.
            assert len(logged) - len(results) <= 1


def talk(port: int, conversation: str, acknowledged: dict[str, str]) -> None:
    """Speak until the process dies; note what was answered."""
    try:
        with connect(f"ws://127.0.0.1:{port}/v1/conversations/{conversation}/live") as socket:
            for number in range(100_000):
                message = {"type": "utterance", "id": f"utt_{number}", "speaker": "customer", "text": f"word {number}"}
                socket.send(json.dumps(message))
                while (answer := json.loads(socket.recv(10)))["type"] != "result":
                    pass
                acknowledged[f"utt_{number}"] = answer["result"]["utterance"]["text"]
    except (ConnectionClosed, OSError, TimeoutError):
        pass
