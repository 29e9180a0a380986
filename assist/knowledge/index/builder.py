"""Builds a version: embeds what is new, writes everything under a hidden name, the manifest last, and renames.

A build that is killed at any moment leaves the active version as it was; the next one clears what it left and takes
over the vectors that it had computed.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from assist.domain import Article, Case, Product
from assist.errors import IndexBroken
from assist.knowledge import copurchase, passages
from assist.knowledge.dense import Dense
from assist.knowledge.index import files
from assist.knowledge.index.earlier import NOTHING, Earlier, earlier_versions
from assist.knowledge.index.manifest import Manifest
from assist.knowledge.index.reading import save_kept
from assist.knowledge.index.records import RECORDS, content_json, count_changes, digests_of, to_json
from assist.knowledge.index.store import VERSION_ID, IndexStore
from assist.knowledge.index.terms import Terms
from assist.knowledge.index.vectors import KEY_BYTES, VectorFile
from assist.knowledge.lexical import Lexical
from assist.knowledge.search import LANGUAGES, Entry, centred
from assist.knowledge.sources import Content, read_folder
from assist.text.language import detect

MIN_FOR_MEAN: Final = 20
"""Texts of a language from which their own mean is steadier than the mean of all."""
ID_TIME: Final = "%Y%m%dT%H%M%SZ"
BLOCK: Final = 4096
"""Vectors that are centred at a time, to need little memory beside them."""
_NO_ENTRY: Final = Entry(0, 0, 0, False)
"""Phrases are found by their vector alone."""
CHUNK: Final = 256
"""Texts that are embedded before their vectors are kept; at most so many are computed again after a kill."""

Floats = NDArray[np.float32]
_NUMBER: Final[dict[str, int]] = {language: number for number, language in enumerate(LANGUAGES)}


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

    @property
    def query_means(self) -> Floats: ...

    def encode_query(self, text: str) -> QueryVector: ...

    def encode_passages(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Floats: ...


class _Item(NamedTuple):
    """One way to find something: where it leads, what is embedded and in which language.

    `key` is what the vector is known by; the text is not needed where an earlier version has it.
    """

    entry: Entry
    text: str
    language: str
    key: str


def build(
    source: Path | Content,
    store_dir: Path,
    encoder: TextEncoder,
    *,
    progress: Callable[[int, int], None] | None = None,
    indexing: Callable[[int, int], None] | None = None,
    reuse: bool = True,
    reuse_from: Path | None = None,
) -> Manifest:
    """Write a new version of a knowledge folder, or of content already read; it is not measured and not yet active.

    Takes and raises what `write` does, and Conflict while another build runs.
    """
    content = source if isinstance(source, Content) else read_folder(source)
    with only_build(store_dir):
        draft = write(
            content, store_dir, encoder, progress=progress, indexing=indexing, reuse=reuse, reuse_from=reuse_from
        )
        draft.show()
    return draft.manifest


def only_build(store_dir: Path) -> AbstractContextManager[None]:
    """Hold this as long as a build goes on. Raises Conflict while another process or thread does."""
    return files.locked(store_dir / "lock", busy="Another build of this index is running.")


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is complete but that nobody sees yet."""

    folder: Path
    manifest: Manifest

    def show(self) -> None:
        """Give it its name among the versions."""
        versions_dir = self.folder.parent
        os.rename(self.folder, versions_dir / self.manifest.id)
        files.sync(versions_dir)
        (versions_dir.parent / "journal").unlink(missing_ok=True)  # its vectors are kept in the version by now


