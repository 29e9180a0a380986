"""The commands of knowledge managers: build the index, look at its versions, switch, go back, clear up."""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
import watchfiles
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from assist import settings as configuration
from assist.errors import AssistError, KnowledgeError, Unavailable
from assist.inference.encoder import Encoder
from assist.inference.manifest import Manifest as ModelManifest
from assist.knowledge.index import IndexStore, Manifest, files
from assist.knowledge.index.chart import history_page, sparkline
from assist.knowledge.index.gate import REASONS, AnswerChange, Gate, Margins, Worse
from assist.knowledge.index.history import Actor, Entry, build_of, held_back, os_user
from assist.knowledge.index.publish import Preview, Published, Stage, preview, publish
from assist.knowledge.index.records import RecordChange, changes_between
from assist.knowledge.judgements import LANGUAGES, Judgement
from assist.knowledge.ranking import Relevance
from assist.settings import Settings
from assist.storage.records import SuggestionFilter, iso
from assist.storage.repository import Repository

HELD = 3
"""Exit code of a build that the gate held back."""
ROWS = 30
"""Lines of a list that a terminal shows; JSON has them all."""
MOST_QUESTIONS = 500
TOLD_EVERY_S = 0.25

_HELP = """Versions of the knowledge index: list, show, switch, go back, clear up.

Example: scripts/knowledge list
"""
knowledge = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The knowledge: its versions and their history, what is wrong with it, what it lacks.",
)
Data = Annotated[Path | None, typer.Option(help="Folder of the database and the index.  [env: ASSIST_DATA_DIR]")]
Models = Annotated[Path | None, typer.Option(help="Folder of the models.  [env: ASSIST_MODELS_DIR]")]
Source = Annotated[Path | None, typer.Option(help="Knowledge folder to read.  [env: ASSIST_KNOWLEDGE_DIR]")]
AsJson = Annotated[bool, typer.Option("--json", help="No table or progress bar; one JSON document as the last line.")]


class Speech(StrEnum):
    """Languages of the pages."""

    simplified = "zh-Hans"
    traditional = "zh-Hant"
    english = "en"


