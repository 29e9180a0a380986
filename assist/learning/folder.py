"""The policy file `policy.json`, with `policy-proposals/` and `policy-history.jsonl` beside it: who adopted what.

A line of the history is on the disk before what it tells of takes effect, so that nothing happens without a name. A
step that a kill prevented after its line is known by what the next line found in use.
"""

import getpass
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from assist.errors import Conflict, NotFound, SettingsError
from assist.knowledge.index import files
from assist.learning.proposal import Proposal
from assist.suggest.weights import NEUTRAL, Weights

_PROPOSAL: TypeAdapter[Proposal] = TypeAdapter(Proposal)
_NAME = re.compile(r"w[1-9]\d{0,5}")


def os_user() -> str:
    """The user who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the history; no `version` is the policy without factors."""

    action: Literal["adopt", "rollback"]
    who: str
    version: str | None
    previous: str | None
    is_forced: bool = False
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class PolicyFolder:
    """The policy file in use and what belongs to it. Files change at once or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._proposals = path.parent / f"{path.stem}-proposals"
        self._history = path.parent / f"{path.stem}-history.jsonl"

    def in_use(self, *, required: bool = False) -> Weights:
        """The weights of the policy file; neutral if there is none.

        Raises SettingsError if the file is broken, or missing and `required`.
        """
        try:
            return Weights.parse(self._path.read_bytes(), str(self._path))
        except FileNotFoundError:
            if required:
                raise SettingsError(f"there is no policy file {self._path}") from None
            return NEUTRAL
        except OSError as error:
            raise SettingsError(f"{self._path} cannot be read: {error.strerror}") from error

    def names(self) -> list[str]:
        """The proposals, the oldest first."""
        if not self._proposals.is_dir():
            return []
        found = [path.stem for path in self._proposals.glob("w*.json") if _NAME.fullmatch(path.stem)]
        return sorted(found, key=lambda name: int(name[1:]))

    def next_name(self) -> str:
        """A name that no proposal has or had."""
        taken = [self.in_use().version, *self.names(), *(step.version for step in self.history())]
        return f"w{1 + max((int(name[1:]) for name in taken if name), default=0)}"

    def add(self, proposal: Proposal, report: str) -> Path:
        """Keep a proposal with its report; returns the report's file. Nothing else changes."""
        self._proposals.mkdir(parents=True, exist_ok=True)
        name = proposal.weights.version
        page = self._proposals / f"{name}.md"
        files.replace(page, report.encode())
        files.replace(self._proposals / f"{name}.json", _PROPOSAL.dump_json(proposal, indent=1) + b"\n")
        return page

    def proposal(self, name: str) -> Proposal:
        """A proposal by its name. Raises NotFound, or SettingsError if its file is broken."""
        path = self._proposals / f"{name}.json"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise NotFound(f"There is no proposal {name}.")
        try:
            return _PROPOSAL.validate_json(path.read_bytes())
        except ValidationError as error:
            raise SettingsError(f"{path} is no proposal: {error.error_count()} fields are wrong") from error

    def adopt(self, name: str, who: str, *, force: bool = False) -> None:
        """Put a proposal in use. Raises Conflict if it did not do better on the held-back part, unless forced."""
        with self._locked():
            proposal = self.proposal(name)
            current = self.in_use().version
            if name == current:
                raise Conflict(f"{name} is in use already.")
            if proposal.verdict != "better" and not force:
                raise Conflict(f"{name} did not do better on the held-back part of the log ({proposal.verdict}).")
            if proposal.before != current and not force:
                was, now = proposal.before or "no policy", current or "none"
                raise Conflict(f"{name} was compared with {was}, and {now} is in use now. Propose anew.")
            self._switch(Step("adopt", who, name, current or None, force), proposal.weights)

    def rollback(self, who: str) -> str | None:
        """Put the policy in use that was so before; once more goes one further back. Returns its version or None.

        Raises Conflict if nothing was in use before.
        """
        with self._locked():
            current = self.in_use().version or None
            trail = _trail(self.history(), current)
            if trail[-1] == current:
                trail.pop()
            if not trail:
                raise Conflict("There is no policy to go back to.")
            before = trail[-1]
            weights = self.proposal(before).weights if before else None
            self._switch(Step("rollback", who, before, current), weights)
            return before

    def history(self) -> list[Step]:
        """Who did what, the oldest first."""
        try:
            lines = self._history.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        return [step for line in lines if (step := _step(line))]

    def _switch(self, step: Step, weights: Weights | None) -> None:
        line = json.dumps(asdict(step), ensure_ascii=False, default=datetime.isoformat)
        files.append_line(self._history, line.encode("utf-8", "replace"))
        if weights is None:
            self._path.unlink(missing_ok=True)
            files.sync(self._path.parent)
        else:
            files.replace(self._path, weights.dump())

    def _locked(self) -> Any:
        return files.locked(self._path.parent / f".{self._path.stem}.lock", busy="Another command changes the policy.")


def _trail(steps: Sequence[Step], current: str | None) -> list[str | None]:
    """The versions that lead to the one in use; a step back takes one away."""
    trail: list[str | None] = [None]
    for number, step in enumerate(steps):
        found_next = steps[number + 1].previous if number + 1 < len(steps) else current
        if step.version != found_next:
            continue  # a kill came before it took effect
        if step.action == "adopt":
            trail.append(step.version)
        else:
            trail.pop()
    return trail


def _step(line: bytes) -> Step | None:
    """The step of a line, or None for what a kill has left of one."""
    try:
        values = json.loads(line)
        return Step(**values | {"at": datetime.fromisoformat(values["at"])})
    except (ValueError, KeyError, TypeError):
        return None
