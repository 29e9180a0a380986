"""Index versions and builds: what a knowledge manager calls."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.requests import HTTPConnection

from assist.errors import AssistError
from assist.knowledge.index import IndexStore, Manifest
from assist.knowledge.index.history import Actor, Entry, build_of, held_back
from assist.knowledge.index.records import changes_between
from assist.web.parts import Parts
from assist.web.routes import ERRORS, Caller, Limit, Service, entered
from assist.web.schemas import (
    ActiveInput,
    BuildInput,
    BuildOut,
    BuildsOut,
    HistoryOut,
    PrunedOut,
    VersionDetailOut,
    VersionOut,
    VersionsOut,
)

_JSON = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}}
_REFUSALS: dict[int | str, dict[str, Any]] = {status: {"content": _JSON} for status in ERRORS}
"""A stream that is refused answers in JSON."""
router = APIRouter(prefix="/v1/knowledge", dependencies=[Depends(entered)], responses=ERRORS)


@router.get("/versions")
async def list_versions(parts: Service) -> VersionsOut:
    """All index versions, the newest first."""
    return await asyncio.to_thread(_versions, parts)


@router.get("/versions/{version}")
async def get_version(version: str, parts: Service) -> VersionDetailOut:
    """What a version holds, how it was measured, what happened to it, how it differs from the one in use."""
    return await asyncio.to_thread(_detail, parts.engine.knowledge.store, version)


@router.delete("/versions")
async def prune_versions(
    keep: Annotated[int, Query(ge=1, le=1000, description="How many of the newest stay.")],
    caller: Caller,
    parts: Service,
) -> PrunedOut:
    """Delete old versions: all but the newest, the one in use, and the one to which a rollback would go."""
    store = parts.engine.knowledge.store
    return PrunedOut(deleted=await asyncio.to_thread(store.prune, keep, by=Actor(caller.name, "api")))


@router.get("/history")
async def list_history(parts: Service, limit: Limit = 100) -> HistoryOut:
    """Who built, activated, rolled back and pruned what and when, the newest first."""
    entries = await asyncio.to_thread(parts.engine.knowledge.store.history.entries)
    return HistoryOut(history=entries[::-1][:limit])


@router.post("/builds", status_code=202)
async def start_build(ordered: BuildInput, caller: Caller, parts: Service) -> BuildOut:
    """Read the knowledge folder and build a new version. 409 while a build runs."""
    return await asyncio.to_thread(parts.builds.start, ordered, caller.name)


@router.get("/builds")
async def list_builds(parts: Service) -> BuildsOut:
    """The latest builds, the newest first."""
    return BuildsOut(builds=await asyncio.to_thread(parts.builds.latest))


async def _build(build_id: str, parts: Service) -> BuildOut:
    return await asyncio.to_thread(parts.builds.get, build_id)


@router.get("/builds/{build_id}")
async def get_build(build: Annotated[BuildOut, Depends(_build)]) -> BuildOut:
    """How a build is going."""
    return build


@router.get("/builds/{build_id}/events", response_class=EventSourceResponse, responses=_REFUSALS)
async def follow_build(
    build: Annotated[BuildOut, Depends(_build)], connection: HTTPConnection, parts: Service
) -> AsyncIterator[ServerSentEvent]:
    """`progress` with the build each time that it is further, at last `end` with how it ended; then the stream closes.

    It also closes when the caller's key is withdrawn.
    """
    async for news in parts.builds.follow(build.id):
        try:
            await parts.gate.identify(connection)
        except AssistError:
            return
        event = "progress" if news.status == "running" else "end"
        yield ServerSentEvent(event=event, raw_data=news.model_dump_json())


@router.put("/active")
async def activate(wanted: ActiveInput, caller: Caller, parts: Service) -> VersionsOut:
    """Switch to a version; in use when this returns. 409 for one that the gate held back, unless with `force`."""

    def switch() -> VersionsOut:
        live = parts.engine.knowledge
        live.store.activate(wanted.version, by=Actor(caller.name, "api"), force=wanted.force)
        live.use(wanted.version)
        return _versions(parts)

    return await asyncio.to_thread(switch)


@router.post("/rollback")
async def roll_back(caller: Caller, parts: Service) -> VersionsOut:
    """Go back to the version that was in use before; in use when this returns. 409 if there is none."""

    def switch() -> VersionsOut:
        live = parts.engine.knowledge
        live.use(live.store.rollback(by=Actor(caller.name, "api")))
        return _versions(parts)

    return await asyncio.to_thread(switch)


def _versions(parts: Parts) -> VersionsOut:
    versions, active, entries, rollback = parts.engine.knowledge.store.overview()
    return VersionsOut(
        versions=[_version(manifest, active, entries) for manifest in versions], active=active, rollback=rollback
    )


def _version(manifest: Manifest, active: str | None, entries: list[Entry]) -> VersionOut:
    made = build_of(entries, manifest.id)
    return VersionOut.model_validate(
        {
            "version": manifest.id,
            "active": manifest.id == active,
            "created_at": manifest.created_at,
            "counts": manifest.counts,
            "changes": manifest.changes,
            "built_by": made.who if made else None,
            "figures": (made.details.get("gate") or {}).get("figures") if made else None,
            "is_held": held_back(entries, manifest.id) is not None,
        }
    )


def _detail(store: IndexStore, version: str) -> VersionDetailOut:
    manifest, active, entries = store.manifest(version), store.active_version(), store.history.entries()
    made = build_of(entries, version)
    return VersionDetailOut.model_validate(
        {
            **_version(manifest, active, entries).model_dump(),
            **{name: getattr(manifest, name) for name in ("encoder_version", "dimension", "embedded", "reused")},
            "indexes": manifest.indexes,
            "seconds": manifest.seconds,
            "size_bytes": sum(size for size, _ in manifest.files.values()),
            "gate": made.details.get("gate") if made else None,
            "differs": changes_between(store.digests(), store.digests(version)) if version != active else [],
            "history": [entry for entry in entries if entry.version == version],
        }
    )
