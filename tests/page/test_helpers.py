"""The pages' pure helpers, in the browser that runs them, against Python."""

from collections.abc import Callable

import pytest
from windows import Window

Windows = Callable[..., Window]

TEXTS = ["", "a", "退款😡到底", "👨‍👩‍👧 family", "𠮷野家的订单", "plain words"]


def run(window: Window, expression: str, argument: object) -> object:
    page = window.page if window.page.url != "about:blank" else window.go("/desk")
    helpers = "const spans = await import('/static/js/lib/spans.js')"
    return page.evaluate(f"async (given) => {{ {helpers}; return {expression}; }}", argument)


def test_pieces_rejoin_and_count_code_points(window: Windows) -> None:
    one = window()
    for text in TEXTS:
        for start in range(len(text) + 1):
            for end in range(start, len(text) + 3):
                given = {"text": text, "spans": [{"start": start, "end": end}]}
                parts = run(one, "spans.pieces(given.text, given.spans)", given)
                assert isinstance(parts, list)
                assert "".join(part["text"] for part in parts) == text
                marked = [part["text"] for part in parts if part["span"]]
                assert marked == ([text[start:end]] if text[start:end] else [])


def test_overlapping_spans_never_repeat_text(window: Windows) -> None:
    spans = [{"start": 0, "end": 4}, {"start": 2, "end": 6}, {"start": 5, "end": 5}, {"start": 6, "end": 99}]
    parts = run(window(), "spans.pieces(given.text, given.spans)", {"text": "退款😡到底去哪了", "spans": spans})
    assert isinstance(parts, list)
    assert [part["text"] for part in parts] == ["退款😡到", "底去", "哪了"]


@pytest.mark.parametrize(
    ("text", "words", "better", "expected"),
    [
        ("您先冷静一点，我在查。", "您先冷静", "我来跟进。", "我来跟进。我在查。"),
        ("😡！您冷静", "冷静", "我来跟进。", "😡！我来跟进。"),
        ("Hello. Please calm down! I am checking.", "calm down", "I am on it.", "Hello. I am on it. I am checking."),
        ("请冷静", "冷静", "我明白", "我明白"),
        ("快去查！！我在等。", "快去查！！", "请您看一下。", "请您看一下。我在等。"),
    ],
)
def test_reword_replaces_the_clause(window: Windows, text: str, words: str, better: str, expected: str) -> None:
    start = text.index(words)
    issue = {"start": start, "end": start + len(words), "better": better}
    assert run(window(), "spans.reword(given.text, given.issue)", {"text": text, "issue": issue}) == expected


def test_survival_tells_an_edit_from_a_rewrite(window: Windows) -> None:
    one = window()

    def survival(original: str, text: str) -> float:
        return float(str(run(one, "spans.survival(given.original, given.text)", {"original": original, "text": text})))

    assert survival("退款 1–3 个工作日到账。", "退款 1–3 个工作日到账。") == 1
    assert survival("退款 1–3 个工作日到账。", "您好，退款 1–3 个工作日就会到账。") > 0.6
    assert survival("退款 1–3 个工作日到账。", "Good morning") == 0
