"""`assist reindex`: builds index versions, once or whenever a file changes, or tells what a build would change."""

import asyncio
import gc
import json
import time
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self, TypedDict
from zoneinfo import ZoneInfo

import typer
import watchfiles
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from assist import settings as configuration
from assist.cli_parts import (
    HELD,
    AsJson,
    Data,
    Models,
    Source,
    index_store,
    say_json,
    sentence,
    sentences,
)
from assist.cli_tables import show_answers, show_changes, show_gate, show_rows
from assist.errors import AssistError, Conflict, KnowledgeError, Unavailable
from assist.inference.encoder import Encoder
from assist.knowledge.index import Manifest, files
from assist.knowledge.index.gate import Margins
from assist.knowledge.index.history import Actor, os_user
from assist.knowledge.index.publish import Preview, Published, Stage, preview, publish
from assist.knowledge.judgements import LANGUAGES, Judgement
from assist.settings import Settings
from assist.storage.records import SuggestionFilter, iso
from assist.storage.repository import Repository
from assist.text.counting import counted

MOST_QUESTIONS = 500
TOLD_EVERY_S = 0.25


class Options(TypedDict):
    """What a build is told; see `publish`."""

    activate: bool
    full: bool
    strict: bool
    force: bool


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
    options = Options(activate=activate, full=full, strict=strict, force=force)
    if dry_run and (watch or force or full or prune or not activate):
        raise typer.BadParameter("--dry-run goes without --watch, --force, --full, --prune and --no-activate")
    with sentences(as_json=True):
        settings = configuration.load(data_dir=data, models_dir=models, knowledge_dir=source)
        if job and job.resolve().parent != (settings.data_dir / "builds").resolve():
            raise typer.BadParameter("--job is for the service")
        ordered = JobFile(job) if job else None
        actor = Actor(ordered.by, "api") if ordered else os_user()
        with BuildProgress(quiet=as_json, job=ordered) as progress:
            if dry_run:
                code = _preview(settings, days, strict, progress, as_json=as_json)
            else:
                builder = Builder(settings, actor, options, prune, progress, as_json=as_json)
                code = builder.follow() if watch else builder.run()
    raise typer.Exit(code)


def first_build(settings: Settings) -> None:
    """Build and activate, for a service that has no index which it can search: a worse one is better than none."""
    with BuildProgress(quiet=False) as progress:
        published = publish(
            settings.knowledge_dir,
            index_store(settings),
            Encoder(settings.models_dir),
            by=os_user(),
            on=_today(settings),
            margins=_margins(settings),
            force=True,
            progress=progress.tell,
        )
    _show_left_out(published)
    if not published.gate.is_passed:
        typer.echo(f"Gate: {published.gate.message} Activated all the same, for there is no other.", err=True)


class JobFile:
    """The file in which the service looks how a build that it ordered is going; the service has written the order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: dict[str, Any] = json.loads(path.read_text("utf-8"))

    @property
    def by(self) -> str:
        """Who ordered the build."""
        return str(self._state["by"])

    def update(self, **fields: object) -> None:
        """Put new values in, at once."""
        self._state |= fields
        files.replace(self._path, json.dumps(self._state, ensure_ascii=False, default=str).encode("utf-8", "replace"))


class BuildProgress:
    """Tells how a build is going: to the terminal as a bar, to the service through a job's file.

    A run that ends with an error ends the job with it.
    """

    def __init__(self, *, quiet: bool, job: JobFile | None = None) -> None:
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

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if isinstance(error, Exception):
            details = error.details if isinstance(error, AssistError) else {}
            self.end(status="failed", message=sentence(error), problems=details.get("problems", []))

    def tell(self, stage: Stage, done: int, total: int) -> None:
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
        """Note how a build ended."""
        self._stage = ""
        if self._job:
            self._job.update(finished_at=datetime.now(UTC).isoformat(), **fields)

    def say(self, line: str) -> None:
        """A line above the bar."""
        self._bar.console.print(line)


class _Rate(ProgressColumn):
    """Texts a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", "progress.data.speed")


