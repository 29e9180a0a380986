"""Measures a version on the judged queries that live beside the articles, against the version in use.

recall@5 is the share of queries whose article is among the first five; ndcg@10 discounts its place by log2(1 + place)
(Järvelin and Kekäläinen 2002, "Cumulated Gain-Based Evaluation of IR Techniques", section 2.2, one relevant article).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal, NamedTuple

from assist.domain import Hit
from assist.knowledge.index.builder import content_key
from assist.knowledge.index.vectors import Floats, VectorFile
from assist.knowledge.judgements import Judgement, QueryEncoder, rank_of, read_judgements, recall_at
from assist.knowledge.search import Knowledge

GOLDEN: Final = "golden.jsonl"
LISTED: Final = 10
"""Hits that are looked at, the k of ndcg@10."""
Reason = Literal["removed", "withdrawn", "expired", "not_yet_valid", "overtaken", "not_found"]


class Asked(NamedTuple):
    """A query with its vector, read in the light of the turns before."""

    judgement: Judgement
    vector: Floats


@dataclass(frozen=True, slots=True)
class Margins:
    """The largest losses with which a version is still activated."""

    recall_at_5: float
    ndcg_at_10: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Quality on `queries` judged queries that have an article."""

    queries: int
    recall_at_5: float
    ndcg_at_10: float


