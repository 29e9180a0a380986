"""The recognition of situations: learned ones by their weights, new ones by their examples, both by what was found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.errors import ModelError
from assist.knowledge.ranking import Relevance
from assist.knowledge.situations import BUCKETS, FILE_NAME, INNER, SituationModel
from assist.text.grams import buckets

ROOT = Path(__file__).resolve().parent.parent.parent
SHIPPED = SituationModel.load(ROOT / "models" / FILE_NAME)
PAIR = SituationModel(
    ("late", "refund"), np.eye(2, 3, dtype=np.float32) * 9, np.zeros(2, np.float32), (1.0, 4.0, -1.0, 12.0)
)
shares = st.floats(-1, 1, width=32)


def read(model: SituationModel, ids: list[str], query: list[float], cosines: list[float], found: list[float]) -> str:
    values = (np.array(v, np.float32) for v in (query, cosines, found))
    return ids[int(model.of(ids, 3).probabilities(*values).argmax())]


def test_a_learned_situation_is_known_by_its_weights_wherever_it_stands() -> None:
    assert read(PAIR, ["late", "refund"], [0, 1, 0], [0.9, 0], [0, 0]) == "refund"
    assert read(PAIR, ["refund", "late"], [0, 1, 0], [0, 0.9], [0, 0]) == "refund"


def test_a_situation_that_a_retailer_added_is_known_by_its_nearest_example() -> None:
    ids = ["late", "gift_wrap", "refund"]
    assert read(PAIR, ids, [0, 0, 1], [0.2, 0.9, 0.1], [0, 0, 0]) == "gift_wrap"
    assert read(PAIR, ids, [1, 0, 0], [0.8, 0.2, 0.1], [0, 0, 0]) == "late"


def test_what_was_learned_and_is_not_the_retailers_takes_its_share_and_is_never_named() -> None:
    values = [np.array(v, np.float32) for v in ([0, 1, 0], [0.1], [0])]
    (late,) = PAIR.of(["late"], 3).probabilities(*values)
    assert late < 0.5


def test_an_article_that_was_found_speaks_for_its_situation() -> None:
    assert read(PAIR, ["late", "refund"], [0, 0, 1], [0.3, 0.2], [0, 1]) == "refund"


def test_the_memory_of_the_turn_is_heard() -> None:
    inner = np.zeros((2, 384), np.float32)
    inner[1, 0] = 9
    model = replace(PAIR, inner=inner, usual=np.zeros(384, np.float32)).of(["late", "refund"], 3)
    nothing = np.zeros(3, np.float32), np.zeros(2, np.float32), np.zeros(2, np.float32)
    memory = np.zeros((5, 4608), np.float16)
    memory[:, INNER.start] = 1
    assert model.probabilities(*nothing, memory)[1] > 0.99
    assert model.probabilities(*nothing)[1] == model.probabilities(*nothing, memory[:, :8])[1] == 0.5


def test_the_words_of_the_turn_are_heard() -> None:
    words = np.zeros((2, BUCKETS), np.float32)
    words[1, buckets("退款", BUCKETS)] = 9
    model = replace(PAIR, words=words, rarity=np.ones(BUCKETS, np.float32)).of(["late", "refund"], 3)
    nothing = np.zeros(3, np.float32), np.zeros(2, np.float32), np.zeros(2, np.float32)
    assert model.probabilities(*nothing, worded=model.worded("退款呢"))[1] > 0.99
    assert model.probabilities(*nothing, worded=model.worded("退款呢"))[1] == pytest.approx(
        model.probabilities(*nothing, worded=model.worded("退款呢？！"))[1]
    )
    assert model.probabilities(*nothing, worded=model.worded("。。。"))[1] == 0.5
    added = replace(PAIR, words=words, rarity=np.ones(BUCKETS, np.float32)).of(["gift_wrap", "refund"], 3)
    assert added.worded("退款")[0] == 0, "a situation that was not learned has no words"


def test_without_a_file_the_nearest_example_decides() -> None:
    assert read(SituationModel(), ["late", "refund"], [1, 0, 0], [0.2, 0.6], [0, 0]) == "refund"


@given(st.lists(st.tuples(shares, st.floats(0, 1, width=32)), min_size=1, max_size=60))
def test_probabilities_are_probabilities(rows: list[tuple[float, float]]) -> None:
    ids = [*SHIPPED.ids, *(f"new_{n}" for n in range(60))][: len(rows)]
    assert SHIPPED.weights is not None
    query = SHIPPED.weights[0] / np.linalg.norm(SHIPPED.weights[0])
    cosines, found = (np.array(column, np.float32) for column in zip(*rows, strict=True))
    result = SHIPPED.of(ids, len(query)).probabilities(query, cosines, found)
    assert result.shape == (len(rows),)
    assert np.all(result >= 0)
    assert result.sum() <= 1 + 1e-5
    assert len(rows) < len(SHIPPED.ids) or result.sum() == pytest.approx(1, abs=1e-5)


def test_the_shipped_file_is_small_and_read_beside_the_relevance() -> None:
    assert (ROOT / "models" / FILE_NAME).stat().st_size < 400_000
    assert Relevance.load(ROOT / "models/relevance.json").situations.ids == SHIPPED.ids


def test_weights_for_another_encoder_are_refused() -> None:
    with pytest.raises(ModelError, match="numbers"):
        PAIR.of(["late"], 4)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all"])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(ModelError, match=FILE_NAME):
        SituationModel.load(path)


def test_a_file_that_lacks_a_part_or_differs_in_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    np.savez(path, ids=np.array(["late"]), weights=np.zeros((1, 3)))
    with pytest.raises(ModelError):
        SituationModel.load(path)
    whole = {"bias": np.zeros(1), "mix": np.zeros(4), "inner": np.zeros((1, 384)), "usual": np.zeros(384)}
    whole |= {"words": np.zeros((1, BUCKETS), np.int8), "word_steps": np.zeros(1), "rarity": np.zeros(BUCKETS)}
    np.savez(path, ids=np.array(["late"]), weights=np.zeros((2, 3)), **whole)
    with pytest.raises(ModelError, match="shapes"):
        SituationModel.load(path)
    for wrong in ({"usual": np.zeros(3)}, {"rarity": np.zeros(3)}):
        np.savez(path, ids=np.array(["late"]), weights=np.zeros((1, 3)), **(whole | wrong))
        with pytest.raises(ModelError, match="shapes"):
            SituationModel.load(path)
