"""Versions, builds and the history through the API, on a real index."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hashing_encoder import HashingEncoder
from stand_ins import ADDRESS, BarePool, KeywordAssistant, settings_in
from starlette.testclient import TestClient

from assist.errors import Conflict, IndexBroken, NotFound
from assist.knowledge.index import IndexStore, build, files
from assist.knowledge.search import Knowledge
from assist.settings import Settings
from assist.storage.repository import Repository
from assist.web.app import create_app
from assist.web.knowledge import Builds, LiveKnowledge
from assist.web.parts import Engine, new_id, now
from assist.web.schemas import BuildInput

ROOT = Path(__file__).resolve().parent.parent.parent
CHILD = """
import json, sys, time
from pathlib import Path
job = Path(next(a for a in sys.argv if a.startswith("--job=")).removeprefix("--job="))
def tell(**fields):
    state = json.loads(job.read_text()) | fields
    job.with_suffix(".new").write_text(json.dumps(state))
    job.with_suffix(".new").replace(job)
"""
ENDS = (
    CHILD + "tell(stage='embedding', done=1, total=2); time.sleep(.6); tell(status='succeeded', version='v7', done=2)"
)
DIES = "raise SystemExit(9)"
RUNS = CHILD + "tell(stage='reading'); time.sleep(600)"


def open_engine(settings: Settings) -> Engine:
    """An engine on the index in the settings' folder."""
    knowledge = LiveKnowledge(IndexStore(settings.index_dir))
    knowledge.refresh()
    return Engine(Repository.open(settings.log_url), KeywordAssistant(), BarePool(), knowledge)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> IndexStore:
    source = Path(shutil.copytree(ROOT / "tests/data/knowledge", tmp_path / "knowledge"))
    store = IndexStore(tmp_path / "index")
    for _ in range(2):
        store.activate(build(source, store.folder, HashingEncoder()).id)
    return store


@pytest.fixture
def manager(tmp_path: Path, store: IndexStore, secrets: dict[str, str]) -> Iterator[TestClient]:
    """A knowledge manager at the service."""
    app = create_app(settings=settings_in(tmp_path, auth=True), engine=open_engine)
    with TestClient(app, base_url=ADDRESS, headers={"authorization": f"Bearer {secrets['knowledge']}"}) as client:
        yield client


def test_versions_are_shown_switched_and_rolled_back_with_names(manager: TestClient, store: IndexStore) -> None:
    listed = manager.get("/v1/knowledge/versions").json()
    active, before = listed["active"], listed["rollback"]
    assert {version["version"] for version in listed["versions"]} == {active, before}
    assert listed["versions"][0]["changes"].keys() == {"added", "changed", "unchanged", "removed"}
    back = manager.post("/v1/knowledge/rollback").json()
    assert (back["active"], back["rollback"]) == (before, None)
    assert manager.app.state.parts.engine.knowledge().version == before  # type: ignore[attr-defined]
    assert manager.post("/v1/knowledge/rollback").status_code == 409
    assert manager.put("/v1/knowledge/active", json={"version": active}).json()["active"] == active
    [activated, rolled_back, *_] = manager.get("/v1/knowledge/history").json()["history"]
    assert (activated["action"], activated["who"], activated["via"]) == ("activate", "the knowledge", "api")
    assert (rolled_back["action"], rolled_back["version"], rolled_back["previous"]) == ("rollback", before, active)
    detail = manager.get(f"/v1/knowledge/versions/{before}").json()
    assert detail["encoder_version"] == "hashing-1" and detail["size_bytes"] > 0 and detail["differs"] == []
    assert detail["indexes"] == {name: {"kind": "exact"} for name in ("articles", "cases", "products")}
    assert [entry["action"] for entry in detail["history"]] == ["activate", "rollback"]
    assert manager.get("/v1/knowledge/versions/20260101T000000Z-abcdef").status_code == 404
    extra = build(store.folder.parent / "knowledge", store.folder, HashingEncoder()).id
    deleted = manager.delete("/v1/knowledge/versions", params={"keep": 1}).json()["deleted"]
    assert set(deleted) <= {extra, before} and store.active_version() == active
    assert manager.delete("/v1/knowledge/versions", params={"keep": 0}).status_code == 422


