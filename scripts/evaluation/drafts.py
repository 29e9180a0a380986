"""Measure the draft check on written drafts with known issues, beside a plain keyword list.

A code counts once a draft: found where it is, found where it is not, or missed. The held-back drafts were written by
other writers than those that the rules and the model were made with; a run prints figures only, never a draft.

Examples:
  scripts/evaluate drafts                    the held-back drafts (models/data/drafts/later.jsonl)
  scripts/evaluate drafts --develop          those that rules and model were made with, with what was missed
  scripts/evaluate drafts mine.jsonl         your own, in the form of models/data/drafts/README.md
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from assist.conversation.assistant import spoken_language  # noqa: E402
from assist.domain import ArticleLanguage, Customer, Order, Speaker  # noqa: E402
from assist.inference.encoder import CONTEXT_SPEAKERS, CONTEXT_TURNS, Encoder, Memory  # noqa: E402
from assist.suggest.drafts import DraftChecker, DraftContext, DraftReader, DraftRules  # noqa: E402
from assist.text.language import detect  # noqa: E402
from scripts.training.rows import read_jsonl  # noqa: E402

DRAFTS = ROOT / "models" / "data" / "drafts"
SPEAKERS: dict[str, Speaker] = {"c": "customer", "a": "agent", "b": "bot"}
KEYWORDS = {
    "dismissive": "冷静 冷靜 别激动 別激動 不要激动 不要激動|calm down|relax|no need to",
    "blame": "您自己 你自己 没看清 沒看清 应该早 應該早 谁让 誰叫|you should have|you failed|you forgot|your fault",
    "cold": "不行 没办法 沒辦法 不知道 规定就是 規定就是 管不了|not possible|i don't know|our policy|not my job",
    "forbidden_promise": "保证 保證 肯定 一定 绝对 絕對 百分百|guarantee|promise|definitely|100%",
    "sarcasm": "呵呵 真厉害 真厲害 说得都对 說得都對|good for you|whatever you say|if you say so|congratulations",
    "personal_data": "手机号 手機號 身份证 身分證|phone number|card number",
    "asks_again": "再说一遍 再說一遍 再提供 再發 再发 订单号是多少|order number?|send it again|repeat",
    "shouting": "！！ !!",
}  # fmt: skip
"""A list that one would write in an hour; frozen, to compare with."""


@dataclass(frozen=True, slots=True)
class Row:
    """A draft in its context, with the codes that it should get."""

    id: str
    language: str
    context: DraftContext
    draft: str
    codes: frozenset[str]


def rows_of(path: Path) -> list[Row]:
    """Read drafts; the form stands in models/data/drafts/README.md."""
    rows = []
    for row in read_jsonl(path):
        turns = tuple((SPEAKERS.get(speaker, speaker), text) for speaker, text in row["context"])
        article = row["article"]
        if isinstance(article, dict):
            article = f"{article.get('title', '')}\n\n{article.get('text', '')}"
        context = DraftContext(turns, _language(turns), _customer(row["known"]), (article,) if article else ())
        codes = frozenset(issue["code"] for issue in row["issues"])
        rows.append(Row(row["id"], row["language"], context, row["draft"], codes))
    return rows


def _language(turns: Sequence[tuple[str, str]]) -> ArticleLanguage | None:
    """The customer's language, found as a session finds it."""
    spoken: ArticleLanguage | None = None
    for speaker, text in turns:
        if speaker == "customer":
            spoken = spoken_language(detect(text, spoken), spoken or "zh-Hans")
    return spoken


def _customer(known: dict[str, Any]) -> Customer:
    """A profile from what the row says is known; the rest becomes attributes."""
    title = ", ".join(known.get("items", []))
    ids = [order.strip() for order in str(known.get("order_id") or "").split(",") if order.strip()]
    rest = {name: value for name, value in known.items() if name not in ("name", "order_id")}
    orders = tuple(Order(order, "", title, 0.0, "") for order in ids)
    return Customer("customer", known.get("name"), orders=orders, attributes=rest)


def by_keywords(row: Row) -> set[str]:
    """The codes whose keywords stand in the draft, and wrong_language by detection."""
    draft = row.draft.lower()
    found = set()
    for code, words in KEYWORDS.items():
        chinese, *english = words.split("|")
        if any(word in draft for word in (*chinese.split(), *english)):
            found.add(code)
    if row.context.language and detect(row.draft, row.context.language) != row.context.language:
        found.add("wrong_language")
    return found


