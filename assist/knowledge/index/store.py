"""Keeps index versions: `versions/<id>/` folders and a small file `active` that names one.

A version is complete when it appears under its name, and never changes after; `active` is replaced, never edited. So
whatever is killed at any moment, the active version is a whole one.
"""

import json
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assist.domain import Article, Case, Product
from assist.errors import Conflict, IndexBroken, NotFound, Unavailable
from assist.knowledge import copurchase
from assist.knowledge.dense import Dense
from assist.knowledge.index import files
from assist.knowledge.index.history import Action, Actor, Entry, History, active_before, held_back, os_user
from assist.knowledge.index.manifest import Manifest
from assist.knowledge.index.records import FIELDS, RECORDS, Digests, read_digests
from assist.knowledge.lexical import Lexical
from assist.knowledge.ranking import Relevance
from assist.knowledge.search import Knowledge, Shelf
from assist.text.segment import Segmenter

SHELVES: Final = ("articles", "cases", "products")
VERSION_ID: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


class Overview(NamedTuple):
    """All versions, the newest first, the active one, what happened, and where a rollback would go."""

    versions: list[Manifest]
    active: str | None
    entries: list[Entry]
    rollback: str | None


class IndexStore:
    """The index versions in one folder, and the history of what was done to them.

    With `encoder_version`, a version of another encoder is neither opened nor used: its cosines would mean nothing.
    """

    def __init__(self, folder: Path, relevance: Relevance | None = None, *, encoder_version: str | None = None) -> None:
        self.folder = folder
        self.history = History(folder)
        self._relevance = relevance or Relevance()
        self._encoder_version = encoder_version

    def versions(self) -> list[Manifest]:
        """All complete versions, newest first."""
        found = []
        for path in self._versions_dir.glob("*"):
            if VERSION_ID.fullmatch(path.name):
                try:
                    found.append(Manifest.load(path))
                except IndexBroken:
                    continue
        return sorted(found, key=lambda manifest: manifest.id, reverse=True)

    def overview(self) -> Overview:
        """What there is and what happened, in one look."""
        versions, active, entries = self.versions(), self.active_version(), self.history.entries()
        usable = {manifest.id for manifest in versions if self._is_ours(manifest)}
        return Overview(versions, active, entries, active_before(entries, active, usable))

    def manifest(self, version: str) -> Manifest:
        """The manifest of a version. Raises NotFound or IndexBroken."""
        return Manifest.load(self.path(version))

    def digests(self, version: str | None = None) -> Digests:
        """Digests of a version's records, by default of the active one; none if there is none or it keeps none."""
        version = version or self.active_version()
        try:
            return read_digests(self.path(version)) if version else {}
        except (NotFound, IndexBroken):
            return {}

    def beside(self, folder: Path) -> "IndexStore":
        """A store in another folder for the same encoder and relevance models."""
        return IndexStore(folder, self._relevance, encoder_version=self._encoder_version)

    @property
    def needs_build(self) -> bool:
        """Whether there is no active version, or none that this encoder can search."""
        active = self.active_version()
        return not any(manifest.id == active and self._is_ours(manifest) for manifest in self.versions())

    def active_version(self) -> str | None:
        """Id of the version in use, or None before the first build."""
        return self.history.active()

    def open(self, version: str | None = None, relevance: Relevance | None = None) -> Knowledge:
        """Open a version, by default the active one, with the store's relevance models unless others are given.

        Raises Unavailable if none is active, NotFound for an unknown id, IndexBroken if a file is missing or damaged
        or if another encoder made the version.
        """
        version = version or self.active_version()
        if version is None:
            raise Unavailable("There is no index yet. Build one with: scripts/reindex")
        folder = self.path(version)
        manifest = Manifest.load(folder)
        if not self._is_ours(manifest):
            raise IndexBroken(f"index version {version} was made with another encoder; run scripts/reindex")
        manifest.verify(folder)
        return _open(folder, manifest, relevance or self._relevance)

    def open_draft(self, folder: Path, manifest: Manifest) -> Knowledge:
        """Open a version that has just been written and that nobody else sees yet."""
        return _open(folder, manifest, self._relevance)

    def activate(self, version: str, *, by: Actor | None = None, force: bool = False) -> None:
        """Make a version the active one, atomically, after a look at every file of it.

        `by` goes into the history, by default the user of the machine. Raises NotFound or IndexBroken, and Conflict for
        a version that another encoder made, or that the gate held back unless with `force`.
        """
        with self._one_switch():
            self._activate(version, by or os_user(), force)

    def supersede(self, previous: str | None, version: str, *, by: Actor, force: bool = False) -> None:
        """Activate a version in the place of the one it was measured against.

        Raises as `activate` does, and Conflict if that is no longer the active one.
        """
        with self._one_switch():
            if self.active_version() != previous:
                raise Conflict(
                    f"Version {version} is built but not activated: while it was built, somebody else has switched to"
                    f" {self.active_version()}, which it was not measured against."
                )
            self._activate(version, by, force)

    def rollback(self, *, by: Actor | None = None) -> str:
        """Activate the version that was active before; returns its id. Raises Conflict if there is none."""
        with self._one_switch():
            target = self.rollback_target()
            if target is None:
                raise Conflict("There is no earlier version to go back to.")
            self._switch(target, "rollback", by or os_user())
        return target

    def rollback_target(self) -> str | None:
        """The version to which `rollback` would go."""
        return self.overview().rollback

    def prune(self, keep: int, *, by: Actor | None = None) -> list[str]:
        """Delete all but the `keep` newest versions, the active one and the one before it; returns what is deleted."""
        actor = by or os_user()
        with self._one_switch():
            versions, active, _, target = self.overview()
            old = [manifest.id for manifest in versions[max(keep, 0) :] if manifest.id not in (active, target)]
            if old:
                self.history.add(Entry("prune", *actor, None, active, details={"deleted": old, "keep": keep}))
            for version in old:
                # Renamed first, so that nobody sees half a version. A process that has it mapped keeps its pages, and
                # what cannot be deleted now is the next build's litter.
                hidden = self._versions_dir / f".{version}"
                os.rename(self._versions_dir / version, hidden)
                shutil.rmtree(hidden, ignore_errors=True)
        return old

    def path(self, version: str) -> Path:
        """The folder of a version. Raises NotFound."""
        path = self._versions_dir / version
        if not VERSION_ID.fullmatch(version) or not path.is_dir():
            raise NotFound(f"There is no index version {version!r}.", {"version": version})
        return path

    def _activate(self, version: str, by: Actor, force: bool) -> None:
        held = held_back(self.history.entries(), version)
        if held and not force:
            raise Conflict(
                f"The gate holds this version back. {held.message} Use force to activate it all the same.",
                {"version": version, "is_held": True},
            )
        self._switch(version, "activate", by, is_forced=held is not None)

    def _switch(self, version: str, action: Action, by: Actor, *, is_forced: bool = False) -> None:
        folder = self.path(version)
        manifest = Manifest.load(folder)
        if not self._is_ours(manifest):
            raise Conflict(
                f"Version {version} was made with another encoder and cannot be searched; run scripts/reindex.",
                {"version": version},
            )
        manifest.verify(folder)
        self.history.add(Entry(action, *by, version, self.active_version(), is_forced=is_forced))
        files.replace(self.folder / "active", f"{version}\n".encode())

    def _is_ours(self, manifest: Manifest) -> bool:
        return self._encoder_version in (None, manifest.encoder_version)

    def _one_switch(self) -> AbstractContextManager[None]:
        """One at a time, so that the history has them in the order in which they took effect."""
        return files.locked(self.folder / "switch.lock")

    @property
    def _versions_dir(self) -> Path:
        return self.folder / "versions"


