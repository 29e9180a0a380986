"""What may be shown now, in which order, or nothing: the policy table of the design as code.

Rows are gates, not hints. The first row that fits decides; a kind that the row does not name is not even made.
"""

from dataclasses import dataclass

from assist.domain import NEGATIVE, THREATS, Emotion, SuggestionKind
from assist.suggest.moment import Moment

VERSION = "2026-11-23.6"
"""Raised with every change of a gate, limit or threshold: a logged result names the rules it was made by."""

SURE = 0.5
"""Below even odds a negative label is a guess; a calming phrase on a guess is what makes agents look away."""

CALM_UTTERANCES_BEFORE_OFFER = 2
"""After a hurt: non-negative customer utterances from the resolution on, before anything may be offered."""

SAFETY_SITUATIONS = frozenset({"safety_incident", "skincare_reaction", "recall"})
NOT_UPSOLD = frozenset({"new", "dormant"})
"""Segments that get what they ask for and nothing beside it: trust first."""
UNASKED_PRODUCTS = 2
"""After so many products in a conversation only what is asked for is proposed: a third is a salesman."""
PRESALES_SITUATIONS = frozenset({"product_choice", "product_compare", "gift", "preorder_stock"})
PRODUCT_PROBLEMS = frozenset({"quality_fault", "damaged_on_arrival", "missing_or_wrong_item", "preorder_stock"})
"""The problem *is* the product, so an in-stock replacement is help and not a sale."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The gate's decision: kinds in the order in which they are shown, each with how many at the most."""

    row: str
    limits: tuple[tuple[SuggestionKind, int], ...]
    answers_as_steps: bool = False
    replacement: bool = False
    safety_only: bool = False


NOTHING = Plan("silence", ())


def plan(moment: Moment) -> Plan:
    """The row of the policy table for this moment."""
    emotion = moment.emotion
    flags = frozenset(emotion.flags)
    if "safety_risk" in flags:
        return Plan("safety", (("alert", 2), ("answer", 1), ("next_step", 1)), safety_only=True)
    if is_hostile(emotion):
        return Plan("hostile", (("alert", 2), ("calming", 1), ("next_step", 1), ("answer", 1), ("case", 1)))
    if emotion.label == "unknown" or moment.is_small_talk:
        return Plan("handover", (("alert", 1), ("next_step", 1))) if "wants_human" in flags else NOTHING
    if emotion.label not in ("neutral", "satisfied") and emotion.probability < SURE:
        return Plan("unsure", (("alert", 2), ("answer", 2), ("case", 1)))
    if emotion.label in ("frustrated", "disappointed"):
        return Plan(
            "hurt",
            (("alert", 2), ("calming", 1), ("answer", 2), ("next_step", 1), ("case", 1)),
            replacement=moment.situation in PRODUCT_PROBLEMS,
        )
    if emotion.label == "anxious":
        return Plan("worried", (("alert", 2), ("answer", 2), ("calming", 1), ("case", 1)))
    if emotion.label == "confused":
        return Plan("lost", (("alert", 2), ("answer", 2), ("question", 1)), answers_as_steps=True)
    handover: tuple[tuple[SuggestionKind, int], ...] = (("next_step", 1),) if "wants_human" in flags else ()
    if emotion.label == "satisfied":
        offers: tuple[tuple[SuggestionKind, int], ...] = (("offer", 1),) if may_offer(moment) else ()
        return Plan("pleased", (("alert", 1), ("next_step", 1), *offers))
    choosing: tuple[tuple[SuggestionKind, int], ...] = ()
    if moment.is_choosing and may_offer(moment):
        choosing = (("question", 1), ("offer", 2))
    return Plan("plain", (("alert", 2), *handover, ("answer", 2), *choosing, ("case", 1)))


def shows_cases(emotion: Emotion) -> bool:
    """Whether any row for this feeling shows past cases; where none does, they need not be looked for."""
    return "safety_risk" not in emotion.flags and (
        is_hostile(emotion) or emotion.label not in ("satisfied", "confused", "unknown") or emotion.probability < SURE
    )


def is_hostile(emotion: Emotion) -> bool:
    """Anger, an insult or any threat: the first thing is to calm, the last to sell."""
    return emotion.label == "angry" or "abusive" in emotion.flags or bool(THREATS & set(emotion.flags))


def may_offer(moment: Moment) -> bool:
    """Whether a product may be proposed at all; the gate that no other rule can open.

    Never while the customer hurts, never before a hurt has been resolved and two non-negative utterances have
    followed it, and never where someone may be harmed.
    """
    emotion = moment.emotion
    if emotion.label in NEGATIVE or emotion.label in ("unknown", "confused") or moment.is_small_talk:
        return False
    if "safety_risk" in emotion.flags or is_hostile(emotion):
        return False
    if moment.situation in SAFETY_SITUATIONS:
        return False
    if emotion.label == "satisfied" and not moment.has_agent_answered:
        return False
    calm = moment.calm_since_resolution
    return not moment.was_ever_negative or (calm is not None and calm >= CALM_UTTERANCES_BEFORE_OFFER)


def may_upsell(moment: Moment) -> bool:
    """Whether more may be proposed than was asked for: not to new customers, and not to those who stayed away."""
    return may_offer(moment) and moment.segment not in NOT_UPSOLD


def products_shown(moment: Moment) -> int:
    """How many products have been proposed in this conversation, as offer or as replacement."""
    return sum(type_ == "product" for type_, _ in moment.shown)
