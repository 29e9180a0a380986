"""Measures the recognition of situations on labelled utterances, beside the nearest example and the found articles.

  scripts/evaluate situations                    the test rows (models/data/situations/test.jsonl)
  scripts/evaluate situations FILE.jsonl         other rows

A row is {"text", "language", "context": [[speaker, text], …], "situation"}.

Every utterance is read in the light of the turns before it, as live. macro-F1 and accuracy count the likeliest
situation; "told" is the share whose probability reaches one half, "right of told" how many of those are right. The
baseline is the situation of the nearest example by cosine. The last line is one JSON document.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from assist.domain import Language, Speaker
from assist.errors import AssistError
from assist.inference.encoder import Encoder, Encoding
from assist.knowledge.index import IndexStore
from assist.knowledge.judgements import Judgement
from assist.knowledge.ranking import Relevance
from assist.knowledge.search import Knowledge, centred
from assist.knowledge.situations import inner_of

ROOT = Path(__file__).resolve().parent.parent.parent
TEST = ROOT / "models/data/situations/test.jsonl"
HITS = 4  # articles looked at, as in a conversation


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled utterance with the turns before it, oldest first."""

    text: str
    language: Language
    context: tuple[tuple[Speaker, str], ...]
    situation: str
    writer: str = ""

    def encoding(self, encoder: Encoder) -> Encoding:
        """What one pass says of the utterance, the conversation read turn by turn as live."""
        return Judgement(self.text, self.language, self.context, None).encoding(encoder)


def rows_of(path: Path) -> list[Row]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Row(r["text"], r["language"], tuple((s, t) for s, t in r["context"]), r["situation"], r.get("writer", ""))
        for r in rows
    ]


def scores_of(rows: Sequence[Row], knowledge: Knowledge, encoder: Encoder) -> tuple[np.ndarray, ...]:
    """(vectors, inner means, cosines of the nearest examples, relevances of the found articles), each [rows, …]."""
    number = {situation.id: place for place, situation in enumerate(knowledge.situations)}
    examples = [(number[s.id], encoder.encode_query(text).vector) for s in knowledge.situations for text in s.examples]
    means = encoder.query_means[-1]
    example_vectors = centred(np.stack([vector for _, vector in examples]), means)
    example_of = np.array([place for place, _ in examples])
    vectors, inner, support = [], [], np.zeros((len(rows), len(number)), np.float32)
    for place, row in enumerate(track(rows, "reading", console=Console(stderr=True), transient=True)):
        encoding = row.encoding(encoder)
        vector = encoding.vector
        vectors.append(vector)
        inner.append(inner_of(encoding.memory))
        hits = knowledge.search(
            row.text, vector, language=row.language, kinds=("article",), channel="chat", limit=HITS, on=date.today()
        )
        for hit in hits:
            if hit.situation in number:
                column = number[hit.situation]
                support[place, column] = max(support[place, column], hit.relevance)
    cosines = centred(np.stack(vectors), means) @ example_vectors.T
    nearest = np.stack([cosines[:, example_of == column].max(axis=1) for column in range(len(number))], axis=1)
    return np.stack(vectors), np.stack(inner), nearest, support


def macro_f1(truth: Sequence[str], said: Sequence[str]) -> float:
    """Mean over the situations that occur of 2·right / (meant + said)."""
    right = Counter(a for a, b in zip(truth, said, strict=True) if a == b)
    meant, told = Counter(truth), Counter(said)
    return round(float(np.mean([2 * right[name] / (meant[name] + told[name]) for name in meant])), 4)


def scores(truth: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    right = np.mean([a == b for a, b in zip(truth, said, strict=True)])
    return {"n": len(truth), "macro_f1": macro_f1(truth, said), "accuracy": round(float(right), 4)}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate situations", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, default=TEST, help="labelled utterances")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="data folder with the index")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of the model files")
    options = parser.parse_args()
    try:
        encoder = Encoder(options.models)
        relevance = Relevance.load(options.models / "relevance.json")
        knowledge = IndexStore(options.data / "index", relevance).open()
    except AssistError as error:
        print(error.message, file=sys.stderr)
        return 1
    rows = rows_of(options.file)
    ids = [situation.id for situation in knowledge.situations]
    vectors, inner, nearest, support = scores_of(rows, knowledge, encoder)
    model = relevance.situations.of(ids, encoder.dimension)
    shares = np.stack(
        [
            model.of_inner(query, cosines, found, mean, model.worded(row.text))
            for row, query, cosines, found, mean in zip(
                rows, centred(vectors, encoder.query_means[-1]), nearest, support, inner, strict=True
            )
        ]
    )
    truth = [row.situation for row in rows]
    said = {
        "nearest example": nearest.argmax(axis=1),
        "articles found": (support + 1e-3 * nearest).argmax(axis=1),
        "ours": shares.argmax(axis=1),
    }
    figures = {name: scores(truth, [ids[place] for place in places]) for name, places in said.items()}
    ours = [ids[place] for place in said["ours"]]
    per_language = {}
    for language in sorted({row.language for row in rows}):
        mine = [place for place, row in enumerate(rows) if row.language == language]
        per_language[language] = scores([truth[place] for place in mine], [ours[place] for place in mine])
    is_right = np.array([a == b for a, b in zip(truth, ours, strict=True)])
    sure = shares.max(axis=1)
    told = {
        str(least): {
            "told": round(float(np.mean(sure >= least)), 4),
            "right_of_told": round(float(is_right[sure >= least].mean()), 4),
        }
        for least in (0.5, 0.7, 0.9)
    }
    bins = np.minimum((sure * 10).astype(int), 9)
    ece = sum(abs(sure[bins == b].mean() - is_right[bins == b].mean()) * np.mean(bins == b) for b in set(bins.tolist()))
    second = np.argsort(-shares, axis=1)[:, :2]
    in_two = np.mean([truth[place] in (ids[a], ids[b]) for place, (a, b) in enumerate(second.tolist())])
    confused = Counter(f"{a} → {b}" for a, b in zip(truth, ours, strict=True) if a != b).most_common(15)
    table = Table("", "n", "macro-F1", "accuracy", title=options.file.name, title_justify="left")
    for name, values in (*figures.items(), *per_language.items()):
        table.add_row(name, str(values["n"]), f"{values['macro_f1']:.3f}", f"{values['accuracy']:.3f}")
    console = Console()
    console.print(table)
    console.print("probability at least", told, "in the first two", round(float(in_two), 4))
    console.print("confused most", dict(confused))
    result = {"file": options.file.name, **figures, "per_language": per_language, "at_least": told}
    print(
        json.dumps(
            {**result, "in_two": round(float(in_two), 4), "ece": round(float(ece), 4), "confused": dict(confused)}
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
