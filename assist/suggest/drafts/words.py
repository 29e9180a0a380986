"""What the words of a draft say of how it sounds, as a whole and clause by clause: the network's second opinion.

It has seen which words go with which fault; the network has seen what they mean together. Either alone hears less.
"""

import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from assist.errors import ModelError
from assist.suggest.drafts.text import Draft
from assist.text.grams import buckets

WORDS_FILE: Final = "drafts/words.npz"
BUCKETS: Final = 16_384

Floats = NDArray[np.float32]


def windows(draft: Draft) -> list[tuple[int, int]]:
    """The spans that are listened to one by one: clauses, two clauses in a row, and sentences."""
    clauses = [(clause.start, clause.end) for clause in draft.clauses]
    pairs = [(one[0], two[1]) for one, two in pairwise(clauses)]
    return sorted({*clauses, *pairs, *((sentence.start, sentence.end) for sentence in draft.sentences)})


@dataclass(frozen=True, slots=True)
class WordLayers:
    """Two linear layers over groups of characters and words.

    `whole` [codes, BUCKETS] hears a draft, `pieces` [codes, BUCKETS] its loudest clause: one unkind clause drowns in a
    long and friendly draft. `biases` [2, codes] belong to them, `rarity` [BUCKETS] to the buckets.
    """

    whole: Floats
    pieces: Floats
    biases: Floats
    rarity: Floats

    @classmethod
    def load(cls, path: Path, codes: int) -> Self:
        """Read what `scripts/train_drafts` wrote. Raises ModelError if it is damaged."""
        try:
            with np.load(path, allow_pickle=False) as file:
                layers = cls(
                    _unpacked(file, "whole"),
                    _unpacked(file, "pieces"),
                    file["biases"].astype(np.float32),
                    file["rarity"].astype(np.float32),
                )
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} is not valid: {error}") from error
        shape = (codes, BUCKETS)
        if (layers.whole.shape, layers.pieces.shape, layers.biases.shape) != (shape, shape, (2, codes)):
            raise ModelError(f"{path} is not valid: the shapes differ")
        return layers

    def hear(self, draft: Draft) -> Floats:
        """Logits [2, codes]: of the whole, and of the loudest piece for each code."""
        spans = windows(draft) or [(0, len(draft.text))]
        pieces = np.stack([self._sums(self.pieces, draft.folded[start:end]) for start, end in spans])
        return np.stack([self._sums(self.whole, draft.folded), pieces.max(0)]) + self.biases

    def _sums(self, weights: Floats, text: str) -> Floats:
        filled = buckets(text, BUCKETS)
        values = self.rarity[filled]
        sums: Floats = weights[:, filled] @ (values / np.float32(np.linalg.norm(values) or 1.0))
        return sums


def _unpacked(file: Any, name: str) -> Floats:
    """Weights that were kept in eight bits, with a step a code."""
    weights: Floats = file[name].astype(np.float32) * file[f"{name}_steps"].astype(np.float32)[:, None]
    return weights
