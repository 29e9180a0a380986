"""A customer who is known: the records are asked when a conversation opens, and nothing of them reaches the log."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from stand_ins import ADDRESS, open_conversation, open_stand_ins, say, settings_in
from starlette.testclient import TestClient

from assist.domain import Conversation, Customer, IdentifierKind
from assist.settings import Settings
from assist.storage.customer_sources import open_customers
from assist.storage.customers import Customers
from assist.web.app import create_app, open_engine
from assist.web.parts import Engine
from assist.web.profiles import parse

EXAMPLES = Path(__file__).parents[2] / "knowledge_base" / "customers" / "examples"
PHONE = "+86 138 0013 8000"


class Broken:
    """A source that fails or hangs."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.gate, self.hangs, self.asked = threading.Event(), hangs, 0

    def find(self, _: Mapping[IdentifierKind, str]) -> Customer | None:
        self.asked += 1
        if self.hangs:
            self.gate.wait()
        raise OSError("away")

    def close(self) -> None:
        self.gate.set()


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """Starts the app with a source of customers; several times is a restart."""
    clients: list[TestClient] = []

    def start(customers: Customers | None = None, **given: Any) -> TestClient:
        def engine(settings: Settings) -> Engine:
            found = customers or open_customers(str(EXAMPLES), parse=parse, timeout_s=5.0)
            return replace(open_stand_ins(settings), customers=found)

        settings = settings_in(tmp_path, **{"auth": False, **given})
        client = TestClient(create_app(settings=settings, engine=engine), base_url=ADDRESS)
        client.__enter__()
        clients.append(client)
        return client

    yield start
    for client in reversed(clients):
        client.__exit__(None, None, None)


def by_phone(client: TestClient, **fields: Any) -> dict[str, Any]:
    body = {"customer": {"identifiers": {"phone": PHONE}}} | fields
    answer = client.post("/v1/conversations", json=body)
    assert answer.status_code == 201, answer.text
    state: dict[str, Any] = answer.json()
    return state


def stored(folder: Path) -> bytes:
    return b"".join(Path(folder, name).read_bytes() for name in os.listdir(folder) if name.startswith("assist.db"))


def test_a_phone_number_alone_brings_the_orders(known: Callable[..., TestClient]) -> None:
    customer = by_phone(known())["customer"]
    assert (customer["id"], customer["name"], customer["tier"]) == ("cust_1003", "赵国强", "gold")
    assert [(order["id"], order["channel"]) for order in customer["orders"]] == [
        ("CW20260705-8467", "store"),
        ("CW20261028-7715", "online"),
    ]
    assert [contact["channel"] for contact in customer["contacts"]] == ["chat", "voice"]
    assert customer["identifiers"]["membership"] == "CW-88103"


def test_the_request_is_completed_not_replaced(known: Callable[..., TestClient]) -> None:
    cart = [{"sku": "X", "title": "Lamp", "price": 9.0}]
    given = {"id": "web-7", "name": "Zhao", "identifiers": {"phone": PHONE}, "cart": cart}
    customer = by_phone(known(), customer=given)["customer"]
    assert (customer["id"], customer["name"], customer["cart"][0]["sku"]) == ("web-7", "Zhao", "X")
    assert len(customer["orders"]) == 2


def test_the_profile_stays_within_its_limit(known: Callable[..., TestClient]) -> None:
    customer = by_phone(known(max_profile_items=1))["customer"]
    assert [order["id"] for order in customer["orders"]] == ["CW20261028-7715"]


def test_somebody_unknown_is_opened_all_the_same(known: Callable[..., TestClient]) -> None:
    customer = by_phone(known(), customer={"identifiers": {"phone": "13900000000"}})["customer"]
    assert (customer["id"], customer["orders"]) == ("phone:13900000000", [])


@pytest.mark.parametrize("hangs", [False, True])
def test_a_source_that_is_down_breaks_no_conversation(known: Callable[..., TestClient], hangs: bool) -> None:
    source = Broken(hangs=hangs)
    client = known(Customers(source, timeout_s=0.05))
    state = by_phone(client, customer={"id": "web-7", "identifiers": {"phone": PHONE}})
    assert (state["customer"]["id"], state["customer"]["orders"]) == ("web-7", [])
    say(client, state["id"], "Hello there")
    say(client, state["id"], "Still there?")
    assert source.asked == 1


def test_a_customer_needs_some_identity(client: TestClient) -> None:
    for customer in (
        {},
        {"name": "Ann"},
        {"identifiers": {}},
        {"identifiers": {"phone": " "}},
        {"identifiers": {"shoe": "1"}},
    ):
        assert client.post("/v1/conversations", json={"customer": customer}).status_code == 422


