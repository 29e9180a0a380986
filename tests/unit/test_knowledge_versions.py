"""The life of index versions: resumed builds, the gate, rollback, the history and its page."""

import json
import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hashing_encoder import HashingEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from assist.errors import Conflict, IndexBroken, KnowledgeError
from assist.knowledge.index import IndexStore, build
from assist.knowledge.index.chart import history_page, sparkline
from assist.knowledge.index.gate import Margins
from assist.knowledge.index.history import Actor, Entry, History, active_before, settled
from assist.knowledge.index.publish import Published, preview, publish
from assist.knowledge.index.records import RecordChange
from assist.knowledge.index.vectors import VectorFile
from assist.knowledge.judgements import Judgement
from assist.knowledge.sources import folder as sources_folder
from assist.knowledge.sources import read_folder

SAMPLE = Path(__file__).parent.parent / "data" / "knowledge"
TODAY = date(2026, 11, 23)
LIN = Actor("Lin Wei", "api")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "knowledge"))


@pytest.fixture
def store(tmp_path: Path) -> IndexStore:
    return IndexStore(tmp_path / "index")


@pytest.fixture
def run(folder: Path, store: IndexStore):
    def call(**options) -> Published:
        given = {"by": LIN, "on": TODAY, "margins": Margins(0.02, 0.02)} | options
        return publish(folder, store, HashingEncoder(), **given)

    return call


def lose_the_refund_article(folder: Path) -> None:
    for path in (folder / "articles").glob("refund-time.*"):
        path.unlink()
    for path in (folder / "articles").glob("*.md"):
        path.write_text(path.read_text("utf-8").replace("article:refund-time", "article:cancel-order"), "utf-8")


def test_a_build_mends_an_index_whose_active_version_is_gone(run, store):
    lost = run()
    shutil.rmtree(store.path(lost.manifest.id))
    published = run()
    assert published.is_active and store.active_version() == published.manifest.id != lost.manifest.id
    assert published.gate.baseline == lost.gate.figures and "cannot be opened" in published.gate.message


def test_a_version_that_cannot_be_opened_is_the_measure_by_its_figures(run, folder, store):
    first = run()
    other = IndexStore(store.folder, encoder_version="hashing-2")
    options = {"by": LIN, "on": TODAY, "margins": Margins(0.02, 0.02)}
    lose_the_refund_article(folder)
    held = publish(folder, other, HashingEncoder(version="hashing-2"), **options)
    assert not held.is_active and held.gate.baseline == first.gate.figures and held.gate.worse == ()
    assert "another encoder" in held.gate.message
    # The figures of other questions say nothing.
    golden = folder / "golden.jsonl"
    golden.write_text(golden.read_text("utf-8").split("\n", 1)[1], "utf-8")
    alone = publish(folder, other, HashingEncoder(version="hashing-2"), **options)
    assert alone.is_active and alone.gate.baseline is None
    assert "not compared" in alone.gate.message and "another encoder" in alone.gate.message


@pytest.mark.parametrize("interruption", ["Interrupted", "KeyboardInterrupt"])
def test_a_build_that_ends_while_it_is_measured_leaves_nothing_to_activate(run, store, interruption):
    kind = {"Interrupted": Interrupted, "KeyboardInterrupt": KeyboardInterrupt}[interruption]

    def interrupt(stage: str, _done: int, _total: int) -> None:
        if stage == "measuring":
            raise kind

    with pytest.raises(kind):
        run(progress=interrupt)
    assert store.versions() == [] and store.active_version() is None
    [entry] = store.history.entries()
    assert (entry.action, entry.outcome, entry.version) == ("build", "failed", None) and "Interrupted" in entry.message
    assert run().manifest.embedded == 0


def test_no_other_build_begins_before_one_has_ended(run, folder, store):
    content, hindered = read_folder(folder), {}

    def begin(stage: str, _done: int, _total: int) -> None:
        if stage not in hindered:
            with pytest.raises(Conflict, match="Another build"):
                build(content, store.folder, HashingEncoder())
            hindered[stage] = True

    run(progress=begin)
    assert hindered.keys() == {"reading", "embedding", "indexing", "measuring", "activating"}
    assert len(store.versions()) == 1


