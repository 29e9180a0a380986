"""Index versions: built beside each other, measured, switched, remembered."""

from assist.knowledge.index.builder import TextEncoder, build
from assist.knowledge.index.manifest import Manifest
from assist.knowledge.index.store import IndexStore

__all__ = ["IndexStore", "Manifest", "TextEncoder", "build"]
