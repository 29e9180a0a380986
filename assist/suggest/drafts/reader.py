"""What a network hears in a draft, in the light of the turns before it and of the article that the screen cites.

It is the encoder once more, its upper half and its head fitted on drafts: the turns before are not read again, the
draft looks back at what the encoder has kept of them.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assist.errors import ModelError
from assist.inference.encoder import CONTEXT_KINDS, Context, Encoder, Memory
from assist.inference.runtime import Session
from assist.suggest.drafts.claims import beside_article
from assist.suggest.drafts.text import READ_CHARS, Draft, DraftContext, content, fold, pieces_of
from assist.suggest.drafts.words import WORDS_FILE, WordLayers

MODEL_FILE: Final = "drafts/model.onnx"
BARS_FILE: Final = "drafts/bars.json"
CODES: Final = (
    "blame",
    "cold",
    "dismissive",
    "sarcasm",
    "forbidden_promise",
    "contradicts_article",
    "asks_again",
    "unanswered_question",
)
IN_CONTEXT: Final = frozenset({"contradicts_article", "asks_again", "unanswered_question"})
"""Codes that a draft alone cannot have."""
MIXED: Final = 6
"""What a code's probability is mixed from."""
ARTICLE_KIND: Final = len(CONTEXT_KINDS)
"""Column of the kinds that tells an article's tokens from those of a turn."""
DRAFT_TOKENS, ARTICLE_TOKENS = 128, 72
"""Tokens that are read; a longer draft loses its middle, of an article the part nearest to the draft is taken."""
ARTICLE_WIDTH: Final = 270
"""How long the passage of an article may be, in Latin letters; a Han character counts for `HAN_WIDTH`."""
HAN_WIDTH: Final = 3
KEPT_ARTICLES: Final = 256
CLAIM_FACTS: Final = frozenset(beside_article(Draft.of(""), DraftContext())) | {"bias"}
NEARLY: Final = 0.5
"""A clause beside the loudest belongs to it if it speaks for the code at least by this share."""

Floats = NDArray[np.float32]


class Heard(NamedTuple):
    """How strongly a code is heard and the stretch of the draft that speaks most for it.

    `logits` are those of the network, of the draft's words and of its loudest clause's words.
    """

    logits: tuple[float, float, float]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Bars:
    """Turns what is heard and whether a wording rule fired into a probability, and says from which one is reported.

    `mix` weighs the three logits, the rule, how the draft stands beside the article and one for each code; `bar` is the
    probability, `claims` the weights of `beside_article` and a `bias`. `scripts/train_drafts` fits them all.
    """

    mix: Mapping[str, tuple[float, ...]]
    bar: Mapping[str, float]
    claims: Mapping[str, float]

    def beside(self, facts: Mapping[str, float]) -> float:
        """The logit with which a draft that stands so beside the article contradicts it."""
        return self.claims["bias"] + sum(self.claims[name] * value for name, value in facts.items())

    def over(self, code: str, heard: Heard, *, fired: bool, beside: float = 0.0) -> float:
        """How far the probability of a code is over its bar; below 0 it is not reported."""
        facts = (*heard.logits, float(fired), beside, 1.0)
        score = sum(weight * fact for weight, fact in zip(self.mix[code], facts, strict=True))
        return 1 / (1 + math.exp(-score)) - self.bar[code]


