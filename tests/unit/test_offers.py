"""Offers: what is proposed, why, in which order, and what never is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hashing_encoder import HashingEncoder

from assist.domain import ArticleLanguage, Customer, Emotion, Item, Order, Suggestion, Utterance
from assist.knowledge.copurchase import Neighbour
from assist.knowledge.index import IndexStore, build
from assist.knowledge.search import Knowledge
from assist.suggest import policy
from assist.suggest.compose import suggestions
from assist.suggest.moment import Moment
from assist.suggest.offers import offers, replacements
from assist.suggest.weights import Weights

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
FRYER, LINERS, MAT = "CW-KIT-0001", "CW-KIT-0005", "CW-KIT-0006"
ON_EAR, ON_EAR_2, STUDIO = "CW-AUD-0004", "CW-AUD-0015", "CW-AUD-0003"
BEANS, RECALLED, LATEX_PILLOW, FOAM_PILLOW = "CW-KIT-0015", "CW-WEA-0007", "CW-TEX-0006", "CW-TEX-0007"


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    folder = tmp_path_factory.mktemp("offers")
    manifest = build(ROOT / "knowledge_base", folder, HashingEncoder())
    return IndexStore(folder).open(manifest.id)


@pytest.fixture
def moment(knowledge: Knowledge) -> Callable[..., Moment]:
    """A moment by label: content after an answer, or choosing calmly; fields can be given."""

    def make(label: str, text: str = "好的，谢谢", language: ArticleLanguage = "zh-Hans", **given: object) -> Moment:
        vector = HashingEncoder().encode_query(text).vector
        fields: dict[str, object] = {
            "utterance": Utterance("utt_1", 1, "customer", text, language, NOW),
            "emotion": Emotion(label, 0.9, {}, 0.2, "neutral"),  # type: ignore[arg-type]
            "language": language,
            "channel": "chat",
            "customer": Customer("cust_1"),
            "knowledge": knowledge,
            "now": NOW,
            "vector": vector,
            "recent_text": text,
            "recent_vector": vector,
            "hits": (),
            "situation": "product_choice" if label == "neutral" else None,
            "is_small_talk": False,
            "is_choosing": label == "neutral",
            "was_ever_negative": False,
            "calm_since_resolution": None,
            "has_agent_answered": True,
            "trend": "steady",
            "risk": 0.0,
            "risk_before": 0.0,
            "negative_streak": 0,
            "stages_said": frozenset(),
            "heard": (),
            "situations": {},
            "question_count": 0,
            "shown": frozenset(),
            "facts": (),
            "talked_about": (),
            "slots": {},
            "holds": frozenset(),
        }
        about = tuple(knowledge.products[sku] for sku in given.pop("about", ()))  # type: ignore[attr-defined]
        return Moment(**(fields | {"talked_about": about} | given))  # type: ignore[arg-type]

    return make


def order(knowledge: Knowledge, sku: str, days_ago: int, status: str = "delivered") -> Order:
    product = knowledge.products[sku]
    return Order(f"CW-{days_ago}", sku, product.titles["en"], product.price, status, NOW - timedelta(days=days_ago))


def by_sku(found: list[Suggestion]) -> dict[str, Suggestion]:
    return {suggestion.source.id: suggestion for suggestion in found}


def test_what_completes_a_purchase_says_which_and_when(moment: Callable[..., Moment], knowledge: Knowledge) -> None:
    customer = Customer("c", orders=(order(knowledge, FRYER, 10),))
    found = by_sku(offers(moment("satisfied", customer=customer, about=[FRYER])))
    assert found[MAT].reason == "与客户2026-11-13 购买的Aqua 空气炸锅 2.5L搭配使用"


def test_what_was_given_back_needs_no_complement(moment: Callable[..., Moment], knowledge: Knowledge) -> None:
    customer = Customer("c", orders=(order(knowledge, FRYER, 10, "refund_pending"),))
    assert not offers(moment("satisfied", customer=customer, about=[FRYER]))


def test_what_completes_the_cart(moment: Callable[..., Moment]) -> None:
    customer = Customer("c", cart=(Item(FRYER, "Aqua Air Fryer", 199),))
    found = by_sku(offers(moment("satisfied", "Thanks!", "en", customer=customer)))
    assert found[LINERS].reason == "goes with the Aqua Air Fryer 2.5 L in their cart"
    assert FRYER not in found


def test_out_of_stock_brings_the_nearest_and_the_better_one_with_what_is_better(
    moment: Callable[..., Moment],
) -> None:
    viewed = (Item(ON_EAR, "Aria Lite", 299), Item(STUDIO, "Aria Studio", 899))
    now = moment("neutral", "is it in stock", "en", customer=Customer("c", viewed=viewed), about=[ON_EAR])
    nearest, better = offers(now)[:2]
    assert (nearest.source.id, better.source.id) == (ON_EAR_2, STUDIO)
    assert "with active noise cancelling and longer battery life (50 h instead of 35)" in better.text
    assert "out of stock" in nearest.reason
    chinese = replace(now, language="zh-Hans")
    assert "带主动降噪，续航更长（50 小时，原款 35 小时）" in offers(chinese)[1].text


def test_newcomers_get_what_they_ask_for_and_nothing_dearer(
    moment: Callable[..., Moment], monkeypatch: pytest.MonkeyPatch
) -> None:
    viewed = (Item(ON_EAR, "Aria Lite", 299), Item(STUDIO, "Aria Studio", 899))
    customer = Customer("c", viewed=viewed, cart=(Item(FRYER, "Aqua Air Fryer", 199),))
    monkeypatch.setattr(policy, "may_upsell", lambda _: False)
    assert ON_EAR_2 in by_sku(offers(moment("neutral", customer=customer, about=[ON_EAR])))
    assert STUDIO not in by_sku(offers(moment("neutral", customer=customer, about=[ON_EAR])))
    assert LINERS not in by_sku(offers(moment("satisfied", customer=customer)))


@pytest.mark.parametrize(
    ("days_ago", "why"),
    [
        ((62, 34), "bought on 2026-10-20, as about every 28 days: about used up"),
        ((28,), "bought on 2026-10-26, usually lasts about 30 days: about used up"),
        ((10,), None),
        ((200,), None),
        ((62, 34, 3), None),
    ],
)
def test_a_consumable_is_due_by_habit_or_else_by_what_it_lasts(
    moment: Callable[..., Moment], knowledge: Knowledge, days_ago: tuple[int, ...], why: str | None
) -> None:
    customer = Customer("c", orders=tuple(order(knowledge, BEANS, days) for days in days_ago))
    found = by_sku(offers(moment("satisfied", "Thanks!", "en", customer=customer)))
    assert (found[BEANS].reason if BEANS in found else None) == why


def test_nothing_unasked_while_they_choose(moment: Callable[..., Moment], knowledge: Knowledge) -> None:
    customer = Customer("c", orders=(order(knowledge, BEANS, 28),))
    choosing = moment("satisfied", "哈哈你挺实在", customer=customer, is_choosing=True)
    decided = moment("satisfied", "好，下单了", customer=customer, is_choosing=True)
    assert BEANS not in by_sku(offers(choosing))
    assert BEANS in by_sku(offers(decided))


def test_bought_together_says_in_how_many_orders(
    moment: Callable[..., Moment], knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = {FRYER: (Neighbour("CW-KIT-0007", 0.3, 14), Neighbour("CW-KIT-0008", -0.2, 1))}
    monkeypatch.setattr(knowledge, "together", near)
    customer = Customer("c", cart=(Item(FRYER, "Aqua Air Fryer", 199),))
    found = by_sku(offers(moment("satisfied", "謝謝", "zh-Hant", customer=customer)))
    assert found["CW-KIT-0007"].reason == "常與顧客購物車裡的Aqua 氣炸鍋 2.5L一起購買（14 筆訂單）"
    assert "CW-KIT-0008" not in found


def test_acceptance_and_margin_move_the_order(
    moment: Callable[..., Moment], knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = Customer("c", cart=(Item(FRYER, "Aqua Air Fryer", 199),))

    def order_of(**factors: float) -> list[str]:
        now = moment("satisfied", customer=customer, weights=Weights("w1", sources={"product": factors}))
        return [suggestion.source.id for suggestion in offers(now) if suggestion.source.id in (LINERS, MAT)]

    assert order_of() == [LINERS, MAT]
    assert order_of(**{LINERS: 0.5}) == [MAT, LINERS]
    richer = replace(knowledge.products[MAT], margin=0.6)
    monkeypatch.setattr(knowledge, "products", {**knowledge.products, MAT: richer})
    assert order_of() == [MAT, LINERS]


@pytest.mark.parametrize("allergies", ["latex", ["乳膠"], "nuts, Latex", "乳胶、花生"])
def test_what_harms_the_customer_is_never_named(moment: Callable[..., Moment], allergies: object) -> None:
    viewed = (Item(FOAM_PILLOW, "Loft Memory Foam Pillow", 169),)
    healthy, allergic = (Customer("c", viewed=viewed, attributes=a) for a in ({}, {"allergies": allergies}))
    hurt = {"about": [FOAM_PILLOW], "situation": "quality_fault"}
    assert LATEX_PILLOW in by_sku(offers(moment("neutral", customer=healthy, about=[FOAM_PILLOW])))
    assert LATEX_PILLOW not in by_sku(offers(moment("neutral", customer=allergic, about=[FOAM_PILLOW])))
    assert LATEX_PILLOW not in by_sku(replacements(moment("frustrated", customer=allergic, **hurt)))


def test_an_allergen_is_a_word_and_not_a_part_of_another(moment: Callable[..., Moment]) -> None:
    allergic = Customer("c", cart=(Item(FRYER, "Aqua Air Fryer", 199),), attributes={"allergies": "nuts"})
    timed = replace(moment("satisfied").knowledge.products[MAT], attributes={"timer": "30 minutes"})
    nutty = replace(timed, attributes={"notes": "walnut"})
    now = moment("satisfied", customer=allergic)
    for product, is_named in ((timed, True), (nutty, False)):
        products = {**now.knowledge.products, MAT: product}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(now.knowledge, "products", products)
            assert (MAT in by_sku(offers(now))) is is_named


def test_who_names_a_kind_of_product_finds_that_kind(knowledge: Knowledge) -> None:
    for text, language in (("which kettle would suit two people", "en"), ("有適合兩個人的快煮壺嗎", "zh-Hant")):
        vector = HashingEncoder().encode_query(text).vector
        best = knowledge.product_search(text, vector, language=language, limit=2)  # type: ignore[arg-type]
        assert all("Kettle" in product.titles["en"] for product, _ in best), text


def test_a_budget_binds_and_what_they_look_at_themselves_is_not_too_dear(moment: Callable[..., Moment]) -> None:
    viewed = (Item(ON_EAR, "Aria Lite", 299), Item(STUDIO, "Aria Studio", 899))
    orders = tuple(Order(f"o{n}", f"x{n}", "socks", 20, "delivered") for n in range(5))
    customer = Customer("c", orders=orders, viewed=viewed)
    assert STUDIO in by_sku(offers(moment("neutral", customer=customer, about=[ON_EAR])))
    assert STUDIO not in by_sku(offers(moment("neutral", "五百以内", customer=customer, about=[ON_EAR])))


def test_recalled_goods_and_repeats_are_never_proposed(
    moment: Callable[..., Moment], knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked = {**knowledge.products, RECALLED: replace(knowledge.products[RECALLED], stock=9)}
    monkeypatch.setattr(knowledge, "products", {**stocked, FRYER: replace(stocked[FRYER], complements=(RECALLED, MAT))})
    now = moment("satisfied", customer=Customer("c", cart=(Item(FRYER, "Aqua Air Fryer", 199),)))
    assert list(by_sku(offers(now))) == [MAT]
    assert not offers(replace(now, shown=frozenset({("product", MAT)})))


def test_a_question_comes_before_an_offer_and_a_second_one_only_where_nothing_fits(
    moment: Callable[..., Moment], knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "product_search", lambda *_, **__: [])

    def kinds(**given: object) -> list[str]:
        return [s.kind for s in suggestions(moment("neutral", "随便看看", **given)) if s.kind in ("question", "offer")]

    viewed = Customer("c", viewed=(Item(ON_EAR, "Aria Lite", 299),))
    assert kinds() == ["question"]
    assert kinds(question_count=1, customer=viewed, about=[ON_EAR])[:1] == ["offer"]
    assert kinds(question_count=1) == ["question"]
    assert kinds(question_count=2) == []
