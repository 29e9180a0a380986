"""Reading emotions with the shipped model: what is read, what is not guessed, and the words that speak for it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_encodings import encoding

from assist.domain import EMOTIONS, Emotion, Language, Speaker
from assist.errors import ModelError
from assist.inference.emotion import TEMPERED_LANGUAGES, EmotionModel, EmotionReader, evidence, softmax
from assist.inference.encoder import Encoder, Memory

MODELS = Path(__file__).parents[2] / "models"
Read = Callable[..., Emotion]


@pytest.fixture(scope="module")
def read() -> Read:
    encoder, reader = Encoder(MODELS), EmotionReader(MODELS)

    def read_text(text: str, language: Language = "zh-Hans", before: Sequence[tuple[Speaker, str]] = ()) -> Emotion:
        said: list[tuple[Speaker, Memory]] = []
        for speaker, earlier in before:
            said.append((speaker, encoder.encode_query(earlier, said).memory))
        return reader.read(text, language, encoder.encode_query(text, said))

    return read_text


@pytest.mark.parametrize(
    ("text", "language", "label"),
    [
        ("这款有黑色的吗", "zh-Hans", "neutral"),
        ("好的", "zh-Hans", "neutral"),
        ("Saturday works", "en", "neutral"),
        ("效率真高谢谢", "zh-Hans", "satisfied"),
        ("that's a relief", "en", "satisfied"),
        ("which one is right?", "en", "confused"),
        ("会不会丢了啊", "zh-Hans", "anxious"),
        ("心凉了半截", "zh-Hans", "disappointed"),
        ("都催了三次了", "zh-Hans", "frustrated"),
        ("已經催三次了，到底要等多久", "zh-Hant", "frustrated"),
        ("I already gave it to you twice", "en", "frustrated"),
        ("骗子！退钱！", "zh-Hans", "angry"),
        ("詐騙！馬上退錢！", "zh-Hant", "angry"),
    ],
)
def test_typical_sentences_of_the_guideline(read: Read, text: str, language: Language, label: str) -> None:
    assert read(text, language).label == label


def test_probabilities_sum_to_one_and_hold_the_label(read: Read) -> None:
    emotion = read("都催了三次了，到底什么时候能好！")
    assert sum(emotion.probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert set(emotion.probabilities) == set(EMOTIONS)
    assert emotion.probability == emotion.probabilities[emotion.label] == max(emotion.probabilities.values())
    assert emotion.polarity == "negative"
    assert 0 < emotion.intensity <= 1


@pytest.mark.parametrize("text", ["", "   ", "。。。", "？？？", "!!!", "\u200b", "——"])
def test_nothing_to_read_is_unknown(read: Read, text: str) -> None:
    emotion = read(text)
    assert (emotion.label, emotion.probability, emotion.probabilities, emotion.evidence) == ("unknown", 0.0, {}, ())


@pytest.mark.parametrize("text", ["SO20261108-44", "A88213", "13", "https://shop.example/p/42", "100%", "2026-11-23"])
def test_order_numbers_and_links_are_neutral(read: Read, text: str) -> None:
    assert read(text).label == "neutral"


def test_another_language_is_never_guessed(read: Read) -> None:
    assert read("¿dónde está mi pedido? ¡es una vergüenza!", "other").label == "unknown"


@pytest.mark.parametrize(
    ("text", "label"),
    [("😡", "angry"), ("🌹🌹", "satisfied"), ("🙄", "frustrated"), ("😭😡😡", "angry"), ("👌", "neutral")],
)
def test_emoji_alone_count(read: Read, text: str, label: str) -> None:
    emotion = read(text)
    assert emotion.label == label
    assert emotion.probability == pytest.approx(0.9, abs=1e-3)
    assert all(span.text in text for span in emotion.evidence)
    assert bool(emotion.evidence) == (label != "neutral")


def test_more_emoji_are_more_intense(read: Read) -> None:
    assert read("😡").intensity < read("😡😡😡").intensity <= 1


def test_neutral_has_no_intensity_and_no_evidence(read: Read) -> None:
    emotion = read("请问什么时候发货")
    assert (emotion.label, emotion.intensity, emotion.evidence) == ("neutral", 0.0, ())


def test_evidence_is_text_with_its_place(read: Read) -> None:
    text = "你们就是骗子！赶紧退钱，不然我打12315"
    emotion = read(text)
    assert emotion.label == "angry"
    assert "legal_threat" in emotion.flags
    assert 1 <= len(emotion.evidence) <= 3
    assert all(text[span.start : span.end] == span.text for span in emotion.evidence)
    assert 0 < sum(span.weight for span in emotion.evidence) <= 1.001


def test_the_turns_before_are_read_along(read: Read) -> None:
    asked_again = [
        ("customer", "订单号是7731"),
        ("agent", "请提供一下订单号"),
        ("customer", "7731"),
        ("agent", "请提供订单号"),
    ]
    assert read("说过了", before=asked_again).label == "frustrated"
    assert read("7731", before=asked_again[:2]).label == "neutral"


def test_question_marks_alone_say_something_only_after_other_turns(read: Read) -> None:
    assert read("？？？").label == "unknown"
    waiting = [("customer", "在吗"), ("agent", "稍等"), ("customer", "半小时了"), ("customer", "人呢")]
    assert read("？？？", before=waiting).polarity == "negative"


def test_bots_and_notices_are_no_context(read: Read) -> None:
    notice = [("bot", "人工客服已接入"), ("system", "会话开始")]
    assert read("好的", before=notice).probabilities == read("好的").probabilities


def test_evidence_prefers_the_words_that_carried_the_label() -> None:
    text = "the box is utterly broken"
    offsets = ((0, 3), (4, 7), (8, 10), (11, 16), (16, 18), (19, 25))
    shares = np.zeros((6, 7), np.float32)
    shares[3:5, 5] = 2.0
    shares[5, 5] = 1.0
    read = encoding(token_logits=shares, offsets=offsets)
    assert [(span.text, span.weight) for span in evidence(text, read, 5)] == [("utterly broken", 1.0)]
    assert evidence(text, read, 0) == ()


def test_softmax_is_stable() -> None:
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0], np.float32)), [0.5, 0.5])


@pytest.mark.parametrize("text", ["", "{}", '{"temperatures": {"en": "warm"}}', '{"temperatures": {"en": 1}}', "[]"])
def test_a_broken_emotion_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "emotion.json"
    path.write_text(text)
    with pytest.raises(ModelError, match="not a valid emotion model"):
        EmotionModel.load(path)


def test_the_version_follows_the_flag_rules(tmp_path: Path) -> None:
    rules = Path(__file__).parents[2] / "assist" / "inference" / "flags.toml"
    edited = tmp_path / "flags.toml"
    edited.write_text(rules.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert EmotionReader(MODELS, edited).version != EmotionReader(MODELS).version


def test_a_temperature_of_nought_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "emotion.json"
    path.write_text(json.dumps({"temperatures": dict.fromkeys(TEMPERED_LANGUAGES, 0)}))
    with pytest.raises(ModelError, match="above 0"):
        EmotionModel.load(path)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60), language=st.sampled_from(["zh-Hans", "zh-Hant", "en", "mixed", "other"]))
def test_any_text_is_read(read: Read, text: str, language: Language) -> None:
    emotion = read(text, language)
    assert 0 <= emotion.probability <= 1
    assert 0 <= emotion.intensity <= 1
    assert all(0 <= span.start < span.end <= len(text) for span in emotion.evidence)
    assert [text[span.start : span.end] for span in emotion.evidence] == [span.text for span in emotion.evidence]
