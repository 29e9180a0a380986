"""Questions with the texts that answer them: what the sentence vector is tuned on.

A batch is drawn from neighbours, articles or topics that are easily confused, because telling those apart is what
search has to learn; texts of other subjects are far apart already.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assist.knowledge import passages
from assist.knowledge.sources import read_folder
from scripts.training.rows import Row, public_set, read_jsonl

BATCH_KEYS, BATCH_PER_KEY = 8, 3
# Share of the batches that come from each source.
SHARES = {"own": 0.3, "general": 0.25, "shops": 0.3, "banking77_en": 0.1, "clinc150_en": 0.05}


@dataclass
class Pair:
    """A question with the turns before it, and texts any of which answers it; pairs of one key mean the same."""

    query: Row
    targets: tuple[str, ...]
    key: str


def question(text: str, language: str = "", context: Sequence[Sequence[str]] = ()) -> Row:
    """A row that has no emotion label."""
    return Row(text, [(speaker, said) for speaker, said in context], (), language, "")


def own(path: Path, knowledge_base: Path) -> list[Pair]:
    """Questions to the demo knowledge base, with everything of their article that a customer may read."""
    texts: dict[str, list[str]] = defaultdict(list)
    for article in read_folder(knowledge_base).articles:
        for cut in passages.split(article.body):
            if cut.section != "notes":
                texts[article.id].append(f"{article.title}\n{passages.plain(article.body[cut.start : cut.end])}")
        texts[article.id] += article.questions
    return [
        Pair(question(row["query"], row["language"], row["context"]), tuple(texts[row["article"]]), row["article"])
        for row in read_jsonl(path)
        if row["article"]
    ]


def general(path: Path) -> list[Pair]:
    """Questions of many trades: each is answered by its topic's answers, and means what the topic's others mean."""
    pairs = []
    for row in read_jsonl(path):
        asked = [text for _, text in row["questions"]]
        for language, text in row["questions"]:
            targets = (*row["answer"].values(), *(other for other in asked if other != text))
            pairs.append(Pair(question(text, language), targets, row["topic"]))
    return pairs


def intents(public: Path, name: str) -> list[Pair]:
    """Questions of a public intent set: those of one intent mean the same."""
    by_intent: dict[str, list[str]] = defaultdict(list)
    for row in read_jsonl(public_set(public, name) / "train.jsonl"):
        by_intent[row["intent"]].append(row["text"])
    return [Pair(question(text, "en"), tuple(asked), intent) for intent, asked in by_intent.items() for text in asked]


def batches(sources: dict[str, list[Pair]], seed: int) -> Iterator[tuple[list[Row], list[str], np.ndarray]]:
    """Without end: questions, a text that answers each, and which of all answer which, bool [questions, texts].

    Half of the batches take neighbouring keys in the order of the source, the others any.
    """
    random = np.random.default_rng(seed)
    by_key = {name: _by_key(pairs) for name, pairs in sources.items()}
    names = [name for name in SHARES if by_key.get(name)]
    shares = np.array([SHARES[name] for name in names])
    while True:
        groups = by_key[names[random.choice(len(names), p=shares / shares.sum())]]
        keys = list(groups)
        start = random.integers(len(keys))
        chosen = random.permutation(len(keys)) if random.random() < 0.5 else (start + np.arange(len(keys))) % len(keys)
        drawn: list[Pair] = []
        for place in chosen[:BATCH_KEYS]:
            mine = groups[keys[place]]
            drawn += [mine[index] for index in random.permutation(len(mine))[:BATCH_PER_KEY]]
        texts = []
        for pair in drawn:
            others = [text for text in pair.targets if text != pair.query.text]
            texts.append(others[random.integers(len(others))])
        same = np.array([[one.key == other.key for other in drawn] for one in drawn])
        yield [pair.query for pair in drawn], texts, same


def _by_key(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.key].append(pair)
    return groups
