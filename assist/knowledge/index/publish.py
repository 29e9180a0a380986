"""From a knowledge folder to a version in use: read, build, measure, activate, remember."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from assist.errors import AssistError, IndexBroken, KnowledgeError, NotFound
from assist.knowledge.index.builder import TextEncoder, build
from assist.knowledge.index.gate import (
    UNMEASURED,
    AnswerChange,
    Asked,
    Gate,
    Margins,
    answer_changes,
    ask,
    judge,
    read_golden,
)
from assist.knowledge.index.history import Actor, Entry
from assist.knowledge.index.manifest import Manifest
from assist.knowledge.index.reading import load_kept
from assist.knowledge.index.records import RecordChange, changes_between
from assist.knowledge.index.store import IndexStore
from assist.knowledge.judgements import Judgement, QueryEncoder
from assist.knowledge.search import Knowledge
from assist.knowledge.sources import Content, read_folder
from assist.knowledge.sources.kept import Kept

Stage = Literal["reading", "embedding", "measuring", "activating"]
Progress = Callable[[Stage, int, int], None]
GOLDEN_VECTORS: Final = "golden.vectors"
WORSE_KEPT: Final = 50
"""Queries that got worse which the history keeps of one build."""


class Encoder(TextEncoder, QueryEncoder, Protocol):  # type: ignore[misc]
    """Embeds passages, and queries in the light of the turns before."""


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it. `problems` names what is broken and left out, `dropped` counts what is left out on purpose."""

    manifest: Manifest
    gate: Gate
    is_active: bool
    problems: tuple[str, ...]
    dropped: Mapping[str, int]


def publish(
    source: Path,
    store: IndexStore,
    encoder: Encoder,
    *,
    by: Actor,
    on: date,
    margins: Margins,
    activate: bool = True,
    full: bool = False,
    strict: bool = False,
    force: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Published:
    """Build a version of a knowledge folder and activate it, unless the gate holds it back.

    With `force` the gate holds nothing back. Every run ends as a line of the history. Raises KnowledgeError for a
    source that cannot be used, with `strict` for every problem in it, and Conflict while another build runs.
    """
    previous = store.active_version()
    try:
        content = _read(source, strict, None if full else load_kept(store), progress)
        golden = read_golden(source)
        manifest = build(
            content,
            store.folder,
            encoder,
            progress=lambda done, total: progress("embedding", done, total),
            reuse=not full,
        )
        asked = _ask(golden, store.folder, encoder, progress)
        gate = _measure(store, manifest.id, store, asked, on, margins)
    except AssistError as error:
        told = {"problems": list(error.details.get("problems", ()))}
        store.history.add(Entry("build", *by, None, previous, "failed", message=error.message, details=told))
        raise
    details: dict[str, Any] = {
        **{name: getattr(manifest, name) for name in ("changes", "embedded", "reused", "seconds")},
        "gate": asdict(replace(gate, worse=gate.worse[:WORSE_KEPT])),
        "problems": [str(problem) for problem in content.problems],
        "dropped": dict(content.dropped),
    }
    outcome: Literal["done", "held"] = "done" if gate.is_passed else "held"
    store.history.add(Entry("build", *by, manifest.id, previous, outcome, message=gate.message, details=details))
    is_active = activate and (gate.is_passed or force)
    if is_active:
        progress("activating", 0, 0)
        store.activate(manifest.id, by=by, force=force)
    return Published(manifest, gate, is_active, tuple(details["problems"]), content.dropped)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a build would change: records, the first articles of questions, and whether the gate would let it pass."""

    manifest: Manifest
    gate: Gate
    records: tuple[RecordChange, ...]
    questions: int
    answers: tuple[AnswerChange, ...]
    problems: tuple[str, ...]
    dropped: Mapping[str, int]


def preview(
    source: Path,
    store: IndexStore,
    encoder: Encoder,
    *,
    questions: Sequence[Judgement] = (),
    on: date,
    margins: Margins,
    strict: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Preview:
    """Build a version in a temporary folder and compare it with the one in use; the index is left as it is.

    The judged queries and the given `questions` are asked of both. Raises as `publish` does.
    """
    content = _read(source, strict, load_kept(store), progress)
    golden = read_golden(source)
    known = {judged.query for judged in golden}
    questions = [question for question in questions if question.query not in known]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        kept = store.folder / GOLDEN_VECTORS
        if kept.is_file():
            shutil.copy(kept, folder)
        manifest = build(
            content,
            folder,
            encoder,
            progress=lambda done, total: progress("embedding", done, total),
            reuse_from=store.folder,
        )
        asked = _ask([*golden, *questions], folder, encoder, progress)
        built = store.beside(folder)
        before = _in_use(store)
        return Preview(
            manifest=manifest,
            gate=_measure(built, manifest.id, store, asked[: len(golden)], on, margins),
            records=tuple(changes_between(store.digests(), built.digests(manifest.id))),
            questions=len(asked) if before else 0,
            answers=tuple(answer_changes(before, built.open(manifest.id), asked, on)) if before else (),
            problems=tuple(str(problem) for problem in content.problems),
            dropped=content.dropped,
        )


def _read(source: Path, strict: bool, kept: Kept | None, progress: Progress) -> Content:
    progress("reading", 0, 0)
    return read_folder(source, strict=strict, kept=kept, progress=lambda done, total: progress("reading", done, total))


def _ask(golden: Sequence[Judgement], folder: Path, encoder: Encoder, progress: Progress) -> list[Asked]:
    return ask(
        golden,
        encoder,
        encoder.version,
        encoder.dimension,
        folder / GOLDEN_VECTORS,
        lambda done, total: progress("measuring", done, total),
    )


def _measure(
    built: IndexStore, version: str, store: IndexStore, asked: Sequence[Asked], on: date, margins: Margins
) -> Gate:
    if not any(one.judgement.article for one in asked):
        return UNMEASURED
    return judge(built.open(version), _in_use(store), asked, on, margins)


def _in_use(store: IndexStore) -> Knowledge | None:
    """The active version, if there is one that can be searched."""
    try:
        return store.open() if store.active_version() else None
    except (IndexBroken, KnowledgeError, NotFound):
        return None
