"""Turns the encoder's logits into an emotion: probabilities, intensity, flags and the words that spoke for it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from assist.domain import EMOTIONS, Emotion, EmotionLabel, Flag, Language, Span, polarity_of
from assist.errors import ModelError
from assist.inference.encoder import Encoding
from assist.inference.flags import DEFAULT_FLAGS_PATH, FlagRules
from assist.inference.manifest import Manifest

EMOTION_FILE: Final = "emotion/emotion.json"
EMOJI_PROBABILITY: Final = 0.9
"""What a message of emoji alone is taken for; the labelling guideline settles the label, irony the rest."""
TEMPERED_LANGUAGES: Final = ("zh-Hans", "zh-Hant", "en", "mixed")
LEAST_INTENSITY: Final = 0.05
"""A feeling that is named is not absent."""
KEPT_TEXTS: Final = 64
"""Texts whose flags are kept between `prepare` and `read`: those in flight, not a customer's history."""
MAX_SPANS: Final = 3
SPAN_SHARE: Final = 0.6
"""Evidence stops where the words shown carry this share of everything that spoke for the label."""

Floats = NDArray[np.float32]

_URL_OR_CODE: Final = re.compile(
    r"(?:https?://|www\.)[!-~]+|[\w.+-]+@[\w-]+\.[\w.-]+|#?[A-Za-z]{0,4}[-_]?\d[A-Za-z\d]*(?:[-_/.,:][A-Za-z\d]+)*",
    re.ASCII,
)
_ONLY_MARKS: Final = re.compile(r"[\s。.…]*[?？!！]+[?？!！。.…]*\s*")
_LETTER: Final = re.compile(r"[^\W\d_]")
_SYMBOL: Final = re.compile(r"[\u2190-\u2bff\u3030\u303d\U0001f000-\U0001faff]")


@dataclass(frozen=True, slots=True)
class EmotionModel:
    """What `scripts/train_encoder` finds beside the weights in the ONNX file: how far to trust them, per language."""

    temperatures: Mapping[str, float]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `emotion.json`. Raises ModelError if it lacks something."""
        try:
            document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            temperatures = {name: float(document["temperatures"][name]) for name in TEMPERED_LANGUAGES}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{path} is not a valid emotion model: {error}") from error
        if min(temperatures.values()) <= 0:
            raise ModelError(f"{path} is not a valid emotion model: a temperature must be above 0")
        return cls(temperatures)

    def probabilities(self, logits: Floats, language: str) -> Floats:
        """Softmax of logits [7] at the language's temperature (Guo et al. 2017, arXiv:1706.04599)."""
        return softmax(logits / self.temperatures[language])


