"""Nearest neighbours of unit vectors: all are looked at where they are few, those of some cells where they are many.

The one door to FAISS.
"""

import math
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from assist.errors import IndexBroken

Floats = NDArray[np.float32]
Kind = Literal["exact", "ivf"]

EXACT_LIMIT: Final = 5_000
"""So many vectors are still all looked at. At 10,000 that reads 15 MB of memory for each query, cells a fifth of it."""
CELLS: Final = 4
"""Cells of a large index, as a multiple of the root of its size: FAISS's guidelines give 4 to 16."""
TRAINED_ON, ROUNDS = 40, 8
"""Vectors of each cell that its centre is found from (FAISS warns below 39), and rounds of k-means."""
LEAST_PROBED: Final = 16
TUNED_ON, TUNED_FOR, TUNED_RECALL = 100, 10, 0.993
"""How many cells a search looks into grows by a quarter until so many queries find, of their nearest, this share. It is
above the .99 that is wanted, because so few queries tell it to within half a hundredth only."""
ENOUGH_QUERIES, PROBED_UNTUNED = 50, 128
"""With fewer queries nothing is tuned, and so many cells are looked into."""
BLOCK: Final = 50_000
"""Vectors that are converted at a time, to need little memory beside them."""


class _Filter:
    """FAISS's parameters for looking only at the entries that a bitmap shows; keeps what FAISS only points to."""

    def __init__(self, index: "faiss.Index", bitmap: bytes) -> None:
        self._bits = np.frombuffer(bitmap, np.uint8)
        self.count = int(np.bitwise_count(self._bits).sum())
        # The stubs do not know that FAISS takes an array here and keyword arguments there.
        self._selector = faiss.IDSelectorBitmap(self._bits) if self.count < index.ntotal else None  # type: ignore[call-arg, arg-type]
        options: dict[str, Any] = {"sel": self._selector}
        self.parameters: faiss.SearchParameters
        if isinstance(index, faiss.IndexIVF):
            # The fewer entries are visible, the farther away are the nearest of them. With the root of their share
            # recall did not fall, from six tenths of 100,000 visible down to a hundredth.
            probed = math.ceil(index.nprobe * math.sqrt(index.ntotal / max(self.count, 1)))
            options["nprobe"] = min(probed, index.nlist)
            self.parameters = faiss.SearchParametersIVF(**options)
        else:
            self.parameters = faiss.SearchParameters(**options)


