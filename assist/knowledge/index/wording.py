"""The words of the history, on its page and in its table, in the languages of the pages."""

from collections.abc import Mapping
from typing import Any, Final

from assist.knowledge.index.history import Entry

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "History of the knowledge index",
        "chart": "Quality of each measured build",
        "nothing": "Nothing has happened yet.",
        "none": "No build has been measured yet.",
        "summary": "{n} measured builds. The last: recall@5 {recall}, ndcg@10 {ndcg}.",
        "summary_of_one": "1 measured build: recall@5 {recall}, ndcg@10 {ndcg}.",
        "when": "When (UTC)",
        "who": "Who",
        "what": "What",
        "version": "Version",
        "note": "Note",
        "build": "build",
        "activate": "activate",
        "rollback": "roll back",
        "prune": "prune",
        "done": "done",
        "held": "held back",
        "failed": "failed",
        "forced": "forced",
        "active": "in use",
        "api": "API",
        "command": "command line",
        "deleted": "deleted {versions}",
    },
    "zh-Hans": {
        "title": "知识索引的历史",
        "chart": "每次构建的检索质量",
        "nothing": "还没有任何记录。",
        "none": "还没有评测过的构建。",
        "summary": "共评测过 {n} 次构建。最近一次：recall@5 {recall}，ndcg@10 {ndcg}。",
        "summary_of_one": "共评测过 1 次构建：recall@5 {recall}，ndcg@10 {ndcg}。",
        "when": "时间（UTC）",
        "who": "操作人",
        "what": "操作",
        "version": "版本",
        "note": "说明",
        "build": "构建",
        "activate": "启用",
        "rollback": "回退",
        "prune": "清理",
        "done": "完成",
        "held": "未通过，已拦下",
        "failed": "失败",
        "forced": "强制",
        "active": "使用中",
        "api": "API",
        "command": "命令行",
        "deleted": "已删除 {versions}",
        "unmeasured": "未评测：golden.jsonl 中没有带答案的评测问题。",
        "emptied": "未通过：没有读到任何文章，而使用中的版本有文章。",
        "alone": "已评测；当时没有使用中的版本可以比较。",
        "not_compared": "已评测，但没有可比较的数据：当时使用中的版本无法打开。",
        "passed": "检索质量的变化在允许范围内。",
        "worse": "检索质量下降超出允许范围：recall@5 {recall_before} → {recall}，ndcg@10 {ndcg_before} → {ndcg}。",
    },
    "zh-Hant": {
        "title": "知識索引的歷史",
        "chart": "每次建置的檢索品質",
        "nothing": "還沒有任何紀錄。",
        "none": "還沒有評測過的建置。",
        "summary": "共評測過 {n} 次建置。最近一次：recall@5 {recall}，ndcg@10 {ndcg}。",
        "summary_of_one": "共評測過 1 次建置：recall@5 {recall}，ndcg@10 {ndcg}。",
        "when": "時間（UTC）",
        "who": "操作人",
        "what": "操作",
        "version": "版本",
        "note": "說明",
        "build": "建置",
        "activate": "啟用",
        "rollback": "還原",
        "prune": "清理",
        "done": "完成",
        "held": "未通過，已攔下",
        "failed": "失敗",
        "forced": "強制",
        "active": "使用中",
        "api": "API",
        "command": "命令列",
        "deleted": "已刪除 {versions}",
        "unmeasured": "未評測：golden.jsonl 中沒有附答案的評測問題。",
        "emptied": "未通過：沒有讀到任何文章，而使用中的版本有文章。",
        "alone": "已評測；當時沒有使用中的版本可以比較。",
        "not_compared": "已評測，但沒有可比較的數據：當時使用中的版本無法開啟。",
        "passed": "檢索品質的變化在允許範圍內。",
        "worse": "檢索品質下降超出允許範圍：recall@5 {recall_before} → {recall}，ndcg@10 {ndcg_before} → {ndcg}。",
    },
}


def figures_of(entry: Entry) -> Mapping[str, Any] | None:
    """The measured quality in a build's entry."""
    figures: Mapping[str, Any] | None = (entry.details.get("gate") or {}).get("figures")
    return figures


def what(entry: Entry, language: str) -> str:
    """What was done, and how it ended unless well."""
    words = WORDS[language]
    return words[entry.action] + ("" if entry.outcome == "done" else f" ({words[entry.outcome]})")


def who(entry: Entry, language: str) -> str:
    """Who did it and where."""
    return f"{entry.who} ({WORDS[language].get(entry.via, entry.via)})"


def note(entry: Entry, language: str) -> str:
    """What else there is to say. What failed says so in the words of its error."""
    words = WORDS[language]
    deleted = entry.details.get("deleted")
    said = [
        words["forced"] if entry.is_forced else "",
        _verdict(entry, words) or entry.message,
        words["deleted"].format(versions=", ".join(deleted)) if deleted else "",
    ]
    return " · ".join(filter(None, said))


def _verdict(entry: Entry, words: Mapping[str, str]) -> str | None:
    """The gate's verdict, told anew from its figures; None where its own words, which are English, are to be taken."""
    gate = entry.details.get("gate")
    if not gate or "worse" not in words:
        return None
    now, before = gate.get("figures"), gate.get("baseline")
    if not now:
        return words["unmeasured" if gate["is_passed"] else "emptied"]
    if not before:
        return words["not_compared" if entry.previous else "alone"]
    if gate["is_passed"]:
        return words["passed"]
    return words["worse"].format(
        recall_before=f"{before['recall_at_5']:.3f}",
        recall=f"{now['recall_at_5']:.3f}",
        ndcg_before=f"{before['ndcg_at_10']:.3f}",
        ndcg=f"{now['ndcg_at_10']:.3f}",
    )
