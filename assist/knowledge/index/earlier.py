"""What a build takes over from earlier versions. What is missing or damaged costs time only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assist.errors import AssistError
from assist.knowledge.index.records import Digests, read_digests
from assist.knowledge.index.store import IndexStore
from assist.knowledge.index.vectors import Floats

_REUSED: Final = ("keys.json", "vectors.npy", "records.json", "articles.npy", "terms.json", "terms.npz")
"""The files that are taken from."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier versions offer: vectors by key, and in `known` entries of articles; `folder` is the active one's.

    `known` has by an article's digest its entries with the keys of their vectors.
    """

    folder: Path | None
    digests: Digests
    known: Mapping[str, Sequence[tuple[list[int], str]]]
    rows: dict[str, tuple[int, int]]
    vectors: Sequence[Floats]


NOTHING: Final = Earlier(None, {}, {}, {}, ())


def earlier_versions(store: IndexStore, encoder_version: str, dimension: int) -> Earlier:
    """The active and the newest version; what is missing or damaged costs time only."""
    active = store.active_version()
    newest = next((manifest.id for manifest in store.versions()), None)
    folder: Path | None = None
    digests: Digests = {}
    known: Mapping[str, Sequence[tuple[list[int], str]]] = {}
    rows: dict[str, tuple[int, int]] = {}
    vectors: list[Floats] = []
    for version in dict.fromkeys(name for name in (active, newest) if name):
        try:
            path, manifest = store.path(version), store.manifest(version)
            if (manifest.encoder_version, manifest.dimension) != (encoder_version, dimension):
                continue
            manifest.verify(path, _REUSED)
            keys: list[str] = json.loads((path / "keys.json").read_text())
            found = np.load(path / "vectors.npy", mmap_mode="r")
            if version == active:
                digests = read_digests(path)
                known = _known_entries(digests, np.load(path / "articles.npy"), keys)
                folder = path
        except (AssistError, OSError):
            continue
        rows |= {key: (len(vectors), row) for row, key in enumerate(keys) if key not in rows}
        vectors.append(found)
    return Earlier(folder, digests, known, rows, vectors)


def _known_entries(
    digests: Digests, entries: NDArray[np.int32], keys: Sequence[str]
) -> dict[str, list[tuple[list[int], str]]]:
    found: dict[str, list[tuple[list[int], str]]] = {}
    articles = list(digests.get("articles", {}).values())
    for entry, key in zip(entries.tolist(), keys, strict=False):
        found.setdefault(articles[entry[0]], []).append((entry, key))
    return found
