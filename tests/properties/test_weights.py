"""What was learned from outcomes, whatever it is, stays within its bounds and behind the gates of the policy table."""

import json
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_policy import NOW, TEXTS, Engine, Said, agent_says, customer_says, customers, engine  # noqa: F401

from assist.conversation.assistant import Assistant
from assist.domain import Conversation, Customer, Emotion, Suggestion, SuggestionKind
from assist.errors import SettingsError
from assist.suggest import compose, policy
from assist.suggest.moment import Moment
from assist.suggest.weights import CAP, EXPLORED, FLOOR, NEUTRAL, Weights

KINDS = ("answer", "case", "next_step", "question", "offer")
TYPES = ("article", "case", "phrase", "product")
factors = st.floats(FLOOR, CAP)
ids = st.sampled_from(("a", "b"))
learned = st.builds(
    Weights,
    st.integers(1, 999).map(lambda number: f"w{number}"),
    st.dictionaries(st.sampled_from(KINDS), factors),
    st.dictionaries(st.sampled_from(TYPES), st.dictionaries(ids, factors)),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(KINDS), inner),
    max_leaves=6,
)
nearly = st.fixed_dictionaries(
    {"version": st.sampled_from(("w1", "w0", "1", "")) | json_values},
    optional={
        "kinds": st.dictionaries(st.sampled_from((*KINDS, "alert")), st.floats(-1, 4) | json_values) | json_values,
        "sources": st.dictionaries(st.sampled_from((*TYPES, "rule")), st.dictionaries(ids, st.floats(0, 3)))
        | json_values,
        "more": json_values,
    },
).map(json.dumps)


@given(st.text() | st.binary() | json_values.map(json.dumps) | nearly)
@example('{"version": "w1"}')
@example('{"version": "w1", "kinds": {"answer": NaN}}')
@example('{"version": "w1", "kinds": {"answer": "1.0"}}')
@example('{"version": "w1", "sources": {"article": {"": 1.0}}}')
@example("[" * 10_000)
def test_any_file_is_a_policy_within_bounds_or_an_error_that_names_it(text: str | bytes) -> None:
    try:
        found = Weights.parse(text, "policy.json")
    except SettingsError as error:
        assert error.message.startswith("policy.json is no policy: ")
        assert len(error.message) > 30
        return
    assert found.version.startswith("w")
    named = [*found.kinds.values(), *(factor for known in found.sources.values() for factor in known.values())]
    assert all(FLOOR <= factor <= CAP for factor in named)
    assert Weights.parse(found.dump(), "policy.json") == found


@given(learned, st.floats(0, 1), st.floats(0, 1), st.sampled_from(KINDS), st.sampled_from(TYPES), ids)
def test_a_weighed_relevance_keeps_its_order_and_can_always_pass(
    weights: Weights, low: float, high: float, kind: str, type_: str, id_: str
) -> None:
    low, high = sorted((low, high))
    weighed = [weights.weigh(relevance, kind, type_, id_) for relevance in (low, high)]
    assert 0 <= weighed[0] <= weighed[1] + 1e-12 <= 1 + 1e-9
    assert weights.weigh(1.0, kind, type_, id_) == 1
    assert weights.weigh(0.0, kind, type_, id_) == 0
    assert NEUTRAL.weigh(low, kind, type_, id_) == low
    for relevance, result in zip((low, high), weighed, strict=True):
        least, most = (factor * relevance / (1 - relevance + factor * relevance) for factor in (FLOOR, CAP))
        assert least - 1e-9 <= result <= most + 1e-9


def test_one_conversation_in_twenty_goes_without_and_always_the_same_one() -> None:
    weights = Weights("w3", {"case": FLOOR})
    served = [weights.for_conversation(f"conv_{number}") for number in range(20_000)]
    without = sum(one is NEUTRAL for one in served)
    assert 0.8 * 20_000 / EXPLORED < without < 1.2 * 20_000 / EXPLORED
    assert served == [weights.for_conversation(f"conv_{number}") for number in range(20_000)]
    assert weights.versioned("2026-11-23") == "2026-11-23+w3"
    assert NEUTRAL.versioned("2026-11-23") == "2026-11-23"