def write(
    content: Content,
    store_dir: Path,
    encoder: TextEncoder,
    *,
    progress: Callable[[int, int], None] | None = None,
    indexing: Callable[[int, int], None] | None = None,
    reuse: bool = True,
    reuse_from: Path | None = None,
) -> Draft:
    """Write a version under a hidden name. The caller holds `only_build`.

    `progress` is called with texts embedded and to embed, `indexing` with vectors that each index has and is to have.
    With `reuse`, vectors and terms of unchanged texts come from the active and the newest version of `reuse_from`, by
    default of the store itself, and from a build that was killed.
    """
    started = time.perf_counter()
    versions_dir = store_dir / "versions"
    versions_dir.mkdir(parents=True, exist_ok=True)
    for litter in versions_dir.glob(".*"):
        if VERSION_ID.fullmatch(litter.name[1:]):
            shutil.rmtree(litter, ignore_errors=True)
    created_at = _next_moment(versions_dir)
    version = f"{created_at:{ID_TIME}}-{os.urandom(3).hex()}"
    folder = versions_dir / f".{version}"
    folder.mkdir()
    if not reuse:
        (store_dir / "journal").unlink(missing_ok=True)
    with VectorFile(store_dir / "journal", encoder.dimension) as journal:
        earlier_store = IndexStore(reuse_from or store_dir)
        previous = earlier_versions(earlier_store, encoder.version, encoder.dimension) if reuse else NOTHING
        terms = Terms.load(content.glossary, previous.folder)
        digests = digests_of(content)
        known = previous.known if terms.is_continued else {}
        shelves = {
            "articles": list(_shelve_articles(content.articles, digests["articles"].values(), known)),
            "cases": list(_shelve_cases(content.cases)),
            "products": list(_shelve_products(content.products)),
        }
        groups = {**shelves, "phrases": [_Item(_NO_ENTRY, p.text, p.language, "") for p in content.phrases]}
        examples = [example for situation in content.situations for example in situation.examples]
        items = [item for group in groups.values() for item in group]
        keys, vectors, reused = _embed(items, examples, encoder, previous, journal, progress)
        asked, spoken = vectors[len(items) :], [detect(example) for example in examples]
        queries = centred(asked, encoder.query_means[[_NUMBER[language] for language in spoken]])
        indexes: dict[str, dict[str, str | int]] = {}
        at = 0
        for name, group in groups.items():
            rows = _centred_by_language(vectors[at : at + len(group)], [item.language for item in group])
            at += len(group)
            if name in shelves:
                dense = Dense.build(rows, queries, earlier=_earlier_index(previous, name), progress=indexing)
                dense.save(folder / f"{name}.faiss")
                indexes[name] = dense.description
                records = zip(getattr(content, name), digests[name].values(), strict=True)
                Lexical.build([terms.of(record, digest) for record, digest in records]).save(folder / name)
                entries = np.array([item.entry for item in group], np.int32).reshape(-1, len(Entry._fields))
                np.save(folder / f"{name}.npy", entries)
            else:
                np.save(folder / f"{name}.npy", rows)
        np.save(folder / "query_means.npy", encoder.query_means)
        np.save(folder / "situations.npy", centred(asked, encoder.query_means[-1]))
        np.save(folder / "vectors.npy", vectors)
        terms.save(folder, content.glossary)
        save_kept(folder, content)
        (folder / "keys.json").write_text(json.dumps(keys))
        (folder / "records.json").write_text(to_json(digests), "utf-8")
        (folder / "content.json").write_text(content_json(content), "utf-8")
        (folder / "together.json").write_text(json.dumps(_together(content)))
        questions = sum(len(article.questions) for article in content.articles if article.status == "published")
        manifest = Manifest(
            id=version,
            created_at=created_at,
            encoder_version=encoder.version,
            dimension=encoder.dimension,
            counts={
                **{name: len(getattr(content, name)) for name in RECORDS},
                "passages": len(shelves["articles"]) - questions,
                "questions": questions,
            },
            changes=count_changes(previous.digests, digests),
            reused=reused,
            embedded=len(keys) - reused,
            seconds=round(time.perf_counter() - started, 3),
            files=dict(_listed(folder)),
            indexes=indexes,
        )
        manifest.save(folder)
        files.sync(folder)
    return Draft(folder, manifest)


def _next_moment(versions_dir: Path) -> datetime:
    """Now, or a second after the newest version: versions are ordered by their ids, which tell the second."""
    names = [path.name for path in versions_dir.iterdir() if VERSION_ID.fullmatch(path.name)]
    now = datetime.now(UTC)
    if not names:
        return now
    newest = datetime.strptime(max(names).split("-")[0], ID_TIME).replace(tzinfo=UTC)
    return max(now, newest + timedelta(seconds=1))


