"""The policy, held against twenty thousand conversations that nobody wrote, by a second reading of the design's table.

Real assistant, session, history, phrases, products and rules over the demo knowledge base. What a conversation feels,
is about and finds is drawn at random, so that every state is met; what may be shown there is worked out here anew,
from the page of the design, and never by asking `policy`.
"""

import dataclasses
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hashing_encoder import HashingEncoder
from made_choice import made_choice
from made_encodings import encoding

from assist.conversation import customer as history
from assist.conversation.assistant import Assistant
from assist.conversation.session import Session
from assist.domain import (
    EMOTIONS,
    FLAGS,
    AssistResult,
    Conversation,
    Customer,
    Emotion,
    Hit,
    Item,
    Language,
    Order,
    Product,
    Suggestion,
    Utterance,
    polarity_of,
)
from assist.knowledge.copurchase import Neighbour
from assist.knowledge.index import IndexStore, build
from assist.knowledge.search import Knowledge
from assist.suggest import phrases, policy

ROOT = Path(__file__).resolve().parent.parent.parent
CONVERSATIONS = 20_000
NOON, NIGHT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC), datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
"""12:00 and 02:00 where the retailer's day runs; calls back are promised from 09:00 to 21:00."""
SMALL_TALK = ("好的", "ok", "嗯嗯", "你好")
SAYINGS: tuple[tuple[str, Language], ...] = (
    ("退款怎么还没到账", "zh-Hans"),
    ("想买个{product}", "zh-Hans"),
    ("{product}还有货吗，预算五百以内", "zh-Hans"),
    ("{product}收到就是坏的", "zh-Hans"),
    ("订单{order}到哪了", "zh-Hans"),
    ("謝謝您，處理得很快", "zh-Hant"),
    ("{product}有推薦嗎", "zh-Hant"),
    ("訂單{order}什麼時候到", "zh-Hant"),
    ("Is the {product} in stock? Under 300 please", "en"),
    ("The {product} came broken", "en"),
    ("Thanks, that was quick", "en"),
    ("Where is my order {order}?", "en"),
    ("就买这款了，谢谢", "zh-Hans"),
    ("我的 order {order} 到底 where is it", "mixed"),
    *((text, "zh-Hans") for text in SMALL_TALK),
)
AGENT_SAYINGS = (
    ("我查一下", False),
    ("已经为您办理退款了", True),
    ("Let me look.", False),
    ("I've issued the refund.", True),
)
"""What agents say, and whether it tells that something was done."""
PRESALES = {"product_choice", "product_compare", "gift", "preorder_stock"}
DANGER = {"safety_incident", "skincare_reaction", "recall"}
HURT = {"anxious", "disappointed", "frustrated", "angry"}
HOSTILE_FLAGS = {"abusive", "churn_threat", "legal_threat", "media_threat"}
ASKS_FOR_ADVICE = "推薦嗎"
FIGURE = re.compile(r"\d+(?:[.,:\-–]\d+)*")
ORDER_NUMBER = re.compile(r"CW\d{8}-\d+")
AMOUNT = re.compile(r"¥\d+(?:\.\d+)?")


class Made:
    """The demo index, except that what is found for an utterance is drawn at random from what is in it."""

    def __init__(self, knowledge: Knowledge, hits: list[Hit]) -> None:
        self._knowledge = knowledge
        self._hits = hits
        self._situations = [None, *(situation.id for situation in knowledge.situations)]
        self.random = Random(0)
        self.phrase_of = {phrase.id: phrase for phrase in knowledge.phrases}
        self.told = {product.sku: _told(product) for product in knowledge.products.values()}
        self.together = {
            product.sku: tuple(Neighbour(other.sku, 0.3, 9) for other in (after, product))
            for product, after in itertools.pairwise(knowledge.products.values())
        }

    def __getattr__(self, name: str) -> Any:
        return getattr(self._knowledge, name)

    def search(self, *_: object, language: str, kinds: tuple[str, ...], **__: object) -> list[Hit]:
        found = self.random.sample(self._hits, self.random.randrange(5))
        return [
            dataclasses.replace(hit, relevance=self.random.random(), language=language)  # type: ignore[arg-type]
            for hit in found
            if hit.kind in kinds
        ]

    def situation(self, *_: object) -> tuple[str | None, float]:
        if self.random.random() < 0.4:
            return self.random.choice(sorted(PRESALES)), 1.0
        return self.random.choice(self._situations), 1.0

    def product_search(self, *_: object, limit: int, **__: object) -> list[tuple[Product, float]]:
        found = self.random.sample(self._knowledge._product_list, min(limit, 6))
        return [(product, self.random.random()) for product in found]


