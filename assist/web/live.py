"""Conversations in memory: who watches them, what has happened, and the one way in which an utterance goes.

A room keeps the customer's original words while the process lives; the log has them redacted, and that is what is
left after a restart. Each room has a lock: one utterance at a time, in the order of arrival.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic_core import from_json, to_json

from assist.conversation import clocks
from assist.conversation.assistant import Assistant
from assist.conversation.routing import escalated
from assist.conversation.session import Session
from assist.domain import (
    ArticleLanguage,
    AssistResult,
    Conversation,
    DraftIssue,
    Emotion,
    Language,
    Outcome,
    Speaker,
    Utterance,
    WrapUp,
)
from assist.errors import Conflict, NotFound, Overloaded
from assist.inference.encoder import CONTEXT_SPEAKERS, CONTEXT_TURNS, Encoding
from assist.inference.pool import EncoderPool
from assist.storage.records import (
    CONVERSATION,
    RESULT,
    WRAP_UP,
    ConversationSummary,
    EventType,
    Status,
    StoredConversation,
    iso,
)
from assist.storage.redaction import Redactor, could_be
from assist.storage.repository import Repository
from assist.text.language import detect
from assist.web.board import Board, Watcher
from assist.web.observe import Metrics
from assist.web.schemas import CLOCKS, AssistInput, ClocksOut, OutcomeInput, UtteranceInput

REMEMBERED = 200
"""Conversations whose last turns stay encoded in memory, 0.4 MB each as a rule; others' are encoded again."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is sent: `data` is JSON text."""

    seq: int
    type: EventType
    at: str
    data: str

    @property
    def message(self) -> str:
        """The socket message."""
        body = f'"seq":{self.seq},"type":"{self.type}","at":"{self.at}","data":{self.data}'
        return f'{{"type":"event","event":{{{body}}}}}'


class Room:
    """One conversation in memory. `session` is None when it has to be rebuilt before the next utterance."""

    def __init__(self, conversation: Conversation, redactor: Redactor) -> None:
        self.conversation = conversation
        self.redactor = redactor
        self.lock = asyncio.Lock()
        self.session: Session | None = None
        self.status: Status = "open"
        self.wrap_up: WrapUp | None = None
        self.events: list[Event] = []
        self.results: dict[str, AssistResult] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.suggestion_ids: set[str] = set()
        self.watchers: set[Watcher] = set()
        self.emotion: Emotion | None = None
        self.language: Language | None = conversation.language
        self.waiting_since: datetime | None = None
        self.closed_at: str | None = None

    @property
    def seq(self) -> int:
        """The last event."""
        return len(self.events)

    def result_json(self, result: AssistResult) -> str:
        """A result of this room as it was sent."""
        return self.events[result.utterance.seq - 1].data

    def take(self, event: Event) -> None:
        """Record an event that is in the log, and send it to every screen."""
        self.events.append(event)
        if event.type == "utterance.added":
            self._take_result(RESULT.validate_json(event.data))
        elif event.type == "suggestion.outcome":
            data = from_json(event.data)
            self.outcomes[data["suggestion_id"]] = data["outcome"]
        elif event.type == "conversation.closed":
            self.status, self.closed_at = "closed", event.at
            self.wrap_up = WRAP_UP.validate_json(event.data)
        self.publish(event)

    def take_result(self, result: AssistResult, event: Event) -> None:
        """Like `take` for a result that is at hand."""
        self.events.append(event)
        self._take_result(result)
        self.publish(event)

    def publish(self, event: Event) -> None:
        """Send an event to every screen that watches."""
        if self.watchers:
            message = event.message
            for watcher in tuple(self.watchers):
                watcher.send(message)

    def summary(self, assistant: Assistant) -> ConversationSummary:
        """Its line on the board; the clocks and the risk are those of this moment."""
        last = self.results[next(reversed(self.results))] if self.results else None
        reading = assistant.state(self.session) if self.session else last and last.conversation
        conversation, emotion = self.conversation, self.emotion
        customer, agent = conversation.customer, conversation.agent
        return ConversationSummary(
            id=conversation.id,
            status=self.status,
            channel=conversation.channel,
            customer={"id": customer.id, "name": customer.name, "tier": customer.tier},
            agent={"id": agent.id, "name": agent.name} if agent else None,
            opened_at=iso(conversation.opened_at),
            closed_at=self.closed_at,
            updated_at=self.events[-1].at,
            seq=self.seq,
            emotion=emotion.label if emotion else None,
            intensity=emotion.intensity if emotion else None,
            flags=list(emotion.flags) if emotion else [],
            trend=reading.trend if reading else None,
            escalation_risk=reading.escalation_risk if reading else 0.0,
            last_speaker=last.utterance.speaker if last else None,
            last_text=last.utterance.text if last else None,
            waiting_since=iso(self.waiting_since) if self.waiting_since and self.status == "open" else None,
            clocks=reading.clocks if reading else (),
            segment=reading.segment if reading else None,
            routing=reading.routing if reading else None,
        )

    def _take_result(self, result: AssistResult) -> None:
        spoken = result.utterance
        self.results[spoken.id] = result
        self.suggestion_ids.update(suggestion.id for suggestion in result.suggestions)
        if spoken.speaker == "customer":
            self.emotion = result.emotion
            self.waiting_since = self.waiting_since or spoken.at
            if spoken.language in ("zh-Hans", "zh-Hant", "en"):
                self.language = spoken.language
        elif spoken.speaker == "agent":
            self.waiting_since = None


