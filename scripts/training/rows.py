"""Labelled turns to train on: our own corpus and conversations, and public turns that we have labelled.

Public texts are not in the repository: `models/data/public_labels` names them by id, the folder of public data holds
them. Every row carries a target per label, because two readers may differ and both may be right.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assist.domain import EMOTIONS, FLAGS

# GoEmotions labels that have one counterpart in our guideline; rows with any other label are left out.
GOEMOTIONS = {
    "annoyance": "frustrated", "disapproval": "frustrated", "anger": "angry", "gratitude": "satisfied",
    "admiration": "satisfied", "relief": "satisfied", "joy": "satisfied", "confusion": "confused",
    "nervousness": "anxious", "fear": "anxious", "disappointment": "disappointed", "sadness": "disappointed",
    "neutral": "neutral",
}  # fmt: skip


@dataclass
class Row:
    """A customer's turn, the turns before it (oldest first) and what its readers saw in it.

    `labels` sums to 1 over EMOTIONS; `flags` holds 0 to 1 per flag and `intensity` 0 to 1, both None where unknown.
    """

    text: str
    context: list[tuple[str, str]]
    labels: tuple[float, ...]
    language: str
    group: str
    flags: tuple[float, ...] | None = None
    intensity: float | None = None
    weight: float = 1.0
    is_public: bool = False
    ids: list[int] = field(default_factory=list)
    context_ids: list[tuple[str, list[int]]] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """Length of the turn and of the turns before it, once they are tokenised."""
        return len(self.ids) + sum(len(ids) for _, ids in self.context_ids)

    @property
    def label(self) -> str:
        """The label with the largest share."""
        return EMOTIONS[max(range(len(EMOTIONS)), key=self.labels.__getitem__)]


def read_jsonl(path: Path) -> list[dict]:
    """The objects of a file, one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def targets(readings: Iterable[dict]) -> dict:
    """Shares of labels and flags and the mean intensity over one or more readings of a turn; flags may be unknown."""
    readings = list(readings)
    knows_flags = all("flags" in reading for reading in readings)
    flags = tuple(sum(flag in r["flags"] for r in readings) / len(readings) for flag in FLAGS) if knows_flags else None
    felt = [reading["intensity"] for reading in readings if reading["label"] != "neutral"]
    return {
        "labels": tuple(sum(r["label"] == label for r in readings) / len(readings) for label in EMOTIONS),
        "flags": flags,
        "intensity": sum(felt) / len(felt) if felt else None,
    }


def corpus(path: Path) -> list[Row]:
    """Rows of `models/data/emotion` or `models/data/emotion_core`."""
    return [
        Row(
            row["text"],
            [(speaker, text) for speaker, text in row.get("context", [])],
            language=row["lang"],
            group=row["scenario"],
            **targets([row]),
        )
        for row in read_jsonl(path)
    ]


def conversations(path: Path) -> list[Row]:
    """The customer's turns of `models/data/conversations`, each with the turns before it."""
    rows = []
    for talk in read_jsonl(path):
        turns = talk["turns"]
        for index, turn in enumerate(turns):
            if turn["speaker"] == "customer":
                before = [(said["speaker"], said["text"]) for said in turns[max(0, index - 3) : index]]
                rows.append(Row(turn["text"], before, language=talk["lang"], group=talk["scenario"], **targets([turn])))
    return rows


def labelled_public(labels: Path, public: Path) -> Iterator[Row]:
    """Turns of STC-3 and Banking77 that `labels` knows, with their texts from the folder of public data."""
    for name in ("stc3_zh", "stc3_en"):
        dialogues = {
            dialogue["id"]: dialogue["turns"] for dialogue in read_jsonl(public_set(public, name) / "train.jsonl")
        }
        for row in read_jsonl(labels / f"{name}.jsonl"):
            turns, at = dialogues[row["id"]], row["turn"]
            before = [(said["role"], said["text"]) for said in turns[max(0, at - 3) : at]]
            language = "en" if name.endswith("en") else "zh-Hans"
            group = f"{name} {row['id']}"
            yield Row(turns[at]["text"], before, language=language, group=group, **targets(row["readings"]))
    texts = {digest(row["text"]): row["text"] for row in read_jsonl(public_set(public, "banking77_en") / "train.jsonl")}
    for row in read_jsonl(labels / "banking77_en.jsonl"):
        yield Row(texts[row["sha256"]], [], language="en", group="banking77", **targets(row["readings"]))


def public_set(folder: Path, name: str) -> Path:
    """The folder of a public data set, in `folder` or one level below. Exits if there is none."""
    for path in (folder / name, *sorted(folder.glob(f"*/{name}"))):
        if path.is_dir():
            return path
    raise SystemExit(f"{folder} has no folder {name}; models/data/README.md lists the public sets")


def digest(text: str) -> str:
    """What a public text without an id is known by: the first 16 digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def goemotions(public: Path, split: str) -> Iterator[Row]:
    """GoEmotions comments whose labels map to one of ours; neither flags nor intensity are known."""
    for row in read_jsonl(public_set(public, "goemotions_en") / f"{split}.jsonl"):
        mapped = {GOEMOTIONS.get(label) for label in row["labels"]}
        if len(mapped) == 1 and None not in mapped:
            label = mapped.pop()
            yield Row(row["text"], [], tuple(float(label == name) for name in EMOTIONS), "en", "goemotions")
