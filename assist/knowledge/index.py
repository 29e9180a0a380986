"""Builds index versions and keeps them: `versions/<id>/` folders and a small file `active` that names one.

A version is written under a hidden name, its manifest last, and then renamed; `active` is replaced, never edited. So a
build that is killed at any moment leaves the active version as it was, and the next build clears what it left.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from assist.domain import Article, Case, Phrase, Product, Situation
from assist.errors import Conflict, IndexBroken, NotFound, Unavailable
from assist.knowledge import passages
from assist.knowledge.dense import Dense
from assist.knowledge.lexical import Lexical
from assist.knowledge.readers import Content, read_folder
from assist.knowledge.search import LANGUAGES, Entry, Knowledge, Relevance, Shelf, centred, words_of
from assist.text.language import detect
from assist.text.segment import Segmenter

FORMAT: Final = 1
"""Changes when a version of this code could not read the files of an earlier one."""
SHELVES: Final = ("articles", "cases", "products")
MIN_FOR_MEAN: Final = 20
"""Texts of a language from which their own mean is steadier than the mean of all."""

Floats = NDArray[np.float32]
_VERSION_ID: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_RECORDS: Final[dict[str, type[Any]]] = {
    "articles": Article,
    "cases": Case,
    "phrases": Phrase,
    "products": Product,
    "situations": Situation,
}


class QueryVector(Protocol):
    """What the encoder says about a query, as far as search is concerned."""

    @property
    def vector(self) -> Floats: ...


class TextEncoder(Protocol):
    """What a build needs of the encoder: unit vectors of queries and of passages."""

    @property
    def dimension(self) -> int: ...

    @property
    def version(self) -> str: ...

    def encode_query(self, text: str) -> QueryVector: ...

    def encode_passages(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a version holds. `counts` by kind, `changes` against the version that was active before.

    `reused` and `embedded` count vectors; `files` gives size and SHA-256 of each file.
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
        _write(folder / "manifest.json", json.dumps(values, indent=1).encode())


class _Shelved(NamedTuple):
    """One way to find something: where it leads, what is embedded and in which language."""

    entry: Entry
    text: str
    language: str


class IndexStore:
    """The index versions in one folder.

    With `encoder_version`, a version that another encoder made cannot be opened: its cosines would mean nothing.
    """

    def __init__(self, folder: Path, relevance: Relevance | None = None, *, encoder_version: str | None = None) -> None:
        self.folder = folder
        self._relevance = relevance or Relevance()
        self._encoder_version = encoder_version

    def versions(self) -> list[Manifest]:
        """All complete versions, newest first."""
        found = []
        for path in self._versions_dir.glob("*"):
            if _VERSION_ID.fullmatch(path.name):
                try:
                    found.append(Manifest.load(path))
                except IndexBroken:
                    continue
        return sorted(found, key=lambda manifest: manifest.id, reverse=True)

    @property
    def needs_build(self) -> bool:
        """Whether there is no active version, or none that this encoder can search."""
        made_by = {manifest.id: manifest.encoder_version for manifest in self.versions()}
        active = self.active_version()
        return active not in made_by or self._encoder_version not in (None, made_by[active])

    def active_version(self) -> str | None:
        """Id of the version in use, or None before the first build."""
        try:
            return (self.folder / "active").read_text().strip() or None
        except FileNotFoundError:
            return None

    def open(self, version: str | None = None, relevance: Relevance | None = None) -> Knowledge:
        """Open a version, by default the active one, with the store's relevance models unless others are given.

        Raises Unavailable if none is active, NotFound for an unknown id, IndexBroken if a file is missing or damaged
        or if another encoder made the version.
        """
        version = version or self.active_version()
        if version is None:
            raise Unavailable("There is no index yet. Build one with: scripts/reindex")
        folder = self._existing(version)
        manifest = Manifest.load(folder)
        if self._encoder_version not in (None, manifest.encoder_version):
            raise IndexBroken(f"index version {version} was made with another encoder; run scripts/reindex")
        for name, (size, digest) in manifest.files.items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != size or _digest(path) != digest:
                raise IndexBroken(f"index version {version}: {name} is missing or damaged")
        return _open(folder, manifest, relevance or self._relevance)

    def activate(self, version: str) -> None:
        """Make a version the active one, atomically. Raises NotFound or IndexBroken."""
        Manifest.load(self._existing(version))
        temporary = self.folder / ".active"
        _write(temporary, f"{version}\n".encode())
        os.replace(temporary, self.folder / "active")
        _sync(self.folder)

    def prune(self, keep: int) -> list[str]:
        """Delete all but the `keep` newest versions and the active one; returns what was deleted."""
        active = self.active_version()
        old = [manifest.id for manifest in self.versions()[max(keep, 0) :] if manifest.id != active]
        for version in old:
            # Renamed first, so that nobody sees half a version. A process that has it mapped keeps its pages.
            hidden = self._versions_dir / f".{version}"
            os.rename(self._versions_dir / version, hidden)
            shutil.rmtree(hidden)
        return old

    @property
    def _versions_dir(self) -> Path:
        return self.folder / "versions"

    def _existing(self, version: str) -> Path:
        path = self._versions_dir / version
        if not _VERSION_ID.fullmatch(version) or not path.is_dir():
            raise NotFound(f"no index version {version!r}", {"version": version})
        return path


def build(
    source: Path | Content,
    store_dir: Path,
    encoder: TextEncoder,
    *,
    progress: Callable[[int, int], None] | None = None,
    reuse: bool = True,
) -> Manifest:
    """Write a new version of a knowledge folder, or of content already read; it is not yet active.

    `progress` is called with vectors done and to do. With `reuse`, vectors of unchanged texts come from the active
    version. Raises KnowledgeError with every problem of the source, Conflict while another build runs.
    """
    started = time.perf_counter()
    content = source if isinstance(source, Content) else read_folder(source)
    store = IndexStore(store_dir)
    versions_dir = store_dir / "versions"
    versions_dir.mkdir(parents=True, exist_ok=True)
    with _lock(store_dir):
        for litter in versions_dir.glob(".*"):
            shutil.rmtree(litter)
        created_at = datetime.now(UTC)
        version = f"{created_at:%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"
        folder = versions_dir / f".{version}"
        folder.mkdir()
        previous = _previous(store) if reuse else None
        segmenter = Segmenter(content.glossary)
        shelves = {
            "articles": list(_shelve_articles(content.articles)),
            "cases": list(_shelve_cases(content.cases)),
            "products": list(_shelve_products(content.products)),
        }
        examples = [example for situation in content.situations for example in situation.examples]
        groups: dict[str, list[tuple[str, str]]] = {
            **{name: [(item.text, item.language) for item in shelf] for name, shelf in shelves.items()},
            "phrases": [(phrase.text, phrase.language) for phrase in content.phrases],
        }
        texts = [text for group in groups.values() for text, _ in group]
        keys, vectors, reused = _embed(texts, examples, encoder, previous, progress)
        at = 0
        for name, group in groups.items():
            rows = _centred_by_language(vectors[at : at + len(group)], [language for _, language in group])
            at += len(group)
            if name in shelves:
                Dense.build(rows).save(folder / f"{name}.faiss")
                words = [segmenter.terms(words_of(record)) for record in getattr(content, name)]
                Lexical.build(words).save(folder / name)
                entries = np.array([item.entry for item in shelves[name]], np.int32).reshape(-1, len(Entry._fields))
                np.save(folder / f"{name}.npy", entries)
            else:
                np.save(folder / f"{name}.npy", rows)
        means = _means(vectors[at:], [detect(example) for example in examples])
        np.save(folder / "query_means.npy", means)
        np.save(folder / "situations.npy", centred(vectors[at:], means[-1]))
        np.save(folder / "vectors.npy", vectors)
        (folder / "keys.json").write_text(json.dumps(keys))
        (folder / "content.json").write_text(json.dumps(asdict(content), ensure_ascii=False, default=str))
        manifest = Manifest(
            id=version,
            created_at=created_at,
            encoder_version=encoder.version,
            dimension=encoder.dimension,
            counts={**{name: len(getattr(content, name)) for name in _RECORDS}, **_entry_counts(content.articles)},
            changes=_changes(content, previous),
            reused=reused,
            embedded=len(keys) - reused,
            seconds=round(time.perf_counter() - started, 3),
            files=dict(_listed(folder)),
        )
        manifest.save(folder)
        _sync(folder)
        os.rename(folder, versions_dir / version)
        _sync(versions_dir)
    return manifest


def _shelve_articles(articles: Sequence[Article]) -> Iterator[_Shelved]:
    """Every passage of the published articles, and every question as one more way to the answer."""
    for number, article in enumerate(articles):
        if article.status != "published":
            continue
        cuts = passages.split(article.body)
        for cut in cuts:
            text = f"{article.title}\n{passages.plain(article.body[cut.start : cut.end])}".strip()
            yield _Shelved(Entry(number, cut.start, cut.end, cut.section == "notes"), text, article.language)
        for question in article.questions:
            yield _Shelved(Entry(number, cuts[0].start, cuts[0].end, False), question, article.language)


def _shelve_cases(cases: Sequence[Case]) -> Iterator[_Shelved]:
    """The customer's problem. Unresolved cases stay out."""
    for number, case in enumerate(cases):
        if case.outcome != "unresolved":
            yield _Shelved(Entry(number, 0, 0, False), case.problem, case.language)


