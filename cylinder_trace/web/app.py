"""The Flask application: put together here, from a server that the caller has opened."""

import secrets
from http import HTTPStatus
from typing import Any

from flask import Response, redirect, request
from flask_openapi3 import Info, OpenAPI
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from cylinder_trace.contract.receipt import LARGEST_BODY_BYTES
from cylinder_trace.web.api.cases import case_api
from cylinder_trace.web.api.draws import draws
from cylinder_trace.web.api.duties import duty_api
from cylinder_trace.web.api.figures import figures
from cylinder_trace.web.api.handling import handling_api
from cylinder_trace.web.api.network import network
from cylinder_trace.web.api.regulator import regulator
from cylinder_trace.web.api.snapshots import station_snapshots
from cylinder_trace.web.api.stations import Batch, stations
from cylinder_trace.web.api.trials import trials
from cylinder_trace.web.pages.frame import register_pages, show_error
from cylinder_trace.web.server import Server, refusal
from cylinder_trace.web.sign_in import login_manager

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none';"
    " frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
# The offline API pages of the OpenAPI document bring inline scripts and styles of their own.
_DOCS_POLICY = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


def create_app(here: Server) -> OpenAPI:
    """The pages and the API of one server."""
    app = OpenAPI(
        __name__,
        info=Info(title="气瓶追溯 Cylinder Trace", version="1"),
        doc_prefix="/api/docs",
        validation_error_callback=lambda error: refusal(400, "malformed", "请求参数不正确。", str(error)),
    )
    app.extensions["cylinder_trace"] = here
    app.config.update(
        SECRET_KEY=here.settings.secret_key or secrets.token_hex(32),
        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        SESSION_COOKIE_SAMESITE="Lax",
        # As long as the session: a page left open over lunch must still be able to sign out.
        WTF_CSRF_TIME_LIMIT=None,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=here.settings.public_url.startswith("https://"),
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    login_manager.init_app(app)
    csrf = CSRFProtect(app)
    csrf.exempt(stations)  # devices carry signatures, not cookies
    app.components_schemas["Batch"] = Batch.model_json_schema(ref_template="#/components/schemas/{model}")
    app.register_api(stations)
    app.register_api(station_snapshots)
    app.register_api(regulator)
    app.register_api(handling_api)
    app.register_api(network)
    app.register_api(duty_api)
    app.register_api(figures)
    app.register_api(draws)
    app.register_api(trials)
    app.register_api(case_api)
    register_pages(app)
    app.register_error_handler(HTTPException, _answered)
    app.register_error_handler(DBAPIError, _database_away)
    app.after_request(_guarded)

    @app.get("/api", doc_ui=False)
    def docs() -> Any:
        return redirect("/api/docs/swagger")

    return app


def _answered(error: HTTPException) -> Response | tuple[str, int]:
    status = error.code or 500
    if not request.path.startswith("/api/"):
        return show_error(status, "page_old" if isinstance(error, CSRFError) else "")
    words = {
        401: ("not_signed_in", "请先登录。", "sign in first"),
        404: ("not_found", "没有这个地址。", "there is no such address"),
        405: ("not_allowed", "该地址不接受这种请求。", "this address does not take that method"),
        413: (
            "too_large",
            "请求过大，请分批发送。",
            f"the body exceeds {LARGEST_BODY_BYTES} bytes; send the events in smaller batches",
        ),
    }
    default = ("error", "请求未能处理。", HTTPStatus(status).phrase)
    return refusal(status, *words.get(status, default))


def _database_away(_error: DBAPIError) -> Response | tuple[str, int]:
    if not request.path.startswith("/api/"):
        return show_error(503)
    return refusal(
        503,
        "busy",
        "服务器数据库暂时不可用，记录请保留稍后重发。",
        "the database is away; keep the events and send them again",
    )


def _guarded(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.path.startswith(("/static/", "/api/docs")):
        # A shared computer's back button must not show what the last reader saw.
        response.headers.setdefault("Cache-Control", "no-store")
    if request.path.startswith("/api/docs"):
        response.headers["Content-Security-Policy"] = _DOCS_POLICY
    return response
