"""A folder in the BEIR layout (Thakur et al. 2021, arXiv:2104.08663) as knowledge: its documents become articles."""

import csv
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress, track

from assist.domain import Article, ArticleLanguage
from assist.errors import KnowledgeError
from assist.inference.encoder import Encoder
from assist.knowledge.index import IndexStore, build
from assist.knowledge.judgements import auroc
from assist.knowledge.ranking import Candidates, Relevance
from assist.knowledge.search import Knowledge
from assist.knowledge.sources import Content
from assist.text.language import detect

CONSOLE = Console(stderr=True)
DEPTH = 10
Methods = Mapping[str, Callable[[Candidates], np.ndarray]]
FIGURES = ("recall@1", "recall@5", "hit@1", "hit@5", "mrr@10", "ndcg@10")


@dataclass(frozen=True, slots=True)
class Folder:
    """Documents and queries by id, and the graded judgements of each query."""

    documents: dict[str, tuple[str, str]]
    queries: dict[str, str]
    judged: dict[str, dict[str, float]]


def read(folder: Path) -> Folder:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`. Raises KnowledgeError with file and line."""
    documents = {
        str(row["_id"]): (str(row.get("title") or ""), str(row["text"]))
        for row in _lines(folder / "corpus.jsonl", "_id", "text")
    }
    queries = {str(row["_id"]): str(row["text"]) for row in _lines(folder / "queries.jsonl", "_id", "text")}
    judged: dict[str, dict[str, float]] = defaultdict(dict)
    path = folder / "qrels.tsv"
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for number, row in enumerate(csv.reader(stream, delimiter="\t"), 1):
                if number == 1 and row and row[0].lower().replace("_", "-").startswith("query"):
                    continue
                if len(row) < 3:
                    raise KnowledgeError(f"{path.name}:{number}: needs query-id, corpus-id and score, tab-separated")
                if row[0] in queries and float(row[2]) > 0:
                    judged[row[0]][row[1]] = float(row[2])
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"cannot read {path}: {error}") from error
    except ValueError as error:
        raise KnowledgeError(f"{path.name}:{number}: {error}") from error
    return Folder(documents, queries, dict(judged))


def _lines(path: Path, *needed: str) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise KnowledgeError(f"{path.name}:{number}: not JSON: {error}") from error
                if not isinstance(row, dict) or not all(name in row for name in needed):
                    raise KnowledgeError(f"{path.name}:{number}: needs {' and '.join(needed)}")
                yield row
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"cannot read {path}: {error}") from error


def as_content(documents: dict[str, tuple[str, str]]) -> Content:
    """One published article a document. Nothing is known of situations, questions or words of the house."""
    articles = tuple(
        Article(number, _language(f"{title}\n{text}"), title, "published", text, "1", "")
        for number, (title, text) in documents.items()
    )
    return Content(articles, (), (), (), (), ())


def _language(text: str) -> ArticleLanguage:
    found = detect(text)
    if found in ("zh-Hans", "zh-Hant", "en"):
        return found
    return "zh-Hans" if any("\u3400" <= character <= "\u9fff" for character in text) else "en"


def measure(folder: Path, encoder: Encoder, relevance: Relevance, methods: Methods) -> dict[str, Any]:
    """Index the folder and ask its queries; `methods` score candidates by name, "ours" among them."""
    data = read(folder)
    with tempfile.TemporaryDirectory() as scratch, Progress(console=CONSOLE, transient=True) as progress:
        task = progress.add_task("indexing", total=None)
        store = IndexStore(Path(scratch), relevance)
        manifest = build(
            as_content(data.documents),
            Path(scratch),
            encoder,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
        progress.remove_task(task)
        knowledge = store.open(manifest.id)
        return score(data, knowledge, encoder, methods)


def score(data: Folder, knowledge: Knowledge, encoder: Encoder, methods: Methods) -> dict[str, Any]:
    """Figures of each method over the folder's queries."""
    ranked: dict[str, list[list[str]]] = {name: [] for name in methods}
    best: dict[str, list[float]] = {name: [] for name in methods}
    asked = list(data.queries.items())
    for _, text in track(asked, "asking", console=CONSOLE, transient=True):
        vector = encoder.encode_query(text).vector
        found = knowledge.candidates("article", text, vector, language=detect(text), on=date.today())
        for name, method in methods.items():
            scores = method(found)
            order = np.argsort(-scores, kind="stable")[:DEPTH]
            ranked[name].append([knowledge.articles[int(found.owners[place])].id for place in order])
            best[name].append(float(scores[order[0]]) if len(order) else float("-inf"))
    has_answer = [bool(data.judged.get(number)) for number, _ in asked]
    found_by = {}
    for name in methods:
        figures = _figures([data.judged.get(number, {}) for number, _ in asked], ranked[name])
        if not all(has_answer):
            known, unknown = (
                [value for value, has in zip(best[name], has_answer, strict=True) if has is wanted]
                for wanted in (True, False)
            )
            figures["no_answer_auroc"] = round(auroc(known, unknown), 4)
        found_by[name] = figures
    return {"n_queries": sum(has_answer), "n_without_answer": len(asked) - sum(has_answer), "figures": found_by}


def _figures(judged: list[dict[str, float]], ranked: list[list[str]]) -> dict[str, float]:
    """Means over the queries that have an answer: recall and hit (any answer found), MRR and nDCG of the first ten."""
    rows = []
    for wanted, found in zip(judged, ranked, strict=True):
        if not wanted:
            continue
        places = [place for place, number in enumerate(found, 1) if number in wanted]
        first = places[0] if places else DEPTH + 1
        ideal = sum(gain / np.log2(place + 1) for place, gain in enumerate(sorted(wanted.values())[::-1][:DEPTH], 1))
        gained = sum(wanted[found[place - 1]] / np.log2(place + 1) for place in places)
        within = [sum(place <= depth for place in places) / len(wanted) for depth in (1, 5)]
        rows.append((*within, first == 1, first <= 5, 1 / first if places else 0.0, gained / ideal))
    means = np.mean(rows, axis=0) if rows else np.full(len(FIGURES), np.nan)
    return {name: round(float(value), 4) for name, value in zip(FIGURES, means, strict=True)}
