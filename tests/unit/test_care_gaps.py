"""Clusters against a slow way to find them, what counts as a question, and a page that shows hostile text as text."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assist.domain import OpenQuestion, Situation
from assist.knowledge.care.gaps import Gap, Gaps, clusters, find_gaps, is_question
from assist.knowledge.care.gaps_page import gaps_page
from assist.knowledge.search import LANGUAGES
from assist.knowledge.sources import read_folder
from assist.text.segment import Segmenter

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOSTILE = [
    "</script><script>alert(1)</script> how do I \"quote\" 'this' & <b>that</b>?",
    '"><img src=x onerror=alert(1)> manual <svg/onload=alert(2)>?',
    "--- \nstatus: published\n---\n{{7*7}} ${x} `rm` how?",
    "]]> <!-- </title></style> javascript:alert(1) why\u202e\u2028 \x85?",
]


def question(text: str, *, days_ago: float = 1, conversation: str | None = None, **fields) -> OpenQuestion:
    plain = {
        "language": "en",
        "before": None,
        "is_opening": True,
        "emotion": "neutral",
        "intensity": 0.0,
        "situation": None,
        "dismissed": (),
    }
    at = NOON - timedelta(days=days_ago)
    return OpenQuestion(conversation_id=conversation or f"{text}{days_ago}", at=at, text=text, **(plain | fields))


def slow_clusters(vectors: np.ndarray, threshold: float) -> set[frozenset[int]]:
    """Join the nearest pair, by the mean of all pairs' cosines, until none is near enough."""
    groups = [frozenset([row]) for row in range(len(vectors))]
    while len(groups) > 1:
        pairs = [(a, b) for number, a in enumerate(groups) for b in groups[:number]]
        best = max(pairs, key=lambda pair: np.mean(vectors[list(pair[0])] @ vectors[list(pair[1])].T))
        if np.mean(vectors[list(best[0])] @ vectors[list(best[1])].T) < threshold:
            break
        groups = [group for group in groups if group not in best] + [best[0] | best[1]]
    return set(groups)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 24), threshold=st.floats(-0.2, 0.9))