def test_a_version_that_the_gate_held_back_needs_force(manager: TestClient, store: IndexStore) -> None:
    version = build(store.folder.parent / "knowledge", store.folder, HashingEncoder()).id
    held = {"action": "build", "who": "Lin", "via": "api", "version": version, "outcome": "held"}
    with (store.folder / "history.jsonl").open("a") as stream:
        stream.write(json.dumps(held | {"message": "Loses recall@5.", "at": "2026-11-23T00:00:00+00:00"}) + "\n")
    refused = manager.put("/v1/knowledge/active", json={"version": version})
    assert refused.status_code == 409 and refused.json()["error"]["details"]["is_held"]
    answer = manager.put("/v1/knowledge/active", json={"version": version, "force": True})
    assert answer.json()["active"] == version
    assert manager.get("/v1/knowledge/history").json()["history"][0]["is_forced"]


def test_a_version_that_cannot_be_opened_is_not_said_to_be_in_use(manager: TestClient, store: IndexStore) -> None:
    in_use, version = store.active_version(), store.rollback_target()
    folder = store.path(version or "")
    (folder / "content.json").write_text("[]")  # whole by its checksum, and still not to be read
    manifest = store.manifest(folder.name)
    sums = manifest.files | {"content.json": (2, files.digest(folder / "content.json"))}
    replace(manifest, files=sums).save(folder)
    answer = manager.put("/v1/knowledge/active", json={"version": version})
    assert answer.status_code == 409 and "cannot be opened" in answer.json()["error"]["message"]
    assert manager.app.state.parts.engine.knowledge().version == in_use  # type: ignore[attr-defined]


