"""What an agent's words have been through, how a sentence opens, and how much is apologised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.suggest.stages import apology_in, opener_of, stages_in


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("非常抱歉给您带来不便", {"acknowledge"}),
        ("真的很不好意思，這是我們的疏失", {"acknowledge", "own"}),
        ("我完全理解您的心情", {"empathise"}),
        ("I'm sorry about that. I'll get back to you within 24 hours.", {"acknowledge", "next_step"}),
        ("I can see why you're annoyed; leave it with me.", {"empathise", "own"}),
        ("我现在就查，24 小时内给您答复", {"next_step"}),
        ("請問訂單編號是？", set()),
        ("What is your order number?", set()),
        ("The shop opens at nine.", set()),
    ],
)
def test_the_stages_of_an_agents_words(text: str, stages: set[str]) -> None:
    assert stages_in(text) == stages


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I'm sorry you've waited.", "Sorry, that was our mistake."),
        ("{name}您好，非常抱歉让您久等。", "对不起，这件事是我们的错。"),
        ("Tom, I can see why.", "I understand, and I'm on it."),
        ("谢谢您告诉我", "感謝您耐心等候"),
        ("这件事由我负责", "这件事我来跟"),
    ],
)
def test_openings_that_are_the_same(one: str, other: str) -> None:
    assert opener_of(one) == opener_of(other)


def test_openings_that_differ() -> None:
    texts = ["I'm sorry.", "I understand.", "Thank you.", "Leave it with me.", "我来查", "抱歉", "理解您", "谢谢"]
    assert len({opener_of(text) for text in texts}) == 5  # three families, in whichever language, and two others


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("我来看它现在到哪儿了。", 0),
        ("这一步还得您来问一趟，不好意思，我马上看。", 1),
        ("让您久等了，抱歉。", 2),
        ("Thank you for spotting that.", 0),
        ("I'm sorry you've waited.", 2),
        ("We are deeply sorry.", 3),
        ("抱歉，真的对不起。", 3),
    ],
)
def test_the_weight_of_an_apology(text: str, weight: int) -> None:
    assert apology_in(text) == weight


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str) -> None:
    assert opener_of(text) == opener_of(text)
    assert 0 <= apology_in(text) <= 3
    assert (apology_in(text) > 0) <= ("acknowledge" in stages_in(text) or apology_in(text) == 3)