@dataclass(frozen=True, slots=True)
class Worse:
    """A query whose article comes later than before, or no longer, and why. `by` is the article now before it."""

    query: str
    language: str
    article: str
    rank_before: int
    rank: int | None
    relevance_before: float
    relevance: float | None
    reason: Reason
    by: str | None
    by_relevance: float | None


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict on a version. `figures` is None without judged queries, `baseline` without a version to compare."""

    is_passed: bool
    message: str
    figures: Figures | None = None
    baseline: Figures | None = None
    worse: tuple[Worse, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """A question whose first article is another one now; None where nothing is found."""

    query: str
    language: str
    before: str | None
    after: str | None
    relevance_before: float
    relevance: float


def read_golden(source: Path) -> list[Judgement]:
    """The judged queries of a knowledge folder; none without the file. Raises KnowledgeError with file and line."""
    path = source / GOLDEN
    return read_judgements(path) if path.is_file() else []


def ask(
    judgements: Sequence[Judgement],
    encoder: QueryEncoder,
    encoder_version: str,
    dimension: int,
    path: Path,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Asked]:
    """Embed queries, each in the light of the turns before it. The file at `path` keeps vectors for the next time."""
    asked = []
    with VectorFile(path, dimension) as kept:
        for done, judged in enumerate(judgements):
            progress(done, len(judgements))
            key = content_key(encoder_version, "judged", repr(judged))
            vector = kept.get(key)
            if vector is None:
                vector = judged.vector(encoder)
                kept.add([key], vector[None])
            asked.append(Asked(judged, vector))
        if len(kept) > 4 * max(len(judgements), 250):
            kept.delete()  # mostly vectors of queries that are no longer asked
    return asked


def judge(
    after: Knowledge, before: Knowledge | Figures | None, asked: Sequence[Asked], on: date, margins: Margins
) -> Gate:
    """Measure a version against the one in use on the queries that have an article; there is at least one.

    Of a version that cannot be asked, `before` gives the figures; those of another number of queries say nothing.
    """
    asked = [one for one in asked if one.judgement.article is not None]
    found = [_hits(after, one, on) for one in asked]
    figures = _figures(asked, found)
    found_before = [_hits(before, one, on) for one in asked] if isinstance(before, Knowledge) else None
    baseline = before if isinstance(before, Figures) else _figures(asked, found_before) if found_before else None
    if baseline is None or baseline.queries != figures.queries:
        return Gate(True, "Measured; no version is in use that it could be compared with.", figures)
    lost = {
        "recall@5": (baseline.recall_at_5 - figures.recall_at_5, margins.recall_at_5),
        "ndcg@10": (baseline.ndcg_at_10 - figures.ndcg_at_10, margins.ndcg_at_10),
    }
    over = [f"{loss:.3f} of {name} ({most:g} is allowed)" for name, (loss, most) in lost.items() if loss > most + 1e-9]
    worse = _worse(after, asked, found_before, found, on) if found_before else ()
    said = f"Loses {' and '.join(over)}." if over else "Loses no more than the margins allow."
    return Gate(not over, said, figures, baseline, tuple(worse))


def answer_changes(before: Knowledge, after: Knowledge, asked: Iterable[Asked], on: date) -> list[AnswerChange]:
    """The questions whose first article differs between two versions."""
    changes = []
    for one in asked:
        then, now = (next(iter(_hits(knowledge, one, on)), None) for knowledge in (before, after))
        if (then and then.id) != (now and now.id):
            changes.append(
                AnswerChange(
                    one.judgement.query,
                    one.judgement.language,
                    then.id if then else None,
                    now.id if now else None,
                    round(then.relevance, 3) if then else 0.0,
                    round(now.relevance, 3) if now else 0.0,
                )
            )
    return changes


def _hits(knowledge: Knowledge, one: Asked, on: date) -> list[Hit]:
    """The first articles, as an agent gets them but for the threshold."""
    return knowledge.search(
        one.judgement.query,
        one.vector,
        language=one.judgement.language,
        kinds=("article",),
        limit=LISTED,
        on=on,
    )


def _ranks(asked: Sequence[Asked], found: Sequence[Sequence[Hit]]) -> list[int | None]:
    return [
        rank_of(one.judgement.article or "", [hit.id for hit in hits]) for one, hits in zip(asked, found, strict=True)
    ]


def _gain(rank: int | None) -> float:
    return 1 / math.log2(1 + rank) if rank is not None and rank <= LISTED else 0.0


def _figures(asked: Sequence[Asked], found: Sequence[Sequence[Hit]]) -> Figures:
    ranks = _ranks(asked, found)
    ndcg = sum(map(_gain, ranks)) / len(ranks)
    return Figures(len(ranks), round(recall_at(5, ranks), 4), round(ndcg, 4))


def _worse(
    after: Knowledge,
    asked: Sequence[Asked],
    found_before: Sequence[Sequence[Hit]],
    found: Sequence[Sequence[Hit]],
    on: date,
) -> list[Worse]:
    """The queries that got worse, the greatest loss first."""
    ranks = zip(asked, found_before, found, _ranks(asked, found_before), _ranks(asked, found), strict=True)
    losses = []
    for one, hits_before, hits, rank_before, rank in ranks:
        if rank_before is None or _gain(rank) >= _gain(rank_before):
            continue
        article = one.judgement.article or ""
        reason = "overtaken" if rank is not None else _why_gone(after, article, on)
        by = hits[0] if hits and reason in ("overtaken", "not_found") else None
        losses.append(
            Worse(
                query=one.judgement.query,
                language=one.judgement.language,
                article=article,
                rank_before=rank_before,
                rank=rank,
                relevance_before=round(hits_before[rank_before - 1].relevance, 3),
                relevance=round(hits[rank - 1].relevance, 3) if rank is not None else None,
                reason=reason,
                by=by.id if by else None,
                by_relevance=round(by.relevance, 3) if by else None,
            )
        )
    return sorted(losses, key=lambda one: _gain(one.rank) - _gain(one.rank_before))


def _why_gone(knowledge: Knowledge, article: str, on: date) -> Reason:
    """Why an article is not found at all."""
    versions = [known for known in knowledge.articles if known.id == article]
    if not versions:
        return "removed"
    public = [known for known in versions if known.status == "published" and known.audience == "customer"]
    if not public:
        return "withdrawn"
    begun = [known for known in public if not known.valid_from or known.valid_from <= on]
    if not begun:
        return "not_yet_valid"
    return "not_found" if any(not known.valid_until or on <= known.valid_until for known in begun) else "expired"


UNMEASURED: Final = Gate(True, f"Not measured: there are no judged queries in {GOLDEN}.")
"""The verdict where nothing is known."""
REASONS: Final[Mapping[Reason, str]] = {
    "removed": "the article is gone",
    "withdrawn": "the article is no longer published for customers",
    "expired": "the article is past its valid_until",
    "not_yet_valid": "the article is before its valid_from",
    "overtaken": "another article comes before it",
    "not_found": "it is no longer among the first ten",
}
"""The reasons in words."""
