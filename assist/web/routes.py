"""Conversations, assists, searches and drafts: what an agent's desktop calls."""

import time
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic_core import from_json
from starlette.requests import HTTPConnection

from assist.domain import ArticleLanguage, AssistResult, Conversation, Customer, WrapUp
from assist.errors import AssistError, TooLarge
from assist.storage.keys import Key
from assist.storage.records import RESULT, Status
from assist.web.checks import check_customer, check_text, cursor_of, place_of
from assist.web.live import Room
from assist.web.parts import Parts, parts_of
from assist.web.profiles import completed
from assist.web.schemas import (
    AssistInput,
    ClosureInput,
    ConversationInput,
    ConversationOut,
    ConversationsOut,
    DraftInput,
    DraftOut,
    ErrorOut,
    EventOut,
    EventsOut,
    MeOut,
    SearchInput,
    SearchOut,
    UtteranceInput,
)
from assist.web.searching import search

MAX_SEQ = 2**31 - 1
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorOut, "description": meaning}
    for status, meaning in {
        400: "The input breaks a rule.",
        401: "No valid key.",
        403: "The role may not do this.",
        404: "Nothing has this id.",
        409: "The state does not allow it.",
        413: "Over a size limit.",
        422: "The fields do not have the documented form.",
        429: "Overloaded; try again later.",
        503: "Not ready, or the log cannot be written.",
    }.items()
}


async def entered(connection: HTTPConnection) -> Key:
    """The caller, once they may use the route. Every route of the API depends on it."""
    return await parts_of(connection).gate.enter(connection)


Caller = Annotated[Key, Depends(entered)]
Service = Annotated[Parts, Depends(parts_of)]
Limit = Annotated[int, Query(ge=1, le=1000)]
router = APIRouter(prefix="/v1", dependencies=[Depends(entered)], responses=ERRORS)


@router.get("/me")
async def me(caller: Caller) -> MeOut:
    """Who the caller is and what the pages may show them."""
    return MeOut(
        name=caller.name, role=caller.role, language=caller.language, can_write=caller.role in ("agent", "admin")
    )


@router.post("/conversations", status_code=201)
async def open_conversation(asked: ConversationInput, parts: Service) -> ConversationOut:
    """Open a conversation. The customer source, if there is one, completes the profile. 409 if the id is in use."""
    check_customer(parts.settings, asked.customer)
    engine = parts.engine
    conversation = asked.record(engine.new_id("conv"), engine.clock())
    customer = await completed(engine.customers, conversation.customer, limit=parts.settings.max_profile_items)
    room = await parts.rooms.open(replace(conversation, customer=customer))
    return _state(room, parts)


@router.get("/conversations")
async def list_conversations(
    parts: Service, status: Status | None = None, cursor: str | None = None, limit: Limit = 50
) -> ConversationsOut:
    """Conversations, the newest first; those in memory as they stand now."""
    limit = min(limit, parts.settings.max_page_items)
    found = await parts.engine.repository.list_conversations(status=status, after=place_of(cursor), limit=limit)
    following = cursor_of((found[-1].opened_at, found[-1].id)) if len(found) == limit else None
    lines = [(line.status == "open" and parts.board.live(line.id)) or line for line in found]
    return ConversationsOut(conversations=lines, next_cursor=following)


@router.get("/conversations/{conversation_id}")
async def get_conversation(
    conversation_id: str, caller: Caller, parts: Service, reader: ArticleLanguage | None = None
) -> ConversationOut:
    """A conversation as it stands now. `reader` is the language of what is known, else the conversation's.

    Reviewers are told neither what is known nor what the customer is known by.
    """
    state = _state(await parts.rooms.ready(conversation_id), parts, reader)
    if caller.role == "reviewer":
        return state.model_copy(update={"known": (), "customer": replace(state.customer, identifiers={})})
    return state


