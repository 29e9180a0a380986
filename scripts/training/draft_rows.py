"""A draft to learn from."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class DraftRow:
    """A draft with its conversation, the cited article, its faults and who wrote it."""

    id: str
    text: str
    context: list[tuple[str, str]]
    article: str | None
    codes: frozenset[str]
    writer: str
    weight: float = 1.0
    marked: tuple[tuple[str, int, int], ...] = ()
    """The stretches of the draft that its writer marked: code, start, end."""
    ids: list[int] = field(default_factory=list)
    states: Any = None
    """What the lower half makes of the draft, fp16 [tokens, 2 * hidden]: the layer that the head reads and the last."""
    memory: np.ndarray | None = None
    kinds: np.ndarray | None = None
    """What the encoder keeps of the turns before and of the article [earlier tokens, units], and their kinds."""
