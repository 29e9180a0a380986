"""The reviewers' view, verdicts, erasure, and who sees original words."""

from collections.abc import Callable
from pathlib import Path

import pytest
from stand_ins import SOCKET, open_conversation, say
from starlette.testclient import TestClient


def test_reviewers_find_judge_and_find_again(client: TestClient, opened: str) -> None:
    result = say(client, opened, "I am angry, 13812345678")
    say(client, opened, "Thank you")
    [found] = client.get("/v1/suggestions", params={"kind": "alert"}).json()["suggestions"]
    assert found["id"] == result["suggestions"][0]["id"]
    assert found["text"] == "Dear [NAME], call 400-820-5566."
    assert found["utterance"]["text"] == "I am angry, [PHONE]"
    assert found["versions"] == result["versions"]
    assert found["source"]["id"] == "hotline"
    body = {"verdict": "badly_timed", "note": "too early"}
    review = client.post(f"/v1/suggestions/{found['id']}/reviews", json=body)
    assert review.status_code == 201
    assert review.json()["reviewer"] == "local"
    reviewed = client.get("/v1/suggestions", params={"review_state": "reviewed"}).json()["suggestions"]
    assert [suggestion["id"] for suggestion in reviewed] == [found["id"]]
    assert reviewed[0]["reviews"][0]["verdict"] == "badly_timed"
    assert client.get(f"/v1/suggestions/{found['id']}").json() == reviewed[0]
    none = client.post("/v1/suggestions/sug_none/reviews", json=body)
    assert none.status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "sermon"},
        {"emotion": "hungry"},
        {"since": "yesterday"},
        {"limit": "0"},
        {"limit": "many"},
        {"review_state": "maybe"},
        {"agent": "x" * 201},
    ],
)
def test_filters_that_make_no_sense_are_refused(client: TestClient, query: dict[str, str]) -> None:
    answer = client.get("/v1/suggestions", params=query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unprocessable")


def test_the_last_outcome_counts(client: TestClient, opened: str) -> None:
    suggestion = say(client, opened, "Hello there")["suggestions"][0]["id"]
    for outcome in ("accepted", "dismissed"):
        body = {"outcome": outcome, "reason": "wrong product"}
        assert client.put(f"/v1/suggestions/{suggestion}/outcome", json=body).json()["outcome"] == outcome
    logged = client.get(f"/v1/suggestions/{suggestion}").json()
    assert (logged["outcome"], logged["outcome_reason"]) == ("dismissed", "wrong product")
    assert client.put("/v1/suggestions/sug_none/outcome", json={"outcome": "shown"}).status_code == 404
    assert client.put(f"/v1/suggestions/{suggestion}/outcome", json={"outcome": "loved"}).status_code == 422


def test_reviewers_read_redacted_words_and_agents_the_original(keyed: TestClient, secrets: dict[str, str]) -> None:
    def events(role: str) -> str:
        headers = {"authorization": f"Bearer {secrets[role]}"}
        return keyed.get(f"/v1/conversations/{conversation}/events", headers=headers).text

    keyed.headers["authorization"] = f"Bearer {secrets['admin']}"
    conversation = open_conversation(keyed)
    say(keyed, conversation, "I am Ann Lee, 13812345678")
    assert "13812345678" in events("agent")
    assert "13812345678" not in events("reviewer")
    assert "Ann Lee" not in events("reviewer")


def test_erasure_reaches_memory_log_and_screens(client: TestClient, tmp_path: Path) -> None:
    conversation = open_conversation(client)
    say(client, conversation, "a very peculiar sentence")
    with client.websocket_connect(f"{SOCKET}/v1/conversations/{conversation}/live") as socket:
        socket.receive_json()
        assert client.delete("/v1/customers/cust_1").json() == {"customer_id": "cust_1", "conversations": 1}
        assert socket.receive()["type"] == "websocket.close"
    assert client.get(f"/v1/conversations/{conversation}").status_code == 404
    body = {"speaker": "customer", "text": "Hello"}
    assert client.post(f"/v1/conversations/{conversation}/utterances", json=body).status_code == 404
    [logged] = client.get("/v1/suggestions").json()["suggestions"]
    assert (logged["text"], logged["utterance"]) == ("", None)
    assert all("peculiar" not in line["last_text"] for line in open_lines(client))
    for file in tmp_path.glob("assist.db*"):
        assert b"peculiar" not in file.read_bytes()
    assert client.delete("/v1/customers/cust_1").json()["conversations"] == 0
    assert client.delete("/v1/customers/with%2Fslash").status_code == 200


def open_lines(client: TestClient) -> list[dict[str, str]]:
    lines: list[dict[str, str]] = client.get("/v1/conversations?status=open").json()["conversations"]
    return lines


def test_the_files_on_disk_hold_no_personal_words(serve: Callable[..., TestClient], tmp_path: Path) -> None:
    client = serve()
    profile = {
        "id": "cust_1",
        "name": "Ann Lee",
        "orders": [{"id": "CW20261108-4471"}],
        "attributes": {"phone": "13812345678"},
    }
    conversation = open_conversation(client, customer=profile, metadata={"mail": "ann@example.com"})
    result = say(client, conversation, "I am angry, says Ann Lee, 13812345678, CW20261108-4471")
    body = {"outcome": "edited", "final_text": "Dear Ann Lee, 13812345678", "reason": "Ann Lee asked"}
    client.put(f"/v1/suggestions/{result['suggestions'][0]['id']}/outcome", json=body)
    client.post(f"/v1/conversations/{conversation}/closure")
    client.post(
        "/v1/assists", json={"utterances": [{"speaker": "customer", "text": "13812345678"}], "customer": profile}
    )
    for file in tmp_path.glob("assist.db*"):
        data = file.read_bytes()
        for secret in (b"Ann Lee", b"13812345678", b"CW20261108-4471", b"ann@example.com"):
            assert secret not in data, (file.name, secret)
