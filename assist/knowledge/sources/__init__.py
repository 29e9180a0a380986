"""What a knowledge folder may hold, read into domain records."""

from assist.knowledge.sources.fields import LANGUAGES
from assist.knowledge.sources.folder import Content, read_folder, read_phrases

__all__ = ["LANGUAGES", "Content", "read_folder", "read_phrases"]
