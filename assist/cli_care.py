"""The commands that keep the knowledge sound: what is wrong with the articles, and what they do not answer."""

import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, cast, get_args
from zoneinfo import ZoneInfo

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from assist import settings as configuration
from assist.cli_parts import AsJson, Data, Models, Source, Speech, from_log, index_store, progress_bar
from assist.domain import OpenQuestion, Phrase, PhraseReview, PhraseUse
from assist.errors import AssistError, Unavailable
from assist.inference.encoder import Encoder
from assist.knowledge.care import checks
from assist.knowledge.care.findings import Finding, Kind
from assist.knowledge.care.gaps import Gaps, find_gaps
from assist.knowledge.care.gaps_page import gaps_page
from assist.knowledge.care.urls import dead_urls
from assist.knowledge.care.vectors import query_means
from assist.knowledge.index import IndexStore
from assist.knowledge.sources import read_folder, read_phrases
from assist.settings import Settings
from assist.suggest.answers import ANSWER_THRESHOLD
from assist.text.counting import counted

FOUND, FAILED = 1, 2
"""Exit codes: something is to be put right; the command could not run."""

care = typer.Typer(no_args_is_help=True, add_completion=False, help="Care of the knowledge: check it, find its gaps.")

ReviewName = StrEnum("ReviewName", {name: name for name in get_args(PhraseReview)})  # type: ignore[misc]
KindName = StrEnum("KindName", {name: name for name in checks.KINDS})  # type: ignore[misc]
_COLOURS: dict[str, str] = {"error": "red", "warning": "yellow", "note": "cyan"}


