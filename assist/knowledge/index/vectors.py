"""Vectors by content key in one append-only file: what a build that is killed has computed, and the next need not."""

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
KEY_BYTES: Final = 16


class VectorFile:
    """Records of key, vector and checksum. A torn or foreign end is cut off when the file is opened.

    A key is the hexadecimal form of `KEY_BYTES` bytes. What is added is in the kernel's hands at once: a killed process
    loses nothing, a power cut at most the end, and the checksums tell.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self._record = np.dtype([("key", f"S{2 * KEY_BYTES}"), ("vector", "<f4", (dimension,)), ("crc", "<u4")])
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._whole = self._read()
        self._rows = {key.decode(): row for row, key in enumerate(self._whole["key"].tolist())}
        self._stream = path.open("ab", buffering=0)
        os.truncate(path, len(self._whole) * self._record.itemsize)

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> Floats | None:
        """The vector of a key that was in the file when it was opened."""
        row = self._rows.get(key)
        return None if row is None else self._whole["vector"][row]

    def add(self, keys: Sequence[str], vectors: Floats) -> None:
        """Append vectors [n, dimension]."""
        records = np.zeros(len(keys), self._record)
        records["key"], records["vector"] = keys, vectors
        records["crc"] = [_checksum(record) for record in records]
        self._stream.write(records.tobytes())

    def delete(self) -> None:
        """Take the file away; its vectors are kept elsewhere by now."""
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def _read(self) -> NDArray[np.void]:
        """The sound records from the beginning on. They stay on the disk."""
        count = self._path.stat().st_size // self._record.itemsize if self._path.exists() else 0
        if not count:
            return np.empty(0, self._record)
        records = np.memmap(self._path, self._record, "r", shape=count)
        for number, record in enumerate(records):
            if record["crc"] != _checksum(record):
                return records[:number]
        return records


def _checksum(record: np.void) -> int:
    return zlib.crc32(record["vector"].tobytes(), zlib.crc32(bytes(record["key"])))
