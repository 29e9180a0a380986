"""Learning from outcomes, on logs of which the truth is known."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import numpy as np
import pytest
from made_log import BEGIN, READ_AT, REFUSES, Shop, as_shown, keys, play, uneven_shop, write
from typer.testing import CliRunner

from assist.cli_learn import learn
from assist.domain import ShownSuggestion
from assist.errors import Unavailable
from assist.learning.folder import PolicyFolder
from assist.learning.proposal import Proposal, propose
from assist.learning.report import WORDS, report
from assist.storage.records import Review, iso
from assist.storage.redaction import Redactor
from assist.storage.repository import Repository
from assist.suggest.weights import CAP, FLOOR, Weights

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TALKS = 2000
EVEN = Shop()
UNEVEN = uneven_shop()
GAMED = ("article", "answer-gamed")


def proposed(log: Sequence[ShownSuggestion]) -> Proposal:
    return propose(log, "w1", now=NOW)


def first_is_used(
    shop: Shop, log: Sequence[ShownSuggestion], proposal: Proposal, score: Callable[[ShownSuggestion], float]
) -> float:
    """How often the first of several cards of one kind would truly be used, on the held-back part."""
    choices: dict[tuple[str, str], list[ShownSuggestion]] = {}
    for one in log:
        if one.at >= proposal.held_since:
            choices.setdefault((one.utterance, one.kind), []).append(one)
    firsts = [max(cards, key=lambda one: (score(one), -one.position)) for cards in choices.values() if len(cards) > 1]
    return float(np.mean([shop.good((one.source_type, one.source_id), one.relevance) for one in firsts]))


@pytest.fixture(scope="module")
def uneven_log() -> list[ShownSuggestion]:
    return as_shown(play(UNEVEN, TALKS))


@pytest.fixture(scope="module")
def even_log() -> list[ShownSuggestion]:
    return as_shown(play(EVEN, TALKS))


def test_the_order_and_the_reading_of_places_are_found(uneven_log: list[ShownSuggestion]) -> None:
    found = proposed(uneven_log)
    assert found.verdict == "better"
    assert np.allclose(found.read_at, READ_AT, atol=0.06)
    learned = {(m.source_type, m.id): m.after for m in found.moves if m.source_type}
    assert len(learned) > 30
    true = [UNEVEN.lift[key] for key in learned]
    assert np.corrcoef(np.log(true), np.log(list(learned.values())))[0, 1] > 0.9
    assert all((factor > 1) == (UNEVEN.lift[key] > 0.95) for key, factor in learned.items())
    weights = found.weights

    def weighed(one: ShownSuggestion) -> float:
        return one.relevance * weights.of(one.source_type, one.source_id)

    before = first_is_used(UNEVEN, uneven_log, found, lambda one: -one.position)
    after = first_is_used(UNEVEN, uneven_log, found, weighed)
    best = first_is_used(
        UNEVEN, uneven_log, found, lambda one: UNEVEN.good((one.source_type, one.source_id), one.relevance)
    )
    assert before + 0.4 * (best - before) < after <= best
    held = found.held
    assert held.first_gain is not None and held.risen is not None and held.fallen is not None
    assert held.first_gain.low > 0
    assert abs(held.first_gain.value - (after - before)) < held.first_gain.high - held.first_gain.low
    assert held.risen.low > 1 > held.fallen.high


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_noise_moves_almost_nothing(seed: int) -> None:
    log = as_shown(play(Shop(seed=seed), TALKS))
    found = proposed(log)
    assert sum(bool(move.source_type) for move in found.moves) <= 3, "of 130 sources"
    assert found.verdict != "better"


def gamed(agents: Sequence[str], times: int) -> list[ShownSuggestion]:
    return [
        ShownSuggestion(
            f"gamed_{n}", f"gamed_{n}/1", agent, BEGIN, 0, "answer", 0.7, *GAMED, "accepted", None, "text"
        )
        for agent in agents
        for n in range(times)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("agents", "times", "moves"),
    [(["agent_1"], 3, False), (["agent_1"], 100, False), (["agent_1", "agent_2", "agent_3"], 40, True)],
    ids=["three times", "by one agent", "by many"],
)
def test_few_outcomes_or_one_agent_move_nothing(
    even_log: list[ShownSuggestion], agents: list[str], times: int, moves: bool
) -> None:
    found = proposed([*gamed(agents, times), *even_log])
    assert (found.weights.of(*GAMED) > 1) == moves


def test_a_card_that_is_ignored_far_down_speaks_less_against_it_than_one_turned_away(
    even_log: list[ShownSuggestion],
) -> None:
    def at_the_bottom(source: str, outcome: str) -> list[ShownSuggestion]:
        cards = gamed(["agent_1", "agent_2"], 30)
        return [replace(one, position=4, source_id=source, outcome=outcome) for one in cards]  # type: ignore[arg-type]

    log = [*at_the_bottom("ignored", "ignored"), *at_the_bottom("dismissed", "dismissed"), *even_log]
    moves = {move.id: move for move in proposed(log).moves}
    assert moves["dismissed"].read == moves["dismissed"].shown == 60
    assert moves["dismissed"].after == FLOOR
    assert "ignored" not in moves


def test_what_stands_low_is_not_taken_for_unwanted(even_log: list[ShownSuggestion]) -> None:
    """A source as good as the others, but always in the fourth place: its cards are used a fourth as often."""
    rate = EVEN.good(GAMED, 0.7)
    cards = [replace(one, position=3) for one in gamed(["agent_1", "agent_2"], 250)]
    used = round(len(cards) * READ_AT[3] * rate)
    refused = round(len(cards) * READ_AT[3] * (1 - rate) * REFUSES)
    outcomes = ["accepted"] * used + ["dismissed"] * refused + ["ignored"] * (len(cards) - used - refused)
    low = [replace(one, outcome=outcome) for one, outcome in zip(cards, outcomes, strict=True)]  # type: ignore[arg-type]
    answers = [one for one in even_log if one.kind == "answer"]
    as_others = np.mean([one.outcome in ("accepted", "edited") for one in answers])
    assert used / len(cards) < 0.5 * as_others, "a count of uses would punish it"
    assert proposed([*low, *even_log]).weights.of(*GAMED) == 1


def test_what_reviewers_find_bad_weighs_like_what_agents_turn_away(even_log: list[ShownSuggestion]) -> None:
    def spoiled(**changes: str) -> Weights:
        bad = keys("answer")[0]
        log = [replace(one, **changes) if (one.source_type, one.source_id) == bad else one for one in even_log]  # type: ignore[arg-type]
        found = proposed(log).weights
        assert found.of(*bad) == FLOOR
        return found

    assert spoiled(verdict="wrong") == spoiled(outcome="dismissed")


def test_the_held_back_part_does_not_reach_the_factors(uneven_log: list[ShownSuggestion]) -> None:
    found = proposed(uneven_log)
    turned = {"accepted": "dismissed", "edited": "dismissed", "dismissed": "accepted"}
    spoiled = proposed(
        [
            replace(one, outcome=turned.get(one.outcome, one.outcome)) if one.at >= found.held_since else one  # type: ignore[arg-type]
            for one in uneven_log
        ]
    )
    assert spoiled.weights == found.weights
    assert (found.verdict, spoiled.verdict) == ("better", "worse")


def test_agents_whose_programs_never_tell_are_left_out(even_log: list[ShownSuggestion]) -> None:
    silent = [replace(one, agent="silent", outcome="shown") for one in even_log]
    log = sorted([*even_log, *silent], key=lambda one: one.at)
    alone, both = proposed(even_log), proposed(log)
    assert (both.silent_agents, both.cards) == (1, alone.cards)
    assert both.weights == alone.weights


def test_a_second_proposal_on_the_same_log_changes_nothing(uneven_log: list[ShownSuggestion]) -> None:
    first = proposed(uneven_log)
    again = propose(uneven_log, "w2", now=NOW, current=first.weights)
    assert (again.verdict, again.moves, again.before) == ("nothing", (), "w1")
    assert replace(again.weights, version="w1") == first.weights


def test_what_was_not_read_keeps_the_factor_that_it_has(even_log: list[ShownSuggestion]) -> None:
    current = Weights("w1", {}, {"article": {"seldom": FLOOR, "answer-0": CAP}})
    found = propose(even_log, "w2", now=NOW, current=current).weights
    assert found.of("article", "seldom") == FLOOR
    assert found.of("article", "answer-0") == 1, "read often, and used as often as others"


def test_factors_stay_within_floor_and_cap(uneven_log: list[ShownSuggestion]) -> None:
    weights = proposed(uneven_log).weights
    factors = [*weights.kinds.values(), *(f for known in weights.sources.values() for f in known.values())]
    assert FLOOR == min(factors)
    assert max(factors) <= CAP
    assert Weights.parse(weights.dump(), "policy.json") == weights


def test_too_little_is_said(even_log: list[ShownSuggestion]) -> None:
    for log in ([], even_log[:10], [replace(one, outcome="shown") for one in even_log]):
        with pytest.raises(Unavailable, match="too few to learn from"):
            proposed(log)  # type: ignore[arg-type]
    strong = gamed(["agent_1", "agent_2"], 60)
    weak = [replace(one, source_id="bad", outcome="dismissed", talk=f"{one.talk}b") for one in strong]
    with pytest.raises(Unavailable, match="too few to learn from"):
        proposed([*strong, *weak])  # all at one time, so that nothing can be held back
    newer = [replace(one, at=NOW, talk=f"{one.talk}c") for one in strong]
    found = proposed([*strong, *weak, *newer])
    assert found.weights.of(*GAMED) > 1 > found.weights.of("article", "bad")
    assert found.verdict == "thin"


def test_a_text_that_one_conversation_saw_is_not_kept(even_log: list[ShownSuggestion]) -> None:
    cards = gamed(["agent_1", "agent_2"], 40)
    own = [replace(one, text=f"Order {number}", talk=f"talk_{number}") for number, one in enumerate(cards)]
    told = [
        next(move.text for move in proposed([*log, *even_log]).moves if move.id == GAMED[1])
        for log in (own, [*own[2:], replace(own[0], text="same"), replace(own[1], text="same")])
    ]
    assert told == ["", "same"]


@pytest.mark.parametrize("language", WORDS)
def test_the_report_tells_what_moves_in_every_language(uneven_log: list[ShownSuggestion], language: str) -> None:
    found = proposed(uneven_log)
    page = report(found, language)
    words = WORDS[language]
    assert words.keys() == WORDS["en"].keys()
    assert words["better"] in page
    for move in found.moves:
        assert f"{move.before:.2f} → {move.after:.2f}" in page
    assert "{" not in page
    for verdict in ("worse", "unclear", "thin", "nothing"):
        told = report(replace(found, verdict=verdict, moves=(), silent_agents=2), language)  # type: ignore[arg-type]
        assert words[verdict] in told


def test_markdown_in_a_text_stays_text(uneven_log: list[ShownSuggestion]) -> None:
    found = proposed(uneven_log)
    odd = replace(found.moves[0], text="a | b\n# <b>`x` [y](z)", source_type="article", id="a|b")
    page = report(replace(found, moves=(odd,)), "en")
    assert "a \\| b \\# \\<b\\>\\`x\\` \\[y\\]\\(z\\)" in page
    assert "a\\|b" in page


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a real log."""
    folder = tmp_path_factory.mktemp("learning")
    clock = [BEGIN]
    repository = Repository.open(f"sqlite:///{folder / 'assist.db'}", synchronous="NORMAL", clock=lambda: clock[0])
    anyio.run(write, repository, clock, play(UNEVEN, 900))
    repository.close()
    return folder