def _shelve_products(products: Sequence[Product]) -> Iterator[_Shelved]:
    for number, product in enumerate(products):
        for language, title in product.titles.items():
            yield _Shelved(Entry(number, 0, 0, False), f"{title}\n{product.pitches[language]}", language)


class _Previous(NamedTuple):
    manifest: Manifest
    content: dict[str, Any]
    rows: dict[str, int]
    vectors: Floats


def _previous(store: IndexStore) -> _Previous | None:
    """The active version as a source of vectors; none if it is missing or broken, which costs time only."""
    try:
        version = store.active_version()
        folder = store.folder / "versions" / (version or "none")
        manifest = Manifest.load(folder)
        keys = json.loads((folder / "keys.json").read_text())
        vectors = np.load(folder / "vectors.npy", mmap_mode="r")
        if vectors.shape != (len(keys), manifest.dimension):
            return None
        content = json.loads((folder / "content.json").read_text())
        return _Previous(manifest, content, {key: row for row, key in enumerate(keys)}, vectors)
    except (IndexBroken, OSError, ValueError):
        return None


def _embed(
    texts: Sequence[str],
    queries: Sequence[str],
    encoder: TextEncoder,
    previous: _Previous | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[str], Floats, int]:
    """(content keys, unit vectors, how many were reused) of texts, then queries.

    A key changes with the text, with its use and with the encoder.
    """
    keys = [_key(encoder, "passage", text) for text in texts] + [_key(encoder, "query", text) for text in queries]
    vectors = np.empty((len(keys), encoder.dimension), np.float32)
    todo: dict[str, list[int]] = {}
    reused = 0
    for row, key in enumerate(keys):
        if previous is not None and key in previous.rows:
            vectors[row] = previous.vectors[previous.rows[key]]
            reused += 1
        else:
            todo.setdefault(key, []).append(row)
    passage_rows = [rows for rows in todo.values() if rows[0] < len(texts)]
    query_rows = [rows for rows in todo.values() if rows[0] >= len(texts)]

    def report(done: int) -> None:
        if progress is not None:
            progress(done, len(todo))

    report(0)
    fresh = encoder.encode_passages([texts[rows[0]] for rows in passage_rows], progress=report)
    for rows, vector in zip(passage_rows, fresh, strict=True):
        vectors[rows] = vector
    for done, rows in enumerate(query_rows, len(passage_rows) + 1):
        vectors[rows] = encoder.encode_query(queries[rows[0] - len(texts)]).vector
        report(done)
    return keys, vectors, reused