WEIGHED_ID = next(f"conv_{n}" for n in range(99) if Weights("w1").for_conversation(f"conv_{n}") is not NEUTRAL)
EXPLORING_ID = next(f"conv_{n}" for n in range(99) if Weights("w1").for_conversation(f"conv_{n}") is NEUTRAL)


def _extreme(engine: Engine, draw: Sequence[float]) -> Weights:  # noqa: F811
    """Factors for every kind and source of the index, in turn from the drawn ones."""
    names = {
        "article": [article.id for article in engine.knowledge.articles],
        "case": [case.id for case in engine.knowledge.cases],
        "phrase": [phrase.id for phrase in engine.knowledge.phrases],
        "product": list(engine.knowledge.products),
    }
    kinds = {kind: draw[n % len(draw)] for n, kind in enumerate(KINDS)}
    sources = {type_: {id_: draw[n % len(draw)] for n, id_ in enumerate(all_)} for type_, all_ in names.items()}
    return Weights("w1", kinds, sources)  # type: ignore[arg-type]


def _play(
    engine: Engine,  # noqa: F811
    weights: Weights,
    conversation: list[Said],
    customer: Customer,
    id_: str = WEIGHED_ID,
) -> tuple[list[tuple[tuple[SuggestionKind, int], ...]], list[list[Suggestion]], list[str]]:
    """The limits of the policy table for each customer utterance, what was shown, and the versions."""
    limits = []
    assistant = Assistant(
        emotions=engine.emotions,  # type: ignore[arg-type]
        knowledge=lambda: engine.knowledge,
        clock=lambda: NOW,
        new_id=lambda prefix: prefix,
        weights=weights,
    )

    def plan(moment: Moment) -> policy.Plan:
        found = policy.plan(moment)
        offers = policy.may_offer(moment)
        assert offers or not any(kind == "offer" for kind, _ in found.limits)
        limits.append(found.limits)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compose, "policy", SimpleNamespace(**{**vars(policy), "plan": plan}))
        session = assistant.start(Conversation(id_, "chat", NOW, customer))
        results = engine.play(conversation, customer, assistant, session)
    felt = [result for result in results if result.emotion is not None]
    return limits, [list(result.suggestions) for result in felt], [result.versions.policy for result in results]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(customer_says | agent_says, min_size=1, max_size=8), customers, st.lists(factors, min_size=1, max_size=5)
)
def test_no_weights_open_a_gate(
    engine: Engine,  # noqa: F811
    conversation: list[Said],
    customer: Customer,
    draw: list[float],
) -> None:
    weights = _extreme(engine, draw)
    limits, shown, versions = _play(engine, weights, conversation, customer)
    plain, plainly, _ = _play(engine, NEUTRAL, conversation, customer)
    assert limits == plain, "the rows are those without weights"
    for row, suggestions, without in zip(limits, shown, plainly, strict=True):
        most = dict(row)
        kinds = [suggestion.kind for suggestion in suggestions]
        assert len(kinds) <= compose.AT_MOST
        assert all(kinds.count(kind) <= most.get(kind, 0) for kind in kinds)
        order = [kind for kind, _ in row]
        assert kinds == sorted(kinds, key=order.index), "the order of the row stays"
        for kind in ("alert", "calming"):
            assert kinds.count(kind) == sum(suggestion.kind == kind for suggestion in without)
    assert all(version == f"{policy.VERSION}+w1" for version in versions)


def test_a_conversation_that_explores_is_served_and_logged_without_weights(engine: Engine) -> None:  # noqa: F811
    hurt = Emotion("frustrated", 0.9, {"frustrated": 0.9, "neutral": 0.1}, 0.6, "negative")
    conversation = [Said(text, hurt) for text in TEXTS]
    weights = _extreme(engine, [FLOOR, CAP])
    weighed, exploring, plain = (
        _play(engine, one, conversation, Customer("nobody"), id_)
        for one, id_ in ((weights, WEIGHED_ID), (weights, EXPLORING_ID), (NEUTRAL, EXPLORING_ID))
    )
    assert exploring == plain
    assert weighed[1] != plain[1], "weights do change something"
    assert weighed == _play(engine, weights, conversation, Customer("nobody")), "and a replay answers the same"
    assert set(exploring[2]) == {policy.VERSION}
