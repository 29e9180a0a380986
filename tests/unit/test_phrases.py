"""The choice of calming phrases: feeling, weight, stage, situation and what was said already."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hashing_encoder import HashingEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from made_choice import made_choice

from assist.domain import Customer, Emotion, Hit, Phrase, Suggestion, Utterance, polarity_of
from assist.errors import ModelError
from assist.inference.manifest import Manifest
from assist.knowledge.index import IndexStore, build
from assist.knowledge.search import Knowledge
from assist.suggest.compose import suggestions
from assist.suggest.moment import Moment
from assist.suggest.phrase_choice import STAGES, PhraseChoice
from assist.suggest.phrases import calming
from assist.suggest.stages import apology_in, opener_of

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LABELS = ("angry", "frustrated", "disappointed", "anxious")


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    folder = tmp_path_factory.mktemp("phrases")
    return IndexStore(folder).open(build(ROOT / "knowledge_base", folder, HashingEncoder()).id)


def feeling(label: str = "frustrated", intensity: float = 0.6, flags: tuple = ()) -> Emotion:
    return Emotion(label, 0.9, {label: 0.9, "neutral": 0.1}, intensity, polarity_of(label), flags)


def moment(knowledge: Knowledge, **fields: object) -> Moment:
    said = Utterance("utt_1", 1, "customer", "where is my parcel", "en", NOW)
    vector = HashingEncoder().encode_query(said.text).vector
    given = {
        "utterance": said,
        "emotion": feeling(),
        "language": "en",
        "channel": "chat",
        "customer": Customer("c"),
        "knowledge": knowledge,
        "now": NOW,
        "vector": vector,
        "recent_text": said.text,
        "recent_vector": vector,
        "hits": (),
        "situation": None,
        "situations": {},
        "is_small_talk": False,
        "is_choosing": False,
        "was_ever_negative": True,
        "calm_since_resolution": None,
        "has_agent_answered": False,
        "trend": "steady",
        "risk": 0.1,
        "risk_before": 0.1,
        "negative_streak": 1,
        "stages_said": frozenset(),
        "heard": (),
        "question_count": 0,
        "shown": frozenset(),
        "facts": (),
        "talked_about": (),
        "slots": {},
        "holds": frozenset(),
    }
    return Moment(**(given | fields))  # type: ignore[arg-type]


def phrase_of(knowledge: Knowledge, suggestion: Suggestion) -> Phrase:
    return next(phrase for phrase in knowledge.phrases if phrase.id == suggestion.source.id)


def test_a_likely_situation_is_named_and_an_unlikely_one_is_not(knowledge: Knowledge) -> None:
    sure = calming(moment(knowledge, situations={"delivery_delay": 0.95, "refund_time": 0.02}))
    assert "delivery_delay" in phrase_of(knowledge, sure[0]).situations
    unsure = calming(moment(knowledge, situations={"delivery_delay": 0.3, "refund_time": 0.25}))
    assert "any" in phrase_of(knowledge, unsure[0]).situations


def test_what_the_agent_has_said_moves_the_stage_on(knowledge: Knowledge) -> None:
    first = phrase_of(knowledge, calming(moment(knowledge))[0])
    after = phrase_of(knowledge, calming(moment(knowledge, stages_said=frozenset({"acknowledge"})))[0])
    assert (first.stage, after.stage) == ("acknowledge", "own")


def test_all_stages_said_leave_something_to_say(knowledge: Knowledge) -> None:
    assert calming(moment(knowledge, stages_said=frozenset({"acknowledge", "own", "next_step", "empathise"})))


@pytest.mark.parametrize("heard", ["I'm sorry about this.", "I understand that.", "Thank you for telling us."])
def test_no_phrase_opens_as_the_last_words_did(knowledge: Knowledge, heard: str) -> None:
    found = calming(moment(knowledge, heard=(heard,)))
    assert found
    assert opener_of(heard) not in {opener_of(phrase_of(knowledge, s).text) for s in found}


def test_a_mild_feeling_is_not_met_with_a_heavy_apology(knowledge: Knowledge) -> None:
    everywhere = {"delivery_delay": 0.5}
    mild = calming(moment(knowledge, emotion=feeling(intensity=0.2), situations=everywhere))
    strong = calming(moment(knowledge, emotion=feeling(intensity=0.9), situations=everywhere))
    weights = [np.mean([apology_in(s.text) for s in found]) for found in (mild, strong)]
    assert weights[0] < weights[1]
    assert apology_in(mild[0].text) < 2


def learned(knowledge: Knowledge, seed: int | None = None, **weights: object) -> PhraseChoice:
    return made_choice(knowledge.phrase_vectors.shape[1], seed, **weights)


def test_a_choice_that_has_learned_only_to_trust_the_rules_orders_as_they_do(knowledge: Knowledge) -> None:
    ours = calming(moment(knowledge, choice=learned(knowledge, rules=1.0, bias=-3.0)))
    assert [s.source.id for s in ours] == [s.source.id for s in calming(moment(knowledge))]
    assert all(0 < s.relevance < 1 for s in ours)


def test_what_was_learned_of_moment_and_phrase_together_chooses(knowledge: Knowledge) -> None:
    blank = learned(knowledge)
    stage = STAGES.index("next_step")
    in_question = len(blank.moments) - knowledge.phrase_vectors.shape[1] - 4
    moments, phrases = blank.moments.copy(), blank.phrases.copy()
    moments[in_question, 0], phrases[stage, 0] = 1, 2  # a question wants a next step
    choice = learned(knowledge, moments=moments, phrases=phrases)
    asked = Utterance("utt_1", 1, "customer", "where is my parcel?", "en", NOW)
    assert phrase_of(knowledge, calming(moment(knowledge, choice=choice, utterance=asked))[0]).stage == "next_step"
    assert {s.relevance for s in calming(moment(knowledge, choice=choice))} == {0.5}


def test_a_choice_is_the_same_after_saving(knowledge: Knowledge, tmp_path: Path) -> None:
    choice = learned(knowledge, seed=1, rules=0.5, bias=0.25)
    choice.save(tmp_path / "phrases.npz")
    found = calming(moment(knowledge, choice=PhraseChoice.load(tmp_path / "phrases.npz")))
    assert [(s.source.id, s.relevance) for s in found] == [
        (s.source.id, s.relevance) for s in calming(moment(knowledge, choice=choice))
    ]


@pytest.mark.parametrize("broken", ["phrases", "worth", "moment_bias", "missing", "bytes"])
def test_a_damaged_choice_is_refused(knowledge: Knowledge, tmp_path: Path, broken: str) -> None:
    path = tmp_path / "phrases.npz"
    if broken == "bytes":
        path.write_bytes(b"PK nothing")
    elif broken != "missing":
        learned(knowledge, **{broken: getattr(learned(knowledge), broken)[:-1]}).save(path)
    with pytest.raises(ModelError, match=r"phrases\.npz"):
        PhraseChoice.load(path)


def test_the_shipped_choice_is_for_the_shipped_encoder_and_no_other() -> None:
    version = Manifest.load(ROOT / "models").encoder_version
    choice = PhraseChoice.shipped(ROOT / "models", version)
    assert choice is not None
    assert choice.encoder == version
    with pytest.raises(ModelError, match="scripts/train_phrases"):
        PhraseChoice.shipped(ROOT / "models", "another")


def test_without_a_file_the_rules_choose(tmp_path: Path) -> None:
    parts = (ROOT / "models" / "manifest.toml").read_text("utf-8").split("\n[files.")
    kept = [part for part in parts if not part.startswith('"phrases.npz"]')]
    assert len(kept) == len(parts) - 1
    (tmp_path / "manifest.toml").write_text("\n[files.".join(kept), "utf-8")
    assert PhraseChoice.shipped(tmp_path, "any") is None


def test_a_threat_is_met_like_anger(knowledge: Knowledge) -> None:
    found = calming(moment(knowledge, emotion=replace(feeling("anxious"), flags=("legal_threat",))))
    assert all("angry" in phrase_of(knowledge, s).emotions for s in found)


@settings(max_examples=150, deadline=None)
@given(
    label=st.sampled_from(LABELS),
    intensity=st.floats(0, 1),
    language=st.sampled_from(("zh-Hans", "zh-Hant", "en")),
    channel=st.sampled_from(("chat", "voice", "email", "social", "store")),
    situation=st.sampled_from(("delivery_delay", "refund_missing", "quality_fault", "wants_supervisor", "nothing")),
    slots=st.sets(st.sampled_from(("name", "order_id", "product", "date", "amount"))),
    holds=st.sets(st.sampled_from(("order", "product", "in_hours"))),
    said=st.sets(st.sampled_from(("acknowledge", "empathise", "own", "next_step"))),
)
def test_any_moment_gets_whole_fitting_phrases_and_none_twice(
    knowledge: Knowledge, label, intensity, language, channel, situation, slots, holds, said
) -> None:
    shown: set[tuple[str, str]] = set()
    heard: tuple[str, ...] = ()
    for _ in range(6):
        found = calming(
            moment(
                knowledge,
                emotion=feeling(label, intensity),
                language=language,
                channel=channel,
                situations={situation: 0.7},
                slots=dict.fromkeys(slots, "X1"),
                holds=frozenset(holds),
                stages_said=frozenset(said),
                heard=heard,
                shown=frozenset(shown),
            )
        )
        assert found, "something always fits"
        phrase = phrase_of(knowledge, found[0])
        assert phrase.language == language
        assert label in phrase.emotions
        assert {"all", channel} & set(phrase.channels)
        assert {"any", situation} & set(phrase.situations)
        assert set(phrase.slots) <= slots
        assert set(phrase.needs) <= holds
        assert "{" not in found[0].text
        assert ("phrase", phrase.id) not in shown
        assert not heard or opener_of(heard[-1]) != opener_of(phrase.text)
        assert 0 <= found[0].relevance <= 1
        shown.add(("phrase", phrase.id))
        heard = (found[0].text,)


def hit(reply: str, language: str = "en") -> Hit:
    article = ("article", "refund-time", language, "Refund time", reply, reply, (), "refund_time", "1")
    return Hit(*article, 0, 1, "customer", 0.9, 1.0, 0.9, "refund")


def test_an_answer_is_opened_by_the_calming_phrase_shown_with_it(knowledge: Knowledge) -> None:
    found = suggestions(moment(knowledge, hits=(hit("Refunds take 3–5 working days."),)))
    by_kind = {suggestion.kind: suggestion for suggestion in found}
    assert by_kind["answer"].opening == by_kind["calming"].text
    assert by_kind["answer"].text == "Refunds take 3–5 working days.", "the fact stands alone for whoever sends it so"
    assert by_kind["calming"].opening is None


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("Sorry for the wait. Refunds take 3–5 working days.", "en"),
        ("I can see why you're worried. Refunds take 3–5 working days.", "en"),
        ("退款 3–5 个工作日到账。", "zh-Hans"),
    ],
)
def test_no_feeling_twice_and_no_mixed_languages_in_one_reply(knowledge: Knowledge, reply: str, language: str) -> None:
    found = suggestions(moment(knowledge, hits=(hit(reply, language),)))
    kinds = {suggestion.kind: suggestion for suggestion in found}
    assert kinds["calming"].text
    assert kinds["answer"].opening is None


def test_a_phrase_with_figures_does_not_open_an_answer(knowledge: Knowledge) -> None:
    plain = {("phrase", p.id) for p in knowledge.phrases if p.kind == "calming" and not re.search(r"\d", p.text)}
    found = suggestions(moment(knowledge, hits=(hit("Refunds take 3–5 working days."),), shown=frozenset(plain)))
    kinds = {suggestion.kind: suggestion for suggestion in found}
    assert re.search(r"\d", kinds["calming"].text)
    assert kinds["answer"].opening is None


def test_a_calm_customer_gets_the_answer_without_an_opening(knowledge: Knowledge) -> None:
    calm = Emotion("neutral", 0.9, {"neutral": 0.9, "angry": 0.1}, 0.0, "neutral")
    found = suggestions(moment(knowledge, emotion=calm, hits=(hit("Refunds take 3–5 working days."),)))
    assert [suggestion.opening for suggestion in found if suggestion.kind == "answer"] == [None]
