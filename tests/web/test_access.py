"""Who may do what: every route and role, sessions, foreign pages."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from stand_ins import SOCKET, settings_in
from starlette.testclient import TestClient, WebSocketDenialResponse

from assist.storage.repository import Repository
from assist.web.auth import MAY, ROLES, allowed

PLACES = {
    "conversation_id": "conv_x",
    "suggestion_id": "sug_x",
    "build_id": "bld_x",
    "version": "v",
    "demo_id": "x",
    "customer_id": "c",
}
STREAMS = {("GET", "/v1/live/board")}


def concrete(path: str) -> str:
    return re.sub(r"{(\w+)(:path)?}", lambda found: PLACES[found[1]], path)


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def test_every_documented_route_has_its_roles(client: TestClient) -> None:
    documented = {
        (method.upper(), path.replace("{customer_id}", "{customer_id:path}"))
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    assert documented == {route for route in MAY if route[0] != "WEBSOCKET"}


@pytest.mark.parametrize(("method", "path"), sorted(route for route in MAY if route[0] != "WEBSOCKET"))
def test_every_route_asks_every_role(keyed: TestClient, secrets: dict[str, str], method: str, path: str) -> None:
    assert keyed.request(method, concrete(path), json={}).status_code == 401
    assert keyed.request(method, concrete(path), json={}, headers=bearer("ask_wrong")).status_code == 401
    for role in ROLES:
        if (method, path) in STREAMS and allowed(role, method, path):
            continue  # does not end by itself; read in test_board
        answer = keyed.request(method, concrete(path), json={}, headers=bearer(secrets[role]))
        assert (answer.status_code == 403) == (not allowed(role, method, path)), (role, answer.text)
        assert answer.status_code != 401


def test_sockets_ask_every_role(keyed: TestClient, secrets: dict[str, str]) -> None:
    admin = bearer(secrets["admin"])
    conversation = keyed.post("/v1/conversations", json={"customer": {"id": "c"}}, headers=admin).json()["id"]
    address = f"{SOCKET}/v1/conversations/{conversation}/live"
    for role in ROLES:
        if role in ("agent", "supervisor", "admin"):
            with keyed.websocket_connect(address, headers=bearer(secrets[role])) as socket:
                assert socket.receive_json()["type"] == "ready"
        else:
            with (
                pytest.raises(WebSocketDenialResponse) as refused,
                keyed.websocket_connect(address, headers=bearer(secrets[role])),
            ):
                pass
            assert refused.value.status_code == 403
    with pytest.raises(WebSocketDenialResponse) as refused, keyed.websocket_connect(address):
        pass
    assert refused.value.status_code == 401
    assert refused.value.json()["error"]["code"] == "unauthenticated"


def test_a_supervisor_watches_and_does_not_speak(keyed: TestClient, secrets: dict[str, str]) -> None:
    admin = bearer(secrets["admin"])
    conversation = keyed.post("/v1/conversations", json={"customer": {"id": "c"}}, headers=admin).json()["id"]
    address = f"{SOCKET}/v1/conversations/{conversation}/live"
    with keyed.websocket_connect(address, headers=bearer(secrets["supervisor"])) as socket:
        socket.receive_json()
        socket.send_json({"type": "utterance", "id": "utt_1", "speaker": "agent", "text": "Hello"})
        error = socket.receive_json()["error"]
        assert (error["code"], error["details"]["utterance_id"]) == ("forbidden", "utt_1")


@pytest.fixture
async def login_link(tmp_path: Path) -> str:
    repository = Repository.open(settings_in(tmp_path).log_url)
    _, secret = await repository.keys.add("boss", "admin", kind="login", lifetime=timedelta(minutes=15))
    repository.close()
    return secret


@pytest.mark.anyio
async def test_a_login_link_works_once(serve: Callable[..., TestClient], login_link: str) -> None:
    client = serve(auth=True)
    assert client.get("/desk", follow_redirects=False).headers["location"] == "/login"
    answer = client.get("/login", params={"key": login_link})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert login_link not in cookie
    assert client.get("/desk").status_code == 200
    assert client.get("/v1/me").json()["role"] == "admin"
    client.cookies.clear()
    assert client.get("/login", params={"key": login_link}).status_code == 401
    # The link's secret signs in; it is not a key.
    assert client.get("/v1/me", headers=bearer(login_link)).status_code == 401


def test_a_key_signs_a_browser_in_and_out(keyed: TestClient, secrets: dict[str, str]) -> None:
    assert keyed.post("/login", content=f"key={secrets['reviewer']}").status_code == 200
    assert keyed.get("/v1/me").json() == {
        "name": "the reviewer",
        "role": "reviewer",
        "language": None,
        "can_write": False,
    }
    assert keyed.post("/logout", follow_redirects=False).status_code == 303
    assert keyed.get("/v1/me").status_code == 401
    assert keyed.post("/login", content="key=wrong").status_code == 401
    foreign = keyed.post("/login", content=f"key={secrets['reviewer']}", headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://127.0.0.1:8000"}, 201),
        ({"sec-fetch-site": "same-origin"}, 201),
        ({"origin": "https://desk.example"}, 201),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("auth", [True, False])
def test_only_our_own_pages_may_write_with_a_cookie(
    serve: Callable[..., TestClient], secrets: dict[str, str], auth: bool, headers: dict[str, str], status: int
) -> None:
    client = serve(auth=auth, allowed_origins=("https://desk.example",))
    client.post("/login", content=f"key={secrets['agent']}")
    answer = client.post("/v1/conversations", json={"customer": {"id": "c"}}, headers=headers)
    assert answer.status_code == status


def test_a_foreign_page_opens_no_socket(client: TestClient, opened: str) -> None:
    address = f"{SOCKET}/v1/conversations/{opened}/live"
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client.websocket_connect(address, headers={"origin": "https://evil.example"}),
    ):
        pass
    assert refused.value.status_code == 403
    with client.websocket_connect(address, headers={"origin": "http://127.0.0.1:8000"}) as socket:
        assert socket.receive_json()["type"] == "ready"


def test_without_keys_only_loopback_names_are_served(client: TestClient) -> None:
    answer = client.get("/v1/me", headers={"host": "rebound.example"})
    assert answer.status_code == 403
    assert client.get("/v1/me", headers={"host": "localhost:8000"}).status_code == 200


def test_pages_are_locked_down(client: TestClient) -> None:
    for page in ("/desk", "/review", "/board", "/static/desk.html"):
        answer = client.get(page)
        assert answer.status_code == 200
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/static/../auth.py", "/static/%2e%2e/auth.py", "/static/..%2fauth.py", "/static/%00"]
)
def test_static_files_stay_in_their_folder(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
