"""A choice of phrases with weights that were made up."""

import numpy as np

from assist.suggest.phrase_choice import PhraseChoice, size_of_moment, size_of_phrase

SITUATIONS = ("any", "delivery_delay")
RANK = 2


def made_choice(dimension: int, seed: int | None = None, **weights: object) -> PhraseChoice:
    """One for vectors of this length that knows nothing but what is given; with a seed its weights are drawn."""
    random = np.random.default_rng(seed)
    moment, phrase = (size(len(SITUATIONS)) + dimension for size in (size_of_moment, size_of_phrase))
    shapes = {
        "moments": (moment, RANK),
        "moment_bias": (RANK,),
        "phrases": (phrase, RANK),
        "phrase_bias": (RANK,),
        "worth": (phrase,),
    }
    drawn = {
        name: np.zeros(shape) if seed is None else random.normal(size=shape).astype(np.float16)
        for name, shape in shapes.items()
    }
    arrays = {name: values.astype(np.float32) for name, values in drawn.items()}
    known = {"encoder": "hashing", "situations": SITUATIONS, "rules": 0.0, "bias": 0.0, **arrays}
    return PhraseChoice(**(known | weights))  # type: ignore[arg-type]
