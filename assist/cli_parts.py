"""What the commands share: options, what ends them, what they say, and the index that the settings name."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from assist.errors import AssistError, KnowledgeError, Unavailable
from assist.inference.manifest import Manifest as ModelManifest
from assist.knowledge.index import IndexStore
from assist.knowledge.ranking import Relevance
from assist.settings import Settings
from assist.storage.repository import Repository

T = TypeVar("T")

HELD = 3
"""Exit code of a command that the gate does not let activate a version."""

Data = Annotated[Path | None, typer.Option(help="Folder of the database and the index.  [env: ASSIST_DATA_DIR]")]
Models = Annotated[Path | None, typer.Option(help="Folder of the models.  [env: ASSIST_MODELS_DIR]")]
Source = Annotated[Path | None, typer.Option(help="Knowledge folder to read.  [env: ASSIST_KNOWLEDGE_DIR]")]
AsJson = Annotated[bool, typer.Option("--json", help="No table or progress bar; one JSON document as the last line.")]


class Speech(StrEnum):
    """Languages of the pages."""

    simplified = "zh-Hans"
    traditional = "zh-Hant"
    english = "en"


def index_store(settings: Settings) -> IndexStore:
    """The index of the settings, searched as the service searches it. Raises ModelError without models."""
    version = ModelManifest.load(settings.models_dir).encoder_version
    return IndexStore(settings.index_dir, Relevance.shipped(settings.models_dir), encoder_version=version)


def say(line: str) -> None:
    """A line on stdout, at once."""
    typer.echo(line)
    sys.stdout.flush()


def say_json(value: object) -> None:
    """A document as a line on stdout."""
    say(json.dumps(value, ensure_ascii=False, default=str))


def sentence(error: Exception) -> str:
    """An error in one sentence: ours in their own words, the disk's with the file."""
    if isinstance(error, AssistError):
        return error.message
    if isinstance(error, OSError):
        return f"{error.filename or 'the disk'}: {error.strerror or error}"
    return f"{type(error).__name__}: {error}"


@contextmanager
def sentences(as_json: bool = False) -> Iterator[None]:
    """Our own errors end the command with a sentence and exit code 2, broken knowledge with 1; the disk's with 2."""
    try:
        yield
    except (AssistError, OSError) as error:
        code, details = (error.code, error.details) if isinstance(error, AssistError) else (AssistError.code, {})
        for problem in details.get("problems", ()):
            typer.echo(problem, err=True)
        typer.echo(f"assist: {sentence(error)}", err=True)
        if as_json:
            say_json({"error": code, "message": sentence(error), **details})
        is_source = isinstance(error, KnowledgeError) and error.status == KnowledgeError.status
        raise typer.Exit(1 if is_source else 2) from error


def from_log(settings: Settings, read: Callable[[Repository], Awaitable[T]]) -> T | None:
    """What a question to the log gives, or None if there is no log yet. A log that is not there is not made."""
    if not settings.database_url and not (settings.data_dir / "assist.db").exists():
        return None

    async def run() -> T:
        try:
            repository = await asyncio.to_thread(Repository.open, settings.log_url)
        except AssistError:
            raise
        except Exception as error:
            # The database's driver has errors of its own for a file or server that it cannot use.
            said = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
            raise Unavailable(f"the log cannot be opened: {said}") from error
        try:
            return await read(repository)
        finally:
            await asyncio.to_thread(repository.close)

    return asyncio.run(run())


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """A progress bar on stderr; gives a function that makes a named task and returns what tells its progress."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:

        def task(name: str) -> Callable[[int, int], None]:
            number = bar.add_task(name, total=None, visible=False)

            def tell(done: int, total: int) -> None:
                bar.update(number, completed=done, total=total, visible=True)

            return tell

        yield task
