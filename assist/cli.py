"""The `assist` command: serve, build the index, manage keys, sign in."""

import asyncio
import gc
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
import uvicorn
from rich.console import Console
from rich.table import Column, Table

from assist import settings as configuration
from assist.cli_care import care
from assist.cli_knowledge import knowledge
from assist.cli_parts import Data, Speech, index_store, say, sentences
from assist.cli_reindex import first_build, reindex
from assist.learning.folder import PolicyFolder
from assist.settings import Settings
from assist.storage.keys import Keys
from assist.storage.repository import Repository
from assist.web.app import create_app
from assist.web.observe import configure_logging
from assist.web.parts import Parts

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Live help for the agents of a contact centre.")
keys = typer.Typer(no_args_is_help=True, help="API keys. A key is shown once, when it is added.")
app.add_typer(keys, name="keys")
app.add_typer(knowledge, name="knowledge")
knowledge.add_typer(care)
app.command()(reindex)


class Role(StrEnum):
    """What a key may do."""

    agent = "agent"
    knowledge = "knowledge"
    reviewer = "reviewer"
    supervisor = "supervisor"
    admin = "admin"


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
    with sentences():
        settings = configuration.load(host=host, port=port, data_dir=data, auth=False if no_auth else None)
        PolicyFolder(settings.policy_path).in_use(required=bool(settings.policy_file))  # a broken one is told at once
        configure_logging()
        if index_store(settings).needs_build:
            first_build(settings)
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
        say(secret)

    with sentences():
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

    with sentences():
        _with_keys(configuration.load(data_dir=data), show)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The id from `assist keys list`.")], data: Data = None
) -> None:
    """Withdraw a key. A running service refuses it within two seconds and closes its sockets within a heartbeat."""

    async def revoke(found: Keys) -> None:
        if not await found.revoke(key_id):
            raise typer.BadParameter(f"there is no key {key_id}")
        say(f"{key_id} is revoked.")

    with sentences():
        _with_keys(configuration.load(data_dir=data), revoke)


@app.command()
def login(
    role: Annotated[Role, typer.Option(help="What the browser may do.")] = Role.admin,
    name: Annotated[str, typer.Option(help="Who signs in.")] = "admin",
    port: Annotated[int | None, typer.Option(help="Port of the running service.")] = None,
    data: Data = None,
) -> None:
    """Print a link that signs a browser in, once."""
    with sentences():
        settings = configuration.load(data_dir=data, port=port)
        _with_keys(settings, lambda found: _login_link(found, settings, name, role.value))


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
        say(f"Your admin key, shown this once: {secret}")
        await _login_link(found, settings, "admin", "admin")


async def _login_link(found: Keys, settings: Settings, name: str, role: str) -> None:
    _, secret = await found.add(name, role, kind="login", lifetime=timedelta(minutes=settings.login_minutes))
    host = settings.host if configuration.is_loopback(settings.host) else "127.0.0.1"
    say(f"Sign in within {settings.login_minutes} minutes: http://{host}:{settings.port}/login?key={secret}")


def _announce(parts: Parts, settings: Settings) -> None:
    # The index and the models stay for good: the garbage collector need not walk them while a customer waits.
    gc.collect()
    gc.freeze()
    say(f"assist serves on http://{settings.host}:{settings.port}/desk")
    if not parts.engine.knowledge.is_ready:
        say("There is no index yet: run scripts/reindex.")


if __name__ == "__main__":
    app()
