"""Index versions and builds: what a knowledge manager calls."""

import asyncio

from fastapi import APIRouter, Depends

from assist.web.parts import Parts
from assist.web.routes import ERRORS, Service, entered
from assist.web.schemas import ActiveInput, BuildInput, BuildOut, VersionOut, VersionsOut

router = APIRouter(prefix="/v1/knowledge", dependencies=[Depends(entered)], responses=ERRORS)


@router.get("/versions")
async def list_versions(parts: Service) -> VersionsOut:
    """All index versions, the newest first."""
    return await asyncio.to_thread(_versions, parts)


@router.post("/builds", status_code=202)
async def start_build(ordered: BuildInput, parts: Service) -> BuildOut:
    """Read the knowledge folder and build a new version. 409 while a build runs."""
    return parts.builds.start(ordered)


@router.get("/builds/{build_id}")
async def get_build(build_id: str, parts: Service) -> BuildOut:
    """How a build is going."""
    return parts.builds.get(build_id)


@router.put("/active")
async def activate(wanted: ActiveInput, parts: Service) -> VersionsOut:
    """Switch to a version or roll back to it; in use when this returns."""

    def switch() -> VersionsOut:
        live = parts.engine.knowledge
        live.store.activate(wanted.version)
        live.refresh()
        return _versions(parts)

    return await asyncio.to_thread(switch)


def _versions(parts: Parts) -> VersionsOut:
    store = parts.engine.knowledge.store
    active = store.active_version()
    return VersionsOut(
        versions=[
            VersionOut(
                version=manifest.id,
                active=manifest.id == active,
                created_at=manifest.created_at,
                counts=dict(manifest.counts),
            )
            for manifest in store.versions()
        ],
        active=active,
    )