def test_what_may_pass_is_tried_again_and_what_is_broken_is_not(
    store: IndexStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, whole, tries = LiveKnowledge(store), store.open(), []

    def opens(outcome: Exception | Knowledge) -> Callable[[str], Knowledge]:
        def open_(version: str) -> Knowledge:
            tries.append(version)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return open_

    for _ in range(2):
        monkeypatch.setattr(store, "open", opens(OSError("too many open files")))
        live.refresh()
    assert len(tries) == 2 and not live.is_ready
    monkeypatch.setattr(store, "open", opens(whole))
    live.refresh()
    assert live() is whole
    store.rollback()
    monkeypatch.setattr(store, "open", opens(IndexBroken("damaged")))
    for _ in range(2):
        live.refresh()
    assert len(tries) == 4 and live() is whole


def test_threads_that_look_at_once_open_a_version_once(store: IndexStore, monkeypatch: pytest.MonkeyPatch) -> None:
    live, whole, tries, entered = LiveKnowledge(store), store.open(), [], threading.Event()

    def open_(version: str) -> Knowledge:
        tries.append(version)
        entered.wait(0.2)  # never set: time for the others to come in
        return whole

    monkeypatch.setattr(store, "open", open_)
    threads = [threading.Thread(target=live.refresh) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) == 1 and live() is whole


def test_a_real_build_through_the_api_tells_its_progress(
    manager: TestClient, store: IndexStore, tmp_path: Path
) -> None:
    (tmp_path / "knowledge" / "articles" / "late-parcel.en.md").write_text("---\nid: [\n---\n")
    ordered = manager.post("/v1/knowledge/builds", json={"activate": True})
    assert ordered.status_code == 202 and ordered.json()["by"] == "the knowledge"
    build_id = ordered.json()["id"]
    with manager.stream("GET", f"/v1/knowledge/builds/{build_id}/events") as stream:
        events = list(read_events(stream))
    assert {kind for kind, _ in events[:-1]} == {"progress"}
    assert any(build["stage"] and build["total"] for _, build in events)
    kind, last = events[-1]
    assert (kind, last["status"], last["activated"]) == ("end", "succeeded", True), last
    assert last["gate"]["figures"]["queries"] == 11
    assert any("late-parcel.en.md" in problem for problem in last["problems"])
    assert store.active_version() == last["version"]
    assert manager.get(f"/v1/knowledge/builds/{build_id}").json() == last
    assert manager.get("/v1/knowledge/builds").json()["builds"] == [last]
    built = [entry for entry in manager.get("/v1/knowledge/history").json()["history"] if entry["action"] == "build"]
    assert (built[0]["who"], built[0]["via"], built[0]["version"]) == ("the knowledge", "api", last["version"])
    strict = manager.post("/v1/knowledge/builds", json={"strict": True}).json()["id"]
    with manager.stream("GET", f"/v1/knowledge/builds/{strict}/events") as stream:
        kind, last = list(read_events(stream))[-1]
    assert (kind, last["status"]) == ("end", "failed") and "late-parcel.en.md" in last["problems"][0]
    assert manager.get("/v1/knowledge/builds/bld_none/events").status_code == 404


def read_events(stream: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    kind = ""
    for line in stream.iter_lines():
        if line.startswith("event:"):
            kind = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield kind, json.loads(line.removeprefix("data:"))


@pytest.fixture
def builds(tmp_path: Path) -> Iterator[Callable[[str], Builds]]:
    """Builds whose process runs the given program, all in one folder; what still runs at the end is killed."""
    yield lambda program: Builds(tmp_path / "builds", ["-c", program], now, new_id)
    for path in (tmp_path / "builds").glob("*.pid"):
        kill(int(path.read_text()))


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def ended(builds: Builds, build_id: str) -> Any:
    until = time.monotonic() + 60
    while (found := builds.get(build_id)).status == "running":
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def test_one_build_runs_at_a_time_and_is_remembered_by_the_next_service(builds: Callable[[str], Builds]) -> None:
    first = builds(ENDS)
    started = first.start(BuildInput(), "Lin")
    with pytest.raises(Conflict):
        first.start(BuildInput(), "Lin")
    later = builds(ENDS)  # as after a restart of the service, while the build goes on
    later.resume()
    with pytest.raises(Conflict):
        later.start(BuildInput(), "Lin")
    found = ended(later, started.id)
    assert (found.status, found.version, found.attempts, found.by) == ("succeeded", "v7", 1, "Lin")
    with pytest.raises(NotFound):
        later.get("bld_none")
    with pytest.raises(NotFound):
        later.get("../knowledge")


def test_a_build_that_dies_has_failed(builds: Callable[[str], Builds]) -> None:
    service = builds(DIES)
    found = ended(service, service.start(BuildInput(), "Lin").id)
    assert (found.status, found.message) == ("failed", "The build was interrupted.")


def test_a_build_that_crashes_says_with_what(builds: Callable[[str], Builds]) -> None:
    service = builds("raise RuntimeError('nothing left')")
    found = ended(service, service.start(BuildInput(), "Lin").id)
    assert found.message == "The build was interrupted. RuntimeError: nothing left"


def test_a_build_without_models_fails_with_the_reason(tmp_path: Path) -> None:
    command = ["-m", "assist.cli", "reindex", "--json", f"--data={tmp_path}", f"--models={tmp_path / 'none'}"]
    service = Builds(tmp_path / "builds", command, now, new_id)
    found = ended(service, service.start(BuildInput(), "Lin").id)
    assert found.status == "failed" and "manifest.toml" in found.message


def test_a_build_that_a_restart_killed_is_begun_again_but_not_for_ever(builds: Callable[[str], Builds]) -> None:
    program = RUNS.replace("time.sleep(600)", "job.with_suffix('.pid').write_text(str(__import__('os').getpid())); ")
    program += "time.sleep(600)"
    service = builds(program)
    build_id = service.start(BuildInput(full=True), "Lin").id
    pid_file = service._folder / f"{build_id}.pid"
    for attempt in (1, 2, 3):
        until = time.monotonic() + 60
        while not (pid_file.exists() and pid_file.read_text()):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert service.get(build_id).attempts == attempt
        kill(int(pid_file.read_text()))
        pid_file.unlink()
        while service._is_running():
            time.sleep(0.02)
        service = builds(program)
        service.resume()
    assert service.get(build_id).status == "failed"


def test_a_build_outlives_the_service_that_ordered_it(tmp_path: Path) -> None:
    order = f"""
import sys
from pathlib import Path
from assist.web.knowledge import Builds
from assist.web.parts import new_id, now
from assist.web.schemas import BuildInput
print(Builds(Path({str(tmp_path)!r}), ["-c", {ENDS!r}], now, new_id).start(BuildInput(), "Lin").id)
"""
    done = subprocess.run([sys.executable, "-c", order], capture_output=True, text=True, check=True, cwd=ROOT)
    found = ended(Builds(tmp_path, [], now, new_id), done.stdout.strip())
    assert (found.status, found.version) == ("succeeded", "v7")