def test_a_build_does_not_undo_a_switch_that_somebody_made_meanwhile(run, store):
    first, second = (run().manifest.id for _ in range(2))

    def roll_back(stage: str, done: int, _total: int) -> None:
        if stage == "measuring" and not done:
            store.rollback()

    with pytest.raises(Conflict, match="somebody else has switched"):
        run(progress=roll_back)
    assert store.active_version() == first
    assert store.versions()[0].id not in (first, second) and len(store.versions()) == 3


@pytest.mark.parametrize("name", ["vectors.npy", "keys.json", "records.json", "terms.npz", "content.json"])
@pytest.mark.parametrize("is_missing", [True, False])
def test_damage_is_not_taken_over_from_the_active_version(run, folder, store, name, is_missing):
    path = store.path(run().manifest.id) / name
    data = path.read_bytes()
    if is_missing:
        path.unlink()
    else:
        path.write_bytes(data.replace(b"48 hours", b"49 hours") if name == "content.json" else data[:-1] + b"\x00")
    mended = store.path(run().manifest.id)
    whole = store.path(build(folder, store.folder, HashingEncoder(), reuse=False).id)
    assert store.active_version() == mended.name and store.open().version == mended.name
    for file in ("vectors.npy", "articles.npy", "content.json", "records.json"):
        assert (mended / file).read_bytes() == (whole / file).read_bytes()


def test_a_version_whose_entries_are_gone_is_not_built_upon(run, store):
    (store.path(run().manifest.id) / "articles.npy").unlink()
    assert run().is_active


def test_a_version_of_another_encoder_is_not_switched_to(folder, store):
    old = build(folder, store.folder, HashingEncoder()).id
    store.activate(old)
    ours = IndexStore(store.folder, encoder_version="hashing-2")
    new = build(folder, store.folder, HashingEncoder(version="hashing-2")).id
    ours.activate(new)
    with pytest.raises(Conflict, match="another encoder"):
        ours.activate(old, force=True)
    with pytest.raises(Conflict, match="no earlier version"):
        ours.rollback()
    assert ours.active_version() == new and store.rollback_target() == old


def test_a_switch_that_a_kill_prevented_counts_for_nothing(run, folder, store, monkeypatch):
    def killed(*_: object) -> None:
        raise Interrupted

    def activate_and_die(version: str, **options: bool) -> None:
        with monkeypatch.context() as patched, pytest.raises(Interrupted):
            patched.setattr("assist.knowledge.index.files.replace", killed)
            store.activate(version, **options)

    first = run().manifest.id
    activate_and_die(run(activate=False).manifest.id)
    assert store.history.entries()[-1].outcome == "failed"
    run()
    assert store.rollback_target() == first
    lose_the_refund_article(folder)
    held = run().manifest.id
    activate_and_die(held, force=True)
    with pytest.raises(Conflict, match="gate holds"):
        store.activate(held)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=8))
def test_switches_are_told_from_those_that_were_prevented(steps):
    active, entries, took_effect = None, [], []
    for version, is_killed in steps:
        entries.append(Entry("activate", "x", "command", version, active))
        took_effect.append(not is_killed or version == active)
        active = active if is_killed else version
    assert [entry.outcome == "done" for entry in settled(entries, active)] == took_effect


def test_the_history_keeps_the_first_problems_and_their_number(run, folder, store, monkeypatch):
    monkeypatch.setattr("assist.knowledge.index.publish.PROBLEMS_KEPT", 1)
    for name in ("swelling-battery.en.md", "late-parcel.en.md"):
        (folder / "articles" / name).write_text("---\nid: [\n---\nText\n")
    assert len(run().problems) == 2
    built = store.history.entries()[0]
    assert len(built.details["problems"]) == 1 and built.details["problem_count"] == 2


def test_a_build_is_measured_activated_and_remembered(run, store):
    published = run()
    assert published.is_active and store.active_version() == published.manifest.id
    assert published.gate.figures is not None and published.gate.figures.queries == 11
    assert published.gate.figures.recall_at_5 > 0.9 and published.gate.baseline is None
    built, activated = store.history.entries()
    assert (built.action, built.who, built.via, built.outcome) == ("build", "Lin Wei", "api", "done")
    assert built.version == activated.version == published.manifest.id
    assert built.details["gate"]["figures"]["recall_at_5"] == published.gate.figures.recall_at_5
    assert (activated.action, activated.previous) == ("activate", None)


