"""Puts the service together. Importing does nothing; the app of `create_app` opens its parts when it starts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from assist import __version__
from assist.conversation import clocks
from assist.conversation.assistant import Assistant
from assist.conversation.clocks import Limits
from assist.conversation.routing import escalated
from assist.conversation.segments import Cuts
from assist.domain import ConversationReading
from assist.errors import AssistError, NotFound, TooLarge, Unprocessable
from assist.inference.emotion import EmotionReader
from assist.inference.encoder import Encoder
from assist.inference.pool import EncoderPool
from assist.knowledge.index import IndexStore
from assist.knowledge.ranking import Relevance
from assist.learning.folder import PolicyFolder
from assist.settings import Settings
from assist.storage.customer_sources import open_customers
from assist.storage.records import ConversationSummary, iso
from assist.storage.repository import Repository
from assist.suggest.drafts import MODEL_FILE, DraftChecker, DraftReader, DraftRules
from assist.suggest.phrase_choice import PhraseChoice
from assist.web import board_routes, demo, knowledge_routes, log_routes, pages, profiles, routes, socket
from assist.web.checks import fields_of
from assist.web.knowledge import Builds, LiveKnowledge
from assist.web.observe import Metrics, Observe, content_security_policy, error_body, log, log_failure
from assist.web.parts import Engine, Parts, new_id, now, parts_of

_HOUSEKEEPING_S = 3600.0
_CLOCKS_S = 1.0
_BOARD_LINES = 500
_BOARD_AGE = timedelta(hours=24)
_ANSWER_HEADERS = {401: {"www-authenticate": "Bearer"}, 429: {"retry-after": "1"}, 503: {"retry-after": "1"}}


class _MethodNotAllowed(AssistError):
    """The path exists, the method does not."""

    code = "method_not_allowed"
    status = 405


def open_engine(settings: Settings) -> Engine:
    """Open the database, the model and the active index. Blocks.

    Raises SettingsError, ModelError or KnowledgeError. Without an index the service starts all the same and waits for
    one.
    """
    relevance = Relevance.shipped(settings.models_dir)
    encoder = Encoder(settings.models_dir)
    knowledge = LiveKnowledge(IndexStore(settings.index_dir, relevance, encoder_version=encoder.version))
    knowledge.refresh()
    begin, end = settings.callback_hours.split("-")
    assistant = Assistant(
        emotions=EmotionReader(settings.models_dir),
        knowledge=knowledge,
        clock=now,
        new_id=new_id,
        callback_hours=(time.fromisoformat(begin), time.fromisoformat(end)),
        timezone=settings.timezone,
        limits=Limits(
            first_answer=timedelta(seconds=settings.clock_first_answer_s),
            enquiry=timedelta(seconds=settings.clock_enquiry_s),
            complaint_contact=timedelta(seconds=settings.clock_complaint_contact_s),
            closure=timedelta(seconds=settings.clock_closure_s),
            warning=settings.clock_warning,
        ),
        cuts=Cuts(settings.segment_dormant_days, settings.segment_core_orders, settings.segment_core_spend),
        weights=PolicyFolder(settings.policy_path).in_use(required=bool(settings.policy_file)),
        choice=PhraseChoice.shipped(settings.models_dir, encoder.version),
        drafts=open_drafts(settings, encoder),
    )
    customers = open_customers(
        settings.customer_source,
        parse=profiles.parse,
        timeout_s=settings.customer_timeout_s,
        queries=settings.customer_queries,
        token=settings.customer_token.get_secret_value(),
    )
    pool = EncoderPool(encoder, workers=settings.encoder_workers, queue_limit=settings.encoder_queue)
    repository = Repository.open(
        settings.log_url, synchronous=settings.synchronous, queue_limit=settings.log_queue, clock=now
    )
    return Engine(repository, assistant, pool, knowledge, customers=customers)


def open_drafts(settings: Settings, encoder: Encoder) -> DraftChecker:
    """The draft check with the retailer's own rules. Raises KnowledgeError or ModelError.

    Without its model file the wording rules work alone.
    """
    reader = DraftReader(settings.models_dir, encoder) if encoder.manifest.lists(MODEL_FILE) else None
    return DraftChecker(DraftRules.read(settings.knowledge_dir), reader)


def create_app(
    *,
    settings: Settings,
    engine: Callable[[Settings], Engine] = open_engine,
    started: Callable[[Parts], None] = lambda _: None,
) -> FastAPI:
    """The service as an ASGI app.

    Args:
        settings: every knob.
        engine: opens the parts that do the work; tests give their own.
        started: called once everything is open.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = await asyncio.to_thread(engine, settings)
        build = ["-m", "assist.cli", "reindex", "--json", "--data", str(settings.data_dir)]
        build += ["--models", str(settings.models_dir), "--source", str(settings.knowledge_dir)]
        builds = Builds(settings.data_dir / "builds", build, opened.clock, opened.new_id)
        await asyncio.to_thread(builds.resume)
        parts = Parts(settings, opened, metrics, builds)
        app.state.parts = parts
        known = await opened.repository.list_conversations(status="open", after=None, limit=_BOARD_LINES)
        begin = iso(opened.clock() - _BOARD_AGE)
        lines = [line for line in known if line.updated_at >= begin]
        readings = await opened.repository.last_readings([line.id for line in lines])
        parts.board.fill([_as_read(line, readings.get(line.id), opened.clock()) for line in lines])
        tasks = [
            asyncio.create_task(opened.knowledge.follow(settings.index_poll_s)),
            asyncio.create_task(_housekeeping(parts)),
            asyncio.create_task(_watch_clocks(parts)),
        ]
        started(parts)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            parts.board.end()
            await asyncio.to_thread(opened.pool.close)
            await asyncio.to_thread(opened.repository.close)
            if opened.customers is not None:
                opened.customers.close()

    app = FastAPI(
        title="assist",
        version=__version__,
        description="Live help for the human agents of a retailer's contact centre.",
        lifespan=lifespan,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
    )
    for module in (routes, log_routes, knowledge_routes, board_routes, demo, socket, pages):
        app.include_router(module.router)
    app.mount("/static", _Static(directory=pages.STATIC))
    app.add_exception_handler(AssistError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_error)
    app.add_exception_handler(HTTPException, _answer_error)
    app.add_middleware(
        Observe,
        metrics=metrics,
        max_body_bytes=settings.max_body_bytes,
        policy=content_security_policy(settings.allowed_origins),
    )
    return app


