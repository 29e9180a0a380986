"""The draft check finds what a careful team lead would, and lets good drafts pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.suggest.drafts import check_draft


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("您先冷静一下", "dismissive"),
        ("Please calm down.", "dismissive"),
        ("这是您自己没看清楚规则", "blame"),
        ("You should have read the terms.", "blame"),
        ("不行。", "cold"),
        ("That's our policy.", "cold"),
        ("保证明天送到", "forbidden_promise"),
        ("I guarantee it will arrive tomorrow", "forbidden_promise"),
        ("他的电话是13812345678", "personal_data"),
        ("HELLO PLEASE READ THIS", "shouting"),
        ("可以再说一遍吗，请再说一遍", "asks_again"),
    ],
)
def test_finds(text: str, code: str) -> None:
    found = [issue for issue in check_draft(text, "en" if text.isascii() else "zh-Hans", None) if issue.code == code]
    assert found
    assert text[found[0].start : found[0].end] == found[0].text


@pytest.mark.parametrize(
    "text",
    [
        "给您添麻烦了，我马上查一下物流，24 小时内给您答复。",
        "I'm sorry about the wait. I have opened an investigation and will write to you within 24 hours.",
        "不好意思讓您久等了，退款會在 3–5 個工作天內入帳。",
        "这款不可以机洗，建议手洗哦。",
    ],
)
def test_lets_good_drafts_pass(text: str) -> None:
    assert check_draft(text, "en" if text.isascii() or "I'm" in text else "zh-Hans", None) == []


def test_language_of_the_customer_decides() -> None:
    issues = check_draft("您的包裹已经发出", "zh-Hans", "zh-Hant")
    assert [issue.code for issue in issues] == ["wrong_language"]
    assert check_draft("您的包裹已经发出", "zh-Hans", "zh-Hans") == []


@given(st.text(max_size=300), st.sampled_from(["zh-Hans", "zh-Hant", "en", "mixed", "other"]))
def test_spans_are_in_the_text(text: str, language: str) -> None:
    for issue in check_draft(text, language, "en"):  # type: ignore[arg-type]
        assert 0 <= issue.start <= issue.end <= len(text)
        assert text[issue.start : issue.end] == issue.text
