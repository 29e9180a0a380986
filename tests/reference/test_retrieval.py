"""FAISS and BM25 against slow, obvious versions of themselves."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.knowledge.dense import Dense
from assist.knowledge.lexical import K1, B, Lexical

random = np.random.default_rng(7)


def unit(rows: int, dimension: int = 32) -> np.ndarray:
    vectors = random.normal(size=(rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def bm25(query: list[str], entries: list[list[str]]) -> list[float]:
    """Robertson's formula as it stands in Lucene."""
    mean = sum(map(len, entries)) / len(entries)
    scores = []
    for entry in entries:
        counts = Counter(entry)
        score = 0.0
        for term in query:
            found_in = sum(term in other for other in entries)
            idf = math.log(1 + (len(entries) - found_in + 0.5) / (found_in + 0.5))
            score += idf * counts[term] / (counts[term] + K1 * (1 - B + B * len(entry) / mean))
        scores.append(score)
    return scores


@pytest.mark.parametrize("is_loaded", [False, True])
@pytest.mark.parametrize("limit", [1, 7, 500])
def test_dense_search_is_a_masked_dot_product(tmp_path, limit, is_loaded):
    vectors, query = unit(200), unit(1)[0]
    mask = random.random(200) < 0.4
    dense = Dense.build(vectors)
    if is_loaded:
        dense.save(tmp_path / "d.faiss")
        dense = Dense.load(tmp_path / "d.faiss")
    entries, cosines = dense.search(query, limit, mask)
    expected = np.flatnonzero(mask)[np.argsort(-(vectors @ query)[mask])][:limit]
    assert entries.tolist() == expected.tolist()
    assert np.allclose(cosines, (vectors @ query)[expected], atol=1e-5)
    assert np.allclose(dense.cosines(query, expected), (vectors @ query)[expected], atol=1e-5)
    assert len(dense) == 200


def test_nothing_allowed_finds_nothing():
    entries, cosines = Dense.build(unit(5)).search(unit(1)[0], 3, np.zeros(5, np.bool_))
    assert len(entries) == len(cosines) == 0


words = st.sampled_from(["退款", "快递", "refund", "card", "到账", "x"])


@given(st.lists(st.lists(words, max_size=12), min_size=1, max_size=8), st.lists(words, max_size=5))
def test_bm25_is_the_formula(entries, query):
    lexical = Lexical.build(entries)
    expected = bm25(query, entries) if any(entries) else [0.0] * len(entries)
    assert np.allclose(lexical.scores(query), expected, atol=1e-4)


@given(st.lists(st.lists(words, max_size=12), min_size=1, max_size=8), st.lists(words, min_size=1, max_size=5))
def test_the_self_score_is_that_of_an_entry_with_just_these_terms(entries, query):
    if not any(entries):
        assert Lexical.build(entries).self_score(query) == 0
        return
    mean = sum(map(len, entries)) / len(entries)
    expected = 0.0
    for term in query:
        found_in = sum(term in other for other in entries)
        idf = math.log(1 + (len(entries) - found_in + 0.5) / (found_in + 0.5))
        frequency = query.count(term)
        expected += idf * frequency / (frequency + K1 * (1 - B + B * len(query) / mean))
    assert Lexical.build(entries).self_score(query) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("entries", [[["退款", "card"], ["card", "card"], []], [[], []], []])
def test_a_saved_bm25_index_scores_the_same(tmp_path, entries):
    built = Lexical.build(entries)
    built.save(tmp_path / "words")
    loaded = Lexical.load(tmp_path / "words")
    for query in (["card"], ["card", "退款", "unknown"], ["unknown"], []):
        assert np.array_equal(loaded.scores(query), built.scores(query))
        assert len(loaded.scores(query)) == len(entries)
        assert loaded.self_score(query) == built.self_score(query)
