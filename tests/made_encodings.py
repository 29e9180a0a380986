"""Encodings for tests that need none of the model: a vector, and readings of 0 unless they are given."""

from typing import Any

import numpy as np

from assist.inference.encoder import Encoding


def encoding(vector: np.ndarray | None = None, **given: Any) -> Encoding:
    """An encoding of an empty text with the given fields."""
    fields = {
        "vector": np.ones(4, np.float32) / 2 if vector is None else vector,
        "memory": np.zeros((1, 8), np.float16),
        "emotion_logits": np.zeros(7, np.float32),
        "flag_logits": np.full(7, -9, np.float32),
        "intensity_logit": 0.0,
        "token_logits": np.zeros((0, 7), np.float32),
        "offsets": (),
        "truncated": False,
        "has_context": False,
    }
    return Encoding(**(fields | given))
