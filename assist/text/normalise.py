"""Folds text into one form for search and models. Never for spans that are shown on the original."""

import re
import unicodedata

_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"'})


def normalise(text: str) -> str:
    """NFKC, without control and zero-width characters, quotes made straight, white space folded to single blanks."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    folded = unicodedata.normalize("NFKC", _HIDDEN.sub("", text)).translate(_QUOTES)
    return " ".join(folded.split())