def _key(encoder: TextEncoder, use: str, text: str) -> str:
    return hashlib.sha256(f"{encoder.version}\0{use}\0{text}".encode()).hexdigest()[:32]


def _means(vectors: Floats, languages: Sequence[str]) -> Floats:
    """Mean vectors [languages, dimension] in the order of `LANGUAGES`; the last is that of all.

    A language with few texts takes the mean of all, and mixed text lies between simplified Chinese and English.
    """
    overall = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], np.float32)
    known = np.array(languages)
    means = np.tile(overall, (len(LANGUAGES), 1)).astype(np.float32)
    for row, language in enumerate(LANGUAGES[:3]):
        if (known == language).sum() >= MIN_FOR_MEAN:
            means[row] = vectors[known == language].mean(axis=0)
    means[LANGUAGES.index("mixed")] = (means[LANGUAGES.index("zh-Hans")] + means[LANGUAGES.index("en")]) / 2
    return means


def _centred_by_language(vectors: Floats, languages: Sequence[str]) -> Floats:
    """Centring each language by itself takes out what tells languages apart, so that meanings meet across them."""
    names: list[str] = list(LANGUAGES)
    return centred(vectors, _means(vectors, languages)[[names.index(language) for language in languages]])


def _entry_counts(articles: Sequence[Article]) -> dict[str, int]:
    published = [article for article in articles if article.status == "published"]
    return {
        "passages": sum(len(passages.split(article.body)) for article in published),
        "questions": sum(len(article.questions) for article in published),
    }


