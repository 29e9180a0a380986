"""What the care commands tell the shell."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assist import cli_care

SAMPLE = Path(__file__).parent.parent / "data" / "knowledge"


@pytest.mark.parametrize("command", ["check", "gaps", "phrases"])
def test_a_crash_is_not_mistaken_for_a_finding(command, tmp_path, monkeypatch):
    def crash(*_, **__):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(cli_care.configuration, "load", crash)
    done = CliRunner().invoke(cli_care.care, [command, "--json", "--data", str(tmp_path)])
    assert done.exit_code == cli_care.FAILED
    assert json.loads(done.stdout.strip().split("\n")[-1]) == {"message": "RuntimeError: the disk is on fire"}
    assert "Traceback" in done.stderr


def test_phrases_are_listed_with_their_state(tmp_path):
    source = shutil.copytree(SAMPLE, tmp_path / "knowledge")
    path = source / "phrases/phrases.jsonl"
    path.write_text(path.read_text().replace('["angry"]', '["angry"], "review": "retired", "reason": "too heavy"', 1))
    asked = ["phrases", "--source", str(source), "--data", str(tmp_path)]
    plain = CliRunner().invoke(cli_care.care, asked)
    assert plain.exit_code == 0 and "1 retired." in plain.stdout and "too" in plain.stdout
    told = CliRunner().invoke(cli_care.care, [*asked, "--review", "retired", "--json"])
    [one] = json.loads(told.stdout)["phrases"]
    assert (one["review"], one["reason"], one["use"]) == ("retired", "too heavy", None)
    nothing = CliRunner().invoke(cli_care.care, [*asked, "--review", "draft"])
    assert nothing.exit_code == 0 and nothing.stdout == "0 phrases.\n"
