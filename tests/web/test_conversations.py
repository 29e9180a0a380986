"""What an agent's desktop relies on: opening, speaking, resuming, closing, and what is refused."""

from collections.abc import Callable

import pytest
from stand_ins import open_conversation, say
from starlette.testclient import TestClient


def test_a_conversation_can_be_opened_spoken_in_and_read(client: TestClient) -> None:
    conversation = open_conversation(client, id="conv_a", channel="voice", metadata={"queue": "returns"})
    result = say(client, conversation, "I am angry", id="utt_1")
    assert result["utterance"]["seq"] == 2
    assert result["utterance"]["at"].endswith("Z")
    assert result["emotion"]["label"] == "angry"
    assert result["emotion"]["evidence"] == [{"start": 5, "end": 10, "text": "angry", "weight": 0.9}]
    assert [suggestion["kind"] for suggestion in result["suggestions"]] == ["alert"]
    state = client.get(f"/v1/conversations/{conversation}").json()
    assert (state["status"], state["channel"], state["seq"]) == ("open", "voice", 2)
    assert state["customer"]["name"] == "Ann Lee"
    assert state["reading"]["trend"] == "rising"
    assert state["metadata"] == {"queue": "returns"}


def test_the_same_utterance_twice_is_one_utterance(client: TestClient, opened: str) -> None:
    first = say(client, opened, "Where is my parcel?", id="utt_1")
    again = say(client, opened, "Where is my parcel?", id="utt_1")
    assert again == first
    assert client.get(f"/v1/conversations/{opened}").json()["seq"] == 2


