"""Versions, changes, the gate's verdict and the history as tables in a terminal."""

from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from assist.knowledge.index.gate import REASONS, AnswerChange, Gate, Worse
from assist.knowledge.index.history import Entry
from assist.knowledge.index.records import RecordChange
from assist.knowledge.index.wording import WORDS, figures_of, note, what, who
from assist.text.counting import counted

ROWS = 30
"""Lines of a list that a terminal shows; JSON has them all."""


def show_rows(title: str, rows: dict[str, str]) -> None:
    """Names and values."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows.items():
        table.add_row(name, value)
    console().print(table)


def show_changes(title: str, changes: Sequence[RecordChange]) -> None:
    """Records that one version has and another lacks or has otherwise."""
    if changes:
        table = Table("change", "kind", "record", title=title, title_justify="left")
        for change in changes[:ROWS]:
            table.add_row(change.change, change.kind, Text(change.name))
        _print(table, len(changes))


def show_answers(changes: Sequence[AnswerChange], questions: int) -> None:
    """Questions whose first article changes."""
    verb = "gets" if len(changes) == 1 else "get"
    typer.echo(f"{len(changes):,} of {counted(questions, 'question')} {verb} another first article.")
    if changes:
        table = Table("question", "language", "first article now", right("relevance"), "then", right("relevance"))
        for one in changes[:ROWS]:
            before, after = one.before or "nothing", one.after or "nothing"
            cells = (one.query, one.language, before, f"{one.relevance_before:.2f}", after, f"{one.relevance:.2f}")
            table.add_row(*map(Text, cells))
        _print(table, len(changes))


def show_gate(gate: Gate) -> None:
    """The verdict with its figures."""
    typer.echo(f"Gate: {gate.message}")
    if gate.figures:
        table = Table("judged queries", right("n"), right("recall@5"), right("ndcg@10"))
        for name, figures in (("in use", gate.baseline), ("new", gate.figures)):
            if figures:
                table.add_row(name, str(figures.queries), figure(figures.recall_at_5), figure(figures.ndcg_at_10))
        console().print(table)
    show_worse(gate.worse)


def show_worse(worse: Sequence[Worse]) -> None:
    """Queries that got worse, and why."""
    if worse:
        table = Table("query", "article", right("place"), right("relevance"), "why", title="Queries that got worse")
        table.title_justify = "left"
        for one in worse[:ROWS]:
            why = REASONS[one.reason]
            if one.by and one.by_relevance is not None:
                why += f": {one.by} ({one.by_relevance:.2f})"
            now = "–" if one.rank is None else str(one.rank)
            relevance = "–" if one.relevance is None else f"{one.relevance:.2f}"
            places = (f"{one.rank_before} → {now}", f"{one.relevance_before:.2f} → {relevance}")
            table.add_row(Text(one.query), Text(one.article), *places, Text(why))
        _print(table, len(worse))


def show_history(entries: Sequence[Entry], language: str = "en") -> None:
    """Who did what and when."""
    words = WORDS[language]
    heads = (words["when"], words["who"], words["what"], Column(words["version"], no_wrap=True))
    table = Table(*heads, right("recall@5"), right("ndcg@10"), Column(words["note"], overflow="fold"))
    for entry in entries:
        figures = figures_of(entry) or {}
        table.add_row(
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            Text(who(entry, language)),
            Text(what(entry, language)),
            entry.version or "",
            figure(figures.get("recall_at_5")),
            figure(figures.get("ndcg_at_10")),
            Text(note(entry, language)),
        )
    console().print(table if entries else words["nothing"])


def console() -> Console:
    """As wide as the terminal; what goes into a file or pipe is not cut at 80 columns."""
    found = Console()
    return found if found.is_terminal else Console(width=140)


def right(title: str) -> Column:
    """A column of numbers."""
    return Column(title, justify="right")


def figure(value: float | None) -> str:
    """A measured value, or nothing."""
    return "" if value is None else f"{value:.3f}"


def _print(table: Table, rows: int) -> None:
    console().print(table)
    if rows > ROWS:
        typer.echo(f"… and {rows - ROWS} more; --json has them all.")
