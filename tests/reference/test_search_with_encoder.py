"""Search with the encoder as shipped, on the small sample: meaning is found without shared words."""

from datetime import date
from pathlib import Path

import pytest

from assist.inference.encoder import Encoder
from assist.knowledge.index import IndexStore, build
from assist.knowledge.judgements import Judgement
from assist.knowledge.ranking import Relevance
from assist.knowledge.search import MEANING

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(ROOT / "models")


@pytest.fixture(scope="module")
def knowledge(encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    manifest = build(ROOT / "tests/data/knowledge", folder, encoder)
    return IndexStore(folder, Relevance.load(ROOT / "models/relevance.json")).open(manifest.id)


@pytest.mark.parametrize(
    ("text", "language", "article"),
    [
        ("钱啥时候能回到我卡里", "zh-Hans", "refund-time"),
        ("我反悔了，不买了", "zh-Hans", "cancel-order"),
        ("行動電源脹起來了好可怕", "zh-Hant", "swelling-battery"),
        ("the courier still hasn't brought my box", "en", "late-parcel"),
        ("has my charger become dangerous, it looks puffy", "en", "swelling-battery"),
        ("我的refund什么时候到 my card", "mixed", "refund-time"),
    ],
)
def test_the_fitting_article_comes_first(knowledge, encoder, text, language, article):
    vector = encoder.encode_query(text).vector
    hits = knowledge.search(text, vector, language=language, kinds=("article",), on=date(2026, 11, 23))
    assert hits[0].id == article


@pytest.mark.parametrize(("text", "language"), [("我的包裹晚了好几天", "zh-Hans"), ("包裹晚了好幾天", "zh-Hant")])
def test_an_article_in_english_only_is_found_in_chinese_by_meaning(knowledge, encoder, text, language):
    vector = encoder.encode_query(text).vector
    hits = knowledge.search(text, vector, language=language, kinds=("article",), on=date(2026, 11, 23), limit=3)
    late = next(hit for hit in hits if hit.id == "late-parcel")
    assert late.language == "en" and late.bm25_score == 0 and late.why in (MEANING, "包裹")


@pytest.mark.parametrize(
    ("before", "text", "language", "article"),
    [
        ("充电宝鼓起来了", "那我现在该怎么办", "zh-Hans", "swelling-battery"),
        ("I ordered the wrong size, can I cancel", "ok how do I do that", "en", "cancel-order"),
        ("充电宝鼓起来了", "算了，先说退款多久到账", "zh-Hans", "refund-time"),
    ],
)
def test_a_follow_up_is_found_by_what_was_said_before_and_a_new_subject_by_itself(
    knowledge, encoder, before, text, language, article
):
    vector = Judgement(text, language, (("customer", before),), None).vector(encoder)
    hits = knowledge.search(text, vector, language=language, kinds=("article",), on=date(2026, 11, 23))
    assert hits[0].id == article
