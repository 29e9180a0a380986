"""How many of a thing, in English words."""


def counted(count: int, noun: str) -> str:
    """1 finding, 2 findings."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
