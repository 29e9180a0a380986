"""Turns what a search has found into probabilities: which candidate is the answer, and whether any is."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from assist.errors import ModelError
from assist.inference.manifest import Manifest
from assist.knowledge.situations import FILE_NAME, SituationModel

Floats = NDArray[np.float32]
Probabilities = NDArray[np.float64]
Ints = NDArray[np.int64]

FEATURES: Final = ("cosine", "second", "abroad", "bm25", "lead", "own_language")
"""What speaks for a candidate.

cosine, second: its best two entries · abroad: best entry of its other language versions · bm25: its score as a share of
the query's score against itself · lead: how far its situation is behind the nearest of all · own_language: whether it
is written in the customer's script.
"""
NOTHING_FEATURES: Final = ("intercept", "rivals", "brief", "small_talk")
"""What speaks for there being no answer.

rivals: mean cosine of the ten candidates after the first · brief: 1 / (1 + content words) · small_talk: how far small
talk is ahead of every other situation, else 0.
"""
RIVALS: Final = 10
RELEVANCE_FILE: Final = "relevance.json"


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a search found, before it is judged.

    `owners` [m] are numbers of articles or cases, `entries` [m] their best entries; `cosines` and `bm25_scores` are
    [m], `features` [m, len(FEATURES)], `query_features` [len(NOTHING_FEATURES)].
    """

    owners: Ints
    entries: Ints
    cosines: Floats
    bm25_scores: Floats
    features: NDArray[np.float64]
    query_features: NDArray[np.float64]


NO_CANDIDATES: Final = Candidates(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.float32),
    np.empty(0, np.float32),
    np.empty((0, len(FEATURES))),
    np.array([1.0, 0.0, 0.0, 0.0]),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A conditional logit with an outside option (McFadden 1974, "Conditional logit analysis of qualitative choice").

    Candidate i weighs exp(candidate · features_i), no answer exp(nothing · query features); a probability is a share of
    the sum. So a candidate is unlikely where others are as good, and all are where nothing fits.
    """

    candidate: Mapping[str, float]
    nothing: Mapping[str, float]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From the JSON form. Raises ValueError if a feature is missing or unknown."""
        candidate, nothing = ({k: float(v) for k, v in values[name].items()} for name in ("candidate", "nothing"))
        if set(candidate) != set(FEATURES) or set(nothing) != set(NOTHING_FEATURES):
            raise ValueError("the features differ")
        return cls(candidate, nothing)

    def one_of(self, found: Candidates) -> Probabilities:
        """Probability [m] that a candidate is the one answer; together they are at most 1."""
        scores, nothing = self._scores(found)
        top = max(scores.max(initial=nothing), nothing)
        weights = np.exp(scores - top)
        shares: Probabilities = weights / (weights.sum() + math.exp(nothing - top))
        return shares

    def each(self, found: Candidates) -> Probabilities:
        """Probability [m] that a candidate helps, whether or not others do."""
        scores, nothing = self._scores(found)
        alone: Probabilities = 1 / (1 + np.exp(nothing - scores))
        return alone

    def _scores(self, found: Candidates) -> tuple[Probabilities, float]:
        scores: Probabilities = found.features @ np.array([self.candidate[name] for name in FEATURES])
        return scores, float(found.query_features @ np.array([self.nothing[name] for name in NOTHING_FEATURES]))


_DEFAULT: Final = Choice(
    {"cosine": 7.5, "second": 7.5, "abroad": 2.5, "bm25": 12.3, "lead": 8.0, "own_language": -1.2},
    {"intercept": 3.7, "rivals": 15.7, "brief": 3.0, "small_talk": 5.0},
)


@dataclass(frozen=True, slots=True)
class Relevance:
    """The models that turn features into probabilities.

    `scripts/train_relevance` fits and writes them, `scripts/train_situations` the one of the situations.

    The weights in the code stand in where no file is given; they were fitted in the same way.
    """

    article: Choice = _DEFAULT
    case: Choice = _DEFAULT
    situations: SituationModel = field(default_factory=SituationModel)

    @classmethod
    def shipped(cls, model_dir: Path) -> Self:
        """The fitted ones of a model folder; the weights in the code where its manifest lists none.

        Raises ModelError if a file is not the manifest's.
        """
        manifest = Manifest.load(model_dir)
        for name in (RELEVANCE_FILE, FILE_NAME):
            if manifest.lists(name):
                manifest.verified(model_dir, name)
        return cls.load(model_dir / RELEVANCE_FILE) if manifest.lists(RELEVANCE_FILE) else cls()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `relevance.json` and, if it is there, `situations.npz` beside it.

        Raises ModelError if one of them is not complete.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            choices = Choice.of(values["article"]), Choice.of(values["case"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"cannot use {path.name}: {error}") from error
        beside = path.with_name(FILE_NAME)
        return cls(*choices, SituationModel.load(beside) if beside.exists() else SituationModel())
