"""How often suggestions are used once they are read: a position-based click model, fitted to the log.

A card is used if it is read and good. Whether it is read depends on its place on the screen alone, whether it is good
on what it is (Craswell et al. 2008; by expectation-maximisation, without an experiment, as in Wang et al. 2018). A card
that nobody touched was either not read or read and left; one that was used or turned away was read. So an ignored card
at the bottom speaks against its source far less than one that was turned away. The first place counts as always read:
only what is read relative to it can be known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PLACES = 5
"""Places told apart; cards further down are taken together with the last."""

_ROUNDS = 300
_CLOSE = 1e-5
_LEAST_CARDS = 50
"""A place with fewer cards is taken to be read as often as the one above it."""
_LEAST_READ = 0.05
_NO_SPREAD = 1e6
"""Strength of the prior where sources do not differ by more than chance."""
_LARGEST, _SMALLEST = 5.0, 0.2


def sums(group: Ints, values: npt.ArrayLike, size: int) -> Floats:
    """The sum of the values of each group, numbered from 0."""
    return np.bincount(group, values, size).astype(np.float64)


class Cards(NamedTuple):
    """Suggestions in columns, numbered from 0: `level` is the kind with the quarter of its relevance.

    `sizes` are how many levels, kinds and sources there are, in these rows or others.
    """

    place: Ints
    level: Ints
    kind: Ints
    source: Ints
    talk: Ints
    used: Bools
    refused: Bools
    sizes: tuple[int, int, int]

    def where(self, chosen: Bools) -> "Cards":
        """The chosen rows."""
        return Cards(
            self.place[chosen],
            self.level[chosen],
            self.kind[chosen],
            self.source[chosen],
            self.talk[chosen],
            self.used[chosen],
            self.refused[chosen],
            self.sizes,
        )


class Tally(NamedTuple):
    """By group: how often it was `used`, how often cards of like relevance would have been, how often it was `read`.

    `spread` is the variance of used − expected by chance: that of independent cards, or that seen between
    conversations if it is larger. Groups of one `family` have a prior in common.
    """

    used: Floats
    expected: Floats
    read: Floats
    spread: Floats
    family: Ints

    @property
    def z(self) -> Floats:
        """How many standard deviations the use is from what was expected."""
        return (self.used - self.expected) / np.sqrt(np.maximum(self.spread, 1e-9))


@dataclass(frozen=True, slots=True)
class Fit:
    """The fitted model: how often each place is read, how often a read card of each level, or any, is used.

    `refused` is how often a card that was read and not used is turned away.
    """

    read_at: Floats
    used_at: Floats
    refused: float
    overall: float
    sources: Tally
    kinds: Tally


def fit(cards: Cards, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Fit:
    """Fit the model to at least one card.

    In it a source's factor is (used + s) / (expected + s): the mean of a Gamma(s, s) prior with mean 1 after these
    cards, as in empirical Bayes (Robbins 1956; Efron and Morris 1975; for observed over expected DuMouchel 1999). s is
    one over the variance between the sources of a kind beyond chance, so where they do not differ factors are near 1.
    """
    place, used, refused = cards.place, cards.used.astype(float), cards.refused
    levels, kinds, sources = cards.sizes
    touched = cards.used | refused
    kind_of = np.zeros(sources, np.int64)
    kind_of[cards.source] = cards.kind
    on_place = sums(place, np.ones(len(place)), PLACES)
    read_at = 1 / np.sqrt(np.arange(1, PLACES + 1))
    used_at = np.full(levels, max(used.mean(), 0.01))
    factor, refusing = np.ones(sources), 0.3
    for number in range(_ROUNDS):
        progress(number, _ROUNDS)
        good = np.clip(used_at[cards.level] * factor[cards.source], 1e-4, 0.99)
        left = read_at[place] * (1 - good) * (1 - refusing)
        read = np.where(touched, 1.0, left / (1 - read_at[place] + left))
        before = read_at
        read_at = _read_at(sums(place, read, PLACES), on_place)
        refusing = min(float(refused.sum() / max(float((read * (1 - used)).sum()), 1e-9)), 0.99)
        weighed = sums(cards.level, read * factor[cards.source], levels)
        overall = used.sum() / max(read.sum(), 1e-9)
        used_at = np.where(weighed > 0, sums(cards.level, used, levels) / np.maximum(weighed, 1e-9), overall)
        known, factor = factor, drawn(*_use(cards.source, cards, read, used_at[cards.level], sources), kind_of)
        if np.abs(factor - known).max() + np.abs(read_at - before).max() < _CLOSE:
            break
    progress(_ROUNDS, _ROUNDS)
    tally = _tally(cards.source, cards, read, used_at[cards.level], kind_of)
    of_kinds = _tally(cards.kind, cards, read, np.full(len(used), overall), np.zeros(kinds, np.int64))
    return Fit(read_at, used_at, refusing, float(overall), tally, of_kinds)


def _read_at(read: Floats, cards: Floats) -> Floats:
    found = np.ones(PLACES)
    for place in range(1, PLACES):
        few = cards[place] < _LEAST_CARDS
        found[place] = found[place - 1] if few else max(read[place] / cards[place], _LEAST_READ)
    return found


def _use(group: Ints, cards: Cards, read: Floats, rate: Floats, size: int) -> tuple[Floats, Floats, Floats]:
    """By group: used, expected at a rate for each card, and how far they differ by chance if cards are independent."""
    hoped = read * rate
    by_chance = hoped * np.maximum(1 - rate, 0.01)
    return sums(group, cards.used, size), sums(group, hoped, size), sums(group, by_chance, size)


def drawn(used: Floats, expected: Floats, by_chance: Floats, family: Ints) -> Floats:
    """Used ÷ expected drawn towards 1, the more the less the groups of its family differ beyond chance."""
    families = int(family.max()) + 1
    beyond = sums(family, (used - expected) ** 2 - by_chance, families)
    variance = np.maximum(beyond, 0) / np.maximum(sums(family, expected**2, families), 1e-9)
    strength = np.minimum(1 / np.maximum(variance, 1e-9), _NO_SPREAD)[family]
    return np.clip((used + strength) / (expected + strength), _SMALLEST, _LARGEST)


def _tally(group: Ints, cards: Cards, read: Floats, rate: Floats, family: Ints) -> Tally:
    size = len(family)
    used, expected, by_chance = _use(group, cards, read, rate, size)
    # What one conversation says of a source is one opinion, however many cards it had.
    talks = int(cards.talk.max()) + 1
    pairs, pair = np.unique(group * talks + cards.talk, return_inverse=True)
    by_talk = sums(pair, cards.used - read * rate, len(pairs)) ** 2
    spread = np.maximum(by_chance, sums(pairs // talks, by_talk, size))
    return Tally(used, expected, sums(group, read, size), spread, family)
