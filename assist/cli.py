"""The `assist` command: serve, build the index, manage keys, sign in."""

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
import uvicorn
from pydantic_core import to_json
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from assist import settings as configuration
from assist.errors import AssistError, KnowledgeError
from assist.inference.encoder import Encoder
from assist.inference.manifest import Manifest
from assist.knowledge.index import IndexStore, build
from assist.settings import Settings
from assist.storage.keys import Keys
from assist.storage.repository import Repository
from assist.web.app import create_app
from assist.web.observe import configure_logging
from assist.web.parts import Parts

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Live help for the agents of a contact centre.")
keys = typer.Typer(no_args_is_help=True, help="API keys. A key is shown once, when it is added.")
app.add_typer(keys, name="keys")

T = TypeVar("T")
Data = Annotated[Path | None, typer.Option(help="Folder of the database and the index.  [env: ASSIST_DATA_DIR]")]
Models = Annotated[Path | None, typer.Option(help="Folder of the models.  [env: ASSIST_MODELS_DIR]")]
Source = Annotated[Path | None, typer.Option(help="Knowledge folder to read.  [env: ASSIST_KNOWLEDGE_DIR]")]


class Role(StrEnum):
    """What a key may do."""

    agent = "agent"
    knowledge = "knowledge"
    reviewer = "reviewer"
    supervisor = "supervisor"
    admin = "admin"


class Speech(StrEnum):
    """Languages of the pages."""

    simplified = "zh-Hans"
    traditional = "zh-Hant"
    english = "en"


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [env: ASSIST_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.  [env: ASSIST_PORT]")] = None,
    data: Data = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Ask nobody for a key; on a loopback host only.")] = False,
) -> None:
    """Serve the API and the pages. Builds the index first if there is none.

    Example: assist serve --port 8000 --data data
    """
    with _sentences():
        settings = configuration.load(host=host, port=port, data_dir=data, auth=False if no_auth else None)
        configure_logging()
        if _index_store(settings).needs_build:
            _build(settings, activate=True, full=False, quiet=False)
        if settings.auth:
            _with_keys(settings, lambda found: _first_key(found, settings))
        served = create_app(settings=settings, started=lambda parts: _announce(parts, settings))
        uvicorn.run(
            served,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            ws_max_size=settings.max_body_bytes,
            # Messages are small and the desk is near: compressing costs more time than it saves.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=3,
        )


@app.command()
def reindex(
    source: Source = None,
    data: Data = None,
    models: Models = None,
    activate: Annotated[bool, typer.Option(help="Use the new version at once.")] = True,
    full: Annotated[bool, typer.Option("--full", help="Encode everything anew.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="No progress bar; one JSON document as the last line.")
    ] = False,
) -> None:
    """Build a new index version from the knowledge folder. A running service picks it up within a second.

    Example: assist reindex --source knowledge_base
    """
    with _sentences():
        settings = configuration.load(data_dir=data, models_dir=models, knowledge_dir=source)
        try:
            version = _build(settings, activate=activate, full=full, quiet=as_json)
        except AssistError as error:
            if as_json:
                _say(to_json({"message": error.message, **error.details}).decode())
            raise
        _say(to_json({"version": version}).decode() if as_json else f"Index version {version} is built.")


@keys.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Whose key it is; reviews carry this name.")],
    role: Annotated[Role, typer.Option(help="What it may do.")],
    language: Annotated[Speech | None, typer.Option(help="Language of this person's pages.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Valid for so many days; without it until revoked.")] = None,
    data: Data = None,
) -> None:
    """Add a key and show it, this once.

    Example: assist keys add "Lin Wei" --role agent --language zh-Hans
    """

    async def add(found: Keys) -> None:
        lifetime = timedelta(days=days) if days else None
        _, secret = await found.add(name, role.value, language=language.value if language else None, lifetime=lifetime)
        _say(secret)

    with _sentences():
        _with_keys(configuration.load(data_dir=data), add)


@keys.command("list")
def list_keys(data: Data = None) -> None:
    """List the keys, without their secrets."""

    async def show(found: Keys) -> None:
        table = Table(Column("id", no_wrap=True), "name", "role", "language", "created", "expires", "revoked")
        for key in await found.list():
            table.add_row(
                key.id,
                key.name,
                key.role,
                key.language or "",
                *(at[:19] if at else "" for at in (key.created_at, key.expires_at, key.revoked_at)),
            )
        Console().print(table)

    with _sentences():
        _with_keys(configuration.load(data_dir=data), show)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The id from `assist keys list`.")], data: Data = None
) -> None:
    """Withdraw a key. A running service refuses it within two seconds and closes its sockets within a heartbeat."""

    async def revoke(found: Keys) -> None:
        if not await found.revoke(key_id):
            raise typer.BadParameter(f"there is no key {key_id}")
        _say(f"{key_id} is revoked.")

    with _sentences():
        _with_keys(configuration.load(data_dir=data), revoke)


@app.command()
def login(
    role: Annotated[Role, typer.Option(help="What the browser may do.")] = Role.admin,
    name: Annotated[str, typer.Option(help="Who signs in.")] = "admin",
    port: Annotated[int | None, typer.Option(help="Port of the running service.")] = None,
    data: Data = None,
) -> None:
    """Print a link that signs a browser in, once."""
    with _sentences():
        settings = configuration.load(data_dir=data, port=port)
        _with_keys(settings, lambda found: _login_link(found, settings, name, role.value))


def _index_store(settings: Settings) -> IndexStore:
    return IndexStore(settings.index_dir, encoder_version=Manifest.load(settings.models_dir).version)


def _build(settings: Settings, *, activate: bool, full: bool, quiet: bool) -> str:
    encoder = Encoder(settings.models_dir)
    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task("Building the index", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        manifest = build(settings.knowledge_dir, settings.index_dir, encoder, progress=progress, reuse=not full)
    if activate:
        _index_store(settings).activate(manifest.id)
    return manifest.id


def _with_keys(settings: Settings, action: Callable[[Keys], object]) -> None:
    async def run() -> None:
        repository = await asyncio.to_thread(Repository.open, settings.log_url)
        try:
            await action(repository.keys)  # type: ignore[misc]
        finally:
            await asyncio.to_thread(repository.close)

    asyncio.run(run())


async def _first_key(found: Keys, settings: Settings) -> None:
    if not await found.list():
        _, secret = await found.add("admin", "admin")
        _say(f"Your admin key, shown this once: {secret}")
        await _login_link(found, settings, "admin", "admin")


async def _login_link(found: Keys, settings: Settings, name: str, role: str) -> None:
    _, secret = await found.add(name, role, kind="login", lifetime=timedelta(minutes=settings.login_minutes))
    host = settings.host if configuration.is_loopback(settings.host) else "127.0.0.1"
    _say(f"Sign in within {settings.login_minutes} minutes: http://{host}:{settings.port}/login?key={secret}")


def _announce(parts: Parts, settings: Settings) -> None:
    # The index and the models stay for good: the garbage collector need not walk them while a customer waits.
    gc.collect()
    gc.freeze()
    _say(f"assist serves on http://{settings.host}:{settings.port}/desk")
    if not parts.engine.knowledge.is_ready:
        _say("There is no index yet: run scripts/reindex.")


def _say(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()


@contextmanager
def _sentences() -> Iterator[None]:
    """Our own errors end the command with a sentence and exit code 2, broken knowledge with 1; never a traceback."""
    try:
        yield
    except KnowledgeError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from error
    except AssistError as error:
        typer.echo(f"assist: {error.message}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app()
