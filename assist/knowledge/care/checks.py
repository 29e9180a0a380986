"""Checks the published articles of a knowledge folder, and what the log says about them."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final, get_args
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from assist.domain import Article, ArticleLanguage, ArticleUse, Situation
from assist.errors import Problem
from assist.knowledge.care.contradictions import contradictions, statements
from assist.knowledge.care.findings import Finder, Finding, Kind, Place, Quote, ordered
from assist.knowledge.care.vectors import Progress, centred_passages, passage_vectors
from assist.knowledge.index import IndexStore, TextEncoder
from assist.knowledge.passages import MAX_TOKENS, answer_of, plain, split, steps_of, tokens
from assist.text.counting import counted
from assist.text.language import detect
from assist.text.normalise import normalise
from assist.text.segment import Segmenter

Floats = NDArray[np.float32]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
BY_MEANING: Final[frozenset[Kind]] = frozenset({"contradiction", "duplicate"})
"""Kinds that need the encoder."""
BY_LOG: Final[frozenset[Kind]] = frozenset({"never_shown", "often_dismissed"})
"""Kinds that need the log; missing languages are judged with it if it is there."""

SHARED_WORDS: Final = 0.6
"""Share of all words that two articles have in common, from which they are near-identical. Of the demo articles, which
share whole sentences on refund times, no two reach 0.55; copies with every second sentence reworded stay above 0.6."""
NEAR_LEADS: Final = 0.9
"""Cosine of title and answer that near-identical articles must have besides."""
SOON: Final = timedelta(days=30)
"""Time enough to agree on a new rule and to write it down in three languages."""
CONFIRMED_WITHIN: Final = timedelta(days=365)
"""Terms and price lists are mostly set for a year."""
MOST_PASSAGES: Final = 8
"""Some 1,400 tokens, 2,000 Chinese characters or 1,000 English words: more than one question's answer, and longer than
an agent can read while a customer waits."""
MOST_STEPS: Final = 12
"""More steps than can be kept apart in a chat; such a procedure mostly is several."""
COMMON_LANGUAGE: Final = 0.9
"""Share of the topics from which a language is meant to have all of them, so that a gap in it was forgotten."""
ASKED_ABROAD: Final = 3
"""Customers of a language who got a topic in another one, from which its version is missed."""
SHOWN_PER_TOPIC: Final = 10
"""Answers in the log a topic, before a topic that was never shown means anything: one that is asked for a third as
often as the average has been missed by chance in under 4 % of such logs (e to the power of -10/3)."""
DISMISSED_MORE: Final = 0.5
"""An article is often dismissed if agents turn it down more often than they use it, with 97.5 % certainty."""
_Z: Final = 1.96

# Possessive, and no target holds a ]: each place of a text is read once.
_LINK: Final = re.compile(r"\]\(\s*+<?+([^)\]\s>]++)>?+[^)\]]*+\)")
_URL: Final = re.compile(r"https?://", re.IGNORECASE)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_DANGLING: Final = "leads nowhere"


@dataclass(frozen=True, slots=True)
class KnowledgeFolder:
    """What is checked: a folder's records, what its reader complained of, and what the log says (None if not asked)."""

    folder: Path
    articles: Sequence[Article]
    situations: Sequence[Situation]
    glossary: Sequence[Sequence[str]]
    problems: Sequence[Problem]
    use: Sequence[ArticleUse] | None


