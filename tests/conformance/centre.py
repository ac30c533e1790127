"""A small provincial centre that keeps every rule, and breaks exactly those that a test tells it to."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from aiohttp import web

from subcmc_crawler.checking import check_province
from subcmc_crawler.conformance.checks import Scorecard, assess
from subcmc_crawler.conformance.planning import most_requests, plan
from subcmc_crawler.conformance.questions import Question
from subcmc_crawler.conformance.results import Outcome, Result
from subcmc_crawler.conformance.seeing import Seen, see
from subcmc_crawler.errors import Fault, Refused
from subcmc_crawler.province.answer import Answer
from subcmc_crawler.province.registry import Province, parse
from subcmc_crawler.simulator.records import FIRST_NIGHT_MS, Records
from subcmc_crawler.spec.datasets import DATASETS

CMC_ID = "620000"
NOW = datetime.fromtimestamp(FIRST_NIGHT_MS / 1000 + 3600, ZoneInfo("Asia/Shanghai"))
SIZES = {
    "ua_org": 50, "ua_user": 130, "mdm_device": 60, "infr_network": 4, "hardware": 45, "appspt_system": 4,
    "pm_app": 6, "pm_service": 6, "mr_resservice": 4,
}  # fmt: skip
"""With pages of 40 rows: of one page, of two, of three."""

DEFAULTS = """
page_size = 40
requests_per_second = 0
max_attempts = 1
request_timeout_seconds = 60
"""
_BY_PATH = {dataset.path: dataset.code for dataset in DATASETS.values()}

Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request: which dataset (None: no such path), which address, and the parameters as they came."""

    code: str | None
    address: int
    params: Mapping[str, str]
    authorization: str = ""
    number: int = 0  # of the request, over all addresses

    @property
    def page(self) -> tuple[int, int]:
        """Page number and size, 0 where none came that is one."""
        texts = (self.params.get("pageNum", ""), self.params.get("pageSize", ""))
        num, size = (int(text) if text.isdecimal() else 0 for text in texts)
        return num, size


@dataclass
class Reply:
    """What is answered: a document, unless `raw` says otherwise."""

    document: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    raw: bytes | None = None
    packed: bool = True
    drop: bool = False
    cut: bool = False
    hang: bool = False

    @property
    def rows(self) -> list[Row]:
        """The rows of a page; none of a refusal."""
        found: list[Row] = self.document["data"] if "data" in (self.document or {}) else []
        return found


Deviate = Callable[[Asked, Reply], Reply | None]
"""Changes a reply, or returns another one."""


@cache
def _sound() -> Mapping[str, list[Row]]:
    made = Records(seed=1, cmc_id=CMC_ID, name="甘肃省", sizes=SIZES)
    return {code: [made.record(code, index) for index in range(count)] for code, count in SIZES.items()}


class Centre:
    """Serves `rows` by the specification; `deviate` has the last word."""

    def __init__(self, deviate: Deviate = lambda asked, reply: None) -> None:
        self.rows = {code: [dict(row) for row in rows] for code, rows in _sound().items()}
        self.deviate = deviate
        self.asked: list[Asked] = []

    def reply(self, asked: Asked) -> Reply:
        """A sound answer, then what is made of it."""
        sound = self.sound(asked)
        return self.deviate(asked, sound) or sound

    def sound(self, asked: Asked) -> Reply:
        """The answer by the specification."""
        num, size = asked.page
        if asked.code is None:
            return spring(404, "Not Found")
        if asked.params.get("cmcId") != CMC_ID or num < 1 or size < 1:
            return spring(400, "Bad Request")
        rows = self.rows[asked.code]
        return page(rows[(num - 1) * size : num * size], len(rows))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        base, _, path = request.path.lstrip("/").partition("/")
        asked = Asked(
            _BY_PATH.get(f"/{path}"),
            int(base),
            dict(request.query),
            request.headers.get("Authorization", ""),
            len(self.asked),
        )
        self.asked.append(asked)
        reply = self.reply(asked)
        if reply.hang:
            await hangs()
        body = json.dumps(reply.document, ensure_ascii=False).encode() if reply.raw is None else reply.raw
        transport = request.transport
        assert transport is not None
        if reply.cut:
            response = web.StreamResponse(headers={**reply.headers, "Content-Length": str(len(body))})
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
            transport.abort()
            return response
        if reply.drop:
            transport.abort()
        if not reply.packed:
            return web.Response(status=reply.status, headers=reply.headers, body=body)
        headers = {**reply.headers, "Content-Encoding": "gzip"}
        packed = gzip.compress(body, compresslevel=1)
        return web.Response(status=reply.status, headers=headers, body=packed)


