"""Judged queries: what customers wrote and which article answers it. Read by training and evaluation."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from assist.domain import Language
from assist.errors import KnowledgeError, Problem

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One query with the customer's earlier utterances, oldest first; `article` is None where nothing answers."""

    query: str
    language: Language
    context: tuple[str, ...]
    article: str | None


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
            context = tuple(str(text) for speaker, text in values.get("context") or () if speaker == "customer")
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
