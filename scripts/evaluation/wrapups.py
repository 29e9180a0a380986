"""Close whole conversations and check their wrap-ups: do all facts stand, are problem, promises and outcome right.

Every conversation of the file is read with the shipped model, a minute a turn from a Tuesday morning on, and closed.
A fact is a quote (its words must be that slice of that utterance), the words and the moment of a promise, a line of
the summary, a number or a name in the frame, a feeling, or the time of the follow-up. The marks name the sentences
that tell the problem, the promises with when they fall due, and the outcome.

Examples:
  scripts/evaluate wrapups                           the test conversations, and the marks of 60 of them
  scripts/evaluate wrapups --split train             the marked training conversations, which the rules were written on
  scripts/evaluate wrapups talks.jsonl               other conversations; none of them is marked
"""

import argparse
import json
import re
import statistics
import sys
import time as clock
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from assist.conversation.session import Session  # noqa: E402
from assist.conversation.wrapup import CallHours, wrap_up  # noqa: E402
from assist.domain import (  # noqa: E402
    AssistResult,
    Conversation,
    Customer,
    Language,
    Quote,
    Utterance,
    Versions,
    WrapUp,
)
from assist.text.language import detect  # noqa: E402
from assist.text.sentences import LONGEST  # noqa: E402
from assist.text.small_talk import is_small_talk  # noqa: E402
from scripts.evaluation.emotion import Reader, macro_f1, role_of  # noqa: E402
from scripts.training.rows import read_jsonl  # noqa: E402

