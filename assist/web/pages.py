"""Our own pages, signing in, and what an operator's machine asks."""

from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from assist.errors import AssistError, Forbidden, Unavailable
from assist.web.auth import COOKIE
from assist.web.parts import parts_of
from assist.web.routes import Service

STATIC = Path(__file__).parent / "static"
PAGES = ("desk", "review", "board")
_LOGIN = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme"
content="light dark"><title>assist · sign in · 登录 · 登入</title><main><h1>assist</h1>{notice}
<form method="post" action="/login"><p><label>Your key · 您的密钥 · 您的金鑰<br>
<input name="key" type="password" autocomplete="current-password" required autofocus size="48"></label></p>
<p><button>Sign in · 登录 · 登入</button></p></form></main></html>"""
_REFUSED = (
    "<p role='alert'>This key or link does not work, or no longer. · 密钥或链接无效或已过期。"
    " · 金鑰或連結無效或已過期。</p>"
)

router = APIRouter(include_in_schema=False)


async def page(request: Request) -> Response:
    """The desk, the reviewers' page or the board; whoever is not signed in is asked to."""
    try:
        await parts_of(request).gate.identify(request)
    except Forbidden:
        raise
    except AssistError:
        return RedirectResponse("/login", 303)
    name = request.url.path.strip("/")
    return FileResponse(STATIC / f"{name}.html", headers={"cache-control": "no-cache"})


for name in PAGES:
    router.add_api_route(f"/{name}", page, methods=["GET"])


@router.get("/")
async def home() -> Response:
    """The desk is the front door."""
    return RedirectResponse("/desk", 303)


@router.get("/login")
async def login(parts: Service, key: str | None = None) -> Response:
    """Sign in by a link that works once, or show the form."""
    if key is None:
        return HTMLResponse(_LOGIN.format(notice=""))
    return await _sign_in(parts, key)


@router.post("/login")
async def login_by_form(request: Request, parts: Service) -> Response:
    """Sign in with a key. The form's body is small and plain, so no form parser is needed."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("This page may not sign in here.")
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    return await _sign_in(parts, fields.get("key", [""])[0].strip())


@router.post("/logout")
async def logout(request: Request, parts: Service) -> Response:
    """End the browser's session."""
    await parts.gate.identify(request)
    await parts.gate.sign_out(request)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(parts: Service) -> Response:
    """200 when the model, the index and the database are there, else 503 with what is missing."""
    checks = {"model": True, "index": parts.engine.knowledge.is_ready, "database": True}
    try:
        await parts.engine.repository.ping()
    except Unavailable:
        checks["database"] = False
    if not all(checks.values()):
        raise Unavailable("Not ready yet.", checks)
    versions = parts.engine.assistant.versions
    return JSONResponse(
        {"status": "ready", "versions": {"models": versions.models, "index": versions.index, "policy": versions.policy}}
    )


@router.get("/metrics")
async def metrics(parts: Service) -> Response:
    """Figures in Prometheus's format; no customer data."""
    figures = parts.metrics
    figures.encoder_queue.set(parts.engine.pool.depth)
    figures.log_queue.set(parts.engine.repository.depth)
    figures.conversations.set(len(parts.rooms))
    return Response(figures.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def _sign_in(parts: Service, secret: str) -> Response:
    signed_in = await parts.gate.sign_in(secret)
    if signed_in is None:
        return HTMLResponse(_LOGIN.format(notice=_REFUSED), 401)
    # A page and not a redirect: a strict cookie is not sent on a redirect that began at another site or program.
    response = HTMLResponse(
        '<!doctype html><meta http-equiv="refresh" content="0; url=/desk"><a href="/desk">/desk</a>'
    )
    parts.gate.set_cookie(response, signed_in[1])
    return response