class Dense:
    """An immutable inner-product index. Entries have the numbers 0 to n-1 in the order in which they were given.

    A small one (`exact`) compares with every vector. A large one (`ivf`) keeps them in 16 bits a number and in cells
    around centres (Sivic and Zisserman 2003), and looks into the cells nearest to the query.
    """

    def __init__(self, index: "faiss.Index") -> None:
        self._index = index
        self._filter = lru_cache(maxsize=64)(lambda bitmap: _Filter(index, bitmap))

    @classmethod
    def build(
        cls,
        vectors: Floats,
        queries: Floats | None = None,
        *,
        kind: Kind | None = None,
        earlier: Self | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Index unit vectors [n, dimension], of 32 or 16 bits; the kind follows from their number unless it is given.

        `queries` are typical ones, on which a large index is tuned. It takes over the cells of an `earlier` one, unless
        that was made for less than half or more than twice as many. `progress` is called with vectors done and to do.
        """
        dimension = vectors.shape[1]
        _use_threads(len(os.sched_getaffinity(0)))
        index: faiss.Index
        if (kind or kind_for(len(vectors))) == "exact":
            index = faiss.IndexFlatIP(dimension)
        else:
            index = _in_cells(vectors, earlier._index if earlier is not None else None)
        for at in range(0, len(vectors), BLOCK):
            if progress is not None:
                progress(at, len(vectors))
            index.add(np.ascontiguousarray(vectors[at : at + BLOCK], np.float32))
        if isinstance(index, faiss.IndexIVF):
            index.make_direct_map()  # where each entry is, for `cosines`
            index.nprobe = _probed(index, queries)
        if progress is not None:
            progress(len(vectors), len(vectors))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Map a saved index into memory, where processes share it. Raises IndexBroken if FAISS cannot read it."""
        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))
        except RuntimeError as error:
            raise IndexBroken(f"cannot read {path.name}: the file is damaged") from error

    def save(self, path: Path) -> None:
        """Write the index to one file."""
        faiss.write_index(self._index, str(path))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def description(self) -> dict[str, str | int]:
        """Its kind; of a large one also how many cells there are, and how many of them a search looks into."""
        if isinstance(self._index, faiss.IndexIVF):
            return {"kind": "ivf", "cells": self._index.nlist, "probed": self._index.nprobe}
        return {"kind": "exact"}

    def search(self, vector: Floats, limit: int, mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
        """(entries, cosines) of at most `limit` nearest entries where `mask` [n] holds, nearest first."""
        shown = self._filter(np.packbits(mask, bitorder="little").tobytes())
        limit = min(limit, shown.count)
        if not limit:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        _use_threads(1)
        cosines, entries = self._index.search(vector[None], limit, params=shown.parameters)
        found = entries[0] >= 0  # the cells may hold fewer
        return entries[0][found], cosines[0][found]

    def cosines(self, vector: Floats, entries: NDArray[np.int64]) -> Floats:
        """Cosines of given entries [m]."""
        found: Floats = self.vectors(entries) @ vector
        return found

    def vectors(self, entries: NDArray[np.int64]) -> Floats:
        """Vectors of given entries [m, dimension]."""
        if not len(entries):
            return np.empty((0, self._index.d), np.float32)
        _use_threads(1)
        found: Floats = self._index.reconstruct_batch(entries)
        return found


def kind_for(size: int) -> Kind:
    """The kind of index that serves so many vectors."""
    return "exact" if size <= EXACT_LIMIT else "ivf"


def _use_threads(count: int) -> None:
    """How many FAISS may use when this thread calls it. For one query, starting others costs more than it saves."""
    faiss.omp_set_num_threads(count)


def _in_cells(vectors: Floats, earlier: "faiss.Index | None") -> "faiss.IndexIVF":
    """An empty index whose cells are trained on a sample of the vectors, or taken over."""
    cells = max(1, min(round(CELLS * math.sqrt(len(vectors))), len(vectors)))
    centres = faiss.IndexFlatIP(vectors.shape[1])
    is_known = isinstance(earlier, faiss.IndexIVF) and abs(math.log2(earlier.nlist / cells)) < 0.5
    if isinstance(earlier, faiss.IndexIVF) and is_known:
        cells = earlier.nlist
        centres.add(earlier.quantizer.reconstruct_n(0, cells))
    index = faiss.IndexIVFScalarQuantizer(
        centres, vectors.shape[1], cells, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, False
    )
    index.cp.niter, index.cp.spherical, index.cp.min_points_per_centroid = ROUNDS, True, 1
    sample = np.random.default_rng(0).permutation(len(vectors))[: 1 if is_known else TRAINED_ON * cells]
    index.train(np.ascontiguousarray(vectors[np.sort(sample)], np.float32))
    return index


def _probed(index: "faiss.IndexIVF", queries: Floats | None) -> int:
    """Cells to look into, so that these queries find their nearest."""
    if queries is None or len(queries) < ENOUGH_QUERIES:
        return min(PROBED_UNTUNED, index.nlist)
    asked = np.ascontiguousarray(queries[np.random.default_rng(0).permutation(len(queries))[:TUNED_ON]], np.float32)
    index.nprobe = index.nlist
    # Compared by cosine: of equal texts any will do.
    least = index.search(asked, TUNED_FOR)[0][:, -1:] - 1e-6
    probed = min(LEAST_PROBED, index.nlist)
    while probed < index.nlist:
        index.nprobe = probed
        if (index.search(asked, TUNED_FOR)[0] >= least).mean() >= TUNED_RECALL:
            break
        probed = min(probed + probed // 4, index.nlist)
    return probed
