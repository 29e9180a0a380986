"""Builds, activations, rollbacks and prunings that are killed at any moment leave a whole index in use."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import pytest
from hashing_encoder import HashingEncoder

from assist.knowledge.index import IndexStore, build
from assist.knowledge.search import Knowledge
from assist.web.knowledge import LiveKnowledge

TESTS = Path(__file__).parent.parent
PREAMBLE = """
import os, random, sys, time
from pathlib import Path
sys.path[:0] = [sys.argv[3], str(Path(sys.argv[3]).parent)]
from hashing_encoder import HashingEncoder
from assist.knowledge.index import IndexStore, build

class Slow(HashingEncoder):
    def encode_passages(self, texts, *, progress=None):
        time.sleep(0.05)
        return super().encode_passages(texts, progress=progress)

source, store = Path(sys.argv[1]), IndexStore(Path(sys.argv[2]))
print("ready", flush=True)
"""
BUILDING = """
for number in range(10_000):
    for path in (source / "articles").glob("*.md"):
        text = path.read_text("utf-8").split("\\n[written in")[0]
        Path("written").write_text(f"{text}\\n[written in round {sys.argv[4]}-{number}]\\n", "utf-8")
        os.replace("written", path)
    store.activate(build(source, store.folder, Slow(), reuse=number % 2 == 0).id)
    store.prune(3)
"""
PUBLISHING = """
from datetime import date
from assist.knowledge.index.gate import Margins
from assist.knowledge.index.history import os_user
from assist.knowledge.index.publish import publish
while True:
    options = {"by": os_user(), "on": date(2026, 11, 23), "margins": Margins(1, 1), "full": random.random() < 0.5}
    publish(source, store, Slow(), **options)
"""
SWITCHING = """
while True:
    store.activate(random.choice(store.versions()).id)
"""
ROLLING_BACK = """
while True:
    for manifest in store.versions():
        store.activate(manifest.id)
    while store.rollback_target():
        store.rollback()
"""


def check(knowledge: Knowledge) -> None:
    """One version's articles were written in one round: those of two are a mixture."""
    bodies = [article.body for article in knowledge.articles]
    rounds = {body.rsplit("[written in", 1)[-1] for body in bodies if "[written in" in body}
    assert len(rounds) <= 1, rounds
    vector = HashingEncoder().encode_query("refund").vector
    hits = knowledge.search("退款多久到账", vector, language="zh-Hans", kinds=("article",), on=date(2026, 11, 23))
    assert hits and all(hit.excerpt for hit in hits)


@pytest.mark.crash
def test_kills_at_random_moments(tmp_path):
    source = Path(shutil.copytree(TESTS / "data" / "knowledge", tmp_path / "knowledge"))
    store = IndexStore(tmp_path / "index")
    for _ in range(3):
        store.activate(build(source, store.folder, HashingEncoder()).id)
    live = LiveKnowledge(store)
    live.refresh()
    over, failures = threading.Event(), []

    def serve() -> None:
        """What the service does all the while: follow the active version and answer."""
        while not over.is_set():
            live.refresh()
            try:
                check(live())
            except AssertionError as error:
                failures.append(error)

    service = threading.Thread(target=serve)
    service.start()
    moments = random.Random(11)
    try:
        for number in range(12):
            program = PREAMBLE + (BUILDING, SWITCHING, ROLLING_BACK, PUBLISHING)[number % 4]
            process = subprocess.Popen(
                [sys.executable, "-c", program, str(source), str(store.folder), str(TESTS), str(number)],
                stdout=subprocess.PIPE,
                cwd=tmp_path,
            )
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(moments.uniform(0, 0.5))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
            active = store.active_version()
            assert active is not None
            knowledge = store.open()
            assert knowledge.version == active
            check(knowledge)
            assert all(store.open(manifest.id).version == manifest.id for manifest in store.versions())
            lines = [entry for entry in store.history.entries() if entry.action in ("activate", "rollback")]
            assert [line.version for line in lines if line.outcome == "done"][-1] == active
    finally:
        over.set()
        service.join()
    assert not failures
    last = build(source, store.folder, HashingEncoder())
    store.activate(last.id)
    assert store.open().version == last.id
    assert not [path for path in (store.folder / "versions").iterdir() if path.name.startswith(".")]
    store.prune(1)
    assert {manifest.id for manifest in store.versions()} <= {last.id, store.rollback_target()}
