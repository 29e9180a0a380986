"""One form for search and models."""

import pytest

from assist.text.normalise import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＡＢＣ１２３", "ABC123"),
        ("a\u200bb\ufeffc", "abc"),
        ("  a \n\t b\u3000c ", "a b c"),
        ("it’s “ok”", 'it\'s "ok"'),
        ("bad\x00\x07", "bad"),
        ("½ ㎏", "1⁄2 kg"),
        ("broken \ud800 surrogate", "broken surrogate"),
    ],
)
def test_normalise(text, expected):
    assert normalise(text) == expected
