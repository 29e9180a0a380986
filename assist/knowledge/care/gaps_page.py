"""The gaps as one HTML page that needs nothing else: no script, no font, no image from anywhere."""

from collections.abc import Mapping
from html import escape
from typing import Final

from assist.domain import ArticleLanguage
from assist.knowledge.care.gaps import Gap, Gaps

BARS: Final = 20
"""Gaps in the chart; the table has them all."""
ROW: Final = 34
LABEL_WIDTH, BAR_WIDTH, WIDTH = 330, 470, 900
LABEL_UNITS: Final = 38
"""Width of a label in Latin letters; a Han character is two."""

_WORDS: Final[dict[ArticleLanguage, dict[str, str]]] = {
    "en": {
        "title": "What customers ask and the articles do not answer",
        "period": "{since} to {until}, compared with the {days}-day period before",
        "none": "No group of open questions is large enough. Good work, or a quiet time.",
        "chart": "Conversations by open question",
        "now": "this period",
        "before": "period before",
        "question": "Question",
        "count": "Conversations",
        "trend": "Trend",
        "new": "new",
        "same": "unchanged",
        "negative": "Negative",
        "intensity": "Intensity",
        "languages": "Languages: {list}",
        "words": "Words: {list}",
        "comma": ", ",
        "examples": "Examples:",
        "dismissed": "Turned down: {list}. Improve these rather than write something new.",
        "nothing": "Nothing was found for {n} of {all}.",
        "draft": "Draft {name}",
        "looked": "Open questions looked at: {asked}. No answer wanted: {small}; answered by now: {answered}; in groups"
        " below the minimum: {single}; left out: {left}.",
        "zh-Hans": "Simplified Chinese",
        "zh-Hant": "Traditional Chinese",
        "en": "English",
        "mixed": "mixed",
        "other": "other",
    },
    "zh-Hans": {
        "title": "顾客在问、知识库还没答上的问题",
        "period": "{since} 至 {until}，与之前 {days} 天对比",
        "none": "没有达到最低数量的未解答问题。",
        "chart": "各未解答问题的会话数",
        "now": "本期",
        "before": "上期",
        "question": "问题",
        "count": "会话数",
        "trend": "趋势",
        "new": "新出现",
        "same": "持平",
        "negative": "负面情绪",
        "intensity": "强度",
        "languages": "语言：{list}",
        "words": "关键词：{list}",
        "comma": "、",
        "examples": "原话：",
        "dismissed": "客服没有采用：{list}。建议先改这些内容，不必另写新文章。",
        "nothing": "{all} 次提问中有 {n} 次没有找到内容。",
        "draft": "草稿 {name}",
        "looked": "共查看 {asked} 条未解答的提问：{small} 条本身不需要回答，{answered} 条现在已有答案，"
        "{single} 条未达最低数量，{left} 条未参与归类。",
        "zh-Hans": "简体中文",
        "zh-Hant": "繁体中文",
        "en": "英文",
        "mixed": "中英混合",
        "other": "其他",
    },
    "zh-Hant": {
        "title": "顧客在問、知識庫還沒答上的問題",
        "period": "{since} 至 {until}，與先前 {days} 天比較",
        "none": "沒有達到最低數量的未解答問題。",
        "chart": "各未解答問題的對話數",
        "now": "本期",
        "before": "上期",
        "question": "問題",
        "count": "對話數",
        "trend": "趨勢",
        "new": "新出現",
        "same": "持平",
        "negative": "負面情緒",
        "intensity": "強度",
        "languages": "語言：{list}",
        "words": "關鍵字：{list}",
        "comma": "、",
        "examples": "原話：",
        "dismissed": "客服沒有採用：{list}。建議先修改這些內容，不必另寫新文章。",
        "nothing": "{all} 次提問中有 {n} 次沒有找到內容。",
        "draft": "草稿 {name}",
        "looked": "共檢視 {asked} 則未解答的提問：{small} 則本身不需要回答，{answered} 則現在已有答案，"
        "{single} 則未達最低數量，{left} 則未納入分組。",
        "zh-Hans": "簡體中文",
        "zh-Hant": "繁體中文",
        "en": "英文",
        "mixed": "中英混合",
        "other": "其他",
    },
}

_STYLE: Final = """
:root { color-scheme: light dark; --page: light-dark(#f4f6f8, #16191e); --panel: light-dark(#fff, #1f242b);
  --ink: light-dark(#1d242e, #e9edf2); --soft: light-dark(#4d5866, #b3bdca); --line: light-dark(#d5dbe2, #39424e);
  --bar: light-dark(#0f6f7a, #55b9c4); --mark: light-dark(#8a4b00, #f0b25a); }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem; background: var(--page); color: var(--ink);
  font: 1rem/1.6 system-ui, "PingFang SC", "PingFang TC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p { margin: .4rem 0; } .soft { color: var(--soft); }
figure, article { background: var(--panel); border: 1px solid var(--line); border-radius: .6rem; margin: 1.25rem 0;
  padding: 1rem 1.25rem; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font: 15px system-ui, sans-serif; }
.now { fill: var(--bar); } .before { fill: none; stroke: var(--mark); stroke-width: 2.5; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: start; vertical-align: top; }
td { overflow-wrap: anywhere; } .number { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; } a { color: inherit; }
pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--page); padding: .75rem;
  border-radius: .4rem; } summary { cursor: pointer; }
@media print { details > pre { display: none; } }
"""


