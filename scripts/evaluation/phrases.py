"""Measures the choice of calming phrases on judged utterances, beside the rules and the nearest by cosine alone.

  scripts/evaluate phrases                        the test half of models/data/phrase_judgements.jsonl
  scripts/evaluate phrases --half dev             the half that the rules' weights were chosen on
  scripts/evaluate phrases --unjudged FILE        write what either would now show and nobody has judged, blind
  scripts/evaluate phrases --marks FILE           take such a file back once every "mark" is filled in

Each conversation is played to its last utterance, as live, with the shipped models. right@k: one of the first k phrases
was judged `right` (a service trainer would send it as it is). A phrase is known by its id and its wording; one that
nobody has judged in that wording counts as wrong, and how many there were is said. The last line is one JSON document.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from assist.conversation.assistant import Assistant
from assist.domain import Conversation, Customer, Phrase, Suggestion, Utterance
from assist.errors import AssistError
from assist.inference.emotion import EmotionReader
from assist.inference.encoder import Encoder
from assist.knowledge.index import IndexStore
from assist.knowledge.ranking import Relevance
from assist.knowledge.search import Knowledge
from assist.suggest import phrases
from assist.suggest.moment import Moment
from assist.suggest.phrase_choice import PhraseChoice
from assist.text.language import detect

ROOT = Path(__file__).resolve().parent.parent.parent
JUDGED = ROOT / "models/data/phrase_judgements.jsonl"
MARKS = ("right", "acceptable", "wrong")
POOLED = 5  # of each system's list go to the judge
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class Watching(Assistant):
    """An assistant that keeps the moment that it chose from."""

    moment: Moment | None = None

    def _moment(self, *arguments: Any) -> Any:
        found = super()._moment(*arguments)
        self.moment = found[0]
        return found


@dataclass
class Player:
    """Plays conversations against one index."""

    encoder: Encoder
    knowledge: Knowledge
    emotions: EmotionReader
    choice: PhraseChoice | None

    def play(self, row: dict[str, Any]) -> Moment:
        """The moment of the last utterance, which is the customer's."""
        ids = iter(range(10_000))
        assistant = Watching(
            emotions=self.emotions,
            knowledge=lambda: self.knowledge,
            clock=lambda: NOW,
            new_id=lambda prefix: f"{prefix}_{next(ids)}",
            choice=self.choice,
        )
        session = assistant.start(Conversation("c", row["channel"], NOW, Customer("k", row.get("name"))))
        for number, (speaker, text) in enumerate(row["turns"], 1):
            utterance = Utterance(
                f"u{number}", number, speaker, text, detect(text, session.language), NOW + timedelta(seconds=number)
            )
            reads = speaker in ("customer", "agent")
            encoding = self.encoder.encode_query(text, assistant.context(session)) if reads else None
            assistant.assist(session, utterance, encoding)
        assert assistant.moment is not None
        return assistant.moment

    def ours(self, moment: Moment) -> list[Phrase]:
        by_id = {phrase.id: phrase for phrase in self.knowledge.phrases}
        found: Sequence[Suggestion] = phrases.calming(moment)
        return [by_id[suggestion.source.id] for suggestion in found[:POOLED]]

    def by_rules(self, moment: Moment) -> list[Phrase]:
        """Ours without what was learned from marks."""
        return self.ours(replace(moment, choice=None))

    def by_cosine(self, moment: Moment) -> list[Phrase]:
        """Of the calming phrases of that language whose slots can be filled, the nearest."""
        known = self.knowledge.phrases
        numbers = [
            number
            for number, phrase in enumerate(known)
            if phrase.kind == "calming"
            and phrase.language == moment.language
            and set(phrase.slots) <= set(moment.slots)
        ]
        cosines = self.knowledge.phrase_similarities(moment.vector, numbers)
        best = sorted(zip(-cosines, numbers, strict=True))[:POOLED]
        return [known[number] for _, number in best]


def player(models: Path, data: Path, *, by_rules: bool = False) -> Player:
    """With the shipped models and the active index, the rules alone if so wished. Raises AssistError."""
    encoder = Encoder(models)
    relevance = Relevance.load(models / "relevance.json")
    knowledge = IndexStore(data / "index", relevance).open()
    choice = None if by_rules else PhraseChoice.shipped(models, encoder.version)
    return Player(encoder, knowledge, EmotionReader(models), choice)


