"""The demo conversations of the knowledge folder, for the player on the desk. Empty where the folder has none."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends

from assist.errors import NotFound
from assist.web.routes import ERRORS, Service, entered

router = APIRouter(prefix="/v1/demo", dependencies=[Depends(entered)], responses=ERRORS)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LISTED = ("id", "title", "language", "channel", "customer_id", "shows")


@router.get("/conversations")
async def list_demos(parts: Service) -> dict[str, list[dict[str, Any]]]:
    """What there is to play."""
    return {"conversations": await asyncio.to_thread(_all, parts.settings.knowledge_dir)}


@router.get("/conversations/{demo_id}")
async def get_demo(demo_id: str, parts: Service) -> dict[str, Any]:
    """One script with its customer's profile."""
    found = await asyncio.to_thread(_one, parts.settings.knowledge_dir, demo_id)
    if found is None:
        raise NotFound("No demo conversation has this id.", {"id": demo_id})
    return found


def _all(folder: Path) -> list[dict[str, Any]]:
    scripts = (json.loads(path.read_bytes()) for path in sorted((folder / "conversations").glob("*.json")))
    return [{name: script.get(name) for name in _LISTED} for script in scripts]


def _one(folder: Path, demo_id: str) -> dict[str, Any] | None:
    path = folder / "conversations" / f"{demo_id}.json"
    if not _NAME.fullmatch(demo_id) or not path.is_file():
        return None
    script: dict[str, Any] = json.loads(path.read_bytes())
    return script | {"customer": _customer(folder, script["customer_id"])}


def _customer(folder: Path, customer_id: str) -> dict[str, Any]:
    path = folder / "customers" / "customers.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    profiles: list[dict[str, Any]] = [json.loads(line) for line in lines if line.strip()]
    return next((profile for profile in profiles if profile["id"] == customer_id), {"id": customer_id})
