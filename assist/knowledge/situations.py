"""Recognises the situation a customer is in: what was learned of the known ones, the nearest examples of every one."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from assist.errors import ModelError
from assist.text.grams import buckets

Floats = NDArray[np.float32]

FILE_NAME: Final = "situations.npz"
INNER: Final = slice(384, 768)
"""Of what a turn keeps for later ones to look back at, the numbers whose mean over its tokens tells a situation best
beside the sentence vector; chosen among twelve such parts on writers left out of training."""
_INNER_SIZE: Final = INNER.stop - INNER.start
BUCKETS: Final = 8_192
"""Of the groups of characters and words; 32,768 told no more on writers left out of training."""


def inner_of(memory: NDArray[np.float16]) -> Floats:
    """Mean of `INNER` [384] over the tokens of a turn's memory [tokens, units]."""
    mean: Floats = memory[:, INNER].mean(axis=0, dtype=np.float32)
    return mean


@dataclass(frozen=True, slots=True)
class SituationModel:
    """A multinomial logit over situations; `scripts/train_situations` fits and writes it.

    A situation scores weights · vector + inner · (mean of `INNER` over the tokens) + words · (groups of characters and
    words) + bias + nearest · (cosine of its nearest example) + support · (relevance of its best found article). One
    that the model was not fitted on, because the retailer has added it, has no weights: it scores unknown +
    unknown_nearest · cosine + support · relevance, fitted by leaving situations out. One that was learned but is not
    the retailer's takes its share and is never named. Without a file all of them are unknown.

    `weights` [n, dimension], `inner` [n, 384], `words` [n, BUCKETS] and `bias` [n] belong to `ids`, `rarity` [BUCKETS]
    to the words; `usual` [384] stands in where the turn's memory is not at hand; `mix` holds nearest, support, unknown,
    unknown_nearest.
    """

    ids: tuple[str, ...] = ()
    weights: Floats | None = None
    bias: Floats | None = None
    mix: tuple[float, float, float, float] = (6.0, 6.0, 0.0, 14.0)
    inner: Floats | None = None
    usual: Floats | None = None
    words: Floats | None = None
    rarity: Floats | None = None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `situations.npz`. Raises ModelError if it is missing or not complete."""
        try:
            with np.load(path, allow_pickle=False) as file:
                ids = tuple(str(name) for name in file["ids"])
                weights, bias = file["weights"].astype(np.float32), file["bias"].astype(np.float32)
                nearest, support, unknown, unknown_nearest = (float(value) for value in file["mix"])
                inner, usual = file["inner"].astype(np.float32), file["usual"].astype(np.float32)
                words = file["words"].astype(np.float32) * file["word_steps"].astype(np.float32)[:, None]
                rarity = file["rarity"].astype(np.float32)
            if weights.ndim != 2 or len(weights) != len(ids) or bias.shape != (len(ids),):
                raise ValueError("the shapes differ")
            if inner.shape != (len(ids), _INNER_SIZE) or usual.shape != (_INNER_SIZE,):
                raise ValueError("the shapes differ")
            if words.shape != (len(ids), BUCKETS) or rarity.shape != (BUCKETS,):
                raise ValueError("the shapes differ")
            return cls(ids, weights, bias, (nearest, support, unknown, unknown_nearest), inner, usual, words, rarity)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"cannot use {path.name}: {error}") from error

    def of(self, ids: Sequence[str], dimension: int) -> SituationReader:
        """A reader of the situations `ids` from vectors of this `dimension`.

        Raises ModelError if the weights are for another encoder's vectors.
        """
        weights, bias = np.zeros((len(ids), dimension), np.float32), np.full(len(ids), self.mix[2], np.float32)
        nearest = np.full(len(ids), self.mix[3], np.float32)
        inner, usual = np.zeros((len(ids), _INNER_SIZE), np.float32), np.zeros(_INNER_SIZE, np.float32)
        words, rarity = np.zeros((len(ids), BUCKETS), np.float32), np.zeros(BUCKETS, np.float32)
        if self.weights is None or self.bias is None:
            return SituationReader(weights, bias, nearest, self.mix[1], inner, usual, words.T.copy(), rarity)
        learned_inner = np.zeros((len(self.ids), _INNER_SIZE), np.float32) if self.inner is None else self.inner
        learned_words = np.zeros((len(self.ids), BUCKETS), np.float32) if self.words is None else self.words
        if self.weights.shape[1] != dimension:
            raise ModelError(f"{FILE_NAME} is for vectors of {self.weights.shape[1]} numbers, not {dimension}")
        learned = {name: number for number, name in enumerate(self.ids)}
        for place, name in enumerate(ids):
            if name in learned:
                number = learned.pop(name)
                weights[place], bias[place], nearest[place] = self.weights[number], self.bias[number], self.mix[0]
                inner[place], words[place] = learned_inner[number], learned_words[number]
        others = list(learned.values())
        return SituationReader(
            np.concatenate([weights, self.weights[others]]),
            np.concatenate([bias, self.bias[others]]),
            nearest,
            self.mix[1],
            np.concatenate([inner, learned_inner[others]]),
            usual if self.usual is None else self.usual,
            np.ascontiguousarray(np.concatenate([words, learned_words[others]]).T),
            rarity if self.rarity is None else self.rarity,
        )


@dataclass(frozen=True, slots=True)
class SituationReader:
    """A `SituationModel` laid out for the situations of one index, which stand before those that it does not have.

    `words` lies [BUCKETS, n], so that the few rows of one text are read.
    """

    weights: Floats
    bias: Floats
    nearest: Floats
    support: float
    inner: Floats
    usual: Floats
    words: Floats
    rarity: Floats

    def worded(self, text: str) -> Floats:
        """What the words of a text say for each situation [n], ahead of `probabilities`."""
        filled = buckets(text, BUCKETS)
        values = self.rarity[filled]
        sums: Floats = values @ self.words[filled] / np.float32(np.linalg.norm(values) or 1.0)
        return sums

    def probabilities(
        self,
        query: Floats,
        cosines: Floats,
        relevances: Floats,
        memory: NDArray[np.float16] | None = None,
        worded: Floats | None = None,
    ) -> Floats:
        """Calibrated probabilities [situations]; what is missing to 1 are situations that the index does not have.

        `query` is the centred vector, `cosines` [situations] those of the nearest examples, `relevances` [situations]
        those of the best article found for each, `memory` [tokens, units] what the encoder keeps of the turn, `worded`
        what its words say.
        """
        is_whole = memory is not None and memory.shape[1] >= INNER.stop
        inner = inner_of(memory) if memory is not None and is_whole else self.usual
        return self.of_inner(query, cosines, relevances, inner, worded)

    def of_inner(
        self, query: Floats, cosines: Floats, relevances: Floats, inner: Floats, worded: Floats | None = None
    ) -> Floats:
        """Like `probabilities`, from the mean of `INNER` [384]."""
        scores = self.weights @ query + self.inner @ inner + self.bias
        if worded is not None:
            scores += worded
        scores[: len(cosines)] += self.nearest * cosines + self.support * relevances
        weights = np.exp(scores - scores.max())
        shares: Floats = weights[: len(cosines)] / weights.sum()
        return shares
