"""What stands in the model folder: `manifest.toml`, its reader, its writer and the check of a file against it."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from assist.errors import ModelError

MANIFEST_NAME = "manifest.toml"
ENCODER_FOLDER = "encoder/"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of the model folder. `path` is relative to the folder and uses `/`."""

    path: str
    bytes: int
    sha256: str
    licence: str
    origin: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The encoder's description and the list of files that belong to it.

    `dimension` counts the numbers of a sentence vector, `max_query_tokens` and `max_passage_tokens` include the prefix
    and both special tokens, `labels` are the emotion labels in the order of the model's logits.
    """

    name: str
    dimension: int
    vocabulary: int
    max_query_tokens: int
    max_passage_tokens: int
    query_prefix: str
    passage_prefix: str
    labels: tuple[str, ...]
    files: tuple[ModelFile, ...]

    @classmethod
    def load(cls, model_dir: Path) -> Self:
        """Read `manifest.toml`. Raises ModelError if it is missing, not TOML or lacks a field."""
        path = model_dir / MANIFEST_NAME
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            encoder: dict[str, Any] = document["encoder"]
            files = tuple(ModelFile(path=name, **entry) for name, entry in document["files"].items())
            return cls(**{**encoder, "labels": tuple(encoder["labels"])}, files=files)
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
            raise ModelError(f"{path} is not a valid manifest: {error}") from error

    @property
    def version(self) -> str:
        """Twelve hex digits that change when any listed file changes; logged with every result."""
        return _digest(self.files)

    @property
    def encoder_version(self) -> str:
        """Twelve hex digits that change when vectors may: with any file of `encoder/`."""
        return _digest(file for file in self.files if file.path.startswith(ENCODER_FOLDER))

    def lists(self, name: str) -> bool:
        """Whether a file belongs to the folder."""
        return any(file.path == name for file in self.files)

    def verified(self, model_dir: Path, name: str) -> Path:
        """Path of a listed file after comparing its size and SHA-256. Raises ModelError if it differs or is missing."""
        expected = next((file for file in self.files if file.path == name), None)
        if expected is None:
            raise ModelError(f"{name} is not listed in {MANIFEST_NAME}")
        path = model_dir / name
        if not path.is_file():
            raise ModelError(f"{path} is missing")
        size = path.stat().st_size
        if size != expected.bytes:
            raise ModelError(
                f"{path} has {size:,} bytes, the manifest says {expected.bytes:,}: fetch or build it again"
            )
        if sha256(path) != expected.sha256:
            raise ModelError(f"{path} differs from the manifest's SHA-256: fetch or build it again")
        return path

    def with_file(self, model_dir: Path, name: str, *, licence: str, origin: str) -> Self:
        """A copy that lists the file `name` with the size and SHA-256 it has now."""
        path = model_dir / name
        entry = ModelFile(name, path.stat().st_size, sha256(path), licence, origin)
        others = [file for file in self.files if file.path != name]
        return replace(self, files=tuple(sorted([*others, entry], key=lambda file: file.path)))

    def save(self, model_dir: Path) -> None:
        """Write `manifest.toml`. Call it last, so that its figures never describe a half-written file."""
        lines = ["# Written by scripts/build_encoder and by every scripts/train_*.", "[encoder]"]
        for field in self.__slots__:
            value = getattr(self, field)
            if field != "files":
                lines.append(f"{field} = {_toml(value)}")
        for file in self.files:
            lines += ["", f"[files.{_toml(file.path)}]"]
            lines += [f"{field} = {_toml(getattr(file, field))}" for field in file.__slots__ if field != "path"]
        (model_dir / MANIFEST_NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _digest(files: Iterable[ModelFile]) -> str:
    return hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()[:12]


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _toml(value: object) -> str:
    # JSON strings, integers and lists of strings are valid TOML as they stand.
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
