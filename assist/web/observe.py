"""Logs, metrics, request ids, size limits and safe headers, in one layer around the app. None holds customer text."""

import logging
import secrets
import sys
import time
import traceback
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic_core import to_json
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assist.errors import AssistError, NotFound, TooLarge

log = structlog.get_logger()

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_SECONDS = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


def content_security_policy(frame_origins: tuple[str, ...]) -> str:
    """Everything from this server only; `frame_origins` may show our pages inside theirs."""
    ancestors = " ".join(("'self'", *frame_origins))
    return (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors {ancestors}"
    )


def configure_logging() -> None:
    """JSON lines on stderr: ours as they are, warnings and errors of libraries with their message only."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_dump),
        ],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Forward()], force=True)


def error_body(error: AssistError) -> bytes:
    """The one error shape as JSON."""
    message, details = (error.message, error.details) if error.status != 500 else ("Something went wrong here.", {})
    return to_json({"error": {"code": error.code, "message": message, "details": details}})


def log_failure(event: str, error: BaseException, **fields: Any) -> None:
    """Log where an unexpected error happened. Its message stays out: it may quote what a customer wrote."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    log.error(event, error=type(error).__name__, cause=type(error.__cause__).__name__, places=places, **fields)


class Metrics:
    """The figures of /metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        kwargs: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter(
            "assist_requests", "Requests by method, route and status.", ["method", "route", "status"], **kwargs
        )
        self.assist_seconds = Histogram(
            "assist_call_seconds", "A customer utterance from arrival to after its commit.", buckets=_SECONDS, **kwargs
        )
        self.encode_seconds = Histogram(
            "assist_encode_seconds", "The encoder's share of it, waiting included.", buckets=_SECONDS, **kwargs
        )
        self.suggestions = Counter("assist_suggestions", "Suggestions shown by kind.", ["kind"], **kwargs)
        self.outcomes = Counter("assist_outcomes", "Outcomes of suggestions.", ["outcome"], **kwargs)
        self.errors = Counter("assist_errors", "Errors that callers got, by code.", ["code"], **kwargs)
        self.dropped = Counter("assist_dropped_watchers", "Screens dropped because they were too slow.", **kwargs)
        self.encoder_queue = Gauge("assist_encoder_queue_depth", "Texts that wait for the encoder.", **kwargs)
        self.log_queue = Gauge("assist_log_queue_depth", "Writes that wait for the log.", **kwargs)
        self.watchers = Gauge("assist_watchers", "Open sockets.", **kwargs)
        self.conversations = Gauge("assist_live_conversations", "Conversations in memory.", **kwargs)

    def text(self) -> bytes:
        """In Prometheus's format."""
        return generate_latest(self.registry)


class Observe:
    """The outermost layer: gives each request an id, counts and logs it, limits its size, turns a crash into a 500."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, max_body_bytes: int, policy: str) -> None:
        self._app, self._metrics, self._max_body_bytes = app, metrics, max_body_bytes
        self._headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        self._headers.append((b"content-security-policy", policy.encode()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()
        request_id = f"req_{secrets.token_hex(8)}"
        status = 0
        taken = 0

        async def limited() -> Message:
            nonlocal taken
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > self._max_body_bytes:
                    # FastAPI lets only this class through while it reads a body.
                    raise HTTPException(TooLarge.status, "The request is too large.")
            return message

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                headers.extend(self._headers)
                if scope["path"].startswith("/v1/"):
                    headers.append((b"cache-control", b"no-store"))
                headers.append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            length = Headers(scope=scope).get("content-length", "0")
            if length.isdigit() and int(length[:12]) > self._max_body_bytes:
                raise self._too_large()
            if "\x00" in scope["path"]:  # neither a file nor a row of PostgreSQL can have such a name
                raise NotFound("Nothing has this name.")
            await self._app(scope, limited, observed)
        except Exception as error:
            if not isinstance(error, AssistError):
                log_failure("crash", error, request_id=request_id)
            if status:  # too late for another answer
                raise
            await self.answer(error if isinstance(error, AssistError) else AssistError("crash"), observed)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.requests.labels(scope["method"], route, status).inc()
            log.info(
                "request",
                request_id=request_id,
                method=scope["method"],
                route=route,
                status=status,
                ms=round((time.perf_counter() - begin) * 1e3, 2),
            )

    def _too_large(self) -> TooLarge:
        return TooLarge("The request is too large.", {"max_body_bytes": self._max_body_bytes})

    async def answer(self, error: AssistError, send: Send) -> None:
        """Send an error that no handler below has seen."""
        self._metrics.errors.labels(error.code).inc()
        start: Message = {"type": "http.response.start", "status": error.status, "headers": []}
        MutableHeaders(scope=start)["content-type"] = "application/json"
        await send(start)
        await send({"type": "http.response.body", "body": error_body(error)})


class _Forward(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log.warning("library", logger=record.name, level_name=record.levelname, error=kind, text=str(record.msg)[:200])


def _dump(event: Any, **_: Any) -> bytes:
    return to_json(event, fallback=str)
