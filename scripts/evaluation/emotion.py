"""Measure the shipped emotion model on labelled utterances, beside majority and a word list.

A file holds one JSON object a line with text and label, and lang, intensity and flags where they are known. The JDDC
satisfaction turns have three classes, so the seven labels are folded: negative → dissatisfied, positive → satisfied,
everything else → neutral. Those turns are evaluation data only: nothing may be tuned on them.

Examples:
  scripts/evaluate emotion                           the project's test rows (models/data/emotion/test.jsonl)
  scripts/evaluate emotion rows.jsonl                any labelled file
  scripts/evaluate emotion --jddc valid_turns.jsonl  satisfaction of real e-commerce turns
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from assist.domain import EMOTIONS, FLAGS, polarity_of  # noqa: E402
from assist.inference.emotion import EmotionReader  # noqa: E402
from assist.inference.encoder import Encoder  # noqa: E402
from assist.text.language import detect  # noqa: E402

POLARITIES = ("negative", "neutral", "positive")
SATISFACTION = {"negative": "dissatisfied", "neutral": "neutral", "positive": "satisfied"}
# The word-list baseline: the label with most hits, neutral without any. Written for this script, in both scripts.
WORDS = {
    "satisfied": "谢谢 謝謝 感谢 感謝 满意 滿意 喜欢 喜歡 很好 不错 不錯 太好了 辛苦 给力 赞 讚 开心 開心 "
    "thank thanks great love perfect brilliant lovely excellent happy pleased wonderful cheers",
    "confused": "怎么 怎麼 什么意思 什麼意思 看不懂 不明白 搞不懂 哪个 哪個 为什么 為什麼 "
    "confused understand which mean how unclear",
    "anxious": "会不会 會不會 担心 擔心 着急 著急 急 怕 来得及 來得及 worried worry afraid urgent hope scared nervous",
    "disappointed": "失望 可惜 遗憾 遺憾 唉 算了 难过 難過 白等 "
    "disappointed disappointing letdown sad shame pity hoped",
    "frustrated": "又 催 还没 還沒 一直 几次 幾次 无语 無語 烦 煩 差劲 投诉 投訴 "
    "again still already third waste ridiculous useless",
    "angry": "骗子 騙子 垃圾 滚 滾 退钱 退錢 举报 檢舉 律师 律師 混蛋 气死 氣死 "
    "scam liar fraud idiot disgusting lawyer manager furious",
}


def by_words(text: str) -> str:
    """The baseline's label."""
    lower = text.lower()
    hits = {label: sum(word in lower for word in words.split()) for label, words in WORDS.items()}
    best = max(hits, key=hits.__getitem__)
    return best if hits[best] else "neutral"


def f1_by_class(truth: list[str], predicted: list[str], classes: tuple[str, ...]) -> dict[str, float]:
    """F1 of each class, 0 where it is neither there nor predicted."""
    scores = {}
    for name in classes:
        hit = sum(t == p == name for t, p in zip(truth, predicted, strict=True))
        total = truth.count(name) + predicted.count(name)
        scores[name] = 2 * hit / total if total else 0.0
    return scores


def macro_f1(truth: list[str], predicted: list[str], classes: tuple[str, ...]) -> float:
    """Mean F1 over the classes that occur in the truth."""
    present = tuple(name for name in classes if name in truth)
    return float(np.mean(list(f1_by_class(truth, predicted, present).values())))


