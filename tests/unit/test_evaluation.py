"""What scripts/evaluate computes, on cases small enough to work out by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.domain import Emotion, polarity_of
from scripts.evaluation.calibration import calibration_error, curves, draw
from scripts.evaluation.emotion import both_f1, by_words, language_of, macro_f1, turns_of
from scripts.evaluation.trajectory import Talk, alarm_scores, area_under_curve, final_score, golden_transfer
from scripts.training.rows import targets

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "label", "turns"]), inner),
)


def test_macro_f1_leaves_out_classes_that_do_not_occur() -> None:
    assert macro_f1(["a", "a", "b"], ["a", "b", "b"], ("a", "b", "c")) == pytest.approx(2 / 3, abs=1e-4)


def test_polarity_forgives_a_neighbouring_label() -> None:
    scores = both_f1(["angry", "neutral"], ["frustrated", "neutral"])
    assert scores["polarity_macro_f1"] == 1.0
    assert scores["macro_f1"] == 0.5


def test_the_word_list_knows_both_scripts() -> None:
    assert by_words("謝謝，太好了") == by_words("Thanks, perfect") == "satisfied"
    assert by_words("订单号 7731") == "neutral"


def test_calibration_error_of_the_perfect_and_of_the_boastful() -> None:
    assert calibration_error(np.array([0.75] * 4), np.array([1, 1, 1, 0])) == 0
    assert calibration_error(np.array([1.0, 1.0]), np.array([0, 0])) == 1


def test_calibration_is_drawn_for_every_language(tmp_path: Path) -> None:
    rows = [("en", 0.9, True), ("en", 0.3, False), ("zh-Hans", 0.8, True)]
    assert curves(rows)["en"] == [(pytest.approx(0.3), 0.0, 1), (pytest.approx(0.9), 1.0, 1)]
    draw(tmp_path / "curves.svg", rows)
    picture = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert all(f"{name} · n" in picture for name in ("all", "en", "zh-Hans"))


def test_rows_and_conversations_are_read(tmp_path: Path) -> None:
    row = {"text": "哦", "label": "neutral", "context": [["user", "在吗"], ["assistant", "在"]], "flags": ["urgent"]}
    said = [{"speaker": "agent", "text": "Hi"}, {"speaker": "customer", "text": "ugh", "label": "frustrated"}]
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(row)}\n\n{json.dumps({'lang': 'en', 'turns': said})}\n", encoding="utf-8")
    first, second = turns_of(path)
    assert first.context == [("customer", "在吗"), ("agent", "在")]
    assert first.flags == {"urgent"}
    assert (second.text, second.language, second.context, second.flags) == ("ugh", "en", [("agent", "Hi")], None)


@pytest.mark.parametrize(
    ("given_language", "text", "language"),
    [
        ("zh", "订单还没到", "zh-Hans"),
        ("zh", "訂單還沒到", "zh-Hant"),
        ("zh-CN", "好", "zh-Hans"),
        ("zh-Hant", "好", "zh-Hant"),
        ("en-GB", "ok", "en"),
        ("", "where is my parcel", "en"),
    ],
)
def test_language_tags_of_others_are_understood(given_language: str, text: str, language: str) -> None:
    assert language_of(given_language, text) == language


@given(document=JSON)
def test_what_is_no_labelled_turn_is_named_by_its_line(
    tmp_path_factory: pytest.TempPathFactory, document: object
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    good = json.dumps({"text": "ok", "label": "neutral"})
    path.write_text(f"{good}\n{json.dumps(document)}\n", encoding="utf-8")
    try:
        assert turns_of(path)
    except SystemExit as error:
        assert "line 2" in str(error)


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="no labelled turn"):
        turns_of(tmp_path / "rows.jsonl")


def felt(*labels: str) -> list[Emotion]:
    return [Emotion(label, 1.0, {label: 1.0}, 0.5, polarity_of(label)) for label in labels]


def test_alarms_count_as_hits_only_before_or_at_the_escalation() -> None:
    talks = [Talk("en", felt(*["neutral"] * 4), at, []) for at in (2, 2, 2, None, None)]
    scores = alarm_scores(talks, [0, 2, 3, 1, None])
    assert scores == {"precision": 0.5, "recall": 0.667, "median_lead": 1.0, "recall_before_it_happens": 0.333}


def test_what_is_ahead_reaches_three_turns() -> None:
    assert Talk("en", [], 4, [False] * 4 + [True]).ahead == [False, True, True, True, True]


def test_area_under_the_curve_counts_ties_half() -> None:
    assert area_under_curve([0.9, 0.5, 0.5, 0.1], [True, True, False, False]) == 0.875


def test_golden_transfer() -> None:
    assert golden_transfer([], [], 1) == 1
    assert golden_transfer([3], [], 1) == golden_transfer([], [3], 1) == 0
    assert golden_transfer([3], [3, 9], 1) == 1
    assert golden_transfer([4], [3], 1) == pytest.approx(math.exp(-0.5), abs=1e-2)
    assert golden_transfer([5], [3], 1) < golden_transfer([5], [3], 3)


def test_final_score_follows_the_last_feeling() -> None:
    assert final_score([0, 0]) == 2
    assert final_score([-1, 0, 1, 0]) == 3
    assert final_score([1, -1, 0]) == 1


def test_two_readings_become_shares() -> None:
    found = targets(
        [
            {"label": "angry", "intensity": 0.8, "flags": ["urgent"]},
            {"label": "neutral", "intensity": 0.0, "flags": []},
        ]
    )
    assert found["labels"][6] == found["labels"][0] == 0.5
    assert found["flags"][0] == 0.5
    assert found["intensity"] == 0.8
    assert targets([{"label": "neutral", "intensity": 0.0}])["flags"] is None