def _shelve_articles(
    articles: Sequence[Article], digests: Iterable[str], known: Mapping[str, Sequence[tuple[list[int], str]]]
) -> Iterator[_Item]:
    """Every passage of the published articles, and every question as one more way to the answer."""
    for number, (article, digest) in enumerate(zip(articles, digests, strict=True)):
        if article.status != "published":
            continue
        if digest in known:
            for (_, start, end, is_internal), key in known[digest]:
                yield _Item(Entry(number, start, end, bool(is_internal)), "", article.language, key)
            continue
        cuts = passages.split(article.body)
        for cut in cuts:
            text = f"{article.title}\n{passages.plain(article.body[cut.start : cut.end])}".strip()
            yield _Item(Entry(number, cut.start, cut.end, cut.section == "notes"), text, article.language, "")
        for question in article.questions:
            yield _Item(Entry(number, cuts[0].start, cuts[0].end, False), question, article.language, "")


def _shelve_cases(cases: Sequence[Case]) -> Iterator[_Item]:
    """The customer's problem. Unresolved cases stay out."""
    for number, case in enumerate(cases):
        if case.outcome != "unresolved":
            yield _Item(Entry(number, 0, 0, False), case.problem, case.language, "")


def _shelve_products(products: Sequence[Product]) -> Iterator[_Item]:
    for number, product in enumerate(products):
        for language, title in product.titles.items():
            yield _Item(Entry(number, 0, 0, False), f"{title}\n{product.pitches[language]}", language, "")


def _together(content: Content) -> dict[str, list[list[str | float | int]]]:
    skus = {product.sku for product in content.products}
    return copurchase.as_json(copurchase.neighbours([basket & skus for basket in content.baskets]))


def _earlier_index(previous: Earlier, name: str) -> Dense | None:
    """The active version's index of one kind."""
    try:
        return Dense.load(previous.folder / f"{name}.faiss") if previous.folder else None
    except IndexBroken:
        return None


def _embed(
    items: Sequence[_Item],
    queries: Sequence[str],
    encoder: TextEncoder,
    previous: Earlier,
    journal: VectorFile,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[str], Floats, int]:
    """(content keys, unit vectors, how many were reused) of shelved items, then queries.

    A key changes with the text, with its use and with the encoder.
    """
    version = encoder.version
    keys = [item.key if item.key in previous.rows else content_key(version, "passage", item.text) for item in items]
    keys += [content_key(version, "query", text) for text in queries]
    vectors = np.empty((len(keys), encoder.dimension), np.float32)
    todo: dict[str, list[int]] = {}
    taken: list[tuple[list[int], list[int]]] = [([], []) for _ in previous.vectors]
    reused = 0
    for row, key in enumerate(keys):
        if key in previous.rows:
            number, place = previous.rows[key]
            taken[number][0].append(row)
            taken[number][1].append(place)
        elif (kept := journal.get(key)) is not None:
            vectors[row] = kept
        else:
            todo.setdefault(key, []).append(row)
            continue
        reused += 1
    for (rows, places), earlier in zip(taken, previous.vectors, strict=True):
        vectors[rows] = earlier[places]

    done = 0

    def report(more: int) -> None:
        if progress is not None:
            progress(done + more, len(todo))

    report(0)
    new = list(todo.items())
    for chunk in (new[at : at + CHUNK] for at in range(0, len(new), CHUNK)):
        passage_rows = [rows[0] for _, rows in chunk if rows[0] < len(items)]
        fresh = np.empty((len(chunk), encoder.dimension), np.float32)
        fresh[: len(passage_rows)] = encoder.encode_passages([items[row].text for row in passage_rows], progress=report)
        for number, (_, rows) in enumerate(chunk[len(passage_rows) :], len(passage_rows)):
            fresh[number] = encoder.encode_query(queries[rows[0] - len(items)]).vector
            report(number + 1)
        journal.add([key for key, _ in chunk], fresh)
        for (_, rows), vector in zip(chunk, fresh, strict=True):
            vectors[rows] = vector
        done += len(chunk)
    return keys, vectors, reused


def content_key(*parts: str) -> str:
    """What a vector is known by: it changes with every part."""
    joined = "\0".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(joined).hexdigest()[: 2 * KEY_BYTES]


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
    means = _means(vectors, languages)
    numbers = np.array([_NUMBER[language] for language in languages], np.int64)
    moved = np.empty_like(vectors)
    for at in range(0, len(vectors), BLOCK):
        block = slice(at, at + BLOCK)
        moved[block] = centred(vectors[block], means[numbers[block]])
    return moved


def _listed(folder: Path) -> Iterable[tuple[str, tuple[int, str]]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files.sync(path)
            yield path.relative_to(folder).as_posix(), (path.stat().st_size, files.digest(path))
        else:
            files.sync(path)
