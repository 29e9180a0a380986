"""Text functions on whatever people type."""

from hypothesis import given
from hypothesis import strategies as st

from assist.text.language import detect
from assist.text.normalise import normalise
from assist.text.redact import redact
from assist.text.segment import Segmenter

SEGMENTER = Segmenter([["退款", "退錢", "refund", "money back"], ["快递", "宅配", "parcel"]])
PARTS = (
    "13812345678 a@b.example CW20261108-4471 我叫 李明 [PHONE] [NAME] 中山路12号 4111111111111111 King 12 0 x".split()
)
messages = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="我叫张伟王的路号室12345678901 -+()（）@.aCWx[PHONE]\u200b，", max_size=60),
    st.lists(st.sampled_from([*PARTS, " ", "12 King Street"]), max_size=12).map("".join),
)


@given(messages)
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once
    assert once == once.strip()


@given(messages, st.lists(st.text(min_size=1, max_size=8), max_size=2))
def test_redaction_is_idempotent(text, names):
    once = redact(text, names).text
    assert redact(once, names).text == once


@given(messages)
def test_redacted_spans_rebuild_the_text(text):
    redacted = redact(text)
    at, rebuilt = 0, ""
    for span in redacted.spans:
        assert at <= span.start < span.end <= len(text)
        rebuilt += text[at : span.start] + f"[{span.kind}]"
        at = span.end
    assert rebuilt + text[at:] == redacted.text


@given(messages)
def test_language_is_always_one_of_five(text):
    assert detect(text) in ("zh-Hans", "zh-Hant", "en", "mixed", "other")


@given(messages)
def test_terms_are_stable_and_never_empty(text):
    found = SEGMENTER.analyse(text)
    assert all(term.term and term.surface for term in found)
    assert SEGMENTER.analyse(normalise(text)) == found