def check(
    source: KnowledgeFolder,
    *,
    today: date,
    encoder: Callable[[], TextEncoder],
    store: IndexStore,
    kinds: Collection[Kind] = KINDS,
    dead_urls: Callable[[Sequence[str]], Mapping[str, str]] | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Everything that is wrong, by kind.

    `encoder` is loaded only if a kind needs it; `progress` is called with texts encoded and to encode. `dead_urls`
    tells which web addresses are dead and why; without it they are not looked at.
    """
    published = [article for article in source.articles if article.status == "published"]
    finder = Finder(source.folder)
    found = [*_unreadable(source.problems)]
    if "dead_link" in kinds:
        found += _links(source, today, finder, dead_urls)
    found += [*_dates(published, today, finder), *_lengths(published, finder)]
    found += _languages(published, source.use or (), finder)
    if source.use is not None:
        found += [*_never_shown(published, source.use, today, finder), *_dismissed(published, source.use, finder)]
    if BY_MEANING & set(kinds):
        found += _by_meaning(published, source, finder, encoder(), store, progress)
    return ordered([finding for finding in found if finding.kind in kinds])


def can_judge_use(articles: Sequence[Article], use: Sequence[ArticleUse]) -> bool:
    """Whether the log holds enough answers to say that a topic is never shown."""
    topics = {article.id for article in articles if article.status == "published"}
    return sum(one.shown for one in use) >= SHOWN_PER_TOPIC * max(len(topics), 1)


def _unreadable(problems: Sequence[Problem]) -> Iterator[Finding]:
    for problem in problems:
        kind: Kind = "dead_link" if _DANGLING in problem.message else "unreadable"
        yield Finding(kind, "error", Place(problem.path, problem.line), problem.message)


def _links(
    source: KnowledgeFolder, today: date, finder: Finder, dead_urls: Callable[[Sequence[str]], Mapping[str, str]] | None
) -> Iterator[Finding]:
    topics = {article.id for article in source.articles}
    reachable = {
        article.id
        for article in source.articles
        if article.status == "published" and (article.valid_until is None or article.valid_until >= today)
    }
    # The reader names the place in the file, which of a table or document is not known here.
    reported = {problem.message for problem in source.problems}
    links = [
        (article, target)
        for article in source.articles
        if article.status != "archived"
        for target in dict.fromkeys(_LINK.findall(article.body))
    ]
    urls = sorted({target for _, target in links if _URL.match(target)})
    dead = dead_urls(urls) if dead_urls and urls else {}
    for article, target in links:
        place = finder.place(article, f"({target}")
        if target.startswith("article:"):
            topic = target.removeprefix("article:")
            message = f"the link {target} {_DANGLING}"
            if topic not in topics and message not in reported:
                yield Finding("dead_link", "error", place, message)
            elif topic in topics and topic not in reachable and article.status == "published":
                message = f"the link {target} leads to an article that is expired or not published"
                yield Finding("dead_link", "warning", place, message)
        elif target in dead:
            yield Finding("dead_link", "warning", place, f"{target}: {dead[target]}")
        elif not _SCHEME.match(target) and not target.startswith("#") and (path := finder.path(article)):
            if not _is_file_in(source.folder, path.parent, unquote(target.split("#")[0].split("?")[0])):
                yield Finding("dead_link", "error", place, f"there is no file {target} in the knowledge folder")


def _is_file_in(folder: Path, here: Path, target: str) -> bool:
    try:
        file = (here / target).resolve()
        return file.is_relative_to(folder.resolve()) and file.exists()
    except (OSError, ValueError, RuntimeError):  # a name too long, with a zero byte, a loop of links
        return False


def _dates(articles: Sequence[Article], today: date, finder: Finder) -> Iterator[Finding]:
    undated = []
    for article in articles:
        until, confirmed = article.valid_until, article.confirmed_at
        if until is not None and until < today:
            message = f"expired on {until}: renew it, or set its status to archived"
            yield Finding("expired", "error", finder.field(article, "valid_until"), message)
        elif until is not None and until <= today + SOON:
            message = f"expires on {until}, {_in_days((until - today).days)}"
            yield Finding("expired", "warning", finder.field(article, "valid_until"), message)
        if confirmed is None:
            undated.append(article)
        elif confirmed < today - CONFIRMED_WITHIN:
            message = f"last confirmed on {confirmed}, {(today - confirmed).days} days ago: read it, set confirmed_at"
            yield Finding("unconfirmed", "warning", finder.field(article, "confirmed_at"), message)
    if undated:
        message = (
            f"no confirmed_at in {len(undated)} of {counted(len(articles), 'article')}: {_few(a.id for a in undated)}"
        )
        yield Finding("unconfirmed", "note", finder.place(undated[0]), message)


def _in_days(count: int) -> str:
    return "today" if count == 0 else "tomorrow" if count == 1 else f"in {count} days"


def _lengths(articles: Sequence[Article], finder: Finder) -> Iterator[Finding]:
    for article in articles:
        answer, cuts, steps = tokens(answer_of(article.body)), len(split(article.body)), len(steps_of(article.body))
        reasons = []
        if answer > MAX_TOKENS:
            reasons.append(f"the answer has some {answer} tokens; over {MAX_TOKENS} it is not found as a whole")
        if cuts > MOST_PASSAGES:
            reasons.append(f"{cuts} passages; over {MOST_PASSAGES} an article mostly answers more than one question")
        if steps > MOST_STEPS:
            reasons.append(f"{steps} steps; over {MOST_STEPS} they mostly are several procedures")
        if reasons:
            yield Finding("too_long", "warning", finder.place(article, article.body), "; ".join(reasons))


def _languages(articles: Sequence[Article], use: Sequence[ArticleUse], finder: Finder) -> Iterator[Finding]:
    versions: dict[str, dict[str, Article]] = defaultdict(dict)
    for article in articles:
        versions[article.id][article.language] = article
    asked: Counter[tuple[str, str]] = Counter()
    for one in use:
        asked[one.id, one.asked_in] += one.shown
    for language in get_args(ArticleLanguage):
        lacking = {topic: found for topic, found in versions.items() if language not in found}
        present = len(versions) - len(lacking)
        is_common = present >= COMMON_LANGUAGE * len(versions)
        rest = []
        for topic, found in lacking.items():
            place = finder.place(next(iter(found.values())))
            missed = asked[topic, language]
            if missed >= ASKED_ABROAD:
                message = f"no {language} version; it was shown to {language} customers {missed} times"
                yield Finding("missing_language", "warning", place, message)
            elif is_common:
                message = f"no {language} version, which nearly every other topic has"
                yield Finding("missing_language", "warning", place, message)
            else:
                rest.append((topic, place))
        if rest and present:
            message = f"{language}: {present} of {len(versions)} topics; missing are {_few(topic for topic, _ in rest)}"
            yield Finding("missing_language", "note", rest[0][1], message)


def _never_shown(
    articles: Sequence[Article], use: Sequence[ArticleUse], today: date, finder: Finder
) -> Iterator[Finding]:
    if not can_judge_use(articles, use):
        return
    shown = {one.id for one in use}
    total = sum(one.shown for one in use)
    for topic in dict.fromkeys(article.id for article in articles if article.audience == "customer"):
        own = [article for article in articles if article.id == topic]
        valid = [a for a in own if (a.valid_from or today) <= today and (a.valid_until or today) >= today]
        if topic not in shown and valid:
            message = f"{topic} was not once among {total:,} answers: archive it, or add the words customers use"
            yield Finding("never_shown", "note", finder.place(valid[0]), message)


def _dismissed(articles: Sequence[Article], use: Sequence[ArticleUse], finder: Finder) -> Iterator[Finding]:
    by_text: dict[tuple[str, str, str], list[ArticleUse]] = defaultdict(list)
    for one in use:
        by_text[one.id, one.version, one.language].append(one)
    for article in articles:
        # Only of the text as it is now: what was dismissed before it was put right says nothing.
        own = by_text[article.id, article.version, article.language]
        dismissed, used = sum(one.dismissed for one in own), sum(one.used for one in own)
        if _at_least(dismissed, dismissed + used) > DISMISSED_MORE:
            shown = sum(one.shown for one in own)
            message = (
                f"dismissed {counted(dismissed, 'time')}, used {counted(used, 'time')}, shown {counted(shown, 'time')}"
            )
            yield Finding("often_dismissed", "warning", finder.place(article), message)


def _at_least(hits: int, count: int) -> float:
    """Lower bound of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    if not count:
        return 0.0
    share, square = hits / count, _Z * _Z
    spread = _Z * float(np.sqrt(share * (1 - share) / count + square / (4 * count * count)))
    return (share + square / (2 * count) - spread) / (1 + square / count)


def _by_meaning(
    articles: Sequence[Article],
    source: KnowledgeFolder,
    finder: Finder,
    encoder: TextEncoder,
    store: IndexStore,
    progress: Progress | None,
) -> list[Finding]:
    stated = statements(articles)
    leads = [_lead(article) for article in articles]
    # Customers' sentences steady the means of a small folder, whose few articles would all lie around their own.
    examples = [example for situation in source.situations for example in situation.examples]
    texts = [*leads, *(statement.bare for statement in stated), *examples]
    languages = [
        *(article.language for article in articles),
        *(articles[statement.article].language for statement in stated),
        *map(detect, examples),
    ]
    vectors = centred_passages(passage_vectors(texts, encoder, store, progress), languages)
    facts = vectors[len(articles) : len(articles) + len(stated)]
    return [
        *contradictions(articles, stated, facts, source.glossary, finder),
        *_duplicates(articles, vectors[: len(articles)], Segmenter(source.glossary), finder),
    ]


def _lead(article: Article) -> str:
    """Title and answer as the index embeds them."""
    cuts = split(article.body)
    return f"{article.title}\n{plain(article.body[: cuts[0].end]) if cuts else ''}".strip()


def _duplicates(articles: Sequence[Article], leads: Floats, segmenter: Segmenter, finder: Finder) -> Iterator[Finding]:
    words = [frozenset(segmenter.terms(f"{article.title}\n{plain(article.body)}")) for article in articles]
    for language in get_args(ArticleLanguage):
        rows = [row for row, article in enumerate(articles) if article.language == language]
        own = leads[rows]
        for number, row in enumerate(rows):
            near = (rows[place] for place in np.flatnonzero(own[:number] @ own[number] >= NEAR_LEADS))
            shared = {
                other: len(words[row] & words[other]) / max(len(words[row] | words[other]), 1)
                for other in near
                if articles[row].id != articles[other].id
            }
            # Of many copies each is named once, beside the one that it is most like.
            other = max(shared, key=shared.__getitem__, default=row)
            if shared.get(other, 0) >= SHARED_WORDS:
                first, second = articles[other], articles[row]
                message = f"{first.id} and {second.id} share {shared[other]:.0%} of their words: merge them"
                quotes = tuple(
                    Quote(finder.place(a, a.body), answer_of(a.body).split("\n")[0]) for a in (first, second)
                )
                yield Finding("duplicate", "warning", quotes[0].place, message, quotes)
    asked: dict[tuple[str, str], Article] = {}
    for article in articles:
        for question in article.questions:
            first = asked.setdefault((article.language, normalise(question).lower().strip("?？。. ")), article)
            if first.id != article.id:
                places = [finder.place(one, question) for one in (first, article)]
                message = f"{first.id} and {article.id} both list this question; search cannot tell them apart"
                quotes = tuple(Quote(place, question) for place in places)
                yield Finding("duplicate", "warning", places[0], message, quotes)


def _few(names: Iterator[str] | Collection[str], most: int = 8) -> str:
    listed = list(dict.fromkeys(names))
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
