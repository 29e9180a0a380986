"""Measures search on judged queries, beside BM25 alone, vectors alone and plain rank fusion.

  scripts/evaluate retrieval                          the golden queries of the knowledge base on the active index
  scripts/evaluate retrieval --judged mine.jsonl      other judged queries
  scripts/evaluate retrieval --misses                 also list the queries whose article is not first

recall@1, recall@5 and mrr@10 count the judged article among the articles found. "zh→en" asks Chinese queries of the
English articles only, "en→zh" English ones of the Chinese articles. Abstention: AUROC of the best hit's relevance
between queries with and without an article, and what the threshold of 0.5 shows and withholds. ECE is the expected
calibration error of the first hit in ten bins.

A BEIR folder holds corpus.jsonl ({"_id", "title"?, "text"}), queries.jsonl ({"_id", "text"}) and qrels.tsv (query-id,
corpus-id, score); queries without a judgement have no answer. The last line is one JSON document.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from assist.domain import ArticleLanguage
from assist.errors import AssistError
from assist.inference.encoder import Encoder
from assist.knowledge.index import IndexStore
from assist.knowledge.judgements import Judgement, auroc, mrr_at, rank_of, read_judgements, recall_at
from assist.knowledge.ranking import Candidates, Relevance
from assist.knowledge.search import Knowledge

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from scripts.evaluation import beir  # noqa: E402

RRF_K = 60
"""Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion", section 2."""
THRESHOLD = 0.5
Vectors = Mapping[Judgement, np.ndarray]
GROUPS: dict[str, tuple[tuple[str, ...], tuple[ArticleLanguage, ...] | None]] = {
    "all": (("zh-Hans", "zh-Hant", "en", "mixed"), None),
    "zh-Hans": (("zh-Hans",), None),
    "zh-Hant": (("zh-Hant",), None),
    "en": (("en",), None),
    "mixed": (("mixed",), None),
    "zh→en": (("zh-Hans", "zh-Hant"), ("en",)),
    "en→zh": (("en",), ("zh-Hans", "zh-Hant")),
}


def main() -> int:
    arguments = parse()
    if arguments.folder:
        return evaluate_folder(arguments)
    try:
        judgements = read_judgements(arguments.judged)
        relevance = Relevance.load(arguments.models / "relevance.json")
        knowledge = IndexStore(arguments.data / "index", relevance).open()
        encoder = Encoder(arguments.models)
    except AssistError as error:
        print(error.message, file=sys.stderr)
        return 1
    methods = methods_of(relevance)
    vectors = {
        judged: judged.vector(encoder)
        for judged in track(judgements, "embedding", console=Console(stderr=True), transient=True)
    }
    answered = [judged for judged in judgements if judged.article is not None]
    results: dict[str, dict[str, dict[str, float]]] = {}
    for group, (languages, article_languages) in GROUPS.items():
        chosen = [judged for judged in answered if judged.language in languages]
        if chosen:
            results[group] = measure(chosen, knowledge, vectors, methods, arguments.on, article_languages)
    abstention = measure_abstention(judgements, knowledge, vectors, relevance, arguments.on)
    show(results, abstention)
    if arguments.misses:
        list_misses(answered, knowledge, vectors, relevance, arguments.on)
    print(json.dumps({"judged": arguments.judged.name, "index": knowledge.version, "retrieval": results, **abstention}))
    return 0


def methods_of(relevance: Relevance) -> dict[str, Callable[[Candidates], np.ndarray]]:
    """What ranks the candidates, by name; the last is ours."""
    return {
        "BM25 alone": lambda found: found.bm25_scores,
        "vectors alone": lambda found: found.cosines,
        "rank fusion": rank_fusion,
        "ours": lambda found: relevance.article.one_of(found),
    }


def evaluate_folder(arguments: argparse.Namespace) -> int:
    """Measure on a BEIR folder; its knowledge is indexed in a temporary folder."""
    try:
        relevance = Relevance.load(arguments.models / "relevance.json")
        result = beir.measure(arguments.folder, Encoder(arguments.models), relevance, methods_of(relevance))
    except AssistError as error:
        print(error.message, file=sys.stderr)
        return 1
    figures = result.pop("figures")
    table = Table(title=f"{arguments.folder.name}: {result['n_queries']} queries", title_justify="left")
    for column in ("", *figures["ours"]):
        table.add_column(column, justify="right" if column else "left")
    for name, values in figures.items():
        table.add_row(name, *(f"{value:.3f}" for value in values.values()))
    Console(width=140).print(table)
    names = ("bm25", "dense", "rrf", "ours")
    by_name = dict(zip(names, figures.values(), strict=True))
    print(json.dumps({"folder": arguments.folder.name, **result, **by_name.pop("ours"), "baselines": by_name}))
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate retrieval", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    judged = ROOT / "knowledge_base/golden.jsonl"
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="BEIR folder instead of the index")
    parser.add_argument("--judged", type=Path, default=judged, help="judged queries, JSONL")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="data folder with the index")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of the model files")
    parser.add_argument("--on", type=date.fromisoformat, default=date.today(), help="day for validity dates")
    parser.add_argument("--misses", action="store_true", help="list queries whose article is not first")
    return parser.parse_args()


