"""What a linear model hears in a draft that no list of wordings has, from its words and the encoder's vector."""

import json
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from assist.errors import ModelError
from assist.suggest.drafts.text import fold

CODES: Final = ("blame", "cold", "dismissive", "sarcasm", "forbidden_promise")
DRAFTS_FILE: Final = "drafts.npz"
BUCKETS: Final = 16_384
LENGTH: Final = 3
"""Features of a draft's length, which come after the buckets; the vector comes last."""
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


@dataclass(frozen=True, slots=True)
class MannerModel:
    """Weights [codes, BUCKETS + LENGTH + dimension], biases [codes], the rarity of each bucket, and two bars a code.

    `with_wording` is the probability from which a draft is meant as a rule read it, `model_alone` the one from which
    no rule is needed.
    """

    weights: Floats
    biases: Floats
    rarity: Floats
    with_wording: Mapping[str, float]
    model_alone: Mapping[str, float]

    @classmethod
    def load(cls, path: Path, *, encoder_version: str) -> Self:
        """Read what `scripts/train_drafts` wrote. Raises ModelError if it is damaged or for another encoder."""
        try:
            with np.load(path) as file:
                about: dict[str, Any] = json.loads(str(file["about"]))
                scales = file["scales"].astype(np.float32)
                weights = file["grams"].astype(np.float32) * scales[:, None]
                model = cls(
                    np.hstack([weights, file["rest"].astype(np.float32)]),
                    file["biases"].astype(np.float32),
                    file["rarity"].astype(np.float32),
                    {code: float(about["with_wording"][code]) for code in CODES},
                    {code: float(about["model_alone"][code]) for code in CODES},
                )
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} is not a valid draft model: {error}") from error
        if model.weights.shape[0] != len(CODES) or model.rarity.shape != (BUCKETS,):
            raise ModelError(f"{path} is not a valid draft model: wrong shapes")
        if about.get("encoder") != encoder_version:
            raise ModelError(f"{path} was fitted with another encoder: run scripts/train_drafts")
        return model

    def probabilities(self, text: str, vector: Floats) -> dict[str, float]:
        """How likely each of `CODES` is for the draft with this unit vector."""
        filled = buckets(text)
        values = self.rarity[filled]
        norm = float(np.linalg.norm(values)) or 1.0
        scores = self.weights[:, filled] @ (values / norm) + self.biases
        scores += self.weights[:, BUCKETS:] @ np.concatenate([np.array(lengths(text), np.float32), vector])
        return dict(zip(CODES, (1 / (1 + np.exp(-scores))).tolist(), strict=True))

    def loudest(self, code: str, clauses: Sequence[str]) -> int:
        """Which of the clauses speaks most for the code."""
        row = self.weights[CODES.index(code)]
        sums = [float((row[filled] * self.rarity[filled]).sum()) for filled in map(buckets, clauses)]
        return int(np.argmax(sums))
