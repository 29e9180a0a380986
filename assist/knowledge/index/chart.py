"""The history as a page with a chart: one file that loads nothing, readable by screen readers and in the dark."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from assist.knowledge.index.history import Entry
from assist.knowledge.index.wording import WORDS, figures_of, note, what, who

WIDTH, HEIGHT, EDGE = 860, 260, 44
SHOWN: Final = 200
"""Builds in the chart and lines in the table, the latest."""
_BARS: Final = "▁▂▃▄▅▆▇█"
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --line: #d5dbe3; --paper: #fff; --one: #0b6bcb;
  --two: #b3470b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf1; --soft: #a4afbd; --line: #3a4451; --paper: #14191f;
  --one: #7ab8ff; --two: #ffb27a; --bad: #ff9d94; } }
body { font: 16px/1.5 system-ui, "PingFang SC", "PingFang TC", "Noto Sans CJK SC", sans-serif; color: var(--ink);
  background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--line); } .one { stroke: var(--one); fill: none; } .two { stroke: var(--two); fill: none;
  stroke-dasharray: 6 3; } circle.one { fill: var(--one); } circle.two { fill: var(--two); }
circle.held { fill: var(--paper); stroke: var(--bad); stroke-width: 2; }
.key span { margin-right: 1.5rem; } .key .one::before { content: "━ "; color: var(--one); }
.key .two::before { content: "╍ "; color: var(--two); } .key .held::before { content: "○ "; color: var(--bad); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { text-align: start; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th, td:nth-child(-n+3) { white-space: nowrap; }
td.figure { text-align: end; font-variant-numeric: tabular-nums; }
"""


LEAST_RANGE: Final = 0.05
"""A line is not stretched further, or a loss of a thousandth would look like a collapse."""


def sparkline(values: Sequence[float]) -> str:
    """Values between 0 and 1 as a line of blocks: full for the highest, empty `LEAST_RANGE` or more below it."""
    high = max(values)
    low = min(*values, high - LEAST_RANGE)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values)


def history_page(entries: Sequence[Entry], active: str | None, language: str) -> str:
    """A whole HTML page in zh-Hans, zh-Hant or en."""
    words = WORDS[language]
    measured = [entry for entry in entries if figures_of(entry)][-SHOWN:]
    rows = "\n".join(_row(entry, active, language) for entry in reversed(entries[-SHOWN:]))
    heads = "".join(
        f'<th scope="col">{escape(head)}</th>'
        for head in (words["when"], words["who"], words["what"], words["version"], "recall@5", "ndcg@10", words["note"])
    )
    return f"""<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{words["title"]}</title>
<style>{_STYLE}</style>
<main>
<h1>{words["title"]}</h1>
<h2>{words["chart"]}</h2>
{_chart(measured, words) if measured else f"<p>{words['none']}</p>"}
<div class="wide" tabindex="0" role="region" aria-label="{words["title"]}"><table>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody></table></div>
</main>
</html>
"""


def _chart(measured: Sequence[Entry], words: Mapping[str, str]) -> str:
    figures = [figures_of(entry) or {} for entry in measured]
    lines = {"one": [f["recall_at_5"] for f in figures], "two": [f["ndcg_at_10"] for f in figures]}
    low = min(map(min, lines.values()))
    low = max(0.0, int((low - 0.02) * 20) / 20)

    def x(number: int) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * (number / (len(measured) - 1) if len(measured) > 1 else 0.5)

    def y(value: float) -> float:
        return HEIGHT - EDGE + (2 * EDGE - HEIGHT) * (value - low) / (1 - low)

    parts = []
    for step in range(5):
        value = low + (1 - low) * step / 4
        parts.append(f'<line class="grid" x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text x="{EDGE - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for number, anchor in {0: "start", len(measured) - 1: "end"}.items():
        day = f"{measured[number].at:%Y-%m-%d}"
        parts.append(f'<text x="{x(number):.1f}" y="{HEIGHT - 14}" text-anchor="{anchor}">{day}</text>')
    for style, values in lines.items():
        points = " ".join(f"{x(number):.1f},{y(value):.1f}" for number, value in enumerate(values))
        parts.append(f'<polyline class="{style}" stroke-width="2" points="{points}"/>')
        name = "recall@5" if style == "one" else "ndcg@10"
        for number, (entry, value) in enumerate(zip(measured, values, strict=True)):
            mark = "held" if entry.outcome == "held" else style
            told = escape(f"{entry.version}: {name} {value:.3f}")
            parts.append(
                f'<circle class="{mark}" r="4" cx="{x(number):.1f}" cy="{y(value):.1f}"><title>{told}</title></circle>'
            )
    last = figures[-1]
    summary = words["summary" if len(measured) > 1 else "summary_of_one"].format(
        n=len(measured), recall=f"{last['recall_at_5']:.3f}", ndcg=f"{last['ndcg_at_10']:.3f}"
    )
    return f"""<p>{summary}</p>
<p class="key" aria-hidden="true"><span class="one">recall@5</span><span class="two">ndcg@10</span>
<span class="held">{words["held"]}</span></p>
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(words["chart"] + ": " + summary)}">
{"".join(parts)}
</svg>"""


def _row(entry: Entry, active: str | None, language: str) -> str:
    figures = figures_of(entry) or {}
    is_active = entry.version is not None and entry.version == active
    version = (entry.version or "") + (f" ({WORDS[language]['active']})" if is_active else "")
    cells = [f"{entry.at:%Y-%m-%d %H:%M:%S}", who(entry, language), what(entry, language), version]
    numbers = [f"{figures[name]:.3f}" if name in figures else "" for name in ("recall_at_5", "ndcg_at_10")]
    return (
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "".join(f'<td class="figure">{number}</td>' for number in numbers)
        + f"<td>{escape(note(entry, language))}</td></tr>"
    )
