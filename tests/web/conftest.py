"""The app with small parts, with and without keys."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stand_ins import ADDRESS, open_conversation, open_stand_ins, settings_in
from starlette.testclient import TestClient

from assist.storage.repository import Repository
from assist.web.app import create_app
from assist.web.auth import ROLES


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """Starts the app on this test's folder, with the given settings; several times is a restart."""
    clients: list[TestClient] = []

    def start(**given: Any) -> TestClient:
        settings = settings_in(tmp_path, **{"auth": False, **given})
        client = TestClient(create_app(settings=settings, engine=open_stand_ins), base_url=ADDRESS)
        client.__enter__()
        clients.append(client)
        return client

    yield start
    for client in reversed(clients):
        client.__exit__(None, None, None)


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    return serve()


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    """One key of each role in this test's database."""

    async def add() -> dict[str, str]:
        repository = Repository.open(settings_in(tmp_path).log_url)
        made = {role: (await repository.keys.add(f"the {role}", role))[1] for role in ROLES}
        repository.close()
        return made

    return asyncio.run(add())


@pytest.fixture
def keyed(serve: Callable[..., TestClient], secrets: dict[str, str]) -> TestClient:
    return serve(auth=True)


@pytest.fixture
def opened(client: TestClient) -> str:
    """The id of an open conversation."""
    return open_conversation(client)