def candidates(
    judged: Judgement,
    knowledge: Knowledge,
    vectors: Vectors,
    on: date,
    article_languages: Sequence[ArticleLanguage] | None = None,
) -> Candidates:
    return knowledge.candidates(
        "article",
        judged.query,
        vectors[judged],
        language=judged.language,
        on=on,
        among=(lambda article: article.language in article_languages) if article_languages else None,
    )


def rank_fusion(found: Candidates) -> np.ndarray:
    fused = 1 / (RRF_K + 1 + places(found.cosines))
    return fused + np.where(found.bm25_scores > 0, 1 / (RRF_K + 1 + places(found.bm25_scores)), 0)


def places(scores: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(-scores, kind="stable"), kind="stable")


def ranked_ids(found: Candidates, scores: np.ndarray, knowledge: Knowledge) -> list[str]:
    order = [place for place in np.argsort(-scores, kind="stable") if scores[place] > 0]
    return [knowledge.articles[int(found.owners[place])].id for place in order]


def measure(
    chosen: list[Judgement],
    knowledge: Knowledge,
    vectors: Vectors,
    methods: dict[str, Callable[[Candidates], np.ndarray]],
    on: date,
    article_languages: tuple[ArticleLanguage, ...] | None,
) -> dict[str, dict[str, float]]:
    ranks: dict[str, list[int | None]] = {name: [] for name in methods}
    for judged in chosen:
        found = candidates(judged, knowledge, vectors, on, article_languages)
        for name, score in methods.items():
            ranks[name].append(rank_of(judged.article or "", ranked_ids(found, score(found), knowledge)))
    return {
        name: {
            "n": len(chosen),
            "recall@1": round(recall_at(1, found_at), 4),
            "recall@5": round(recall_at(5, found_at), 4),
            "mrr@10": round(mrr_at(10, found_at), 4),
        }
        for name, found_at in ranks.items()
    }


def measure_abstention(
    judgements: list[Judgement],
    knowledge: Knowledge,
    vectors: Vectors,
    relevance: Relevance,
    on: date,
) -> dict[str, dict[str, float]]:
    first: list[tuple[float, float, bool, bool]] = []
    for judged in judgements:
        found = candidates(judged, knowledge, vectors, on)
        if not len(found.owners):
            continue
        scores = relevance.article.one_of(found)
        best = int(np.argmax(scores))
        is_right = knowledge.articles[int(found.owners[best])].id == judged.article
        first.append((float(scores[best]), float(found.cosines.max()), is_right, judged.article is not None))
    with_answer = [entry for entry in first if entry[3]]
    without = [entry for entry in first if not entry[3]]
    shown = [entry for entry in first if entry[0] >= THRESHOLD]
    return {
        "abstention": {
            "n_without_answer": len(without),
            "auroc": round(auroc([e[0] for e in with_answer], [e[0] for e in without]), 4),
            "auroc_cosine": round(auroc([e[1] for e in with_answer], [e[1] for e in without]), 4),
            "shown_right": round(sum(e[2] for e in shown) / max(len(shown), 1), 4),
            "shown_of_answerable": round(sum(e[0] >= THRESHOLD for e in with_answer) / max(len(with_answer), 1), 4),
            "withheld_of_unanswerable": round(sum(e[0] < THRESHOLD for e in without) / max(len(without), 1), 4),
            "ece": round(calibration_error([e[0] for e in first], [e[2] for e in first]), 4),
        }
    }


def calibration_error(probabilities: Sequence[float], is_right: Sequence[bool], bins: int = 10) -> float:
    p, y = np.array(probabilities), np.array(is_right, float)
    bin_of = np.minimum((p * bins).astype(int), bins - 1)
    return float(sum(abs(p[bin_of == b].mean() - y[bin_of == b].mean()) * (bin_of == b).mean() for b in set(bin_of)))


def show(results: dict[str, dict[str, dict[str, float]]], abstention: dict[str, dict[str, float]]) -> None:
    table = Table(title="recall@1 / recall@5 / mrr@10", title_justify="left")
    table.add_column("queries")
    table.add_column("n", justify="right")
    for method in next(iter(results.values()), {}):
        table.add_column(method, justify="right")
    for group, by_method in results.items():
        n = next(iter(by_method.values()))["n"]
        cells = [f"{m['recall@1']:.3f} / {m['recall@5']:.3f} / {m['mrr@10']:.3f}" for m in by_method.values()]
        table.add_row(group, f"{n:.0f}", *cells)
    console = Console(width=140)
    console.print(table)
    console.print("  ".join(f"{name} {value}" for name, value in abstention["abstention"].items()))


def list_misses(
    answered: list[Judgement],
    knowledge: Knowledge,
    vectors: Vectors,
    relevance: Relevance,
    on: date,
) -> None:
    for judged in answered:
        found = candidates(judged, knowledge, vectors, on)
        ranked = ranked_ids(found, relevance.article.one_of(found), knowledge)
        if not ranked or ranked[0] != judged.article:
            place = rank_of(judged.article or "", ranked)
            print(f"{place or '–':>3}  {judged.language:8} {judged.query}  → {judged.article}, found {ranked[:2]}")


if __name__ == "__main__":
    sys.exit(main())
