"""Around every page: who may ask, what a browser may do with the answer, and what is told of a fault."""

from __future__ import annotations

import asyncio
import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Middleware

from subcmc_crawler.dashboard.access import Password, is_own_name
from subcmc_crawler.dashboard.links import Paths
from subcmc_crawler.dashboard.parameters import Unusable, language
from subcmc_crawler.dashboard.rendering import policy, rendered
from subcmc_crawler.dashboard.visit import Page, Site, Visit
from subcmc_crawler.errors import StoreLost
from subcmc_crawler.report.labels import labels
from subcmc_crawler.store import DriverError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Content = Callable[[Visit], Awaitable[Page]]

SITE: Final = web.AppKey("site", Site)
OPEN_PATHS: Final = frozenset({"/healthz"})
"""Asked by probes that know no password; tells nothing but whether the store answers."""

_LOG: Final = logging.getLogger(__name__)
_PAGE_SECONDS: Final = 20.0
_REFUSED_SECONDS: Final = 0.25
_CHALLENGE: Final = 'Basic realm="subcmc", charset="UTF-8"'
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "subcmc",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Who may look. `names` are those under which a proxy may ask; None leaves the header `Host` unchecked."""

    password: Password | None = None
    names: frozenset[str] | None = frozenset()


class _Refusal(NamedTuple):
    """Why a request is not even looked at."""

    status: int
    label: str
    headers: Mapping[str, str]


def guarded(guard: Guard) -> Middleware:
    """The middleware of the whole application.

    First match wins; every answer but the last is a page that says so.

    ==  ============================================================  ====
    1   a method other than GET and HEAD                              405
    2   the `Host` of another site                                    421
    3   a password is asked for, and not given (but for `/healthz`)   401
    4   no such page                                                  404
    5   a parameter that cannot be meant, or names what is not there  400, 404
    6   the store does not answer                                     503
    7   a defect of ours; the log has its class, the browser nothing  500
    8   otherwise                                                     200
    ==  ============================================================  ====
    """
    turn = asyncio.Lock()

    async def admitted(request: web.Request, password: Password) -> bool:
        if password.admits(request.headers.get("Authorization")):
            return True
        async with turn:  # whoever guesses waits in a row
            await asyncio.sleep(_REFUSED_SECONDS)
        return False

    async def refusal(request: web.Request) -> _Refusal | None:
        if request.method not in ("GET", "HEAD"):  # 1
            return _Refusal(405, "web.method", {"Allow": "GET, HEAD"})
        if guard.names is not None and not is_own_name(request.headers.get("Host", ""), guard.names):  # 2
            return _Refusal(421, "web.other_host", {})
        if guard.password is None or request.path in OPEN_PATHS or await admitted(request, guard.password):
            return None
        return _Refusal(401, "web.password", {"WWW-Authenticate": _CHALLENGE})  # 3

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = await refusal(request)
        if refused is not None:
            answer = _sorry(request, refused.status, refused.label)
            answer.headers.update(refused.headers)
            return answer
        try:
            return await handler(request)  # 8
        except web.HTTPNotFound:  # 4
            return _sorry(request, 404, "web.no_page")
        except Unusable as error:  # 5
            return _sorry(request, error.status, error.label, error.values)
        except (StoreLost, DriverError, TimeoutError) as error:  # 6
            _LOG.warning("the store does not answer: %s", type(error).__name__)
            return _sorry(request, 503, "web.store_lost")
        except Exception as error:  # 7
            _LOG.error("a page failed: %s at %s", type(error).__name__, _place(error))
            return _sorry(request, 500, "web.defect")

    return middleware


async def with_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Every answer's headers; a page that listens has set a policy of its own."""
    del request
    for name, value in _HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Content-Security-Policy", policy())


def answering(content: Content) -> Handler:
    """A handler of a page."""

    async def handler(request: web.Request) -> web.StreamResponse:
        visit = visit_of(request)
        async with asyncio.timeout(_PAGE_SECONDS):
            page = await content(visit)
        return _answer(request, page, visit.words.lang)

    return handler


def visit_of(request: web.Request) -> Visit:
    """What a request asks for; Unusable when it asks for a language that is neither zh nor en."""
    site = request.app[SITE]
    lang = language(request.query, request.headers.get("Accept-Language", ""), site.lang)
    return Visit(
        site=site,
        words=labels(lang),
        links=Paths(request.query.get("lang")),
        path=request.match_info,
        query=request.query,
    )


def _answer(request: web.Request, page: Page, lang: str) -> web.Response:
    nonce = secrets.token_urlsafe(16) if page.live else ""
    text = rendered(page, lang, named=request.query.get("lang") == lang, nonce=nonce)
    answer = web.Response(text=text, status=page.status, content_type="text/html")
    if nonce:
        answer.headers["Content-Security-Policy"] = policy(nonce)
    return answer


def _place(error: Exception) -> str:
    """File and line of a defect: its message may hold what a province sent."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _sorry(
    request: web.Request, status: int, label: str, values: Mapping[str, object] | None = None
) -> web.Response:
    try:
        lang = visit_of(request).words.lang
    except Unusable:
        lang = request.app[SITE].lang
    page = Page(
        template="message.html", here="", status=status, values={"label": label, "told": values or {}}
    )
    return _answer(request, page, lang)
