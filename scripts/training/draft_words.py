"""The word layers of the draft check: linear layers over groups of characters and words."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from assist.suggest.drafts.reader import CODES
from assist.suggest.drafts.text import Draft
from assist.suggest.drafts.words import BUCKETS, WordLayers, windows
from assist.text.grams import buckets
from scripts.training.draft_rows import DraftRow

STRENGTH = 10.0
PIECE_WEIGHT = 0.5
"""Of a clause that was cut out by program and not marked by its writer."""
MARKED = 0.6
"""A piece has the fault if so much of it was marked; with less it is left out."""


def fit(rows: Sequence[DraftRow]) -> WordLayers:
    """From drafts with marked faults."""
    texts = [row.text for row in rows]
    rarity = _rarity_of(texts)
    whole = _layer(_grams_of(texts, rarity), [row.codes for row in rows], [row.weight for row in rows])
    pieces = [piece for row in rows for piece in _pieces_of(row)]
    stretches, codes, weights = (list(part) for part in zip(*pieces, strict=True))
    parts = _layer(_grams_of(stretches, rarity), codes, weights)
    return WordLayers(whole[0], parts[0], np.stack([whole[1], parts[1]]), rarity)


def save(path: Path, layers: WordLayers) -> None:
    """Eight bits a bucket, with a step a code."""
    arrays: dict[str, np.ndarray] = {}
    for name, weights in (("whole", layers.whole), ("pieces", layers.pieces)):
        steps = np.abs(weights).max(1) / 127
        arrays[name] = np.round(weights / steps[:, None]).astype(np.int8)
        arrays[f"{name}_steps"] = steps.astype(np.float32)
    biases, rarity = layers.biases.astype(np.float32), layers.rarity.astype(np.float16)
    np.savez_compressed(path, **arrays, biases=biases, rarity=rarity)


def _pieces_of(row: DraftRow) -> Iterator[tuple[str, frozenset[str], float]]:
    """Stretches of a row with their faults and weight."""
    for code, start, end in row.marked:
        yield row.text[start:end], frozenset({code}), row.weight
    if row.codes and not row.marked:
        yield row.text, row.codes, row.weight  # a sentence that is one fault as a whole
        return
    for start, end in windows(Draft.of(row.text)):
        shared = [(code, min(end, last) - max(start, first)) for code, first, last in row.marked]
        touched = {code for code, length in shared if length > 0}
        inside = {code for code, length in shared if length > MARKED * (end - start)}
        if touched == inside:
            yield row.text[start:end], frozenset(inside), PIECE_WEIGHT * row.weight


def _rarity_of(texts: Sequence[str]) -> np.ndarray:
    """Inverse document frequency of each bucket, as it ships."""
    counts = np.bincount([bucket for text in texts for bucket in buckets(text, BUCKETS)], minlength=BUCKETS)
    return (np.log((1 + len(texts)) / (1 + counts)) + 1).astype(np.float16).astype(np.float32)


def _grams_of(texts: Sequence[str], rarity: np.ndarray) -> csr_matrix:
    """Buckets [texts, BUCKETS] by rarity, made unit length."""
    at, columns, values = [], [], []
    for number, text in enumerate(texts):
        filled = buckets(text, BUCKETS)
        at += [number] * len(filled)
        columns += filled
        values += (rarity[filled] / (np.linalg.norm(rarity[filled]) or 1.0)).tolist()
    return csr_matrix((values, (at, columns)), shape=(len(texts), BUCKETS))


def _layer(features: csr_matrix, codes: Sequence[frozenset[str]], sample: Sequence[float]) -> tuple[np.ndarray, ...]:
    """Weights [codes, BUCKETS] and biases [codes]: each code against all that is not it."""
    models = [
        LogisticRegression(C=STRENGTH, class_weight="balanced", solver="liblinear", max_iter=300).fit(
            features, np.array([code in row for row in codes]), sample_weight=np.array(sample)
        )
        for code in CODES
    ]
    return np.vstack([model.coef_[0] for model in models]), np.array([model.intercept_[0] for model in models])
