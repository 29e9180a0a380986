"""Vectors for care: of unchanged passages out of the active index, of other sentences out of a file beside it."""

import json
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assist.errors import AssistError
from assist.knowledge.index import IndexStore, TextEncoder
from assist.knowledge.index.builder import content_key
from assist.knowledge.index.vectors import VectorFile
from assist.knowledge.search import LANGUAGES, centred

Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]

FILE_NAME: Final = "care.vectors"
CHUNK: Final = 64
MOST_KEPT: Final = 4
"""As a multiple of what a check needs: a file that has grown beyond it is mostly of sentences that are gone."""
ENOUGH_FOR_MEAN: Final = 20
"""Texts of a language from which their own mean is steadier than the mean of all, as in the index."""


def passage_vectors(
    texts: Sequence[str], encoder: TextEncoder, store: IndexStore, progress: Progress | None = None
) -> Floats:
    """Unit vectors [n, dimension] of articles' texts. `progress` is called with those done and to do.

    What is encoded here is kept beside the index versions, so that the next check encodes only what has changed.
    """
    keys = [content_key(encoder.version, "passage", text) for text in texts]
    vectors = np.empty((len(texts), encoder.dimension), np.float32)
    indexed = _indexed(store, encoder)
    todo: dict[str, list[int]] = {}
    with VectorFile(store.folder / FILE_NAME, encoder.dimension) as kept:
        for row, key in enumerate(keys):
            known = indexed[key] if key in indexed else kept.get(key)
            if known is None:
                todo.setdefault(key, []).append(row)
            else:
                vectors[row] = known
        fresh = list(todo.items())
        for at in range(0, len(fresh), CHUNK):
            part = fresh[at : at + CHUNK]
            found = encoder.encode_passages([texts[rows[0]] for _, rows in part])
            kept.add([key for key, _ in part], found)
            for (_, rows), vector in zip(part, found, strict=True):
                vectors[rows] = vector
            if progress is not None:
                progress(at + len(part), len(fresh))
        if len(kept) > MOST_KEPT * max(len(keys), 1):
            kept.delete()
    return vectors


def query_means(store: IndexStore) -> Floats:
    """Mean vectors of customers' questions [languages, dimension], as the active index has them."""
    version = store.active_version()
    return np.asarray(np.load(store.path(version or "") / "query_means.npy"), np.float32)


def centred_queries(vectors: Floats, languages: Sequence[str], means: Floats) -> Floats:
    """Questions without what tells their languages apart, so that one meaning meets across them."""
    names: list[str] = list(LANGUAGES)
    return centred(vectors, means[[names.index(language) for language in languages]])


def centred_passages(vectors: Floats, languages: Sequence[str]) -> Floats:
    """The same for texts of articles, by their own means; a language with few texts takes the mean of all."""
    known = np.array(languages)
    means = np.empty_like(vectors)
    means[:] = vectors.mean(axis=0) if len(vectors) else 0
    for language in set(languages):
        if (known == language).sum() >= ENOUGH_FOR_MEAN:
            means[known == language] = vectors[known == language].mean(axis=0)
    return centred(vectors, means)


def _indexed(store: IndexStore, encoder: TextEncoder) -> dict[str, Floats]:
    """Vectors of the active version by content key; none if it is missing or broken, which costs time only."""
    try:
        folder = store.path(store.active_version() or "")
        keys = json.loads((folder / "keys.json").read_text())
        vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    except (AssistError, OSError, ValueError):
        return {}
    return dict(zip(keys, vectors, strict=True)) if vectors.shape == (len(keys), encoder.dimension) else {}
