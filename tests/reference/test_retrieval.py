"""FAISS and BM25 against slow, obvious versions of themselves."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
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


def clouds(rows: int) -> np.ndarray:
    """Unit vectors that crowd around 40 points, as texts do around their topics."""
    vectors = centres[random.integers(len(centres), size=rows)] + 0.7 * unit(rows)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


centres = unit(40)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory) -> tuple[np.ndarray, np.ndarray, Dense]:
    """Vectors, queries and a large index of the vectors, tuned on the queries, saved and loaded."""
    random.bit_generator.state = np.random.default_rng(7).bit_generator.state  # the same in any order of the tests
    vectors, queries = clouds(6000), clouds(100)
    path = tmp_path_factory.mktemp("dense") / "d.faiss"
    Dense.build(vectors, queries, kind="ivf").save(path)
    return vectors, queries, Dense.load(path)


@pytest.mark.parametrize("share", [1, 0.3, 0.03, 0.002])
def test_a_large_index_finds_the_nearest_of_what_is_visible(crowd, share):
    vectors, queries, dense = crowd
    mask = np.random.default_rng(1).random(len(vectors)) < share
    hits, wanted = 0, 0
    for query in queries:
        entries, cosines = dense.search(query, 10, mask)
        nearest = np.flatnonzero(mask)[np.argsort(-(vectors @ query)[mask])][:10]
        assert mask[entries].all() and len(entries) == len(nearest)
        assert np.allclose(cosines, (vectors @ query)[entries], atol=1e-3)  # kept in 16 bits
        hits, wanted = hits + len({*entries.tolist()} & {*nearest.tolist()}), wanted + len(nearest)
    assert hits / wanted >= 0.98


def test_a_large_index_says_so_and_looks_into_some_cells_only(crowd):
    vectors, query, dense = crowd[0], crowd[1][0], crowd[2]
    assert dense.description["kind"] == "ivf" and len(dense) == len(vectors)
    assert 0 < dense.description["probed"] < dense.description["cells"]
    entries = np.array([5, 4711, 17])
    assert np.allclose(dense.cosines(query, entries), vectors[entries] @ query, atol=1e-3)


def test_the_kind_follows_from_the_size(monkeypatch):
    assert Dense.build(unit(9)).description == {"kind": "exact"}
    monkeypatch.setattr("assist.knowledge.dense.EXACT_LIMIT", 8)
    assert Dense.build(unit(9)).description["kind"] == "ivf"


def test_cells_are_taken_over_while_the_size_is_about_the_same(crowd):
    vectors, queries, dense = crowd
    cells = dense.description["cells"]
    assert Dense.build(vectors[:4000], queries, kind="ivf", earlier=dense).description["cells"] == cells
    assert Dense.build(vectors[:4000], queries, kind="ivf").description["cells"] < cells
    assert Dense.build(vectors[:2000], queries, kind="ivf", earlier=dense).description["cells"] < cells
    exact = Dense.build(vectors[:4000])
    assert Dense.build(vectors, queries, kind="ivf", earlier=exact).description["cells"] == cells


@pytest.mark.parametrize("rows", [1, 3, 60])
def test_a_large_index_may_hold_little_or_the_same_many_times(rows):
    same = np.repeat(unit(1), rows, axis=0)
    entries, cosines = Dense.build(same, np.repeat(same, 60, axis=0), kind="ivf").search(
        same[0], 5, np.ones(rows, np.bool_)
    )
    assert len({*entries.tolist()}) == len(entries) == min(rows, 5) and np.allclose(cosines, 1, atol=1e-3)


def test_building_tells_how_far_it_is():
    seen: list[tuple[int, int]] = []
    Dense.build(unit(50), kind="ivf", progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 50) and seen[-1] == (50, 50)


untimed = settings(deadline=None)
words = st.sampled_from(["退款", "快递", "refund", "card", "到账", "x"])


@untimed
@given(st.lists(st.lists(words, max_size=12), min_size=1, max_size=8), st.lists(words, max_size=5))
def test_bm25_is_the_formula(entries, query):
    lexical = Lexical.build(entries)
    expected = bm25(query, entries) if any(entries) else [0.0] * len(entries)
    assert np.allclose(lexical.scores(query), expected, atol=1e-4)


@untimed
@given(
    st.lists(st.lists(words, max_size=6), min_size=1, max_size=9),
    st.lists(words, max_size=5),
    st.integers(1, 10),
    st.data(),
)
def test_the_best_by_words_are_the_first_of_all_in_order(entries, query, limit, data):
    lexical = Lexical.build(entries)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(entries), max_size=len(entries))))
    scores = lexical.scores(query)
    expected = [n for n in np.argsort(-scores, kind="stable").tolist() if mask[n] and scores[n] > 0][:limit]
    found, found_scores = lexical.best(query, limit, mask)
    assert found.tolist() == expected and np.array_equal(found_scores, scores[expected])
    some = np.array(data.draw(st.lists(st.integers(0, len(entries) - 1))), np.int64)
    assert np.array_equal(lexical.scores_of(query, some), scores[some])
    assert all(lexical.holds(n, term) == (term in entry) for n, entry in enumerate(entries) for term in query)


@untimed
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


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("delivry", "delivery"),  # left out
        ("deliverry", "delivery"),  # put in
        ("delibery", "delivery"),  # exchanged
        ("delievry", "delivery"),  # swapped
        ("guarentte", "guarantee"),  # two slips in a long word
        ("dleivrey", "dleivrey"),  # two in a short one
        ("elivery", "elivery"),  # another first letter
        ("cars", "cars"),  # too short to tell
        ("delivery", "delivery"),
        ("快递员送到了", "快递员送到了"),
        ("ab-12345", "ab-12345"),
    ],
)
def test_a_misspelt_word_is_taken_for_the_known_one(typed, meant):
    lexical = Lexical.build([["delivery", "card"], ["guarantee", "快递", "ab-12346"]])
    assert lexical.spelled(typed) == meant


@pytest.mark.parametrize("entries", [[["退款", "card"], ["card", "card"], []], [[], []], []])
def test_a_saved_bm25_index_scores_the_same(tmp_path, entries):
    built = Lexical.build(entries)
    built.save(tmp_path / "words")
    loaded = Lexical.load(tmp_path / "words")
    for query in (["card"], ["card", "退款", "unknown"], ["unknown"], []):
        assert np.array_equal(loaded.scores(query), built.scores(query))
        assert len(loaded.scores(query)) == len(entries)
        assert loaded.self_score(query) == built.self_score(query)