def test_a_build_that_loses_an_answer_is_held_back_and_says_why(run, folder, store):
    first = run().manifest.id
    lose_the_refund_article(folder)
    held = run()
    assert not held.gate.is_passed and not held.is_active
    assert store.active_version() == first
    assert "recall@5" in held.gate.message and "ndcg@10" in held.gate.message
    assert {one.article for one in held.gate.worse} == {"refund-time"}
    assert {one.reason for one in held.gate.worse} == {"removed"}
    assert all(one.rank is None and one.rank_before >= 1 for one in held.gate.worse)
    assert store.history.entries()[-1].outcome == "held"
    with pytest.raises(Conflict, match="gate holds"):
        store.activate(held.manifest.id)
    assert store.active_version() == first
    store.activate(held.manifest.id, by=LIN, force=True)
    assert store.active_version() == held.manifest.id
    assert store.history.entries()[-1].is_forced
    store.rollback()
    store.activate(held.manifest.id)  # somebody has decided


def test_force_activates_and_is_remembered(run, folder, store):
    run()
    lose_the_refund_article(folder)
    forced = run(force=True)
    assert not forced.gate.is_passed and forced.is_active
    assert store.active_version() == forced.manifest.id
    assert store.history.entries()[-1].is_forced


def test_wide_margins_let_a_loss_pass(run, folder):
    run()
    lose_the_refund_article(folder)
    assert run(margins=Margins(1, 1)).is_active


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("valid_until: 2026-11-22", "expired"),
        ("status: draft", "withdrawn"),
        ("audience: agent", "withdrawn"),
        ("valid_from: 2027-01-01", "not_yet_valid"),
    ],
)
def test_the_report_tells_why_an_article_is_gone(run, folder, written, reason):
    run()
    path = folder / "articles" / "delivery-taiwan.zh-Hant.md"
    field = written.split(":")[0]
    path.write_text(re.sub(rf"^{field}: .*$", written, path.read_text("utf-8"), flags=re.MULTILINE), "utf-8")
    [worse] = run().gate.worse
    assert (worse.article, worse.rank, worse.reason) == ("delivery-taiwan", None, reason)


def test_the_report_names_the_article_that_overtook(run, folder):
    run()
    path = folder / "articles" / "late-parcel.en.md"
    text = path.read_text("utf-8").replace("id: late-parcel", "id: parcel-club")
    question = "where is my package, it is late"
    text = text.replace('"where is my package"', f'"{question}"').replace('"my parcel is late"', f'"{question}?"')
    (folder / "articles" / "parcel-club.en.md").write_text(text.replace("A late parcel", question), "utf-8")
    [worse] = run(margins=Margins(1, 1)).gate.worse
    assert (worse.article, worse.rank_before, worse.rank, worse.reason) == ("late-parcel", 1, 2, "overtaken")
    assert worse.by == "parcel-club" and worse.by_relevance >= worse.relevance


def test_a_source_that_has_lost_all_its_articles_is_held_back(run, folder, store):
    (folder / "golden.jsonl").unlink()
    used = run().manifest.id
    for path in (folder / "articles").glob("*.md"):
        path.write_text(path.read_text("utf-8") + "\n<!-- draft -->\n", "utf-8")
    lost = run()
    assert not lost.is_active and store.active_version() == used
    assert "No article is left of" in lost.gate.message and len(lost.problems) > 5
    assert "没有读到任何文章" in history_page(store.history.entries(), used, "zh-Hans")
    assert run(force=True).is_active


def test_without_judged_queries_the_gate_says_so_and_passes(run, folder):
    run()
    (folder / "golden.jsonl").unlink()
    lose_the_refund_article(folder)
    published = run()
    assert published.is_active and "no judged queries" in published.gate.message


def test_broken_judged_queries_are_named_and_change_nothing(run, folder, store):
    active = run().manifest.id
    (folder / "golden.jsonl").write_text('{"query": "x"}\n')
    with pytest.raises(KnowledgeError, match=r"golden\.jsonl:1"):
        run()
    assert store.active_version() == active
    assert store.history.entries()[-1].outcome == "failed"