class Builder:
    """Runs builds with the same options, with one encoder for all of them. Raises ModelError without models."""

    def __init__(
        self,
        settings: Settings,
        by: Actor,
        options: Options,
        prune: int | None,
        progress: BuildProgress,
        *,
        as_json: bool,
    ) -> None:
        self._settings, self._by, self._options, self._prune = settings, by, options, prune
        self._progress, self._as_json = progress, as_json
        self._encoder = Encoder(settings.models_dir)
        self._store = index_store(settings)
        self._is_waiting = False

    def run(self) -> int:
        """Build once; returns the exit code. Raises AssistError or OSError."""
        # A build makes millions of small objects and no cycles; walking them would cost a fifth of a small change.
        gc.disable()
        try:
            published = publish(
                self._settings.knowledge_dir,
                self._store,
                self._encoder,
                by=self._by,
                on=_today(self._settings),
                margins=_margins(self._settings),
                progress=self._progress.tell,
                **self._options,
            )
        finally:
            gc.enable()
        pruned = self._store.prune(self._prune, by=self._by) if self._prune else []
        active, gate = self._store.active_version(), published.gate
        said = {
            "version": published.manifest.id,
            "active": active,
            **_told(published.manifest, "counts", "changes", "reused", "embedded", "seconds"),
            "gate": asdict(gate),
            "problems": list(published.problems),
            "dropped": dict(published.dropped),
            "pruned": pruned,
        }
        self._progress.end(
            status="succeeded",
            version=published.manifest.id,
            problems=list(published.problems),
            activated=published.is_active,
            gate=said["gate"],
            message=None if gate.is_passed else gate.message,
        )
        if not self._as_json:
            _show_published(published, active, pruned)
        say_json(said)
        return HELD if self._options["activate"] and not published.is_active else 0

    def follow(self) -> int:
        """Build now and whenever a file changes, until interrupted. A build that another one hinders is made after."""
        folder = self._settings.knowledge_dir
        if not folder.is_dir():
            raise KnowledgeError(f"no knowledge folder at {folder}")
        try:
            # From here on nothing is missed, also not what changes during the first build.
            changes = watchfiles.watch(folder, debounce=5000, step=200, rust_timeout=200, yield_on_timeout=True)
            is_due = True
            for found in changes:
                if found:
                    self._progress.say(f"{counted(len(found), 'file')} changed")
                if is_due or found:
                    is_due = not self._attempt()
        except KeyboardInterrupt:
            pass
        return 0

    def _attempt(self) -> bool:
        """Build; False if another build or switch was in the way."""
        try:
            self.run()
        except Conflict as error:
            if not self._is_waiting:
                typer.echo(f"{error.message} Trying again until it succeeds.", err=True)
            self._is_waiting = True
            return False
        except (AssistError, OSError) as error:
            for line in error.details.get("problems", []) if isinstance(error, AssistError) else []:
                typer.echo(line, err=True)
            typer.echo(f"{sentence(error)} Waiting for the next change.", err=True)
        self._is_waiting = False
        return True


def _preview(settings: Settings, days: int, strict: bool, progress: BuildProgress, *, as_json: bool) -> int:
    found = preview(
        settings.knowledge_dir,
        index_store(settings),
        Encoder(settings.models_dir),
        questions=_logged_questions(settings, days) if days else (),
        on=_today(settings),
        margins=_margins(settings),
        strict=strict,
        progress=progress.tell,
    )
    if not as_json:
        show_rows("What a build would hold; nothing is written", _counts(found.manifest))
        _show_left_out(found)
        show_changes("Records", found.records)
        show_answers(found.answers, found.questions)
        show_gate(found.gate)
    say_json(
        {
            **_told(found.manifest, "counts", "changes"),
            "records": [change._asdict() for change in found.records],
            "questions": found.questions,
            "answers": [asdict(change) for change in found.answers],
            "gate": asdict(found.gate),
            "problems": list(found.problems),
            "dropped": dict(found.dropped),
        }
    )
    return 0 if found.gate.is_passed else HELD


def _logged_questions(settings: Settings, days: int) -> list[Judgement]:
    """What customers asked in the last days, redacted as the log keeps it: answered ones first, none twice."""
    if not settings.database_url and not (settings.data_dir / "assist.db").exists():
        return []
    since = datetime.now(UTC) - timedelta(days=days)

    async def read() -> list[Judgement]:
        repository = await asyncio.to_thread(Repository.open, settings.log_url, read_only=True)
        try:
            wanted = SuggestionFilter(since=iso(since), kind="answer")
            answered = await repository.list_suggestions(wanted, after=None, limit=4 * MOST_QUESTIONS)
            said = [(line.utterance["text"], line.utterance["language"]) for line in answered if line.utterance]
            said += [(question.text, question.language) for question in await repository.open_questions(since)][::-1]
            asked = dict(pair for pair in said if pair[0] and pair[1] in LANGUAGES)
            return [Judgement(text, language, (), None) for text, language in asked.items()][:MOST_QUESTIONS]
        except Unavailable as error:
            raise Unavailable(f"{error.message} With --days 0 it is left alone.") from error
        finally:
            await asyncio.to_thread(repository.close)

    return asyncio.run(read())


def _show_published(published: Published, active: str | None, pruned: list[str]) -> None:
    manifest, gate = published.manifest, published.gate
    rows = _counts(manifest)
    rows |= {"vectors reused": f"{manifest.reused:,}", "vectors computed": f"{manifest.embedded:,}"}
    rows |= {"seconds": f"{manifest.seconds:.1f}", "active version": active or "none"}
    if pruned:
        rows["versions deleted"] = ", ".join(pruned)
    show_rows(f"Index version {manifest.id}", rows)
    _show_left_out(published)
    show_gate(gate)
    if not gate.is_passed:
        last = "activated all the same" if published.is_active else "not activated"
        typer.echo(f"Version {manifest.id} is built and {last}.", err=True)


def _show_left_out(found: Published | Preview) -> None:
    for line in found.problems:
        typer.echo(line, err=True)
    for reason, count in found.dropped.items():
        typer.echo(f"{reason}: {count:,} left out", err=True)


def _counts(manifest: Manifest) -> dict[str, str]:
    rows = {kind: f"{count:,}" for kind, count in manifest.counts.items()}
    return rows | {f"records {kind}": f"{count:,}" for kind, count in manifest.changes.items()}


def _told(manifest: Manifest, *names: str) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in names}


def _today(settings: Settings) -> date:
    """The retailer's day."""
    return datetime.now(ZoneInfo(settings.timezone)).date()


def _margins(settings: Settings) -> Margins:
    return Margins(settings.gate_recall_at_5, settings.gate_ndcg_at_10)