DATA = ROOT / "models" / "data"
ZONE = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 11, 24, 10, tzinfo=ZONE)
HOURS = CallHours(time(9), time(21), ZONE)
OUTCOMES = ("resolved", "promised", "unresolved")
SPEAKERS = {"problem": "customer", "outcome": "customer", "worst": "customer", "done": "agent", "promise": "agent"}

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"(?<![.!?:•“\"] )(?<!^)\b[A-Z][a-z]+\b", re.MULTILINE)
_TIME = re.compile(
    r"\d+\s*(?:个|個)?(?:分钟|分鐘|小时|小時|工作日|天|日|号|號)|(?:今天|明天|后天|後天|今晚|明早|稍后|稍後)"
    r"|\b(?:within|by|in)\s+(?:\d+|the next)\b|\b(?:tomorrow|today|tonight)\b"
    r"|\b\d+\s*(?:minutes|hours|working days|days)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Place:
    """A stretch of one turn, and when it falls due if it promises something."""

    turn: int
    start: int
    end: int
    due: datetime | None = None

    def meets(self, other: "Place") -> bool:
        """Whether both are the same sentence: they share half of the shorter one."""
        shared = min(self.end, other.end) - max(self.start, other.start)
        return self.turn == other.turn and shared * 2 >= min(self.end - self.start, other.end - other.start) > 0


@dataclass
class Mark:
    """What a reader found in a conversation. Any of `problem` tells it; `optional` promises count neither way."""

    problem: list[Place]
    promises: list[Place]
    optional: list[Place]
    outcome: str


# --- closing ---------------------------------------------------------------------------------------------------------


def session_of(row: Mapping, reader: Reader) -> Session:
    """The conversation as the service would know it, one minute a turn."""
    session = Session(Conversation(str(row["id"]), row.get("channel", "chat"), BEGIN, Customer("customer")))
    said: list = []
    hint: Language | None = None
    for index, turn in enumerate(row["turns"]):
        text, speaker = turn["text"], role_of(turn["speaker"])
        language = detect(text, hint)
        encoding = reader.encoder.encode_query(text, said)
        said.append((speaker, encoding.memory))
        at = BEGIN + timedelta(minutes=index)
        utterance = Utterance(f"utt_{index}", index + 1, speaker, text, language, at)
        emotion = None
        if speaker == "customer":
            if language in ("zh-Hans", "zh-Hant", "en"):
                hint = session.language = language
            emotion = reader.emotions.read(text, language, encoding)
            session.feel(emotion)
        result = AssistResult(utterance, emotion, session.reading(at), (), (), Versions("", "", ""), 0.0)
        session.record(utterance, result, is_small_talk=is_small_talk(text))
    return session


def facts_of(found: WrapUp, session: Session, now: datetime) -> Iterator[tuple[str, bool]]:
    """Every fact that a wrap-up states, and whether it stands in the conversation or the customer's profile."""
    said = {turn.utterance.id: turn.utterance for turn in session.turns}
    for quote in found.quotes:
        yield f"quote {quote.part}: {quote.text!r}", _stands(quote, said)
        if quote.due_text is not None or quote.due_at is not None:
            is_there = quote.due_text is not None and quote.due_text in quote.text
            yield f"due {quote.due_text!r}", is_there
            if quote.due_at is not None and quote.utterance_id in said:
                yield f"due at {quote.due_at}", quote.due_at >= said[quote.utterance_id].at
    quoted = {quote.text for quote in found.quotes}
    for line in found.summary:
        yield f"summary {line!r}", line in quoted
    for line in (found.message or "").split("\n")[1:]:
        promised = {quote.text for quote in found.quotes if quote.part == "promise"}
        yield f"message {line!r}", line.removeprefix("• ") in promised
    known = "\n".join([*(utterance.text for utterance in said.values()), repr(session.conversation.customer)])
    for line in _frame(found):
        for value in (*_NUMBER.findall(line), *_NAME.findall(line)):
            yield f"frame {value!r}", value in known
    felt = {turn.emotion.label for turn in session.turns if turn.emotion is not None}
    for label in (found.emotion_start, found.emotion_worst, found.emotion_end):
        if label is not None:
            yield f"feeling {label}", label in felt
    if found.follow_up is not None:
        due = found.follow_up.due_at
        yield f"follow-up at {due}", due > now and HOURS.begin <= due.astimezone(ZONE).time() < HOURS.end


def _stands(quote: Quote, said: Mapping[str, Utterance]) -> bool:
    utterance = said.get(quote.utterance_id)
    return (
        utterance is not None
        and utterance.speaker == quote.speaker == SPEAKERS[quote.part]
        and 0 <= quote.start < quote.end <= len(utterance.text)
        and utterance.text[quote.start : quote.end] == quote.text
        and len(quote.text) <= LONGEST
    )


def _frame(found: WrapUp) -> Iterator[str]:
    yield from (found.message or "").split("\n")[:1]
    for text in found.texts:
        yield from (value for value in (text.disposition, text.outcome, text.action, text.reason) if value)
    if found.follow_up is not None:
        yield from (found.follow_up.action, found.follow_up.reason)


# --- marks -----------------------------------------------------------------------------------------------------------


def mark_of(row: Mapping, talk: Mapping) -> Mark:
    """The marks of one conversation, as places in its turns. Raises ValueError where a marked text is not there."""

    def place(mark: Mapping) -> Place:
        start = talk["turns"][mark["turn"]]["text"].index(mark["text"])
        due = due_at(mark["due"], BEGIN + timedelta(minutes=mark["turn"])) if "due" in mark else None
        return Place(mark["turn"], start, start + len(mark["text"]), due)

    promises = row["promises"]
    return Mark(
        [place(mark) for mark in row["problem"]],
        [place(mark) for mark in promises if not mark.get("optional")],
        [place(mark) for mark in promises if mark.get("optional")],
        row["outcome"],
    )


def due_at(mark: str, said_at: datetime) -> datetime:
    """A marked time: `+20m`, `+24h` or a day: `d1` (tomorrow), `w3` (working days), a date; at `T18:00` or its end."""
    if mark.startswith("+"):
        return said_at + timedelta(**{{"m": "minutes", "h": "hours"}[mark[-1]]: int(mark[1:-1])})
    day, _, hour = mark.partition("T")
    at = time.fromisoformat(hour) if hour else time(23, 59)
    if day[0] in "dw":
        date, left = said_at.date(), int(day[1:])
        while left:
            date += timedelta(days=1)
            left -= day[0] == "d" or date.weekday() < 5
    else:
        date = datetime.fromisoformat(day).date()
    return datetime.combine(date, at, ZONE)


def places(found: WrapUp, part: str) -> list[Place]:
    """Where the quotes of one part stand."""
    return [
        Place(int(quote.utterance_id.removeprefix("utt_")), quote.start, quote.end, quote.due_at)
        for quote in found.quotes
        if quote.part == part
    ]


def whole_turns(talk: Mapping, speaker: str) -> list[Place]:
    """The turns of a speaker, each as one stretch: what the baselines choose from."""
    return [
        Place(index, 0, len(turn["text"]))
        for index, turn in enumerate(talk["turns"])
        if role_of(turn["speaker"]) == speaker
    ]


def hit_rate(chosen: Sequence[Sequence[Place]], marks: Sequence[Mark]) -> float:
    """Share of conversations in which a chosen stretch is one that tells the problem."""
    hits = [
        any(place.meets(told) for place in mine for told in mark.problem)
        for mine, mark in zip(chosen, marks, strict=True)
    ]
    return round(statistics.mean(hits), 3)


def promise_scores(chosen: Sequence[Sequence[Place]], marks: Sequence[Mark]) -> dict:
    """Precision and recall of the promises; a chosen one that meets an optional mark counts neither way."""
    right = wrong = missed = 0
    for mine, mark in zip(chosen, marks, strict=True):
        for place in mine:
            if any(place.meets(promise) for promise in mark.promises):
                right += 1
            elif not any(place.meets(promise) for promise in mark.optional):
                wrong += 1
        missed += sum(not any(place.meets(promise) for place in mine) for promise in mark.promises)
    found = sum(len(mark.promises) for mark in marks) - missed
    return {
        "precision": round(right / max(right + wrong, 1), 3),
        "recall": round(found / max(found + missed, 1), 3),
    }


def due_scores(chosen: Sequence[Sequence[Place]], marks: Sequence[Mark]) -> dict:
    """How many of the times given to marked promises are the marked ones, and how many of the marked ones are given."""
    given = right = marked = 0
    for mine, mark in zip(chosen, marks, strict=True):
        for promise in mark.promises:
            met = [place for place in mine if place.meets(promise)]
            marked += promise.due is not None
            given += any(place.due is not None for place in met)
            right += any(place.due is not None and place.due == promise.due for place in met)
    return {"precision": round(right / max(given, 1), 3), "recall": round(right / max(marked, 1), 3), "marked": marked}


def scores(talks: Sequence[Mapping], found: Sequence[WrapUp], marks: Sequence[Mark], majority: str) -> dict:
    """Problem, promises, dues and outcome against the marks, each beside its baselines."""
    truth = [mark.outcome for mark in marks]
    customers = [whole_turns(talk, "customer") for talk in talks]
    agents = [whole_turns(talk, "agent") for talk in talks]
    ours = [wrap.outcome or "unresolved" for wrap in found]
    promises = [places(wrap, "promise") for wrap in found]
    timed = [
        [place for place in mine if _TIME.search(talk["turns"][place.turn]["text"])]
        for talk, mine in zip(talks, agents, strict=True)
    ]
    return {
        "n": len(marks),
        "problem": {
            "ours": hit_rate([places(wrap, "problem") for wrap in found], marks),
            "first customer turn": hit_rate([mine[:1] for mine in customers], marks),
            "longest of the first three": hit_rate(
                [[max(mine[:3], key=lambda place: place.end)] if mine else [] for mine in customers], marks
            ),
        },
        "promises": {
            "marked": sum(len(mark.promises) for mark in marks),
            "ours": promise_scores(promises, marks),
            "last agent turn": promise_scores([mine[-1:] for mine in agents], marks),
            "agent turns that name a time": promise_scores(timed, marks),
        },
        "due": due_scores(promises, marks),
        "outcome": {
            "ours": {"accuracy": _accuracy(truth, ours), "macro_f1": macro_f1(truth, ours, OUTCOMES)},
            "majority": {
                "accuracy": _accuracy(truth, [majority] * len(truth)),
                "macro_f1": macro_f1(truth, [majority] * len(truth), OUTCOMES),
            },
        },
    }


def _accuracy(truth: Sequence[str], given: Sequence[str]) -> float:
    return round(statistics.mean(a == b for a, b in zip(truth, given, strict=True)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate wrapups", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, help="conversations, as in models/data/conversations")
    parser.add_argument("--split", choices=("test", "train"), default="test", help="marked split (default: test)")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="model folder (default: models/)")
    options = parser.parse_args()
    talks = read_jsonl(options.file or DATA / "conversations" / f"{options.split}.jsonl")
    rows = {} if options.file else {row["id"]: row for row in read_jsonl(DATA / "wrapups" / f"{options.split}.jsonl")}
    if options.split == "train" and not options.file:
        talks = [talk for talk in talks if talk["id"] in rows]
    reader = Reader(options.models)
    found, facts, broken, took = [], 0, [], []
    for talk in track(talks, "closing", console=Console(stderr=True)):
        session = session_of(talk, reader)
        now = BEGIN + timedelta(minutes=len(session.turns))
        begin = clock.perf_counter()
        found.append(wrap_up(session, now, HOURS))
        took.append((clock.perf_counter() - begin) * 1e3)
        checked = list(facts_of(found[-1], session, now))
        facts += len(checked)
        broken += [f"{talk['id']}: {fact}" for fact, stands in checked if not stands]
    result: dict = {
        "n": len(talks),
        "facts": facts,
        "facts_that_stand": round(1 - len(broken) / max(facts, 1), 4),
        "quotes": sum(len(wrap.quotes) for wrap in found),
        "median_ms": round(statistics.median(took), 2),
    }
    marked = [(talk, wrap) for talk, wrap in zip(talks, found, strict=True) if talk["id"] in rows]
    if marked:
        outcomes = [row["outcome"] for row in read_jsonl(DATA / "wrapups" / "train.jsonl")]
        marks = [mark_of(rows[talk["id"]], talk) for talk, _ in marked]
        result["marked"] = scores(
            [talk for talk, _ in marked], [wrap for _, wrap in marked], marks, statistics.mode(outcomes)
        )
    for line in broken[:20]:
        Console(stderr=True).print(line, markup=False)
    Console().print(_table(result))
    print(json.dumps(result, ensure_ascii=False))


def _table(result: Mapping) -> Table:
    table = Table("what", "who", "figures")
    table.add_row(
        "facts that stand", f"{result['n']} conversations", f"{result['facts_that_stand']} of {result['facts']}"
    )
    for what in ("problem", "promises", "outcome"):
        for who, value in result.get("marked", {}).get(what, {}).items():
            table.add_row(what, who, str(value))
    if "marked" in result:
        table.add_row("due", "ours", str(result["marked"]["due"]))
    return table


if __name__ == "__main__":
    main()
