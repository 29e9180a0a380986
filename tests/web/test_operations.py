"""Health, metrics, logs, the index in use, builds, demo conversations, the supervisors' stream."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx2
import pytest
import structlog
from service import free_port
from stand_ins import FolderStore, open_conversation, say
from starlette.testclient import TestClient
from test_restart import process

from assist.errors import IndexBroken, Unavailable
from assist.web.knowledge import LiveKnowledge

__all__ = ["process"]


def test_ready_means_everything_is_there(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["versions"]["index"] == "index-1"
    knowledge = client.app.state.parts.engine.knowledge  # type: ignore[attr-defined]
    knowledge._current = None
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["error"]["details"] == {"model": True, "index": False, "database": True}
    assert client.post("/v1/searches", json={"query": "x"}).json()["error"]["code"] == "unavailable"


def test_metrics_count_what_happens(client: TestClient, opened: str) -> None:
    result = say(client, opened, "I am angry")
    client.put(f"/v1/suggestions/{result['suggestions'][0]['id']}/outcome", json={"outcome": "accepted"})
    client.get("/v1/conversations/none")
    figures = client.get("/metrics").text
    for line in (
        'assist_suggestions_total{kind="alert"} 1.0',
        'assist_outcomes_total{outcome="accepted"} 1.0',
        'assist_errors_total{code="not_found"} 1.0',
        "assist_call_seconds_count 1.0",
        "assist_encode_seconds_count 1.0",
        "assist_live_conversations 1.0",
        'route="/v1/conversations/{conversation_id}/utterances",status="200"} 1.0',
    ):
        assert line in figures


def test_logs_name_the_request_and_never_the_words(client: TestClient, opened: str) -> None:
    with structlog.testing.capture_logs() as lines:
        say(client, opened, "a peculiar sentence")
        body = {"speaker": "customer", "text": "crash peculiar"}
        answer = client.post(f"/v1/conversations/{opened}/utterances", json=body)
    written = json.dumps(lines, default=str)
    assert "peculiar" not in written
    assert answer.headers["x-request-id"] in written
    crash = next(line for line in lines if line["event"] == "crash")
    assert crash["error"] == "RuntimeError"
    assert any("stand_ins.py" in place for place in crash["places"])


def test_versions_are_listed_switched_and_rolled_back(client: TestClient, opened: str) -> None:
    listed = client.get("/v1/knowledge/versions").json()
    assert (listed["active"], [version["version"] for version in listed["versions"]]) == (
        "index-1",
        ["index-1", "index-2"],
    )
    for version in ("index-2", "index-1"):
        answer = client.put("/v1/knowledge/active", json={"version": version})
        assert answer.json()["active"] == version
        assert client.app.state.parts.engine.knowledge().version == version  # type: ignore[attr-defined]
    assert client.put("/v1/knowledge/active", json={"version": "index-9"}).status_code == 404


@pytest.mark.anyio
async def test_a_newly_activated_index_is_picked_up() -> None:
    store = FolderStore("index-1", "index-2")
    live = LiveKnowledge(store)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        live()
    following = asyncio.create_task(live.follow(0.01))
    for version in ("index-1", "index-2"):
        store.activate(version)
        async with asyncio.timeout(10):
            while not live.is_ready or live().version != version:
                await asyncio.sleep(0.01)
    following.cancel()


def test_a_broken_index_leaves_the_old_one_in_use() -> None:
    store = FolderStore("index-1", "index-2")
    live = LiveKnowledge(store)  # type: ignore[arg-type]
    live.refresh()
    sound = store.open

    def broken(version: str) -> Any:
        if version == "index-2":
            raise IndexBroken("damaged")
        return sound(version)

    store.open = broken  # type: ignore[method-assign]
    store.activate("index-2")
    live.refresh()
    assert live().version == "index-1"


def test_demo_conversations_come_with_their_customers(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/v1/demo/conversations").json() == {"conversations": []}
    folder = tmp_path / "knowledge"
    (folder / "conversations").mkdir(parents=True)
    (folder / "customers").mkdir()
    script = {"id": "demo", "title": {"en": "Late"}, "customer_id": "cust_1", "utterances": [], "language": "en"}
    (folder / "conversations" / "demo.json").write_text(json.dumps(script))
    (folder / "customers" / "customers.jsonl").write_text('{"id":"cust_1","name":"Ann"}\n')
    [listed] = client.get("/v1/demo/conversations").json()["conversations"]
    assert (listed["id"], listed["title"]) == ("demo", {"en": "Late"})
    assert client.get("/v1/demo/conversations/demo").json()["customer"]["name"] == "Ann"
    assert client.get("/v1/demo/conversations/..%2Fcustomers").status_code == 404


def test_draft_checks_and_searches_answer(client: TestClient, opened: str) -> None:
    body = {"conversation_id": opened, "text": "Please calm down"}
    [issue] = client.post("/v1/draft_checks", json=body).json()["issues"]
    assert (issue["start"], issue["end"], issue["better"]) == (7, 16, "I understand")
    assert client.post("/v1/draft_checks", json={"text": "Please calm down"}).json()["issues"] == [issue]
    assert client.post("/v1/draft_checks", json={"text": "overload"}).status_code == 429
    body["conversation_id"] = "conv_none"
    assert client.post("/v1/draft_checks", json=body).status_code == 404
    kinds = ["article", "case", "phrase", "product"]
    assert client.post("/v1/searches", json={"query": "refund", "kinds": kinds}).json()["hits"] == []


@pytest.mark.crash
def test_the_board_tells_what_boils(process: Callable[[int], AbstractContextManager[Popen[bytes]]]) -> None:
    port = free_port()
    with process(port), httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        calm, hot = (open_conversation(client, id=name) for name in ("conv_calm", "conv_hot"))  # type: ignore[arg-type]
        say(client, hot, "I am angry")  # type: ignore[arg-type]
        with client.stream("GET", "/v1/live/board") as stream:
            events = read_events(stream)
            kind, snapshot = next(events)
            assert kind == "snapshot"
            assert [line["id"] for line in snapshot["conversations"]] == [hot, calm]
            say(client, calm, "I am angry")  # type: ignore[arg-type]
            kind, line = next(events)
            assert (kind, line["id"], line["emotion"], line["last_text"]) == ("change", calm, "angry", "I am angry")
            assert line["waiting_since"]
            client.post(f"/v1/conversations/{hot}/closure")
            kind, line = next(events)
            assert (kind, line["id"], line["status"]) == ("change", hot, "closed")


def read_events(stream: httpx2.Response) -> Any:
    kind = ""
    for line in stream.iter_lines():
        if line.startswith("event:"):
            kind = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield kind, json.loads(line.removeprefix("data:"))