def scores(rows: Sequence[Row], found: Sequence[set[str]]) -> dict[str, Any]:
    """Precision, recall and F1 by code and over all, by language, and the share of clean drafts left alone."""
    pairs = list(zip(rows, found, strict=True))
    codes = sorted({code for row, got in pairs for code in row.codes | got})
    clean = [got for row, got in pairs if not row.codes]
    languages = sorted({row.language for row in rows})
    return {
        "codes": {code: _measures((row.codes & {code}, got & {code}) for row, got in pairs) for code in codes},
        "micro": _measures((row.codes, got) for row, got in pairs),
        "languages": {
            name: _measures((row.codes, got) for row, got in pairs if row.language == name) for name in languages
        },
        "clean_left_alone": round(sum(not got for got in clean) / len(clean), 3) if clean else None,
    }


def _measures(pairs: Any) -> dict[str, Any]:
    count: Counter[str] = Counter()
    for wanted, got in pairs:
        count += Counter(right=len(wanted & got), wrong=len(got - wanted), missed=len(wanted - got))
    given, there = count["right"] + count["wrong"], count["right"] + count["missed"]
    return {
        "drafts": there,
        "precision": round(count["right"] / given, 3) if given else None,
        "recall": round(count["right"] / there, 3) if there else None,
        "f1": round(2 * count["right"] / (given + there), 3) if given + there else None,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="drafts to measure on")
    parser.add_argument("--develop", action="store_true", help="measure on the drafts that may be looked at")
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    arguments = parser.parse_args()
    rows = rows_of(arguments.file or DRAFTS / ("develop.jsonl" if arguments.develop else "later.jsonl"))
    encoder = Encoder(arguments.models)
    both, alone = DraftChecker(DraftRules(), DraftReader(arguments.models, encoder)), DraftChecker(DraftRules())
    passes, calls = [], []
    found: list[set[str]] = []
    for row in track(rows, "checking", console=Console(stderr=True)):
        said: list[tuple[Speaker, Memory]] = []  # kept live from when it was said
        for speaker, text in [turn for turn in row.context.turns if turn[0] in CONTEXT_SPEAKERS][-CONTEXT_TURNS:]:
            said.append((speaker, encoder.encode_query(text, said).memory))
        begin = time.perf_counter()
        encoder.encode_query(row.draft)
        middle = time.perf_counter()
        heard = both.hear(row.draft, said, row.context.articles)
        found.append({issue.code for issue in both.check(row.draft, row.context, heard)})
        passes.append(middle - begin)
        calls.append(time.perf_counter() - middle)
    by_rules = [{issue.code for issue in alone.check(row.draft, row.context)} for row in rows]
    report = {
        "drafts": len(rows),
        "check": scores(rows, found),
        "rules_alone": scores(rows, by_rules),
        "keywords": scores(rows, [by_keywords(row) for row in rows]),
        "median_call_ms": round(statistics.median(calls) * 1e3, 2),
        "call_ms_p95": round(statistics.quantiles(calls, n=20)[-1] * 1e3, 2),
        "slowest_call_ms": round(max(calls) * 1e3, 2),
        "call_to_encoder_pass": round(statistics.median(calls) / statistics.median(passes), 2),
    }
    _show(report)
    if arguments.develop:
        for row, got in zip(rows, found, strict=True):
            if got != row.codes:
                print(row.id, "+", sorted(got - row.codes), "-", sorted(row.codes - got), row.draft[:100])
    print(json.dumps(report))
    return 0


def _show(report: dict[str, Any]) -> None:
    table = Table("", "drafts", "precision", "recall", "F1", "rules P", "rules R", "keywords P", "keywords R")
    text: Callable[[Any], str] = lambda value: "–" if value is None else f"{value:.3f}"  # noqa: E731
    parts = [(code, ("codes", code)) for code in report["check"]["codes"]]
    parts += [("all", ("micro",))] + [(name, ("languages", name)) for name in report["check"]["languages"]]
    for name, path in parts:
        cells = []
        for who in ("check", "rules_alone", "keywords"):
            part: Any = report[who]
            for step in path:
                part = part.get(step, {})
            cells.append(part)
        check, rules, keywords = cells
        table.add_row(
            name,
            str(check["drafts"]),
            *(text(check[key]) for key in ("precision", "recall", "f1")),
            *(text(part.get(key)) for part in (rules, keywords) for key in ("precision", "recall")),
        )
    console = Console(width=120)
    console.print(table)
    shares = [text(report[who]["clean_left_alone"]) for who in ("check", "rules_alone", "keywords")]
    console.print(f"clean drafts left alone: {shares[0]}; by the rules alone {shares[1]}, by keywords {shares[2]}")
    console.print(
        f"a call: {report['median_call_ms']} ms in the middle, {report['call_ms_p95']} ms at the 95th percentile, "
        f"{report['call_to_encoder_pass']} × the encoder's pass"
    )


if __name__ == "__main__":
    raise SystemExit(main())