class Rooms:
    """All conversations of this process. The longest untouched leave memory first; the log brings them back."""

    def __init__(
        self,
        *,
        repository: Repository,
        assistant: Assistant,
        pool: EncoderPool,
        board: Board,
        metrics: Metrics,
        clock: Callable[[], datetime],
        new_id: Callable[[str], str],
        limit: int,
    ) -> None:
        self._repository, self._assistant, self._pool = repository, assistant, pool
        self._board, self._metrics, self._clock, self._new_id = board, metrics, clock, new_id
        self._limit = limit
        self._rooms: OrderedDict[str, Room] = OrderedDict()
        self._remembering: OrderedDict[str, Room] = OrderedDict()
        self._loading = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._rooms)

    async def open(self, conversation: Conversation) -> Room:
        """Begin a conversation. Raises Conflict if its id is in use."""
        room = Room(conversation, Redactor(conversation))
        await self._repository.open_conversation(conversation, room.redactor)
        room.session = self._assistant.start(conversation)
        data = CONVERSATION.dump_json(conversation).decode()
        room.take(Event(1, "conversation.opened", iso(conversation.opened_at), data))
        self._keep(room)
        self._board.change(room.summary(self._assistant))
        return room

    async def get(self, conversation_id: str) -> Room:
        """A conversation, from memory or from the log. Raises NotFound."""
        room = self._rooms.get(conversation_id)
        if room is None:
            async with self._loading:
                room = self._rooms.get(conversation_id)
                if room is None:
                    stored = await self._repository.load(conversation_id)
                    if stored is None or not stored.events:
                        raise NotFound("No conversation has this id.", {"id": conversation_id})
                    room = _room_of(stored)
                    self._keep(room)
        self._rooms.move_to_end(conversation_id)
        return room

    async def ready(self, conversation_id: str) -> Room:
        """Like `get`, with the engine's state at hand."""
        room = await self.get(conversation_id)
        if room.session is None:
            async with room.lock:
                if room.session is None:
                    await self._rebuild(room)
        return room

    async def add_utterance(self, conversation_id: str, said: UtteranceInput) -> AssistResult:
        """Read, judge, log and publish one utterance; the same id again returns the stored result.

        Raises NotFound, Conflict (closed, or the id has another text), Overloaded, or Unavailable if the log failed:
        then nothing of the utterance is kept and it can be sent again.
        """
        begin = time.perf_counter()
        room = await self.get(conversation_id)
        async with room.lock:
            if room.session is None:
                await self._rebuild(room)
            earlier = room.results.get(said.id) if said.id else None
            if earlier is not None:
                return _same(earlier, said)
            if room.status == "closed":
                raise Conflict("The conversation is closed.", {"id": conversation_id})
            assert room.session is not None
            if said.speaker == "customer":
                await self._recall(room, room.session)
            utterance, encoding = await self._read(said, room.seq + 1, room.language, room.session)
            try:
                result = self._assistant.assist(room.session, utterance, encoding)
                result = replace(result, took_ms=_ms_since(begin))
                at, written = self._repository.begin_append(room.conversation, room.redactor, result)
                data = RESULT.dump_json(result).decode()  # while it is being written
                await written
            except BaseException:
                # The session has moved on, the log has not, or nobody knows: rebuild it before it is used again.
                room.session = None
                raise
            room.take_result(result, Event(utterance.seq, "utterance.added", at, data))
        self._count(result, begin)
        # The speaker's screen comes first.
        asyncio.get_running_loop().call_soon(self._show_on_board, room)
        return result

    def _show_on_board(self, room: Room) -> None:
        is_here = self._rooms.get(room.conversation.id) is room
        if is_here and room.session is not None and room.status == "open":
            self._board.change(room.summary(self._assistant))

    async def assist_once(self, asked: AssistInput, conversation: Conversation) -> AssistResult:
        """A result for the last of some utterances, in a session of their own. The result is logged."""
        begin = time.perf_counter()
        session = self._assistant.start(conversation)
        redactor = Redactor(conversation)
        language: Language | None = conversation.language
        for seq, said in enumerate(asked.utterances, start=1):
            utterance, encoding = await self._read(said, seq, language, session)
            if utterance.speaker == "customer" and utterance.language in ("zh-Hans", "zh-Hant", "en"):
                language = utterance.language
            if seq == len(asked.utterances):
                # The caller's id may be used again with other context; the log's must not.
                utterance = replace(utterance, id=self._new_id("utt"))
            result = self._assistant.assist(session, utterance, encoding)
            redactor.utterance(utterance)
        result = replace(result, took_ms=_ms_since(begin))
        await self._repository.append_single(conversation, redactor, result)
        self._count(result, begin)
        last_id = asked.utterances[-1].id
        return replace(result, utterance=replace(result.utterance, id=last_id)) if last_id else result

    async def check_draft(self, text: str, conversation_id: str | None) -> list[DraftIssue]:
        """What is wrong with what the agent of a conversation is typing; see `Assistant.check_draft`.

        Raises NotFound, or Overloaded as for an utterance.
        """
        if conversation_id is None:
            heard = await self._pool.run(self._assistant.draft_hearing(text, None))
            return self._assistant.check_draft(text, None, heard)
        room = await self.ready(conversation_id)
        async with room.lock:
            if room.session is None:
                await self._rebuild(room)
            assert room.session is not None
            session = room.session
            if room.status == "open":
                await self._recall(room, session)
            # Taken here: the thread must not look at a session that goes on.
            hear = self._assistant.draft_hearing(text, session)
        return self._assistant.check_draft(text, session, await self._pool.run(hear))

    async def set_outcome(self, suggestion_id: str, given: OutcomeInput) -> None:
        """Log what became of a suggestion and tell every screen. Raises NotFound."""
        room = next((room for room in self._rooms.values() if suggestion_id in room.suggestion_ids), None)
        if room is None:
            logged = await self._repository.suggestion(suggestion_id)
            if logged is None:
                raise NotFound("No suggestion has this id.", {"id": suggestion_id})
            if logged.conversation_id is None:
                await self._log_outcome(suggestion_id, given, Redactor(None), None, 0)
                return
            room = await self.get(logged.conversation_id)
        async with room.lock:
            if room.session is None:
                await self._rebuild(room)
            try:
                await self._log_outcome(suggestion_id, given, room.redactor, room.conversation.id, room.seq + 1)
            except BaseException:
                room.session = None
                raise
            if room.session is not None:
                self._assistant.set_outcome(room.session, suggestion_id, given.outcome)
            data = {"suggestion_id": suggestion_id} | given.model_dump(include={"outcome", "final_text", "reason"})
            room.take(Event(room.seq + 1, "suggestion.outcome", iso(self._clock()), to_json(data).decode()))

    async def close(self, conversation_id: str, agent_language: ArticleLanguage | None = None) -> WrapUp:
        """Close a conversation; closing it again returns the same wrap-up."""
        room = await self.get(conversation_id)
        async with room.lock:
            if room.session is None:
                await self._rebuild(room)
            if room.wrap_up is not None:
                return room.wrap_up
            if room.status == "closed":
                raise Conflict("The conversation was erased.", {"id": conversation_id})
            assert room.session is not None
            wrap_up = self._assistant.close(room.session, agent_language)
            try:
                await self._repository.close_conversation(conversation_id, room.seq + 1, wrap_up, room.redactor)
            except BaseException:
                room.session = None
                raise
            data = WRAP_UP.dump_json(wrap_up).decode()
            room.take(Event(room.seq + 1, "conversation.closed", iso(self._clock()), data))
            self._remembering.pop(conversation_id, None)
            self._assistant.forget(room.session)
        self._board.remove(room.summary(self._assistant))
        return wrap_up

    def tell_clocks(self) -> None:
        """Tell the boards and the screens of each open conversation in which a clock has come to its end, or close."""
        now = self._clock()
        for line in self._board.lines():
            running = clocks.at(line.clocks, now)
            if running is line.clocks:
                continue
            routing = escalated(line.routing, running) if line.routing else None
            self._board.change(replace(line, clocks=running, routing=routing))
            room = self._rooms.get(line.id)
            for watcher in tuple(room.watchers) if room else ():
                watcher.send(CLOCKS.dump_json(ClocksOut(clocks=running, routing=routing)).decode())

    async def erase_customer(self, customer_ids: Collection[str]) -> int:
        """Remove a customer's texts from the log, from memory and from every screen. Returns how many conversations.

        `customer_ids` are all ids that mean this one customer.
        """
        ids: set[str] = set()
        for customer_id in customer_ids:
            ids |= set(await self._repository.erase_customer(customer_id))
        for room_id, known in self._rooms.items():
            customer = known.conversation.customer
            if {customer.id, customer.identifiers.get("customer_id")} & set(customer_ids):
                ids.add(room_id)
        for conversation_id in ids:
            room = self._drop(conversation_id)
            for watcher in tuple(room.watchers) if room else ():
                watcher.drop()
            self._board.forget(conversation_id)
        return len(ids)

    def _keep(self, room: Room) -> None:
        self._rooms[room.conversation.id] = room
        if len(self._rooms) > self._limit:
            for conversation_id, idle in self._rooms.items():
                if not idle.watchers and not idle.lock.locked() and idle is not room:
                    self._drop(conversation_id)
                    break

    async def _rebuild(self, room: Room) -> None:
        """Make the session again from what is known here and from what the log has beyond it."""
        stored = await self._repository.load(room.conversation.id, since=room.seq)
        if stored is None:
            self._drop(room.conversation.id)
            raise NotFound("No conversation has this id.", {"id": room.conversation.id})
        for event in stored.events:
            room.take(Event(event.seq, event.type, event.at, event.data))
        turns = [(result.utterance, result) for result in room.results.values()]
        room.session = self._assistant.restore(room.conversation, turns, room.outcomes)
        if room.status == "closed":
            room.session.closed_at = datetime.fromisoformat(room.closed_at) if room.closed_at else None
            self._assistant.close(room.session)

    def _drop(self, conversation_id: str) -> Room | None:
        self._remembering.pop(conversation_id, None)
        return self._rooms.pop(conversation_id, None)

    async def _recall(self, room: Room, session: Session) -> None:
        """Encode the last turns again if the session no longer knows how they were encoded."""
        if not self._assistant.context(session):
            results = [result for result in room.results.values() if result.utterance.speaker in CONTEXT_SPEAKERS]
            turns: list[tuple[Speaker, Encoding]] = []
            for utterance in [result.utterance for result in results[-CONTEXT_TURNS:]]:
                context = [(speaker, encoding.memory) for speaker, encoding in turns]
                turns.append((utterance.speaker, await self._pool.encode_query(utterance.text, context)))
            self._assistant.recall(session, turns)
        self._remember(room)

    def _remember(self, room: Room) -> None:
        """Let those that have been silent for longest forget their encodings while too many are remembered."""
        self._remembering[room.conversation.id] = room
        self._remembering.move_to_end(room.conversation.id)
        silent = [idle for idle in self._remembering.values() if not idle.lock.locked()]
        for idle in silent[: max(0, len(self._remembering) - REMEMBERED)]:
            del self._remembering[idle.conversation.id]
            if idle.session is not None:
                self._assistant.forget(idle.session)

    def _utterance(self, said: UtteranceInput, seq: int, hint: Language | None) -> Utterance:
        return Utterance(
            id=said.id or self._new_id("utt"),
            seq=seq,
            speaker=said.speaker,
            text=said.text,
            language=detect(said.text, hint),
            at=said.at or self._clock(),
        )

    async def _read(
        self, said: UtteranceInput, seq: int, hint: Language | None, session: Session
    ) -> tuple[Utterance, Encoding | None]:
        """The utterance and its encoding. What does not need the encoding is done while it is being made.

        What an agent says is context for the next turn only: it is never refused because the encoder is busy.
        """
        begin = time.perf_counter()
        if not self._assistant.needs_encoding(said.speaker, session):
            return self._utterance(said, seq, hint), None
        try:
            encoded = await self._pool.begin(said.text, self._assistant.context(session))
        except Overloaded:
            if said.speaker == "customer":
                raise
            self._assistant.forget(session)
            return self._utterance(said, seq, hint), None
        utterance = self._utterance(said, seq, hint)
        self._assistant.prepare(session, utterance)
        encoding = await encoded
        self._metrics.encode_seconds.observe(time.perf_counter() - begin)
        return utterance, encoding

    async def _log_outcome(
        self, suggestion_id: str, given: OutcomeInput, redactor: Redactor, conversation_id: str | None, seq: int
    ) -> None:
        await self._repository.set_outcome(
            suggestion_id,
            given.outcome,
            final_text=given.final_text,
            reason=given.reason,
            redactor=redactor,
            conversation_id=conversation_id,
            seq=seq,
        )
        self._metrics.outcomes.labels(given.outcome).inc()

    def _count(self, result: AssistResult, begin: float) -> None:
        if result.utterance.speaker == "customer":
            self._metrics.assist_seconds.observe(time.perf_counter() - begin)
        for suggestion in result.suggestions:
            self._metrics.suggestions.labels(suggestion.kind).inc()


def _room_of(stored: StoredConversation) -> Room:
    room = Room(stored.conversation, Redactor(stored.conversation))
    for event in stored.events:
        room.take(Event(event.seq, event.type, event.at, event.data))
    room.status = stored.status
    return room


def _same(earlier: AssistResult, said: UtteranceInput) -> AssistResult:
    spoken = earlier.utterance
    # After a restart the earlier text is known in its redacted form only.
    if said.speaker != spoken.speaker or not could_be(spoken.text, said.text):
        raise Conflict("Another utterance has this id.", {"id": spoken.id})
    return earlier


def _ms_since(begin: float) -> float:
    return round((time.perf_counter() - begin) * 1e3, 2)