def test_identifiers_do_not_reach_the_log(known: Callable[..., TestClient], tmp_path: Path) -> None:
    client = known()
    state = by_phone(client)
    say(client, state["id"], "my card is CW-88103, write to zhao.gq@mail.example")
    other = by_phone(client, customer={"identifiers": {"handle": "@Zhao_Q"}})
    say(client, other["id"], "I am Zhao_Q, or zhao_q, really @Zhao_Q")
    logged = stored(tmp_path)
    for secret in (b"13800138000", b"138 0013 8000", b"CW-88103", b"zhao.gq", b"zhao_q", b"CW20261028"):
        assert secret.lower() not in logged.lower(), secret
    events = known().get(f"/v1/conversations/{state['id']}/events").json()["events"]
    assert events[0]["data"]["customer"]["identifiers"] == {}


@pytest.mark.parametrize("asked", ["cust_1003", "phone:13800138000", "email:zhao.gq@mail.example"])
def test_erasing_a_customer_erases_every_conversation(
    known: Callable[..., TestClient], tmp_path: Path, asked: str
) -> None:
    away = known(Customers(Broken(), timeout_s=1.0))
    alone = by_phone(away)  # while the records are away, the number stands in for the id
    mailed = by_phone(away, customer={"identifiers": {"email": "zhao.gq@mail.example"}})
    client = known()
    found, stranger = by_phone(client), open_conversation(client)
    ids = [alone["id"], mailed["id"], found["id"], stranger]
    for conversation in ids:
        say(client, conversation, "my secret wish")
    assert client.delete(f"/v1/customers/{asked}").json()["conversations"] == 3
    assert [client.get(f"/v1/conversations/{one}").status_code for one in ids] == [404] * 3 + [200]
    assert stored(tmp_path).count(b"my secret wish") > 0
    assert client.delete("/v1/customers/cust_1").json()["conversations"] == 1
    assert b"my secret wish" not in stored(tmp_path)


def test_erasing_while_the_records_are_away_says_so_and_can_be_asked_again(known: Callable[..., TestClient]) -> None:
    state = by_phone(known())
    away = known(Customers(Broken(), timeout_s=1.0))
    assert away.delete("/v1/customers/cust_1003").status_code == 503
    assert away.get(f"/v1/conversations/{state['id']}").status_code == 404
    assert known().delete("/v1/customers/cust_1003").json()["conversations"] == 0


def test_what_is_known_is_told_with_its_turn(client: TestClient, opened: str) -> None:
    say(client, opened, "size 38")
    state = client.get(f"/v1/conversations/{opened}?reader=zh-Hans").json()
    assert state["known"] == [
        {"code": "text", "label": "Text", "value": "size 38", "source": "said", "evidence": "turn 1", "turn": 1}
    ]
    assert client.get(f"/v1/conversations/{opened}?reader=fr").status_code == 422


def test_what_the_service_writes_about_bad_rows_holds_no_customer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "people.jsonl").write_text(json.dumps({"id": "a", "orders": [{"id": "1", "price": "13800138000"}, 7]}))
    (tmp_path / "orders.csv").write_text("customer_id,id,price\na,1,dear 13800138000\n")
    customers = open_customers(str(tmp_path), parse=parse, timeout_s=1.0)
    assert customers is not None
    customers.close()
    assert "people.jsonl:1" in caplog.text
    assert "orders.csv:2" in caplog.text
    assert "13800138000" not in caplog.text


def test_reviewers_are_not_told_what_is_known(keyed: TestClient, secrets: dict[str, str]) -> None:
    def bearer(role: str) -> dict[str, str]:
        return {"authorization": f"Bearer {secrets[role]}"}

    body = {"customer": {"identifiers": {"phone": PHONE}}}
    conversation = keyed.post("/v1/conversations", json=body, headers=bearer("agent")).json()["id"]
    said = {"speaker": "customer", "text": "size 38"}
    keyed.post(f"/v1/conversations/{conversation}/utterances", json=said, headers=bearer("agent"))

    def seen(role: str) -> tuple[bool, bool]:
        state = keyed.get(f"/v1/conversations/{conversation}", headers=bearer(role)).json()
        return bool(state["known"]), bool(state["customer"]["identifiers"])

    assert seen("agent") == seen("supervisor") == (True, True)
    assert seen("reviewer") == (False, False)


def test_the_settings_are_wired(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path,
        customer_source=str(EXAMPLES),
        clock_first_answer_s=7,
        clock_warning=0.5,
        segment_core_orders=1,
        segment_core_spend=1,
    )
    engine = open_engine(settings)
    try:
        assert engine.customers is not None
        customer = asyncio.run(engine.customers.find({"phone": PHONE}))
        assert customer is not None
        opened = Conversation("conv_1", "chat", datetime(2026, 11, 23, tzinfo=UTC), customer)
        session = engine.assistant.start(opened)
        assert session.segment == "core"
        assert (session.limits.first_answer.total_seconds(), session.limits.warning) == (7, 0.5)
    finally:
        assert engine.customers is not None
        engine.customers.close()
        engine.pool.close()
        engine.repository.close()