def _changes(content: Content, previous: _Previous | None) -> dict[str, int]:
    """Records added, changed, unchanged and removed since the previous version."""
    now = _by_identity(json.loads(json.dumps(asdict(content), default=str)))
    then = _by_identity(previous.content) if previous else {}
    same = sum(then.get(key) == record for key, record in now.items())
    added = len(now.keys() - then.keys())
    return {
        "added": added,
        "changed": len(now) - added - same,
        "unchanged": same,
        "removed": len(then.keys() - now.keys()),
    }


def _by_identity(content: dict[str, Any]) -> dict[tuple[str, str, str], Any]:
    return {
        (kind, record.get("id") or record.get("sku"), record.get("language", "")): record
        for kind in _RECORDS
        for record in content[kind]
    }


def _open(folder: Path, manifest: Manifest, relevance: Relevance) -> Knowledge:
    try:
        content = json.loads((folder / "content.json").read_text())
        records = {kind: tuple(_record(cls, values) for values in content[kind]) for kind, cls in _RECORDS.items()}
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


def _record(cls: type[Any], values: dict[str, Any]) -> Any:
    """A frozen record from JSON: lists become tuples and the three date fields dates."""
    names = {field.name for field in fields(cls)}
    made: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in names
    }
    for key in ("valid_from", "valid_until", "confirmed_at", "closed_at"):
        if made.get(key):
            made[key] = date.fromisoformat(made[key])
    return cls(**made)


@contextmanager
def _lock(store_dir: Path) -> Iterator[None]:
    """One build at a time. The kernel drops the lock with its process, so a killed build leaves none behind."""
    with (store_dir / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("Another build of this index is running.") from None
        yield


def _listed(folder: Path) -> Iterable[tuple[str, tuple[int, str]]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            _sync(path)
            yield path.relative_to(folder).as_posix(), (path.stat().st_size, _digest(path))
        else:
            _sync(path)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
