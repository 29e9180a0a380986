"""Searches one index version: meaning (FAISS) and words (BM25) together, judged by a calibrated probability."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Final, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from assist.domain import Article, ArticleLanguage, Case, Hit, Language, Phrase, Product, Situation
from assist.knowledge.copurchase import Neighbour
from assist.knowledge.dense import Dense
from assist.knowledge.lexical import Lexical
from assist.knowledge.passages import plain, reply_of, split, steps_of
from assist.knowledge.ranking import FEATURES, NO_CANDIDATES, RIVALS, Candidates, Relevance
from assist.text.segment import Segmenter, Term

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
"""Rows of the query means; the last, `other`, is the mean over all."""
PREFERRED: Final[dict[Language, tuple[ArticleLanguage, ...]]] = {
    "zh-Hans": ("zh-Hans", "zh-Hant", "en"),
    "zh-Hant": ("zh-Hant", "zh-Hans", "en"),
    "mixed": ("zh-Hans", "zh-Hant", "en"),
    "en": ("en", "zh-Hans", "zh-Hant"),
    "other": ("en", "zh-Hans", "zh-Hant"),
}
"""Which language version of an article a customer gets: the first that exists."""

NEAREST: Final = 150
"""Entries that the search by meaning looks at; their articles, or cases, are judged in full."""
BY_MEANING_LIMIT: Final = 24
BY_WORDS_LIMIT: Final = 12
"""Articles, or cases, that each of the two searches hands over."""
EXCERPT_CHARS: Final = 280
NEAR_EQUAL: Final = 0.05
"""Cases whose relevance differs by less are ordered by language and satisfaction."""
COPY: Final = 0.97
"""Cosine of the first passages from which two articles say the same; only the better one is a hit."""
CASES_CONSIDERED: Final = 4
"""Cases that are put in order, as a multiple of those asked for."""
KEPT_TEXTS: Final = 64
"""Texts whose terms are kept between `prepare` and `search`: those in flight, not a customer's history."""
MEANING: Final = "meaning"
"""The `why` of a hit that shares no word with the query."""
SMALL_TALK: Final = "small_talk"
"""Situation of sentences that want no answer."""
NOT_THERE: Final = np.float32(-2)
"""Below every cosine."""
UNKNOWN: Final = -1
"""Number of the situation of an article or case that names none."""
PRODUCT_INTERCEPT, PRODUCT_COSINE, PRODUCT_BM25 = -4.0, 8.0, 4.0
"""Logistic of a product's fit, set by hand on the demo conversations: nobody has judged products yet."""
PRODUCT_NAMED, PRODUCT_OTHER = 2.0, -1.5
"""What is added to it where the customer names a kind of product: to those of the kind, and to all others."""