async def _answer_error(request: Request, error: Exception) -> Response:
    """Every refusal in the one shape."""
    headers: Mapping[str, str] | None = None
    if isinstance(error, RequestValidationError):
        error = Unprocessable("The fields do not have the documented form.", fields_of(error.errors()))
    elif isinstance(error, HTTPException):
        headers = error.headers
        error = _of_status(error.status_code, str(error.detail))
    assert isinstance(error, AssistError)
    if error.status == AssistError.status:
        log_failure("failure", error)
    parts_of(request).metrics.errors.labels(error.code).inc()
    headers = headers or _ANSWER_HEADERS.get(error.status)
    return Response(error_body(error), error.status, headers=headers, media_type="application/json")


def _of_status(status: int, detail: str) -> AssistError:
    kinds: dict[int, type[AssistError]] = {404: NotFound, 405: _MethodNotAllowed, 413: TooLarge}
    return kinds.get(status, Unprocessable)(detail)


async def _housekeeping(parts: Parts) -> None:
    """Delete what is past its retention, at the start and every hour."""
    repository, days = parts.engine.repository, parts.settings.retention_days
    while True:
        try:
            await repository.keys.forget_expired()
            if days:
                gone = await repository.forget_before(parts.engine.clock() - timedelta(days=days))
                log.info("retention", deleted=gone)
        except AssistError as error:
            log_failure("retention.failed", error)
        await asyncio.sleep(_HOUSEKEEPING_S)


async def _watch_clocks(parts: Parts) -> None:
    """Tell everyone who looks when a clock is about to run out or has, though nobody says anything."""
    while True:
        await asyncio.sleep(_CLOCKS_S)
        try:
            parts.rooms.tell_clocks()
        except Exception as error:
            log_failure("clocks.failed", error)


def _as_read(line: ConversationSummary, reading: ConversationReading | None, now: datetime) -> ConversationSummary:
    """A line of the log with what only its last result knows; clocks that ran out meanwhile have run out."""
    if reading is None:
        return line
    running = clocks.at(reading.clocks, now)
    routing = escalated(reading.routing, running) if reading.routing else None
    return replace(line, clocks=running, segment=reading.segment, routing=routing)


class _Static(StaticFiles):
    """Page files that a browser asks for anew, so that a new release is never mixed with an old one."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """As the base class does, with one header more."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        return response