def reindex(
    source: Source = None,
    data: Data = None,
    models: Models = None,
    activate: Annotated[bool, typer.Option(help="Use the new version at once.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change; leave the index alone.")] = False,
    days: Annotated[
        int, typer.Option(min=0, help="--dry-run: also ask the questions of the log's last days; 0 asks none.")
    ] = 7,
    watch: Annotated[bool, typer.Option("--watch", help="Build again whenever a file changes, until Ctrl-C.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first problem in the source files.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Activate even what answers worse than before.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Encode everything anew.")] = False,
    prune: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Afterwards keep the N newest versions.")
    ] = None,
    as_json: AsJson = False,
    who: Annotated[str | None, typer.Option(hidden=True)] = None,
    job: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Build a new index version from the knowledge folder and use it. A running service picks it up within a second.

    Only what changed is encoded; a build that was killed goes on where it was. If the new version answers
    the judged queries (golden.jsonl in the knowledge folder) worse than the one in use, it is kept but not activated.

    \b
    Examples:
      scripts/reindex                    knowledge_base → data/index
      scripts/reindex --dry-run          what would be added, changed, removed and answered differently
      scripts/reindex --watch            follow the files
      scripts/reindex --no-activate --prune 5

    \b
    Exit codes: 0 done · 1 the source is broken · 2 could not run · 3 built, but held back as worse.
    The last line is one JSON document.
    """
    with sentences(as_json=True):
        settings = configuration.load(data_dir=data, models_dir=models, knowledge_dir=source)
        if dry_run:
            found = _preview(settings, days, strict, quiet=as_json)
            if not as_json:
                _show_preview(found)
            _say_json(_preview_json(found))
            if not found.gate.is_passed:
                raise typer.Exit(HELD)
            return
        actor = Actor(who, "api") if who else os_user()
        with _Teller(quiet=as_json, job=_Job(job) if job else None) as teller:
            builder = _Builder(settings, actor, activate, full, strict, force, prune, as_json, teller)
            if not watch:
                raise typer.Exit(builder.run())
            builder.follow()


@knowledge.command("list")
def list_versions(data: Data = None, as_json: AsJson = False) -> None:
    """All index versions, the newest first; * marks the one in use.

    Example: scripts/knowledge list
    """
    with sentences(as_json):
        store = IndexStore(configuration.load(data_dir=data).index_dir)
        entries, active, target = store.history.entries(), store.active_version(), store.rollback_target()
        manifests = store.versions()
        if as_json:
            _say_json({"active": active, "versions": [_summary(m, active, entries) for m in manifests]})
            return
        table = Table(
            "", Column("version", no_wrap=True), "built", _right("articles"), "changes", _right("recall@5"),
            _right("ndcg@10"), "by", "",
        )  # fmt: skip
        for manifest in manifests:
            told = _summary(manifest, active, entries)
            changes, figures = manifest.changes, told["figures"] or {}
            note = "held back" if told["is_held"] else "rollback goes here" if manifest.id == target else ""
            table.add_row(
                "*" if told["active"] else "",
                manifest.id,
                f"{manifest.created_at:%Y-%m-%d %H:%M}",
                f"{manifest.counts['articles']:,}",
                f"+{changes['added']} ~{changes['changed']} -{changes['removed']}",
                _figure(figures.get("recall_at_5")),
                _figure(figures.get("ndcg_at_10")),
                told["by"] or "",
                note,
            )
        _console().print(table if manifests else "There is no index version yet. Build one with: scripts/reindex")


@knowledge.command()
def show(
    version: Annotated[str, typer.Argument(help="A version from `list`, or `active`.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """One version: what it holds, how it was measured, what happened to it, how it differs from the one in use.

    Example: scripts/knowledge show active
    """
    with sentences(as_json):
        store = IndexStore(configuration.load(data_dir=data).index_dir)
        manifest = store.manifest(_resolved(store, version))
        active, entries = store.active_version(), store.history.entries()
        told = _summary(manifest, active, entries)
        differs = changes_between(store.digests(), store.digests(manifest.id)) if manifest.id != active else []
        made = build_of(entries, manifest.id)
        gate: dict[str, Any] = made.details.get("gate", {}) if made else {}
        happened = [entry for entry in entries if manifest.id in (entry.version, *entry.details.get("deleted", ()))]
        if as_json:
            details = {
                "encoder_version": manifest.encoder_version,
                "dimension": manifest.dimension,
                "seconds": manifest.seconds,
                "gate": gate or None,
                "differs_from_active": [change._asdict() for change in differs],
                "history": [_entry_json(entry) for entry in happened],
                "bytes": sum(size for size, _ in manifest.files.values()),
            }
            _say_json(told | details)
            return
        rows = {kind: f"{count:,}" for kind, count in manifest.counts.items()}
        rows |= {f"records {kind}": f"{count:,}" for kind, count in manifest.changes.items()}
        rows |= {
            "vectors reused": f"{manifest.reused:,}",
            "vectors computed": f"{manifest.embedded:,}",
            "encoder": manifest.encoder_version,
            "size": f"{sum(size for size, _ in manifest.files.values()) / 1e6:,.1f} MB",
            "seconds": f"{manifest.seconds:.1f}",
            "in use": "yes" if told["active"] else "held back" if told["is_held"] else "no",
        }
        _show_rows(f"Index version {manifest.id}", rows)
        if gate:
            typer.echo(f"Gate: {gate['message']}")
            _show_worse([Worse(**one) for one in gate.get("worse", ())])
        _show_changes("Against the version in use", differs)
        _show_history(happened)


@knowledge.command()
def activate(
    version: Annotated[str, typer.Argument(help="A version from `list`.")],
    force: Annotated[bool, typer.Option("--force", help="Even one that the gate held back.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Use a version from now on. A running service takes it within a second. Exit code 3 if the gate holds it back.

    Example: scripts/knowledge activate 20261123T091012Z-02b0c5
    """
    with sentences(as_json):
        store = IndexStore(configuration.load(data_dir=data).index_dir)
        why = store.held(version)
        if why and not force:
            _say_json({"message": why}) if as_json else typer.echo(why, err=True)
            raise typer.Exit(HELD)
        before = store.active_version()
        store.activate(version, force=force)
        _say_switched(store, before, as_json)


