"""Fixtures that more than one folder of tests uses. Every test starts with an environment free of our settings."""

import os
import sys
from collections.abc import Iterator

import pytest
from service import free_port, running


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ASSIST_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole service as shipped, without keys, on a data folder of its own; gives its address."""
    port = free_port()
    data = tmp_path_factory.mktemp("service")
    command = [sys.executable, "-m", "assist.cli", "serve", "--no-auth", "--port", str(port), "--data", str(data)]
    with running(command, port):
        yield f"http://127.0.0.1:{port}"