def _open(folder: Path, manifest: Manifest, relevance: Relevance) -> Knowledge:
    try:
        content = json.loads((folder / "content.json").read_text())
        together = json.loads((folder / "together.json").read_text()) if "together.json" in manifest.files else {}
        records = {kind: tuple(record(cls, values) for values in content[kind]) for kind, cls in RECORDS.items()}
        shelves = {
            name: Shelf(
                Dense.load(folder / f"{name}.faiss"),
                Lexical.load(folder / name),
                np.load(folder / f"{name}.npy"),
                _groups(records[name]),
            )
            for name in SHELVES
        }
        return Knowledge(
            version=manifest.id,
            encoder_version=manifest.encoder_version,
            created_at=manifest.created_at,
            articles=records["articles"],
            cases=records["cases"],
            phrases=records["phrases"],
            products={product.sku: product for product in records["products"]},
            situations=records["situations"],
            shelves=shelves,
            query_means=np.load(folder / "query_means.npy"),
            phrase_vectors=np.load(folder / "phrases.npy"),
            situation_vectors=np.load(folder / "situations.npy"),
            segmenter=Segmenter(content["glossary"]),
            relevance=relevance,
            counts=manifest.counts,
            together=copurchase.from_json(together),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexBroken(f"index version {manifest.id} cannot be read: {error}") from error


def _groups(records: Sequence[Article | Case | Product]) -> NDArray[np.int64]:
    """Versions of one article share a number; every other record has its own."""
    if records and isinstance(records[0], Article):
        numbers: dict[str, int] = {}
        ids = [record.id for record in records if isinstance(record, Article)]
        return np.array([numbers.setdefault(id_, len(numbers)) for id_ in ids], np.int64)
    return np.arange(len(records), dtype=np.int64)


def record(cls: type[Any], values: dict[str, Any]) -> Any:
    """A frozen record from JSON: lists become tuples and the three date fields dates."""
    names = FIELDS[cls]
    made: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in names
    }
    for key in ("valid_from", "valid_until", "confirmed_at", "closed_at"):
        if made.get(key):
            made[key] = date.fromisoformat(made[key])
    return cls(**made)
