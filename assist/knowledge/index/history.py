"""Who did what to the index and when: an append-only file of JSON lines beside the versions.

A line is on the disk before what it tells of takes effect, so that nothing happens without a name. A switch that a kill
prevented after its line was written is known by what follows it, and counts as failed.
"""

import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from assist.knowledge.index import files

Action = Literal["build", "activate", "rollback", "prune"]
Via = Literal["command", "api"]


class Actor(NamedTuple):
    """Who acts: the user of the machine at the command line, the name of the key through the API."""

    name: str
    via: Via


def os_user() -> Actor:
    """The user who runs this process."""
    try:
        return Actor(getpass.getuser(), "command")
    except (KeyError, OSError):
        return Actor("unknown", "command")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `previous` is the version that was active before; `outcome` is `held` where the gate held a build back.

    `details` of a build: changes, embedded, reused, seconds, the first problems, their number and gate; of pruning:
    deleted.
    """

    action: Action
    who: str
    via: str
    version: str | None
    previous: str | None = None
    outcome: Literal["done", "held", "failed"] = "done"
    is_forced: bool = False
    message: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def parse(cls, line: bytes) -> Self | None:
        """The entry of a line, or None for what a kill has left of one."""
        try:
            values = json.loads(line)
            return cls(**values | {"at": datetime.fromisoformat(values["at"])})
        except (ValueError, KeyError, TypeError):
            return None


class History:
    """The entries of one index folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "history.jsonl"
        self._active = folder / "active"

    def add(self, entry: Entry) -> None:
        """Append an entry and wait until it is on the disk."""
        values = asdict(entry) | {"at": entry.at.isoformat(timespec="seconds")}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        files.append_line(self._path, json.dumps(values, ensure_ascii=False, default=str).encode("utf-8", "replace"))

    def active(self) -> str | None:
        """The version in use, or None before the first switch."""
        try:
            return self._active.read_text().strip() or None
        except FileNotFoundError:
            return None

    def entries(self) -> list[Entry]:
        """All entries, the oldest first."""
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        return settled([entry for line in lines if (entry := Entry.parse(line))], self.active())


def settled(entries: Sequence[Entry], active: str | None) -> list[Entry]:
    """The entries with `failed` for switches that never took effect: what came after them did not find them in use."""
    found, in_force = [], active
    for entry in reversed(entries):
        if entry.action in ("activate", "rollback"):
            found.append(entry if entry.version == in_force else replace(entry, outcome="failed"))
            in_force = entry.previous
        else:
            found.append(entry)
    return found[::-1]


def build_of(entries: Sequence[Entry], version: str) -> Entry | None:
    """The entry of the build that made a version."""
    return next((entry for entry in entries if entry.action == "build" and entry.version == version), None)


def held_back(entries: Sequence[Entry], version: str) -> Entry | None:
    """The entry of the build if the gate holds the version back, and nobody has forced it since."""
    made = build_of(entries, version)
    if made is None or made.outcome != "held":
        return None
    is_forced = any(entry.is_forced and entry.version == version and entry.outcome == "done" for entry in entries)
    return None if is_forced else made


def active_before(entries: Sequence[Entry], active: str | None, existing: set[str]) -> str | None:
    """The version to which a rollback leads: the last one that was activated before the active one and still exists.

    Rolling back twice goes two steps back: an activation that was rolled back does not count as one.
    """
    trail: list[str] = []
    for entry in entries:
        if entry.version is None or entry.outcome != "done":
            continue
        if entry.action == "activate":
            trail.append(entry.version)
        elif entry.action == "rollback" and entry.version in trail:
            while trail[-1] != entry.version:
                trail.pop()
    return next((version for version in reversed(trail) if version in existing and version != active), None)
