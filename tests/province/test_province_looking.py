"""A look at one answer over real sockets: whatever its status, with every limit that a page has."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from raw_server import EMPTY, Exchange, raw_server

from subcmc_crawler.errors import Fault, Refused, TooLarge, Unreachable
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.answer import Answer, Secured
from subcmc_crawler.province.asking import Asker
from subcmc_crawler.province.client import MAX_BODY_BYTES, ProvinceClient
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.looking import look
from subcmc_crawler.province.pacing import RequestPace, Rest
from subcmc_crawler.province.settings import PullSettings

PLAIN = Credentials(ssl.create_default_context(), None, {"Authorization": "Bearer hunter2"})
PATH = "/subcmc/v1/ua/user"


async def looked(address: Address, credentials: Credentials = PLAIN, **params: str) -> Answer:
    async with ProvinceClient("620000", credentials) as client:
        return await look(client, address, PATH, params, timeout_seconds=20)


async def test_it_is_one_get_with_the_parameters_that_were_given_and_no_others() -> None:
    async with raw_server(lambda exchange: exchange.reply()) as server:
        answer = await looked(server.address(), pageNum="abc")
    (head,) = server.requests
    assert head.startswith("GET /620000/subcmc/v1/ua/user?pageNum=abc HTTP/1.1\r\n")
    assert "Authorization: Bearer hunter2" in head
    assert (answer.status, answer.body, answer.fault, answer.secured) == (200, EMPTY, None, None)
    assert 0 < answer.first_byte_seconds * 1000 <= answer.milliseconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [("400 Bad Request", "http-400"), ("404 Not Found", "http-404"), ("503 Busy", "http-503")],
)
async def test_a_refusal_is_an_answer_with_its_body(status: str, kind: str) -> None:
    async with raw_server(lambda exchange: exchange.reply(b'{"status":400}', status=status)) as server:
        answer = await looked(server.address())
    assert isinstance(answer.fault, Refused)
    assert (answer.fault.kind, answer.body) == (kind, b'{"status":400}')


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_a_status_that_has_no_body_has_none(status: str) -> None:
    async with raw_server(lambda exchange: exchange.reply(b"", status=status, length=False)) as server:
        answer = await looked(server.address())
    assert answer.body == b""
    assert answer.fault is not None


async def test_a_redirect_is_told_and_not_followed() -> None:
    async def elsewhere(exchange: Exchange) -> None:
        await exchange.reply(b"", "Location: /login", status="302 Found")

    async with raw_server(elsewhere) as server:
        answer = await looked(server.address())
        assert len(server.requests) == 1
    assert answer.fault is not None
    assert answer.fault.kind == "redirect"


async def test_an_encoding_that_was_not_asked_for_is_told() -> None:
    async with raw_server(lambda exchange: exchange.reply(b"x", "Content-Encoding: compress")) as server:
        answer = await looked(server.address())
    assert answer.fault is not None
    assert (answer.fault.kind, answer.headers["content-encoding"]) == ("encoding", "compress")


async def test_of_headers_alike_the_first_one_is_kept() -> None:
    async with raw_server(lambda exchange: exchange.reply(EMPTY, "X-A: one", "x-a: two")) as server:
        assert (await looked(server.address())).headers["x-a"] == "one"


async def test_a_body_over_10_mb_is_given_up_whatever_the_status() -> None:
    async def large(exchange: Exchange) -> None:
        await exchange.reply(b" " * (MAX_BODY_BYTES + 1), status="500 Large")

    async with raw_server(large) as server:
        with pytest.raises(TooLarge) as caught:
            await looked(server.address())
    assert caught.value.__context__ is None


async def test_no_answer_is_a_fault() -> None:
    async def drop(exchange: Exchange) -> None:
        exchange.drop()

    async with raw_server(drop) as server:
        with pytest.raises(Unreachable) as caught:
            await looked(server.address())
    assert caught.value.kind == "disconnected"


@pytest.mark.parametrize("kept", [False, True])
async def test_what_tls_it_came_over_is_told_on_new_and_on_kept_connections(kept: bool) -> None:
    authority = trustme.CA()
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=until).configure_cert(tls)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with (
        raw_server(lambda exchange: exchange.reply(), tls=tls) as server,
        ProvinceClient("620000", Credentials(trusting, None, {})) as client,
    ):
        for _ in range(1 + kept):
            answer = await look(client, server.address(), PATH, {}, timeout_seconds=20)
        assert server.connections == 1
    assert answer.secured == Secured("TLSv1.3", until)


# ── in pace ─────────────────────────────────────────────────────────────────────────────────────────────


def asker(client: ProvinceClient, pace: RequestPace, settings: PullSettings | None = None) -> Asker:
    settings = settings or PullSettings(cool_down_seconds=600, max_attempts=5)
    rest = Rest(clock=lambda: 0.0, away=asyncio.sleep)
    return Asker(client, settings, rest=rest, halted=lambda: False, now=datetime.now, pace=pace)


@pytest.mark.parametrize("status", ["503 Busy", "500 Broken"])
async def test_it_is_asked_once_however_it_ends_and_nobody_rests(status: str) -> None:
    async with (
        raw_server(lambda exchange: exchange.reply(b"", status=status)) as server,
        ProvinceClient("620000", PLAIN) as client,
    ):
        asking = asker(client, RequestPace(0))
        answer = await asking.look(server.address(), PATH, {}, timeout_seconds=20)
        assert isinstance(answer, Answer)
        assert len(server.requests) == 1
        assert (asking.rested_seconds, asking.drain()) == (0, [])


async def test_no_answer_comes_back_as_a_fault() -> None:
    async with ProvinceClient("620000", PLAIN) as client:
        fault = await asker(client, RequestPace(0)).look(
            Address.parse("http://127.0.0.1:9", "http"), PATH, {}, timeout_seconds=20
        )
    assert isinstance(fault, Fault)
    assert fault.kind == "connect"


async def test_every_look_waits_for_its_turn_and_a_busy_answer_slows_the_pace() -> None:
    waits: list[float] = []
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += seconds

    async def busy_at_last(exchange: Exchange) -> None:
        await exchange.reply(status="503 Busy" if exchange.number == 2 else "200 OK")

    pace = RequestPace(100.0, clock=lambda: now, sleep=sleep)
    async with raw_server(busy_at_last) as server, ProvinceClient("620000", PLAIN) as client:
        asking = asker(client, pace)
        for _ in range(3):
            await asking.look(server.address(), PATH, {"pageSize": "1"}, timeout_seconds=20)
    assert len(waits) == 2
    assert pace.rate == 50.0
