"""Which flags an utterance carries: the model's probability and the patterns of `flags.toml` decide together.

How to write a pattern, and what the probabilities of the file mean, stands in that file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import opencc
from numpy.typing import NDArray

from assist.domain import EMOTIONS, FLAGS, EmotionLabel, Flag
from assist.errors import ModelError
from assist.text.normalise import normalise

DEFAULT_FLAGS_PATH: Final = Path(__file__).with_name("flags.toml")
_NEEDED: Final = frozenset({"meaning", "model_alone", "with_wording", "zh", "en"})
# A gap stays within a sentence; the same thought takes about three times as many Latin letters as Han characters.
_HAN_GAP: Final = r"[^。!?;\n]{0,12}?"
_LATIN_GAP: Final = r"[^。!?;\n]{0,36}?"
_GAP_MARK: Final = "\ue000"  # stands for … while NFKC, which would make three full stops of it, is applied
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_PART: Final = re.compile(r"(?P<escaped>\\.)|(?P<word>[a-z0-9]+\*?)|(?P<space>\s+)|(?P<mark>.)", re.DOTALL)
_KEY: Final = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_NUMBER: Final = r"(?<![a-z0-9])\d+(?:[.:]\d+)?(?:[ap]m)?"


class FlagRules:
    """The rules of one file, compiled. `emoji` maps an emoji to the label that it stands for when it is alone."""

    def __init__(self, path: Path = DEFAULT_FLAGS_PATH) -> None:
        """Read the file. Raises ModelError that names the flag and the pattern if something in it is not understood."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ModelError(f"{path} is not valid TOML: {error}") from error
        flags = document.get("flags", {})
        if set(flags) != set(FLAGS):
            raise ModelError(
                f"{path}: [flags] must hold exactly {', '.join(FLAGS)}; found {', '.join(flags) or 'none'}"
            )
        self._simplified = opencc.OpenCC("t2s")
        self._wanted: dict[Flag, _Patterns] = {}
        self._excluded: dict[Flag, _Patterns] = {}
        self._bars: dict[Flag, tuple[float, float]] = {}
        for flag in FLAGS:
            entry = flags[flag]
            where = f"{path}: [flags.{flag}]"
            if not isinstance(entry, dict) or not _NEEDED <= set(entry) <= {*_NEEDED, "unless"}:
                raise ModelError(f"{where} needs {', '.join(sorted(_NEEDED))}, and may have unless")
            bars = entry["with_wording"], entry["model_alone"]
            if not all(isinstance(bar, int | float) for bar in bars) or not 0 <= bars[0] <= bars[1] <= 1:
                raise ModelError(f"{where} needs 0 <= with_wording <= model_alone <= 1")
            self._bars[flag] = (float(bars[0]), float(bars[1]))
            self._wanted[flag] = self._compiled(where, [*entry["zh"], *entry["en"]])
            self._excluded[flag] = self._compiled(where, entry.get("unless", []))
        self.emoji = _emoji(path, document.get("emoji", {}))

    def find(self, text: str) -> tuple[Flag, ...]:
        """The flags whose wording is in a text, in the order of `FLAGS`."""
        folded = self._folded(text)
        keys = {match[0][:2] for match in _KEY.finditer(folded)}
        if any(character.isdecimal() for character in folded):
            keys.add("#")
        return tuple(flag for flag in FLAGS if self._is_raised(flag, folded, keys))

    def decide(self, worded: Sequence[Flag], logits: NDArray[np.float32] | None) -> tuple[Flag, ...]:
        """The flags to raise, from those whose wording was found and the model's logits [flags].

        Without logits, where the text holds nothing that a model could read, the wording decides.
        """
        if logits is None:
            return tuple(worded)
        probabilities = 1 / (1 + np.exp(-logits))
        return tuple(
            flag
            for flag, probability in zip(FLAGS, probabilities, strict=True)
            if probability >= self._bars[flag][0] and (flag in worded or 1 > self._bars[flag][1] <= probability)
        )

    def _is_raised(self, flag: Flag, folded: str, keys: set[str]) -> bool:
        matches = list(self._wanted[flag].spans(folded, keys))
        if not matches:
            return False
        excluded = list(self._excluded[flag].spans(folded, keys))
        return any(all(stop <= start or end <= begin for begin, stop in excluded) for start, end in matches)

    def _folded(self, text: str) -> str:
        folded: str = self._simplified.convert(normalise(text).lower())
        return folded

    def _compiled(self, where: str, patterns: list[Any]) -> _Patterns:
        by_key: dict[str, list[re.Pattern[str]]] = {}
        for pattern in patterns:
            if not isinstance(pattern, str):
                raise ModelError(f"{where} has a pattern that is no text: {pattern!r}")
            folded = self._folded(pattern.replace("…", _GAP_MARK))
            try:
                alternatives = _alternatives(_PART.finditer(folded), _HAN_GAP if _HAN.search(folded) else _LATIN_GAP)
                compiled = re.compile(f"{_quick_start(folded, alternatives)}(?:{alternatives.source})")
            except (ValueError, re.error) as error:
                raise ModelError(f'{where} pattern "{pattern}": {error}') from error
            if alternatives.is_optional:
                raise ModelError(f'{where} pattern "{pattern}" would match an empty text')
            for key in alternatives.keys:
                by_key.setdefault(key, []).append(compiled)
        return _Patterns(by_key)


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Patterns by what a match must contain: a Han character or mark, the first two letters of a word, # for a digit.

    Some thousand patterns are looked up, a few dozen are tried.
    """

    by_key: dict[str, list[re.Pattern[str]]]

    def spans(self, folded: str, keys: set[str]) -> Iterator[tuple[int, int]]:
        """Start and end of every match."""
        for pattern in {pattern for key in keys & self.by_key.keys() for pattern in self.by_key[key]}:
            for match in pattern.finditer(folded):
                yield match.span()


@dataclass(slots=True)
class _Alternatives:
    """A regular expression, the keys of which a match contains one, and whether it can match nothing."""

    source: str
    keys: set[str]
    is_optional: bool


def _alternatives(parts: Iterable[re.Match[str]], gap: str, *, is_group: bool = False) -> _Alternatives:
    """Translate the notation of `flags.toml` up to the end or a closing bracket. Raises ValueError if one is astray."""
    iterator = iter(parts)
    whole = _Alternatives("", set(), False)
    source, keys, is_optional = "", set[str](), True
    for match in iterator:
        part = match[0]
        if part in "|)":
            whole = _Alternatives(f"{whole.source}{source}|", whole.keys | keys, whole.is_optional or is_optional)
            source, keys, is_optional = "", set(), True
            if part == ")":
                if not is_group:
                    raise ValueError("a bracket is closed that was not opened")
                return _Alternatives(whole.source.removesuffix("|"), whole.keys, whole.is_optional)
            continue
        if part == "(":
            inner = _alternatives(iterator, gap, is_group=True)
            piece, needs = f"(?:{inner.source})", inner
        else:
            piece = _piece(match, gap)
            needs = _Alternatives(piece, _keys(match), not _keys(match))
        source += piece
        if is_optional:
            keys, is_optional = keys | needs.keys, needs.is_optional
    if is_group:
        raise ValueError("a bracket is not closed")
    return _Alternatives(f"{whole.source}{source}", whole.keys | keys, whole.is_optional or is_optional)


def _quick_start(folded: str, alternatives: _Alternatives) -> str:
    """A look ahead at the first character, which spares trying every alternative at every place: four times as fast."""
    if folded.startswith((_GAP_MARK, " ")):
        return ""
    characters = "".join(sorted({r"\d" if key == "#" else re.escape(key[0]) for key in alternatives.keys}))
    boundary = "(?<![a-z0-9])" if all(key[0].isascii() and key[0].isalnum() for key in alternatives.keys) else ""
    return f"{boundary}(?=[{characters}])" if characters else ""


def _piece(match: re.Match[str], gap: str) -> str:
    part = match[0]
    if match["escaped"]:
        return re.escape(part[1:])
    if match["word"]:
        ending = "[a-z]*" if part.endswith("*") else ""
        return rf"(?<![a-z0-9]){part.rstrip('*')}{ending}(?![a-z0-9])"
    if match["space"]:
        return r"\s+"
    return {_GAP_MARK: gap, "#": _NUMBER, "$": "$"}.get(part, re.escape(part))


def _keys(match: re.Match[str]) -> set[str]:
    """What a match of this part contains for certain; nothing for a gap, white space and the end."""
    part = match[0]
    if match["space"] or part in (_GAP_MARK, "$"):
        return set()
    if match["escaped"]:
        return {part[1:]}
    return {part.rstrip("*")[:2]} if match["word"] else {part}


def _emoji(path: Path, table: dict[str, Any]) -> dict[str, EmotionLabel]:
    if not set(table) <= set(EMOTIONS):
        raise ModelError(f"{path}: [emoji] has a label that is none of {', '.join(EMOTIONS)}")
    found: dict[str, EmotionLabel] = {}
    for label in EMOTIONS:
        for character in table.get(label, ""):
            if found.setdefault(character, label) != label:
                raise ModelError(f"{path}: [emoji] lists {character} under {found[character]} and {label}")
    return found