def mark_of(row: dict[str, Any], phrase: Phrase, judge: int = 0) -> str | None:
    """The mark of the first or second judge (0, 1); the second has none for what was taken in later."""
    text, *marks = row["judged"].get(phrase.id, [""])
    return marks[judge] if text == phrase.text and judge < len(marks) else None


def right_at(rows: list[dict[str, Any]], shown: list[list[Phrase]], k: int, judge: int = 0) -> dict[str, float]:
    found: dict[str, float] = {"n": len(rows)}
    for name, good in (("right", MARKS[:1]), ("right_or_acceptable", MARKS[:2])):
        hits = [any(mark_of(row, p, judge) in good for p in mine[:k]) for row, mine in zip(rows, shown, strict=True)]
        found[f"{name}@{k}"] = round(sum(hits) / len(hits), 4)
    found["unjudged"] = sum(
        mark_of(row, p, judge) is None for row, mine in zip(rows, shown, strict=True) for p in mine[:k]
    )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate phrases", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--half", choices=("dev", "test", "all"), default="test")
    parser.add_argument("--unjudged", type=Path, metavar="FILE", help="write candidates to be judged, JSONL")
    parser.add_argument("--marks", type=Path, metavar="FILE", help="judged candidates to be taken in, JSONL")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="data folder with the index")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of the model files")
    options = parser.parse_args()
    rows = [json.loads(line) for line in JUDGED.read_text(encoding="utf-8").splitlines()]
    if options.marks:
        return take_in(rows, options.marks)
    try:
        playing = player(options.models, options.data)
    except AssistError as error:
        print(error.message, file=sys.stderr)
        return 1
    if options.half != "all":
        rows = [row for row in rows if row["half"] == options.half]
    moments = [playing.play(row) for row in track(rows, "playing", console=Console(stderr=True), transient=True)]
    systems = {
        "nearest by cosine": [playing.by_cosine(moment) for moment in moments],
        "by the rules alone": [playing.by_rules(moment) for moment in moments],
        "ours": [playing.ours(moment) for moment in moments],
    }
    if options.unjudged:
        return write_unjudged(rows, list(systems.values()), options.unjudged)
    figures: dict[str, dict[str, float]] = {}
    for name, shown in systems.items():
        for judge, title in enumerate((name, f"{name}, second judge")):
            figures[title] = {**right_at(rows, shown, 1, judge), **right_at(rows, shown, 2, judge)}
    for language in sorted({row["language"] for row in rows}):
        mine = [place for place, row in enumerate(rows) if row["language"] == language]
        figures[language] = right_at([rows[p] for p in mine], [systems["ours"][p] for p in mine], 2)
    table = Table("", "n", "right@1", "right@2", "right or acceptable@2", "unjudged", title=f"{options.half} half")
    for name, values in figures.items():
        columns = ("n", "right@1", "right@2", "right_or_acceptable@2", "unjudged")
        table.add_row(name, *(f"{values[column]:g}" if column in values else "" for column in columns))
    Console().print(table)
    print(json.dumps({"half": options.half, "index": playing.knowledge.version, **figures}, ensure_ascii=False))
    return 0


def write_unjudged(rows: list[dict[str, Any]], systems: list[list[list[Phrase]]], path: Path) -> int:
    """Every candidate without a mark, in an order that does not tell who proposed it."""
    lines = []
    for place, row in enumerate(rows):
        pooled = {phrase.id: phrase for shown in systems for phrase in shown[place] if mark_of(row, phrase) is None}
        for phrase_id in random.Random(row["id"]).sample(sorted(pooled), len(pooled)):
            said = [text for _, text in row["turns"]][-3:]
            lines.append(
                {"row": row["id"], "said": said, "phrase": phrase_id, "text": pooled[phrase_id].text, "mark": ""}
            )
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    print(json.dumps({"unjudged": len(lines)}))
    return 0


def take_in(rows: list[dict[str, Any]], path: Path) -> int:
    by_id = {row["id"]: row for row in rows}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    wrong = [line for line in lines if line["mark"] not in MARKS or line["row"] not in by_id]
    if wrong:
        print(f"{len(wrong)} lines without a mark of {', '.join(MARKS)}; nothing was taken in", file=sys.stderr)
        return 1
    for line in lines:
        by_id[line["row"]]["judged"][line["phrase"]] = [line["text"], line["mark"]]
    JUDGED.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(json.dumps({"taken_in": len(lines)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