class Feelings:
    """Feels what was drawn for the next utterance."""

    version = "drawn"
    next: Emotion

    def read(self, *_: object) -> Emotion:
        return self.next


@dataclass(frozen=True)
class Turn:
    """One utterance as it was drawn, and what came of it; `accepted` is what the agent then sent."""

    speaker: str
    text: str
    emotion: Emotion | None
    says_done: bool
    result: AssistResult
    accepted: Suggestion | None


@dataclass(frozen=True)
class Talk:
    """One generated conversation."""

    customer: Customer
    now: datetime
    turns: tuple[Turn, ...]


class Stage:
    """Plays generated conversations, each from its number alone."""

    def __init__(self, knowledge: Knowledge) -> None:
        some = [self._hit(knowledge, number) for number in range(0, len(knowledge.articles), 7)]
        self.knowledge = Made(knowledge, some)
        self._feelings = Feelings()
        self._ids = itertools.count()
        self._now = NOON
        self._products = list(knowledge.products.values())
        # What is out of stock or used up has rules of its own.
        self._pools = (
            self._products,
            [product for product in self._products if product.stock == 0],
            [product for product in self._products if product.consumable and product.lasts_days],
        )
        random = np.random.default_rng(0)
        vectors = random.normal(size=(50, 64)).astype(np.float32)
        self._encodings = [encoding(vector / np.linalg.norm(vector)) for vector in vectors]
        self._assistant = Assistant(
            emotions=self._feelings,  # type: ignore[arg-type]
            knowledge=lambda: self.knowledge,  # type: ignore[arg-type, return-value]
            clock=lambda: self._now,
            new_id=lambda prefix: f"{prefix}_{next(self._ids)}",
            choice=made_choice(knowledge.phrase_vectors.shape[1], seed=0),
        )

    def play(self, number: int) -> Talk:
        random = self.knowledge.random = Random(number)
        self._now = random.choice((NOON, NIGHT))
        customer = self._customer(random)
        session = self._assistant.start(Conversation("conv_1", "chat", self._now, customer))
        # Half of the conversations are mostly calm: in the others hardly any gets as far as an offer.
        is_calm = random.random() < 0.5
        turns = tuple(self._turn(random, session, customer, place, is_calm) for place in range(random.randint(2, 6)))
        return Talk(customer, self._now, turns)

    def _turn(self, random: Random, session: Session, customer: Customer, place: int, is_calm: bool) -> Turn:
        at = self._now + timedelta(seconds=place)
        if place and random.random() < 0.3:
            text, says_done = random.choice(AGENT_SAYINGS)
            utterance = Utterance(f"utt_{place}", place, "agent", text, "zh-Hans", at)
            return Turn("agent", text, None, says_done, self._assistant.assist(session, utterance, None), None)
        text, language = random.choice(SAYINGS)
        known = [*customer.viewed, *customer.cart, *customer.orders]
        product = random.choice(known).title if known else random.choice(self._products).titles["en"]
        order = random.choice(customer.orders).id if customer.orders else "CW20260101-1"
        text = text.format(product=product, order=order)
        self._feelings.next = emotion = self._emotion(random, is_calm)
        utterance = Utterance(f"utt_{place}", place, "customer", text, language, at)
        result = self._assistant.assist(session, utterance, random.choice(self._encodings))
        accepted = random.choice(result.suggestions) if result.suggestions and random.random() < 0.3 else None
        if accepted is not None:
            self._assistant.set_outcome(session, accepted.id, "accepted")
        return Turn("customer", text, emotion, False, result, accepted)

    @staticmethod
    def _emotion(random: Random, is_calm: bool) -> Emotion:
        label = (
            random.choice(("neutral", "satisfied")) if is_calm and random.random() < 0.85 else random.choice(EMOTIONS)
        )
        sure = random.uniform(0.3, 1.0)
        rest = (1 - sure) / (len(EMOTIONS) - 1)
        flags = () if random.random() < (0.95 if is_calm else 0.6) else (random.choice(FLAGS),)
        probabilities = {name: sure if name == label else rest for name in EMOTIONS}
        return Emotion(label, sure, probabilities, random.random(), polarity_of(label), flags)

    def _customer(self, random: Random) -> Customer:
        language = random.choice(("zh-Hans", "zh-Hant", "en"))

        def some(most: int) -> list[Product]:
            return [random.choice(random.choice(self._pools)) for _ in range(random.randrange(most))]

        orders = tuple(
            Order(
                f"CW202609{number:02}-{random.randint(1000, 9999)}",
                product.sku,
                product.titles[language],
                product.price,
                random.choice(("delivered", "delivered", "shipped", "returned", "refund_pending", "cancelled")),
                self._now - timedelta(days=random.randint(1, 120)),
            )
            for number, product in enumerate(some(4) * random.choice((1, 1, 2)), 10)
        )
        items = [
            tuple(Item(product.sku, product.titles[language], product.price) for product in some(3)) for _ in range(2)
        ]
        attributes = random.choice(
            ({}, {}, {"allergies": "latex, nuts"}, {"allergies": ["香精"], "birthday": "1990-11-02"})
        )
        name = random.choice((None, "林晓雯", "Emily Carter"))
        return Customer("cust_1", name, random.choice((None, "gold", "platinum")), orders, *items, (), attributes)

    @staticmethod
    def _hit(knowledge: Knowledge, number: int) -> Hit:
        article = knowledge.articles[number]
        return Hit(
            kind="article",
            id=article.id,
            language=article.language,
            title=article.title,
            excerpt="",
            reply=article.body.partition("\n")[0],
            steps=("1",),
            situation=article.situation,
            version=article.version,
            start=0,
            end=0,
            audience="customer",
            cosine=0.5,
            bm25_score=1.0,
            relevance=0.5,
            why="",
        )


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("conversations")
    manifest = build(ROOT / "knowledge_base", folder, HashingEncoder())
    return Stage(IndexStore(folder).open(manifest.id))


