"""The word layers of the draft check: linear layers over groups of characters and words."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from assist.suggest.drafts.reader import CODES
from assist.suggest.drafts.text import Draft
from assist.suggest.drafts.words import BUCKETS, WordLayers, windows
from scripts.training.draft_rows import DraftRow
from scripts.training.grams import grams_of, in_8_bits, rarity_of

STRENGTH = 10.0
PIECE_WEIGHT = 0.5
"""Of a clause that was cut out by program and not marked by its writer."""
MARKED = 0.6
"""A piece has the fault if so much of it was marked; with less it is left out."""


def fit(rows: Sequence[DraftRow]) -> WordLayers:
    """From drafts with marked faults."""
    texts = [row.text for row in rows]
    rarity = rarity_of(texts, BUCKETS)
    whole = _layer(grams_of(texts, rarity), [row.codes for row in rows], [row.weight for row in rows])
    pieces = [piece for row in rows for piece in _pieces_of(row)]
    stretches, codes, weights = (list(part) for part in zip(*pieces, strict=True))
    parts = _layer(grams_of(stretches, rarity), codes, weights)
    return WordLayers(whole[0], parts[0], np.stack([whole[1], parts[1]]), rarity)


def save(path: Path, layers: WordLayers) -> None:
    """Eight bits a bucket, with a step a code."""
    arrays: dict[str, np.ndarray] = {}
    for name, weights in (("whole", layers.whole), ("pieces", layers.pieces)):
        arrays[name], arrays[f"{name}_steps"] = in_8_bits(weights)
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


def _layer(features: csr_matrix, codes: Sequence[frozenset[str]], sample: Sequence[float]) -> tuple[np.ndarray, ...]:
    """Weights [codes, BUCKETS] and biases [codes]: each code against all that is not it."""
    models = [
        LogisticRegression(C=STRENGTH, class_weight="balanced", solver="liblinear", max_iter=300).fit(
            features, np.array([code in row for row in codes]), sample_weight=np.array(sample)
        )
        for code in CODES
    ]
    return np.vstack([model.coef_[0] for model in models]), np.array([model.intercept_[0] for model in models])
