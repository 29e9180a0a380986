"""A build that is killed at any moment leaves the active index; the next one completes and clears the litter."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hashing_encoder import HashingEncoder

from assist.knowledge.index import IndexStore, build

TESTS = Path(__file__).parent.parent
BUILDER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from hashing_encoder import HashingEncoder
from assist.knowledge.index import IndexStore, build

class Slow(HashingEncoder):
    def encode_passages(self, texts, *, progress=None):
        time.sleep(0.05)
        return super().encode_passages(texts, progress=progress)

print("ready", flush=True)
while True:
    manifest = build(Path(sys.argv[1]), Path(sys.argv[2]), Slow(), reuse=False)
    IndexStore(Path(sys.argv[2])).activate(manifest.id)
"""


@pytest.mark.crash
def test_kills_at_random_moments(tmp_path):
    source = Path(shutil.copytree(TESTS / "data" / "knowledge", tmp_path / "knowledge"))
    store = IndexStore(tmp_path / "index")
    store.activate(build(source, store.folder, HashingEncoder()).id)
    moments = random.Random(11)
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", BUILDER, str(source), str(store.folder), str(TESTS)],
            stdout=subprocess.PIPE,
            cwd=TESTS.parent,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(moments.uniform(0, 0.5))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        active = store.active_version()
        assert active is not None
        assert store.open().version == active
        assert all(store.open(manifest.id).version == manifest.id for manifest in store.versions())
    last = build(source, store.folder, HashingEncoder())
    store.activate(last.id)
    assert store.open().version == last.id
    assert not [path for path in (store.folder / "versions").iterdir() if path.name.startswith(".")]
    store.prune(1)
    assert [manifest.id for manifest in store.versions()] == [last.id]
