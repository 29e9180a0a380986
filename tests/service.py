"""Starting the service as a process of its own."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, *, ready_within_s: float = 120) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers `/readyz`, ended on leaving."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + ready_within_s
        while True:
            assert process.poll() is None, f"the server ended with code {process.returncode}"
            assert time.monotonic() < until, "the server did not get ready"
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                    break
            except httpx2.TransportError:
                pass
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(20)