def gaps_page(found: Gaps, language: ArticleLanguage) -> str:
    """The whole page as text, in the language given. What customers wrote is shown as text, whatever it holds."""
    words = _WORDS[language]
    days = (found.until - found.since).days
    period = words["period"].format(since=found.since.date(), until=found.until.date(), days=days)
    looked = words["looked"].format(
        asked=found.asked, small=found.small_talk, answered=found.answered, single=found.single, left=found.left_out
    )
    body = [_chart(found.gaps[:BARS], words), _table(found.gaps, words), *(_detail(gap, words) for gap in found.gaps)]
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(words["title"])}</title>
<style>{_STYLE}</style>
</head>
<body>
<header><h1>{escape(words["title"])}</h1><p class="soft">{escape(period)}</p></header>
<main>
{"".join(body) if found.gaps else f"<p>{escape(words['none'])}</p>"}
</main>
<footer><p class="soft">{escape(looked)}</p></footer>
</body>
</html>
"""


def trend(gap: Gap, words: Mapping[str, str]) -> str:
    """The change against the period before: `+4`, `-2`, unchanged or new."""
    if not gap.before:
        return words["new"]
    return f"{gap.count - gap.before:+d}" if gap.count != gap.before else words["same"]


def _chart(gaps: tuple[Gap, ...], words: Mapping[str, str]) -> str:
    """Bars of this period, outlined boxes of the one before. The table below says the same to those who cannot see."""
    if not gaps:
        return ""
    most = max(max(gap.count, gap.before) for gap in gaps)
    rows = []
    for number, gap in enumerate(gaps):
        top = number * ROW
        now, before = (round(BAR_WIDTH * value / most, 1) for value in (gap.count, gap.before))
        said = f"{gap.title}: {words['now']} {gap.count}, {words['before']} {gap.before}"
        rows.append(
            f'<g><title>{escape(said)}</title><text x="{LABEL_WIDTH}" y="{top + 22}" text-anchor="end">'
            f'{escape(_short(gap.title))}</text><rect class="now" x="{LABEL_WIDTH + 12}" y="{top + 7}" width="{now}"'
            f' height="20" rx="3"/><rect class="before" x="{LABEL_WIDTH + 12}" y="{top + 4}" width="{before}"'
            f' height="26" rx="3"/><text x="{LABEL_WIDTH + 24 + max(now, before)}" y="{top + 22}">{gap.count}'
            f" ({escape(trend(gap, words))})</text></g>"
        )
    height = len(gaps) * ROW + 40
    key = (
        f'<g transform="translate({LABEL_WIDTH + 12} {height - 26})"><rect class="now" width="18" height="16" rx="3"/>'
        f'<text x="26" y="14">{escape(words["now"])}</text><rect class="before" x="170" width="18" height="16" rx="3"/>'
        f'<text x="196" y="14">{escape(words["before"])}</text></g>'
    )
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(words["chart"])}">'
        f"{''.join(rows)}{key}</svg></figure>\n"
    )


def _table(gaps: tuple[Gap, ...], words: Mapping[str, str]) -> str:
    heads = "".join(
        f'<th scope="col"{_NUMBER if number else ""}>{escape(words[name])}</th>'
        for name, number in (("question", 0), ("count", 1), ("trend", 1), ("negative", 1), ("intensity", 1))
    )
    rows = "".join(
        f'<tr><td><a href="#{escape(gap.id)}">{escape(gap.title)}</a></td><td{_NUMBER}>{gap.count}</td>'
        f"<td{_NUMBER}>{escape(trend(gap, words))}</td><td{_NUMBER}>{gap.negative:.0%}</td>"
        f"<td{_NUMBER}>{gap.intensity:.2f}</td></tr>"
        for gap in gaps
    )
    return (
        f'<div class="table"><table><caption class="soft">{escape(words["chart"])}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>\n"
    )


_NUMBER: Final = ' class="number"'


def _detail(gap: Gap, words: Mapping[str, str]) -> str:
    comma = words["comma"]
    languages = comma.join(f"{words[language]} {count}" for language, count in gap.languages.items())
    lines = [
        words["languages"].format(list=languages),
        words["words"].format(list=comma.join(gap.terms)),
        words["nothing"].format(n=gap.nothing_found, all=gap.questions),
    ]
    if gap.dismissed:
        listed = comma.join(f"{source} ({count})" for source, count in gap.dismissed.items())
        lines.append(words["dismissed"].format(list=listed))
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    examples = "".join(f"<li>{escape(text)}</li>" for text in gap.examples)
    draft = escape(words["draft"].format(name=gap.draft_name))
    return (
        f'<article id="{escape(gap.id)}"><h2>{escape(gap.title)}</h2>{said}<p>{escape(words["examples"])}</p>'
        f"<ul>{examples}</ul><details><summary>{draft}</summary><pre>{escape(gap.draft)}</pre></details></article>\n"
    )


def _short(text: str) -> str:
    """The text cut to the width of a label."""
    width = 0
    for at, char in enumerate(text):
        width += 2 if ord(char) > 0x2E7F else 1
        if width > LABEL_UNITS:
            return text[: max(at - 1, 0)] + "…"
    return text
