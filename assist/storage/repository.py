"""The log: every statement on conversations, utterances, suggestions, events and reviews.

What a method is given may hold a customer's data; what it writes has gone through a `Redactor`. Every writing method
returns after its commit, and raises Unavailable if that did not happen.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self, cast

from sqlalchemy import (
    Connection,
    Engine,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from assist.domain import (
    ArticleUse,
    AssistResult,
    Conversation,
    ConversationReading,
    Customer,
    OpenQuestion,
    Outcome,
    PhraseUse,
    ShownSuggestion,
    WrapUp,
)
from assist.errors import Conflict, NotFound
from assist.storage.engine import Prepared, Readers, Writer, migrate, open_engine
from assist.storage.keys import Keys
from assist.storage.queries import (
    article_use,
    conversation_page,
    last_readings,
    one_suggestion,
    open_questions,
    phrase_use,
    shown_suggestions,
    suggestion_page,
)
from assist.storage.records import (
    CONVERSATION,
    RESULT,
    WRAP_UP,
    ConversationSummary,
    LoggedSuggestion,
    Place,
    Review,
    Status,
    StoredConversation,
    StoredEvent,
    SuggestionFilter,
    iso,
)
from assist.storage.redaction import Redactor, log_id
from assist.storage.tables import conversations, events, reviews, suggestions, utterances

_INSERT_UTTERANCE = Prepared(insert(utterances))
_INSERT_SUGGESTION = Prepared(insert(suggestions))
_INSERT_EVENT = Prepared(insert(events))
# The seq is the guard between processes: only one of two writers finds the conversation where it left it.
_STEP = (
    update(conversations)
    .where(
        conversations.c.id == bindparam("of"),
        conversations.c.status == bindparam("while_status"),
        conversations.c.last_seq == bindparam("seq") - 1,
    )
    .values(last_seq=bindparam("seq"), updated_at=bindparam("now"))
)
_ADVANCE_TEXT = _STEP.values(
    last_speaker=bindparam("speaker"),
    last_text=bindparam("text"),
    trend=bindparam("trend"),
    escalation_risk=bindparam("risk"),
)
_ADVANCE = Prepared(_ADVANCE_TEXT)
_ADVANCE_FEELING = Prepared(
    _ADVANCE_TEXT.values(emotion=bindparam("label"), intensity=bindparam("strength"), flags=bindparam("raised"))
)
ERASED = "[ERASED]"


class Repository:
    """The log of one deployment. Open it with `Repository.open`, close it with `close`; both block."""

    def __init__(self, writing: Engine, reading: Engine, clock: Callable[[], datetime], queue_limit: int) -> None:
        self._writing, self._reading, self._clock = writing, reading, clock
        self._writer = Writer(writing, queue_limit=queue_limit)
        self._readers = Readers(reading)
        self.keys = Keys(self._writer, self._readers, clock)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        synchronous: str = "FULL",
        queue_limit: int = 1024,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        read_only: bool = False,
    ) -> Self:
        """Bring the database to the newest tables and open it, or with `read_only` leave it as it is.

        Raises SettingsError for an unknown kind of database.
        """
        writing = open_engine(url, synchronous=synchronous, read_only=read_only)
        if not read_only:
            migrate(writing)
        return cls(writing, open_engine(url, read_only=True), clock, queue_limit)

    def close(self) -> None:
        """Commit what waits and close every connection."""
        self._writer.close()
        self._readers.close()
        self._reading.dispose()
        self._writing.dispose()

    @property
    def depth(self) -> int:
        """Writes that wait."""
        return self._writer.depth

    async def ping(self) -> None:
        """Raises Unavailable if the database does not answer."""
        await self._readers.read(lambda connection: connection.execute(select(1)).scalar())

    # Writing

    async def open_conversation(self, conversation: Conversation, redactor: Redactor) -> None:
        """Add a conversation and its first event. Raises Conflict if the id is in use."""
        kept = redactor.conversation(conversation)
        profile = CONVERSATION.dump_json(kept).decode()
        at = iso(conversation.opened_at)
        row = {
            "id": kept.id,
            "status": "open",
            "channel": kept.channel,
            "customer_id": kept.customer.id,
            "tier": kept.customer.tier,
            "agent_id": kept.agent.id if kept.agent else None,
            "opened_at": at,
            "updated_at": at,
            "last_seq": 1,
            "flags": "",
            "profile": profile,
        }
        event = {"conversation_id": kept.id, "seq": 1, "type": "conversation.opened", "at": at, "payload": profile}

        def job(connection: Connection) -> None:
            if connection.execute(select(conversations.c.id).where(conversations.c.id == kept.id)).first():
                raise Conflict("A conversation with this id exists.", {"id": kept.id})
            connection.execute(insert(conversations), row)
            _INSERT_EVENT.run(connection, event)

        await self._writer.write(job)

    async def append(self, conversation: Conversation, redactor: Redactor, result: AssistResult) -> str:
        """Log an utterance of an open conversation with its result; returns when it was logged.

        Raises Conflict if the conversation is closed or not where the result says, e.g. moved on by another process.
        """
        at, written = self.begin_append(conversation, redactor, result)
        await written
        return at

    def begin_append(
        self, conversation: Conversation, redactor: Redactor, result: AssistResult
    ) -> tuple[str, asyncio.Future[None]]:
        """Like `append`, for who has something to do until the commit; the future raises what `append` does."""
        kept = redactor.result(result)
        spoken, emotion, reading = kept.utterance, kept.emotion, kept.conversation
        at = iso(self._clock())
        utterance, rows = _result_rows(kept, conversation, log_id(conversation.customer.id), at)
        event = {
            "conversation_id": conversation.id,
            "seq": spoken.seq,
            "type": "utterance.added",
            "at": at,
            "payload": None,
        }
        step: dict[str, Any] = {
            "of": conversation.id,
            "while_status": "open",
            "seq": spoken.seq,
            "now": at,
            "speaker": spoken.speaker,
            "text": spoken.text,
            "trend": reading.trend,
            "risk": reading.escalation_risk,
        }
        if emotion:
            step |= {"label": emotion.label, "strength": emotion.intensity, "raised": _joined(emotion.flags)}
        advance = _ADVANCE_FEELING if emotion else _ADVANCE

        def job(connection: Connection) -> None:
            if advance.run(connection, step) != 1:
                raise Conflict("The conversation is closed or has moved on elsewhere.", {"id": conversation.id})
            _INSERT_UTTERANCE.run(connection, utterance)
            _INSERT_EVENT.run(connection, event)
            if rows:
                _INSERT_SUGGESTION.run(connection, *rows)

        return at, self._writer.submit(job)

    async def append_single(self, conversation: Conversation, redactor: Redactor, result: AssistResult) -> None:
        """Log a result that belongs to no stored conversation."""
        utterance, rows = _result_rows(
            redactor.result(result), None, log_id(conversation.customer.id), iso(self._clock())
        )

        def job(connection: Connection) -> None:
            _INSERT_UTTERANCE.run(connection, utterance)
            if rows:
                _INSERT_SUGGESTION.run(connection, *rows)

        await self._writer.write(job)

    async def set_outcome(
        self,
        suggestion_id: str,
        outcome: Outcome,
        *,
        final_text: str | None,
        reason: str | None,
        redactor: Redactor,
        conversation_id: str | None,
        seq: int,
    ) -> None:
        """Log what became of a suggestion, as event `seq` of its conversation if any. Raises NotFound, Conflict."""
        at = iso(self._clock())
        final_text = final_text and redactor.text(final_text)
        reason = reason and redactor.text(reason)
        values = {"outcome": outcome, "outcome_at": at, "outcome_reason": reason, "final_text": final_text}
        change = update(suggestions).where(suggestions.c.id == suggestion_id).values(values)
        data = {"suggestion_id": suggestion_id, "outcome": outcome, "final_text": final_text, "reason": reason}

        def job(connection: Connection) -> None:
            if connection.execute(change).rowcount == 0:
                raise NotFound("No suggestion has this id.", {"id": suggestion_id})
            if conversation_id is not None:
                payload = json.dumps(data, ensure_ascii=False)
                _add_event(connection, conversation_id, seq, "suggestion.outcome", at, payload)

        await self._writer.write(job)

    async def close_conversation(self, conversation_id: str, seq: int, wrap_up: WrapUp, redactor: Redactor) -> None:
        """Close a conversation with its wrap-up as event `seq`. Raises Conflict if it is closed already."""
        at = iso(self._clock())
        step = {"of": conversation_id, "while_status": "open", "seq": seq, "now": at}
        event = {"conversation_id": conversation_id, "seq": seq, "type": "conversation.closed", "at": at}

        def job(connection: Connection) -> None:
            logged = connection.execute(
                select(utterances.c.id, utterances.c.text).where(utterances.c.conversation_id == conversation_id)
            )
            texts = {said: text for said, text in logged if text is not None}
            payload = WRAP_UP.dump_json(redactor.wrap_up(wrap_up, texts)).decode()
            closing = {"status": "closed", "closed_at": at, "wrap_up": payload}
            if connection.execute(_STEP.values(closing), step).rowcount != 1:
                raise Conflict("The conversation is closed or has moved on elsewhere.", {"id": conversation_id})
            _INSERT_EVENT.run(connection, event | {"payload": payload})

        await self._writer.write(job)

    async def add_review(self, review: Review, redactor: Redactor) -> None:
        """Log a verdict. Raises NotFound if there is no such suggestion."""
        row = {field: getattr(review, field) for field in Review.__slots__} | {"note": redactor.text(review.note)}
        judged = update(suggestions).where(suggestions.c.id == review.suggestion_id).values(verdict=review.verdict)

        def job(connection: Connection) -> None:
            if connection.execute(judged).rowcount == 0:
                raise NotFound("No suggestion has this id.", {"id": review.suggestion_id})
            connection.execute(insert(reviews), row)

        await self._writer.write(job)

    async def erase_customer(self, customer_id: str) -> list[str]:
        """Remove every text of and about a customer and return the ids of their conversations.

        Utterances, events and results go; of suggestions only the figures stay (kind, emotion, outcome, verdict).
        """
        kept_id = log_id(customer_id)
        theirs = select(suggestions.c.id).where(suggestions.c.customer_id == kept_id)
        blank = {"title": "", "text": "", "reason": "", "excerpt": None, "outcome_reason": None, "final_text": None}

        def job(connection: Connection) -> list[str]:
            mine = conversations.c.customer_id == kept_id
            ids = list(connection.execute(select(conversations.c.id).where(mine)).scalars())
            connection.execute(update(reviews).where(reviews.c.suggestion_id.in_(theirs)).values(note=""))
            connection.execute(
                update(suggestions).where(suggestions.c.customer_id == kept_id).values(blank | {"customer_id": None})
            )
            connection.execute(delete(utterances).where(utterances.c.customer_id == kept_id))
            connection.execute(delete(events).where(events.c.conversation_id.in_(ids)))
            for row in connection.execute(select(conversations.c.id, conversations.c.profile).where(mine)).all():
                bare = replace(CONVERSATION.validate_json(row.profile), customer=Customer(id=ERASED), metadata={})
                connection.execute(
                    update(conversations)
                    .where(conversations.c.id == row.id)
                    .values(
                        status="closed",
                        customer_id=ERASED,
                        last_text=None,
                        wrap_up=None,
                        profile=CONVERSATION.dump_json(bare).decode(),
                    )
                )
            return ids

        ids = await self._writer.write(job)
        await asyncio.to_thread(self._truncate_journal)
        return ids

    async def forget_before(self, before: datetime) -> int:
        """Delete conversations, and results without one, last touched before a time. Returns how many conversations."""
        limit = iso(before)
        old = select(conversations.c.id).where(conversations.c.updated_at < limit)
        single = and_(utterances.c.conversation_id.is_(None), utterances.c.logged_at < limit)
        keys = select(utterances.c.key).where(or_(utterances.c.conversation_id.in_(old), single))
        gone = select(suggestions.c.id).where(suggestions.c.utterance_key.in_(keys))

        def job(connection: Connection) -> int:
            connection.execute(delete(reviews).where(reviews.c.suggestion_id.in_(gone)))
            connection.execute(delete(suggestions).where(suggestions.c.utterance_key.in_(keys)))
            connection.execute(delete(suggestions).where(suggestions.c.conversation_id.in_(old)))
            connection.execute(delete(utterances).where(utterances.c.key.in_(keys)))
            connection.execute(delete(events).where(events.c.conversation_id.in_(old)))
            return connection.execute(delete(conversations).where(conversations.c.updated_at < limit)).rowcount

        return await self._writer.write(job)

    # Reading

    async def load(self, conversation_id: str, since: int = 0) -> StoredConversation | None:
        """A conversation and its events after `since`."""

        def job(connection: Connection) -> StoredConversation | None:
            row = connection.execute(select(conversations).where(conversations.c.id == conversation_id)).first()
            if row is None:
                return None
            return StoredConversation(
                conversation=CONVERSATION.validate_json(row.profile),
                status=cast(Status, row.status),
                last_seq=row.last_seq,
                wrap_up=WRAP_UP.validate_json(row.wrap_up) if row.wrap_up else None,
                events=_events(connection, conversation_id, since),
            )

        return await self._readers.read(job)

    async def list_conversations(
        self, *, status: Status | None, after: Place | None, limit: int
    ) -> list[ConversationSummary]:
        """Conversations, the newest first."""
        return await self._readers.read(lambda connection: conversation_page(connection, status, after, limit))

    async def last_readings(self, conversation_ids: Sequence[str]) -> dict[str, ConversationReading]:
        """Where conversations stood after their last utterance; those in which nobody has spoken are missing."""
        return await self._readers.read(lambda connection: last_readings(connection, conversation_ids))

    async def list_suggestions(
        self, wanted: SuggestionFilter, *, after: Place | None, limit: int
    ) -> list[LoggedSuggestion]:
        """Suggestions of the log, the newest first."""
        return await self._readers.read(lambda connection: suggestion_page(connection, wanted, after, limit))

    async def suggestion(self, suggestion_id: str) -> LoggedSuggestion | None:
        """One suggestion of the log."""
        return await self._readers.read(lambda connection: one_suggestion(connection, suggestion_id))

    async def count_suggestions(self) -> int:
        """How many suggestions the log holds."""
        return await self._readers.read(
            lambda connection: connection.execute(select(func.count()).select_from(suggestions)).scalar_one()
        )

    async def article_use(self, since: datetime) -> list[ArticleUse]:
        """What agents did with each article's texts since a time."""
        return await self._readers.read(lambda connection: article_use(connection, iso(since)))

    async def phrase_use(self, since: datetime) -> list[PhraseUse]:
        """What agents did with the phrases that were shown since a time."""
        return await self._readers.read(lambda connection: phrase_use(connection, iso(since)))

    async def open_questions(self, since: datetime) -> list[OpenQuestion]:
        """What customers said since a time and got no answer to, or only dismissed ones; the oldest first."""
        return await self._readers.read(lambda connection: open_questions(connection, iso(since)))

    async def shown_suggestions(
        self, since: datetime, *, excerpt_chars: int = 80, progress: Callable[[int], None] = lambda _: None
    ) -> list[ShownSuggestion]:
        """What was shown since a time and what became of it, without alerts; the oldest first."""
        return await self._readers.read(
            lambda connection: shown_suggestions(connection, iso(since), excerpt_chars, progress)
        )

    def _truncate_journal(self) -> None:
        # Overwritten pages stay readable in SQLite's write-ahead file until it is truncated.
        if self._writing.dialect.name == "sqlite":
            connection = self._writing.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()