def violations(talk: Talk, knowledge: Made) -> Iterator[str]:
    """What the conversation breaks, each in a word or two."""
    shown: set[tuple[str, str]] = set()
    state = State()
    for turn in talk.turns:
        is_forbidden = state.hear(turn)
        for suggestion in turn.result.suggestions:
            source = (suggestion.source.type, suggestion.source.id)
            if source in shown:
                yield "repeated"
            shown.add(source)
            if "{" in suggestion.text or "}" in suggestion.text:
                yield "unfilled slot"
            if suggestion.kind == "offer":
                if is_forbidden:
                    yield "offer at a forbidden state"
                yield from against_customer(talk.customer, knowledge.products[suggestion.source.id])
            yield from without_data(talk, suggestion, knowledge)
        if turn.accepted is not None and turn.accepted.kind in ("answer", "case", "next_step"):
            state.resolve()


class State:
    """Where a conversation stands by the policy table of the design."""

    def __init__(self) -> None:
        self.situation: str | None = None
        self.is_hurt = self.was_answered = False
        self.calm: int | None = None

    def hear(self, turn: Turn) -> bool:
        """Take an utterance in; whether offers are forbidden in answer to it."""
        if turn.emotion is None:
            self.was_answered = True
            if turn.says_done:
                self.resolve()
            return True
        label, flags = turn.emotion.label, set(turn.emotion.flags)
        self.situation = turn.result.conversation.intent
        if label in HURT or flags & HOSTILE_FLAGS:
            self.is_hurt, self.calm = True, None
        elif self.calm is not None:
            self.calm += 1
        elif label == "satisfied":
            self.resolve()
        is_choosing = self.situation in PRESALES or ASKS_FOR_ADVICE in turn.text
        is_moment = (label == "neutral" and is_choosing) or (label == "satisfied" and self.was_answered)
        is_healed = not self.is_hurt or (self.calm or 0) >= 2
        is_danger = "safety_risk" in flags or self.situation in DANGER
        return not is_moment or not is_healed or is_danger or bool(flags & HOSTILE_FLAGS) or turn.text in SMALL_TALK

    def resolve(self) -> None:
        if self.is_hurt:
            self.calm = self.calm or 0


