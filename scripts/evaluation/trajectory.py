"""Measure trend and escalation risk on whole conversations, beside simpler alarms.

A conversation escalates at its first customer turn that is angry, threatens to leave, sue or publish, or demands a
person in a negative mood. The alarm is the first turn whose risk reaches the threshold at which the desk warns. An
alarm before or at the escalation is a hit, one in a conversation that stays calm is false; the lead is counted in
customer turns.

Examples:
  scripts/evaluate trajectory                        the test conversations (models/data/conversations/test.jsonl)
  scripts/evaluate trajectory talks.jsonl            other labelled conversations
  scripts/evaluate trajectory --ssa DIR              also Taobao sentiment sequences (clothes_*, makeup_*, rssn_*)
"""

import argparse
import json
import math
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from assist.conversation.trajectory import escalation_risk, heat_of  # noqa: E402
from assist.domain import NEGATIVE, THREATS, Emotion, polarity_of  # noqa: E402
from assist.suggest.alerts import RISING_RISK  # noqa: E402
from scripts.evaluation.emotion import Reader, conversation_turns, macro_f1, role_of  # noqa: E402
from scripts.training.rows import read_jsonl  # noqa: E402

TEST = ROOT / "models" / "data" / "conversations" / "test.jsonl"
HORIZON = 3  # customer turns in which an escalation counts as ahead, by the labelling guideline
TRANSFER_EPSILON = 1e-3
Alarm = Callable[[Sequence[Emotion]], bool]


@dataclass
class Talk:
    """A conversation: what the model read in each customer turn, and at which of them it escalates."""

    language: str
    felt: list[Emotion]
    escalates_at: int | None
    events: list[bool]

    @property
    def ahead(self) -> list[bool]:
        """For every customer turn, whether it or one of the next three escalates."""
        return [any(self.events[index : index + HORIZON + 1]) for index in range(len(self.events))]


def talks_of(path: Path, reader: Reader) -> list[Talk]:
    """Read every conversation of a file with the shipped model."""
    talks = []
    rows = read_jsonl(path)
    if not all("turns" in row and "lang" in row for row in rows):
        raise SystemExit(f"{path}: every line needs lang and turns; labelled turns are for scripts/evaluate emotion")
    for talk in track(rows, "reading", console=Console(stderr=True)):
        felt, said, events = [], [], []
        labelled = iter(conversation_turns(talk))
        for turn in talk["turns"]:
            speaker = role_of(turn["speaker"])
            encoding = reader.encoder.encode_query(turn["text"], said)
            said.append((speaker, encoding.memory))
            if speaker == "customer":
                row = next(labelled)
                felt.append(reader.emotions.read(turn["text"], talk["lang"], encoding))
                events.append(is_escalation(row.label, row.flags or set()))
        first = events.index(True) if True in events else None
        talks.append(Talk(talk["lang"], felt, first, events))
    return talks


def is_escalation(label: str, flags: set[str]) -> bool:
    """What the labelling guideline calls an escalation."""
    return label == "angry" or bool(THREATS & flags) or ("wants_human" in flags and label in NEGATIVE)


def first_alarms(talks: Sequence[Talk], alarm: Alarm) -> list[int | None]:
    """The first customer turn of each conversation at which the alarm is raised."""
    return [next((i for i in range(len(talk.felt)) if alarm(talk.felt[: i + 1])), None) for talk in talks]


def alarm_scores(talks: Sequence[Talk], alarms_at: Sequence[int | None]) -> dict:
    """Precision and recall of alarms at those turns, and by how many customer turns they came earlier."""
    raised = list(zip(talks, alarms_at, strict=True))
    hits = [(talk, at) for talk, at in raised if at is not None and talk.escalates_at is not None]
    early = [talk.escalates_at - at for talk, at in hits if at <= talk.escalates_at]
    alarms = sum(at is not None for _, at in raised)
    escalating = sum(talk.escalates_at is not None for talk in talks)
    later = [talk for talk in talks if talk.escalates_at]
    before = [talk.escalates_at - at for talk, at in hits if talk.escalates_at and at < talk.escalates_at]
    return {
        "precision": round(len(early) / alarms, 3) if alarms else None,
        "recall": round(len(early) / escalating, 3) if escalating else None,
        "median_lead": statistics.median(early) if early else None,
        "recall_before_it_happens": round(len(before) / len(later), 3) if later else None,
    }


def area_under_curve(scores: Sequence[float], truth: Sequence[bool]) -> float | None:
    """Probability that a turn with an escalation ahead has the higher score; ties count half. None if all are alike."""
    ordered = sorted(zip(scores, truth, strict=True))
    below, total, index = 0, 0.0, 0
    while index < len(ordered):
        end = index
        while end < len(ordered) and ordered[end][0] == ordered[index][0]:
            end += 1
        tied = [label for _, label in ordered[index:end]]
        total += sum(tied) * (below + tied.count(False) / 2)
        below += tied.count(False)
        index = end
    return round(total / (sum(truth) * below), 4) if below and any(truth) else None


def at_least(threshold: float) -> Alarm:
    return lambda felt: escalation_risk(felt) >= threshold


ALARMS: dict[str, Alarm] = {
    "our risk": at_least(RISING_RISK),
    "first negative turn": lambda felt: felt[-1].polarity == "negative",
    "two negative turns in a row": lambda felt: [e.polarity for e in felt[-2:]] == ["negative"] * 2,
    "frustrated or angry": lambda felt: felt[-1].label in ("frustrated", "angry"),
    "angry or a threat": lambda felt: is_escalation(felt[-1].label, set(felt[-1].flags)),
}


# --- Taobao sequences ------------------------------------------------------------------------------------------------


