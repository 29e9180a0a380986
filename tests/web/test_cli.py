"""The command: keys, refusals in sentences, broken knowledge."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assist.cli import app


@pytest.fixture
def run(tmp_path: Path):
    def call(*arguments: str):
        return CliRunner().invoke(app, [*arguments, "--data", str(tmp_path)])

    return call


def test_keys_are_added_listed_and_revoked(run) -> None:
    added = run("keys", "add", "Lin Wei", "--role", "agent", "--language", "zh-Hans")
    secret = added.stdout.strip()
    assert added.exit_code == 0 and secret.startswith("ask_")
    listed = run("keys", "list").stdout
    assert "Lin Wei" in listed and secret not in listed
    [key_id] = re.findall(r"key_[0-9a-f]+", listed)
    assert run("keys", "revoke", key_id).exit_code == 0
    assert run("keys", "revoke", "key_none").exit_code == 2
    assert run("keys", "add", "Lin Wei", "--role", "boss").exit_code == 2


def test_a_login_link_is_for_this_machine(run) -> None:
    printed = run("login", "--role", "supervisor", "--port", "8123").stdout
    assert re.search(r"http://127\.0\.0\.1:8123/login\?key=asl_\S+", printed)


@pytest.mark.parametrize(
    "arguments", [["serve", "--no-auth", "--host", "0.0.0.0"], ["serve", "--port", "99999"], ["login", "--port", "0"]]
)
def test_what_is_unsafe_ends_with_a_sentence(run, arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert ended.stderr.startswith("assist: ")
    assert "Traceback" not in ended.output


def test_broken_knowledge_is_named_by_file_and_line(run, tmp_path: Path) -> None:
    source = Path(shutil.copytree(Path(__file__).parent.parent / "data/knowledge", tmp_path / "knowledge"))
    (source / "articles" / "broken.en.md").write_text("---\nid: other\n---\nText\n")
    ended = run("reindex", "--source", str(source), "--strict", "--json")
    assert ended.exit_code == 1
    said = json.loads(ended.stdout.splitlines()[-1])
    assert any("broken.en.md:" in problem for problem in said["problems"])
    assert not (tmp_path / "index" / "active").exists()


def test_a_page_that_cannot_be_written_is_named_in_a_sentence(run, tmp_path: Path) -> None:
    ended = run("knowledge", "history", "--json", "--html", str(tmp_path / "none" / "page.html"))
    assert ended.exit_code == 2 and "page.html" in ended.stderr
    assert "page.html" in json.loads(ended.stdout)["message"]


@pytest.mark.parametrize("option", ["--force", "--full", "--watch", "--no-activate", "--prune=3"])
def test_a_dry_run_refuses_what_it_would_not_do(run, option: str) -> None:
    ended = run("reindex", "--dry-run", option)
    assert ended.exit_code == 2 and "--dry-run" in ended.stderr


def test_nobody_builds_in_the_name_of_another(run, tmp_path: Path) -> None:
    order = tmp_path / "bld_1.json"
    order.write_text('{"by": "Lin Wei"}')
    assert run("reindex", "--job", str(order)).exit_code == 2
    assert run("reindex", "--who", "Lin Wei").exit_code == 2
    assert not (tmp_path / "index").exists()


def test_versions_are_looked_after(run) -> None:
    assert "no index version yet" in run("knowledge", "list").stdout
    assert run("knowledge", "rollback").exit_code == 2
    assert "Nothing has happened" in run("knowledge", "history").stdout
