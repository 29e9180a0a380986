"""BM25 over terms of our own segmenter. The one door to bm25s."""

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import bm25s
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

K1: Final = 1.2
B: Final = 0.75
"""Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", section 3.2: 1.2 < k1 < 2, 0.5 < b < 0.8."""
SPELLED: Final = 5
"""Letters from which an unknown Latin word is taken for a misspelt one; shorter ones have too many neighbours."""
FAR: Final = 9
"""Letters from which two slips are forgiven, and not one."""


class Lexical:
    """An immutable BM25 index. Entries have the numbers 0 to n-1 in the order in which they were given."""

    def __init__(self, size: int, mean_terms: float, bm25: bm25s.BM25 | None) -> None:
        self._size, self._mean_terms, self._bm25 = size, mean_terms, bm25
        if bm25 is not None:  # plain views: cutting a memmap costs more than what is read of it
            bm25.scores |= {name: np.asarray(bm25.scores[name]) for name in ("data", "indices", "indptr")}
        self._by_initial: dict[str, list[str]] = defaultdict(list)
        for word in bm25.vocab_dict if bm25 is not None else ():
            if len(word) >= SPELLED - 1 and word.isascii() and word.isalpha():
                self._by_initial[word[0]].append(word)
        self.spelled = lru_cache(maxsize=4096)(self._spelled)

    @classmethod
    def build(cls, entries: Sequence[Sequence[str]]) -> "Lexical":
        """Index the terms of each entry."""
        total = sum(map(len, entries))
        if not total:
            return cls(len(entries), 0.0, None)
        bm25 = bm25s.BM25(method="lucene", k1=K1, b=B)
        bm25.index(list(entries), create_empty_token=False, show_progress=False)
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

    def _spelled(self, term: str) -> str:
        """The known word that an unknown Latin one is most likely meant to be, else the term itself.

        The first letter must be right, as it nearly always is where people mistype; slips are letters left out, put in,
        exchanged or swapped with their neighbour.
        """
        if len(term) < SPELLED or not (term.isascii() and term.isalpha()) or len(self._postings(term)[0]):
            return term
        slips = 1 if len(term) < FAR else 2
        found = extractOne(term, self._by_initial.get(term[0], ()), scorer=OSA.distance, score_cutoff=slips)
        return str(found[0]) if found else term

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 score of every entry [n]."""
        if self._bm25 is not None and (known := self._bm25.get_tokens_ids(list(terms))):
            scores: Floats = self._bm25.get_scores_from_ids(known)
            return scores
        return np.zeros(self._size, np.float32)

    def best(self, terms: Sequence[str], limit: int, mask: NDArray[np.bool_]) -> tuple[Ints, Floats]:
        """(entries, scores) of at most `limit` entries that score above 0 where `mask` [n] holds, best first."""
        scores = self.scores(terms)
        found = np.flatnonzero((scores > 0) & mask)
        if len(found) > limit:
            found = found[scores[found] >= np.partition(scores[found], -limit)[-limit]]
        found = found[np.argsort(-scores[found], kind="stable")[:limit]]
        return found, scores[found]

    def scores_of(self, terms: Sequence[str], entries: Ints) -> Floats:
        """BM25 scores of given entries [m]."""
        scores = np.zeros(len(entries), np.float32)
        wanted = entries.astype(np.int32)  # as the postings are, which would be copied otherwise
        for term in terms:
            holders, shares = self._postings(term)
            if len(holders):
                places = np.minimum(holders.searchsorted(wanted), len(holders) - 1)
                scores += np.where(holders[places] == wanted, shares[places], np.float32(0))
        return scores

    def holds(self, entry: int, term: str) -> bool:
        """Whether the entry contains the term."""
        holders, _ = self._postings(term)
        place = int(holders.searchsorted(np.int32(entry)))
        return place < len(holders) and int(holders[place]) == entry

    def self_score(self, terms: Sequence[str]) -> float:
        """What an entry that consists of exactly these terms would score; unknown terms count as the rarest."""
        if self._bm25 is None or not terms:
            return 0.0
        norm = K1 * (1 - B + B * len(terms) / self._mean_terms)
        total = 0.0
        for term in set(terms):
            found_in = len(self._postings(term)[0])
            frequency = terms.count(term)
            idf = math.log(1 + (self._size - found_in + 0.5) / (found_in + 0.5))
            total += frequency * idf * frequency / (frequency + norm)
        return total

    def _postings(self, term: str) -> tuple[NDArray[np.int32], Floats]:
        """(entries that hold a term, in order; what it adds to the score of each)."""
        token = self._bm25.vocab_dict.get(term) if self._bm25 is not None else None
        if self._bm25 is None or token is None:
            return np.empty(0, np.int32), np.empty(0, np.float32)
        start, end = self._bm25.scores["indptr"][token : token + 2]
        return self._bm25.scores["indices"][start:end], self._bm25.scores["data"][start:end]
