"""Building, keeping and swapping index versions."""

import fcntl
import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from hashing_encoder import HashingEncoder

from assist.errors import Conflict, IndexBroken, KnowledgeError, NotFound, Unavailable
from assist.knowledge.index import IndexStore, build
from assist.knowledge.sources import read_folder

SAMPLE = Path(__file__).parent.parent / "data" / "knowledge"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "knowledge"))


@pytest.fixture
def store(tmp_path: Path) -> IndexStore:
    return IndexStore(tmp_path / "index")


def test_a_build_is_complete_but_not_active(folder, store):
    manifest = build(folder, store.folder, HashingEncoder())
    assert [m.id for m in store.versions()] == [manifest.id]
    assert store.versions()[0] == manifest
    assert store.active_version() is None
    with pytest.raises(Unavailable, match="no index yet"):
        store.open()
    store.activate(manifest.id)
    assert store.active_version() == manifest.id
    knowledge = store.open()
    assert knowledge.version == manifest.id and knowledge.encoder_version == "hashing-1"
    assert knowledge.counts == manifest.counts
    assert manifest.counts == {
        "articles": 9,
        "cases": 4,
        "phrases": 4,
        "products": 3,
        "situations": 5,
        "passages": 18,
        "questions": 18,
    }


def test_records_come_back_as_they_were_read(folder, store):
    content = read_folder(folder)
    knowledge = store.open(build(folder, store.folder, HashingEncoder()).id)
    assert knowledge.articles == content.articles
    assert knowledge.cases == content.cases
    assert knowledge.phrases == content.phrases
    assert tuple(knowledge.products.values()) == content.products
    assert knowledge.situations == content.situations


def test_only_changed_texts_are_embedded_again(folder, store):
    encoder = HashingEncoder()
    first = build(folder, store.folder, encoder)
    store.activate(first.id)
    assert first.changes == {"added": 25, "changed": 0, "unchanged": 0, "removed": 0}
    assert first.reused == 0 and first.embedded == encoder.embedded

    path = folder / "articles/late-parcel.en.md"
    path.write_text(path.read_text().replace("my parcel is late", "my box is late"))
    (folder / "articles/delivery-taiwan.zh-Hant.md").unlink()
    encoder.embedded = 0
    second = build(folder, store.folder, encoder)
    assert second.changes == {"added": 0, "changed": 1, "unchanged": 23, "removed": 1}
    assert second.embedded == encoder.embedded == 1

    encoder.embedded = 0
    assert build(folder, store.folder, encoder, reuse=False).reused == 0
    assert build(folder, store.folder, HashingEncoder(version="hashing-2")).reused == 0


def test_progress_ends_at_its_total(folder, store):
    seen: list[tuple[int, int]] = []
    build(folder, store.folder, HashingEncoder(), progress=lambda done, total: seen.append((done, total)))
    assert seen[0][0] == 0 and seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_broken_source_leaves_everything_as_it_was(folder, store):
    active = build(folder, store.folder, HashingEncoder()).id
    store.activate(active)
    (folder / "situations.toml").write_text("[refund")
    with pytest.raises(KnowledgeError):
        build(folder, store.folder, HashingEncoder())
    assert store.active_version() == active and len(store.versions()) == 1


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("at", [0, 1, 10, 50])
def test_an_interrupted_build_leaves_the_active_version_and_its_litter_goes(folder, store, at):
    store.activate(build(folder, store.folder, HashingEncoder()).id)
    active = store.active_version()

    def interrupt(done: int, total: int) -> None:
        if done >= at:
            raise Interrupted

    with pytest.raises(Interrupted):
        build(folder, store.folder, HashingEncoder(version="other"), progress=interrupt)
    assert store.active_version() == active and len(store.versions()) == 1
    assert len(list((store.folder / "versions").glob(".*"))) == 1
    assert store.open().version == active
    manifest = build(folder, store.folder, HashingEncoder())
    assert list((store.folder / "versions").glob(".*")) == []
    assert {m.id for m in store.versions()} == {active, manifest.id}


def test_what_is_not_ours_in_the_folder_of_versions_stays(folder, store):
    versions = store.folder / "versions"
    (versions / ".trash").mkdir(parents=True)
    (versions / ".DS_Store").write_text("x")
    (versions / ".20260101T000000Z-abcdef").mkdir()
    build(folder, store.folder, HashingEncoder())
    assert {path.name for path in versions.glob(".*")} == {".trash", ".DS_Store"}


def test_versions_are_ordered_by_their_ids_also_within_a_second(folder, store):
    ids = [build(folder, store.folder, HashingEncoder()).id for _ in range(3)]
    assert [manifest.id for manifest in store.versions()] == ids[::-1]
    assert len({version[:16] for version in ids}) == 3