class Entry(NamedTuple):
    """What a vector and its terms stand for: the owner's number, the passage in its body, whether it is internal."""

    owner: int
    start: int
    end: int
    is_internal: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection that is searched: vectors by entry, words by owner (an article version, a case, a product).

    `entries` holds an `Entry` as integers [entries, 4], ordered by owner. `groups` [owners] numbers what belongs
    together: the versions of one article share a number.
    """

    dense: Dense
    lexical: Lexical
    entries: NDArray[np.int32]
    groups: Ints
    entry_groups: Ints = field(init=False)
    _order: Ints = field(init=False)
    _starts: Ints = field(init=False)

    def __post_init__(self) -> None:
        entry_groups = self.groups[self.entries[:, 0]]
        counts = np.bincount(entry_groups, minlength=int(self.groups.max(initial=-1)) + 1)
        object.__setattr__(self, "entry_groups", entry_groups)
        object.__setattr__(self, "_order", np.argsort(entry_groups, kind="stable"))
        object.__setattr__(self, "_starts", np.concatenate([[0], np.cumsum(counts)]))

    def members(self, groups: Iterable[int]) -> Ints:
        """Entries of the groups, one group after the other."""
        return np.concatenate([self._order[self._starts[group] : self._starts[group + 1]] for group in groups])


class _ByWords(NamedTuple):
    """What the words of a text find on a shelf: the words, the best groups, the score of the text against itself."""

    words: list[str]
    groups: list[int]
    itself: float


class Knowledge:
    """One index version, opened. Immutable and safe to use from several threads.

    `together` says by SKU what is bought together with it; empty without an export of orders.
    """

    def __init__(
        self,
        *,
        version: str,
        encoder_version: str,
        created_at: datetime,
        articles: tuple[Article, ...],
        cases: tuple[Case, ...],
        phrases: tuple[Phrase, ...],
        products: Mapping[str, Product],
        situations: tuple[Situation, ...],
        shelves: Mapping[str, Shelf],
        query_means: Floats,
        phrase_vectors: Floats,
        situation_vectors: Floats,
        segmenter: Segmenter,
        relevance: Relevance,
        counts: Mapping[str, int],
        together: Mapping[str, tuple[Neighbour, ...]] | None = None,
    ) -> None:
        self.version, self.encoder_version = version, encoder_version
        self.created_at, self.counts = created_at, counts
        self.articles, self.cases, self.phrases = articles, cases, phrases
        self.products, self.situations = products, situations
        self._product_list = tuple(products.values())
        self.together = together or {}
        self._kinds = kinds_of(self._product_list, segmenter)
        self._shelves, self._means, self._relevance = shelves, query_means, relevance
        self.phrase_vectors, self._situation_vectors = phrase_vectors, situation_vectors
        sizes = [len(situation.examples) for situation in situations]
        self._situation_starts = np.cumsum([0, *sizes[:-1]]) if sizes else np.empty(0, np.int64)
        number = {situation.id: place for place, situation in enumerate(situations)}
        self._situation_number = number
        self._small_talk = number.get(SMALL_TALK)
        self._situation_reader = relevance.situations.of(tuple(number), query_means.shape[1])
        self._situation_of = {
            "articles": np.array([number.get(article.situation, UNKNOWN) for article in articles], np.int64),
            "cases": np.array([number.get(case.situation, UNKNOWN) for case in cases], np.int64),
            "products": np.zeros(len(products), np.int64),
        }
        self._last_situations: tuple[Floats | None, Floats] = (None, np.empty(0, np.float32))
        self._terms = lru_cache(maxsize=KEPT_TEXTS)(segmenter.analyse)
        self._article_mask = lru_cache(maxsize=256)(self._make_article_mask)
        self._case_mask = lru_cache(maxsize=16)(self._make_case_mask)
        self._same_script = lru_cache(maxsize=16)(self._make_same_script)
        self._shown_parts = lru_cache(maxsize=8192)(self._make_shown_parts)
        self._by_words = lru_cache(maxsize=4 * KEPT_TEXTS)(self._make_by_words)
        self._worded = lru_cache(maxsize=KEPT_TEXTS)(self._situation_reader.worded)

    def prepare(self, text: str, language: Language) -> None:
        """What the words of a text find and say, ahead of `search` in that language and of `likely_situations`."""
        for name in ("articles", "cases"):
            self._by_words(name, text, language)
        self._worded(text)

    def search(
        self,
        text: str,
        vector: Floats,
        *,
        language: Language,
        kinds: Sequence[str] = ("article", "case"),
        channel: str | None = None,
        limit: int = 5,
        on: date,
        about: Sequence[str] = (),
        audience: str = "customer",
        min_relevance: float = 0.0,
    ) -> list[Hit]:
        """Hits for a query, best first: at most `limit` articles, then at most `limit` cases.

        `vector` is the query's unit vector, which knows the turns before if the encoder read them. An article comes
        once, in the customer's variant or the next best, if it is valid `on` that day and in that `channel`, and not if
        it is for other products than those the talk is `about` (SKUs). For the `audience` customer, internal articles
        and notes are left out. Cases come in the customer's script only, so that their reply can be sent. Hits below
        `min_relevance` are not made.
        """
        terms = self._terms(text)
        situations = self._situation_scores(vector)
        hits: list[Hit] = []
        if "article" in kinds:
            mask = self._article_mask(language, on, channel, audience)
            found = self._candidates("articles", text, vector, situations, language, mask)
            relevance = self._relevance.article.one_of(found)
            for kept, copy in self._copies(found, relevance, 2 * limit):
                relevance[kept] += relevance[copy]  # the choice between the two was none
                relevance[copy] = -1
            fitting = [
                int(place)
                for place in np.argsort(-relevance, kind="stable")
                if relevance[place] >= max(min_relevance, 0)
                and not self._is_for_others(int(found.owners[place]), about)
            ]
            hits += [self._article_hit(found, place, float(relevance[place]), terms) for place in fitting[:limit]]
        if "case" in kinds:
            mask = self._case_mask(language)
            found = self._candidates("cases", text, vector, situations, language, mask)
            relevance = self._relevance.case.each(found)
            near = np.argsort(-relevance, kind="stable")[: CASES_CONSIDERED * limit].tolist()
            ranked = self._by_satisfaction(found, near, relevance, language)
            ranked = [place for place in ranked[:limit] if relevance[place] >= min_relevance]
            hits += [self._case_hit(found, place, float(relevance[place]), terms) for place in ranked]
        return hits

    def candidates(
        self,
        kind: str,
        text: str,
        vector: Floats,
        *,
        language: Language,
        on: date,
        among: Callable[[Article], bool] | None = None,
    ) -> Candidates:
        """Candidates of one kind (`article` or `case`) with their features, for training and evaluation.

        Other articles than those `among` are treated as if they did not exist.
        """
        situations = self._situation_scores(vector)
        if kind == "case":
            mask = self._case_mask(language)
            return self._candidates("cases", text, vector, situations, language, mask)
        if among is None:
            mask = self._article_mask(language, on, None, "customer")
            return self._candidates("articles", text, vector, situations, language, mask)
        mask = self._make_article_mask(language, on, None, "customer", among)
        known = np.array([among(article) for article in self.articles], np.bool_)
        entries = self._shelves["articles"].entries
        only = known[entries[:, 0]] & (entries[:, 3] == 0)
        return self._candidates("articles", text, vector, situations, language, mask, only)

    def situation(self, vector: Floats, hits: Sequence[Hit] = ()) -> tuple[str | None, float]:
        """(situation id, probability) of an utterance; the id is None where the probability is below one half."""
        name, probability = self.nearest_situation(vector, hits)
        return (name if probability >= 0.5 else None), probability

    def nearest_situation(self, vector: Floats, hits: Sequence[Hit] = ()) -> tuple[str | None, float]:
        """(likeliest situation id, its calibrated probability)."""
        return next(iter(self.likely_situations(vector, hits).items()), (None, 0.0))

    def likely_situations(
        self,
        vector: Floats,
        hits: Sequence[Hit] = (),
        limit: int = 3,
        *,
        memory: NDArray[np.float16] | None = None,
        text: str = "",
    ) -> dict[str, float]:
        """Calibrated probabilities of the `limit` likeliest situations, the first first.

        Found articles speak for their situations in proportion to their relevance; `memory` is what the encoder keeps
        of the turn and `text` the turn itself, where they are at hand.
        """
        if not self.situations:
            return {}
        support = np.zeros(len(self.situations), np.float32)
        for hit in hits:
            place = self._situation_number.get(hit.situation)
            if hit.kind == "article" and place is not None:
                support[place] = max(support[place], hit.relevance)
        query = centred(vector, self._means[-1])
        worded = self._worded(text) if text else None
        shares = self._situation_reader.probabilities(query, self._situation_scores(vector), support, memory, worded)
        best = np.argsort(-shares, kind="stable")[:limit].tolist()
        return {self.situations[place].id: float(shares[place]) for place in best}

    def phrase_similarities(self, vector: Floats, indices: Sequence[int]) -> Floats:
        """Cosines of the query with phrases, given by their numbers in `phrases`."""
        query = centred(vector, self._means[-1])
        similarities: Floats = self.phrase_vectors[np.asarray(indices, np.int64)] @ query
        return similarities

    def product_search(
        self, text: str, vector: Floats, *, language: Language, limit: int
    ) -> list[tuple[Product, float]]:
        """Products that fit what is asked for, best first, with a score in 0–1; worth showing from about 0.5."""
        terms = self._terms(text)
        shelf = self._shelves["products"]
        mask = np.ones(len(shelf.entries), np.bool_)
        found = self._candidates("products", text, vector, self._situation_scores(vector), language, mask)
        bm25 = found.features[:, FEATURES.index("bm25")]
        fit = PRODUCT_INTERCEPT + PRODUCT_COSINE * found.cosines + PRODUCT_BM25 * bm25
        named = set().union(*(self._kinds.get(term.term, ()) for term in terms))
        if named:
            fit += np.where(np.isin(found.owners, list(named)), PRODUCT_NAMED, PRODUCT_OTHER)
        scores = 1 / (1 + np.exp(-fit))
        best = np.argsort(-scores, kind="stable")[:limit]
        return [(self._product_list[found.owners[place]], float(scores[place])) for place in best]

    def _candidates(
        self,
        name: str,
        text: str,
        vector: Floats,
        situations: Floats,
        language: Language,
        mask: Mask,
        only: Mask | None = None,
    ) -> Candidates:
        """What meaning or words find. `mask` [entries] says what may be shown, `only` what may be looked at at all.

        `situations` are `_situation_scores` of the vector.
        """
        shelf = self._shelves[name]
        by_words = self._by_words(name, text, language)
        words, brief = by_words.words, 1 / (1 + len(set(by_words.words)))
        query = centred(vector, self._means[LANGUAGES.index(language)])
        near, _ = shelf.dense.search(query, NEAREST, mask)
        by_meaning = list(dict.fromkeys(shelf.entry_groups[near].tolist()))[:BY_MEANING_LIMIT]
        groups = sorted({*by_meaning, *by_words.groups})  # so that of equals the same one always comes first
        if not groups:
            return NO_CANDIDATES
        entries = shelf.members(groups)
        visible = mask[entries] | (shelf.entries[entries, 3] == 0) if only is None else only[entries]
        entries = entries[visible]
        if not len(entries):
            return NO_CANDIDATES
        cosines = shelf.dense.cosines(query, entries)
        shown = mask[entries]
        best_entries, best, second, abroad = _judged_together(shelf.entry_groups[entries], entries, cosines, shown)
        if not len(best_entries):
            return NO_CANDIDATES
        owners = shelf.entries[best_entries, 0].astype(np.int64)
        same_script = self._same_script(name, language)
        bm25 = np.where(same_script[owners], shelf.lexical.scores_of(words, owners), np.float32(0))
        itself = by_words.itself
        rivals = np.sort(best)[::-1][1 : 1 + RIVALS]
        features = np.column_stack(
            [
                best,
                second,
                abroad,
                bm25 / itself if itself else np.zeros(len(owners)),
                self._lead(name, owners, situations),
                same_script[owners],
            ]
        ).astype(np.float64)
        ahead = 0.0
        if self._small_talk is not None:
            ahead = situations[self._small_talk] - np.delete(situations, self._small_talk).max(initial=0)
        about_query = np.array([1, rivals.mean() if len(rivals) else 0, brief, max(ahead, 0)], np.float64)
        return Candidates(owners, best_entries, best, bm25, features, about_query)

    def _make_by_words(self, name: str, text: str, language: Language) -> _ByWords:
        shelf = self._shelves[name]
        words = [shelf.lexical.spelled(term.term) for term in self._terms(text)]
        found, _ = shelf.lexical.best(words, BY_WORDS_LIMIT, self._same_script(name, language))
        return _ByWords(words, shelf.groups[found].tolist(), shelf.lexical.self_score(words))

    def _copies(self, found: Candidates, relevance: NDArray[np.float64], limit: int) -> list[tuple[int, int]]:
        """(place kept, place of a copy of it) among the `limit` most relevant articles."""
        order = np.argsort(-relevance, kind="stable")[:limit]
        shelf = self._shelves["articles"]
        firsts = np.searchsorted(shelf.entries[:, 0], found.owners[order])
        vectors = shelf.dense.vectors(firsts)
        alike = np.triu(vectors @ vectors.T >= COPY, 1)
        found_copies: dict[int, int] = {}
        for kept, copy in np.argwhere(alike).tolist():
            if kept not in found_copies:
                found_copies.setdefault(copy, kept)
        return [(int(order[kept]), int(order[copy])) for copy, kept in found_copies.items()]

    def _lead(self, name: str, owners: Ints, situations: Floats) -> Floats:
        """How far each owner's situation is behind the nearest; 0 where it names none: nothing speaks against it."""
        if not len(situations):
            return np.zeros(len(owners), np.float32)
        numbers = self._situation_of[name][owners]
        return np.where(numbers == UNKNOWN, 0, situations[numbers] - situations.max())

    def _situation_scores(self, vector: Floats) -> Floats:
        """Cosine of the nearest example of each situation."""
        if not self.situations:
            return np.empty(0, np.float32)
        known, scores = self._last_situations
        if known is not vector:  # `search` and `situation` ask for the same vector, one after the other
            query = centred(vector, self._means[-1])
            scores = np.maximum.reduceat(self._situation_vectors @ query, self._situation_starts)
            self._last_situations = (vector, scores)
        return scores

    def _make_same_script(self, name: str, language: Language) -> Mask:
        """Owners whose words can match the query's: Han against Han, Latin against Latin, mixed against both."""
        if language == "mixed" or name == "products":
            return np.ones(len(self._shelves[name].groups), np.bool_)
        records: Sequence[Article | Case] = self.articles if name == "articles" else self.cases
        is_latin = language in ("en", "other")
        return np.array([(record.language == "en") == is_latin for record in records], np.bool_)

    def _make_article_mask(
        self,
        language: Language,
        on: date,
        channel: str | None,
        audience: str,
        among: Callable[[Article], bool] | None = None,
    ) -> Mask:
        """Entries of the one version of each article that this customer may get today."""
        chosen: dict[str, int] = {}
        order = PREFERRED[language]
        for number, article in enumerate(self.articles):
            if among is not None and not among(article):
                continue
            if _may_show(article, on, channel, audience):
                best = chosen.get(article.id)
                if best is None or order.index(article.language) < order.index(self.articles[best].language):
                    chosen[article.id] = number
        entries = self._shelves["articles"].entries
        is_chosen = np.zeros(len(self.articles), np.bool_)
        is_chosen[list(chosen.values())] = True
        mask = is_chosen[entries[:, 0]]
        if audience == "customer":
            mask &= entries[:, 3] == 0
        return mask

    def _is_for_others(self, number: int, about: Sequence[str]) -> bool:
        """Whether an article names products, but neither those talked about nor any of their categories."""
        named = self.articles[number].products
        if not about or not named or set(named) & set(about):
            return False
        of_named, of_about = (
            {self.products[sku].category for sku in skus if sku in self.products} for skus in (named, about)
        )
        return not of_named & of_about

    def _make_case_mask(self, language: Language) -> Mask:
        owners = self._shelves["cases"].entries[:, 0]
        if language == "mixed":
            return np.array([self.cases[owner].language != "en" for owner in owners], np.bool_)
        return self._same_script("cases", language)[owners]

    def _make_shown_parts(self, number: int, start: int, end: int) -> tuple[str, str, tuple[str, ...]]:
        """(excerpt of the passage, what can be sent, steps) of an article."""
        body = self.articles[number].body
        return _excerpt(plain(body[start:end])), reply_of(body, start, end), steps_of(body)

    def _article_hit(self, found: Candidates, place: int, relevance: float, terms: Sequence[Term]) -> Hit:
        owner, start, end, _ = (int(value) for value in self._shelves["articles"].entries[found.entries[place]])
        article = self.articles[owner]
        excerpt, reply, steps = self._shown_parts(owner, start, end)
        return Hit(
            kind="article",
            id=article.id,
            language=article.language,
            title=article.title,
            excerpt=excerpt,
            reply=reply,
            steps=steps,
            situation=article.situation,
            version=article.version,
            start=start,
            end=end,
            audience=article.audience,
            cosine=float(found.cosines[place]),
            bm25_score=float(found.bm25_scores[place]),
            relevance=relevance,
            why=self._why("articles", owner, terms),
            confirmed_at=article.confirmed_at,
        )

    def _case_hit(self, found: Candidates, place: int, relevance: float, terms: Sequence[Term]) -> Hit:
        owner = int(found.owners[place])
        case = self.cases[owner]
        return Hit(
            kind="case",
            id=case.id,
            language=case.language,
            title=_excerpt(case.problem),
            excerpt=_excerpt(case.resolution),
            reply=case.reply,
            steps=(),
            situation=case.situation,
            version=self.version,
            start=0,
            end=0,
            audience="customer",
            cosine=float(found.cosines[place]),
            bm25_score=float(found.bm25_scores[place]),
            relevance=relevance,
            why=self._why("cases", owner, terms),
            tried=case.tried,
            outcome=case.outcome,
            csat=case.csat,
            confirmed_at=case.closed_at,
        )

    def _by_satisfaction(
        self, found: Candidates, places: list[int], relevance: NDArray[np.float64], language: Language
    ) -> list[int]:
        """Places in order of relevance, near equals in order of language, outcome and satisfaction."""

        def rank(place: int) -> tuple[bool, bool, int, float]:
            case = self.cases[int(found.owners[place])]
            is_foreign = case.language != PREFERRED[language][0]
            return is_foreign, case.outcome != "resolved", -(case.csat or 0), -float(relevance[place])

        ordered: list[int] = []
        while places:
            near = [place for place in places if relevance[places[0]] - relevance[place] < NEAR_EQUAL]
            places = places[len(near) :]
            ordered += sorted(near, key=rank)
        return ordered

    def _why(self, name: str, owner: int, terms: Sequence[Term]) -> str:
        """The query's words that the hit shares, as the customer wrote them."""
        lexical = self._shelves[name].lexical
        shared = (t.surface for t in terms if lexical.holds(owner, lexical.spelled(t.term)))
        return ", ".join(dict.fromkeys(shared)) or MEANING


