"""Where customers are known: a folder, a database and an endpoint, with everything that can be wrong with them."""

import asyncio
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assist.domain import Customer, IdentifierKind
from assist.errors import SettingsError, Unavailable
from assist.storage.customer_database import DatabaseSource
from assist.storage.customer_endpoint import MAX_BYTES, EndpointSource
from assist.storage.customer_folder import FolderSource
from assist.storage.customer_sources import open_customers
from assist.storage.customers import LINES, Customers
from assist.text.identifiers import normalised
from assist.web.profiles import parse

EXAMPLES = Path(__file__).parents[2] / "knowledge_base" / "customers" / "examples"


def folder(path: Path, **files: str) -> FolderSource:
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (path / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
    return FolderSource(path, parse=parse)


def found(source: Any, **identifiers: str) -> Customer | None:
    known: Mapping[IdentifierKind, str] = identifiers  # type: ignore[assignment]
    customer: Customer | None = source.find(normalised(known))
    return customer


# Folder


@pytest.mark.parametrize(
    "identifiers",
    [
        {"customer_id": "cust_1003"},
        {"phone": "13800138000"},
        {"phone": "0086-138 0013 8000"},
        {"email": " ZHAO.GQ@mail.example"},
        {"membership": "cw 88103"},
        {"customer_id": "web-7", "phone": "+8613800138000"},
    ],
)
def test_example_files_know_the_customer_by_any_identifier(identifiers: dict[str, str]) -> None:
    source = FolderSource(EXAMPLES, parse=parse)
    assert source.problems == ()
    customer = found(source, **identifiers)
    assert customer is not None
    assert (customer.id, customer.name, customer.tier) == ("cust_1003", "赵国强", "gold")
    assert [(order.id, order.channel, order.price) for order in customer.orders] == [
        ("CW20261028-7715", "online", 1299.0),
        ("CW20260705-8467", "store", 1399.0),
    ]
    assert [contact.open for contact in customer.contacts] == [True, True]
    assert customer.attributes == {"birthday": "1979-07-30", "shoe_size": "43"}


def test_demo_customers_are_a_source() -> None:
    source = FolderSource(EXAMPLES.parent, parse=parse)
    assert source.problems == ()
    customer = found(source, customer_id="cust_1003")
    assert customer is not None
    assert len(customer.orders) == 5


def test_nobody_is_found_by_what_is_not_known() -> None:
    source = FolderSource(EXAMPLES, parse=parse)
    assert found(source, phone="13800138001") is None
    assert found(source, customer_id="13800138000") is None


def test_bad_rows_are_named_and_left_out(tmp_path: Path) -> None:
    source = folder(
        tmp_path,
        people_jsonl='{"id": "a", "orders": [{"id": "1", "price": "dear"}, {"id": "2"}]}\n\n{"id": \n[1]\n{}\n',
        customers_csv='id,name,phone\nb,"Bo\nB",1\nc,Cy\nb,Again,2\n,Nobody,\n',
        orders_csv="customer_id,id,price\nb,7,12.5\nb,8,-1\nz,9,1\nb,10,1,extra\n",
        contacts_csv="customer_id,at,channel\nb,yesterday,chat\nb,2026-11-20T10:00:00Z,chat\n",
    )
    assert [problem.split(": ")[0] for problem in source.problems] == [
        "people.jsonl:1", "people.jsonl:3", "people.jsonl:4", "people.jsonl:5",
        "customers.csv:4", "customers.csv:5", "customers.csv:6",
        "orders.csv:3", "orders.csv:4", "orders.csv:5",
        "contacts.csv:2",
    ]  # fmt: skip
    assert "dear" not in "".join(source.problems)
    first, second = found(source, customer_id="a"), found(source, phone="1")
    assert first is not None
    assert [order.id for order in first.orders] == ["2"]
    assert second is not None
    assert (second.name, [order.price for order in second.orders]) == ("Bo\nB", [12.5])
    assert [contact.at for contact in second.contacts] == [datetime(2026, 11, 20, 10, tzinfo=UTC)]


def test_an_identifier_of_two_people_names_nobody(tmp_path: Path) -> None:
    source = folder(tmp_path, customers_csv="id,phone,email\na,13800138000,a@x.example\nb,+8613800138000,b@x.example\n")
    assert len(source.problems) == 1
    assert "138" not in source.problems[0]
    assert found(source, phone="13800138000") is None
    both = found(source, phone="13800138000", email="b@x.example")
    assert both is not None
    assert both.id == "b"


def test_the_strongest_identifier_decides_between_two_people(tmp_path: Path) -> None:
    source = folder(tmp_path, customers_csv="id,membership,phone\na,M1,1\nb,M2,2\n")
    customer = found(source, phone="1", membership="M2")
    assert customer is not None
    assert customer.id == "b"


def test_a_changed_file_is_read_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = folder(tmp_path, customers_csv="id,name\na,Ann\n")
    assert found(source, customer_id="b") is None
    (tmp_path / "customers.csv").write_text("id,name\na,Ann\nb,Bob\nc\n", encoding="utf-8")
    assert found(source, customer_id="b") is not None
    assert "customers.csv:4" in caplog.text


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_bytes("id,name\na,Ann\nb,赵\n".encode("gb18030"))
    source = FolderSource(tmp_path, parse=parse)
    assert source.problems[0] == "customers.csv:3: not UTF-8"
    assert found(source, customer_id="a") is not None


# Database


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A shop's own database, as the example of statements expects it."""
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE people (id INTEGER, full_name, level, card_no, mail, mobile, handle, birthday);
        CREATE TABLE sales (person_id, number INTEGER, sku INTEGER, name, paid, state, sold_at, till);
        CREATE TABLE cases (person_id, opened_at, via, topic, note, closed_at);
        INSERT INTO people
            VALUES (7, '赵国强', 'gold', 'CW88103', 'Zhao@Mail.example', '13800138000', NULL, '1979-07-30');
        INSERT INTO people VALUES (8, 'A', NULL, NULL, 'same@x.example', '1', NULL, NULL);
        INSERT INTO people VALUES (9, 'B', NULL, NULL, 'same@x.example', '2', NULL, NULL);
        INSERT INTO sales VALUES (7, 4471, 10, 'Kettle', 199, 'shipped', '2026-11-08T10:00:00Z', NULL);
        INSERT INTO sales VALUES (7, 4470, 11, 'Chair', 'free', 'delivered', '2026-11-07T10:00:00Z', 3);
        INSERT INTO sales VALUES (7, 4469, 12, 'Lamp', 99.5, 'delivered', '2026-11-06T10:00:00Z', 3);
        INSERT INTO cases VALUES (7, '2026-11-20T10:00:00Z', 'voice', 'delivery_delay', 'asked', NULL);
        """
    )
    connection.commit()
    connection.close()
    return path


def database(shop: Path, queries: Path = EXAMPLES / "customers.sql", timeout_s: float = 5.0) -> DatabaseSource:
    return DatabaseSource(f"sqlite:///{shop}", queries, parse=parse, timeout_s=timeout_s)


@pytest.mark.parametrize(
    "identifiers", [{"phone": "+86 13800138000"}, {"email": "ZHAO@mail.example"}, {"membership": "CW-88103"}]
)
def test_example_statements_know_the_customer(
    shop: Path, identifiers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    source = database(shop)
    customer = found(source, **identifiers)
    source.close()
    assert customer is not None
    assert (customer.id, customer.name, customer.identifiers["phone"]) == ("7", "赵国强", "13800138000")
    assert [(order.id, order.channel) for order in customer.orders] == [("4471", "online"), ("4469", "store")]
    assert customer.contacts[0].open
    assert customer.attributes == {"birthday": "1979-07-30"}
    assert "orders, row 2" in caplog.text


def test_two_rows_name_nobody(shop: Path) -> None:
    source = database(shop)
    assert found(source, email="same@x.example") is None
    customer = found(source, email="same@x.example", phone="2")
    assert customer is not None
    assert customer.id == "9"
    source.close()


def test_the_database_is_never_written(shop: Path, tmp_path: Path) -> None:
    before = shop.read_bytes()
    queries = tmp_path / "bad.sql"
    queries.write_text("-- customer\nDELETE FROM people RETURNING id\n")
    source = database(shop, queries)
    with pytest.raises(Exception, match="readonly"):
        found(source, phone="1")
    source.close()
    assert shop.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.sql", "shop.db"]


def test_an_endless_statement_ends(shop: Path, tmp_path: Path) -> None:
    queries = tmp_path / "slow.sql"
    queries.write_text(
        "-- customer\nWITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT count(*) AS id FROM n WHERE :phone IS NOT NULL\n"
    )
    source = database(shop, queries, timeout_s=0.05)
    with pytest.raises(Exception, match="interrupted"):
        found(source, phone="1")
    source.close()


@pytest.mark.parametrize("text", ["", "SELECT 1", "-- orders\nSELECT 1", None])
def test_statements_that_name_no_customer_are_refused(shop: Path, tmp_path: Path, text: str | None) -> None:
    queries = tmp_path / "q.sql"
    if text is not None:
        queries.write_text(text)
    with pytest.raises(SettingsError):
        database(shop, queries)


# Endpoint

Answer = Callable[[BaseHTTPRequestHandler, Any], None]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A real server that answers each POST by `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                answer(self, asked)
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/customers?shop=1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_the_example_answer_is_a_profile_and_the_question_is_a_post() -> None:
    asked: list[Any] = []

    def answer(handler: BaseHTTPRequestHandler, question: Any) -> None:
        asked.append((handler.path, handler.headers["authorization"], question))
        send(handler, (EXAMPLES / "answer.json").read_bytes())

    with serving(answer) as address:
        source = EndpointSource(address, parse=parse, timeout_s=5.0, token="secret")
        customer = found(source, phone="+86 138 0013 8000")
    assert asked == [("/customers?shop=1", "Bearer secret", {"identifiers": {"phone": "13800138000"}})]
    assert customer is not None
    assert (customer.id, customer.orders[0].channel, customer.contacts[0].open) == ("cust_1003", "online", True)


@pytest.mark.parametrize("status", [204, 404])
def test_somebody_unknown(status: int) -> None:
    with serving(lambda handler, _: send(handler, b"", status)) as address:
        assert found(EndpointSource(address, parse=parse, timeout_s=5.0), phone="1") is None


def test_a_bad_order_does_not_cost_the_profile(caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps({"id": "a", "orders": [{"id": "1", "price": -1}, {"id": "2"}], "cart": "none"}).encode()
    with serving(lambda handler, _: send(handler, body)) as address:
        customer = found(EndpointSource(address, parse=parse, timeout_s=5.0), phone="1")
    assert customer is not None
    assert [order.id for order in customer.orders] == ["2"]
    assert "orders, entry 1" in caplog.text


def trickle(handler: BaseHTTPRequestHandler, _: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(400):
        handler.wfile.write(b" ")
        time.sleep(0.02)


def silent(handler: BaseHTTPRequestHandler, _: Any) -> None:
    time.sleep(0.6)
    send(handler, b"{}")


BROKEN: dict[str, Answer] = {
    "500": lambda handler, _: send(handler, b"oops", 500),
    "redirect": lambda handler, _: send(handler, b"", 302),
    "no JSON": lambda handler, _: send(handler, b"<html>"),
    "no object": lambda handler, _: send(handler, b"[1, 2]"),
    "no id": lambda handler, _: send(handler, b'{"name": "x"}'),
    "wrong types": lambda handler, _: send(handler, b'{"id": {"a": 1}}'),
    "deep": lambda handler, _: send(handler, b"[" * 100_000),
    "too long": lambda handler, _: send(handler, b" " * (MAX_BYTES + 1)),
    "cut off": lambda handler, _: handler.wfile.write(b"HTTP/1.0 200 OK\r\ncontent-length: 50\r\n\r\n{"),
    "no HTTP": lambda handler, _: handler.wfile.write(b"\x00\x01\x02\r\n\r\n"),
    "silent": silent,
    "trickles": trickle,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_endpoint_is_unavailable_and_nothing_worse(name: str) -> None:
    async def ask(address: str) -> None:
        customers = open_customers(address, parse=parse, timeout_s=0.3)
        assert customers is not None
        try:
            with pytest.raises(Unavailable):
                await customers.find({"phone": "13800138000"})
        finally:
            customers.close()

    with serving(BROKEN[name]) as address:
        asyncio.run(ask(address))


def test_an_endpoint_that_is_away_is_unavailable() -> None:
    with serving(silent) as address:
        pass
    customers = open_customers(address, parse=parse, timeout_s=0.3)
    assert customers is not None
    with pytest.raises(Unavailable):
        asyncio.run(customers.find({"phone": "1"}))
    customers.close()


# All


class Hanging:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked = 0

    def find(self, _: Mapping[IdentifierKind, str]) -> Customer | None:
        self.asked += 1
        self.gate.wait()
        return Customer("late")

    def close(self) -> None:
        self.gate.set()


def test_a_source_that_hangs_is_asked_no_further() -> None:
    async def ask() -> None:
        source = Hanging()
        customers = Customers(source, timeout_s=0.05)
        for _ in range(LINES + 3):
            with pytest.raises(Unavailable):
                await customers.find({"phone": "1"})
        assert source.asked == LINES
        source.gate.set()
        while True:
            try:
                customer = await customers.find({"phone": "1"})
                break
            except Unavailable:
                await asyncio.sleep(0.01)
        assert customer == Customer("late")
        customers.close()

    asyncio.run(ask())


def test_nobody_is_asked_about_nothing() -> None:
    source = Hanging()
    customers = Customers(source, timeout_s=5.0)
    assert asyncio.run(customers.find({"handle": " @ "})) is None
    assert source.asked == 0
    customers.close()


def test_the_setting_chooses_the_source(shop: Path, tmp_path: Path) -> None:
    def opened(location: str) -> Customers | None:
        customers = open_customers(location, parse=parse, timeout_s=1.0, queries=str(EXAMPLES / "customers.sql"))
        if customers is not None:
            customers.close()
        return customers

    assert opened("") is None
    for location in (str(EXAMPLES), f"sqlite:///{shop}", "https://crm.example/assist"):
        assert opened(location) is not None
    (tmp_path / "odd" / "people.jsonl").mkdir(parents=True)
    for location in (
        str(tmp_path / "away"),
        str(tmp_path / "odd"),
        "mysql://h/db",
        "http://",
        "https://me:pw@crm.example",
        "sqlite:///away.db",
    ):
        with pytest.raises(SettingsError):
            opened(location)


def test_a_parse_error_does_not_quote_what_it_read(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ValueError, match="price") as refused:
        parse({"id": "a", "orders": [{"id": "1", "price": "13800138000 yuan"}]})
    assert "13800138000" not in str(refused.value)
