"""What a linear model hears in a draft that no list of wordings has, from its words and the encoder's vector."""

import json
import re
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from assist.errors import ModelError
from assist.suggest.drafts.text import Draft, fold

CODES: Final = ("blame", "cold", "dismissive", "sarcasm", "forbidden_promise")
DRAFTS_FILE: Final = "drafts.npz"
BUCKETS: Final = 16_384
LENGTH: Final = 3
"""Features of a draft's length, which come after the buckets; the vector comes last."""
MIXED: Final = 4
"""What a code's probability is mixed from."""
READ_CHARS: Final = 600
"""A draft that long has said how it sounds; beyond it every word would weigh next to nothing."""

_RUN: Final = re.compile(r"[\u3400-\u9fff]+|[a-z']+|\d+|[^\s\w]")
_PIECE: Final = re.compile(r"[a-z']+|\d+|[?!,.]")
_DIGIT: Final = re.compile(r"\d")
_HAN_GROUP, _WORD_GROUP, _LONG_WORD = 4, 3, 5

Floats = NDArray[np.float32]


def grams(text: str) -> set[str]:
    """Han groups of one to four characters, words in rows of one to three, and the beginnings of long words."""
    folded = _DIGIT.sub("0", fold(text[:READ_CHARS]))
    found: set[str] = set()
    for run in _RUN.findall(folded):
        if "\u3400" <= run[0] <= "\u9fff":
            for size in range(1, _HAN_GROUP + 1):
                found.update(run[at : at + size] for at in range(len(run) - size + 1))
        else:
            found.add(f" {run}")
    pieces = _PIECE.findall(folded)
    for size in range(2, _WORD_GROUP + 1):
        found.update(" " + " ".join(pieces[at : at + size]) for at in range(len(pieces) - size + 1))
    for piece in pieces:
        if len(piece) >= _LONG_WORD:
            found.update((f"^{piece[:4]}", f"^{piece[:5]}"))
    return found


def buckets(text: str) -> list[int]:
    """The numbers of the buckets that the text's groups fall into."""
    return sorted({zlib.crc32(gram.encode("utf-8", "surrogatepass")) % BUCKETS for gram in grams(text)})


def lengths(text: str) -> tuple[float, float, float]:
    """How long the draft is, up to 60 characters, and whether it is very short."""
    return min(len(text), 60) / 60, float(len(text) < 8), float(len(text) < 14)


def windows(draft: Draft) -> list[tuple[int, int]]:
    """The spans that are listened to one by one: clauses, two clauses in a row, and sentences."""
    clauses = [(clause.start, clause.end) for clause in draft.clauses]
    pairs = [(one[0], two[1]) for one, two in pairwise(clauses)]
    return sorted({*clauses, *pairs, *((sentence.start, sentence.end) for sentence in draft.sentences)})


class Heard(NamedTuple):
    """How likely a code is, and the stretch of the draft that speaks most for it."""

    probability: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MannerModel:
    """Two linear layers, and what to make of them.

    `weights` [codes, BUCKETS + LENGTH + dimension] and `biases` [codes] hear a draft as a whole, `piece_weights`
    [codes, BUCKETS] and `piece_biases` [codes] each of its clauses and sentences: one unkind clause drowns in a long
    and friendly draft. `mix` [codes, 4] weighs the whole, the loudest piece, whether a wording rule fired, and one.
    `rarity` is that of each bucket, `bars` the probability from which a code is reported.
    """

    weights: Floats
    biases: Floats
    piece_weights: Floats
    piece_biases: Floats
    mix: Floats
    rarity: Floats
    bars: Mapping[str, float]

    @classmethod
    def load(cls, path: Path, *, encoder_version: str) -> Self:
        """Read what `scripts/train_drafts` wrote. Raises ModelError if it is damaged or for another encoder."""
        try:
            with np.load(path) as file:
                about: dict[str, Any] = json.loads(str(file["about"]))
                rest = {name: file[name].astype(np.float32) for name in ("rest", "biases", "piece_biases", "mix")}
                model = cls(
                    np.hstack([_grams(file, "grams"), rest["rest"]]),
                    rest["biases"],
                    _grams(file, "piece_grams"),
                    rest["piece_biases"],
                    rest["mix"],
                    file["rarity"].astype(np.float32),
                    {code: float(about["bars"][code]) for code in CODES},
                )
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} is not a valid draft model: {error}") from error
        shapes = model.weights.shape[0], model.piece_weights.shape, model.mix.shape, model.rarity.shape
        if shapes != (len(CODES), (len(CODES), BUCKETS), (len(CODES), MIXED), (BUCKETS,)):
            raise ModelError(f"{path} is not a valid draft model: wrong shapes")
        if about.get("encoder") != encoder_version:
            raise ModelError(f"{path} was fitted with another encoder: run scripts/train_drafts")
        return model

    def hear(self, draft: Draft, vector: Floats, worded: Collection[str] = ()) -> dict[str, Heard]:
        """How likely each of `CODES` is for the draft with this unit vector, where `worded` rules have fired."""
        facts, spans = self.facts(draft, vector, worded)
        probabilities = 1 / (1 + np.exp(-(self.mix * facts).sum(1)))
        return {code: Heard(float(probabilities[at]), *spans[at]) for at, code in enumerate(CODES)}

    def facts(self, draft: Draft, vector: Floats, worded: Collection[str]) -> tuple[Floats, list[tuple[int, int]]]:
        """What `mix` weighs, [codes, MIXED], and the span of each code's loudest piece."""
        rest = np.concatenate([np.array(lengths(draft.text), np.float32), vector])
        whole = self._sums(self.weights, draft.text) + self.weights[:, BUCKETS:] @ rest + self.biases
        spans = windows(draft) or [(0, len(draft.text))]
        pieces = np.stack([self._sums(self.piece_weights, draft.folded[start:end]) for start, end in spans])
        fired = [float(code in worded) for code in CODES]
        facts = np.stack([whole, pieces.max(0) + self.piece_biases, fired, np.ones(len(CODES))], 1)
        return facts.astype(np.float32), [spans[at] for at in pieces.argmax(0)]

    def _sums(self, weights: Floats, text: str) -> Floats:
        filled = buckets(text)
        values = self.rarity[filled]
        sums: Floats = weights[:, filled] @ (values / (float(np.linalg.norm(values)) or 1.0))
        return sums


def _grams(file: Any, name: str) -> Floats:
    """Weights that were kept in eight bits, with a scale a code."""
    grams: Floats = file[name].astype(np.float32) * file[f"{name}_scales"].astype(np.float32)[:, None]
    return grams