@pytest.mark.parametrize("change", [{"text": "Something else"}, {"speaker": "agent"}])
def test_an_id_cannot_be_used_for_another_utterance(client: TestClient, opened: str, change: dict[str, str]) -> None:
    body = {"id": "utt_1", "speaker": "customer", "text": "Hello there"}
    client.post(f"/v1/conversations/{opened}/utterances", json=body)
    answer = client.post(f"/v1/conversations/{opened}/utterances", json=body | change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


def test_a_conversation_id_is_used_once(client: TestClient) -> None:
    open_conversation(client, id="conv_a")
    answer = client.post("/v1/conversations", json={"id": "conv_a", "customer": {"id": "c"}})
    assert answer.status_code == 409


def test_a_closed_conversation_takes_no_more_utterances_but_repeats_old_ones(client: TestClient, opened: str) -> None:
    first = say(client, opened, "Thanks a lot", id="utt_1")
    wrap_up = client.post(f"/v1/conversations/{opened}/closure").json()
    assert wrap_up["disposition"] == "answered"
    assert client.post(f"/v1/conversations/{opened}/closure").json() == wrap_up
    answer = client.post(f"/v1/conversations/{opened}/utterances", json={"speaker": "customer", "text": "Hello?"})
    assert answer.status_code == 409
    assert say(client, opened, "Thanks a lot", id="utt_1") == first
    assert client.get(f"/v1/conversations/{opened}").json()["wrap_up"] == wrap_up


def test_a_closure_takes_the_agents_language_and_keeps_the_first(client: TestClient, opened: str) -> None:
    address = f"/v1/conversations/{opened}/closure"
    assert client.post(address, json={"agent_language": "fr"}).status_code == 422
    wrap_up = client.post(address, json={"agent_language": "en"}).json()
    assert wrap_up["tags"] == ["en"]
    assert client.post(address, json={"agent_language": "zh-Hant"}).json() == wrap_up
    assert client.post(address, json={}).json() == wrap_up


def test_events_can_be_read_since_any_point(client: TestClient, opened: str) -> None:
    result = say(client, opened, "Hello there")
    client.put(f"/v1/suggestions/{result['suggestions'][0]['id']}/outcome", json={"outcome": "accepted"})
    client.post(f"/v1/conversations/{opened}/closure")
    events = client.get(f"/v1/conversations/{opened}/events").json()["events"]
    kinds = ["conversation.opened", "utterance.added", "suggestion.outcome", "conversation.closed"]
    assert [event["type"] for event in events] == kinds
    assert [event["seq"] for event in events] == [1, 2, 3, 4]
    assert events[1]["data"] == result
    later = client.get(f"/v1/conversations/{opened}/events?since=3").json()
    assert [event["seq"] for event in later["events"]] == [4]
    assert later["seq"] == 4
    assert client.get(f"/v1/conversations/{opened}/events?since=99").json()["events"] == []


def test_conversations_are_listed_page_by_page(client: TestClient) -> None:
    made = [open_conversation(client) for _ in range(5)]
    client.post(f"/v1/conversations/{made[0]}/closure")
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/conversations", params=query).json()
        seen += [line["id"] for line in page["conversations"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]
    closed = client.get("/v1/conversations", params={"status": "closed"}).json()["conversations"]
    assert [line["id"] for line in closed] == made[:1]


def test_an_assist_without_a_conversation_is_logged(client: TestClient) -> None:
    spoken = [
        {"speaker": "customer", "text": "Hello there"},
        {"speaker": "agent", "text": "Good morning"},
        {"id": "utt_9", "speaker": "customer", "text": "I am angry"},
    ]
    for _ in range(2):
        result = client.post("/v1/assists", json={"utterances": spoken, "customer": {"id": "cust_2"}}).json()
        assert result["utterance"]["id"] == "utt_9"
        assert result["emotion"]["label"] == "angry"
    logged = client.get("/v1/suggestions").json()["suggestions"]
    assert len(logged) == 2
    assert all(suggestion["conversation_id"] is None for suggestion in logged)
    assert client.put(f"/v1/suggestions/{logged[0]['id']}/outcome", json={"outcome": "dismissed"}).status_code == 200
    assert client.get(f"/v1/suggestions/{logged[0]['id']}").json()["outcome"] == "dismissed"


def test_a_full_queue_is_told_and_leaves_no_trace(client: TestClient, opened: str) -> None:
    body = {"id": "utt_1", "speaker": "customer", "text": "overload"}
    answer = client.post(f"/v1/conversations/{opened}/utterances", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "overloaded")
    assert say(client, opened, "Hello there", id="utt_1")["utterance"]["seq"] == 2


def test_a_crash_in_the_engine_leaves_no_trace_and_tells_nothing(client: TestClient, opened: str) -> None:
    say(client, opened, "I am angry")
    body = {"id": "utt_2", "speaker": "customer", "text": "crash with a secret"}
    answer = client.post(f"/v1/conversations/{opened}/utterances", json=body)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    # The engine had taken the text into its session before it failed; the session was made again without it.
    result = say(client, opened, "I am angry again", id="utt_2")
    assert result["utterance"]["seq"] == 3
    assert result["conversation"]["negative_streak"] == 2
    assert "secret" not in client.post(f"/v1/conversations/{opened}/closure").text


@pytest.mark.parametrize(
    "profile",
    [
        {"orders": [{"id": "A1", "price": -1}]},
        {"orders": [{"id": "A1", "price": 1e300}]},
        {"orders": [{"id": "A1", "placed_at": "0001-01-01T00:00:00+14:00"}]},
        {"orders": [{"id": "A1", "placed_at": 10**30}]},
        {"cart": [{"sku": "X", "quantity": 10**400}]},
        {"orders": "none"},
        {"id": ""},
        {"id": "x" * 201},
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(client: TestClient, profile: dict[str, object]) -> None:
    answer = client.post("/v1/conversations", json={"customer": {"id": "c"} | profile})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unprocessable")
    assert answer.json()["error"]["details"]["fields"]


def test_unknown_fields_and_products_are_accepted(client: TestClient) -> None:
    order = {"id": "A1", "sku": "not in the catalogue", "title": "?", "price": 1, "status": "odd", "colour": "red"}
    answer = client.post("/v1/conversations", json={"customer": {"id": "c", "orders": [order], "x": 1}, "later": True})
    assert answer.status_code == 201
    assert "colour" not in answer.json()["customer"]["orders"][0]


def test_bytes_that_no_store_holds_are_taken_out(client: TestClient, opened: str) -> None:
    body = b'{"speaker":"customer","text":"bro\\u0000ken \\ud800 text","at":"2026-11-23T10:00:00+08:00"}'
    headers = {"content-type": "application/json"}
    answer = client.post(f"/v1/conversations/{opened}/utterances", content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["utterance"]["text"] == "broken  text"
    assert answer.json()["utterance"]["at"] == "2026-11-23T02:00:00Z"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"speaker":"customer","text":"   "}', 422),
        (b'{"speaker":"customer","text":""}', 422),
        (b'{"speaker":"nobody","text":"x"}', 422),
        (b'{"speaker":"customer"}', 422),
        (b'{"speaker":"customer","text":"x","id":"a/b"}', 422),
        (b'{"speaker":"customer","text":"x","at":"yesterday"}', 422),
        (b'{"speaker":"customer","text":"x","at":9e999}', 422),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b"{", 422),
        (b"", 422),
        (b"null", 422),
        (b'{"speaker":"customer","text":"%s"}' % (b"x" * 4001), 413),
        (b'{"speaker":"customer","text":"%s"}' % (b"x" * 300_000), 413),
    ],
)
def test_an_utterance_that_makes_no_sense_is_refused(client: TestClient, opened: str, body: bytes, status: int) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post(f"/v1/conversations/{opened}/utterances", content=body, headers=headers)
    assert answer.status_code in {status, 422} if status == 400 else answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "details"}


