"""From a knowledge folder to a version in use: read, build, measure, activate, remember."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Protocol

from assist.errors import AssistError, IndexBroken, NotFound
from assist.knowledge.index.builder import TextEncoder, build, only_build, write
from assist.knowledge.index.gate import (
    UNMEASURED,
    AnswerChange,
    Asked,
    Figures,
    Gate,
    Margins,
    answer_changes,
    ask,
    judge,
    read_golden,
)
from assist.knowledge.index.history import Actor, Entry, build_of
from assist.knowledge.index.manifest import Manifest
from assist.knowledge.index.reading import load_kept
from assist.knowledge.index.records import RecordChange, changes_between
from assist.knowledge.index.store import IndexStore
from assist.knowledge.judgements import Judgement, QueryEncoder
from assist.knowledge.search import Knowledge
from assist.knowledge.sources import Content, read_folder
from assist.knowledge.sources.kept import Kept
from assist.text.counting import counted

Stage = Literal["reading", "embedding", "indexing", "measuring", "activating"]
Progress = Callable[[Stage, int, int], None]
GOLDEN_VECTORS: Final = "golden.vectors"
WORSE_KEPT: Final = 50
"""Queries that got worse which the history keeps of one build."""
PROBLEMS_KEPT: Final = 50
"""Problems of the source which the history keeps of one build."""


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

    With `force` the gate holds nothing back. Nobody sees the version before it is measured, and no other build begins
    before this one has ended; every run ends as a line of the history. Raises KnowledgeError for a source that cannot
    be used, with `strict` for every problem in it, and Conflict while another build runs or if another version was
    activated in the meantime.
    """
    with only_build(store.folder):
        previous = store.active_version()
        try:
            content = _read(source, strict, None if full else load_kept(store), progress)
            golden = read_golden(source)
            draft = write(
                content,
                store.folder,
                encoder,
                progress=lambda done, total: progress("embedding", done, total),
                indexing=lambda done, total: progress("indexing", done, total),
                reuse=not full,
            )
            manifest, asked = draft.manifest, _ask(golden, store.folder, encoder, progress)
            gate = _unmeasured(store, manifest)
            if _has_answers(asked):
                after = store.open_draft(draft.folder, manifest)
                gate = _measure(after, _in_use(store), asked, on, margins)
            problems = tuple(str(problem) for problem in content.problems)
            details: dict[str, Any] = {
                **{name: getattr(manifest, name) for name in ("changes", "embedded", "reused", "seconds")},
                "gate": asdict(replace(gate, worse=gate.worse[:WORSE_KEPT])),
                **_first(problems),
                "dropped": dict(content.dropped),
            }
            outcome: Literal["done", "held"] = "done" if gate.is_passed else "held"
            made = Entry("build", *by, manifest.id, previous, outcome, message=gate.message, details=details)
            store.history.add(made)
            draft.show()
        except BaseException as error:
            with suppress(OSError):  # on a full disk the first error is the one to tell
                store.history.add(_failed(error, by, previous))
            raise
        is_active = activate and (gate.is_passed or force)
        if is_active:
            progress("activating", 0, 0)
            store.supersede(previous, manifest.id, by=by, force=force)
    return Published(manifest, gate, is_active, problems, content.dropped)


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
            indexing=lambda done, total: progress("indexing", done, total),
            reuse_from=store.folder,
        )
        asked = _ask([*golden, *questions], folder, encoder, progress)
        built, in_use = store.beside(folder), _in_use(store)
        after, before, judged = built.open(manifest.id), in_use.knowledge, asked[: len(golden)]
        return Preview(
            manifest=manifest,
            gate=_measure(after, in_use, judged, on, margins) if _has_answers(judged) else _unmeasured(store, manifest),
            records=tuple(changes_between(store.digests(), built.digests(manifest.id))),
            questions=len(asked) if before else 0,
            answers=tuple(answer_changes(before, after, asked, on)) if before else (),
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


def _unmeasured(store: IndexStore, manifest: Manifest) -> Gate:
    """The verdict without judged queries. A source that has lost all its articles is more likely broken than meant."""
    try:
        before = store.manifest(store.active_version() or "").counts.get("articles", 0)
    except (IndexBroken, NotFound):
        return UNMEASURED
    if not before or manifest.counts["articles"]:
        return UNMEASURED
    return Gate(False, f"No article is left of {counted(before, 'article')} in use. If that is meant, use --force.")


def _has_answers(asked: Sequence[Asked]) -> bool:
    return any(one.judgement.article for one in asked)


class _InUse(NamedTuple):
    """The active version; if it cannot be opened, why, and its figures of the time when it was built."""

    knowledge: Knowledge | None
    figures: Figures | None = None
    why_closed: str = ""


def _in_use(store: IndexStore) -> _InUse:
    active = store.active_version()
    if active is None:
        return _InUse(None)
    try:
        return _InUse(store.open(active))
    except (IndexBroken, NotFound) as error:
        made = build_of(store.history.entries(), active)
        figures = (made.details.get("gate") or {}).get("figures") if made else None
        return _InUse(None, Figures(**figures) if figures else None, error.message.rstrip("."))


def _measure(after: Knowledge, in_use: _InUse, asked: Sequence[Asked], on: date, margins: Margins) -> Gate:
    gate = judge(after, in_use.knowledge or in_use.figures, asked, on, margins)
    if not in_use.why_closed:
        return gate
    told = (
        f"{gate.message} The version in use cannot be opened ({in_use.why_closed}), so this is measured against its"
        " figures from when it was built."
        if gate.baseline
        else f"Measured, but not compared: the version in use cannot be opened ({in_use.why_closed})."
    )
    return replace(gate, message=told)


def _first(problems: Sequence[str]) -> dict[str, Any]:
    """What the history keeps of a build's problems; the build itself has told all of them."""
    return {"problems": list(problems[:PROBLEMS_KEPT]), "problem_count": len(problems)}


def _failed(error: BaseException, by: Actor, previous: str | None) -> Entry:
    if isinstance(error, AssistError):
        details = _first([str(problem) for problem in error.details.get("problems", ())])
        return Entry("build", *by, None, previous, "failed", message=error.message, details=details)
    told = "Interrupted." if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
    return Entry("build", *by, None, previous, "failed", message=told)