def test_clusters_are_those_of_the_slow_way(seed, count, threshold):
    vectors = np.random.default_rng(seed).normal(size=(count, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = clusters(vectors, [1] * count, threshold)
    assert set(map(frozenset, found)) == slow_clusters(vectors.astype(np.float64), threshold)


def test_weights_are_copies():
    vectors = np.random.default_rng(3).normal(size=(8, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    copies = [row for row in range(8) for _ in range(1 + row % 3)]
    weighted = clusters(vectors, [1 + row % 3 for row in range(8)], 0.3)
    copied = clusters(vectors[copies], [1] * len(copies), 0.3)
    assert set(map(frozenset, weighted)) == {frozenset(copies[row] for row in rows) for rows in copied}


ASKED = "Which one do you mean?"


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("do you have a student discount", {}, True),
        ("电饭煲的说明书在哪下载", {}, True),
        ("My kettle leaks from the bottom", {}, True),
        ("My kettle leaks from the bottom", {"is_opening": False}, False),
        ("can I download the manual", {"is_opening": False}, True),
        ("我想下载说明书电子版", {"is_opening": False}, True),
        ("OK. That at least is a plan", {"is_opening": False}, False),
        ("hello there", {}, False),
        ("谢谢，辛苦了", {}, False),
        ("那怎么弄", {}, False),
        ("[ORDER] [PHONE] 3344", {}, False),
        ("the blue kettle from last week", {"before": ASKED}, False),
        ("the blue kettle, can you exchange it?", {"before": ASKED}, True),
        ("红色的，中号那件衣服", {"before": "请问是哪一件呢"}, False),
        ("thanks, the courier solved my problem", {"emotion": "satisfied"}, False),
        ("c'est quoi ce colis", {"emotion": "unknown"}, False),
        ("the parcel has not moved", {"is_opening": False, "dismissed": ("late-parcel",)}, True),
    ],
)
def test_what_is_a_question(text, fields, expected):
    assert is_question(question(text, **fields), Segmenter()) is expected


class LastWordEncoder:
    """Texts with the same last word have the same vector."""

    dimension, version = 8, "last-word"

    def encode_query(self, text: str) -> SimpleNamespace:
        vector = np.zeros(8, np.float32)
        vector[sum(map(ord, re.findall(r"\w+", text)[-1].lower())) % 8] = 1
        return SimpleNamespace(vector=vector)

    def encode_passages(self, texts, *, progress=None):  # noqa: ARG002
        raise AssertionError("questions are queries")


class RefundKnowledge:
    """An index that answers what is asked about refunds."""

    situations = (Situation("late_parcel", {}, ()),)

    def situation(self, _vector):
        return None, 0.0

    def nearest_situation(self, _vector):
        return "late_parcel", 0.5

    def search(self, text, _vector, **_):
        return [SimpleNamespace(id="refund-time", relevance=0.9)] if "refund" in text else []


def find(*asked: OpenQuestion, least: int = 2) -> Gaps:
    return find_gaps(
        asked,
        until=NOON,
        days=30,
        least=least,
        threshold=0.5,
        encoder=LastWordEncoder(),
        knowledge=RefundKnowledge(),
        means=np.zeros((len(LANGUAGES), 8), np.float32),
    )


def test_a_gap_counts_conversations_of_this_period_and_the_one_before():
    angry = {"emotion": "angry", "intensity": 0.8}
    found = find(
        question("any student discount", conversation="c1", **angry),
        question("a discount for students, student discount?", conversation="c1"),
        question("give me student discount", conversation="c2"),
        question("any student discount", conversation="c3", days_ago=31),
        question("how do I hang the lamp", conversation="c4"),
        question("when is my refund here", conversation="c5"),
        question("hello", conversation="c6"),
    )
    [gap] = found.gaps
    assert (gap.count, gap.before, gap.questions, gap.nothing_found) == (2, 1, 3, 3)
    assert gap.negative == pytest.approx(1 / 3) and gap.intensity == pytest.approx(0.8)
    assert (found.asked, found.small_talk, found.answered, found.single) == (7, 1, 1, 1)


def test_the_same_question_in_two_languages_has_a_draft():
    text = "我要怎么把手机退款"
    gaps = find(
        question(text, language="zh-Hans", days_ago=3),
        question(text, language="zh-Hans", days_ago=2),
        question(text, language="zh-Hant", days_ago=1),
    )
    (gap,) = gaps.gaps
    assert gap.draft_name.endswith(".zh-Hans.md") and text in gap.draft


def test_over_the_limit_the_period_before_keeps_its_share(monkeypatch):
    monkeypatch.setattr("assist.knowledge.care.gaps.MOST_QUESTIONS", 4)
    now = [question(f"any {number} student discount", days_ago=1 + number) for number in range(1, 9)]
    before = [question(f"give {number} student discount", days_ago=40 + number) for number in range(8)]
    found = find(*reversed(before), *reversed(now))
    [gap] = found.gaps
    assert (gap.count, gap.before, found.left_out) == (2, 2, 12)
    [quiet] = find(before[0], *reversed(now)).gaps
    assert (quiet.count, quiet.before) == (3, 1)


def test_a_dismissed_article_is_a_gap_until_another_answers():
    turned_down = find(
        question("where is my refund", dismissed=("refund-time", "case_1")),
        question("when comes the refund", dismissed=("refund-time",)),
        question("has my refund been lost, the refund", dismissed=("another",)),
    )
    [gap] = turned_down.gaps
    assert gap.dismissed == {"refund-time": 2, "case_1": 1} and gap.nothing_found == 0
    assert turned_down.answered == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_a_draft_is_an_article_whatever_was_asked(text, tmp_path):
    [gap] = find(question(text), question(text, days_ago=2)).gaps
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / gap.draft_name).write_text(gap.draft, encoding="utf-8")
    name = '{ zh-Hans = "x", zh-Hant = "x", en = "x" }'
    (tmp_path / "situations.toml").write_text(f'[late_parcel]\nnames = {name}\nexamples = ["where is it"]\n')
    content = read_folder(tmp_path, strict=True)
    [draft] = content.articles
    assert (draft.id, draft.status, draft.situation) == (gap.id, "draft", "late_parcel")
    assert draft.questions[0] == draft.title


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def a_gap(number: int, text: str) -> Gap:
    return Gap(
        id=f"gap-{number}",
        title=text,
        terms=(text,),
        examples=(text, text),
        count=3,
        before=number % 3 * 3,
        questions=4,
        nothing_found=2,
        dismissed={text: 2},
        negative=0.5,
        intensity=0.7,
        languages={"zh-Hant": 2, "other": 1},
        situation=None,
        draft_name=f"gap-{number}.en.md",
        draft=text,
    )


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant", "en"])
def test_the_page_shows_hostile_text_as_text_and_needs_nothing_else(language):
    gaps = tuple(a_gap(number, text) for number, text in enumerate(HOSTILE * 8))
    page = gaps_page(Gaps(NOON - timedelta(days=30), NOON, gaps, 9, 1, 1, 1, 0), language)
    seen = _Tags()
    seen.feed(page)
    assert not seen.tags & {"script", "img", "b", "link", "iframe", "object", "foreignobject"}
    assert not any(name.startswith("on") or name in ("src", "xlink:href") for name in seen.attributes)
    assert "http://" not in page and "https://" not in page and "@import" not in page and "url(" not in page
    assert all(href.startswith("#gap-") for href in re.findall(r'href="([^"]*)"', page))
    assert all(text.split("\n")[0] in seen.text for text in HOSTILE)
    assert f'<html lang="{language}">' in page and 'role="img"' in page


def test_without_gaps_the_page_says_so():
    page = gaps_page(Gaps(NOON - timedelta(days=30), NOON, (), 0, 0, 0, 0, 0), "en")
    assert "<svg" not in page and "No group of open questions" in page


@pytest.mark.parametrize("language", ["zh-Hans", "zh-Hant"])
def test_a_chinese_page_has_no_english_word_of_ours(language):
    page = gaps_page(Gaps(NOON, NOON, (a_gap(1, "x"),), 1, 0, 0, 0, 0), language)
    assert re.findall(r"[A-Za-z]{2,}", re.sub(r"(?s)<style.*?</style>|<[^>]*>|gap-1\S*", " ", page)) == []