def test_free_fields_hold_no_nan_and_no_abyss(client: TestClient) -> None:
    headers = {"content-type": "application/json"}
    body = b'{"customer":{"id":"c","attributes":{"a":NaN,"b":[Infinity,1],"c":123456789012345678901234567890}}}'
    answer = client.post("/v1/conversations", content=body, headers=headers)
    assert answer.status_code in (201, 422)
    deep = b'{"customer":{"id":"c","attributes":{"a":' + b"[" * 40 + b"]" * 40 + b"}}}"
    assert client.post("/v1/conversations", content=deep, headers=headers).status_code == 422


def test_a_body_without_a_length_is_limited_too(client: TestClient, opened: str) -> None:
    chunks = (b" " * 65_536 for _ in range(8))
    headers = {"content-type": "application/json"}
    answer = client.post(f"/v1/conversations/{opened}/utterances", content=chunks, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_lists_have_limits(serve: Callable[..., TestClient]) -> None:
    client = serve(max_profile_items=2, max_assist_utterances=2)
    items = [{"sku": str(at)} for at in range(3)]
    assert client.post("/v1/conversations", json={"customer": {"id": "c", "cart": items}}).status_code == 413
    spoken = [{"speaker": "customer", "text": "x"}] * 3
    assert client.post("/v1/assists", json={"utterances": spoken}).status_code == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/conversations/conv_none"),
        ("GET", "/v1/conversations/conv_none/events"),
        ("POST", "/v1/conversations/conv_none/closure"),
        ("GET", "/v1/suggestions/sug_none"),
        ("GET", "/v1/knowledge/builds/bld_none"),
        ("GET", "/v1/demo/conversations/none"),
        ("GET", "/v1/none"),
        ("GET", "/none"),
        ("GET", "/static/none.js"),
        ("GET", "/v1/conversations/%00"),
    ],
)
def test_what_is_not_there_is_said_in_the_one_shape(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("cursor", ["x", "bm90anNvbg==", "WzEsMl0=", "%00", "eyJhIjoxfQ=="])
def test_a_foreign_cursor_is_refused(client: TestClient, cursor: str) -> None:
    for path in ("/v1/conversations", "/v1/suggestions"):
        answer = client.get(path, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_conversations_leave_memory_and_come_back(serve: Callable[..., TestClient]) -> None:
    client = serve(max_live_conversations=2)
    made = [open_conversation(client) for _ in range(4)]
    for conversation in made:
        assert say(client, conversation, "I am angry", id="utt_1")["conversation"]["negative_streak"] == 1
    for conversation in made:
        assert say(client, conversation, "I am angry again")["conversation"]["negative_streak"] == 2
        assert say(client, conversation, "I am angry", id="utt_1")["utterance"]["seq"] == 2
