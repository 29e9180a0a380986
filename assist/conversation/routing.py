"""A routing hint: who should have a conversation and how soon, from what it is about, how it feels and who it is with.

A hint only: nothing is moved by it. The desk and the board show it, a contact centre's own router may use it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from assist.domain import Clock, Emotion, Queue, Routing, Segment
from assist.suggest import policy
from assist.suggest.alerts import RISING_RISK

_QUEUES: Mapping[Queue, str] = {
    "safety": "safety_incident skincare_reaction recall",
    "complaints": "complaint_service wants_supervisor repeated_contact courier_conduct",
    "delivery": "delivery_delay delivery_status delivery_lost delivery_signed_not_received address_change"
    " delivery_fee_area store_pickup large_goods_delivery cross_border",
    "returns": "cancel_order return_policy return_how exchange_size_colour damaged_on_arrival missing_or_wrong_item"
    " quality_fault warranty_repair installation spare_parts product_use genuine_doubt",
    "billing": "refund_time refund_missing price_protection coupon_use points_membership payment_problem instalment"
    " invoice gift_card",
    "sales": "gift preorder_stock product_choice product_compare business_order subscription",
    "account": "account_login privacy",
}
QUEUE_OF: Mapping[str, Queue] = {situation: queue for queue, names in _QUEUES.items() for situation in names.split()}
"""Which skill a situation asks for; any other goes to `general`."""

PROMOTED = 1
"""How many steps a conversation rises whose clock has run out."""


def route(
    *,
    situation: str | None,
    emotion: Emotion | None,
    segment: Segment | None,
    tier: str | None,
    risk: float,
    has_open_complaint: bool,
    clocks: Iterable[Clock],
) -> Routing:
    """The first row that fits decides, as in the policy table; then a clock that ran out raises it a step."""
    topic = QUEUE_OF.get(situation or "", "general")
    is_valued = is_high_value(segment, tier)
    flags = frozenset(emotion.flags) if emotion is not None else frozenset[str]()
    if "safety_risk" in flags or topic == "safety":
        return Routing("safety", 1, "safety")
    if flags & {"legal_threat", "media_threat"}:
        return Routing("complaints", 1, "threat")
    if emotion is not None and policy.is_hostile(emotion):
        found = Routing("complaints", 1, "hostile_valued") if is_valued else Routing("complaints", 2, "hostile")
    elif "wants_human" in flags:
        found = Routing(topic, 2, "wants_human")
    elif has_open_complaint:
        found = Routing("complaints", 2, "open_complaint")
    elif risk >= RISING_RISK:
        found = Routing(topic, 2, "heating_up")
    elif "urgent" in flags:
        found = Routing(topic, 2, "urgent")
    elif emotion is not None and emotion.polarity == "negative":
        found = Routing(topic, 2, "hurt_valued") if is_valued else Routing(topic, 3, "hurt")
    elif is_valued:
        found = Routing(topic, 3, "valued")
    else:
        found = Routing(topic, 4, "topic")
    return escalated(found, clocks)


def escalated(routing: Routing, clocks: Iterable[Clock]) -> Routing:
    """The hint once a clock has run out: one step more pressing, and that is its reason. Again, it stays."""
    if routing.reason == "overdue" or routing.priority == 1 or not any(clock.state == "overdue" for clock in clocks):
        return routing
    return replace(routing, priority=routing.priority - PROMOTED, reason="overdue")


def is_high_value(segment: Segment | None, tier: str | None) -> bool:
    """A customer whom it costs most to lose: of the core, or of the highest membership tier."""
    return segment == "core" or (tier or "").lower() == "platinum"
