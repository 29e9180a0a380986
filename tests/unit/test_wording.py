"""Every wording exists in three languages with the same slots."""

from string import Formatter

from assist.suggest.wording import _TEXTS


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_the_same_slots_in_every_language() -> None:
    for code, texts in _TEXTS.items():
        assert all(texts), code
        assert slots(texts[0]) == slots(texts[1]) == slots(texts[2]), code
