"""The supervisor's stream."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic_core import to_json
from starlette.requests import HTTPConnection

from assist.errors import AssistError
from assist.web.routes import ERRORS, Service, entered

router = APIRouter(prefix="/v1/live", dependencies=[Depends(entered)], responses=ERRORS)


@router.get("/board", response_class=EventSourceResponse)
async def board(connection: HTTPConnection, parts: Service) -> AsyncIterator[ServerSentEvent]:
    """`snapshot` with every open conversation, the most pressing first, then `change` with each line that changes.

    A line whose status is `closed` is to be taken down. The stream ends for a viewer who is too slow or whose key was
    withdrawn; connect again.
    """
    async for news in parts.board.watch():
        try:
            await parts.gate.identify(connection)
        except AssistError:
            return
        if isinstance(news, list):
            yield ServerSentEvent(event="snapshot", raw_data=to_json({"conversations": news}).decode())
        else:
            yield ServerSentEvent(event="change", raw_data=to_json(news).decode())
