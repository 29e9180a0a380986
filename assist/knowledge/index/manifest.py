"""What a version says about itself."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from assist.errors import IndexBroken
from assist.knowledge.index import files

FORMAT: Final = 1
"""Changes when a version of this code could not read the files of an earlier one."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a version holds. `counts` by kind, `changes` against the version that was active before.

    `reused` and `embedded` count vectors; `files` gives size and SHA-256 of each file; `indexes` says of each vector
    index of which kind it is, which follows from its size.
    """

    id: str
    created_at: datetime
    encoder_version: str
    dimension: int
    counts: dict[str, int]
    changes: dict[str, int]
    reused: int
    embedded: int
    seconds: float
    files: dict[str, tuple[int, str]]
    indexes: dict[str, dict[str, str | int]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a version's manifest. Raises IndexBroken if it is missing or not one."""
        try:
            values = json.loads((folder / "manifest.json").read_text())
            if values.pop("format") != FORMAT:
                raise IndexBroken(f"index version {folder.name} has another format: build it again")
            values["created_at"] = datetime.fromisoformat(values["created_at"])
            values["files"] = {name: (size, digest) for name, (size, digest) in values["files"].items()}
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexBroken(f"index version {folder.name} has no readable manifest") from error

    def save(self, folder: Path) -> None:
        """Write the manifest and wait until it is on the disk."""
        values = {"format": FORMAT, **asdict(self), "created_at": self.created_at.isoformat()}
        files.write(folder / "manifest.json", json.dumps(values, indent=1).encode())

    def verify(self, folder: Path, names: Iterable[str] = ()) -> None:
        """Raises IndexBroken unless every file, or every named one, is there as it was written."""
        for name in names or self.files:
            size, digest = self.files.get(name, (-1, ""))
            path = folder / name
            if not path.is_file() or path.stat().st_size != size or files.digest(path) != digest:
                raise IndexBroken(f"index version {folder.name}: {name} is missing or damaged")