def test_a_broken_article_is_left_out_and_named_or_stops_a_strict_build(run, folder, store):
    (folder / "articles" / "swelling-battery.en.md").write_text("---\nid: [\n---\nText\n")
    published = run()
    assert any("swelling-battery.en.md" in problem for problem in published.problems)
    assert published.manifest.counts["articles"] == 8
    assert store.history.entries()[0].details["problems"] == list(published.problems)
    with pytest.raises(KnowledgeError):
        run(strict=True)
    assert store.history.entries()[-1].outcome == "failed"


def test_judged_queries_are_embedded_once(folder, store):
    encoder = HashingEncoder()
    options = {"by": LIN, "on": TODAY, "margins": Margins(0.02, 0.02)}
    publish(folder, store, encoder, **options)
    embedded = encoder.embedded
    publish(folder, store, encoder, **options)
    assert encoder.embedded == embedded


def test_an_article_past_its_date_is_not_found_though_nothing_is_built(folder, store):
    path = folder / "articles" / "delivery-taiwan.zh-Hant.md"
    path.write_text(path.read_text("utf-8").replace("valid_until: null", "valid_until: 2026-11-23"), "utf-8")
    encoder = HashingEncoder()
    knowledge = store.open(build(folder, store.folder, encoder).id)
    vector = encoder.encode_query("有寄台灣嗎").vector
    found = {
        on: [h.id for h in knowledge.search("有寄台灣嗎", vector, language="zh-Hant", kinds=("article",), on=on)]
        for on in (date(2026, 11, 23), date(2026, 11, 24))
    }
    assert found[date(2026, 11, 23)][0] == "delivery-taiwan"
    assert "delivery-taiwan" not in found[date(2026, 11, 24)]


def test_only_changed_files_are_read_again(run, folder, monkeypatch):
    first = run().manifest
    read: list[str] = []
    of_file = sources_folder._of_file
    monkeypatch.setattr(sources_folder, "_of_file", lambda file, *rest: read.append(file.name) or of_file(file, *rest))
    path = folder / "articles" / "late-parcel.en.md"
    path.write_text(path.read_text("utf-8").replace("48 hours", "72 hours"), "utf-8")
    (folder / "articles" / "refund-time.en.md").touch()
    second = run().manifest
    assert read == ["articles/late-parcel.en.md"]
    assert second.changes == {"added": 0, "changed": 1, "unchanged": 24, "removed": 0}
    assert second.counts == first.counts
    # A situation that is gone makes every article suspect.
    situations = folder / "situations.toml"
    situations.write_text(situations.read_text("utf-8").replace("[cancel]", "[call_off]"), "utf-8")
    published = run(force=True)
    assert len(read) == 10 and published.manifest.counts["articles"] == 7


def test_what_other_files_make_wrong_is_named_every_time(run, folder):
    path = folder / "articles" / "late-parcel.en.md"
    path.write_text(path.read_text("utf-8").replace("products: []", "products: [CW-NONE-1]"), "utf-8")
    first, second = run(), run()
    assert "CW-NONE-1" in first.problems[0] and second.problems == first.problems


class Interrupted(Exception):
    pass


def test_a_build_that_was_killed_goes_on_where_it_was(folder, store, monkeypatch):
    monkeypatch.setattr("assist.knowledge.index.builder.CHUNK", 10)

    def interrupt(done: int, total: int) -> None:
        if done >= 45:
            raise Interrupted

    first = HashingEncoder()
    with pytest.raises(Interrupted):
        build(folder, store.folder, first, progress=interrupt)
    again = HashingEncoder()
    manifest = build(folder, store.folder, again)
    assert manifest.reused == 40 and again.embedded == manifest.embedded
    fresh = build(folder, store.folder, HashingEncoder(), reuse=False)
    assert fresh.reused == 0
    vectors = [np.load(store.path(made.id) / "vectors.npy") for made in (manifest, fresh)]
    assert np.array_equal(*vectors)
    assert not (store.folder / "journal").exists()


