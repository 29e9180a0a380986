"""Each kind of finding, beside what looks like it and is none."""

import tracemalloc
from collections.abc import Sequence
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from assist.domain import Article, ArticleUse
from assist.errors import Problem
from assist.knowledge.care import contradictions as contradicting
from assist.knowledge.care.checks import MOST_STEPS, SHOWN_PER_TOPIC, KnowledgeFolder, check
from assist.knowledge.care.findings import Finder, Finding
from assist.knowledge.care.urls import dead_urls
from assist.knowledge.index import IndexStore
from assist.knowledge.passages import MAX_TOKENS
from assist.knowledge.sources import read_folder

TODAY = date(2026, 11, 23)
ANSWER = "You can send it back within 7 days."


def article(id_: str = "returns", language: str = "en", body: str = ANSWER, **fields) -> Article:
    given = {"title": id_, "status": "published", "version": "v2", "situation": "", "confirmed_at": TODAY} | fields
    return Article(id=id_, language=language, body=body, **given)


def findings(*articles: Article, folder: Path = Path("none"), use: Sequence[ArticleUse] | None = None, **given):
    def refuse():
        raise AssertionError("nothing here needs the encoder")

    kinds = given.pop("kinds", ("dead_link", "expired", "unconfirmed", "missing_language", "too_long", *BY_LOG))
    source = KnowledgeFolder(folder, articles, (), (), (), use)
    return check(source, today=TODAY, encoder=refuse, store=IndexStore(folder), kinds=kinds, **given)


BY_LOG = ("never_shown", "often_dismissed")


def said(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.kind, one.severity) for one in found]


def used(id_: str = "returns", shown: int = 0, used: int = 0, dismissed: int = 0, **fields) -> ArticleUse:
    given = {"version": "v2", "language": "en", "asked_in": "en"} | fields
    return ArticleUse(id=id_, shown=shown, used=used, dismissed=dismissed, **given)


def test_a_sound_article_gives_nothing():
    assert findings(article(valid_until=TODAY + timedelta(days=60))) == []


@pytest.mark.parametrize(
    ("until", "expected"),
    [(-1, [("expired", "error")]), (0, [("expired", "warning")]), (30, [("expired", "warning")]), (31, [])],
)
def test_expired_and_soon(until, expected):
    assert said(findings(article(valid_until=TODAY + timedelta(days=until)))) == expected


def test_drafts_and_archived_articles_do_not_expire():
    old = TODAY - timedelta(days=400)
    assert findings(article(status="draft", valid_until=old), article("b", status="archived", confirmed_at=old)) == []


def test_what_was_not_confirmed_for_a_year():
    assert findings(article(confirmed_at=TODAY - timedelta(days=365))) == []
    assert said(findings(article(confirmed_at=TODAY - timedelta(days=366)))) == [("unconfirmed", "warning")]


def test_articles_without_a_date_are_one_note():
    [one] = findings(*(article(f"a{number}", confirmed_at=None) for number in range(20)))
    assert (one.kind, one.severity) == ("unconfirmed", "note")
    assert "20 of 20" in one.message and "a7 and 12 more" in one.message


def test_links_of_every_kind(tmp_path):
    folder = tmp_path / "knowledge"
    (folder / "articles").mkdir(parents=True)
    (folder / "size.pdf").touch()
    (tmp_path / "secret").touch()
    body = f"""{ANSWER}

[good](article:refund) [gone](article:nowhere) [old](article:summer) [file](../size.pdf) [no file](sizes.pdf)
[out](../../secret) [mail](mailto:care@clearwater.example) [part](#steps) ![picture](a.png "A") [web](https://x.example)"""
    (folder / "articles/returns.en.md").write_text(f"---\nid: returns\n---\n\n{body}\n")
    expired = article("summer", valid_until=TODAY - timedelta(days=1))
    found = findings(article(body=body), article("refund"), expired, folder=folder, kinds=("dead_link",))
    assert sorted((one.severity, one.place.line, one.message.split(" leads")[0]) for one in found) == [
        ("error", 7, "the link article:nowhere"),
        ("error", 7, "there is no file sizes.pdf in the knowledge folder"),
        ("error", 8, "there is no file ../../secret in the knowledge folder"),
        ("error", 8, "there is no file a.png in the knowledge folder"),
        ("warning", 7, "the link article:summer"),
    ]


