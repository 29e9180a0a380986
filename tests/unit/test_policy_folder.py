"""The policy file: who may change it, how, and what a kill leaves."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assist.cli import app
from assist.errors import Conflict, NotFound, SettingsError
from assist.knowledge.index import files
from assist.learning.folder import PolicyFolder
from assist.learning.proposal import Held, Proposal, Verdict
from assist.suggest.weights import NEUTRAL, Weights

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HELD = Held(0, 0, 0, 0, 0.0, 0.0, None, None, None, 0, 0)


def proposal(name: str, before: str = "", verdict: Verdict = "better") -> Proposal:
    weights = Weights(name, {"case": 0.8}, {"phrase": {"calm-1": 1.2}})
    return Proposal(weights, before, NOW, NOW, NOW, NOW, 100, 0, (1.0,), (), 0, HELD, verdict)


@pytest.fixture
def folder(tmp_path: Path) -> PolicyFolder:
    return PolicyFolder(tmp_path / "policy.json")


def adopted(folder: PolicyFolder, *names: str) -> None:
    before = folder.in_use().version
    for name in names:
        folder.add(proposal(name, before), "report")
        folder.adopt(name, "lin")
        before = name


def test_a_proposal_comes_back_as_it_was_and_changes_nothing(folder: PolicyFolder, tmp_path: Path) -> None:
    made = proposal(folder.next_name())
    page = folder.add(made, "# 报告")
    assert page.read_text("utf-8") == "# 报告"
    assert folder.proposal("w1") == made
    assert folder.names() == ["w1"]
    assert folder.next_name() == "w2"
    assert folder.in_use() is NEUTRAL
    assert not (tmp_path / "policy.json").exists()


def test_rolling_back_goes_one_further_back_each_time(folder: PolicyFolder, tmp_path: Path) -> None:
    adopted(folder, "w1", "w2", "w3")
    assert folder.rollback("lin") == "w2"
    assert folder.in_use().version == "w2"
    folder.add(proposal("w4", "w2"), "report")
    folder.adopt("w4", "lin")
    assert [folder.rollback("wei") for _ in range(3)] == ["w2", "w1", None]
    assert folder.in_use() is NEUTRAL
    assert not (tmp_path / "policy.json").exists()
    with pytest.raises(Conflict):
        folder.rollback("wei")
    steps = [(step.action, step.who, step.version) for step in folder.history()]
    assert steps[:4] == [(*("adopt", "lin"), name) for name in ("w1", "w2", "w3")] + [("rollback", "lin", "w2")]
    assert steps[-1] == ("rollback", "wei", None)


@pytest.mark.parametrize("verdict", ["worse", "unclear", "thin", "nothing"])
def test_what_did_not_do_better_is_adopted_by_force_only(folder: PolicyFolder, verdict: Verdict) -> None:
    folder.add(proposal("w1", verdict=verdict), "report")
    with pytest.raises(Conflict, match=verdict):
        folder.adopt("w1", "lin")
    assert folder.in_use() is NEUTRAL
    assert folder.history() == []
    folder.adopt("w1", "lin", force=True)
    assert folder.in_use().version == "w1"
    assert folder.history()[0].is_forced


def test_what_was_compared_with_another_policy_is_proposed_anew(folder: PolicyFolder) -> None:
    adopted(folder, "w1")
    folder.add(proposal("w2", before=""), "report")
    with pytest.raises(Conflict, match="compared with no policy, and w1 is in use now"):
        folder.adopt("w2", "lin")
    with pytest.raises(Conflict, match="in use already"):
        folder.adopt("w1", "lin")
    with pytest.raises(NotFound):
        folder.adopt("w7", "lin")


def test_a_step_that_a_kill_prevented_counts_as_none(
    folder: PolicyFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    adopted(folder, "w1")
    folder.add(proposal("w2", "w1"), "report")
    with monkeypatch.context() as killed:
        killed.setattr(files, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            folder.adopt("w2", "lin")
    assert folder.in_use().version == "w1"
    with (tmp_path / "policy-history.jsonl").open("a") as stream:
        stream.write('{"action": "ado')
    assert len(folder.history()) == 2
    assert folder.rollback("lin") is None


def test_two_commands_do_not_change_it_at_once(folder: PolicyFolder, tmp_path: Path) -> None:
    folder.add(proposal("w1"), "report")
    with files.locked(tmp_path / ".policy.lock"), pytest.raises(Conflict, match="Another command"):
        folder.adopt("w1", "lin")


def test_broken_files_are_named(folder: PolicyFolder, tmp_path: Path) -> None:
    folder.add(proposal("w1"), "report")
    path = tmp_path / "policy-proposals" / "w1.json"
    made = json.loads(path.read_text())
    made["weights"]["kinds"]["case"] = 3.0
    path.write_text(json.dumps(made))
    with pytest.raises(SettingsError, match=r"w1\.json is no proposal"):
        folder.adopt("w1", "lin", force=True)
    with pytest.raises(SettingsError, match="there is no policy file"):
        folder.in_use(required=True)
    (tmp_path / "policy.json").write_text(json.dumps({"version": "w1", "kinds": {"case": 9}}))
    with pytest.raises(SettingsError, match=r"policy\.json is no policy: kinds\.case: .*less than or equal to 2"):
        folder.in_use()


def test_the_service_does_not_start_with_a_broken_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy.json").write_text('{"version": "w1", "kinds": {"alert": 0.5}}')
    done = CliRunner().invoke(app, ["serve", "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "policy.json is no policy: kinds.alert" in done.output
    monkeypatch.setenv("ASSIST_POLICY_FILE", str(tmp_path / "other.json"))
    done = CliRunner().invoke(app, ["serve", "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "there is no policy file" in done.output


def test_the_name_of_a_proposal_is_never_given_twice(folder: PolicyFolder, tmp_path: Path) -> None:
    adopted(folder, "w1", "w2")
    for path in (tmp_path / "policy-proposals").iterdir():
        path.unlink()
    assert folder.next_name() == "w3"
    assert replace(proposal("w3"), weights=Weights("w3")).weights.of("phrase", "calm-1") == 1
