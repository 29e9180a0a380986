"""The data to learn from: every row is well formed, and what tunes or tests was not trained on."""

import itertools
from pathlib import Path

import pytest

from assist.domain import EMOTIONS, FLAGS
from scripts.evaluation.trajectory import is_escalation
from scripts.training.rows import conversations, corpus, read_jsonl

ROOT = Path(__file__).parents[2]
DATA = ROOT / "models" / "data"
SPLITS = ("train", "tune", "test")
LANGUAGES = {"zh-Hans", "zh-Hant", "en", "mixed"}


def assert_labels(turn: dict) -> None:
    assert turn["text"].strip()
    assert turn["label"] in EMOTIONS
    assert 0 <= turn["intensity"] <= 1
    assert (turn["intensity"] == 0) == (turn["label"] == "neutral"), turn
    assert set(turn["flags"]) <= set(FLAGS)


@pytest.mark.parametrize("split", SPLITS)
def test_rows_are_well_formed(split: str) -> None:
    rows = read_jsonl(DATA / "emotion" / f"{split}.jsonl")
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert_labels(row)
        assert row["lang"] in LANGUAGES
        assert len(row["context"]) <= 3
        assert all(speaker in ("customer", "agent") and text.strip() for speaker, text in row["context"])


@pytest.mark.parametrize("split", SPLITS)
def test_conversations_are_well_formed_and_escalate_as_they_say(split: str) -> None:
    for talk in read_jsonl(DATA / "conversations" / f"{split}.jsonl"):
        customer = [turn for turn in talk["turns"] if turn["speaker"] == "customer"]
        assert talk["lang"] in LANGUAGES
        assert len(customer) >= 3
        for turn in customer:
            assert_labels(turn)
        assert talk["escalates"] == any(is_escalation(turn["label"], set(turn["flags"])) for turn in customer), talk[
            "id"
        ]


@pytest.mark.parametrize("part", ["emotion", "conversations"])
def test_splits_share_no_scenario(part: str) -> None:
    scenarios = [{row["scenario"] for row in read_jsonl(DATA / part / f"{split}.jsonl")} for split in SPLITS]
    for one, other in itertools.combinations(scenarios, 2):
        assert not one & other


def test_no_turn_that_tunes_or_tests_was_trained_on() -> None:
    train, tune, test = (
        {
            (tuple(row.context), row.text)
            for row in [
                *corpus(DATA / "emotion" / f"{split}.jsonl"),
                *conversations(DATA / "conversations" / f"{split}.jsonl"),
            ]
        }
        for split in SPLITS
    )
    train |= {((), row.text) for row in corpus(DATA / "emotion_core" / "train.jsonl")}
    # "好的" without context may be said by anybody.
    assert not {(context, text) for context, text in train & (tune | test) if context or len(text) > 8}


def test_public_labels_hold_two_readings_and_no_text() -> None:
    for name in ("stc3_zh", "stc3_en", "banking77_en"):
        rows = read_jsonl(DATA / "public_labels" / f"{name}.jsonl")
        assert rows
        for row in rows:
            assert set(row) in ({"id", "turn", "readings"}, {"sha256", "readings"})
            assert [reading["label"] in EMOTIONS for reading in row["readings"]] == [True, True]


@pytest.mark.parametrize("name", ["general", "shops_train", "shops_tune"])
def test_topics_have_answers_and_questions_in_both_languages(name: str) -> None:
    rows = read_jsonl(DATA / "questions" / f"{name}.jsonl")
    assert len({row["topic"] for row in rows}) == len(rows)
    for row in rows:
        assert all(row["answer"][language].strip() for language in ("zh-Hans", "en")), row["topic"]
        assert {language for language, _ in row["questions"]} <= LANGUAGES
        assert all(text.strip() for _, text in row["questions"]) and len(row["questions"]) >= 6, row["topic"]


def test_questions_that_train_are_not_those_that_judge() -> None:
    asked = {row["query"] for row in read_jsonl(DATA / "questions" / "own.jsonl")}
    for name in ("general", "shops_train"):
        asked |= {text for row in read_jsonl(DATA / "questions" / f"{name}.jsonl") for _, text in row["questions"]}
    judged = {row["query"] for row in read_jsonl(ROOT / "knowledge_base" / "golden.jsonl")}
    judged |= {row["query"] for row in read_jsonl(ROOT / "tests" / "data" / "judged" / "tune.jsonl")}
    judged |= {text for row in read_jsonl(DATA / "questions" / "shops_tune.jsonl") for _, text in row["questions"]}
    assert not {text for text in asked & judged if len(text) > 8}
