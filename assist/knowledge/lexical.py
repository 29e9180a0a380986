"""BM25 over terms of our own segmenter. The one door to bm25s."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import bm25s
import numpy as np
from numpy.typing import NDArray

K1: Final = 1.2
B: Final = 0.75
"""Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", section 3.2: 1.2 < k1 < 2, 0.5 < b < 0.8."""


class Lexical:
    """An immutable BM25 index. Entries have the numbers 0 to n-1 in the order in which they were given."""

    def __init__(self, size: int, mean_terms: float, bm25: bm25s.BM25 | None) -> None:
        self._size, self._mean_terms, self._bm25 = size, mean_terms, bm25

    @classmethod
    def build(cls, entries: Sequence[Sequence[str]]) -> "Lexical":
        """Index the terms of each entry."""
        total = sum(map(len, entries))
        if not total:
            return cls(len(entries), 0.0, None)
        bm25 = bm25s.BM25(method="lucene", k1=K1, b=B)
        bm25.index([list(entry) for entry in entries], create_empty_token=False, show_progress=False)
        return cls(len(entries), total / len(entries), bm25)

    @classmethod
    def load(cls, folder: Path) -> "Lexical":
        """Map a saved index into memory."""
        size, mean_terms = json.loads((folder / "size.json").read_text())
        bm25 = bm25s.BM25.load(folder, mmap=True, show_progress=False) if mean_terms else None
        return cls(size, mean_terms, bm25)

    def save(self, folder: Path) -> None:
        """Write plain arrays and JSON into the folder."""
        folder.mkdir(parents=True)
        (folder / "size.json").write_text(json.dumps([self._size, self._mean_terms]))
        if self._bm25 is not None:
            self._bm25.save(folder, show_progress=False)

    def scores(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """BM25 score of every entry [n]."""
        if self._bm25 is not None and (known := self._bm25.get_tokens_ids(list(terms))):
            scores: NDArray[np.float32] = self._bm25.get_scores_from_ids(known)
            return scores
        return np.zeros(self._size, np.float32)

    def holds(self, entry: int, term: str) -> bool:
        """Whether the entry contains the term."""
        token = self._bm25.vocab_dict.get(term) if self._bm25 is not None else None
        if self._bm25 is None or token is None:
            return False
        starts = self._bm25.scores["indptr"]
        return bool((self._bm25.scores["indices"][starts[token] : starts[token + 1]] == entry).any())

    def self_score(self, terms: Sequence[str]) -> float:
        """What an entry that consists of exactly these terms would score; unknown terms count as the rarest."""
        if self._bm25 is None or not terms:
            return 0.0
        starts = self._bm25.scores["indptr"]
        norm = K1 * (1 - B + B * len(terms) / self._mean_terms)
        total = 0.0
        for term in set(terms):
            token = self._bm25.vocab_dict.get(term)
            found_in = int(starts[token + 1] - starts[token]) if token is not None else 0
            frequency = terms.count(term)
            idf = math.log(1 + (self._size - found_in + 0.5) / (found_in + 0.5))
            total += frequency * idf * frequency / (frequency + norm)
        return total
