"""The commands for index versions: list, show, switch, go back, clear up, and what was done to them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from assist import settings as configuration
from assist.cli_parts import HELD, AsJson, Data, Models, Speech, index_store, say, say_json, sentences
from assist.cli_tables import console, figure, right, show_changes, show_history, show_rows, show_worse
from assist.errors import Conflict, Unavailable
from assist.knowledge.index import IndexStore, Manifest
from assist.knowledge.index.chart import history_page, sparkline
from assist.knowledge.index.gate import Worse
from assist.knowledge.index.history import Entry, build_of, held_back
from assist.knowledge.index.records import changes_between
from assist.knowledge.index.wording import figures_of

knowledge = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The knowledge: its versions and their history, what is wrong with it, what it lacks.",
)


@knowledge.command("list")
def list_versions(data: Data = None, models: Models = None, as_json: AsJson = False) -> None:
    """All index versions, the newest first; * marks the one in use.

    Example: scripts/knowledge list
    """
    with sentences(as_json):
        manifests, active, entries, target = index_store(
            configuration.load(data_dir=data, models_dir=models)
        ).overview()
        if as_json:
            say_json({"active": active, "versions": [_summary(m, active, entries) for m in manifests]})
            return
        table = Table(
            "", Column("version", no_wrap=True), "built", right("articles"), "changes", right("recall@5"),
            right("ndcg@10"), "by", "",
        )  # fmt: skip
        for manifest in manifests:
            told = _summary(manifest, active, entries)
            changes, figures = manifest.changes, told["figures"] or {}
            note = "held back" if told["is_held"] else "rollback goes here" if manifest.id == target else ""
            table.add_row(
                "*" if told["active"] else "",
                manifest.id,
                f"{manifest.created_at:%Y-%m-%d %H:%M}",
                f"{manifest.counts['articles']:,}",
                f"+{changes['added']} ~{changes['changed']} -{changes['removed']}",
                figure(figures.get("recall_at_5")),
                figure(figures.get("ndcg_at_10")),
                told["by"] or "",
                note,
            )
        console().print(table if manifests else "There is no index version yet. Build one with: scripts/reindex")


@knowledge.command()
def show(
    version: Annotated[str, typer.Argument(help="A version from `list`, or `active`.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """One version: what it holds, how it was measured, what happened to it, how it differs from the one in use.

    Example: scripts/knowledge show active
    """
    with sentences(as_json):
        store = IndexStore(configuration.load(data_dir=data).index_dir)
        manifest = store.manifest(_resolved(store, version))
        active, entries = store.active_version(), store.history.entries()
        told = _summary(manifest, active, entries)
        differs = changes_between(store.digests(), store.digests(manifest.id)) if manifest.id != active else []
        made = build_of(entries, manifest.id)
        gate: dict[str, Any] = made.details.get("gate", {}) if made else {}
        happened = [entry for entry in entries if manifest.id in (entry.version, *entry.details.get("deleted", ()))]
        if as_json:
            details = {
                "encoder_version": manifest.encoder_version,
                "dimension": manifest.dimension,
                "indexes": manifest.indexes,
                "seconds": manifest.seconds,
                "gate": gate or None,
                "differs_from_active": [change._asdict() for change in differs],
                "history": [_entry_json(entry) for entry in happened],
                "bytes": sum(size for size, _ in manifest.files.values()),
            }
            say_json(told | details)
            return
        rows = {kind: f"{count:,}" for kind, count in manifest.counts.items()}
        rows |= {f"records {kind}": f"{count:,}" for kind, count in manifest.changes.items()}
        for name, index in manifest.indexes.items():
            rows[f"index {name}"] = ", ".join(f"{key} {value}" for key, value in index.items())
        rows |= {
            "vectors reused": f"{manifest.reused:,}",
            "vectors computed": f"{manifest.embedded:,}",
            "encoder": manifest.encoder_version,
            "size": f"{sum(size for size, _ in manifest.files.values()) / 1e6:,.1f} MB",
            "seconds": f"{manifest.seconds:.1f}",
            "in use": "yes" if told["active"] else "held back" if told["is_held"] else "no",
        }
        show_rows(f"Index version {manifest.id}", rows)
        if gate:
            typer.echo(f"Gate: {gate['message']}")
            show_worse([Worse(**one) for one in gate.get("worse", ())])
        show_changes("Against the version in use", differs)
        show_history(happened)


@knowledge.command()
def activate(
    version: Annotated[str, typer.Argument(help="A version from `list`.")],
    force: Annotated[bool, typer.Option("--force", help="Even one that the gate held back.")] = False,
    data: Data = None,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Use a version from now on. A running service takes it within a second. Exit code 3 if the gate holds it back.

    Example: scripts/knowledge activate 20261123T091012Z-02b0c5
    """
    with sentences(as_json):
        store = index_store(configuration.load(data_dir=data, models_dir=models))
        before = store.active_version()
        try:
            store.activate(version, force=force)
        except Conflict as error:
            if not error.details.get("is_held"):
                raise
            say_json({"message": error.message}) if as_json else typer.echo(error.message, err=True)
            raise typer.Exit(HELD) from error
        _say_switched(before, version, as_json)


