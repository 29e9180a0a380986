"""What a version keeps of the files it was read from, so that the next build reads only those that have changed."""

import hashlib
import json
from pathlib import Path
from typing import Final

from assist import domain
from assist.domain import Article
from assist.errors import AssistError
from assist.knowledge import passages, sources
from assist.knowledge.index.store import IndexStore, record
from assist.knowledge.sources import Content
from assist.knowledge.sources.kept import Kept, KeptFile
from assist.text import language

_CODE: Final = [
    *sorted(Path(str(sources.__file__)).parent.glob("*.py")),
    *(Path(str(module.__file__)) for module in (domain, passages, language)),
]
"""What decides how a file is read. Articles that other code has read are worth nothing."""


def save_kept(folder: Path, content: Content) -> None:
    """Note in a version's folder which of its articles came from which file."""
    numbers = {(article.id, article.language): number for number, article in enumerate(content.articles)}
    listed = {}
    for name, file in content.kept.files.items():
        places = [(line, numbers.get((article.id, article.language), -1)) for line, article in file.articles]
        read = [article for _, article in file.articles]
        # What was mended or left out after reading, because of what other files say, is read again.
        if read == [content.articles[number] if number >= 0 else None for _, number in places]:
            listed[name] = [file.digest, places]
    said = {"made_by": _maker(), "situations": sorted(content.kept.situations), "files": listed}
    (folder / "files.json").write_text(json.dumps(said, ensure_ascii=False), "utf-8")


def load_kept(store: IndexStore) -> Kept | None:
    """What the active version keeps, or None; that costs time only."""
    try:
        version = store.active_version() or ""
        folder = store.path(version)
        store.manifest(version).verify(folder, ("files.json", "content.json"))
        said = json.loads((folder / "files.json").read_text("utf-8"))
        if said["made_by"] != _maker():
            return None
        articles: list[Article] = [
            record(Article, values) for values in json.loads((folder / "content.json").read_text("utf-8"))["articles"]
        ]
        files = {
            name: KeptFile(digest, tuple((line, articles[number]) for line, number in places))
            for name, (digest, places) in said["files"].items()
        }
        return Kept(frozenset(said["situations"]), files)
    except (AssistError, OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def _maker() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _CODE)).hexdigest()
