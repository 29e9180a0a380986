"""What the care commands tell the shell."""

import json

import pytest
from typer.testing import CliRunner

from assist import cli_care


@pytest.mark.parametrize("command", ["check", "gaps"])
def test_a_crash_is_not_mistaken_for_a_finding(command, tmp_path, monkeypatch):
    def crash(*_, **__):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr(cli_care.configuration, "load", crash)
    done = CliRunner().invoke(cli_care.care, [command, "--json", "--data", str(tmp_path)])
    assert done.exit_code == cli_care.FAILED
    assert json.loads(done.stdout.strip().split("\n")[-1]) == {"message": "RuntimeError: the disk is on fire"}
    assert "Traceback" in done.stderr