def against_customer(customer: Customer, product: Product) -> Iterator[str]:
    """Why this product should not have been offered to this customer."""
    kept = {order.sku for order in customer.orders if order.status in ("delivered", "shipped")}
    if product.stock <= 0 or product.attributes.get("recalled"):
        yield "not for sale"
    if (product.sku in kept and not product.consumable) or product.sku in {item.sku for item in customer.cart}:
        yield "owned already"
    content = json.dumps([product.titles, product.pitches, product.attributes], ensure_ascii=False).lower()
    allergies = json.dumps(customer.attributes.get("allergies", ""), ensure_ascii=False)
    if "latex" in allergies and ("latex" in content or "乳胶" in content):
        yield "allergy"
    if "香精" in allergies and '"fragrance_free": false' in content:
        yield "allergy"


def without_data(talk: Talk, suggestion: Suggestion, knowledge: Made) -> Iterator[str]:
    """Order numbers, amounts, times and other figures that neither the customer's record nor the shop's data hold."""
    if suggestion.source.type == "phrase":
        phrase = knowledge.phrase_of[suggestion.source.id]
        given = phrase.text
        if "in_hours" in phrase.needs and talk.now is NIGHT:
            yield "promise without data: call back at night"
        if set(phrase.needs) & {"order", "product"} and not talk.customer.orders:
            yield "promise without data: no order"
    elif suggestion.source.type == "product":
        named = [knowledge.products[suggestion.source.id], *_looked_at(talk.customer, knowledge)]
        given = " ".join(knowledge.told[product.sku] for product in named)
    else:
        return
    given += " ".join(
        f"{order.id} ¥{order.price:g} {order.title} {order.placed_at:%Y-%m-%d} {order.placed_at:%-m %-d}"
        for order in talk.customer.orders
        if order.placed_at is not None
    )
    for pattern, name in ((ORDER_NUMBER, "order number"), (AMOUNT, "amount"), (FIGURE, "figure")):
        if set(pattern.findall(suggestion.text)) - set(pattern.findall(given)):
            yield f"promise without data: {name}"


def _looked_at(customer: Customer, knowledge: Made) -> list[Product]:
    known = (*customer.cart, *customer.viewed, *customer.orders)
    return [knowledge.products[item.sku] for item in known]


def _told(product: Product) -> str:
    attributes = " ".join(
        f"{value:,g}" if isinstance(value, int | float) else str(value) for value in product.attributes.values()
    )
    return f"{product.titles} {product.pitches} ¥{product.price:g} {product.rating} {attributes}"


def test_no_conversation_breaks_the_policy(stage: Stage) -> None:
    broken: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for number in range(CONVERSATIONS):
        talk = stage.play(number)
        for violation in violations(talk, stage.knowledge):
            broken[violation] += 1
            seen[f"first: {violation} in {number}"] += 1
        seen.update(s.kind for turn in talk.turns for s in turn.result.suggestions)
        seen.update(f"from {s.source.type}" for turn in talk.turns for s in turn.result.suggestions)
    assert not broken, (broken, [name for name in seen if name.startswith("first")][:5])
    # What is never shown cannot be shown wrongly either.
    assert min(seen[kind] for kind in ("alert", "answer", "calming", "next_step", "question", "offer")) > 1000, seen
    assert seen["from product"] > seen["offer"], "no replacement was ever shown"


def _shows_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    make = phrases._suggestion
    monkeypatch.setattr(
        phrases,
        "_suggestion",
        lambda moment, phrase, *rest: dataclasses.replace(make(moment, phrase, *rest), text=phrase.text),
    )


def _invents_amounts(monkeypatch: pytest.MonkeyPatch) -> None:
    slots_of = history.slots_of
    monkeypatch.setattr(history, "slots_of", lambda *given: slots_of(*given) | {"amount": "¥31415"})


def _forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Session.record

    def record_and_forget(self: Session, *given: Any, **more: Any) -> None:
        record(self, *given, **more)
        self.shown.clear()

    monkeypatch.setattr(Session, "record", record_and_forget)


def _always_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "may_offer", lambda _: True)


def _offers_after_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "CALM_UTTERANCES_BEFORE_OFFER", 1)


@pytest.mark.parametrize(
    ("break_it", "violation"),
    [
        (_always_offers, "offer at a forbidden state"),
        (_offers_after_one, "offer at a forbidden state"),
        (_forgets, "repeated"),
        (_shows_slots, "unfilled slot"),
        (_invents_amounts, "promise without data: amount"),
    ],
)
def test_a_broken_rule_is_noticed(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[pytest.MonkeyPatch], None],
    violation: str,
) -> None:
    break_it(monkeypatch)
    found = (name for number in range(CONVERSATIONS) for name in violations(stage.play(number), stage.knowledge))
    assert violation in found
