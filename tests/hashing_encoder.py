"""A small deterministic stand-in for the encoder: texts that share characters or words have similar vectors."""

import hashlib
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np


class HashingEncoder:
    """Feature hashing of Han characters and Latin words into `dimension` signed buckets; counts what it embeds."""

    def __init__(self, dimension: int = 64, version: str = "hashing-1") -> None:
        self.dimension, self.version = dimension, version
        self.query_means = np.zeros((5, dimension), np.float32)
        self.embedded = 0

    def encode_query(self, text: str, context: Sequence[object] = ()) -> SimpleNamespace:  # noqa: ARG002
        return SimpleNamespace(vector=self._vector(text), memory=None)

    def encode_passages(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._vector(text)
            if progress:
                progress(row + 1)
        return vectors

    def _vector(self, text: str) -> np.ndarray:
        self.embedded += 1
        vector = np.full(self.dimension, 0.01, np.float32)
        for token in "".join(c if c.isascii() else f" {c} " for c in text.lower()).split():
            digest = hashlib.blake2s(token.encode("utf-8", "replace")).digest()
            vector[digest[0] % self.dimension] += 1 if digest[1] % 2 else -1
        return vector / np.linalg.norm(vector)
