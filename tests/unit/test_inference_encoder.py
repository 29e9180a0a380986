"""The shipped encoder: vectors, token shares and offsets."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assist.inference.encoder import CONTEXT_TOKENS, MODEL_FILE, Encoder, no_context
from assist.inference.runtime import Session

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(MODELS)


def test_vectors_are_of_unit_length_and_repeatable(encoder: Encoder) -> None:
    first = encoder.encode_query("退款什么时候到账")
    encoder.encode_query("something else in between")
    second = encoder.encode_query("退款什么时候到账")
    assert first.vector.shape == (encoder.dimension,)
    assert first.vector.dtype == np.float32
    assert np.linalg.norm(first.vector) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(first.vector, second.vector)
    np.testing.assert_array_equal(first.token_logits, second.token_logits)


def test_a_translation_is_nearer_than_another_matter(encoder: Encoder) -> None:
    query = encoder.encode_query("怎么申请退款").vector
    passages = encoder.encode_passages(["How to get your money back", "Store opening hours", "門市營業時間"])
    assert (passages @ query).argmax() == 0


def test_passages_do_not_depend_on_their_neighbours(encoder: Encoder) -> None:
    texts = ["运费由谁承担", "Returns are free within 30 days.", "a"]
    together = encoder.encode_passages(texts)
    alone = np.concatenate([encoder.encode_passages([text]) for text in texts])
    np.testing.assert_array_equal(together, alone)


def test_queries_and_passages_carry_their_own_prefix(encoder: Encoder) -> None:
    text = "保修期多长"
    assert not np.allclose(encoder.encode_query(text).vector, encoder.encode_passages([text])[0])


def test_progress_counts_every_passage(encoder: Encoder) -> None:
    seen: list[int] = []
    encoder.encode_passages(["a", "b", "c"], progress=seen.append)
    assert seen == [1, 2, 3]
    assert encoder.encode_passages([]).shape == (0, encoder.dimension)


def test_token_shares_add_up_to_the_logits(encoder: Encoder) -> None:
    # What is left is each label's bias, the same for every text.
    rests = []
    for text in ("骗子！退钱！", "Thank you so much"):
        ids = np.array([encoder.query_tokens(text)[0]], np.int64)
        session = Session(MODELS, MODEL_FILE, encoder.manifest)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        feed |= no_context(session.input_size("context"))
        logits, shares = session.run(("emotion_logits", "emotion_token_logits"), feed)
        rests.append(logits - shares.sum(1))
    np.testing.assert_allclose(*rests, atol=1e-4)


def test_offsets_point_at_the_words(encoder: Encoder) -> None:
    text = "我的 refund 呢？ 等了三天"
    encoding = encoder.encode_query(text)
    covered = {text[start:end] for start, end in encoding.offsets}
    assert "refund" in covered or {"re", "fund"} <= covered
    assert "".join(text[start:end] for start, end in encoding.offsets) == text.replace(" ", "")


def test_only_the_last_three_turns_of_customer_and_agent_are_looked_back_at(encoder: Encoder) -> None:
    turns = [
        ("customer", "还在冒烟"),
        ("agent", "请先断电"),
        ("bot", "请评价"),
        ("customer", "断了"),
        ("agent", "好的"),
    ]
    said = [(speaker, encoder.encode_query(text).memory) for speaker, text in turns]
    logits = encoder.encode_query("然后呢", said).emotion_logits
    assert not np.allclose(logits, encoder.encode_query("然后呢").emotion_logits)
    np.testing.assert_array_equal(logits, encoder.encode_query("然后呢", said[1:]).emotion_logits)
    np.testing.assert_array_equal(logits, encoder.encode_query("然后呢", said[1:2] + said[3:]).emotion_logits)
    other_speaker = [*said[:-1], ("customer", said[-1][1])]
    assert not np.allclose(logits, encoder.encode_query("然后呢", other_speaker).emotion_logits)


def test_the_memory_of_a_turn_is_bounded(encoder: Encoder) -> None:
    short, long = encoder.encode_query("好"), encoder.encode_query("等了又等，" * 100)
    assert len(short.memory) < CONTEXT_TOKENS == len(long.memory)
    assert not short.has_context
    assert encoder.encode_query("好", [("agent", long.memory)]).has_context


def test_a_long_query_keeps_its_beginning_and_its_end(encoder: Encoder) -> None:
    text = "开头在这里。" + "中间的很多话没有什么特别的内容。" * 100 + "结尾是我要退款"
    encoding = encoder.encode_query(text)
    assert encoding.truncated
    assert len(encoding.offsets) <= encoder.manifest.max_query_tokens
    assert text[encoding.offsets[0][0] : encoding.offsets[0][1]] in "开头在这里"
    assert encoding.offsets[-1][1] == len(text)
    assert not encoder.encode_query("短句").truncated


def test_a_long_passage_is_cut(encoder: Encoder) -> None:
    vector = encoder.encode_passages(["word " * 5000])[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=80) | st.text(st.characters(categories=("Cs", "Cf", "Mn", "So", "Lo")), max_size=30))
def test_any_text_is_encoded_with_offsets_inside_it(encoder: Encoder, text: str) -> None:
    encoding = encoder.encode_query(text)
    assert np.isfinite(encoding.vector).all()
    assert len(encoding.offsets) == len(encoding.token_logits)
    for start, end in encoding.offsets:
        assert 0 <= start < end <= len(text)
        assert not text[start].isspace()