def test_two_builds_at_once_are_a_conflict(folder, store):
    build(folder, store.folder, HashingEncoder())
    with (store.folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(Conflict):
            build(folder, store.folder, HashingEncoder())
    build(folder, store.folder, HashingEncoder())


def test_switching_back_and_pruning(folder, store):
    ids = [build(folder, store.folder, HashingEncoder()).id for _ in range(4)]
    store.activate(ids[3])
    store.activate(ids[0])
    assert store.open().version == ids[0]
    kept = {ids[0], ids[3], store.versions()[0].id}  # active, the way back, the newest
    assert set(store.prune(1)) == set(ids) - kept
    assert {m.id for m in store.versions()} == kept
    assert store.open().version == ids[0]


@pytest.mark.parametrize("version", ["20260101T000000Z-abcdef", "../knowledge", "", ".", "active"])
def test_unknown_versions_are_not_found(folder, store, version):
    build(folder, store.folder, HashingEncoder())
    with pytest.raises(NotFound):
        store.activate(version)
    assert store.active_version() is None


def test_a_damaged_file_is_noticed(folder, store):
    version = build(folder, store.folder, HashingEncoder()).id
    path = store.folder / "versions" / version / "articles.faiss"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(IndexBroken, match=r"articles\.faiss is missing or damaged"):
        store.open(version)
    path.unlink()
    with pytest.raises(IndexBroken, match=r"articles\.faiss is missing or damaged"):
        store.open(version)


def test_the_kind_of_each_index_follows_from_its_size_and_is_in_the_manifest(folder, store, monkeypatch):
    monkeypatch.setattr("assist.knowledge.dense.EXACT_LIMIT", 30)
    first = build(folder, store.folder, HashingEncoder())
    assert first.indexes["articles"]["kind"] == "ivf"
    assert first.indexes["cases"] == first.indexes["products"] == {"kind": "exact"}
    store.activate(first.id)
    seen: list[tuple[int, int]] = []
    taken = build(folder, store.folder, HashingEncoder(), indexing=lambda done, total: seen.append((done, total)))
    assert taken.indexes == first.indexes and (36, 36) in seen
    encoder = HashingEncoder()
    query = encoder.encode_query("信用卡的退款几天退回来").vector
    hits = store.open(taken.id).search("信用卡的退款几天退回来", query, language="zh-Hans", on=date(2026, 11, 23))
    assert hits[0].id == "refund-time"


def test_cells_of_a_damaged_version_are_not_taken_over(folder, store, monkeypatch):
    monkeypatch.setattr("assist.knowledge.dense.EXACT_LIMIT", 30)
    store.activate(build(folder, store.folder, HashingEncoder()).id)
    (store.path(store.active_version() or "") / "articles.faiss").write_bytes(b"broken")
    assert build(folder, store.folder, HashingEncoder()).indexes["articles"]["kind"] == "ivf"


def test_a_version_from_before_indexes_had_kinds_is_still_opened(folder, store):
    version = build(folder, store.folder, HashingEncoder()).id
    path = store.path(version) / "manifest.json"
    values = json.loads(path.read_text())
    del values["indexes"]
    path.write_text(json.dumps(values))
    assert store.open(version).version == version and store.manifest(version).indexes == {}


def test_a_manifest_of_another_format_is_refused(folder, store):
    version = build(folder, store.folder, HashingEncoder()).id
    path = store.folder / "versions" / version / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(IndexBroken, match="another format"):
        store.open(version)
    path.write_text("{")
    with pytest.raises(IndexBroken, match="no readable manifest"):
        store.activate(version)
    assert store.versions() == []


def test_a_broken_active_version_does_not_stop_the_next_build(folder, store):
    version = build(folder, store.folder, HashingEncoder()).id
    store.activate(version)
    (store.folder / "versions" / version / "keys.json").write_text("broken")
    assert build(folder, store.folder, HashingEncoder()).reused == 0


def test_an_empty_knowledge_base_can_be_built_and_searched(tmp_path, store):
    source = tmp_path / "empty"
    source.mkdir()
    (source / "situations.toml").write_text("")
    encoder = HashingEncoder()
    knowledge = store.open(build(source, store.folder, encoder).id)
    vector = encoder.encode_query("退款").vector
    assert knowledge.search("退款", vector, language="zh-Hans", on=date(2026, 11, 23)) == []
    assert knowledge.product_search("退款", vector, language="zh-Hans", limit=3) == []
    assert knowledge.situation(vector) == (None, 0.0)


def test_an_index_of_another_encoder_is_not_searched(folder, store):
    assert store.needs_build
    manifest = build(folder, store.folder, HashingEncoder())
    store.activate(manifest.id)
    ours = IndexStore(store.folder, encoder_version="hashing-1")
    other = IndexStore(store.folder, encoder_version="hashing-2")
    assert not ours.needs_build and other.needs_build
    assert ours.open().version == manifest.id
    with pytest.raises(IndexBroken, match="another encoder"):
        other.open()