def calibration_error(confidence: np.ndarray, hit: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017, arXiv:1706.04599)."""
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(hit[bin_of == b].mean() - confidence[bin_of == b].mean()) * (bin_of == b).mean() for b in set(bin_of)]
    return float(sum(gaps))


def flag_scores(truth: list[set[str]], predicted: list[set[str]]) -> dict[str, dict[str, float]]:
    """Precision and recall of each flag with the number of rows that carry it."""
    scores = {}
    for flag in FLAGS:
        hit = sum(flag in t and flag in p for t, p in zip(truth, predicted, strict=True))
        there, found = sum(flag in t for t in truth), sum(flag in p for p in predicted)
        scores[flag] = {"n": there, "precision": round(hit / max(found, 1), 3), "recall": round(hit / max(there, 1), 3)}
    return scores


def evaluate(rows: list[dict], models: Path, is_jddc: bool) -> dict:
    """All figures as one dictionary of plain values."""
    encoder, reader = Encoder(models), EmotionReader(models)
    emotions, languages = [], []
    for row in track(rows, "reading", console=Console(stderr=True)):
        languages.append(row.get("lang") or detect(row["text"]))
        emotions.append(reader.read(row["text"], languages[-1], encoder.encode_query(row["text"])))
    truth = [row["label"] for row in rows]
    words = [by_words(row["text"]) for row in rows]
    labels = [emotion.label for emotion in emotions]
    confidence = np.array([emotion.probability for emotion in emotions])
    if is_jddc:
        classes: tuple[str, ...] = tuple(SATISFACTION.values())
        labels, words = ([SATISFACTION[polarity_of(label)] for label in column] for column in (labels, words))
        folded = [
            {
                SATISFACTION[name]: sum(p for e, p in emotion.probabilities.items() if polarity_of(e) == name)
                for name in POLARITIES
            }
            for emotion in emotions
        ]
        # The folded class need not be the sum's maximum; its confidence is the sum that belongs to it.
        confidence = np.array([sums[label] for sums, label in zip(folded, labels, strict=True)])
        polarity = {"truth": truth, "ours": labels, "words": words}
    else:
        classes = EMOTIONS
        columns = {"truth": truth, "ours": labels, "words": words}
        polarity = {name: [polarity_of(label) for label in column] for name, column in columns.items()}
    polarities = classes if is_jddc else POLARITIES
    hit = np.array([label == answer for label, answer in zip(labels, truth, strict=True)])
    majority = [Counter(truth).most_common(1)[0][0]] * len(truth)
    result = {
        "n": len(rows),
        "macro_f1": round(macro_f1(truth, labels, classes), 4),
        "accuracy": round(float(hit.mean()), 4),
        "polarity_macro_f1": round(macro_f1(polarity["truth"], polarity["ours"], polarities), 4),
        "ece": round(calibration_error(confidence, hit), 4),
        "per_class": {name: round(score, 4) for name, score in f1_by_class(truth, labels, classes).items()},
        "per_language": {},
        "baselines": {
            "majority": {"macro_f1": round(macro_f1(truth, majority, classes), 4)},
            "word_list": {
                "macro_f1": round(macro_f1(truth, words, classes), 4),
                "polarity_macro_f1": round(macro_f1(polarity["truth"], polarity["words"], polarities), 4),
            },
        },
        "versions": {"models": reader.version},
    }
    for language in sorted(set(languages)):
        mine = [index for index, value in enumerate(languages) if value == language]
        answers, ours = ([column[index] for index in mine] for column in (truth, labels))
        score = {"n": len(mine), "macro_f1": round(macro_f1(answers, ours, classes), 4)}
        result["per_language"][language] = {**score, "ece": round(calibration_error(confidence[mine], hit[mine]), 4)}
    if all("flags" in row for row in rows):
        result["flags"] = flag_scores([set(row["flags"]) for row in rows], [set(e.flags) for e in emotions])
    if all("intensity" in row for row in rows):
        felt = [(row["intensity"], e.intensity) for row, e in zip(rows, emotions, strict=True) if row["intensity"] > 0]
        error = float(np.mean([abs(answer - ours) for answer, ours in felt]))
        result["intensity_mean_absolute_error"] = round(error, 4)
    return result


def show(result: dict) -> None:
    table = Table("figure", "ours", "word list", "majority", title=f"{result['n']} utterances")
    words, majority = result["baselines"]["word_list"], result["baselines"]["majority"]
    for name in ("macro_f1", "polarity_macro_f1", "accuracy", "ece"):
        table.add_row(name, str(result[name]), str(words.get(name, "")), str(majority.get(name, "")))
    for name, score in result["per_class"].items():
        table.add_row(f"F1 {name}", str(score))
    for name, scores in result["per_language"].items():
        table.add_row(f"{name} (n {scores['n']})", f"macro-F1 {scores['macro_f1']}, ECE {scores['ece']}")
    for name, scores in result.get("flags", {}).items():
        table.add_row(f"{name} (n {scores['n']})", f"precision {scores['precision']}, recall {scores['recall']}")
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate emotion", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("file", nargs="?", type=Path, help="labelled rows (default: the project's test rows)")
    what.add_argument("--jddc", type=Path, metavar="PATH", help="JDDC satisfaction turns (valid_turns.jsonl)")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="model folder (default: models/)")
    options = parser.parse_args()
    path = options.jddc or options.file or ROOT / "models" / "data" / "emotion" / "test.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    result = evaluate(rows, options.models, is_jddc=options.jddc is not None)
    show(result)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