@knowledge.command()
def rollback(data: Data = None, models: Models = None, as_json: AsJson = False) -> None:
    """Go back to the version that was in use before; once more goes one further back.

    Example: scripts/knowledge rollback
    """
    with sentences(as_json):
        store = index_store(configuration.load(data_dir=data, models_dir=models))
        before = store.active_version()
        _say_switched(before, store.rollback(), as_json)


@knowledge.command("prune")
def prune_versions(
    keep: Annotated[int, typer.Option(min=1, metavar="N", help="How many of the newest stay.")],
    data: Data = None,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Delete old versions: all but the newest, the one in use, and the one to which a rollback would go.

    Example: scripts/knowledge prune --keep 5
    """
    with sentences(as_json):
        deleted = index_store(configuration.load(data_dir=data, models_dir=models)).prune(keep)
        if as_json:
            say_json({"deleted": deleted})
        else:
            typer.echo("\n".join(f"deleted {version}" for version in deleted) or "There is nothing to delete.")


@knowledge.command("history")
def list_history(
    last: Annotated[int, typer.Option(min=1, metavar="N", help="How many of the latest lines.")] = 50,
    html: Annotated[Path | None, typer.Option(help="Write a page with a chart of the measured quality.")] = None,
    language: Annotated[Speech, typer.Option(help="Language of the page and the table.")] = Speech.english,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Who built, activated, rolled back and pruned what and when, with the quality of every build.

    \b
    Examples:
      scripts/knowledge history
      scripts/knowledge history --html history.html --language zh-Hans
    """
    with sentences(as_json):
        store = IndexStore(configuration.load(data_dir=data).index_dir)
        entries = store.history.entries()
        if html is not None:
            html.write_text(history_page(entries, store.active_version(), language.value), "utf-8")
        if as_json:
            say_json({"history": [_entry_json(entry) for entry in entries[-last:]]})
            return
        for name, title in (("recall_at_5", "recall@5"), ("ndcg_at_10", "ndcg@10")):
            values = [figures[name] for entry in entries if (figures := figures_of(entry))]
            if values:
                typer.echo(f"{title:9} {sparkline(values[-60:])}  {values[-1]:.3f}")
        show_history(entries[-last:], language.value)
        if html is not None:
            typer.echo(f"Written: {html}")


def _resolved(store: IndexStore, version: str) -> str:
    if version != "active":
        return version
    active = store.active_version()
    if active is None:
        raise Unavailable("There is no index yet. Build one with: scripts/reindex")
    return active


def _summary(manifest: Manifest, active: str | None, entries: Sequence[Entry]) -> dict[str, Any]:
    made = build_of(entries, manifest.id)
    return {
        "version": manifest.id,
        "active": manifest.id == active,
        "created_at": manifest.created_at.isoformat(),
        "by": made.who if made else None,
        "counts": manifest.counts,
        "changes": manifest.changes,
        "reused": manifest.reused,
        "embedded": manifest.embedded,
        "figures": figures_of(made) if made else None,
        "is_held": held_back(entries, manifest.id) is not None,
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return asdict(entry) | {"at": entry.at.isoformat()}


def _say_switched(before: str | None, active: str, as_json: bool) -> None:
    if as_json:
        say_json({"active": active, "before": before})
    else:
        say(f"{active} is in use now; before, it was {before or 'none'}.")