def test_a_version_that_is_not_active_gives_its_vectors_too(folder, store):
    store.activate(build(folder, store.folder, HashingEncoder()).id)
    path = folder / "articles" / "late-parcel.en.md"
    path.write_text(path.read_text("utf-8").replace("48 hours", "72 hours"), "utf-8")
    assert build(folder, store.folder, HashingEncoder()).embedded == 1
    assert build(folder, store.folder, HashingEncoder()).embedded == 0


def test_terms_are_taken_over_and_made_anew_for_another_glossary(folder, store, monkeypatch):
    store.activate(build(folder, store.folder, HashingEncoder()).id)
    cut: list[str] = []
    segmenter = "assist.knowledge.index.terms.Segmenter.terms"
    monkeypatch.setattr(segmenter, lambda self, text: cut.append(text) or [term.term for term in self.analyse(text)])
    again = build(folder, store.folder, HashingEncoder())
    assert cut == []
    for name in ("articles/vocab.index.json", "articles/indices.csc.index.npy"):
        active = store.path(store.active_version() or "")
        assert (active / name).read_bytes() == (store.path(again.id) / name).read_bytes()
    (folder / "glossary.txt").write_text("包裹,快递\n", "utf-8")
    build(folder, store.folder, HashingEncoder())
    assert len(cut) == 16
    monkeypatch.undo()
    whole = build(folder, store.folder, HashingEncoder(), reuse=False)
    store.activate(build(folder, store.folder, HashingEncoder()).id)
    again = build(folder, store.folder, HashingEncoder())
    for name in ("keys.json", "articles.npy", "articles.faiss", "cases.faiss", "phrases.npy", "content.json"):
        made = [(store.path(version.id) / name).read_bytes() for version in (whole, again)]
        assert made[0] == made[1], name


@settings(deadline=None)  # it waits for the disk
@given(cut=st.integers(0, 400), flipped=st.none() | st.integers(0, 400))
def test_a_torn_journal_gives_whole_vectors_or_none(tmp_path_factory, cut, flipped):
    path = tmp_path_factory.mktemp("journal") / "journal"
    keys = [f"{number:032x}" for number in range(5)]
    vectors = np.arange(60, dtype=np.float32).reshape(5, 12)
    with VectorFile(path, 12) as journal:
        journal.add(keys, vectors)
    data = bytearray(path.read_bytes())[: 420 - cut]
    if flipped is not None and flipped < len(data):
        data[flipped] ^= 1
    path.write_bytes(data)
    with VectorFile(path, 12) as journal:
        assert len(journal) <= 5
        for key, vector in zip(keys, vectors, strict=True):
            kept = journal.get(key)
            assert kept is None or np.array_equal(kept, vector)
        known = len(journal)
        journal.add(["f" * 32], vectors[:1])
    with VectorFile(path, 12) as journal:
        assert len(journal) == known + 1
    with VectorFile(path, 7) as other:
        assert len(other) == 0


def test_rolling_back_goes_one_step_further_each_time(folder, store):
    a, b, c = (build(folder, store.folder, HashingEncoder()).id for _ in range(3))
    with pytest.raises(Conflict):
        store.rollback()
    for version in (a, b, c):
        store.activate(version)
    assert store.rollback(by=LIN) == b
    assert store.rollback() == a
    with pytest.raises(Conflict):
        store.rollback()
    store.activate(c)
    assert store.rollback_target() == a
    told = [(entry.action, entry.version, entry.previous) for entry in store.history.entries()]
    assert told[3:] == [("rollback", b, c), ("rollback", a, b), ("activate", c, a)]
    assert store.history.entries()[3].who == "Lin Wei"


@given(
    st.lists(st.tuples(st.sampled_from(["activate", "rollback"]), st.sampled_from("abc")), max_size=8),
    st.sampled_from("abc"),
    st.sets(st.sampled_from("abc")),
)
def test_a_rollback_leads_to_another_version_that_exists(steps, active, existing):
    entries = [Entry(action, "x", "command", version) for action, version in steps]
    target = active_before(entries, active, existing)
    assert target is None or (target in existing and target != active)


