"""The demo retailer is complete, consistent with itself and the same in every language."""

import json
import re
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import get_args

import pytest

from assist.domain import FLAGS, NEGATIVE, Channel
from assist.knowledge.judgements import read_judgements
from assist.knowledge.passages import answer_of, plain, split, steps_of, tokens
from assist.knowledge.sources import LANGUAGES, Content, read_folder
from assist.text.language import detect

FOLDER = Path(__file__).parent.parent.parent / "knowledge_base"
ORDER_STATUSES = {"paid", "shipped", "delivered", "returned", "cancelled", "refund_pending"}
NUMBER = re.compile(r"\d+(?:[.:]\d+)?(?:-\d+)*")
LIST_NUMBER = re.compile(r"^\s*\d{1,2}[.)、]\s", re.MULTILINE)


@pytest.fixture(scope="module")
def content() -> Content:
    return read_folder(FOLDER, strict=True)


@pytest.fixture(scope="module")
def customers() -> list[dict]:
    return [json.loads(line) for line in (FOLDER / "customers/customers.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def conversations() -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "conversations").glob("*.json"))}


def figures(body: str) -> Counter:
    """All numbers of a body but those of lists; 1,000 is 1000 and 2–4 is two numbers."""
    text = LIST_NUMBER.sub("", plain(body)).replace("–", " ").replace(",", "")
    return Counter(set(NUMBER.findall(text)))


def test_every_article_is_in_chinese_and_english(content):
    languages = defaultdict(set)
    for article in content.articles:
        languages[article.id].add(article.language)
    assert len(languages) >= 80
    assert [i for i, found in languages.items() if not {"zh-Hans", "en"} <= found] == []
    assert sum("zh-Hant" in found for found in languages.values()) >= 35


def test_the_figures_of_an_article_are_the_same_in_every_language(content):
    by_id = defaultdict(dict)
    for article in content.articles:
        by_id[article.id][article.language] = figures(article.body)
    differing = {i: found for i, found in by_id.items() if len({frozenset(f) for f in found.values()}) > 1}
    assert differing == {}


def test_articles_are_short_and_sendable(content):
    for article in content.articles:
        answer = answer_of(article.body)
        assert 5 <= tokens(answer) <= 160, (article.id, article.language, tokens(answer))
        assert not re.search(r"[{}\[\]#]|article:", answer), article.id
        assert 3 <= len(article.questions) <= 24, article.id
        assert len(split(article.body)) <= 6
        assert all(steps_of(article.body)) or not steps_of(article.body)


def test_every_situation_has_an_article_a_phrase_and_enough_examples(content):
    situations = {s.id for s in content.situations} - {"small_talk"}
    assert {a.situation for a in content.articles} == situations
    for situation in content.situations:
        spoken = Counter(detect(example) for example in situation.examples)
        assert len(situation.examples) >= 8 and len(set(situation.examples)) == len(situation.examples), situation.id
        assert spoken["zh-Hans"] >= 3 and spoken["en"] >= 3 and spoken["zh-Hant"] >= 1, (situation.id, spoken)


def test_there_is_always_a_calming_phrase_without_slots(content):
    counts = Counter(
        (phrase.language, emotion, phrase.stage)
        for phrase in content.phrases
        if phrase.kind == "calming" and "any" in phrase.situations and not phrase.slots and not phrase.needs
        for emotion in phrase.emotions
    )
    wanted = [(lang, e, stage) for lang in LANGUAGES for e in NEGATIVE for stage in ("acknowledge", "empathise", "own")]
    assert [(key, counts[key]) for key in wanted if counts[key] < 2] == []


def test_no_wording_comes_twice(content):
    texts = Counter((phrase.language, phrase.text) for phrase in content.phrases)
    assert [text for text, count in texts.items() if count > 1] == []


def test_cases_cover_the_languages_and_end_mostly_well(content):
    languages = Counter(case.language for case in content.cases)
    outcomes = Counter(case.outcome for case in content.cases)
    assert all(languages[language] >= 20 for language in LANGUAGES)
    assert outcomes["resolved"] > 0.6 * len(content.cases) and outcomes["unresolved"] > 0
    assert all(case.closed_at is not None for case in content.cases)


def test_what_is_sold_out_has_an_alternative_in_stock(content):
    stock = {product.sku: product.stock for product in content.products}
    assert len(stock) >= 160
    for product in content.products:
        if product.stock == 0:
            assert any(stock[sku] > 0 for sku in product.alternatives), product.sku


def test_customers_own_things_of_the_catalogue(content, customers):
    products = {product.sku: product for product in content.products}
    situations = {situation.id for situation in content.situations}
    order_ids = [order["id"] for customer in customers for order in customer["orders"]]
    assert len(customers) >= 44 and len({c["id"] for c in customers}) == len(customers)
    assert all(re.fullmatch(r"CW\d{8}-\d{4}", order_id) for order_id in order_ids)
    for customer in customers:
        assert customer["tier"] in ("none", "silver", "gold", "platinum")
        for item in [*customer["orders"], *customer["cart"], *customer["viewed"]]:
            assert item["sku"] in products, (customer["id"], item["sku"])
            assert item["price"] > 0
        for order in customer["orders"]:
            assert order["status"] in ORDER_STATUSES
            assert datetime.fromisoformat(order["placed_at"]).year == 2026
        for contact in customer["contacts"]:
            assert contact["situation"] in situations
            assert datetime.fromisoformat(contact["at"])


def test_conversations_are_complete_and_show_everything(content, customers, conversations):
    ids = {customer["id"] for customer in customers}
    assert len(conversations) >= 14
    for name, conversation in conversations.items():
        assert conversation["id"] == name and conversation["customer_id"] in ids
        assert conversation["channel"] in get_args(Channel)
        assert {"zh-Hans", "en"} <= conversation["title"].keys()
        assert 10 <= len(conversation["utterances"]) <= 30, name
        for utterance in conversation["utterances"]:
            assert utterance["speaker"] in ("customer", "agent", "bot", "system") and utterance["text"].strip()
            assert 0 <= utterance["wait_s"] <= 10
    shown = {what for conversation in conversations.values() for what in conversation["shows"]}
    assert set(FLAGS) <= shown
    assert {"neutral", "satisfied", "confused", *NEGATIVE} <= shown


def test_the_glossary_joins_the_languages(content):
    assert len(content.glossary) >= 120
    assert sum(any(w.isascii() for w in g) and any(not w.isascii() for w in g) for g in content.glossary) >= 60


def test_golden_queries_name_articles_that_exist(content):
    judged = read_judgements(FOLDER / "golden.jsonl")
    asked = [(one.query, one.context) for one in judged]
    assert len(set(asked)) == len(asked)
    assert {one.article for one in judged if one.article} <= {article.id for article in content.articles}
    assert sum(one.article is None for one in judged) >= 80 and sum(bool(one.context) for one in judged) >= 80
    counts = Counter(one.language for one in judged)
    assert counts["zh-Hans"] >= 150 and counts["zh-Hant"] >= 75 and counts["en"] >= 125 and counts["mixed"] >= 50
