"""Segments by recency, frequency and money, and the routing hint that uses them."""

import tomllib
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.conversation.routing import QUEUE_OF, escalated, route
from assist.conversation.segments import Cuts, segment_of, value_of
from assist.domain import (
    EMOTIONS,
    Clock,
    Customer,
    Emotion,
    EmotionLabel,
    Flag,
    Order,
    Routing,
    Segment,
    polarity_of,
)

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def bought(*lines: tuple[int, float], status: str = "delivered", tier: str | None = None) -> Customer:
    """A customer with one order for each (days ago, price)."""
    orders = (
        Order(f"O{n}", f"S{n}", "T", price, status, NOW - timedelta(days=days)) for n, (days, price) in enumerate(lines)
    )
    return Customer("c", tier=tier, orders=tuple(orders))


@pytest.mark.parametrize(
    ("customer", "segment"),
    [
        (bought((1, 500.0), (40, 500.0), (80, 500.0), (119, 500.0)), "core"),
        (bought((1, 500.0), (40, 500.0), (80, 500.0), (119, 499.0)), "promising"),
        (bought((1, 900.0), (40, 900.0), (80, 900.0)), "promising"),
        (bought((1, 500.0), (40, 500.0), (80, 500.0), (366, 500.0)), "promising"),
        (bought((121, 900.0), (130, 900.0), (140, 900.0), (150, 900.0)), "dormant"),
        (bought((120, 10.0)), "new"),
        (bought((121, 10.0)), "dormant"),
        (bought((1, 10.0), (2, 10.0), status="cancelled", tier="silver"), "new"),
        (bought((119, 900.0), (121, 900.0), status="refund_pending", tier="silver"), "promising"),
        (bought((1, 10.0), tier="gold"), "promising"),
        (Customer("c", tier="none"), "new"),
        (Customer("c"), None),
        (Customer("c", tier="Platinum"), None),
        (Customer("c", orders=(Order("O", "S", "T", 10.0, "paid"),)), "new"),
    ],
)
def test_segments_at_their_cuts(customer: Customer, segment: Segment | None) -> None:
    assert segment_of(customer, NOW, Cuts()) == segment


def test_cuts_are_settings() -> None:
    customer = bought((10, 50.0), (20, 50.0))
    assert segment_of(customer, NOW, Cuts(core_orders=2, core_spend=100.0)) == "core"
    assert segment_of(customer, NOW, Cuts(dormant_days=9)) == "dormant"


def test_lines_placed_together_are_one_order_before_and_after_a_restart() -> None:
    at = NOW - timedelta(days=3)
    lines = tuple(Order("O1", f"S{n}", "T", 10.0, "paid", at) for n in range(3))
    assert value_of(Customer("c", orders=lines), NOW).orders == 1
    logged = bought((1, 1.0), (2, 1.0))
    nameless = Customer(
        "c", orders=tuple(Order("", o.sku, o.title, o.price, o.status, o.placed_at) for o in logged.orders)
    )
    assert value_of(nameless, NOW) == value_of(logged, NOW)


@given(st.lists(st.tuples(st.integers(0, 900), st.floats(0, 5000)), max_size=12), st.integers(0, 300))
def test_buying_more_never_makes_a_customer_dormant_or_less(lines: list[tuple[int, float]], ago: int) -> None:
    rank = {"dormant": 0, None: 0, "new": 1, "promising": 2, "core": 3}
    before = segment_of(bought(*lines), NOW, Cuts())
    after = segment_of(bought(*lines, (ago, 100.0)), NOW, Cuts())
    if ago <= Cuts().dormant_days:
        assert rank[after] >= rank[before]
        assert after != "dormant"


def feeling(label: EmotionLabel, *flags: Flag) -> Emotion:
    return Emotion(label, 0.9, {label: 1.0}, 0.5, polarity_of(label), flags)


def routed(situation: str | None = None, emotion: Emotion | None = None, **given: object) -> Routing:
    known: dict[str, object] = {"segment": None, "tier": None, "risk": 0.0, "has_open_complaint": False, "clocks": ()}
    return route(situation=situation, emotion=emotion, **(known | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (routed(), ("general", 4, "topic")),
        (routed("not_in_the_table"), ("general", 4, "topic")),
        (routed("refund_time", feeling("neutral")), ("billing", 4, "topic")),
        (routed("product_choice", feeling("neutral"), segment="core"), ("sales", 3, "valued")),
        (routed("refund_time", feeling("frustrated")), ("billing", 3, "hurt")),
        (routed("refund_time", feeling("frustrated"), segment="core"), ("billing", 2, "hurt_valued")),
        (routed("refund_time", feeling("anxious"), tier="platinum"), ("billing", 2, "hurt_valued")),
        (routed("refund_time", feeling("frustrated"), segment="promising"), ("billing", 3, "hurt")),
        (routed("delivery_delay", feeling("anxious", "urgent")), ("delivery", 2, "urgent")),
        (routed("delivery_delay", feeling("neutral"), risk=0.5), ("delivery", 2, "heating_up")),
        (routed("delivery_delay", feeling("neutral"), has_open_complaint=True), ("complaints", 2, "open_complaint")),
        (routed("delivery_delay", feeling("neutral", "wants_human")), ("delivery", 2, "wants_human")),
        (routed("delivery_delay", feeling("angry")), ("complaints", 2, "hostile")),
        (routed("delivery_delay", feeling("neutral", "churn_threat")), ("complaints", 2, "hostile")),
        (routed("delivery_delay", feeling("angry"), segment="core"), ("complaints", 1, "hostile_valued")),
        (routed("delivery_delay", feeling("neutral", "legal_threat")), ("complaints", 1, "threat")),
        (routed("product_use", feeling("neutral", "safety_risk")), ("safety", 1, "safety")),
        (routed("recall", feeling("neutral")), ("safety", 1, "safety")),
    ],
)
def test_rows_of_the_table(hint: Routing, expected: tuple[str, int, str]) -> None:
    assert (hint.queue, hint.priority, hint.reason) == expected


def test_a_clock_that_ran_out_raises_once() -> None:
    over, close = Clock("first_answer", NOW, "overdue"), Clock("first_answer", NOW, "due_soon")
    hint = routed("refund_time", feeling("neutral"), clocks=(over,))
    assert (hint.queue, hint.priority, hint.reason) == ("billing", 3, "overdue")
    assert escalated(hint, (over,)) == hint
    assert routed("refund_time", clocks=(close, Clock("first_answer", NOW, "late"))).reason == "topic"
    threat = routed("refund_time", feeling("angry", "legal_threat"), clocks=(over,))
    assert (threat.priority, threat.reason) == (1, "threat")


def test_situations_of_the_knowledge_base_have_a_queue() -> None:
    folder = Path(__file__).parents[2] / "knowledge_base"
    known = set(tomllib.loads((folder / "situations.toml").read_text("utf-8")))
    assert set(QUEUE_OF) <= known


def test_value_and_hurt_never_lower_the_priority() -> None:
    for situation, label, risk in product((None, "refund_time", "recall"), EMOTIONS, (0.0, 0.9)):
        plain = routed(situation, feeling(label), risk=risk)
        assert 1 <= plain.priority <= 4
        assert routed(situation, feeling(label), risk=risk, segment="core").priority <= plain.priority
        assert routed(situation, feeling(label, "urgent"), risk=risk).priority <= plain.priority