class EmotionReader:
    """Reads the emotion of a customer's utterance out of its encoding. Safe to use from several threads."""

    def __init__(self, model_dir: Path, flags_path: Path = DEFAULT_FLAGS_PATH) -> None:
        """Load `emotion/emotion.json` and the flag rules. Raises ModelError if either is damaged."""
        manifest = Manifest.load(model_dir)
        self._model = EmotionModel.load(manifest.verified(model_dir, EMOTION_FILE))
        self._flags = FlagRules(flags_path)
        self._find_flags = lru_cache(maxsize=KEPT_TEXTS)(self._flags.find)
        self.version = f"{manifest.version}-{hashlib.sha256(flags_path.read_bytes()).hexdigest()[:6]}"

    def read(self, text: str, language: Language, encoding: Encoding) -> Emotion:
        """The emotion of `text`, in the conversation's language; the turns before are in the encoding already.

        The label is `unknown` with probability 0 where there is nothing to read: another language, or neither letter,
        digit nor emoji; "？？？" says something only after other turns.
        """
        bare = _URL_OR_CODE.sub(" ", text)
        has_words = bool(_LETTER.search(bare)) or (encoding.has_context and _ONLY_MARKS.fullmatch(text) is not None)
        readable = has_words and language != "other"
        flags = self._flags.decide(self._find_flags(text), encoding.flag_logits if readable else None)
        if not has_words:
            return self._without_words(text, bare, encoding, flags)
        if language == "other":
            return _unknown(flags)
        probabilities = self._model.probabilities(encoding.emotion_logits, language)
        winner = int(probabilities.argmax())
        label = EMOTIONS[winner]
        if label == "neutral":
            return _emotion(label, probabilities, 0.0, flags, ())
        intensity = max(LEAST_INTENSITY, float(1 / (1 + np.exp(-encoding.intensity_logit))))
        return _emotion(label, probabilities, intensity, flags, evidence(text, encoding, winner))

    def prepare(self, text: str) -> None:
        """Look for flags ahead of `read`, which then finds them ready."""
        self._find_flags(text)

    def _without_words(self, text: str, bare: str, encoding: Encoding, flags: tuple[Flag, ...]) -> Emotion:
        votes = [self._flags.emoji[character] for character in bare if character in self._flags.emoji]
        if votes:
            label = max(reversed(votes), key=votes.count)
            probabilities = np.full(len(EMOTIONS), (1 - EMOJI_PROBABILITY) / (len(EMOTIONS) - 1), np.float32)
            probabilities[EMOTIONS.index(label)] = EMOJI_PROBABILITY
            spans = _emoji_spans(text, {emoji for emoji, meaning in self._flags.emoji.items() if meaning == label})
            intensity = 0.0 if label == "neutral" else min(1.0, 0.5 + 0.15 * (votes.count(label) - 1))
            return _emotion(label, probabilities, intensity, flags, () if label == "neutral" else spans)
        if _SYMBOL.search(bare):
            probabilities = self._model.probabilities(encoding.emotion_logits, "mixed")
            return _emotion(EMOTIONS[int(probabilities.argmax())], probabilities, 0.0, flags, ())
        if any(character.isalnum() for character in text):
            certain = np.zeros(len(EMOTIONS), np.float32)
            certain[EMOTIONS.index("neutral")] = 1
            return _emotion("neutral", certain, 0.0, flags, ())
        return _unknown(flags)


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis."""
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    result: Floats = (exponentials / exponentials.sum(-1, keepdims=True)).astype(np.float32)
    return result


def evidence(text: str, encoding: Encoding, label: int) -> tuple[Span, ...]:
    """At most three spans of whole words that spoke for the label, in the order of the text; weights sum to 1 at most.

    A token speaks for the label by its share of the label's logit above its mean share of all labels: adding the same
    number to all logits changes no probability.
    """
    shares = encoding.token_logits[:, label] - encoding.token_logits.mean(1)
    words = _words(text, encoding.offsets)
    units = [(encoding.offsets[tokens[0]][0], encoding.offsets[tokens[-1]][1]) for tokens in words]
    weights = [float(shares[tokens].sum()) for tokens in words]
    total = sum(weight for weight in weights if weight > 0)
    if total <= 0:
        return ()
    chosen: set[int] = set()
    carried = 0.0
    for index in sorted(range(len(units)), key=lambda index: -weights[index]):
        if weights[index] <= 0 or carried >= SPAN_SHARE * total:
            break
        chosen.add(index)
        carried += weights[index]
    spans = []
    for first, last in _runs(units, chosen | _neighbours(units, weights, chosen, text), text):
        start, end = units[first][0], units[last][1]
        weight = sum(max(0.0, weights[index]) for index in range(first, last + 1)) / total
        spans.append(Span(start, end, text[start:end], round(weight, 3)))
    strongest = sorted(spans, key=lambda span: -span.weight)[:MAX_SPANS]
    return tuple(sorted(strongest, key=lambda span: span.start))


def _words(text: str, offsets: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Token indices by word: the pieces of a Latin word belong together, a Han piece is a word; punctuation is none."""
    words: list[list[int]] = []
    for index, (start, end) in enumerate(offsets):
        if not any(character.isalnum() for character in text[start:end]):
            continue
        before = offsets[words[-1][-1]][1] if words else -1
        if start < before or (start == before and text[start].isascii() and text[start - 1].isascii()):
            words[-1].append(index)
        else:
            words.append([index])
    return words


def _neighbours(units: Sequence[tuple[int, int]], weights: Sequence[float], chosen: set[int], text: str) -> set[int]:
    """Words beside a chosen one that spoke for the label too: 骗 takes 子 along, though it carries little itself."""
    return {
        index
        for chosen_index in chosen
        for index in (chosen_index - 1, chosen_index + 1)
        if 0 <= index < len(units)
        and weights[index] > 0
        and _is_one_phrase(text[units[min(index, chosen_index)][1] : units[max(index, chosen_index)][0]])
    }


def _runs(units: Sequence[tuple[int, int]], chosen: set[int], text: str) -> list[tuple[int, int]]:
    """First and last unit of each stretch of chosen units; one unit in between is bridged, punctuation is not."""
    runs: list[tuple[int, int]] = []
    for index in sorted(chosen):
        if runs and index - runs[-1][1] <= 2 and _is_one_phrase(text[units[runs[-1][1]][1] : units[index][0]]):
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _is_one_phrase(between: str) -> bool:
    return all(character.isalnum() or character in " '’-" for character in between)


def _emoji_spans(text: str, emoji: set[str]) -> tuple[Span, ...]:
    places = [index for index, character in enumerate(text) if character in emoji]
    return tuple(Span(at, at + 1, text[at], round(1 / len(places), 3)) for at in places[:MAX_SPANS])


def _emotion(
    label: EmotionLabel, probabilities: Floats, intensity: float, flags: tuple[Flag, ...], spans: tuple[Span, ...]
) -> Emotion:
    rounded: dict[str, float] = {
        name: round(float(value), 4) for name, value in zip(EMOTIONS, probabilities, strict=True)
    }
    return Emotion(label, rounded[label], rounded, round(intensity, 2), polarity_of(label), flags, spans)


def _unknown(flags: tuple[Flag, ...]) -> Emotion:
    return Emotion("unknown", 0.0, {}, 0.0, polarity_of("unknown"), flags)
