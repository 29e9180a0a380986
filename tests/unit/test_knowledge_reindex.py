"""The script that knowledge managers run."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def run(tmp_path):
    source = Path(shutil.copytree(ROOT / "tests/data/knowledge", tmp_path / "knowledge"))

    def call(*options: str) -> tuple[int, dict, str]:
        command = [str(ROOT / "scripts/reindex"), "--source", str(source), "--data", str(tmp_path / "data"), *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        return done.returncode, json.loads(done.stdout.strip().rsplit("\n", 1)[-1]), done.stderr

    call.source, call.index = source, tmp_path / "data" / "index"
    return call


def test_a_build_becomes_active_and_a_broken_article_leaves_it_so(run):
    code, said, _ = run()
    assert code == 0 and said["active"] == said["version"] and said["embedded"] > 0
    active = said["version"]
    code, said, _ = run("--no-activate")
    assert code == 0 and said["active"] == active and said["version"] != active and said["embedded"] == 0
    (run.source / "articles/late-parcel.en.md").write_text("broken")
    code, said, errors = run()
    line = "articles/late-parcel.en.md:1: front matter between two lines of --- is needed"
    assert code == 1 and said["problems"] == [line] and line in errors
    assert (run.index / "active").read_text().strip() == active


def test_a_dry_run_writes_nothing(run):
    code, said, _ = run("--dry-run")
    assert code == 0 and said["counts"]["articles"] == 9
    assert not run.index.exists()
