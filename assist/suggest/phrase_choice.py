"""How likely a calming phrase is right in a moment, learned from readers' marks.

What is known of the moment and what is known of the phrase meet in a bilinear form of low rank (matrix factorisation
with facts of both sides: Rendle 2010, "Factorization machines"), beside the score that the rules give. Phrases are
known by their vector and their labels, not by their id: one that nobody has judged is chosen like its neighbours.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, get_args

import numpy as np
from numpy.typing import NDArray

from assist.domain import EmotionLabel, Phrase, Stage
from assist.errors import ModelError
from assist.inference.manifest import Manifest
from assist.suggest.stages import apology_in

if TYPE_CHECKING:
    from assist.suggest.moment import Moment

FILE_NAME: Final = "phrases.npz"
LABELS: Final[tuple[str, ...]] = get_args(EmotionLabel)
STAGES: Final[tuple[str, ...]] = get_args(Stage)
MOST_TURNS, MOST_CHARACTERS, MOST_HURT, HEAVIEST, USUAL_LENGTH = 9, 120, 4, 3, 50
"""What counts and lengths are divided by; more turns, characters and negative turns than these are not told apart."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PhraseChoice:
    """What `scripts/train_phrases` has fitted.

    A phrase's logit is (moment · moments + moment_bias) · (phrase · phrases + phrase_bias) + phrase · worth +
    rules · score + bias, with the facts of `moment_facts` and `phrase_facts`: `moments` and `phrases` [facts, rank],
    their biases [rank], `worth` [facts]. `situations` are the ids that the facts speak of, `encoder` is the version
    whose vectors they are.
    """

    encoder: str
    situations: tuple[str, ...]
    moments: Floats
    moment_bias: Floats
    phrases: Floats
    phrase_bias: Floats
    worth: Floats
    rules: float
    bias: float

    @classmethod
    def shipped(cls, model_dir: Path, encoder: str) -> "PhraseChoice | None":
        """That of a model folder; None where its manifest lists none: then the rules choose alone.

        `encoder` is the encoder's version. Raises ModelError if the file is not the manifest's, not complete or for
        another encoder.
        """
        manifest = Manifest.load(model_dir)
        if not manifest.lists(FILE_NAME):
            return None
        choice = cls.load(manifest.verified(model_dir, FILE_NAME))
        if choice.encoder != encoder:
            raise ModelError(f"{model_dir / FILE_NAME} was fitted with another encoder: run scripts/train_phrases")
        return choice

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of `save`. Raises ModelError if it is not complete."""
        try:
            with np.load(path, allow_pickle=False) as file:
                encoder, situations = str(file["encoder"]), tuple(str(name) for name in file["situations"])
                moments, moment_bias, phrases, phrase_bias, worth = (
                    file[name].astype(np.float32)
                    for name in ("moments", "moment_bias", "phrases", "phrase_bias", "worth")
                )
                rules, bias = float(file["rules"]), float(file["bias"])
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} is not valid: {error}") from error
        rank, count = moment_bias.shape, len(situations)
        dimension = len(worth) - size_of_phrase(count) if worth.ndim == 1 else 0
        complete = len(rank) == 1 and phrase_bias.shape == rank and dimension > 0
        complete = complete and moments.shape == (size_of_moment(count) + dimension, *rank)
        if not complete or phrases.shape != (len(worth), *rank):
            raise ModelError(f"{path} is not valid: the shapes differ")
        return cls(encoder, situations, moments, moment_bias, phrases, phrase_bias, worth, rules, bias)

    def save(self, path: Path) -> None:
        """Write it with the precision of 16 bits."""
        arrays = {name: getattr(self, name).astype(np.float16) for name in ("moments", "phrases", "worth")}
        np.savez_compressed(
            path,
            **arrays,
            encoder=np.array(self.encoder),
            situations=np.array(self.situations),
            moment_bias=self.moment_bias.astype(np.float32),
            phrase_bias=self.phrase_bias.astype(np.float32),
            rules=np.float64(self.rules),
            bias=np.float64(self.bias),
        )

    def sides(self, phrases: Sequence[Phrase], vectors: Floats) -> tuple[Floats, Floats]:
        """What the moment is to be multiplied with and what is added, for each phrase: [n, rank] and [n].

        `vectors` [n, dimension] are theirs in the index.
        """
        facts = phrase_facts(phrases, vectors, self.situations)
        return facts @ self.phrases + self.phrase_bias, facts @ self.worth + np.float32(self.bias)

    def logits(self, moment: "Moment", feeling: str, scores: Floats, sides: tuple[Floats, Floats]) -> Floats:
        """How likely each phrase is right [n], from the rules' `scores` [n] and the phrases' `sides`."""
        wanted = moment_facts(moment, feeling, self.situations) @ self.moments + self.moment_bias
        found: Floats = (np.float32(self.rules) * scores + sides[0] @ wanted + sides[1]).astype(np.float32)
        return found


def moment_facts(moment: "Moment", feeling: str, situations: Sequence[str]) -> Floats:
    """What is known of a moment, about 0 to 1 each, and the vector of what was said: [facts]."""
    emotion, said = moment.emotion, moment.utterance.text.rstrip()
    facts = [
        *(emotion.probabilities.get(label, 0.0) for label in LABELS),
        *(feeling == label for label in LABELS),
        *(stage in moment.stages_said for stage in STAGES),
        *(moment.situations.get(name, 0.0) for name in situations),
        emotion.intensity,
        moment.has_agent_answered,
        min(moment.utterance.seq, MOST_TURNS) / MOST_TURNS,
        min(len(said), MOST_CHARACTERS) / MOST_CHARACTERS,
        min(moment.negative_streak, MOST_HURT) / MOST_HURT,
        said.endswith(("?", "？")),
        moment.language == "en",
        moment.channel == "voice",
        moment.channel == "email",
    ]
    return np.concatenate([np.array(facts, np.float32), moment.vector])


def phrase_facts(phrases: Sequence[Phrase], vectors: Floats, situations: Sequence[str]) -> Floats:
    """What is known of phrases, and their vectors: [n, facts]."""
    facts = [
        [
            *(stage == phrase.stage for stage in STAGES),
            *(name in phrase.situations for name in situations),
            *(label in phrase.emotions for label in LABELS),
            apology_in(phrase.text) / HEAVIEST,
            len(phrase.text) / USUAL_LENGTH,
            len(phrase.slots),
        ]
        for phrase in phrases
    ]
    return np.concatenate([np.array(facts, np.float32).reshape(len(phrases), -1), vectors], axis=1)


def size_of_moment(situations: int) -> int:
    """How many `moment_facts` stand before the vector."""
    return 2 * len(LABELS) + len(STAGES) + situations + 9


def size_of_phrase(situations: int) -> int:
    """How many `phrase_facts` stand before the vector."""
    return len(STAGES) + situations + len(LABELS) + 3
