"""Exact nearest neighbours of unit vectors. The one door to FAISS."""

from functools import lru_cache
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from assist.errors import IndexBroken

Floats = NDArray[np.float32]


class _Filter:
    """FAISS's parameters for looking only at the entries that a bitmap shows; keeps what FAISS only points to."""

    def __init__(self, bitmap: bytes) -> None:
        self._bits = np.frombuffer(bitmap, np.uint8)
        self.count = int(np.unpackbits(self._bits).sum())
        # The stubs do not know that FAISS takes an array here and keyword arguments there.
        self._selector = faiss.IDSelectorBitmap(self._bits)  # type: ignore[call-arg, arg-type]
        self.parameters = faiss.SearchParameters(sel=self._selector)  # type: ignore[call-arg]


class Dense:
    """An immutable inner-product index. Entries have the numbers 0 to n-1 in the order in which they were given."""

    def __init__(self, index: "faiss.Index") -> None:
        self._index = index
        self._filter = lru_cache(maxsize=64)(_Filter)

    @classmethod
    def build(cls, vectors: Floats) -> "Dense":
        """Index unit vectors [n, dimension]."""
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, np.float32))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> "Dense":
        """Map a saved index into memory. Raises IndexBroken if FAISS cannot read it."""
        faiss.omp_set_num_threads(1)  # one query at a time: starting threads would cost more than the search
        try:
            return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC))
        except RuntimeError as error:
            raise IndexBroken(f"cannot read {path.name}: the file is damaged") from error

    def save(self, path: Path) -> None:
        """Write the index to one file."""
        faiss.write_index(self._index, str(path))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Floats, limit: int, mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats]:
        """(entries, cosines) of at most `limit` nearest entries where `mask` [n] holds, nearest first."""
        shown = self._filter(np.packbits(mask, bitorder="little").tobytes())
        limit = min(limit, shown.count)
        if not limit:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        cosines, entries = self._index.search(vector[None], limit, params=shown.parameters)
        return entries[0], cosines[0]

    def cosines(self, vector: Floats, entries: NDArray[np.int64]) -> Floats:
        """Cosines of given entries [m]."""
        if not len(entries):
            return np.empty(0, np.float32)
        found: Floats = self._index.reconstruct_batch(entries) @ vector
        return found
