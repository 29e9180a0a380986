"""Judged queries: what customers wrote and which article answers it. Read by training and evaluation."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from assist.domain import Language, Speaker
from assist.errors import KnowledgeError, Problem
from assist.inference.encoder import Context, Encoding, Floats, Memory

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
SPEAKERS: Final[tuple[Speaker, ...]] = get_args(Speaker)


class QueryEncoder(Protocol):
    """What reads a query in the light of the turns before; see `assist.inference.encoder`."""

    def encode_query(self, text: str, context: Context = ()) -> Encoding: ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """One query with the turns before it, oldest first; `article` is None where nothing answers."""

    query: str
    language: Language
    context: tuple[tuple[Speaker, str], ...]
    article: str | None

    def vector(self, encoder: QueryEncoder) -> Floats:
        """The query's vector, the conversation read turn by turn as live."""
        return self.encoding(encoder).vector

    def encoding(self, encoder: QueryEncoder) -> Encoding:
        """What one pass says of the query, the conversation read turn by turn as live."""
        said: list[tuple[Speaker, Memory]] = []
        for speaker, text in self.context:
            said.append((speaker, encoder.encode_query(text, said).memory))
        return encoder.encode_query(self.query, said)


def read_judgements(path: Path) -> list[Judgement]:
    """Read a JSONL file of `{"query", "language", "context": [[speaker, text], …], "article"}`.

    Raises KnowledgeError with file and line.
    """
    found = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"cannot read judged queries from {path.name}: {error}") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
            if values["language"] not in LANGUAGES:
                raise ValueError(f"unknown language {values['language']!r}")
            context = tuple((speaker, str(text)) for speaker, text in values.get("context") or ())
            if not {speaker for speaker, _ in context} <= set(SPEAKERS):
                raise ValueError(f"a speaker is one of {', '.join(SPEAKERS)}")
            found.append(Judgement(str(values["query"]), values["language"], context, values["article"]))
        except (ValueError, KeyError, TypeError) as error:
            problem = Problem(path.name, number, f"not a judged query: {error}")
            raise KnowledgeError(str(problem), [problem]) from error
    return found


def rank_of(article: str, ranked: Sequence[str]) -> int | None:
    """Place of the article among the found ones, the first being 1; None if it was not found."""
    return ranked.index(article) + 1 if article in ranked else None


def recall_at(k: int, ranks: Sequence[int | None]) -> float:
    """Share of queries whose article is among the first k."""
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks) if ranks else float("nan")


def mrr_at(k: int, ranks: Sequence[int | None]) -> float:
    """Mean of 1 / rank, 0 beyond k."""
    return sum(1 / r for r in ranks if r is not None and r <= k) / len(ranks) if ranks else float("nan")


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Probability that a random positive scores higher than a random negative; ties count half."""
    if not positive or not negative:
        return float("nan")
    difference: NDArray[np.float64] = np.subtract.outer(np.array(positive), np.array(negative))
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())
