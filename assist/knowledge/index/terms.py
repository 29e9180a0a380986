"""The terms of every record, kept in a version so that the next one cuts only what has changed."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from assist.domain import Article, Case, Product
from assist.knowledge import passages, search
from assist.knowledge.search import words_of
from assist.text import normalise, segment
from assist.text.segment import Segmenter

_CODE: Final = b"".join(Path(str(module.__file__)).read_bytes() for module in (passages, search, segment, normalise))
"""What other code has cut is worth nothing, so the code is part of what the terms are known by."""


class _Known(NamedTuple):
    """What was cut before: numbers of `terms` in the `vocabulary`, where each record's end, the records' numbers."""

    vocabulary: NDArray[np.object_]
    terms: NDArray[np.int32]
    ends: NDArray[np.int64]
    numbers: dict[str, int]

    def get(self, digest: str) -> list[str] | None:
        number = self.numbers.get(digest)
        if number is None:
            return None
        begin = self.ends[number - 1] if number else 0
        words: list[str] = self.vocabulary[self.terms[begin : self.ends[number]]].tolist()
        return words


class Terms:
    """Cuts records into terms, or takes over what was cut before.

    `is_continued` tells that the same code and glossary have made the earlier version.
    """

    def __init__(self, glossary: Sequence[Sequence[str]], known: "_Known | None" = None) -> None:
        self.is_continued = known is not None
        self._segmenter = Segmenter(glossary)
        self._known = known
        self._cut: dict[str, list[str]] = {}

    @classmethod
    def load(cls, glossary: Sequence[Sequence[str]], folder: Path | None) -> Self:
        """With the terms of an earlier version, if the same segmenter made them with the same glossary."""
        try:
            if folder is None:
                return cls(glossary)
            said = json.loads((folder / "terms.json").read_text())
            if said["made_by"] != _maker(glossary):
                return cls(glossary)
            arrays = np.load(folder / "terms.npz")
            vocabulary, terms, ends = np.array(said["vocabulary"], object), arrays["terms"], arrays["ends"]
            numbers = {key.decode(): number for number, key in enumerate(arrays["keys"].tolist())}
            if len(ends) < len(numbers) or terms.max(initial=-1) >= len(vocabulary):
                raise ValueError("the arrays do not belong together")
            return cls(glossary, _Known(vocabulary, terms, ends, numbers))
        except (OSError, ValueError, KeyError, IndexError):
            return cls(glossary)  # costs time only

    def of(self, record: Article | Case | Product, digest: str) -> list[str]:
        """The terms of a record that is known by its digest."""
        if digest not in self._cut:
            known = self._known.get(digest) if self._known else None
            self._cut[digest] = self._segmenter.terms(words_of(record)) if known is None else known
        return self._cut[digest]

    def save(self, folder: Path, glossary: Sequence[Sequence[str]]) -> None:
        """Write what was asked for."""
        numbers: dict[str, int] = {}
        terms = [numbers.setdefault(term, len(numbers)) for words in self._cut.values() for term in words]
        ends: NDArray[np.int64] = np.cumsum([len(words) for words in self._cut.values()], dtype=np.int64)
        keys = np.array([key.encode() for key in self._cut], "S32")
        np.savez(folder / "terms.npz", keys=keys, ends=ends, terms=np.array(terms, np.int32))
        said = {"made_by": _maker(glossary), "vocabulary": list(numbers)}
        (folder / "terms.json").write_text(json.dumps(said, ensure_ascii=False), "utf-8")


def _maker(glossary: Sequence[Sequence[str]]) -> str:
    return hashlib.sha256(_CODE + json.dumps(glossary, default=list).encode("utf-8", "replace")).hexdigest()