def test_the_reader_s_problems_are_findings_once(tmp_path):
    for path in (Path(__file__).parent.parent / "data/knowledge").rglob("*.*"):
        target = tmp_path / path.relative_to(Path(__file__).parent.parent / "data/knowledge")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    late = tmp_path / "articles/late-parcel.en.md"
    late.write_text(late.read_text() + "\nSee [this](article:nowhere).\n")
    (tmp_path / "articles/broken.en.md").write_text("---\nid: [\n---\n")
    content = read_folder(tmp_path)
    source = KnowledgeFolder(tmp_path, content.articles, content.situations, content.glossary, content.problems, None)
    found = check(
        source,
        today=TODAY,
        encoder=lambda: pytest.fail("not needed"),
        store=IndexStore(tmp_path),
        kinds=("unreadable", "dead_link"),
    )
    assert [(one.kind, one.place.path) for one in found] == [
        ("unreadable", "articles/broken.en.md"),
        ("dead_link", "articles/late-parcel.en.md"),
    ]


class _Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({"/gone": 404, "/busy": 503, "/moved": 302}.get(self.path, 200))
        if self.path == "/moved":
            self.send_header("location", "/gone")
        self.end_headers()

    def do_HEAD(self):
        self.send_response(405 if self.path != "/fine" else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_web_addresses_are_asked():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    urls = [f"{base}/{name}" for name in ("fine", "gone", "busy", "moved")] + ["http://127.0.0.1:1/"]
    told: list[tuple[int, int]] = []
    dead = dead_urls(urls, lambda done, total: told.append((done, total)))
    server.shutdown()
    server.server_close()
    assert dict(dead)[f"{base}/gone"] == dict(dead)[f"{base}/moved"] == "the server says 404"
    assert set(dead) == {f"{base}/gone", f"{base}/moved", "http://127.0.0.1:1/"}
    assert told[-1] == (5, 5)
    [one] = findings(article(body=f"[web]({base}/gone)"), kinds=("dead_link",), dead_urls=lambda _: dead)
    assert (one.kind, one.severity) == ("dead_link", "warning")


class _Shy(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path.isascii() and "%E9" in self.path else 404)
        self.end_headers()

    def do_HEAD(self):
        self.close_connection = True  # no answer at all

    def log_message(self, *_):
        pass


def test_addresses_with_chinese_characters_and_servers_without_head_are_alive():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shy)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    dead = dead_urls([f"{base}/退货", f"{base}/%E9%80%80?a=b", f"{base}/gone"])
    server.shutdown()
    server.server_close()
    assert dict(dead) == {f"{base}/gone": "the server says 404"}


def test_addresses_are_asked_for_dead_links_only():
    one = article(body="[web](https://x.example/a)")
    assert findings(one, kinds=("expired",), dead_urls=lambda _: pytest.fail("not asked for")) == []


@pytest.mark.parametrize("target", ["a" * 5000, "%00", "a/" * 3000, "%ff"])
def test_a_link_that_no_file_system_takes_is_dead(tmp_path, target):
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles/returns.en.md").write_text(f"---\nid: returns\n---\n[x]({target})\n")
    [one] = findings(article(body=f"[x]({target})"), folder=tmp_path, kinds=("dead_link",))
    assert one.message.endswith("in the knowledge folder")


def test_a_link_to_a_file_with_a_quoted_name_is_alive(tmp_path):
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles/size table.pdf").touch()
    (tmp_path / "articles/returns.en.md").write_text("---\nid: returns\n---\nx\n")
    assert findings(article(body="[x](size%20table.pdf)"), folder=tmp_path, kinds=("dead_link",)) == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["[", "](", "[](", "](a", "[a](b ", "](<", "] ( "])
