"""Greetings and acknowledgements are silent; anything that wants an answer is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.text.small_talk import is_small_talk


@pytest.mark.parametrize(
    "text",
    [
        "好的",
        "好的好的",
        "嗯嗯",
        "谢谢",
        "謝謝您",
        "ok",
        "OK thanks!",
        "Thank you so much",
        "在吗？",
        "您好",
        "收到",
        "👍",
        "。。。",
        "",
        "got it",
        "那先这样",
        "唔該",
        "hello?",
        "好滴 谢谢啦~",
        "ok 好的",
    ],
)
def test_silent(text: str) -> None:
    assert is_small_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "好的，那什么时候退款",
        "谢谢，不过还是没到",
        "ok but where is it",
        "怎么弄",
        "没有啊，还没收到货",
        "退款",
        "123456",
        "still nothing",
        "可以退吗",
        "is that all?",
        "thanks for nothing you idiots",
        "转人工",
        "CW20261108-4471",
        "好什么好",
    ],
)
def test_not_silent(text: str) -> None:
    assert not is_small_talk(text)


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    assert is_small_talk(text) in (True, False)
