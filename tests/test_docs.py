"""What the README promises is there, and what is there stands in the README."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from assist import errors
from assist.settings import Settings
from assist.web.app import create_app
from assist.web.observe import Metrics

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PROGRAMS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)
PYTHON_PROGRAMS = [path for path in PROGRAMS if ".venv/bin/python" in path.read_text("utf-8").split("\n", 2)[1]]


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_settings_are_documented_with_their_defaults(name: str) -> None:
    row = re.search(rf"^\| `ASSIST_{name.upper()}` \| `?(.*?)`? \|", README, re.MULTILINE)
    assert row, f"ASSIST_{name.upper()} is not in the README"
    default = Settings.model_fields[name].default
    told = "" if default in ("", ()) else str(default)
    assert row.group(1) == told


def test_routes_are_documented() -> None:
    paths = create_app(settings=Settings(auth=False)).openapi()["paths"]
    told = {
        (method, re.sub(r"\{\w+\}", "{}", path))
        for method, path in re.findall(r"`(GET|POST|PUT|DELETE) (/[^`?\s]*)", README)
    }
    for path, methods in paths.items():
        for method in methods:
            assert (method.upper(), re.sub(r"\{\w+\}", "{}", path)) in told, f"{method.upper()} {path}"


def test_error_codes_are_documented() -> None:
    def leaves(kind: type[errors.AssistError]) -> list[type[errors.AssistError]]:
        return [kind, *(leaf for below in kind.__subclasses__() for leaf in leaves(below))]

    for kind in leaves(errors.AssistError):
        assert f"| `{kind.code}` | {kind.status} |" in README, kind.code
        assert kind.__doc__


def test_metrics_are_documented() -> None:
    for collector in vars(Metrics()).values():
        name = getattr(collector, "_name", None)
        if name:
            assert f"`{name}" in README, name


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_programs_are_documented_and_executable(program: Path) -> None:
    assert f"scripts/{program.name}" in README
    assert program.stat().st_mode & 0o111, "not executable"


@pytest.mark.parametrize("program", PYTHON_PROGRAMS, ids=lambda path: path.name)
def test_programs_explain_themselves(program: Path) -> None:
    if program.name.startswith("train_") or program.name in ("build_encoder", "bench_emotion"):
        text = program.read_text("utf-8")  # they import what only the train extra installs
        assert f"scripts/{program.name}" in text, "no example in the help"
        return
    done = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True, check=True)
    assert f"scripts/{program.name}" in done.stdout, "no example in the help"


def test_files_named_in_the_tree_exist() -> None:
    tree = README.split("## Files", 1)[1].split("```", 2)[1]
    stack: list[str] = []
    for line in tree.strip("\n").splitlines():
        names = line.split("  ", 1)[0] if line[:1] != " " else line.strip().split("  ", 1)[0]
        depth = (len(line) - len(line.lstrip(" "))) // 2
        for name in names.split(" "):
            stack = [*stack[:depth], name.rstrip("/")]
            assert (ROOT / Path(*stack)).exists(), "/".join(stack)