def _result_rows(
    result: AssistResult, conversation: Conversation | None, customer_id: str, at: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Rows of `utterances` and `suggestions` for a redacted result."""
    spoken, emotion = result.utterance, result.emotion
    conversation_id = conversation.id if conversation else None
    key = f"{conversation_id or '-'}/{spoken.id}"
    utterance = {
        "key": key,
        "conversation_id": conversation_id,
        "id": spoken.id,
        "seq": spoken.seq,
        "customer_id": customer_id,
        "speaker": spoken.speaker,
        "language": spoken.language,
        "text": spoken.text,
        "at": iso(spoken.at),
        "logged_at": at,
        "result": RESULT.dump_json(result).decode(),
    }
    shared = {
        "conversation_id": conversation_id,
        "utterance_key": key,
        "customer_id": customer_id,
        "agent_id": conversation.agent.id if conversation and conversation.agent else None,
        "at": at,
        "emotion": emotion.label if emotion else None,
        "flags": _joined(emotion.flags) if emotion else "",
        "outcome": "shown",
    }
    return utterance, [
        shared
        | {
            "id": suggestion.id,
            "position": position,
            "kind": suggestion.kind,
            "language": suggestion.language,
            "relevance": suggestion.relevance,
            "title": suggestion.title,
            "text": suggestion.text,
            "reason": suggestion.reason,
            "source_type": suggestion.source.type,
            "source_id": suggestion.source.id,
            "source_version": suggestion.source.version,
            "excerpt": suggestion.source.excerpt,
        }
        for position, suggestion in enumerate(result.suggestions)
    ]


def _add_event(connection: Connection, conversation_id: str, seq: int, kind: str, at: str, payload: str) -> None:
    table = conversations
    here = (table.c.id == conversation_id) & (table.c.last_seq == seq - 1)
    if connection.execute(update(table).where(here).values(last_seq=seq, updated_at=at)).rowcount != 1:
        raise Conflict("The conversation has moved on elsewhere.", {"id": conversation_id})
    row = {"conversation_id": conversation_id, "seq": seq, "type": kind, "at": at, "payload": payload}
    _INSERT_EVENT.run(connection, row)


def _events(connection: Connection, conversation_id: str, since: int) -> tuple[StoredEvent, ...]:
    same = and_(utterances.c.conversation_id == events.c.conversation_id, utterances.c.seq == events.c.seq)
    data = func.coalesce(events.c.payload, utterances.c.result)
    statement = (
        select(events.c.seq, events.c.type, events.c.at, data)
        .select_from(events.outerjoin(utterances, same))
        .where(events.c.conversation_id == conversation_id, events.c.seq > since)
        .order_by(events.c.seq)
    )
    return tuple(StoredEvent(*row) for row in connection.execute(statement))


def _joined(flags: Sequence[str]) -> str:
    # Commas around every flag, so that a filter finds whole names only.
    return f",{','.join(flags)}," if flags else ""