@router.get("/conversations/{conversation_id}/events")
async def list_events(
    conversation_id: str,
    caller: Caller,
    parts: Service,
    since: Annotated[int, Query(ge=0, le=MAX_SEQ)] = 0,
    limit: Limit = 200,
) -> EventsOut:
    """What happened after `since`. Reviewers see it redacted, the others as it was said while it is in memory."""
    limit = min(limit, parts.settings.max_page_items)
    room = await parts.rooms.get(conversation_id)
    if caller.role == "reviewer":
        stored = await parts.engine.repository.load(conversation_id, since)
        events: Any = stored.events if stored else ()
    else:
        events = room.events[since:]
    return EventsOut(
        seq=room.seq,
        events=[
            EventOut(seq=event.seq, type=event.type, at=event.at, data=from_json(event.data))
            for event in events[:limit]
        ],
    )


@router.post("/conversations/{conversation_id}/utterances", response_model=AssistResult)
async def add_utterance(conversation_id: str, said: UtteranceInput, parts: Service) -> Response:
    """Say something. The answer is in the log before it is here; the same id again returns the same result."""
    check_text(parts.settings, said.text)
    return _json(await parts.rooms.add_utterance(conversation_id, said))


@router.post("/conversations/{conversation_id}/closure", response_model=WrapUp)
async def close_conversation(conversation_id: str, parts: Service, asked: ClosureInput | None = None) -> WrapUp:
    """Close a conversation and wrap it up; again, the same wrap-up."""
    return await parts.rooms.close(conversation_id, asked.agent_language if asked else None)


@router.post("/assists", response_model=AssistResult)
async def assist(asked: AssistInput, parts: Service) -> Response:
    """A result for the last of some utterances, without a conversation."""
    if len(asked.utterances) > parts.settings.max_assist_utterances:
        raise TooLarge("Too many utterances.", {"max_assist_utterances": parts.settings.max_assist_utterances})
    for said in asked.utterances:
        check_text(parts.settings, said.text)
    check_customer(parts.settings, asked.customer)
    engine = parts.engine
    conversation = Conversation(
        id=engine.new_id("conv"),
        channel=asked.channel,
        opened_at=engine.clock(),
        customer=asked.customer.record() if asked.customer else Customer(id="unknown"),
        language=asked.language,
    )
    return _json(await parts.rooms.assist_once(asked, conversation))


@router.post("/searches")
async def search_knowledge(asked: SearchInput, parts: Service) -> SearchOut:
    """The agent's own search in articles, cases, phrases and products."""
    check_text(parts.settings, asked.query)
    begin = time.perf_counter()
    encoding = await parts.engine.pool.encode_query(asked.query)
    hits = search(parts.engine.knowledge(), asked, encoding, on=parts.engine.clock().date())
    return SearchOut(hits=hits, took_ms=round((time.perf_counter() - begin) * 1e3, 2))


@router.post("/draft_checks")
async def check_draft(asked: DraftInput, parts: Service) -> DraftOut:
    """What is wrong with what the agent is typing."""
    check_text(parts.settings, asked.text)
    return DraftOut(issues=await parts.rooms.check_draft(asked.text, asked.conversation_id))


def _json(result: AssistResult) -> Response:
    # The record is checked and serialised once; a response model would do both a second time.
    return Response(RESULT.dump_json(result), media_type="application/json")


def _state(room: Room, parts: Parts, reader: ArticleLanguage | None = None) -> ConversationOut:
    if room.session is None:
        raise AssistError("a room without a session")
    conversation = room.conversation
    return ConversationOut(
        id=conversation.id,
        status=room.status,
        channel=conversation.channel,
        language=room.language,
        opened_at=conversation.opened_at,
        customer=conversation.customer,
        agent=conversation.agent,
        metadata=dict(conversation.metadata),
        seq=room.seq,
        reading=parts.engine.assistant.state(room.session),
        emotion=room.emotion,
        wrap_up=room.wrap_up,
        known=parts.engine.assistant.known(room.session, reader),
    )
