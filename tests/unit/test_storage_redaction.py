"""What leaves the log's door: known names and numbers wherever they stand, evidence that still points at its words."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.domain import (
    AssistResult,
    Contact,
    Conversation,
    ConversationReading,
    Customer,
    Emotion,
    Order,
    Quote,
    Source,
    Span,
    Suggestion,
    Utterance,
    Versions,
    WrapUp,
)
from assist.storage.redaction import Redactor, could_be, log_id

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def redactor(name: str | None = "Ann", *orders: str) -> Redactor:
    placed = tuple(Order(order, "s", "t", 1.0, "paid") for order in orders)
    return Redactor(Conversation("conv_1", "chat", NOON, Customer("c", name, orders=placed)))


def result(text: str, spans: tuple[Span, ...] = (), answer: str = "ok") -> AssistResult:
    emotion = Emotion("angry", 0.9, {"angry": 0.9}, 0.7, "negative", (), spans)
    source = Source("article", "a", "v", None, answer, 0, 1)
    suggestion = Suggestion("sug_1", "answer", answer, answer, "en", 0.5, answer, source)
    utterance = Utterance("utt_1", 1, "customer", text, "en", NOON)
    reading = ConversationReading("steady", 0.0, 0, None)
    return AssistResult(utterance, emotion, reading, (suggestion,), (), Versions("m", "i", "p"), 1.0)


def test_latin_names_are_whole_words() -> None:
    kept = redactor("An").result(result("An is angry", answer="An answer for An, Anna"))
    assert kept.suggestions[0].text == "[NAME] answer for [NAME], Anna"


def test_han_names_are_found_inside_text() -> None:
    assert redactor("陈小明").text("我是陈小明的妈妈") == "我是[NAME]的妈妈"


def test_what_was_found_once_is_taken_out_of_later_suggestions() -> None:
    one = redactor()
    one.result(result("my phone is 13812345678"))
    kept = one.result(result("hello", answer="We call 13812345678, or you call 400-820-5566."))
    assert kept.suggestions[0].text == "We call [PHONE], or you call 400-820-5566."
    assert kept.suggestions[0].source.excerpt == kept.suggestions[0].text


def test_order_numbers_of_the_profile_are_known_in_any_form() -> None:
    assert redactor("Ann", "X7").text("where is X7?") == "where is [ORDER]?"


@pytest.mark.parametrize("text", ["13812345678, I am angry", "Ann: 13812345678 is angry with Ann", "angry 13812345678"])
def test_evidence_points_at_its_words(text: str) -> None:
    at = text.index("angry")
    phone = text.index("13812345678")
    spans = (Span(at, at + 5, "angry", 0.9), Span(phone, phone + 4, "1381", 0.1))
    kept = redactor().result(result(text, spans))
    assert kept.emotion is not None
    [span] = kept.emotion.evidence
    assert kept.utterance.text[span.start : span.end] == "angry"
    assert "1381" not in kept.utterance.text


def test_a_profile_loses_its_person_and_keeps_its_goods() -> None:
    customer = Customer(
        "c",
        "Ann",
        orders=(Order("X7", "sku", "Kettle", 9.0, "paid"),),
        contacts=(Contact(NOON, "chat", "late", "Ann phoned from 13812345678"),),
        attributes={"ann@example.com": {"deep": ["13812345678", 5, None, True]}},
    )
    conversation = Conversation("conv_1", "chat", NOON, customer, metadata={"by": "Ann"})
    kept = Redactor(conversation).conversation(conversation)
    assert (kept.customer.name, kept.customer.orders[0]) == (None, replace(customer.orders[0], id=""))
    assert kept.customer.contacts[0].summary == "[NAME] phoned from [PHONE]"
    assert kept.customer.attributes == {"[EMAIL]": {"deep": ["[PHONE]", 5, None, True]}}
    assert kept.metadata == {"by": "[NAME]"}


def test_ids_stay_unless_they_are_personal() -> None:
    assert log_id("cust_81") == "cust_81"
    assert log_id("ann@example.com").startswith("sha256:")
    assert log_id("ann@example.com") == log_id("ann@example.com") != log_id("bob@example.com")


@pytest.mark.parametrize(
    ("redacted", "original", "same"),
    [
        ("hello", "hello", True),
        ("hello", "hello!", False),
        ("[NAME], [PHONE]", "Ann Lee, 13812345678", True),
        ("[NAME], [PHONE]", "Ann Lee 13812345678", False),
        ("call [PHONE] now", "call 13812345678 now", True),
        ("call [PHONE] now", "call  now", False),
        ("[PHONE]", "", False),
        ("[PHONE][PHONE]", "ab", True),
        ("[PHONE][PHONE]", "a", False),
        ("[PHONE] a [PHONE] a", "1 a 2 a", True),
        ("[PHONE] a [PHONE] a", "1 a", False),
        ("[PHONE]" * 500 + "x", "1" * 4000, False),
    ],
)
def test_a_repeated_text_is_known_by_what_was_left(redacted: str, original: str, same: bool) -> None:
    assert could_be(redacted, original) is same


@given(
    text=st.text(alphabet="a1 [](NAMEPHO)陈小明138", max_size=40),
    names=st.lists(st.sampled_from(["陈小明", "NAME", "a1"])),
)
def test_every_text_is_known_again(text: str, names: list[str]) -> None:
    one = redactor(names[0] if names else None, *names[1:])
    assert could_be(one.text(text), text)
    assert one.text(one.text(text)) == one.text(text)


def test_quotes_move_to_where_their_words_stand_in_the_log() -> None:
    one = redactor("陈小明")
    said = "我电话13812345678。陈小明的退款呢？陈小明的退款呢？"
    logged = one.utterance(replace(result(said).utterance, text=said))[0].text
    start = said.rindex("陈小明")
    quote = Quote("problem", said[start:], "utt_1", start, len(said), "customer")
    lost = Quote("outcome", "not there", "utt_1", 0, 9, "customer", due_text="there")
    gone = Quote("worst", "x", "utt_2", 0, 1, "customer")
    wrap_up = WrapUp((), "resolved", (), None, None, None, None, quotes=(quote, lost, gone), message="陈小明")
    kept = one.wrap_up(wrap_up, {"utt_1": logged})
    assert [logged[q.start : q.end] == q.text for q in kept.quotes] == [True, True]
    assert kept.quotes[0].text == "[NAME]的退款呢？" and kept.quotes[0].start == logged.rindex("[NAME]")
    assert kept.quotes[1].text == logged and kept.quotes[1].due_text is None
    assert kept.message == "[NAME]"


@given(st.text(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_any_quote_is_a_slice_of_what_was_logged(text: str, start: int, length: int) -> None:
    one = redactor("Ann Lee", "CW20261105-0831")
    text = f"Ann Lee, 13812345678: {text} CW20261105-0831"
    quote = Quote("problem", text[start : start + length], "utt_1", start, min(start + length, len(text)), "customer")
    logged = one.utterance(replace(result(text).utterance, text=text))[0].text
    (kept,) = one.wrap_up(WrapUp((), "resolved", (), None, None, None, None, quotes=(quote,)), {"utt_1": logged}).quotes
    assert logged[kept.start : kept.end] == kept.text