def _judged_together(groups: Ints, entries: Ints, cosines: Floats, shown: Mask) -> tuple[Ints, Floats, Floats, Floats]:
    """(best entry, its cosine, the second-best cosine, the best that is not shown) of each group with a shown entry.

    The entries of a group stand together, in their order. Where there is no second or nothing unshown, the best stands
    in.
    """
    is_start = np.ones(len(groups), np.bool_)
    np.not_equal(groups[1:], groups[:-1], out=is_start[1:])
    starts, run = np.flatnonzero(is_start), np.cumsum(is_start) - 1
    visible = np.where(shown, cosines, NOT_THERE)
    best = np.maximum.reduceat(visible, starts)
    at_best = np.flatnonzero(visible == best[run])
    places = np.empty(len(starts), np.int64)
    places[run[at_best[::-1]]] = at_best[::-1]  # of equals the first
    visible[places] = NOT_THERE
    second = np.maximum.reduceat(visible, starts)
    abroad = np.maximum.reduceat(np.where(shown, NOT_THERE, cosines), starts)
    kept = best > NOT_THERE
    found, best, second, abroad = entries[places[kept]], best[kept], second[kept], abroad[kept]
    return found, best, np.where(second > NOT_THERE, second, best), np.where(abroad > NOT_THERE, abroad, best)


