"""Draft check: what the agent is typing, before the customer sees it. Each issue names its span and a better wording.

Where it is unsure it stays silent: a false alarm costs the agent's trust, a miss costs one look.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from assist.domain import DraftIssue, Language
from assist.inference.encoder import Context
from assist.suggest.drafts.claims import beside_article, contradictions, statement_about
from assist.suggest.drafts.manner import shouting, worded
from assist.suggest.drafts.privacy import others_data
from assist.suggest.drafts.promises import DraftRules, promises
from assist.suggest.drafts.questions import asks_again, last_question, unanswered
from assist.suggest.drafts.reader import MODEL_FILE, Bars, DraftReader, Heard, nearest_passage
from assist.suggest.drafts.text import Draft, DraftContext, Found
from assist.suggest.drafts.wording import COLUMN, LANGUAGES, MAINLAND_WORDS, OTHER_LANGUAGE, WORDS
from assist.text.language import detect

__all__ = ["ALREADY_WRONG", "MODEL_FILE", "DraftChecker", "DraftContext", "DraftReader", "DraftRules", "Heard", "ruled"]

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_WORD: Final = re.compile(r"[A-Za-z]+")
_OTHER_SCRIPT: Final = re.compile(
    r"[\u0400-\u04ff\u0590-\u0e7f\u3040-\u30ff\uac00-\ud7af](?:[^\n]{0,8}[\u0400-\u04ff\u0590-\u0e7f\u3040-\u30ff\uac00-\ud7af]){5}"
)
"""Cyrillic, Hebrew, Arabic, the scripts of India, Thai, kana and hangul, but not one の or emoticon."""
_OTHER_LATIN: Final = frozenset(
    "la le les des une est pas vous votre nous que para por el los las una su con del se usted der die das und nicht ist ihr sie wir ihre il di che per sono della o os você não sua um uma bonjour hola guten merci gracias danke".split()
)
_ENGLISH: Final = frozenset("the is are you your we it to of and for in on can will be this that with have".split())
_LEAST_OTHER: Final = 3
_TELLING: Final = 500
"""Characters that tell the language of a draft."""
_LEAST_HAN, _LEAST_WORDS = 4, 4
_MAINLAND: Final = re.compile("|".join(MAINLAND_WORDS))
_ENDS: Final = ",，。.!！?？;；:：~～… \n"
_MARKS: Final = re.compile(r"[!！?？~～]{2,}|[!！]")
_MANNER: Final = frozenset({"blame", "cold", "dismissive", "sarcasm", "forbidden_promise"})
"""Codes of how a draft sounds; one draft seldom has two of them, so only the surest is taken from the network alone."""
_CONTRADICTS: Final = "contradicts_article"
ALREADY_WRONG: Final = frozenset(
    {"cold", "dismissive", "blame", "sarcasm", "wrong_language", "forbidden_promise", "personal_data"}
)
"""Issues after which nothing is gained by saying that the draft does not answer either."""


class DraftChecker:
    """Checks drafts by the retailer's rules and, where the network has read a draft, by what it hears.

    Args:
        rules: the retailer's own forbidden and allowed wordings.
        reader: the network; None leaves the wording rules alone.
    """

    def __init__(self, rules: DraftRules | None = None, reader: DraftReader | None = None) -> None:
        self._rules = rules or DraftRules()
        self._reader = reader

    def hear(self, text: str, context: Context, articles: tuple[str, ...]) -> Mapping[str, Heard] | None:
        """What the network hears in a draft, for `check`; None without one. Computes for some milliseconds.

        `context` are the turns before as the encoder keeps them, `articles` the texts that the latest answers cite.
        """
        if self._reader is None:
            return None
        return self._reader.hear(text, context, nearest_passage(text, articles))

    def check(self, text: str, context: DraftContext, heard: Mapping[str, Heard] | None = None) -> list[DraftIssue]:
        """What is wrong with a draft, in the order of the text; empty when nothing is.

        Without turns, profile and articles in the `context`, only what the text itself says is looked at. `heard` is
        what `hear` said of this draft.
        """
        draft = Draft.of(text)
        language = detect(text[:_TELLING], context.language)
        column = COLUMN.get(context.language or language, 0)
        found = _by_rule(draft, context)
        if self._reader is not None and heard is not None:
            found = list(_weighed(draft, context, found, heard, self._reader.bars))
        found = [*self._rules.apply(draft, found), *_language(draft, language, context, column), *shouting(draft)]
        found += others_data(draft, context)
        if any(issue.code in ALREADY_WRONG for issue in found):
            found = [issue for issue in found if issue.code != "unanswered_question"]
        issues = [_issue(draft, issue, column) for issue in found]
        return sorted(dict.fromkeys(issues), key=lambda issue: (issue.start, issue.code))


def ruled(draft: Draft, context: DraftContext) -> set[str]:
    """Codes of those wording rules that the network is weighed against."""
    return {issue.code for issue in _by_rule(draft, context)}


def _by_rule(draft: Draft, context: DraftContext) -> list[Found]:
    found = [*worded(draft), *promises(draft), *asks_again(draft, context), *contradictions(draft, context)]
    return [*found, *unanswered(draft, context)]


# Said to a customer's face this is never right, however mild the rest; the model has heard it quoted too often.
_BLUNT = re.compile(
    r"\W*(?:(?:please|just|now|sir|madam|ma'am)[ ,]*)*calm down\b|(?:请|請|麻烦|麻煩|您|你|先|亲|親|[ ,，])*冷[静靜](?:一下|点|點|一点|一點)",
    re.IGNORECASE,
)


def _weighed(
    draft: Draft, context: DraftContext, found: list[Found], heard: Mapping[str, Heard], bars: Bars
) -> Iterator[Found]:
    """What a rule says and the network does not contradict, and what the network is sure of by itself."""
    if not draft.clauses:
        return
    fired = {issue.code for issue in found}
    over = {code: bars.over(code, one, fired=code in fired) for code, one in heard.items()}
    if (claimed := heard.get(_CONTRADICTS)) is not None:
        beside = bars.beside(beside_article(draft, context))
        over[_CONTRADICTS] = bars.over(_CONTRADICTS, claimed, fired=_CONTRADICTS in fired, beside=beside)
    blunt = [clause for clause in draft.clauses if _BLUNT.match(draft.folded, clause.start, clause.end)]
    for issue in found:
        if over.get(issue.code, 0) >= 0 or any(clause.start <= issue.start < clause.end for clause in blunt):
            yield issue
    alone = {code for code, above in over.items() if above >= 0 and code not in fired}
    for code in sorted(alone - _MANNER) + sorted(alone & _MANNER, key=over.__getitem__)[-1:]:
        yield from _heard_alone(draft, context, code, heard[code])


def _heard_alone(draft: Draft, context: DraftContext, code: str, one: Heard) -> Iterator[Found]:
    """What the network alone hears, with what its message quotes; nothing where there is nothing to quote."""
    whole = draft.clauses[0].start, draft.clauses[-1].end
    if code == "unanswered_question":
        if question := last_question(context):
            yield Found(code, *whole, (("question", question),))
    elif code == _CONTRADICTS:
        if said := statement_about(draft.folded[one.start : one.end], context):
            yield Found(code, one.start, one.end, (("article", said),))
    else:
        yield Found(code, *(whole if code == "cold" else (one.start, one.end)))


def _language(draft: Draft, language: Language, context: DraftContext, column: int) -> Iterator[Found]:
    theirs = context.language
    if theirs is None:
        return
    if _OTHER_SCRIPT.search(draft.text) or _is_other_latin(draft.folded):
        names = (("their", LANGUAGES[theirs][column]), ("ours", OTHER_LANGUAGE[column]))
        yield Found("wrong_language", 0, len(draft.folded), names)
        return
    han, words = len(_HAN.findall(draft.text)), len(_WORD.findall(draft.text))
    enough = han >= _LEAST_HAN or (han == 0 and words >= _LEAST_WORDS)
    if language in LANGUAGES and language != theirs and enough and not _same_in_both(language, context):
        names = (("their", LANGUAGES[theirs][column]), ("ours", LANGUAGES[language][column]))
        yield Found("wrong_language", 0, len(draft.folded), names)
    elif theirs == "zh-Hant" and language == "zh-Hant":
        said = "".join(turn for _, turn in context.turns)
        for match in _MAINLAND.finditer(draft.text[: len(draft.folded)]):
            if match.group() not in said:
                yield Found("wrong_variant", *match.span(), (("better", MAINLAND_WORDS[match.group()]),))


def _is_other_latin(folded: str) -> bool:
    """Whether words of French, Spanish, German, Portuguese or Italian outnumber the English ones."""
    words = _WORD.findall(folded)
    other = sum(word in _OTHER_LATIN for word in words)
    return other >= _LEAST_OTHER and other > sum(word in _ENGLISH for word in words)


def _same_in_both(language: Language, context: DraftContext) -> bool:
    """Whether both are Chinese and nothing the customer wrote tells which script they read."""
    said = "".join(text for speaker, text in context.turns if speaker == "customer")[:_TELLING]
    return (
        language != "en"
        and bool(said)
        and detect(said, "zh-Hans") == "zh-Hans"
        and detect(said, "zh-Hant") == "zh-Hant"
    )


def _issue(draft: Draft, found: Found, column: int) -> DraftIssue:
    words = WORDS[found.code]
    values = dict(found.values)
    start, end = found.start, found.end
    better = words.better[column] if words.better else None
    if found.code == "shouting":
        better = _calmer(draft.text[start:end])
    elif found.code == "wrong_variant":
        better = values["better"]
    else:
        end = start + len(draft.text[start:end].rstrip(_ENDS))
    return DraftIssue(
        code=found.code,
        start=start,
        end=end,
        text=draft.text[start:end],
        severity=words.severity,
        message=words.message[column].format(**values),
        better=better,
    )


def _calmer(text: str) -> str:
    """The same words without capitals, and with one full stop for a row of marks."""
    stop = "。" if _HAN.search(text) else "."
    plain = _MARKS.sub(stop, text)
    return plain.capitalize() if plain.isupper() else plain