def felt_of(sentiment: int) -> Emotion:
    """A feeling for a sentiment alone: -1 as plain dissatisfaction, 0 as calm, 1 as satisfaction."""
    label = {-1: "frustrated", 0: "neutral", 1: "satisfied"}[sentiment]
    return Emotion(label, 1.0, {label: 1.0}, 0.0 if label == "neutral" else 0.5, polarity_of(label))


def final_score(sentiments: Sequence[int]) -> int:
    """The session's score from the customer's sentiments.

    1 if the last one that was not neutral is negative or the risk is high, 3 if it is positive, else 2.
    """
    last = next((sentiment for sentiment in reversed(sentiments) if sentiment), 0)
    if last < 0 or escalation_risk([felt_of(sentiment) for sentiment in sentiments]) >= RISING_RISK:
        return 1
    return 3 if last > 0 else 2


def golden_transfer(predicted: Sequence[int], golden: Sequence[int], tolerance: int) -> float:
    """GT-T (Liu et al. 2021, "Time to Transfer", AAAI), without its extra cost for being late.

    Mean over the predicted turns of exp(-(p - q)² / (2 (T + ε)²)) for the nearest golden turn q; 1 if there are
    neither, 0 if only one kind is there.
    """
    if not predicted or not golden:
        return float(not predicted and not golden)
    width = 2 * (tolerance + TRANSFER_EPSILON) ** 2
    return statistics.mean(max(math.exp(-((p - q) ** 2) / width) for q in golden) for p in predicted)


def ssa_scores(folder: Path) -> dict:
    """Final scores from sentiment sequences, and hand-off turns from the risk."""
    result: dict = {}
    for name in ("clothes_test", "makeup_test"):
        truth, ours, last = [], [], []
        for row in read_jsonl(folder / f"{name}.jsonl"):
            said = [int(s) - 2 for role, s in zip(row["roles"], row["sent"], strict=True) if role == "C"]
            truth.append(str(row["score"]))
            ours.append(str(final_score(said or [0])))
            last.append(str((said or [0])[-1] + 2))
        majority = [Counter(truth).most_common(1)[0][0]] * len(truth)
        columns = {"ours": ours, "last_turn": last, "majority": majority}
        result[name] = {"n": len(truth)} | {
            k: macro_f1(truth, column, ("1", "2", "3")) for k, column in columns.items()
        }
    rows = read_jsonl(folder / "rssn_makeup_test_handoff.jsonl")
    result["rssn_makeup_test_handoff"] = {
        "n": len(rows),
        "our risk": handoff_scores(rows, ALARMS["our risk"]),
        "negative turn": handoff_scores(rows, ALARMS["first negative turn"]),
    }
    return result


def handoff_scores(rows: Sequence[dict], alarm: Alarm) -> dict:
    """GT-T, precision and recall of the customer turns with an alarm against those marked as hand-off."""
    by_tolerance: dict[int, list[float]] = {1: [], 2: [], 3: []}
    hits = predicted_count = golden_count = 0
    leads = []
    for row in rows:
        felt, predicted = [], []
        # Roles are known for the first fifty turns only.
        for index, (role, sentiment) in enumerate(zip(row["roles"], row["sent"], strict=False)):
            if role == "1":
                felt.append(felt_of(sentiment - 1))
                if alarm(felt):
                    predicted.append(index)
        golden = [index for index in range(len(row["roles"])) if row["handoff"][index]]
        for tolerance, values in by_tolerance.items():
            values.append(golden_transfer(predicted, golden, tolerance))
        hits += len(set(predicted) & set(golden))
        predicted_count, golden_count = predicted_count + len(predicted), golden_count + len(golden)
        if predicted and golden:
            leads.append(golden[0] - predicted[0])
    return {
        **{f"gt_{tolerance}": round(statistics.mean(values), 4) for tolerance, values in by_tolerance.items()},
        "precision": round(hits / max(predicted_count, 1), 4),
        "recall": round(hits / max(golden_count, 1), 4),
        "median_lead": statistics.median(leads) if leads else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate trajectory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, default=TEST, help="labelled conversations")
    parser.add_argument("--ssa", type=Path, metavar="DIR", help="also sentiment sequences of this folder")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="model folder (default: models/)")
    options = parser.parse_args()
    talks = talks_of(options.file, Reader(options.models))
    truth = [ahead for talk in talks for ahead in talk.ahead]
    risks = [escalation_risk(talk.felt[: i + 1]) for talk in talks for i in range(len(talk.felt))]
    heats = [heat_of(emotion) for talk in talks for emotion in talk.felt]
    result = {
        "n": len(talks),
        "escalating": sum(talk.escalates_at is not None for talk in talks),
        "threshold": RISING_RISK,
        "alarms": {name: alarm_scores(talks, first_alarms(talks, alarm)) for name, alarm in ALARMS.items()},
        "per_language": {
            language: {"n": len(mine), **alarm_scores(mine, first_alarms(mine, ALARMS["our risk"]))}
            for language in sorted({talk.language for talk in talks})
            if (mine := [talk for talk in talks if talk.language == language])
        },
        "turns": {
            "n": len(truth),
            "auroc": area_under_curve(risks, truth),
            "auroc_of_the_present_feeling": area_under_curve(heats, truth),
        },
    }
    if options.ssa:
        result["ssa"] = ssa_scores(options.ssa)
    table = Table("alarm", "precision", "recall", "median lead", "recall before it happens")
    for name, line in (*result["alarms"].items(), *result["per_language"].items()):
        table.add_row(name, *(str(value) for key, value in line.items() if key != "n"))
    Console().print(table)
    Console().print(result["turns"], result.get("ssa", ""))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