def _may_show(article: Article, on: date, channel: str | None, audience: str) -> bool:
    if article.status != "published" or (audience == "customer" and article.audience != "customer"):
        return False
    if (article.valid_from and on < article.valid_from) or (article.valid_until and on > article.valid_until):
        return False
    # A conversation does not say where the customer lives, so articles for Hong Kong and Taiwan are never left out.
    where = "store" if channel == "store" else "online"
    return channel is None or bool({"all", "hk_tw", where} & set(article.channels))


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT_CHARS else text[: EXCERPT_CHARS - 1].rstrip() + "…"


def words_of(record: Article | Case | Product) -> str:
    """The text whose words find a record: an article without its agent notes, a case with its solution."""
    if isinstance(record, Article):
        parts = [plain(record.body[cut.start : cut.end]) for cut in split(record.body) if cut.section != "notes"]
        return "\n".join([record.title, *record.tags, *record.questions, *parts])
    if isinstance(record, Case):
        return f"{record.problem}\n{record.resolution}"
    values = [str(value) for value in record.attributes.values()]
    return "\n".join([*record.titles.values(), *record.pitches.values(), record.sku, record.category, *values])


def kinds_of(products: Sequence[Product], segmenter: Segmenter) -> dict[str, frozenset[int]]:
    """Numbers of the products whose title has a term, for terms that name a kind: those of one category only."""
    holders: dict[str, set[int]] = {}
    for number, product in enumerate(products):
        for title in product.titles.values():
            for term in segmenter.analyse(title):
                holders.setdefault(term.term, set()).add(number)
    return {
        term: frozenset(numbers)
        for term, numbers in holders.items()
        if len({products[number].category for number in numbers}) == 1
    }


def centred(vectors: Floats, mean: Floats) -> Floats:
    """Unit vectors around a mean: what all texts of a language have in common says nothing about one of them.

    `vectors` is [n, dimension] or [dimension]. The method is Mu and Viswanath 2018 (arXiv:1702.01417), step 1.
    """
    moved = vectors - mean
    lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
    unit: Floats = (moved / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit
