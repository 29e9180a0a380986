"""The sentence encoder: one forward pass gives the vector for search and the logits for emotion.

Every text goes through the model alone. Its int8 layers take their scale from everything in the pass, so a batch would
make a text's vector depend on its neighbours, and a logged result could not be reproduced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from assist.errors import ModelError
from assist.inference.manifest import Manifest
from assist.inference.runtime import Session

MODEL_FILE = "encoder/model.onnx"
TOKENIZER_FILE = "encoder/tokenizer.json"
# Share of the tokens that a cut query keeps from its beginning; Sun et al. 2019 (arXiv:1905.05583, table 2) found that
# beginning and end together beat either, with one quarter for the beginning.
HEAD_SHARE = 0.25
LONE_SURROGATE = re.compile("[\ud800-\udfff]")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoding:
    """What one pass says about one query.

    `vector` is a unit vector [dimension], `emotion_logits` [labels]. `token_logits` [tokens, labels] are the tokens'
    additive shares of the logits and `offsets` [tokens] their spans in the text as given, in code points; special and
    prefix tokens are left out. `truncated` says that the middle of the text was not read.
    """

    vector: Floats
    emotion_logits: Floats
    token_logits: Floats
    offsets: tuple[tuple[int, int], ...]
    truncated: bool


class Encoder:
    """The encoder in a model folder. Safe to use from several threads."""

    def __init__(self, model_dir: Path) -> None:
        """Load the folder. Raises ModelError if a file is missing, damaged or not the manifest's."""
        self.manifest = Manifest.load(model_dir)
        tokenizer_path = self.manifest.verified(model_dir, TOKENIZER_FILE)
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer_path))
        except Exception as error:  # the tokenizers package raises plain Exception
            raise ModelError(f"cannot read {tokenizer_path}: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._session = Session(model_dir, MODEL_FILE, self.manifest)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self.manifest.dimension

    @property
    def version(self) -> str:
        """Changes when any model file changes."""
        return self.manifest.version

    def encode_query(self, text: str) -> Encoding:
        """Read what a customer or an agent says or asks.

        A text over `max_query_tokens` loses its middle: its first quarter and its end are kept, because a long message
        opens with the matter and closes with the feeling and the demand.
        """
        ids, offsets, truncated = self.query_tokens(text)
        inputs = np.array([ids], np.int64)
        vector, logits, token_logits = self._session.run(
            ("sentence_vector", "emotion_logits", "emotion_token_logits"),
            {"input_ids": inputs, "attention_mask": np.ones_like(inputs)},
        )
        spans = [_within(text, begin, end, len(self.manifest.query_prefix)) for begin, end in offsets]
        kept = [index for index, (begin, end) in enumerate(spans) if begin < end]
        return Encoding(vector[0], logits[0], token_logits[0][kept], tuple(spans[index] for index in kept), truncated)

    def query_tokens(self, text: str) -> tuple[list[int], list[tuple[int, int]], bool]:
        """Token ids of a query, their offsets in prefix and text, and whether its middle was left out."""
        encoded = self._tokenizer.encode(self.manifest.query_prefix + LONE_SURROGATE.sub("\ufffd", text))
        ids, offsets = encoded.ids, encoded.offsets
        limit = self.manifest.max_query_tokens
        if len(ids) <= limit:
            return ids, offsets, False
        head = int(limit * HEAD_SHARE)
        return ids[:head] + ids[head - limit :], offsets[:head] + offsets[head - limit :], True

    def encode_passages(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Floats:
        """Unit vectors [n, dimension] of texts to be found. `progress` is called with the number done after each.

        A text over `max_passage_tokens` is cut at its end.
        """
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for index, text in enumerate(texts):
            prefixed = self.manifest.passage_prefix + LONE_SURROGATE.sub("\ufffd", text)
            ids = self._tokenizer.encode(prefixed).ids
            limit = self.manifest.max_passage_tokens
            inputs = np.array([ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]], np.int64)
            feed = {"input_ids": inputs, "attention_mask": np.ones_like(inputs)}
            vectors[index] = self._session.run(("sentence_vector",), feed)[0][0]
            if progress:
                progress(index + 1)
        return vectors


def _within(text: str, begin: int, end: int, prefix_length: int) -> tuple[int, int]:
    """A token's span in prefix and text as a span in the text, without the blank before it; empty for other tokens."""
    begin, end = max(begin - prefix_length, 0), max(end - prefix_length, 0)
    while begin < end and text[begin].isspace():
        begin += 1
    return begin, end
