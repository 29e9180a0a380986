"""The programs that knowledge managers run."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

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