@care.command()
def check(
    source: Source = None,
    data: Data = None,
    models: Models = None,
    kind: Annotated[list[KindName] | None, typer.Option(help="Look for this kind only; may be given again.")] = None,
    days: Annotated[int, typer.Option(min=1, help="How far back the log is read.")] = 90,
    online: Annotated[bool, typer.Option("--online", help="Ask web addresses whether they are still there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with the articles: duplicates, contradictions, expired, dead links, often dismissed and so on.

    Exit code 0 if nothing is, 1 if something is, 2 if the check could not run.

    Example: assist knowledge check --kind contradiction --kind dead_link
    """
    with _sentences(as_json):
        settings = configuration.load(data_dir=data, models_dir=models, knowledge_dir=source)
        kinds = [cast(Kind, one.value) for one in kind] if kind else list(checks.KINDS)
        content = read_folder(settings.knowledge_dir)
        since = datetime.now(UTC) - timedelta(days=days)
        use = from_log(settings, lambda log: log.article_use(since))
        folder = checks.KnowledgeFolder(
            settings.knowledge_dir, content.articles, content.situations, content.glossary, content.problems, use
        )
        with progress_bar(quiet=as_json) as told:
            found = checks.check(
                folder,
                today=datetime.now(ZoneInfo(settings.timezone)).date(),
                encoder=lambda: Encoder(settings.models_dir),
                store=IndexStore(settings.index_dir),
                kinds=kinds,
                dead_urls=partial(dead_urls, progress=told("Asking web addresses")) if online else None,
                progress=told("Reading sentences"),
            )
        unjudged = _unjudged(folder, kinds, online=online)
        if as_json:
            _last_line({"findings": [_plain(finding) for finding in found], "not_judged": unjudged})
        else:
            _show_findings(found, len(content.articles), unjudged)
    if found:
        raise typer.Exit(FOUND)


@care.command()
def gaps(
    data: Data = None,
    models: Models = None,
    days: Annotated[int, typer.Option(min=1, help="Length of the period, and of the one before it.")] = 30,
    least: Annotated[int, typer.Option("--min", min=1, help="Fewest conversations that make a gap.")] = 3,
    html: Annotated[Path | None, typer.Option(help="Write a page with a chart to this file.")] = None,
    language: Annotated[Speech, typer.Option(help="Language of the page.")] = Speech.english,
    as_json: AsJson = False,
) -> None:
    """Group the questions of the log that found nothing, or whose answers were dismissed; draft an article for each.

    Exit code 0, or 2 if the log or the index cannot be read.

    Example: assist knowledge gaps --days 30 --min 3 --html gaps.html --language zh-Hans
    """
    with _sentences(as_json):
        settings = configuration.load(data_dir=data, models_dir=models)
        until = datetime.now(UTC)
        asked = from_log(settings, lambda log: log.open_questions(until - timedelta(days=2 * days)))
        if asked is None:
            raise Unavailable(f"there is no log at {settings.data_dir}: nothing was asked yet")
        store = index_store(settings)
        found = _gaps(settings, store, asked, until, days=days, least=least, quiet=as_json)
        if html is not None:
            try:
                html.write_text(gaps_page(found, language.value), encoding="utf-8")
            except OSError as error:
                raise AssistError(f"cannot write {html}: {error.strerror}") from error
        if as_json:
            _last_line(asdict(found))
        else:
            _show_gaps(found, html)


@care.command()
def phrases(
    source: Source = None,
    data: Data = None,
    review: Annotated[ReviewName | None, typer.Option(help="Phrases of this state only.")] = None,
    language: Annotated[Speech | None, typer.Option(help="Phrases of this language only.")] = None,
    days: Annotated[int, typer.Option(min=1, help="How far back the log is read.")] = 90,
    as_json: AsJson = False,
) -> None:
    """List the phrases with their review state, author and reason, and what agents did with them.

    Only approved phrases are shown to agents; the state is a field of `phrases/*.jsonl`.

    Example: assist knowledge phrases --review draft --language en
    """
    with _sentences(as_json):
        settings = configuration.load(data_dir=data, knowledge_dir=source)
        chosen = [
            phrase
            for phrase in read_phrases(settings.knowledge_dir)
            if review in (None, phrase.review) and language in (None, phrase.language)
        ]
        since = datetime.now(UTC) - timedelta(days=days)
        use = {one.id: one for one in from_log(settings, lambda log: log.phrase_use(since)) or ()}
        if as_json:
            _last_line(
                {"phrases": [{**asdict(one), "use": asdict(use[one.id]) if one.id in use else None} for one in chosen]}
            )
        else:
            _show_phrases(chosen, use)


def _show_phrases(chosen: Sequence[Phrase], use: Mapping[str, PhraseUse]) -> None:
    console = Console()
    right: dict[str, Any] = {"justify": "right", "no_wrap": True}
    table = Table(
        Column("phrase", no_wrap=True),
        Column("state", no_wrap=True),
        Column("text", overflow="fold", ratio=2),
        Column("reason", overflow="fold", ratio=1),
        *(Column(name, **right) for name in ("shown", "sent", "edited", "dismissed")),
        expand=True,
    )
    for one in chosen:
        did = use.get(one.id) or PhraseUse(one.id, 0, 0, 0, 0, 0)
        counts = (did.shown, did.accepted, did.edited, did.dismissed)
        table.add_row(one.id, one.review, escape(one.text), escape(one.reason), *map(str, counts))
    if chosen:
        console.print(table)
    states = Counter(one.review for one in chosen)
    told = ", ".join(f"{states[state]} {state}" for state in get_args(PhraseReview) if states[state])
    console.print(f"{counted(len(chosen), 'phrase')}{': ' + told if told else ''}.")


def _gaps(
    settings: Settings,
    store: IndexStore,
    asked: Sequence[OpenQuestion],
    until: datetime,
    *,
    days: int,
    least: int,
    quiet: bool,
) -> Gaps:
    knowledge = store.open()
    encoder = Encoder(settings.models_dir)
    with progress_bar(quiet=quiet) as told:
        return find_gaps(
            asked,
            until=until,
            days=days,
            least=least,
            threshold=ANSWER_THRESHOLD,
            encoder=encoder,
            knowledge=knowledge,
            means=query_means(store),
            progress=told("Reading questions"),
        )


def _unjudged(folder: checks.KnowledgeFolder, kinds: Sequence[Kind], *, online: bool) -> list[str]:
    """What was asked for and could not be looked at, and why."""
    said = []
    if folder.use is None and checks.BY_LOG & set(kinds):
        said.append("never_shown and often_dismissed: there is no log yet")
    elif folder.use is not None and "never_shown" in kinds and not checks.can_judge_use(folder.articles, folder.use):
        said.append(f"never_shown: the log holds fewer than {checks.SHOWN_PER_TOPIC} answers a topic")
    if "dead_link" in kinds and not online:
        said.append("web addresses: only with --online")
    return said


def _show_findings(found: Sequence[Finding], articles: int, unjudged: Sequence[str]) -> None:
    console = Console()
    for kind, group in groupby(found, key=lambda finding: finding.kind):
        table = Table(
            Column("severity", no_wrap=True),
            Column("place", overflow="fold", max_width=44),
            Column("finding", overflow="fold", ratio=1),
            title=kind.replace("_", " "),
            title_justify="left",
            title_style="bold",
            expand=True,
        )
        for one in group:
            quotes = "".join(f"\n[dim]{escape(str(q.place))}[/dim]\n  {escape(q.text)}" for q in one.quotes)
            severity = f"[{_COLOURS[one.severity]}]{one.severity}[/]"
            table.add_row(severity, escape(str(one.place)), escape(one.message) + quotes)
        console.print(table)
    total = counted(articles, "article")
    for line in unjudged:
        console.print(f"[dim]Not judged: {escape(line)}[/dim]")
    console.print(f"{counted(len(found), 'finding')} in {total}." if found else f"{total}, nothing wrong.")


def _show_gaps(found: Gaps, html: Path | None) -> None:
    console = Console()
    if found.gaps:
        right: dict[str, Any] = {"justify": "right", "no_wrap": True}
        table = Table(
            Column("question", overflow="fold", ratio=1),
            Column("conv.", **right),
            Column("before", **right),
            Column("negative", **right),
            Column("intensity", **right),
            "languages",
            Column("dismissed", overflow="fold"),
            expand=True,
        )
        for gap in found.gaps:
            examples = "".join(f"\n[dim]· {escape(text)}[/dim]" for text in gap.examples[1:3])
            table.add_row(
                escape(gap.title) + examples,
                str(gap.count),
                str(gap.before) if gap.before else "new",
                f"{gap.negative:.0%}",
                f"{gap.intensity:.2f}",
                " ".join(f"{language} {count}" for language, count in gap.languages.items()),
                escape(", ".join(f"{source} {count}" for source, count in gap.dismissed.items())),
            )
        console.print(table)
    console.print(
        f"{counted(len(found.gaps), 'gap')} in {counted(found.asked, 'open question')}. No answer wanted: "
        f"{found.small_talk}; answered by now: {found.answered}; in smaller groups: {found.single}; "
        f"over the limit: {found.left_out}."
    )
    if html is not None:
        console.print(f"The page is in {escape(str(html))}.")


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "severity": finding.severity,
        "file": finding.place.path,
        "line": finding.place.line,
        "message": finding.message,
        "quotes": [{"file": q.place.path, "line": q.place.line, "text": q.text} for q in finding.quotes],
    }


def _last_line(document: Mapping[str, Any]) -> None:
    typer.echo(to_json(document).decode())
    sys.stdout.flush()


@contextmanager
def _sentences(as_json: bool) -> Iterator[None]:
    """Errors end the command with exit code 2, since 1 means that something was found; our own with a sentence."""
    try:
        yield
    except AssistError as error:
        for problem in error.details.get("problems", ()):
            typer.echo(problem, err=True)
        typer.echo(f"assist: {error.message}", err=True)
        if as_json:
            _last_line({"message": error.message, **error.details})
        raise typer.Exit(FAILED) from error
    except Exception as error:
        traceback.print_exc()
        if as_json:
            _last_line({"message": f"{type(error).__name__}: {error}"})
        raise typer.Exit(FAILED) from error
