"""The sentence encoder: one forward pass gives the vector for search and what is felt.

The turns before are not read again: each pass also gives the memory of its turn, and the next ones look back at it.

Every text goes through the model alone. Its int8 layers take their scale from everything in the pass, so a batch would
make a text's vector depend on its neighbours, and a logged result could not be reproduced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from assist.domain import Speaker
from assist.errors import ModelError
from assist.inference.manifest import Manifest
from assist.inference.runtime import Session

MODEL_FILE = "encoder/model.onnx"
TOKENIZER_FILE = "encoder/tokenizer.json"
QUERY_MEANS_FILE = "encoder/query_means.npy"
# Share of the tokens that a cut query keeps from its beginning; Sun et al. 2019 (arXiv:1905.05583, table 2) found that
# beginning and end together beat either, with one quarter for the beginning.
HEAD_SHARE = 0.25
OUTPUTS = ("sentence_vector", "turn_memory", "emotion_logits", "flag_logits", "intensity_logit", "emotion_token_logits")
LONE_SURROGATE = re.compile("[\ud800-\udfff]")

CONTEXT_TURNS, CONTEXT_TOKENS = 3, 32
"""How many turns before the utterance are looked at, and how many tokens of each."""
CONTEXT_SPEAKERS = ("customer", "agent")
"""Whose turns count as context; bots and notices are left out."""
CONTEXT_KINDS = ("last", "before last", "earlier", *CONTEXT_SPEAKERS)
"""What the model is told of a token of an earlier turn: how long ago it was said, and by whom."""

Floats = NDArray[np.float32]
Memory = NDArray[np.float16]
Context = Sequence[tuple[Speaker, Memory]]
"""The turns before an utterance, oldest first: who spoke, and the `memory` of their encoding."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """What one pass says about one query.

    `vector` is a unit vector [dimension], `memory` [tokens, units] the turn's keys and values, which later turns look
    back at; `emotion_logits` [labels], `flag_logits` [flags] and `intensity_logit` are what is felt. `token_logits`
    [tokens, labels] are the tokens' additive shares of the emotion logits; `offsets` [tokens] are their spans in the
    text as given, in code points; special and prefix tokens are left out. `truncated` says that the middle of the text
    was not read, `has_context` that there were turns before.
    """

    vector: Floats
    memory: Memory
    emotion_logits: Floats
    flag_logits: Floats
    intensity_logit: float
    token_logits: Floats
    offsets: tuple[tuple[int, int], ...]
    truncated: bool
    has_context: bool


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
        self._memory_units = self._session.input_size("context")
        self.query_means: Floats = np.load(self.manifest.verified(model_dir, QUERY_MEANS_FILE))
        """Mean vectors [languages, dimension] of customers' questions, in the order of `Language`: what all texts of a
        language have in common, which says nothing about one of them."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self.manifest.dimension

    @property
    def version(self) -> str:
        """Changes when vectors may."""
        return self.manifest.encoder_version

    def encode_query(self, text: str, context: Context = (), begin: Callable[[], object] = lambda: None) -> Encoding:
        """Read what a customer or an agent says or asks, in the light of the turns before; the last three count.

        `begin` is called when the pass begins: from then on most of the time is spent without the interpreter.

        A text over `max_query_tokens` loses its middle: its first quarter and its end are kept, because a long message
        opens with the matter and closes with the feeling and the demand.
        """
        ids, offsets, truncated = self.query_tokens(text)
        feed = self.feed(ids, context)
        begin()
        vector, memory, emotions, flags, intensity, token_logits = self._session.run(OUTPUTS, feed)
        spans = [_within(text, begin, end, len(self.manifest.query_prefix)) for begin, end in offsets]
        kept = [index for index, (begin, end) in enumerate(spans) if begin < end]
        return Encoding(
            vector=vector[0],
            memory=_kept(memory[0]),
            emotion_logits=emotions[0],
            flag_logits=flags[0],
            intensity_logit=float(intensity[0, 0]),
            token_logits=token_logits[0][kept],
            offsets=tuple(spans[index] for index in kept),
            truncated=truncated,
            has_context=any(speaker in CONTEXT_SPEAKERS for speaker, _ in context),
        )

    def memory_of(self, text: str, limit: int) -> Memory:
        """What is kept [tokens, units] of a text that nothing came before, cut at its end after `limit` tokens."""
        ids, _, _ = self.query_tokens(text)
        memory: Memory = self._session.run(("turn_memory",), self.feed(ids[:limit], ()))[0][0]
        return memory

    def query_tokens(self, text: str, limit: int | None = None) -> tuple[list[int], list[tuple[int, int]], bool]:
        """Token ids of a query, their offsets in prefix and text, and whether its middle was left out.

        `limit` is `max_query_tokens` unless given.
        """
        encoded = self._tokenizer.encode(self.manifest.query_prefix + LONE_SURROGATE.sub("\ufffd", text))
        ids, offsets = encoded.ids, encoded.offsets
        limit = limit or self.manifest.max_query_tokens
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
            feed = self.feed(ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]], ())
            vectors[index] = self._session.run(("sentence_vector",), feed)[0][0]
            if progress:
                progress(index + 1)
        return vectors

    def feed(self, ids: list[int], context: Context) -> dict[str, NDArray[Any]]:
        """The model's inputs for a text's tokens, said after the turns of `context`."""
        inputs = np.array([ids], np.int64)
        memories, kinds = [np.zeros((0, self._memory_units), np.float16)], [_kinds(0)]
        said = [(speaker, memory) for speaker, memory in reversed(context) if speaker in CONTEXT_SPEAKERS][
            :CONTEXT_TURNS
        ]
        for age, (speaker, memory) in zip(CONTEXT_KINDS, said, strict=False):
            memories.append(memory)
            kinds.append(_kinds(len(memory), age, speaker))
        return {
            "input_ids": inputs,
            "attention_mask": np.ones_like(inputs),
            "context": np.concatenate(memories)[None],
            "context_kinds": np.concatenate(kinds)[None],
        }


def no_context(units: int) -> dict[str, NDArray[Any]]:
    """The model's inputs for an utterance that nothing came before."""
    return {"context": np.zeros((1, 0, units), np.float16), "context_kinds": _kinds(0)[None]}


def _kept(memory: Memory) -> Memory:
    """Of a long turn the beginning and the end, as of a long text."""
    if len(memory) <= CONTEXT_TOKENS:
        return memory
    head = int(CONTEXT_TOKENS * HEAD_SHARE)
    return np.concatenate([memory[:head], memory[head - CONTEXT_TOKENS :]])


def _kinds(tokens: int, *names: str) -> Floats:
    kinds = np.zeros((tokens, len(CONTEXT_KINDS)), np.float32)
    kinds[:, [CONTEXT_KINDS.index(name) for name in names]] = 1
    return kinds


def _within(text: str, begin: int, end: int, prefix_length: int) -> tuple[int, int]:
    """A token's span in prefix and text as a span in the text, without the blank before it; empty for other tokens."""
    begin, end = max(begin - prefix_length, 0), max(end - prefix_length, 0)
    while begin < end and text[begin].isspace():
        begin += 1
    return begin, end
