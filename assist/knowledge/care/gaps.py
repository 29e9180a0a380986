"""What customers ask and the articles do not answer: clusters of the log's open questions, with a draft for each."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assist.domain import NEGATIVE, ArticleLanguage, Language, OpenQuestion
from assist.knowledge.care.vectors import Progress, centred_queries
from assist.knowledge.index import TextEncoder
from assist.knowledge.search import SMALL_TALK, Knowledge
from assist.knowledge.sources.blocks import clean
from assist.text.normalise import normalise
from assist.text.segment import Segmenter
from assist.text.small_talk import is_small_talk

Floats = NDArray[np.float32]

TOGETHER: Final = 0.45
"""Mean cosine of a cluster's questions with each other. Of all pairs of questions to the two imagined shops that no
weight was trained on, 30 % of those that want the same article reach it, and 13 % of the pairs that reach it do."""
LEAST_WORDS: Final = 2
"""Content words below which a sentence is no question by itself: 那怎么弄, "and that one?"."""
MOST_QUESTIONS: Final = 5000
"""Different questions that are grouped, of each period the newest first; more would take minutes."""
EXAMPLES: Final = 5
TERMS: Final = 4

_PLACEHOLDER: Final = re.compile(r"\[[A-Z]+\]")
_ASKS: Final = re.compile(
    r"[?？]|[吗嗎呢么麼]\s*[。!！]*$|怎[么麼样樣]|如何|什么|什麼|哪|为什么|為什麼|几|幾|多少|多久|能不能|可不可以|能否|是不是|有没有|有沒有"
    r"|(?:^|[.!,;] )(?:(?:and|but|so|then|hi|hello) )?"
    r"(?:how|what|when|where|which|who|why|can|could|do|does|did|is|are|will)\b",
    re.IGNORECASE,
)
_WANTS: Final = re.compile(
    r"请问|請問|我想|我要|想要|想问|想問|帮我|幫我|帮忙|幫忙|麻烦|麻煩|求|不知道|不会|不會|没法|沒法|无法|無法"
    r"|\b(?:please|pls|tell me|help|how to|i want|i need|i'd like|i would like|looking for|wondering"
    r"|can't|cannot|unable)\b",
    re.IGNORECASE,
)
_QUESTION_END: Final = re.compile(r"(?:[?？]|[吗嗎呢])\s*$")
_SENDABLE: Final[dict[Language, ArticleLanguage]] = {
    "zh-Hans": "zh-Hans",
    "zh-Hant": "zh-Hant",
    "en": "en",
    "mixed": "zh-Hans",
    "other": "en",
}
_TO_WRITE: Final[dict[ArticleLanguage, str]] = {
    "zh-Hans": "（请在这里写 1–4 句可以直接发给顾客的回答。）",
    "zh-Hant": "（請在這裡寫 1–4 句可以直接傳給顧客的回答。）",
    "en": "(Write the answer here, in 1–4 sentences that an agent can send as they stand.)",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """A group of questions without an answer.

    `count` and `before` are conversations in this period and in the one before it; all other figures are of this
    period. `negative` is the share of the questions with a negative emotion, `intensity` their mean intensity (0–1).
    `dismissed` counts by article or case how often it was turned down; where nothing was found it is empty.
    """

    id: str
    title: str
    terms: tuple[str, ...]
    examples: tuple[str, ...]
    count: int
    before: int
    questions: int
    nothing_found: int
    dismissed: dict[str, int]
    negative: float
    intensity: float
    languages: dict[str, int]
    situation: str | None
    draft_name: str
    draft: str


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps of a period, the costliest first, and what was looked at.

    `asked` are open questions of both periods, `small_talk` those that want no answer by themselves, `answered` those
    that the active index answers by now, `single` those in groups below the minimum, `left_out` those over the limit.
    """

    since: datetime
    until: datetime
    gaps: tuple[Gap, ...]
    asked: int
    small_talk: int
    answered: int
    single: int
    left_out: int


@dataclass(slots=True)
class _Group:
    """Equal questions: they are encoded once."""

    questions: list[OpenQuestion]
    vector: Floats


