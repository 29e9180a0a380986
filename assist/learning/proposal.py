"""From what was shown and used to a proposed policy: fitted on the older part of the log, measured on the newer."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args

import numpy as np

from assist.domain import ShownSuggestion
from assist.errors import Unavailable
from assist.learning.clicks import PLACES, Bools, Cards, Fit, Floats, Tally, drawn, fit, sums
from assist.suggest.answers import ANSWER_THRESHOLD, CASE_THRESHOLD
from assist.suggest.weights import CAP, FLOOR, NEUTRAL, WeighedKind, WeighedSource, Weights

OLDER = 0.8
"""Share of the log that is fitted on; the rest is held back."""

LEAST_READ = 30
"""A source or kind that was read less often keeps the factor that it has: neutral, unless one was learned before."""
LEAST_AGENTS = 2
"""As does one that fewer agents had on their screens: one agent's taste, or game, moves nothing."""
FALSE_RATE = 0.1
"""Of the factors proposed, this share at the most may be there by chance (Benjamini and Hochberg 1995)."""

LEAST_MOVE = 0.05
"""A factor nearer to 1 is not worth a line."""

LEAST_HELD = 200
"""With fewer held-back cards, before and after are not told apart."""
MOST_WEIGHT = 10.0
"""Largest weight of a used card for its place; more is noise (clipped as in Strehl et al. 2010)."""
_RESAMPLES = 1000
_BAD = frozenset({"wrong", "badly_timed", "badly_worded", "unsafe"})
_THRESHOLDS = {"answer": ANSWER_THRESHOLD, "case": CASE_THRESHOLD}

