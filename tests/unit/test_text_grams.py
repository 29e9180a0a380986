"""Groups of characters and words: the same for both scripts, cases and widths, and bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.text.grams import READ_CHARS, buckets, fold, grams


@pytest.mark.parametrize(
    ("one", "other"), [("退貨", "退货"), ("Where is IT", "where is it"), ("７天", "3天"), ("妳好", "你好")]
)
def test_spellings_of_the_same_fall_together(one: str, other: str) -> None:
    assert grams(one) == grams(other)


def test_groups_are_of_one_to_three_characters_and_of_words_and_pairs() -> None:
    assert grams("退货吗") == {"退", "货", "吗", "退货", "货吗", "退货吗"}
    assert grams("Delivery costs") == {
        " delivery", " costs", "^deliv", "delivery costs",
    }  # fmt: skip


@given(st.text(max_size=300))
def test_any_text_has_buckets_in_order_and_folds_character_by_character(text: str) -> None:
    found = buckets(text, 64)
    assert found == sorted(set(found)) and all(0 <= bucket < 64 for bucket in found)
    assert len(fold(text)) == len(text)


def test_what_comes_late_in_a_long_text_is_not_read() -> None:
    assert buckets("退" * READ_CHARS + "货", 4096) == buckets("退" * READ_CHARS, 4096)