def find_gaps(
    asked: Sequence[OpenQuestion],
    *,
    until: datetime,
    days: int,
    least: int,
    threshold: float,
    encoder: TextEncoder,
    knowledge: Knowledge,
    means: Floats,
    progress: Progress | None = None,
) -> Gaps:
    """Group the open questions of two periods of `days` that end at `until`.

    A gap has at least `least` conversations in the second period. What the opened index answers with a relevance of at
    least `threshold` is no gap any more, unless that very article was dismissed. `means` [languages, dimension] are the
    index's mean question vectors. `progress` is called with questions encoded and to encode.
    """
    since = until - timedelta(days=days)
    segmenter = Segmenter()
    worth = [question for question in asked if is_question(question, segmenter)]
    by_text: dict[str, list[OpenQuestion]] = {}
    for question in reversed(worth):
        by_text.setdefault(normalise(question.text).lower().rstrip("?？。.!！"), []).append(question)
    # Both periods need their share, or every gap of a busy period would look new.
    newest = list(by_text.values())
    earlier = sum(same[0].at < since for same in newest)
    room = max(MOST_QUESTIONS // 2, MOST_QUESTIONS - earlier)
    current = newest[: len(newest) - earlier][:room]
    texts = current + newest[len(newest) - earlier :][: MOST_QUESTIONS - len(current)]
    groups = []
    answered = 0
    for done, same in enumerate(texts, 1):
        vector = encoder.encode_query(same[0].text).vector
        still_open = [one for one in same if not _is_answered(one, vector, knowledge, threshold, until.date())]
        answered += len(same) - len(still_open)
        if still_open:
            groups.append(_Group(still_open, vector))
        if progress is not None:
            progress(done, len(texts))
    gaps = []
    single = 0
    if groups:
        vectors = np.stack([group.vector for group in groups])
        meanings = centred_queries(vectors, [group.questions[0].language for group in groups], means)
        rarity = _rarity([segmenter.terms(group.questions[0].text) for group in groups])
        for rows in clusters(meanings, [len(group.questions) for group in groups], TOGETHER):
            gap = _gap([groups[row] for row in rows], meanings[rows], since, segmenter, rarity, knowledge)
            if gap.count >= least:
                gaps.append(gap)
            else:
                single += sum(len(groups[row].questions) for row in rows)
    gaps.sort(key=lambda gap: (-gap.count * (1 + gap.negative * gap.intensity), gap.id))
    return Gaps(
        since=since,
        until=until,
        gaps=tuple(gaps),
        asked=len(asked),
        small_talk=len(asked) - len(worth),
        answered=answered,
        single=single,
        left_out=len(worth) - sum(map(len, texts)),
    )


def is_question(question: OpenQuestion, segmenter: Segmenter) -> bool:
    """Whether an article could answer this sentence by itself.

    Not small talk, thanks, text that was not understood, too few content words, the bare answer to an agent's question
    ("the blue one, in M"), nor what merely goes on with a conversation ("that at least is a plan").
    """
    if question.emotion == "unknown" or question.situation == SMALL_TALK or is_small_talk(question.text):
        return False
    if question.emotion == "satisfied" and not question.dismissed:
        return False
    text = _PLACEHOLDER.sub(" ", question.text)
    words = {found.surface for found in segmenter.analyse(text) if not found.term[0].isdigit()}
    if len(words) < LEAST_WORDS:
        return False
    if question.before is not None and _QUESTION_END.search(question.before):
        return bool(_ASKS.search(text))
    return question.is_opening or bool(question.dismissed or _ASKS.search(text) or _WANTS.search(text))


def clusters(vectors: Floats, weights: Sequence[int], threshold: float) -> list[list[int]]:
    """Average-linkage clusters of unit vectors [n, dimension]: rows that belong together, the largest first.

    `weights` say how often each row counts. Two clusters are joined while the mean cosine of their members is at least
    `threshold`. Nearest-neighbour chains (Murtagh 1983, doi:10.1093/comjnl/26.4.354) find the same clusters as joining
    the nearest pair each time; the mean cosine of two clusters is the product of their mean vectors, so no matrix of
    all pairs is needed.
    """
    sums = vectors * np.asarray(weights, np.float32)[:, None]
    sizes = np.asarray(weights, np.float32).copy()
    members: list[list[int]] = [[row] for row in range(len(vectors))]
    active = np.ones(len(vectors), bool)
    means = sums / sizes[:, None]
    finished: list[list[int]] = []
    chain: list[int] = []
    while active.any():
        if not chain:
            chain.append(int(np.argmax(active)))
        tip = chain[-1]
        likeness = means @ means[tip]
        likeness[~active] = -np.inf
        likeness[tip] = -np.inf
        nearest = int(np.argmax(likeness))
        if len(chain) > 1 and likeness[chain[-2]] >= likeness[nearest]:
            nearest = chain[-2]
        if likeness[nearest] < threshold:
            # Joining others only lowers their mean cosine with this one, so it stays alone.
            finished.append(members[tip])
            active[tip] = False
            chain.pop()
        elif len(chain) > 1 and nearest == chain[-2]:
            sums[nearest] += sums[tip]
            sizes[nearest] += sizes[tip]
            means[nearest] = sums[nearest] / sizes[nearest]
            members[nearest] += members[tip]
            active[tip] = False
            del chain[-2:]
        else:
            chain.append(nearest)
    return sorted(map(sorted, finished), key=lambda rows: (-sum(weights[row] for row in rows), rows))


def _is_answered(question: OpenQuestion, vector: Floats, knowledge: Knowledge, threshold: float, on: date) -> bool:
    if knowledge.situation(vector)[0] == SMALL_TALK:
        return True
    hits = knowledge.search(
        question.text,
        vector,
        language=question.language,
        kinds=("article",),
        limit=1,
        on=on,
        min_relevance=threshold,
    )
    return bool(hits) and hits[0].id not in question.dismissed


def _rarity(texts: Sequence[Sequence[str]]) -> dict[str, float]:
    counts = Counter(term for terms in texts for term in set(terms))
    return {term: math.log(1 + len(texts) / count) for term, count in counts.items()}


def _gap(
    groups: Sequence[_Group],
    meanings: Floats,
    since: datetime,
    segmenter: Segmenter,
    rarity: dict[str, float],
    knowledge: Knowledge,
) -> Gap:
    weights = np.array([len(group.questions) for group in groups], np.float32)
    centre = weights @ meanings
    order = np.argsort(-(meanings @ centre), kind="stable")
    now = [question for group in groups for question in group.questions if question.at >= since]
    counted = now or [question for group in groups for question in group.questions]
    negative = [question for question in counted if question.emotion in NEGATIVE]
    languages = Counter(question.language for question in counted)
    language = _SENDABLE[languages.most_common(1)[0][0]]
    examples = [groups[row].questions[0] for row in order]
    own = [clean(one.text) for one in examples if _SENDABLE[one.language] == language][:EXAMPLES]
    texts = (own + [text for one in examples if (text := clean(one.text)) not in own])[:EXAMPLES]
    words = Counter(term for group in groups for term in set(segmenter.terms(group.questions[0].text)))
    surfaces = {found.term: found.surface for group in groups for found in segmenter.analyse(group.questions[0].text)}
    terms = sorted(words, key=lambda term: (-words[term] * rarity.get(term, 0), term))[:TERMS]
    situation = _situation(counted, np.stack([group.vector for group in groups]), weights, knowledge)
    digest = hashlib.sha256(texts[0].encode("utf-8", "replace")).hexdigest()[:8]
    id_ = f"gap-{digest}"
    before = [question for group in groups for question in group.questions if question.at < since]
    return Gap(
        id=id_,
        title=texts[0],
        terms=tuple(surfaces[term] for term in terms),
        examples=tuple(texts),
        count=len({question.conversation_id for question in now}),
        before=len({question.conversation_id for question in before}),
        questions=len(counted),
        nothing_found=sum(not question.dismissed for question in counted),
        dismissed=dict(Counter(source for question in counted for source in question.dismissed).most_common()),
        negative=len(negative) / len(counted),
        intensity=sum(question.intensity for question in negative) / len(negative) if negative else 0.0,
        languages=dict(languages.most_common()),
        situation=situation,
        draft_name=f"{id_}.{language}.md",
        draft=_draft(id_, language, own or texts, situation),
    )


def _situation(questions: Sequence[OpenQuestion], vectors: Floats, weights: Floats, knowledge: Knowledge) -> str | None:
    """The situation that most of the questions were logged with, else the one nearest to their mean."""
    logged = Counter(question.situation for question in questions if question.situation)
    if logged:
        return logged.most_common(1)[0][0]
    mean = weights @ vectors
    return knowledge.nearest_situation((mean / np.linalg.norm(mean)).astype(np.float32))[0]


def _draft(id_: str, language: ArticleLanguage, examples: Sequence[str], situation: str | None) -> str:
    """An article in our format that lacks its answer only. JSON is YAML, since control characters are out."""
    values = {
        "id": id_,
        "title": examples[0][:200],
        "language": language,
        "status": "draft",
        "valid_from": None,
        "valid_until": None,
        "confirmed_at": None,
        "channel": ["all"],
        "products": [],
        "tags": [],
        "situation": situation or "",
        "audience": "customer",
        "questions": list(examples),
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---", "", _TO_WRITE[language], ""])
