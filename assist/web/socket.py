"""The live socket of one conversation: utterances and outcomes in, results and events out, to every screen."""

import asyncio
import json
import time

from fastapi import APIRouter, Query, WebSocket
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from assist.errors import AssistError, Forbidden, TooLarge, Unprocessable
from assist.storage.keys import Key
from assist.web.auth import allowed
from assist.web.board import Watcher
from assist.web.checks import check_text, fields_of
from assist.web.live import Room
from assist.web.observe import error_body, log_failure
from assist.web.parts import Parts, parts_of
from assist.web.schemas import SocketMessage, SocketOutcome, SocketUtterance

router = APIRouter(prefix="/v1")

TOO_SLOW = 4408
NO_LONGER_ALLOWED = 4401
_MESSAGE: TypeAdapter[SocketMessage] = TypeAdapter(SocketMessage)
_NEEDED = {
    "utterance": ("POST", "/v1/conversations/{conversation_id}/utterances"),
    "outcome": ("PUT", "/v1/suggestions/{suggestion_id}/outcome"),
}


@router.websocket("/conversations/{conversation_id}/live")
async def live(websocket: WebSocket, conversation_id: str, since: int = Query(-1, le=2**31 - 1)) -> None:
    """Watch a conversation, and speak in it if the role may. Without `since` only new events are sent."""
    parts = parts_of(websocket)
    try:
        key = await parts.gate.enter(websocket)
        room = await parts.rooms.get(conversation_id)
    except AssistError as error:
        parts.metrics.errors.labels(error.code).inc()
        await websocket.send_denial_response(Response(error_body(error), error.status, media_type="application/json"))
        return
    await websocket.accept()
    watcher = Watcher(parts.settings.watcher_queue)
    # No await from here until the watcher is in: an event is either among the missed ones or sent to the watcher.
    missed = [event.message for event in room.events[since:]] if 0 <= since else []
    ready = json.dumps({"type": "ready", "seq": room.seq})
    room.watchers.add(watcher)
    parts.metrics.watchers.inc()
    sending = asyncio.create_task(_send(websocket, watcher, parts, [ready, *missed]))
    try:
        # When the sender closes the socket, the client's answer to that ends the receiver.
        await _receive(websocket, watcher, parts, key, room)
    finally:
        room.watchers.discard(watcher)
        parts.metrics.watchers.dec()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _send(websocket: WebSocket, watcher: Watcher, parts: Parts, first: list[str]) -> None:
    for message in first:
        await websocket.send_text(message)
    beat = parts.settings.heartbeat_s
    next_beat = time.monotonic() + beat
    while True:
        for message in await watcher.take(max(0.0, next_beat - time.monotonic())):
            await websocket.send_text(message)
        if watcher.dropped:
            parts.metrics.dropped.inc()
            await websocket.close(TOO_SLOW, "dropped; connect again with since")
            return
        if time.monotonic() >= next_beat:
            next_beat = time.monotonic() + beat
            try:
                await parts.gate.identify(websocket)
            except AssistError:
                await websocket.close(NO_LONGER_ALLOWED, "the key is no longer valid")
                return
            await websocket.send_text('{"type":"heartbeat"}')


async def _receive(websocket: WebSocket, watcher: Watcher, parts: Parts, key: Key, room: Room) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        raw = message.get("text") or message.get("bytes") or ""
        reference: dict[str, str] = {}
        try:
            reply = await _answer(raw, parts, key, room, reference)
            if reply:
                watcher.send(reply)
        except AssistError as error:
            parts.metrics.errors.labels(error.code).inc()
            error.details = error.details | reference
            watcher.send(f'{{"type":"error",{error_body(error).decode()[1:]}')
        except Exception as error:
            log_failure("socket.failure", error)
            parts.metrics.errors.labels(AssistError.code).inc()
            watcher.send(f'{{"type":"error",{error_body(AssistError("crash")).decode()[1:]}')


async def _answer(raw: str | bytes, parts: Parts, key: Key, room: Room, reference: dict[str, str]) -> str | None:
    """Do what a message asks and return the sender's reply, if the event is not enough. `reference` is for errors."""
    if len(raw) > parts.settings.max_body_bytes:
        raise TooLarge("The message is too large.", {"max_body_bytes": parts.settings.max_body_bytes})
    try:
        message = _MESSAGE.validate_json(raw)
    except ValidationError as error:
        raise Unprocessable("The message does not have the documented form.", fields_of(error.errors())) from None
    if isinstance(message, SocketUtterance) and message.id:
        reference["utterance_id"] = message.id
    elif isinstance(message, SocketOutcome):
        reference["suggestion_id"] = message.suggestion_id
    needed = _NEEDED.get(message.type)
    if needed and not allowed(key.role, *needed):
        raise Forbidden(f"The role {key.role} may not do this.", {"role": key.role})
    if isinstance(message, SocketUtterance):
        check_text(parts.settings, message.text)
        result = await parts.rooms.add_utterance(room.conversation.id, message)
        return f'{{"type":"result","result":{room.result_json(result)}}}'
    if isinstance(message, SocketOutcome):
        check_text(parts.settings, message.final_text)
        await parts.rooms.set_outcome(message.suggestion_id, message)
        return None
    return '{"type":"pong"}'
