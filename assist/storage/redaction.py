"""Takes what identifies a customer out of everything that is written, once, at the door of the log."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from assist.domain import AssistResult, Conversation, Emotion, Quote, Source, Suggestion, Utterance, WrapUp
from assist.text.identifiers import named_by, normal
from assist.text.redact import KINDS, Redacted, redact

NAME = "[NAME]"
ORDER = "[ORDER]"
ID = "[ID]"
_MARKS = {"email": "[EMAIL]", "phone": "[PHONE]"}
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})\]")


def log_id(identifier: str) -> str:
    """The identifier as the log keeps it: one that is itself personal, such as a phone number, becomes a digest."""
    if redact(identifier).text == identifier and "customer_id" in named_by(identifier):
        return identifier
    return f"sha256:{hashlib.sha256(identifier.encode()).hexdigest()[:32]}"


def could_be(redacted: str, original: str) -> bool:
    """Whether `original` may be the text that was logged as `redacted`: the same but for what was taken out."""
    first, *rest = _PLACEHOLDER.split(redacted)
    if not rest:
        return redacted == original
    if not original.startswith(first):
        return False
    at = len(first)
    # Each gap takes at least one character; the earliest place of every part leaves the most room for the next.
    for part in rest[:-1]:
        found = original.find(part, at + 1)
        if found < 0:
            return False
        at = found + len(part)
    return original.endswith(rest[-1]) and len(original) - len(rest[-1]) > at


class Redactor:
    """Redacts what belongs to one conversation.

    Knows the customer's name and order numbers, and remembers what it found in earlier utterances. Texts from the
    knowledge base are searched for these known values only: the shop's own hotline stays readable.
    """

    def __init__(self, conversation: Conversation | None) -> None:
        customer = conversation.customer if conversation else None
        self.names: tuple[str, ...] = (customer.name,) if customer and customer.name else ()
        self._known: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        if customer:
            known = {
                spelling: _MARKS.get(kind, ID)
                for kind, value in customer.identifiers.items()
                for spelling in (value, value.lstrip("@"), normal(kind, value))
                if kind != "customer_id"
            }
            self._learn(known | {order.id: ORDER for order in customer.orders} | dict.fromkeys(self.names, NAME))

    def text(self, text: str) -> str:
        """Something a person wrote."""
        return self._known_values(self._find(text).text)

    def conversation(self, conversation: Conversation) -> Conversation:
        """What it was opened with. Name and order numbers are left empty: no wording is filled with a placeholder."""
        customer = conversation.customer
        redacted = replace(
            customer,
            id=log_id(customer.id),
            name=None,
            orders=tuple(replace(order, id="") for order in customer.orders),
            contacts=tuple(replace(contact, summary=self.text(contact.summary)) for contact in customer.contacts),
            attributes=self._mapping(customer.attributes),
            identifiers={},
        )
        return replace(conversation, customer=redacted, metadata=self._mapping(conversation.metadata))

    def utterance(self, utterance: Utterance) -> tuple[Utterance, Redacted]:
        """The utterance, and where in its text something was taken out."""
        found = self._find(utterance.text)
        return replace(utterance, text=self._known_values(found.text)), found

    def result(self, result: AssistResult) -> AssistResult:
        """An assist result with its utterance, its evidence and every suggestion."""
        utterance, found = self.utterance(result.utterance)
        return replace(
            result,
            utterance=utterance,
            emotion=result.emotion and _emotion(result.emotion, found, utterance.text),
            suggestions=tuple(self._suggestion(suggestion) for suggestion in result.suggestions),
        )

    def wrap_up(self, wrap_up: WrapUp, logged: Mapping[str, str]) -> WrapUp:
        """The summary at the end, its quotes moved to where their words stand in the `logged` texts, by utterance."""
        follow_up = wrap_up.follow_up
        return replace(
            wrap_up,
            summary=tuple(self.text(line) for line in wrap_up.summary),
            quotes=tuple(
                self._quote(quote, logged[quote.utterance_id])
                for quote in wrap_up.quotes
                if quote.utterance_id in logged
            ),
            message=wrap_up.message and self.text(wrap_up.message),
            follow_up=follow_up
            and replace(
                follow_up, action=self._known_values(follow_up.action), reason=self._known_values(follow_up.reason)
            ),
        )

    def _quote(self, quote: Quote, logged: str) -> Quote:
        """The quote in what was logged; the whole utterance where its words cannot be told apart from the rest."""
        text = self.text(quote.text)
        places = [found.start() for found in re.finditer(re.escape(text), logged)]
        start = min(places, key=lambda place: abs(place - quote.start), default=0)
        text = text if places else logged
        due = quote.due_text if quote.due_text and quote.due_text in text else None
        return replace(quote, text=text, start=start, end=start + len(text), due_text=due)

    def _find(self, text: str) -> Redacted:
        found = redact(text, names=self.names)
        if found.spans:
            self._learn({text[span.start : span.end]: f"[{span.kind}]" for span in found.spans})
        return found

    def _learn(self, values: Mapping[str, str]) -> None:
        new = {value: mark for value, mark in values.items() if len(value) > 1 and value not in self._known}
        if new:
            self._known |= new
            # The longest first, so that a number is not cut by a shorter one inside it; placeholders stay as they are.
            values_first = sorted(self._known, key=len, reverse=True)
            self._pattern = re.compile("|".join((_PLACEHOLDER.pattern, *map(_bounded, values_first))))

    def _known_values(self, text: str) -> str:
        return self._pattern.sub(lambda found: self._known.get(found[0], found[0]), text) if self._pattern else text

    def _suggestion(self, suggestion: Suggestion) -> Suggestion:
        source = suggestion.source
        excerpt = source.excerpt and self._known_values(source.excerpt)
        return replace(
            suggestion,
            text=self._known_values(suggestion.text),
            title=self._known_values(suggestion.title),
            reason=self._known_values(suggestion.reason),
            source=source if excerpt == source.excerpt else _with_excerpt(source, excerpt),
        )

    def _mapping(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {self.text(key): self._value(value) for key, value in values.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, Iterable):
            return [self._value(item) for item in value]
        # A phone or card number may also arrive as a number.
        if isinstance(value, int) and not isinstance(value, bool):
            text = self.text(str(value))
            return value if text == str(value) else text
        return value


def _bounded(value: str) -> str:
    # Latin names are whole words: "An" is not in "answer". Han names have no such boundaries.
    before = r"(?<![A-Za-z0-9])" if value[0].isascii() and value[0].isalnum() else ""
    after = r"(?![A-Za-z0-9])" if value[-1].isascii() and value[-1].isalnum() else ""
    return before + re.escape(value) + after


def _with_excerpt(source: Source, excerpt: str | None) -> Source:
    return replace(source, excerpt=excerpt)


def _emotion(emotion: Emotion, found: Redacted, redacted: str) -> Emotion:
    """Evidence moved to where its words stand in the redacted text; words that were taken out are dropped."""
    evidence = []
    for span in emotion.evidence:
        shift = sum(
            len(gone.kind) + len("[]") - gone.end + gone.start for gone in found.spans if gone.end <= span.start
        )
        start, end = span.start + shift, span.end + shift
        if redacted[start:end] == span.text:
            evidence.append(replace(span, start=start, end=end))
    return replace(emotion, evidence=tuple(evidence))
