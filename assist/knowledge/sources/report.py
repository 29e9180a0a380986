"""What a reading finds wrong, and what it leaves out on purpose."""

from collections import Counter
from typing import Final

from assist.errors import Problem

MAX_PROBLEMS: Final = 100
"""Problems listed of one file. A hostile file could hold millions, and nobody reads beyond the first page."""


class Report:
    """Collects problems and counts of what was dropped; `count` grows with each problem, listed or not."""

    def __init__(self) -> None:
        self.count = 0
        self.dropped: Counter[str] = Counter()
        self._listed: list[Problem] = []
        self._by_path: Counter[str] = Counter()

    def problem(self, path: str, line: int, message: str) -> None:
        """Name a broken place. Only the first `MAX_PROBLEMS` of a file are kept."""
        self.count += 1
        self._by_path[path] += 1
        if self._by_path[path] <= MAX_PROBLEMS:
            self._listed.append(Problem(path, line, message))

    def drop(self, folder: str, reason: str) -> None:
        """Count something that was left out on purpose."""
        self.dropped[f"{folder}: {reason}"] += 1

    def problems(self) -> tuple[Problem, ...]:
        """All listed problems by file and line; a file with more has its last line say how many."""
        more = [
            Problem(path, 1, f"{count - MAX_PROBLEMS:,} further problems in this file are not listed")
            for path, count in self._by_path.items()
            if count > MAX_PROBLEMS
        ]
        return (*sorted(self._listed, key=lambda problem: (problem.path, problem.line)), *more)