KINDS = ("calming", *get_args(WeighedKind))
_SOURCES = frozenset(get_args(WeighedSource))
Key = tuple[str, str]
Verdict = Literal["better", "worse", "unclear", "thin", "nothing"]


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate with its 95 % bootstrap interval over conversations."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Move:
    """A factor that is proposed to change, and the evidence for it.

    `source_type` is empty for a kind as a whole. `expected` is how often cards of like relevance would have been used.
    """

    kind: str
    source_type: str
    id: str
    before: float
    after: float
    shown: int
    read: float
    used: int
    edited: int
    refused: int
    bad_reviews: int
    agents: int
    expected: float
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """Before and after on the held-back part.

    `first_*`: how often the first of several cards of one kind would be used if it was read, in the order of the policy
    in use and of the proposed one; `choices` counts such places, `reordered` those where the first card changes.
    `risen` and `fallen`: used ÷ expected of the cards whose factors rise and fall. `hidden` cards are below their
    threshold with the proposed factors; `hidden_used` of them were used.
    """

    cards: int
    talks: int
    choices: int
    reordered: int
    first_before: float
    first_after: float
    first_gain: Range | None
    risen: Range | None
    fallen: Range | None
    hidden: int
    hidden_used: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy with what it was made from, what it changes and how it did on the held-back part."""

    weights: Weights
    before: str
    made_at: datetime
    since: datetime
    held_since: datetime
    until: datetime
    cards: int
    silent_agents: int
    read_at: tuple[float, ...]
    moves: tuple[Move, ...]
    too_few: int
    held: Held
    verdict: Verdict


def propose(
    log: Sequence[ShownSuggestion],
    version: str,
    *,
    now: datetime,
    current: Weights = NEUTRAL,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Proposal:
    """The policy that a log of shown suggestions, the oldest first, speaks for.

    Agents whose programs never tell an outcome are left out. Raises Unavailable if too little was shown.
    """
    speaking = {one.agent for one in log if one.outcome != "shown"}
    told = [one for one in log if one.agent in speaking and one.kind in KINDS and one.source_type in _SOURCES]
    if len(told) < LEAST_READ:
        raise Unavailable(f"the log holds {len(told)} suggestions with outcomes: too few to learn from")
    sources, cards = _cards(told)
    # A conversation is on one side only, where its first card is.
    cut = told[int(len(told) * OLDER)].at
    begun: dict[str, datetime] = {}
    for one in told:
        begun.setdefault(one.talk, one.at)
    older = np.array([begun[one.talk] < cut for one in told])
    if not older.any():
        raise Unavailable("nothing in the log is older than the rest: too few to learn from")
    fitted = fit(cards.where(older), progress)
    fitted_on = [one for one, is_older in zip(told, older, strict=True) if is_older]
    weights, moves, too_few = _weights(fitted_on, sources, fitted, version, current)
    held_back = [one for one, is_older in zip(told, older, strict=True) if not is_older]
    held = _measure(held_back, cards.where(~older), fitted, current, weights)
    return Proposal(
        weights=weights,
        before=current.version,
        made_at=now,
        since=told[0].at,
        held_since=cut,
        until=told[-1].at,
        cards=len(told),
        silent_agents=len({one.agent for one in log} - speaking),
        read_at=tuple(round(float(share), 3) for share in fitted.read_at),
        moves=moves,
        too_few=too_few,
        held=held,
        verdict=_verdict(held, weights, current),
    )


def _used(one: ShownSuggestion) -> bool:
    return one.outcome in ("accepted", "edited") and one.verdict not in _BAD


def _refused(one: ShownSuggestion) -> bool:
    """Turned away by the agent, or found bad by a reviewer: what is used wrongly is no success."""
    return one.outcome == "dismissed" or one.verdict in _BAD


def _cards(log: Sequence[ShownSuggestion]) -> tuple[list[Key], Cards]:
    keys = {key: n for n, key in enumerate(dict.fromkeys((one.source_type, one.source_id) for one in log))}
    kinds = {kind: n for n, kind in enumerate(KINDS)}
    talks = {talk: n for n, talk in enumerate(dict.fromkeys(one.talk for one in log))}
    kind = np.array([kinds[one.kind] for one in log])
    relevance = np.array([one.relevance for one in log])
    level = np.zeros(len(log), np.int64)
    for number in set(kind.tolist()):
        mine = kind == number
        level[mine] = 4 * number + np.searchsorted(np.quantile(relevance[mine], (0.25, 0.5, 0.75)), relevance[mine])
    cards = Cards(
        place=np.array([min(one.position, PLACES - 1) for one in log]),
        level=level,
        kind=kind,
        source=np.array([keys[one.source_type, one.source_id] for one in log]),
        talk=np.array([talks[one.talk] for one in log]),
        used=np.array([_used(one) for one in log]),
        refused=np.array([_refused(one) for one in log]),
        sizes=(4 * len(KINDS), len(KINDS), len(keys)),
    )
    return list(keys), cards


def _weights(
    log: Sequence[ShownSuggestion], keys: Sequence[Key], fitted: Fit, version: str, current: Weights
) -> tuple[Weights, tuple[Move, ...], int]:
    """The factors that the fit is sure of, every difference to those in use, and how many sources were read too few."""
    by_source: dict[Key, list[ShownSuggestion]] = {}
    by_kind: dict[Key, list[ShownSuggestion]] = {}
    for one in log:
        by_source.setdefault((one.source_type, one.source_id), []).append(one)
        by_kind.setdefault((one.kind, ""), []).append(one)
    enough = min(LEAST_AGENTS, len({one.agent for one in log}))
    # What is not judged here keeps the factor that it has.
    factors: dict[Key, float] = {(kind, ""): factor for kind, factor in current.kinds.items()}
    factors |= {(type_, id_): factor for type_, known in current.sources.items() for id_, factor in known.items()}
    moves: list[Move] = []
    for names, tally, seen in (
        ([(kind, "") for kind in KINDS], fitted.kinds, by_kind),
        (keys, fitted.sources, by_source),
    ):
        may_move = tally.read >= LEAST_READ
        may_move &= np.array([len({one.agent for one in seen.get(name, ())}) >= enough for name in names])
        may_move &= np.array([name != ("calming", "") for name in names])
        found = _factors(tally, may_move)
        for number, name in enumerate(names):
            if may_move[number]:
                before = factors.pop(name, 1.0)
                after = float(found[number])
                if after != 1.0:
                    factors[name] = after
                if before != after:
                    moves.append(_move(seen[name], name, tally, number, before, after))
    moves.sort(key=lambda move: (move.source_type != "", -abs(math.log(move.after / move.before)), move.kind, move.id))
    kinds = {cast(WeighedKind, kind): factor for (kind, id_), factor in factors.items() if not id_}
    sources: dict[WeighedSource, dict[str, float]] = {}
    for (type_, id_), factor in factors.items():
        if id_:
            sources.setdefault(cast(WeighedSource, type_), {})[id_] = factor
    weights = Weights(version, kinds, sources)
    return weights, tuple(moves), int((fitted.sources.read < LEAST_READ).sum())


def _factors(tally: Tally, may_move: Bools) -> Floats:
    """The factor of each group: 1 for those that are used as expected, or as many of so many are by chance.

    The others are drawn towards 1 by a prior of their own: that of all would hide one bad source among many alike
    (the two groups of Efron 2008).
    """
    chance = np.array([math.erfc(abs(z) / math.sqrt(2)) for z in tally.z])
    ranked = np.sort(chance[may_move])
    passes = ranked[ranked <= FALSE_RATE * np.arange(1, len(ranked) + 1) / max(len(ranked), 1)]
    sure = may_move & (chance <= passes.max(initial=-1.0))
    factors = np.ones(len(sure))
    if sure.any():
        drawn_in = drawn(tally.used[sure], tally.expected[sure], tally.spread[sure], tally.family[sure])
        factors[sure] = np.clip(drawn_in, FLOOR, CAP).round(2)
    factors[np.abs(factors - 1) < LEAST_MOVE] = 1.0
    return factors


def _move(cards: Sequence[ShownSuggestion], name: Key, tally: Tally, number: int, before: float, after: float) -> Move:
    outcomes = Counter(one.outcome for one in cards)
    is_source = bool(name[1])
    return Move(
        kind=cards[-1].kind,
        source_type=name[0] if is_source else "",
        id=name[1],
        before=before,
        after=after,
        shown=len(cards),
        read=round(float(tally.read[number]), 1),
        used=sum(map(_used, cards)),
        edited=outcomes["edited"],
        refused=outcomes["dismissed"],
        bad_reviews=sum(one.verdict in _BAD for one in cards),
        agents=len({one.agent for one in cards}),
        expected=round(float(tally.expected[number]), 1),
        text=_text(cards) if is_source else "",
    )


def _text(cards: Sequence[ShownSuggestion]) -> str:
    """The text that most conversations saw; none that only one saw, since a proposal outlives what is erased."""
    seen = Counter(text for text, _ in {(one.text, one.talk) for one in cards if one.text})
    text, talks = min(seen.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return text if talks > 1 else ""


def _measure(log: Sequence[ShownSuggestion], cards: Cards, fitted: Fit, current: Weights, proposed: Weights) -> Held:
    """What the held-back cards say of both policies.

    A used card counts for one over how often its place is read (Joachims, Swaminathan and Schnabel 2017), so that what
    stood low is not taken for what is not wanted. Cards that were not shown cannot be judged.
    """
    weight = np.where(cards.used, np.minimum(1 / fitted.read_at[cards.place], MOST_WEIGHT), 0.0)
    talks = int(cards.talk.max(initial=-1)) + 1
    places: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(log):
        places.setdefault((one.utterance, one.kind), []).append(number)
    choices = [sorted(numbers, key=lambda n: log[n].position) for numbers in places.values() if len(numbers) > 1]
    firsts = np.array(
        [(_first(log, numbers, current), _first(log, numbers, proposed)) for numbers in choices], np.int64
    ).reshape(-1, 2)
    where = cards.talk[firsts[:, 0]]
    count = sums(where, np.ones(len(where)), talks)
    before, after = (sums(where, weight[firsts[:, side]], talks) for side in (0, 1))
    change, expected = _changes(log, cards, fitted, current, proposed)
    hidden = np.array(
        [_weighed(proposed, one) < _THRESHOLDS.get(one.kind, 0.0) <= one.relevance for one in log], np.bool_
    )
    risen, fallen = (
        [sums(cards.talk[chosen], column[chosen], talks) for column in (cards.used.astype(float), expected)]
        for chosen in (change > 1, change < 1)
    )
    first_gain, up, down = _ranges([(after - before, count), (risen[0], risen[1]), (fallen[0], fallen[1])])
    return Held(
        cards=len(log),
        talks=len(set(cards.talk.tolist())),
        choices=len(choices),
        reordered=int((firsts[:, 0] != firsts[:, 1]).sum()),
        first_before=_share(before, count),
        first_after=_share(after, count),
        first_gain=first_gain,
        risen=up,
        fallen=down,
        hidden=int(hidden.sum()),
        hidden_used=int((hidden & cards.used).sum()),
    )


def _changes(
    log: Sequence[ShownSuggestion], cards: Cards, fitted: Fit, current: Weights, proposed: Weights
) -> tuple[Floats, Floats]:
    """For each card what its factor is multiplied by, and how often it would be used without one.

    A source is held against cards of like relevance, the others of a kind that moves against all cards.
    """
    of_source = np.array([_factor(proposed, one) / _factor(current, one) for one in log])
    of_kind = np.array([proposed.of_kind(one.kind) / current.of_kind(one.kind) for one in log])
    moves = of_source != 1
    rate = np.where(moves, fitted.used_at[cards.level], fitted.overall)
    return np.where(moves, of_source, of_kind), fitted.read_at[cards.place] * rate


def _factor(weights: Weights, one: ShownSuggestion) -> float:
    return weights.of(one.source_type, one.source_id)


def _weighed(weights: Weights, one: ShownSuggestion) -> float:
    return weights.weigh(one.relevance, one.kind, one.source_type, one.source_id)


def _first(log: Sequence[ShownSuggestion], numbers: Sequence[int], weights: Weights) -> int:
    return max(numbers, key=lambda n: (log[n].relevance * _factor(weights, log[n]), -log[n].position))


def _share(above: Floats, below: Floats) -> float:
    return round(float(above.sum() / below.sum()), 4) if below.sum() > 0 else 0.0


def _ranges(pairs: Sequence[tuple[Floats, Floats]]) -> list[Range | None]:
    """Sum ÷ sum over conversations with its interval, or None where there is nothing to divide by.

    Each resample draws every conversation a Poisson number of times; the same at every run.
    """
    columns = np.stack([column for pair in pairs for column in pair], axis=1)
    chance = np.random.default_rng(0)
    sums = np.array([chance.poisson(1.0, len(columns)) @ columns for _ in range(_RESAMPLES)])
    ranges: list[Range | None] = []
    for number, (above, below) in enumerate(pairs):
        drawn = sums[sums[:, 2 * number + 1] > 0, 2 * number : 2 * number + 2]
        if below.sum() <= 0 or not len(drawn):
            ranges.append(None)
            continue
        low, high = np.percentile(drawn[:, 0] / drawn[:, 1], (2.5, 97.5)).tolist()
        ranges.append(Range(_share(above, below), round(low, 4), round(high, 4)))
    return ranges


def _verdict(held: Held, weights: Weights, current: Weights) -> Verdict:
    """Better if what rises is used more than what falls, or the order gains, beyond chance, and neither is worse."""
    if weights.kinds == current.kinds and weights.sources == current.sources:
        return "nothing"
    if held.cards < LEAST_HELD:
        return "thin"
    gain, risen, fallen = held.first_gain, held.risen, held.fallen
    worse = [gain is not None and gain.high < 0, risen is not None and risen.high < 1]
    worse += [fallen is not None and fallen.low > 1]
    better = [gain is not None and gain.low > 0, risen is not None and risen.low > 1]
    better += [fallen is not None and fallen.high < 1]
    return "worse" if any(worse) else "better" if any(better) else "unclear"