class DraftReader:
    """The draft network of a model folder. Safe to use from several threads."""

    def __init__(self, model_dir: Path, encoder: Encoder) -> None:
        """Load the files. Raises ModelError if one is missing, damaged or for another encoder."""
        self._encoder = encoder
        self._session = Session(model_dir, MODEL_FILE, encoder.manifest)
        path = encoder.manifest.verified(model_dir, BARS_FILE)
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
            mix = {code: tuple(map(float, weights)) for code, weights in about["mix"].items()}
            claims = {name: float(value) for name, value in about["claims"].items()}
            self.bars = Bars(mix, {code: float(value) for code, value in about["bar"].items()}, claims)
            complete = set(self.bars.mix) == set(self.bars.bar) == set(CODES) and set(claims) == CLAIM_FACTS
            complete = complete and all(len(weights) == MIXED for weights in mix.values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} is not valid: {error}") from error
        if not complete:
            raise ModelError(f"{path} is not valid: the codes differ")
        if about.get("encoder") != encoder.version:
            raise ModelError(f"{path} was fitted with another encoder: run scripts/train_drafts")
        self._words = WordLayers.load(encoder.manifest.verified(model_dir, WORDS_FILE), len(CODES))
        self._article = lru_cache(maxsize=KEPT_ARTICLES)(self._read_article)

    def hear(self, text: str, context: Context = (), article: str | None = None) -> dict[str, Heard]:
        """How strongly each of `CODES` is heard in a draft that is to follow the turns of `context`.

        `article` is the passage that the screen cites, see `nearest_passage`. Codes of `IN_CONTEXT` are left out where
        there is nothing that they could be about.
        """
        ids, offsets, _ = self._encoder.query_tokens(text, DRAFT_TOKENS)
        feed = self._encoder.feed(ids, context)
        memory = self._article(article) if article else feed["context"][0, :0]
        kinds = np.zeros((1, feed["context"].shape[1] + len(memory), ARTICLE_KIND + 1), np.float32)
        kinds[:, : feed["context"].shape[1], :ARTICLE_KIND] = feed["context_kinds"]
        kinds[:, feed["context"].shape[1] :, ARTICLE_KIND] = 1
        feed |= {"context": np.concatenate([feed["context"], memory[None]], axis=1), "context_kinds": kinds}
        logits, shares = self._session.run(("fault_logits", "fault_token_logits"), feed)
        prefix = len(self._encoder.manifest.query_prefix)
        starts = np.array([max(begin - prefix, 0) for begin, _ in offsets])
        ends = np.array([max(end - prefix, 0) for _, end in offsets])
        draft = Draft.of(text)
        words = self._words.hear(draft).tolist()
        silent = set() if context else IN_CONTEXT
        if not article:
            silent = silent | {"contradicts_article"}
        return {
            code: Heard(
                (float(logits[0, at]), words[0][at], words[1][at]), *_loudest(draft, starts, ends, shares[0, :, at])
            )
            for at, code in enumerate(CODES)
            if code not in silent
        }

    def _read_article(self, text: str) -> Memory:
        return self._encoder.memory_of(text, ARTICLE_TOKENS)


def _loudest(draft: Draft, starts: NDArray[np.int64], ends: NDArray[np.int64], shares: Floats) -> tuple[int, int]:
    """The clause whose tokens speak most for a code, with the next ones if they do so nearly as much."""
    spans = [(clause.start, clause.end) for clause in draft.clauses]
    if not spans:
        return 0, len(draft.folded)
    told = [float(shares[(starts < end) & (ends > start) & (ends > starts)].sum()) for start, end in spans]
    first = last = int(np.argmax(told))
    enough = NEARLY * told[first]
    while first > 0 and told[first - 1] >= enough:
        first -= 1
    while last + 1 < len(spans) and told[last + 1] >= enough:
        last += 1
    return spans[first][0], spans[last][1]


def nearest_passage(draft: str, articles: Sequence[str]) -> str | None:
    """Of the cited articles the stretch of at most `ARTICLE_WIDTH` that shares most with the draft."""
    about = content(fold(draft[:READ_CHARS]))
    best: tuple[int, str] | None = None
    for article in articles:
        pieces = pieces_of(fold(article))
        for number, piece in enumerate(pieces):
            end, width = piece.end, _width(article[piece.start : piece.end])
            for later in pieces[number + 1 :]:
                width += _width(article[end : later.end])
                if width > ARTICLE_WIDTH:
                    break
                end = later.end
            passage = article[piece.start : end]
            shared = len(about & content(fold(passage)))
            if best is None or shared > best[0]:
                best = shared, passage
    return best[1] if best else None


def _width(text: str) -> int:
    return sum(HAN_WIDTH if character >= "\u2e80" else 1 for character in text)