def test_links_of_a_long_line_are_read_once(piece):
    body = ANSWER + piece * (200_000 // len(piece))
    assert all(one.kind == "dead_link" for one in findings(article(body=body), kinds=("dead_link",)))


def test_what_the_reader_said_of_a_link_is_not_said_again():
    message = "the link article:gone leads nowhere"
    one = article("faq.csv.r2", body="[x](article:gone)")
    source = KnowledgeFolder(Path("none"), [one], (), (), [Problem("articles/faq.csv", 2, message)], None)
    found = check(source, today=TODAY, encoder=pytest.fail, store=IndexStore(Path("none")), kinds=("dead_link",))
    assert [(one.place.path, one.message) for one in found] == [("articles/faq.csv", message)]


@pytest.mark.parametrize(("days", "said"), [(0, "today"), (1, "tomorrow"), (2, "in 2 days")])
def test_days_are_said_as_people_say_them(days, said):
    [one] = findings(article(valid_until=TODAY + timedelta(days=days)))
    assert one.message.endswith(said)


def test_too_long_says_why():
    answer = "word " * MAX_TOKENS
    steps = "## Steps\n" + "\n".join(f"{number}. Press it." for number in range(1, MOST_STEPS + 2))
    [one] = findings(article(body=f"{answer}\n\n{steps}"))
    assert one.kind == "too_long" and "tokens" in one.message and "steps" in one.message
    short = "word " * (MAX_TOKENS // 2)
    assert findings(article(body=short)) == []


def test_a_language_that_nearly_all_topics_have_is_missed():
    both = [article(f"a{number}", language) for number in range(9) for language in ("en", "zh-Hans")]
    [one] = findings(*both, article("a9", "en"))
    assert (one.kind, one.severity) == ("missing_language", "warning") and "zh-Hans" in one.message


def test_a_language_that_some_topics_have_is_one_note_and_demand_makes_a_warning():
    topics = [article(f"a{number}", "en") for number in range(9)]
    half = [article(f"a{number}", "zh-Hant") for number in range(4)]
    assert said(findings(*topics, *half)) == [("missing_language", "note")]
    asked = [used("a8", 3, asked_in="zh-Hant"), used("a7", 2, asked_in="zh-Hant")]
    found = findings(*topics, *half, use=asked, kinds=("missing_language",))
    assert said(found) == [("missing_language", "warning"), ("missing_language", "note")]
    assert "3 times" in found[0].message and "a8" not in found[1].message
    assert findings(*topics) == []


def test_never_shown_needs_a_log_that_says_something():
    both = [article("a"), article("b"), article("agents", audience="agent")]
    assert findings(*both, use=[used("a", 3 * SHOWN_PER_TOPIC - 1)]) == []
    assert said(findings(*both, use=[used("a", 3 * SHOWN_PER_TOPIC)])) == [("never_shown", "note")]


@pytest.mark.parametrize(
    ("dismissed", "accepted", "expected"), [(3, 0, 0), (4, 0, 1), (8, 1, 1), (8, 4, 0), (20, 18, 0), (0, 9, 0)]
)
def test_often_dismissed_is_more_than_chance(dismissed, accepted, expected):
    found = findings(article(), use=[used("returns", 40, accepted, dismissed)], kinds=("often_dismissed",))
    assert len(found) == expected


def test_what_was_dismissed_before_the_text_changed_does_not_count():
    old = used("returns", 40, 0, 40, version="v1")
    assert findings(article(), use=[old], kinds=("often_dismissed",)) == []


def unit_vectors(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("most", [10, 1_000_000])
def test_near_statements_are_those_of_the_slow_way(monkeypatch, most):
    monkeypatch.setattr(contradicting, "BLOCK", 7)
    monkeypatch.setattr(contradicting, "MOST_PAIRS", most)
    units = ("days", "%", "kg")
    articles = [
        article(f"a{n % 20}", body=f"Within {n % 3 + 1} {units[n % 2]} or {n % 5} {units[n % 3]}.") for n in range(60)
    ]
    found = contradicting.statements(articles)
    vectors = unit_vectors(len(found), 5)
    slow = [
        (float(vectors[a] @ vectors[b]), a, b)
        for a in range(len(found))
        for b in range(a)
        if vectors[a] @ vectors[b] >= contradicting.NEAR
        and articles[found[a].article].id != articles[found[b].article].id
        and {(q.unit, q.value) for q in found[a].stated} != {(q.unit, q.value) for q in found[b].stated}
        and {q.unit for q in found[a].stated} & {q.unit for q in found[b].stated}
    ]
    pairs = list(contradicting._near(articles, found, vectors))
    assert [one for one, *_ in pairs] == pytest.approx(sorted((one for one, *_ in slow), reverse=True)[:most])
    assert {pair[1:] for pair in pairs} <= {pair[1:] for pair in slow}
    assert len(slow) > 100


def test_many_articles_that_agree_take_no_memory(tmp_path):
    articles = [article(f"a{number}") for number in range(2000)]
    found = contradicting.statements(articles)
    vectors = np.ones((len(found), 4), np.float32) / 2
    tracemalloc.start()
    assert contradicting.contradictions(articles, found, vectors, (), Finder(tmp_path)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000