def test_a_version_that_is_damaged_is_not_activated(folder, store):
    good, bad = (build(folder, store.folder, HashingEncoder()).id for _ in range(2))
    store.activate(good)
    (store.path(bad) / "content.json").write_text("{}")
    with pytest.raises(IndexBroken):
        store.activate(bad)
    assert store.active_version() == good
    assert [entry.version for entry in store.history.entries()] == [good]


@settings(deadline=None)  # it waits for the disk
@given(st.lists(st.text(), min_size=1, max_size=4), st.binary(max_size=30))
def test_the_history_survives_half_a_line(tmp_path_factory, names, torn):
    history = History(tmp_path_factory.mktemp("index"))
    for name in names:
        history.add(Entry("prune", name, "api", None, message=name))
    with history._path.open("ab") as stream:
        stream.write(b'{"action": "build", ' + torn)
    history.add(Entry("activate", "Lin", "api", "v1"))
    entries = history.entries()
    assert [entry.action for entry in entries] == ["prune"] * len(names) + ["activate"]
    kept = [name.encode("utf-8", "replace").decode() for name in names]
    assert [entry.who for entry in entries[:-1]] == kept


def test_a_dry_run_tells_what_would_change_and_writes_nothing(run, folder, store):
    run()
    before = sorted(path for path in store.folder.rglob("*"))
    lose_the_refund_article(folder)
    path = folder / "articles" / "late-parcel.en.md"
    path.write_text(path.read_text("utf-8").replace("48 hours", "72 hours"), "utf-8")
    (folder / "articles" / "gift.en.md").write_text(
        path.read_text("utf-8").replace("late-parcel", "gift").replace("my parcel is late", "do you sell gift cards"),
        "utf-8",
    )
    asked = [
        Judgement("信用卡的钱什么时候退回来", "zh-Hans", (), None),
        Judgement("退款几天能到账", "zh-Hans", (), None),
    ]
    found = preview(folder, store, HashingEncoder(), questions=asked, on=TODAY, margins=Margins(0.02, 0.02))
    assert set(found.records) >= {
        RecordChange("removed", "articles", "refund-time (en)"),
        RecordChange("changed", "articles", "late-parcel (en)"),
        RecordChange("added", "articles", "gift (en)"),
    }
    assert found.questions == 13  # one of the log's is a judged query too
    changed = {one.query: one for one in found.answers}
    assert changed["信用卡的钱什么时候退回来"].before == "refund-time"
    assert all(one.before != one.after for one in found.answers)
    assert "please stop my order" not in changed
    assert not found.gate.is_passed
    assert sorted(path for path in store.folder.rglob("*")) == before


def test_a_page_shows_the_history_to_everyone(run, folder, store):
    first = run(by=Actor("<script>alert(1)</script>", "api"))
    lose_the_refund_article(folder)
    held = run()
    for language, word in (("en", "held back"), ("zh-Hans", "未通过"), ("zh-Hant", "未通過")):
        page = history_page(store.history.entries(), store.active_version(), language)
        assert "<script" not in page and "&lt;script&gt;" in page
        assert not re.findall(r"(?:src|href)=|url\(|https?://", page)
        assert f'<html lang="{language}">' in page and word in page
        assert 'role="img" aria-label="' in page and page.count("<polyline") == 2
        assert first.manifest.id in page and page.count('<circle class="held"') == 2
        assert held.manifest.id in page
        assert ("Loses" in page) == (language == "en")
    assert "检索质量下降超出允许范围：recall@5" in history_page(store.history.entries(), None, "zh-Hans")
    assert "2 measured builds" in history_page(store.history.entries(), None, "en")
    assert "1 measured build:" in history_page(store.history.entries()[:1], None, "en")
    assert "No build has been measured" in history_page([], None, "en")


def test_a_sparkline_has_a_block_for_each_value():
    assert sparkline([0.5]) == "█" and sparkline([0.1, 0.5, 0.9]) == "▁▅█"
    assert sparkline([0.913, 0.911]) == "██"


def test_entries_say_no_more_than_json_can_hold(store):
    entry = Entry("build", "Lin\ud800", "api", "v1", details={"n": [1, 2]})
    store.history.add(entry)
    [read] = store.history.entries()
    assert replace(read, at=entry.at, who=entry.who) == entry
    assert json.loads((store.folder / "history.jsonl").read_bytes())["version"] == "v1"