@knowledge.command()
def rollback(data: Data = None, as_json: AsJson = False) -> None:
    """Go back to the version that was in use before; once more goes one further back.

    Example: scripts/knowledge rollback
    """
    with sentences(as_json):
        store = IndexStore(configuration.load(data_dir=data).index_dir)
        before = store.active_version()
        store.rollback()
        _say_switched(store, before, as_json)


@knowledge.command("prune")
def prune_versions(
    keep: Annotated[int, typer.Option(min=1, metavar="N", help="How many of the newest stay.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Delete old versions: all but the newest, the one in use, and the one to which a rollback would go.

    Example: scripts/knowledge prune --keep 5
    """
    with sentences(as_json):
        deleted = IndexStore(configuration.load(data_dir=data).index_dir).prune(keep)
        if as_json:
            _say_json({"deleted": deleted})
        else:
            typer.echo("\n".join(f"deleted {version}" for version in deleted) or "There is nothing to delete.")


@knowledge.command("history")
def show_history(
    last: Annotated[int, typer.Option(min=1, metavar="N", help="How many of the latest lines.")] = 50,
    html: Annotated[Path | None, typer.Option(help="Write a page with a chart of the measured quality.")] = None,
    language: Annotated[Speech, typer.Option(help="Language of the page.")] = Speech.english,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Who built, activated, rolled back and pruned what and when, with the quality of every build.

    \b
    Examples:
      scripts/knowledge history
      scripts/knowledge history --html history.html --language zh-Hans
    """
    with sentences(as_json):
        store = IndexStore(configuration.load(data_dir=data).index_dir)
        entries = store.history.entries()
        if html is not None:
            html.write_text(history_page(entries, store.active_version(), language.value), "utf-8")
        if as_json:
            _say_json({"history": [_entry_json(entry) for entry in entries[-last:]]})
            return
        for name, title in (("recall_at_5", "recall@5"), ("ndcg_at_10", "ndcg@10")):
            values = [figures[name] for entry in entries if (figures := figures_of(entry))]
            if values:
                typer.echo(f"{title:9} {sparkline(values[-60:])}  {values[-1]:.3f}")
        _show_history(entries[-last:])
        if html is not None:
            typer.echo(f"Written: {html}")


class _Builder:
    """Runs builds with the same options, with one encoder for all of them."""

    def __init__(
        self,
        settings: Settings,
        by: Actor,
        activate: bool,
        full: bool,
        strict: bool,
        force: bool,
        prune: int | None,
        as_json: bool,
        teller: "_Teller",
    ) -> None:
        self._settings, self._by, self._prune, self._as_json, self._teller = settings, by, prune, as_json, teller
        self._options = {"activate": activate, "full": full, "strict": strict, "force": force}
        self._encoder = Encoder(settings.models_dir)
        self._store = index_store(settings)

    def run(self) -> int:
        """Build once; returns the exit code. Raises AssistError."""
        teller = self._teller
        # A build makes millions of small objects and no cycles; walking them would cost a fifth of a small change.
        gc.disable()
        try:
            published = publish(
                self._settings.knowledge_dir,
                self._store,
                self._encoder,
                by=self._by,
                on=today(self._settings),
                margins=_margins(self._settings),
                progress=teller.progress,
                **self._options,
            )
        except AssistError as error:
            teller.end(status="failed", message=error.message, problems=error.details.get("problems", []))
            raise
        finally:
            gc.enable()
        pruned = self._store.prune(self._prune, by=self._by) if self._prune else []
        said = _published_json(published, self._store.active_version(), pruned)
        teller.end(
            status="succeeded",
            version=published.manifest.id,
            problems=list(published.problems),
            activated=published.is_active,
            gate=said["gate"],
            message=None if published.gate.is_passed else published.gate.message,
        )
        if not self._as_json:
            _show_published(published, self._store.active_version(), pruned)
        _say_json(said)
        return HELD if self._options["activate"] and not published.is_active else 0

    def follow(self) -> None:
        """Build now and whenever a file changes, until interrupted."""
        folder = self._settings.knowledge_dir
        if not folder.is_dir():
            raise KnowledgeError(f"no knowledge folder at {folder}")
        changes = watchfiles.watch(folder, debounce=5000, step=200, rust_timeout=200, yield_on_timeout=True)
        try:
            next(changes)  # from here on nothing is missed, also not what changes during the first build
            self._attempt()
            for found in changes:
                if found:
                    self._teller.say(f"{len(found)} files changed")
                    self._attempt()
        except KeyboardInterrupt:
            return

    def _attempt(self) -> None:
        try:
            self.run()
        except AssistError as error:
            for line in error.details.get("problems", []):
                typer.echo(line, err=True)
            typer.echo(f"{error.message} Waiting for the next change.", err=True)


class _Job:
    """The file in which the service looks how a build that it ordered is going; the service has written the order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: dict[str, Any] = json.loads(path.read_text("utf-8"))

    def update(self, **fields: object) -> None:
        """Put new values in, at once."""
        self._state |= fields
        files.replace(self._path, json.dumps(self._state, ensure_ascii=False, default=str).encode("utf-8", "replace"))


class _Rate(ProgressColumn):
    """Texts a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", "progress.data.speed")


class _Teller:
    """Tells how a build is going: to the terminal as a bar, to the service through a job's file."""

    def __init__(self, *, quiet: bool, job: _Job | None) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=quiet,
            transient=True,
        )
        self._task = self._bar.add_task("reading", total=None)
        self._job, self._stage, self._begun, self._told = job, "", 0.0, 0.0

    def __enter__(self) -> "_Teller":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def progress(self, stage: Stage, done: int, total: int) -> None:
        """Note how far a stage is."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._begun, self._told = stage, now, 0.0
            self._bar.reset(self._task, description=stage, total=total or None)
        self._bar.update(self._task, completed=done, total=total or None)
        if self._job and (now - self._told >= TOLD_EVERY_S or done == total):
            rate = done / (now - self._begun) if done and now > self._begun else None
            left = (total - done) / rate if rate else None
            self._job.update(
                stage=stage,
                done=done,
                total=total,
                rate=round(rate, 1) if rate else None,
                eta_s=round(left, 1) if left is not None else None,
            )
            self._told = now

    def end(self, **fields: object) -> None:
        """Note how it ended."""
        self._stage = ""
        if self._job:
            self._job.update(finished_at=datetime.now(UTC).isoformat(), **fields)

    def say(self, line: str) -> None:
        """A line above the bar."""
        self._bar.console.print(line)


def index_store(settings: Settings) -> IndexStore:
    """The index of the settings, searched as the service searches it."""
    path = settings.models_dir / "relevance.json"
    relevance = Relevance.load(path) if path.exists() else None
    return IndexStore(settings.index_dir, relevance, encoder_version=ModelManifest.load(settings.models_dir).version)


def first_build(settings: Settings) -> None:
    """Build and activate, for a service that has no index yet."""
    with _Teller(quiet=False, job=None) as teller:
        published = publish(
            settings.knowledge_dir,
            index_store(settings),
            Encoder(settings.models_dir),
            by=os_user(),
            on=today(settings),
            margins=_margins(settings),
            progress=teller.progress,
        )
    _show_left_out(published)


def today(settings: Settings) -> date:
    """The retailer's day."""
    return datetime.now(ZoneInfo(settings.timezone)).date()


def say(line: str) -> None:
    """A line on stdout, at once."""
    typer.echo(line)
    sys.stdout.flush()


@contextmanager
def sentences(as_json: bool = False) -> Iterator[None]:
    """Our own errors end the command with a sentence and exit code 2, broken knowledge with 1; the disk's with 2."""
    try:
        yield
    except AssistError as error:
        is_source = isinstance(error, KnowledgeError) and error.status == KnowledgeError.status
        for problem in error.details.get("problems", ()):
            typer.echo(problem, err=True)
        typer.echo(f"assist: {error.message}", err=True)
        if as_json:
            _say_json({"error": error.code, "message": error.message, **error.details})
        raise typer.Exit(1 if is_source else 2) from error
    except OSError as error:
        typer.echo(f"assist: {error.filename or 'the disk'}: {error.strerror}", err=True)
        raise typer.Exit(2) from error


def figures_of(entry: Entry) -> Mapping[str, Any] | None:
    """The measured quality in a build's entry."""
    figures: Mapping[str, Any] | None = (entry.details.get("gate") or {}).get("figures")
    return figures


def _margins(settings: Settings) -> Margins:
    return Margins(settings.gate_recall_at_5, settings.gate_ndcg_at_10)


def _preview(settings: Settings, days: int, strict: bool, *, quiet: bool) -> Preview:
    with _Teller(quiet=quiet, job=None) as teller:
        return preview(
            settings.knowledge_dir,
            index_store(settings),
            Encoder(settings.models_dir),
            questions=_logged_questions(settings, days) if days else (),
            on=today(settings),
            margins=_margins(settings),
            strict=strict,
            progress=teller.progress,
        )


def _logged_questions(settings: Settings, days: int) -> list[Judgement]:
    """What customers asked in the last days, redacted as the log keeps it: answered ones first, none twice."""
    if not settings.database_url and not (settings.data_dir / "assist.db").exists():
        return []
    since = datetime.now(UTC) - timedelta(days=days)

    async def read() -> list[Judgement]:
        repository = await asyncio.to_thread(Repository.open, settings.log_url)
        try:
            wanted = SuggestionFilter(since=iso(since), kind="answer")
            answered = await repository.list_suggestions(wanted, after=None, limit=4 * MOST_QUESTIONS)
            said = [(line.utterance["text"], line.utterance["language"]) for line in answered if line.utterance]
            said += [(question.text, question.language) for question in await repository.open_questions(since)][::-1]
            asked = dict(pair for pair in said if pair[0] and pair[1] in LANGUAGES)
            return [Judgement(text, language, (), None) for text, language in asked.items()][:MOST_QUESTIONS]
        finally:
            await asyncio.to_thread(repository.close)

    return asyncio.run(read())


def _resolved(store: IndexStore, version: str) -> str:
    if version != "active":
        return version
    active = store.active_version()
    if active is None:
        raise Unavailable("There is no index yet. Build one with: scripts/reindex")
    return active


def _summary(manifest: Manifest, active: str | None, entries: Sequence[Entry]) -> dict[str, Any]:
    made = build_of(entries, manifest.id)
    return {
        "version": manifest.id,
        "active": manifest.id == active,
        "created_at": manifest.created_at.isoformat(),
        "by": made.who if made else None,
        "counts": manifest.counts,
        "changes": manifest.changes,
        "reused": manifest.reused,
        "embedded": manifest.embedded,
        "figures": figures_of(made) if made else None,
        "is_held": held_back(entries, manifest.id) is not None,
    }


def _published_json(published: Published, active: str | None, pruned: list[str]) -> dict[str, Any]:
    manifest = published.manifest
    return {
        "version": manifest.id,
        "active": active,
        "counts": manifest.counts,
        "changes": manifest.changes,
        "reused": manifest.reused,
        "embedded": manifest.embedded,
        "seconds": manifest.seconds,
        "gate": asdict(published.gate),
        "problems": list(published.problems),
        "dropped": dict(published.dropped),
        "pruned": pruned,
    }


def _preview_json(found: Preview) -> dict[str, Any]:
    return {
        "counts": found.manifest.counts,
        "changes": found.manifest.changes,
        "records": [change._asdict() for change in found.records],
        "questions": found.questions,
        "answers": [asdict(change) for change in found.answers],
        "gate": asdict(found.gate),
        "problems": list(found.problems),
        "dropped": dict(found.dropped),
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return asdict(entry) | {"at": entry.at.isoformat()}


def _show_published(published: Published, active: str | None, pruned: list[str]) -> None:
    manifest, gate = published.manifest, published.gate
    rows = {kind: f"{count:,}" for kind, count in manifest.counts.items()}
    rows |= {f"records {kind}": f"{count:,}" for kind, count in manifest.changes.items()}
    rows |= {"vectors reused": f"{manifest.reused:,}", "vectors computed": f"{manifest.embedded:,}"}
    rows |= {"seconds": f"{manifest.seconds:.1f}", "active version": active or "none"}
    if pruned:
        rows["versions deleted"] = ", ".join(pruned)
    _show_rows(f"Index version {manifest.id}", rows)
    _show_left_out(published)
    _show_gate(gate)
    if not gate.is_passed:
        last = "activated all the same" if published.is_active else "not activated"
        typer.echo(f"Version {manifest.id} is built and {last}.", err=True)


def _show_preview(found: Preview) -> None:
    rows = {kind: f"{count:,}" for kind, count in found.manifest.counts.items()}
    rows |= {f"records {kind}": f"{count:,}" for kind, count in found.manifest.changes.items()}
    _show_rows("What a build would hold; nothing is written", rows)
    _show_left_out(found)
    _show_changes("Records", found.records)
    _show_answers(found.answers, found.questions)
    _show_gate(found.gate)


def _show_left_out(found: Published | Preview) -> None:
    for line in found.problems:
        typer.echo(line, err=True)
    for reason, count in found.dropped.items():
        typer.echo(f"left out: {count:,} × {reason}", err=True)


def _show_changes(title: str, changes: Sequence[RecordChange]) -> None:
    if changes:
        table = Table("change", "kind", "record", title=title, title_justify="left")
        for change in changes[:ROWS]:
            table.add_row(change.change, change.kind, Text(change.name))
        _print(table, len(changes))


def _show_answers(changes: Sequence[AnswerChange], questions: int) -> None:
    typer.echo(f"{len(changes)} of {questions} questions get another first article.")
    if changes:
        table = Table("question", "language", "first article now", _right("relevance"), "then", _right("relevance"))
        for one in changes[:ROWS]:
            before, after = one.before or "nothing", one.after or "nothing"
            cells = (one.query, one.language, before, f"{one.relevance_before:.2f}", after, f"{one.relevance:.2f}")
            table.add_row(*map(Text, cells))
        _print(table, len(changes))


def _show_gate(gate: Gate) -> None:
    typer.echo(f"Gate: {gate.message}")
    if gate.figures:
        table = Table("judged queries", _right("n"), _right("recall@5"), _right("ndcg@10"))
        for name, figures in (("in use", gate.baseline), ("new", gate.figures)):
            if figures:
                table.add_row(name, str(figures.queries), _figure(figures.recall_at_5), _figure(figures.ndcg_at_10))
        _console().print(table)
    _show_worse(gate.worse)


def _show_worse(worse: Sequence[Worse]) -> None:
    if worse:
        table = Table("query", "article", _right("place"), _right("relevance"), "why", title="Queries that got worse")
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


def _show_history(entries: Sequence[Entry]) -> None:
    table = Table("when", "who", "what", Column("version", no_wrap=True), _right("recall@5"), _right("ndcg@10"), "")
    for entry in entries:
        figures = figures_of(entry) or {}
        what = entry.action if entry.outcome == "done" else f"{entry.action}, {entry.outcome}"
        notes = [entry.message, "forced" if entry.is_forced else "", *entry.details.get("deleted", ())]
        table.add_row(
            f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S}",
            Text(f"{entry.who} ({entry.via})"),
            what,
            entry.version or "",
            _figure(figures.get("recall_at_5")),
            _figure(figures.get("ndcg_at_10")),
            Text(" ".join(filter(None, notes))),
        )
    _console().print(table if entries else "Nothing has happened yet.")


def _show_rows(title: str, rows: dict[str, str]) -> None:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows.items():
        table.add_row(name, value)
    _console().print(table)


def _print(table: Table, rows: int) -> None:
    _console().print(table)
    if rows > ROWS:
        typer.echo(f"… and {rows - ROWS} more; --json has them all.")


def _console() -> Console:
    """As wide as the terminal; what goes into a file or pipe is not cut at 80 columns."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


def _right(title: str) -> Column:
    return Column(title, justify="right")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _say_switched(store: IndexStore, before: str | None, as_json: bool) -> None:
    active = store.active_version()
    if as_json:
        _say_json({"active": active, "before": before})
    else:
        say(f"{active} is in use; before it was {before or 'none'}.")


def _say_json(value: object) -> None:
    say(json.dumps(value, ensure_ascii=False, default=str))
