"""Records as JSON, their digests, and what has changed between two sets of them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from assist.domain import Article, Case, Phrase, Product, Situation
from assist.errors import IndexBroken
from assist.knowledge.sources import Content

RECORDS: Final[dict[str, type[Any]]] = {
    "articles": Article,
    "cases": Case,
    "phrases": Phrase,
    "products": Product,
    "situations": Situation,
}
FIELDS: Final = {kind: tuple(field.name for field in fields(kind)) for kind in RECORDS.values()}
"""The names of each record's fields."""
Digests = Mapping[str, Mapping[str, str]]
"""By kind and by name, e.g. `refund-time (en)`, the digest of each record."""


class RecordChange(NamedTuple):
    """A record that one version has and another lacks or has otherwise."""

    change: Literal["added", "changed", "removed"]
    kind: str
    name: str


def to_json(value: Any) -> str:
    """Records as JSON; equal ones give equal text."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def content_json(content: Content) -> str:
    """The records and the glossary, as a version keeps them."""
    return to_json({name: getattr(content, name) for name in (*RECORDS, "glossary")})


def digests_of(content: Content) -> dict[str, dict[str, str]]:
    """The digest of every record."""
    return {
        kind: {
            _name(_plain(record)): hashlib.sha256(to_json(record).encode("utf-8", "replace")).hexdigest()[:32]
            for record in getattr(content, kind)
        }
        for kind in RECORDS
    }


def read_digests(folder: Path) -> Digests:
    """The digests that a version keeps. Raises IndexBroken."""
    try:
        digests: Digests = json.loads((folder / "records.json").read_text("utf-8"))
        return digests
    except (OSError, ValueError) as error:
        raise IndexBroken(f"index version {folder.name} does not tell its records") from error


def changes_between(before: Digests, after: Digests) -> list[RecordChange]:
    """What was added, changed and removed, by kind and name."""
    found = []
    for kind in RECORDS:
        then, now = before.get(kind, {}), after.get(kind, {})
        for name in sorted(then.keys() | now.keys()):
            if then.get(name) != now.get(name):
                change: Literal["added", "changed", "removed"] = (
                    "added" if name not in then else "removed" if name not in now else "changed"
                )
                found.append(RecordChange(change, kind, name))
    return found


def count_changes(before: Digests, after: Digests) -> dict[str, int]:
    """How many records were added, changed, left as they were and removed."""
    changed = [change.change for change in changes_between(before, after)]
    counts = {name: changed.count(name) for name in ("added", "changed", "removed")}
    total = sum(len(after.get(kind, {})) for kind in RECORDS)
    return {
        "added": counts["added"],
        "changed": counts["changed"],
        "unchanged": total - counts["added"] - counts["changed"],
        "removed": counts["removed"],
    }


def _name(values: Mapping[str, Any]) -> str:
    name = values.get("id") or values.get("sku") or ""
    return f"{name} ({values['language']})" if values.get("language") else str(name)


def _plain(value: Any) -> Any:
    if type(value) in FIELDS:
        return {name: getattr(value, name) for name in FIELDS[type(value)]}
    return str(value)
