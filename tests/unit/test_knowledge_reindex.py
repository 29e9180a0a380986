"""The programs that knowledge managers run."""

import fcntl
import json
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from hashing_encoder import HashingEncoder

from assist import settings as configuration
from assist.cli_parts import index_store
from assist.cli_reindex import first_build
from assist.knowledge.index import IndexStore
from assist.knowledge.index.gate import Margins
from assist.knowledge.index.history import os_user
from assist.knowledge.index.publish import publish

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def run(tmp_path):
    source = Path(shutil.copytree(ROOT / "tests/data/knowledge", tmp_path / "knowledge"))

    def command(program: str, *options: str) -> list[str]:
        given = ["--source", str(source)] if program == "reindex" else []
        return [str(ROOT / "scripts" / program), *options, *given, "--data", str(tmp_path / "data")]

    def call(program: str, *options: str) -> tuple[int, dict, str]:
        done = subprocess.run(command(program, *options), capture_output=True, text=True, cwd=tmp_path, check=False)
        last = done.stdout.strip().rsplit("\n", 1)[-1]
        return done.returncode, json.loads(last) if last.startswith("{") else done.stdout, done.stderr

    call.source, call.index, call.command = source, tmp_path / "data" / "index", command
    return call


def test_a_build_becomes_active_and_a_broken_source_leaves_it_so(run):
    code, said, _ = run("reindex")
    assert code == 0 and said["active"] == said["version"] and said["embedded"] > 0
    assert said["gate"]["figures"]["recall_at_5"] >= 0.9
    active = said["version"]
    code, said, _ = run("reindex", "--no-activate", "--json")
    assert code == 0 and said["active"] == active and said["version"] != active and said["embedded"] == 0
    (run.source / "articles/late-parcel.en.md").write_text("---\nid: [\n---\n")
    code, said, errors = run("reindex", "--strict")
    assert code == 1 and "articles/late-parcel.en.md:" in said["problems"][0] and said["problems"][0] in errors
    assert "Traceback" not in errors
    assert (run.index / "active").read_text().strip() == active


def test_a_dry_run_tells_the_difference_and_writes_nothing(run):
    code, said, _ = run("reindex", "--dry-run")
    assert code == 0 and said["counts"]["articles"] == 9 and said["changes"]["added"] == 25
    assert not run.index.exists()
    run("reindex")
    for path in (run.source / "articles").glob("swelling-battery.*"):
        path.unlink()
    before = sorted(run.index.rglob("*"))
    code, said, _ = run("reindex", "--dry-run", "--json")
    assert code == 3
    assert {record["name"] for record in said["records"]} == {"swelling-battery (en)", "swelling-battery (zh-Hans)"}
    assert {change["before"] for change in said["answers"]} == {"swelling-battery"}
    assert {worse["reason"] for worse in said["gate"]["worse"]} == {"removed"}
    assert sorted(run.index.rglob("*")) == before


def test_versions_are_held_back_forced_rolled_back_and_pruned(run):
    first = run("reindex")[1]["version"]
    for path in (run.source / "articles").glob("swelling-battery.*"):
        path.unlink()
    code, said, errors = run("reindex")
    held = said["version"]
    assert code == 3 and said["active"] == first and "not activated" in errors
    listed = {version["version"]: version for version in run("knowledge", "list", "--json")[1]["versions"]}
    assert listed[first]["active"] and listed[held]["is_held"]
    code, said, _ = run("knowledge", "activate", held, "--json")
    assert code == 3 and "gate" in said["message"]
    assert run("knowledge", "activate", held, "--force", "--json")[1] == {"active": held, "before": first}
    code, shown, _ = run("knowledge", "show", first, "--json")
    assert shown["indexes"]["articles"] == {"kind": "exact"}
    assert {change["change"] for change in shown["differs_from_active"]} == {"added"}
    assert run("knowledge", "rollback", "--json")[1] == {"active": first, "before": held}
    code, _, errors = run("knowledge", "rollback")
    assert code == 2 and errors == "assist: There is no earlier version to go back to.\n"
    code, _, errors = run("knowledge", "activate", "20260101T000000Z-abcdef")
    assert code == 2 and "no index version" in errors and "Traceback" not in errors
    assert run("knowledge", "prune", "--keep", "1", "--json")[1] == {"deleted": []}
    for table in ("list", "history"):
        code, printed, _ = run("knowledge", table)
        assert code == 0 and first in printed and held in printed
    page = run.index.parent / "history.html"
    code, said, _ = run("knowledge", "history", "--html", str(page), "--language", "zh-Hans", "--json")
    assert [entry["action"] for entry in said["history"]] == ["build", "activate", "build", "activate", "rollback"]
    assert "知识索引的历史" in page.read_text("utf-8")
    code, printed, _ = run("knowledge", "history", "--language", "zh-Hans")
    assert code == 0 and "操作人" in printed and "检索质量下降" in printed and "Loses" not in printed


def test_a_watched_folder_is_built_again_when_a_file_changes(run):
    watch = subprocess.Popen(
        run.command("reindex", "--watch", "--json"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert watch.stdout is not None
        first = json.loads(watch.stdout.readline())
        path = run.source / "articles" / "late-parcel.en.md"
        path.write_text(path.read_text("utf-8").replace("48 hours", "72 hours"), "utf-8")
        second = json.loads(watch.stdout.readline())
        assert second["changes"] == {"added": 0, "changed": 1, "unchanged": 24, "removed": 0}
        assert second["embedded"] == 1 and second["active"] == second["version"] != first["version"]
        watch.send_signal(signal.SIGINT)
        assert watch.wait(30) == 0
    finally:
        watch.kill()
        watch.wait()
        watch.stdout.close()


def test_a_watcher_builds_after_the_build_that_hinders_it(run):
    run.index.mkdir(parents=True)
    with (run.index / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        command = run.command("reindex", "--watch", "--json")
        watch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert watch.stdout is not None and watch.stderr is not None
        try:
            assert "Another build of this index is running. Trying again" in watch.stderr.readline()
            fcntl.flock(handle, fcntl.LOCK_UN)
            assert json.loads(watch.stdout.readline())["active"]
        finally:
            watch.kill()
            watch.communicate()


def test_a_service_without_an_index_that_it_can_search_takes_a_worse_one(run):
    store = IndexStore(run.index)
    publish(run.source, store, HashingEncoder(), by=os_user(), on=date(2026, 11, 23), margins=Margins(0, 0))
    for path in (run.source / "articles").glob("swelling-battery.*"):
        path.unlink()
    settings = configuration.load(data_dir=run.index.parent, knowledge_dir=run.source, models_dir=ROOT / "models")
    assert index_store(settings).needs_build
    first_build(settings)
    assert not index_store(settings).needs_build
    built, activated = store.history.entries()[-2:]
    assert built.outcome == "held" and activated.is_forced


def test_a_dry_run_leaves_an_older_log_as_it_is(run):
    log = run.index.parent / "assist.db"
    log.parent.mkdir()
    with closing(sqlite3.connect(log)) as connection:
        connection.execute("CREATE TABLE conversations (id)")
    code, said, _ = run("reindex", "--dry-run")
    assert code == 2 and "--days 0" in said["message"]
    with closing(sqlite3.connect(log)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("conversations",)]
    assert run("reindex", "--dry-run", "--days", "0")[0] == 0
