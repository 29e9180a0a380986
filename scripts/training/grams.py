"""Buckets of groups of characters and words as features of a linear layer."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from assist.text.grams import buckets


def rarity_of(texts: Sequence[str], count: int) -> np.ndarray:
    """Inverse document frequency of each of `count` buckets, as it ships: with the precision of 16 bits."""
    found_in = np.bincount([bucket for text in texts for bucket in buckets(text, count)], minlength=count)
    return (np.log((1 + len(texts)) / (1 + found_in)) + 1).astype(np.float16).astype(np.float32)


def grams_of(texts: Sequence[str], rarity: np.ndarray) -> csr_matrix:
    """Buckets [texts, buckets] by rarity, made unit length."""
    at, columns, values = [], [], []
    for number, text in enumerate(texts):
        filled = buckets(text, len(rarity))
        at += [number] * len(filled)
        columns += filled
        values += (rarity[filled] / (np.linalg.norm(rarity[filled]) or 1.0)).tolist()
    return csr_matrix((values, (at, columns)), shape=(len(texts), len(rarity)))


def in_8_bits(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights [layers, buckets] as int8, and the step of each layer."""
    steps = np.abs(weights).max(1) / 127
    return np.round(weights / steps[:, None]).astype(np.int8), steps.astype(np.float32)