async def hangs() -> None:
    """No answer, ever."""
    await asyncio.Event().wait()


def page(rows: list[Row], total: object, **more: object) -> Reply:
    """A good page."""
    return Reply({"code": 0, "message": "ok", "total": total, "data": rows, **more})


def spring(status: int, error: str) -> Reply:
    """A refusal as the framework writes it (1.3.3)."""
    body = {"timestamp": 1, "status": status, "error": error, "message": error, "path": "/"}
    return Reply(body, status=status)


@asynccontextmanager
async def served(centre: Centre, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of the centre, whose addresses are `/1`, `/2` and so on."""
    app = web.Application()
    app.router.add_get("/{path:.*}", centre.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def registered(addresses: list[str], more: str = "") -> Province:
    """A province of these addresses; `more` is TOML after its registration."""
    text = (
        f'[defaults]\n{DEFAULTS}\n[[province]]\ncmcId = "{CMC_ID}"\nareaCode = "{CMC_ID}"\n'
        f'name = "甘肃省"\npullAddressList = {json.dumps(addresses)}\n{more}\n'
    )
    return parse(text).provinces[0]


async def card_of(
    deviate: Deviate = lambda asked, reply: None,
    *,
    addresses: int = 1,
    more: str = "",
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    folder: Path = Path(),
    extra: tuple[str, ...] = (),
    prepare: Callable[[Centre], None] = lambda centre: None,
    now: datetime = NOW,
) -> Scorecard:
    """The scorecard of a centre that deviates, over real sockets."""
    centre = Centre(deviate)
    for row in (row for rows in centre.rows.values() for row in rows):
        row["collectTime"] += int((now - NOW).total_seconds() * 1000)
    prepare(centre)
    async with served(centre, tls) as port:
        scheme = "http" if tls is None else "https"
        told = [f"{scheme}://{host}:{port}/{number + 1}" for number in range(addresses)]
        province = registered([*told, *extra], more)
        # those of the system are a quarter of what such a check takes, and no test needs them
        with patch.object(ssl.SSLContext, "load_default_certs"):
            card = await check_province(province, folder, now=lambda: now)
    assert len(card.seen) <= card.most
    return card


Respond = Callable[[Question], Answer | Fault]


def sound(question: Question) -> Answer:
    """What a sound centre answers, without a socket."""
    code = question.dataset if question.path in _BY_PATH else None
    return answer(_centre().sound(Asked(code, 1, dict(question.params))))


@cache
def _centre() -> Centre:
    return Centre()


def answer(reply: Reply, *, milliseconds: float = 5.0) -> Answer:
    """A reply as the client would give it."""
    status = reply.status
    packed = {"content-encoding": "gzip"} if reply.packed else {}
    return Answer(
        status=status,
        headers={name.lower(): value for name, value in reply.headers.items()} | packed,
        body=json.dumps(reply.document).encode() if reply.raw is None else reply.raw,
        milliseconds=milliseconds,
        first_byte_seconds=milliseconds / 1000,
        fault=None if status == 200 else Refused(f"http-{status}", "", status=status),
    )


def driven(province: Province, respond: Respond = sound, *, now: datetime = NOW) -> Scorecard:
    """The scorecard of a province that answers so, without a socket."""
    seen: list[Seen] = []
    questions = plan(province)
    question = next(questions, None)
    while question is not None:
        seen.append(see(question, respond(question), CMC_ID))
        try:
            question = questions.send(seen[-1])
        except StopIteration:
            question = None
    return assess(province, seen, at=now, seconds=1.5, most=most_requests(province))


def outcomes(card: Scorecard) -> dict[str, Outcome]:
    """Outcome by the id of the check."""
    return {check.id: result.outcome for check, result in card.results.items()}


def wrong(card: Scorecard) -> dict[str, str]:
    """The checks that warned or failed."""
    return {
        name: str(outcome)
        for name, outcome in outcomes(card).items()
        if outcome in (Outcome.WARN, Outcome.FAIL)
    }


def result_of(card: Scorecard, name: str) -> Result:
    """The result of one check."""
    return next(result for check, result in card.results.items() if check.id == name)
