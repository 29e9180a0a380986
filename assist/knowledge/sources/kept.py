"""What an earlier reading of the same files gave, so that a file that has not changed is not read again."""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from assist.domain import Article


class KeptFile(NamedTuple):
    """A file without a problem: the SHA-256 of its bytes, and its articles with their lines."""

    digest: str
    articles: tuple[tuple[int, Article], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """The articles of files by name, read where these `situations` were known."""

    situations: frozenset[str] = frozenset()
    files: Mapping[str, KeptFile] = field(default_factory=dict)


def digest_of(path: Path, limit: int) -> str | None:
    """SHA-256 of a regular file of at most `limit` bytes, or None."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            facts = os.fstat(stream.fileno())
            if stat.S_ISREG(facts.st_mode) and facts.st_size <= limit:
                return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        pass
    return None
