"""Building and reading the log's longer queries: pages of suggestions and of conversations, care of the knowledge."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from assist.domain import ArticleUse, ConversationReading, OpenQuestion, PhraseUse, ShownSuggestion
from assist.storage.records import (
    RESULT,
    ConversationSummary,
    LoggedSuggestion,
    Place,
    Review,
    Status,
    SuggestionFilter,
)
from assist.storage.tables import conversations, reviews, suggestions, utterances
from assist.text.small_talk import is_small_talk


def conversation_page(
    connection: Connection, status: Status | None, after: Place | None, limit: int
) -> list[ConversationSummary]:
    """Conversations, the newest first, beginning behind the place `after`."""
    table = conversations
    statement = select(table).order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(limit)
    if status:
        statement = statement.where(table.c.status == status)
    if after:
        statement = statement.where(_older(table.c.opened_at, table.c.id, after))
    return [_summary(row) for row in connection.execute(statement)]


def last_readings(connection: Connection, conversation_ids: Sequence[str]) -> dict[str, ConversationReading]:
    """The reading of the last utterance of each conversation."""
    table = utterances
    last = (
        select(table.c.conversation_id, func.max(table.c.seq).label("seq"))
        .where(table.c.conversation_id.in_(conversation_ids))
        .group_by(table.c.conversation_id)
        .subquery()
    )
    same = and_(table.c.conversation_id == last.c.conversation_id, table.c.seq == last.c.seq)
    found = connection.execute(select(table.c.conversation_id, table.c.result).join(last, same))
    return {row.conversation_id: RESULT.validate_json(row.result).conversation for row in found}


def suggestion_page(
    connection: Connection, wanted: SuggestionFilter, after: Place | None, limit: int
) -> list[LoggedSuggestion]:
    """Suggestions with their utterances and reviews, the newest first, beginning behind the place `after`."""
    table = suggestions
    statement = _suggestion_rows().order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)
    conditions = _conditions(wanted)
    if after:
        conditions.append(_older(table.c.at, table.c.id, after))
    return _logged(connection, statement.where(*conditions))


def one_suggestion(connection: Connection, suggestion_id: str) -> LoggedSuggestion | None:
    """The suggestion with this id."""
    found = _logged(connection, _suggestion_rows().where(suggestions.c.id == suggestion_id))
    return found[0] if found else None


def article_use(connection: Connection, since: str) -> list[ArticleUse]:
    """What became of the articles that were shown as answers since a time."""
    group = (suggestions.c.source_id, suggestions.c.source_version, suggestions.c.language, utterances.c.language)
    statement = (
        select(*group, suggestions.c.outcome, func.count())
        .select_from(suggestions.outerjoin(utterances, suggestions.c.utterance_key == utterances.c.key))
        .where(suggestions.c.kind == "answer", suggestions.c.source_type == "article", suggestions.c.at >= since)
        .group_by(*group, suggestions.c.outcome)
    )
    counts: dict[tuple[str, str, str, str], Counter[str]] = {}
    for *key, outcome, count in connection.execute(statement):
        # A suggestion outlives its utterance when the customer is erased.
        counts.setdefault((key[0], key[1], key[2], key[3] or "other"), Counter())[outcome] += count
    return [
        ArticleUse(
            *key,
            shown=outcomes.total(),
            used=outcomes["accepted"] + outcomes["edited"],
            dismissed=outcomes["dismissed"],
        )
        for key, outcomes in sorted(counts.items())
    ]


def phrase_use(connection: Connection, since: str) -> list[PhraseUse]:
    """What became of the phrases that were shown since a time."""
    statement = (
        select(suggestions.c.source_id, suggestions.c.outcome, func.count())
        .where(suggestions.c.source_type == "phrase", suggestions.c.at >= since)
        .group_by(suggestions.c.source_id, suggestions.c.outcome)
    )
    counts: dict[str, Counter[str]] = {}
    for phrase, outcome, count in connection.execute(statement):
        counts.setdefault(phrase, Counter())[outcome] += count
    return [
        PhraseUse(id, outcomes.total(), *(outcomes[name] for name in ("accepted", "edited", "dismissed", "ignored")))
        for id, outcomes in sorted(counts.items())
    ]


def open_questions(connection: Connection, since: str) -> list[OpenQuestion]:
    """What customers said since a time that has no answer or case in the log, or only dismissed ones; oldest first."""
    table = suggestions.c
    shown: dict[str, list[tuple[str, str]]] = {}
    proposed = select(table.utterance_key, table.outcome, table.source_id).where(
        table.kind.in_(("answer", "case")), table.at >= since
    )
    for key, outcome, source in connection.execute(proposed):
        shown.setdefault(key, []).append((outcome, source))
    spoken = utterances.c
    statement = (
        select(spoken.conversation_id, spoken.key, spoken.speaker, spoken.text, spoken.language, spoken.logged_at)
        .add_columns(spoken.result, conversations.c.opened_at)
        .select_from(utterances.outerjoin(conversations, spoken.conversation_id == conversations.c.id))
        .where(spoken.logged_at >= since)
        .order_by(spoken.conversation_id, spoken.seq)
        .execution_options(yield_per=1000)
    )
    found = []
    conversation: str | None = None
    before: str | None = None
    is_opening = True
    for row in connection.execute(statement):
        if row.conversation_id is None or row.conversation_id != conversation:
            conversation, before = row.conversation_id, None
            is_opening = row.opened_at is None or row.opened_at >= since
        if row.speaker == "customer":
            question = _open_question(row, shown.get(row.key, []), before, is_opening)
            if question is not None:
                found.append(question)
            before = None
            is_opening = is_opening and is_small_talk(row.text)
        elif row.speaker in ("agent", "bot"):
            before = row.text
    return sorted(found, key=lambda question: question.at)


def shown_suggestions(
    connection: Connection, since: str, excerpt_chars: int, progress: Callable[[int], None]
) -> list[ShownSuggestion]:
    """What was shown since a time, with its outcome, the oldest first; without alerts, which nobody chooses."""
    table = suggestions.c
    statement = (
        select(func.coalesce(table.conversation_id, table.utterance_key), table.utterance_key, table.agent_id, table.at)
        .add_columns(table.position, table.kind, table.relevance, table.source_type, table.source_id)
        .add_columns(table.outcome, table.verdict, func.substr(table.text, 1, excerpt_chars))
        .where(table.at >= since, table.kind != "alert")
        .order_by(table.at, table.id)
        .execution_options(yield_per=1000)
    )
    found = []
    for talk, utterance, agent, at, *rest in connection.execute(statement):
        found.append(ShownSuggestion(talk, utterance, agent, datetime.fromisoformat(at), *rest))
        if len(found) % 1000 == 0:
            progress(len(found))
    return found


def _open_question(
    row: Row[Any], shown: Sequence[tuple[str, str]], before: str | None, is_opening: bool
) -> OpenQuestion | None:
    outcomes = {outcome for outcome, _ in shown}
    if shown and ("dismissed" not in outcomes or outcomes & {"accepted", "edited"}):
        return None
    result = json.loads(row.result)
    if result["emotion"] is None:
        return None
    return OpenQuestion(
        conversation_id=row.conversation_id or row.key,
        at=datetime.fromisoformat(row.logged_at),
        text=row.text,
        language=row.language,
        before=before,
        is_opening=is_opening,
        emotion=result["emotion"]["label"],
        intensity=result["emotion"]["intensity"],
        situation=result["conversation"]["intent"],
        dismissed=tuple(sorted({source for outcome, source in shown if outcome == "dismissed"})),
    )


def _summary(row: Row[Any]) -> ConversationSummary:
    profile = json.loads(row.profile)
    customer = profile["customer"]
    return ConversationSummary(
        id=row.id,
        status=row.status,
        channel=row.channel,
        customer={"id": customer["id"], "name": customer["name"], "tier": customer["tier"]},
        agent=profile["agent"],
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        updated_at=row.updated_at,
        seq=row.last_seq,
        emotion=row.emotion,
        intensity=row.intensity,
        flags=_split(row.flags),
        trend=row.trend,
        escalation_risk=row.escalation_risk or 0.0,
        last_speaker=row.last_speaker,
        last_text=row.last_text,
        waiting_since=row.updated_at if row.last_speaker == "customer" and row.status == "open" else None,
    )


def _suggestion_rows() -> Select[Any]:
    spoken = [utterances.c[name].label(f"u_{name}") for name in ("id", "speaker", "language", "text", "at", "result")]
    joined = suggestions.outerjoin(utterances, suggestions.c.utterance_key == utterances.c.key)
    return select(suggestions, *spoken).select_from(joined)


def _conditions(wanted: SuggestionFilter) -> list[ColumnElement[bool]]:
    table = suggestions.c
    pairs: list[tuple[str | None, Callable[[str], ColumnElement[bool]]]] = [
        (wanted.since, lambda value: table.at >= value),
        (wanted.until, lambda value: table.at < value),
        (wanted.kind, lambda value: table.kind == value),
        (wanted.emotion, lambda value: table.emotion == value),
        (wanted.flag, lambda value: table.flags.contains(f",{value},", autoescape=True)),
        (wanted.outcome, lambda value: table.outcome == value),
        (wanted.agent, lambda value: table.agent_id == value),
        (wanted.article, lambda value: table.source_id == value),
        (wanted.language, lambda value: table.language == value),
        (wanted.conversation, lambda value: table.conversation_id == value),
        (wanted.verdict, lambda value: table.verdict == value),
        (wanted.review_state, lambda value: table.verdict.is_(None) if value == "open" else table.verdict.is_not(None)),
    ]
    return [condition(value) for value, condition in pairs if value is not None]


def _logged(connection: Connection, statement: Select[Any]) -> list[LoggedSuggestion]:
    rows = connection.execute(statement).all()
    verdicts: dict[str, list[Review]] = {}
    columns = [reviews.c[name] for name in Review.__slots__]
    wanted = reviews.c.suggestion_id.in_([row.id for row in rows])
    for found in connection.execute(select(*columns).where(wanted).order_by(reviews.c.at)):
        verdicts.setdefault(found.suggestion_id, []).append(Review(*found))
    return [_logged_row(row, verdicts.get(row.id, [])) for row in rows]


def _logged_row(row: Row[Any], judged: Sequence[Review]) -> LoggedSuggestion:
    spoken = {name: getattr(row, f"u_{name}") for name in ("id", "speaker", "language", "text", "at")}
    source = {"type": row.source_type, "id": row.source_id, "version": row.source_version, "excerpt": row.excerpt}
    return LoggedSuggestion(
        id=row.id,
        conversation_id=row.conversation_id,
        agent_id=row.agent_id,
        at=row.at,
        position=row.position,
        kind=row.kind,
        emotion=row.emotion,
        flags=_split(row.flags),
        language=row.language,
        relevance=row.relevance,
        title=row.title,
        text=row.text,
        reason=row.reason,
        source=source,
        utterance=spoken if spoken["id"] else None,
        versions=json.loads(row.u_result)["versions"] if row.u_result else None,
        outcome=row.outcome,
        outcome_at=row.outcome_at,
        outcome_reason=row.outcome_reason,
        final_text=row.final_text,
        review_state="reviewed" if row.verdict else "open",
        reviews=list(judged),
    )


def _older(at: Any, identifier: Any, place: Place) -> ColumnElement[bool]:
    return or_(at < place[0], and_(at == place[0], identifier < place[1]))


def _split(flags: str) -> list[str]:
    return [flag for flag in flags.split(",") if flag]