def test_the_log_gives_back_what_was_shown_without_what_is_secret(data: Path) -> None:
    async def read() -> list[ShownSuggestion]:
        repository = Repository.open(f"sqlite:///{data / 'assist.db'}")
        try:
            review = Review("rev_1", "sug_0_2_1", "wrong", "", "qa", iso(BEGIN))
            await repository.add_review(review, Redactor(None))
            assert await repository.shown_suggestions(datetime(2027, 1, 1, tzinfo=UTC)) == []
            return await repository.shown_suggestions(BEGIN)
        finally:
            repository.close()

    def plain(log: list[ShownSuggestion]) -> list[ShownSuggestion]:
        bare = [replace(one, at=BEGIN, text="", verdict=None) for one in log]
        return sorted(bare, key=lambda one: (one.utterance, one.position))

    log = anyio.run(read)
    assert plain(log) == plain(as_shown(play(UNEVEN, 900)))
    assert sorted(log, key=lambda one: one.at) == log
    assert [(one.talk, one.position) for one in log if one.verdict == "wrong"] == [("conv_0", 1)]
    assert all(one.text == f"Dear [NAME], {one.source_id}" for one in log)


def run(data: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(learn, [*arguments, "--data", str(data)])
    return done.exit_code, done.output


def test_a_proposal_is_made_read_adopted_and_taken_back(data: Path) -> None:
    days = str((datetime.now(UTC) - BEGIN).days + 1)
    folder = PolicyFolder(data / "policy.json")
    code, said = run(data, "propose", "--days", days, "--language", "zh-Hans")
    assert code == 0
    assert "# 策略建议 w1" in said
    assert (data / "policy-proposals" / "w1.md").read_text("utf-8") in said
    assert folder.in_use().version == "", "nothing changes by itself"
    code, said = run(data, "show", "w1", "--json")
    shown = json.loads(said.splitlines()[-1])
    assert shown["verdict"] == "better"
    assert "# 策略建議 w1" in run(data, "show", "w1", "--language", "zh-Hant")[1]
    assert run(data, "adopt", "w1")[0] == 0
    assert folder.in_use() == folder.proposal("w1").weights
    code, said = run(data, "propose", "--days", days)
    assert code == 0
    assert "Nothing to change" in said
    assert run(data, "adopt", "w2")[0] == 3, "it did not do better"
    assert folder.in_use().version == "w1"
    assert "In use from the next start of the service: no policy (before: w1)" in run(data, "rollback")[1]
    assert folder.in_use().version == ""
    told = run(data, "history", "--json")[1]
    history = json.loads(told.splitlines()[-1])
    assert [(step["action"], step["version"]) for step in history["history"]] == [("adopt", "w1"), ("rollback", None)]
    assert all(step["who"] for step in history["history"])
    assert "rollback" in run(data, "history")[1]


def test_what_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    for arguments, sentence in (
        (["propose"], "there is no log"),
        (["show", "w9"], "There is no proposal w9."),
        (["show", "../x"], "There is no proposal ../x."),
        (["adopt", "w9"], "There is no proposal w9."),
        (["rollback"], "There is no policy to go back to."),
    ):
        code, said = run(tmp_path, *arguments)
        assert code == 2
        assert sentence in said
    assert "There is no proposal yet" in run(tmp_path, "history")[1]
    (tmp_path / "assist.db").write_text("no database")
    assert "assist: the log cannot be opened" in run(tmp_path, "propose")[1]
