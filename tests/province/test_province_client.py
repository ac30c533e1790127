"""One GET a page over real sockets: every limit, every refusal, and never a second request in silence."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import time
import tracemalloc
import zlib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from traceback import walk_tb

import pytest
import trustme
from raw_server import EMPTY, Exchange, raw_server

from patience import Patience
from subcmc_crawler.errors import Fault, Malformed, Refused, TooLarge, Unreachable
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.client import MAX_BODY_BYTES, Fetched, ProvinceClient
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.pacing import BytePace, Due
from subcmc_crawler.simulator.faults import Fault as SimulatedFault
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import MAX_ROWS

USERS = DATASETS["ua_user"]
PLAIN = Credentials(ssl.create_default_context(), None, {})
SECRET = "hunter2"


async def fetch(
    address: Address, *, credentials: Credentials = PLAIN, timeout_seconds: float = 20.0, page_num: int = 1
) -> Fetched:
    async with ProvinceClient("620000", credentials) as client:
        return await client.fetch(address, USERS, page_num, 100, timeout_seconds=timeout_seconds)


async def fault_of(
    address: Address, *, credentials: Credentials = PLAIN, timeout_seconds: float = 20.0
) -> Fault:
    with pytest.raises(Fault) as caught:
        await fetch(address, credentials=credentials, timeout_seconds=timeout_seconds)
    return caught.value


async def well(exchange: Exchange) -> None:
    await exchange.reply()


# ── what is asked ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_page_is_one_get_as_the_specification_writes_it() -> None:
    async with raw_server(well) as server:
        fetched = await fetch(server.address(), page_num=7)
    (head,) = server.requests
    line, *rest = head.split("\r\n")
    assert line == "GET /620000/subcmc/v1/ua/user?cmcId=620000&pageNum=7&pageSize=100 HTTP/1.1"
    headers = dict(each.split(": ", 1) for each in rest if each)
    assert headers["Accept-Encoding"] == "gzip"
    assert headers["User-Agent"] == "subcmc-crawler"
    assert "Cookie" not in headers
    assert "Authorization" not in headers
    assert (fetched.status, fetched.bytes, fetched.envelope.total) == (200, len(EMPTY), 0)
    assert fetched.milliseconds > 0


async def test_credentials_go_with_every_request_and_into_no_fault() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.reply(b"", status="401 Unauthorized")

    credentials = Credentials(PLAIN.tls, None, {"Authorization": f"Bearer {SECRET}"})
    async with raw_server(refuse) as server:
        fault = await fault_of(server.address(), credentials=credentials)
    assert f"Authorization: Bearer {SECRET}" in server.requests[0]
    assert SECRET not in str(fault) + repr(fault)


async def test_cookies_are_not_kept() -> None:
    async def give(exchange: Exchange) -> None:
        await exchange.reply(EMPTY, "Set-Cookie: session=1; Path=/")

    async with raw_server(give) as server, ProvinceClient("620000", PLAIN) as client:
        for number in (1, 2, 3):
            await client.fetch(server.address(), USERS, number, 100, timeout_seconds=20)
    assert len(server.requests) == 3
    assert not [head for head in server.requests if "cookie" in head.lower()]


async def test_a_connection_is_kept_for_the_next_page() -> None:
    async with raw_server(well) as server, ProvinceClient("620000", PLAIN) as client:
        for number in (1, 2, 3):
            await client.fetch(server.address(), USERS, number, 100, timeout_seconds=20)
    assert (len(server.requests), server.connections) == (3, 1)


# ── never a second request in silence ───────────────────────────────────────────────────────────────────


async def drop_the_second(exchange: Exchange) -> None:
    if exchange.number == 1:
        exchange.drop()
    else:
        await exchange.reply()


async def test_a_kept_connection_that_drops_is_one_request_a_call() -> None:
    async with raw_server(drop_the_second) as server, ProvinceClient("620000", PLAIN) as client:
        await client.fetch(server.address(), USERS, 1, 100, timeout_seconds=20)
        with pytest.raises(Unreachable) as caught:
            await client.fetch(server.address(), USERS, 2, 100, timeout_seconds=20)
        assert caught.value.kind == "disconnected"
        assert len(server.requests) == 2
        await client.fetch(server.address(), USERS, 2, 100, timeout_seconds=20)
    assert len(server.requests) == 3


async def test_the_library_left_alone_would_ask_twice() -> None:
    """Why the private switch is there; when this fails, the switch may go."""
    async with raw_server(drop_the_second) as server, ProvinceClient("620000", PLAIN) as client:
        client._session._retry_connection = True
        await client.fetch(server.address(), USERS, 1, 100, timeout_seconds=20)
        await client.fetch(server.address(), USERS, 2, 100, timeout_seconds=20)
    assert len(server.requests) == 3


async def test_a_new_connection_that_drops_is_one_request_a_call() -> None:
    async def drop(exchange: Exchange) -> None:
        exchange.drop()

    async with raw_server(drop) as server, ProvinceClient("620000", PLAIN) as client:
        for number in (1, 2, 3):
            with pytest.raises(Unreachable) as caught:
                await client.fetch(server.address(), USERS, number, 100, timeout_seconds=20)
            assert caught.value.kind == "disconnected"
            assert len(server.requests) == number


@pytest.mark.parametrize("answers", [1, 20])
async def test_an_answer_that_nobody_asked_for_answers_no_request(answers: int) -> None:
    """It comes while the connection is kept, between two pages."""
    sent = asyncio.Event()
    other = b'{"code":0,"message":"ok","total":1,"data":[{"userId":"poison"}]}'

    async def speak_on(exchange: Exchange) -> None:
        await exchange.reply()
        if exchange.number == 0:
            await asked.wait()
            for _ in range(answers):
                await exchange.reply(other)
            sent.set()

    asked = asyncio.Event()
    async with raw_server(speak_on) as server, ProvinceClient("620000", PLAIN) as client:
        first = await client.fetch(server.address(), USERS, 1, 100, timeout_seconds=20)
        asked.set()
        await sent.wait()
        for _ in range(5):  # what the kernel has is read
            await asyncio.sleep(0)
        second = await client.fetch(server.address(), USERS, 2, 100, timeout_seconds=20)
    assert (first.envelope.rows, second.envelope.rows) == ([], [])
    assert (len(server.requests), server.connections) == (2, 2)


# ── what an answer may be ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_not_followed(status: int) -> None:
    async with raw_server(well) as elsewhere:

        async def redirect(exchange: Exchange) -> None:
            await exchange.reply(EMPTY, f"Location: {elsewhere.address().base}", status=f"{status} Moved")

        async with raw_server(redirect) as server:
            fault = await fault_of(server.address())
        assert len(server.requests) == 1
        assert elsewhere.connections == 0
    assert isinstance(fault, Refused)
    assert (fault.kind, fault.status) == ("redirect", status)


@pytest.mark.parametrize("status", [201, 204, 206, 400, 401, 404, 408, 429, 500, 503, 509, 599])
async def test_success_is_200_alone(status: int) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.reply(
            b"" if status == 204 else EMPTY, status=f"{status} Because", length=status != 204
        )

    async with raw_server(refuse) as server:
        fault = await fault_of(server.address())
    assert isinstance(fault, Refused)
    assert (fault.kind, fault.status, fault.detail) == (f"http-{status}", status, "Because")
    assert fault.retry_after_seconds is None


async def test_a_reason_cannot_write_into_a_terminal_or_a_log() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.reply(b"", status="500 \x1b[2JGone\x85\x9b" + "x" * 200)

    async with raw_server(refuse) as server:
        fault = await fault_of(server.address())
    assert "Gone" in fault.detail or fault.kind == "protocol"
    assert fault.detail.isprintable()
    assert len(fault.detail) <= 60


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("9" * 400, float("inf")),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 -0000", 0.0),
        ("Thu, 32 Jan 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
        ("Thu, 01 Jan 2026 00:00:00 +99999999999999999999", None),
    ],
)
async def test_retry_after_is_read_or_left(text: str, seconds: float | None) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.reply(b"", f"Retry-After: {text}", status="503 Busy")

    async with raw_server(refuse) as server:
        fault = await fault_of(server.address())
    assert isinstance(fault, Refused)
    assert fault.retry_after_seconds == seconds


async def test_retry_after_may_be_a_date() -> None:
    async def refuse(exchange: Exchange) -> None:
        at = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
        await exchange.reply(b"", f"Retry-After: {at}", status="503 Busy")

    async with raw_server(refuse) as server:
        fault = await fault_of(server.address())
    assert isinstance(fault, Refused)
    assert fault.retry_after_seconds is not None
    assert 3000 < fault.retry_after_seconds <= 3600


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(EMPTY)),
        ("GZIP", gzip.compress(EMPTY)),
        ("deflate", zlib.compress(EMPTY)),
        ("identity", EMPTY),
        ("", EMPTY),
    ],
    ids=["gzip", "GZIP", "deflate", "identity", "none"],
)
async def test_a_body_may_be_compressed(encoding: str, body: bytes) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(body, f"Content-Encoding: {encoding}")

    async with raw_server(answer) as server:
        fetched = await fetch(server.address())
    assert fetched.bytes == len(EMPTY)


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "compress", "x-gzip", "gzip, gzip", "gzip, identity", "utf-8"]
)
async def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(EMPTY, f"Content-Encoding: {encoding}")

    async with raw_server(answer) as server:
        fault = await fault_of(server.address())
    assert isinstance(fault, Malformed)
    if encoding not in ("br", "zstd"):  # which the library refuses by itself where it cannot decode them
        assert fault.kind == "encoding"


LONG = b'{"code":0,"total":1,"data":[{"userId":"' + bytes(range(97, 123)) * 400 + b'"}]}'


@pytest.mark.parametrize("cut", [1, 9, 20, 100])
async def test_a_gzip_that_was_cut_is_no_page(cut: int) -> None:
    packed = gzip.compress(bytes((n * 7919) % 251 + 1 for n in range(3000)).hex().encode())

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(packed[:-cut], "Content-Encoding: gzip")

    async with raw_server(answer) as server:
        fault = await fault_of(server.address())
    assert isinstance(fault, Malformed)


async def test_what_is_no_gzip_is_no_page() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(EMPTY, "Content-Encoding: gzip")

    async with raw_server(answer) as server:
        fault = await fault_of(server.address())
    assert (type(fault), fault.kind) == (Malformed, "cut-body")


async def test_a_body_shorter_than_its_length_is_no_page() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(LONG)}\r\n\r\n".encode() + LONG[:-5])
        exchange.writer.close()

    async with raw_server(answer) as server:
        fault = await fault_of(server.address())
    assert (type(fault), fault.kind) == (Malformed, "cut-body")


async def test_chunks_that_end_early_are_no_page() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(EMPTY) + EMPTY
        )
        exchange.writer.close()

    async with raw_server(answer) as server:
        fault = await fault_of(server.address())
    assert (type(fault), fault.kind) == (Malformed, "cut-body")


async def test_without_a_length_the_json_must_be_whole() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.reply(LONG[: -5 * exchange.number or None], "Connection: close", length=False)
        exchange.writer.close()

    async with raw_server(answer) as server:
        assert (await fetch(server.address())).bytes == len(LONG)
        fault = await fault_of(server.address())
    assert (type(fault), fault.kind) == (Malformed, "not-json")


@pytest.mark.parametrize(
    "head",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(1000)) + b"\r\n",
    ],
    ids=["ssh", "status", "two-lengths", "negative-length", "long-header", "many-headers"],
)
async def test_what_is_no_http_is_malformed(head: bytes) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(head)
        await exchange.gone()

    async with raw_server(answer) as server:
        fault = await fault_of(server.address())
    assert (type(fault), fault.kind) == (Malformed, "protocol")


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_comes_is_a_page_or_a_fault(seed: int) -> None:
    """Answers with a few bytes changed, cut out, doubled or cut off, whole or compressed."""
    random = Random(seed)  # noqa: S311 - the same bytes in every run
    packed = gzip.compress(LONG[:300])
    plain = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(EMPTY)
        + EMPTY
    )
    squeezed = (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed)
    )
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: Thu, 01 Jan 2026 00:00:00 +0800\r\nContent-Length: 0\r\n\r\n"

    async def answer(exchange: Exchange) -> None:
        text = bytearray(random.choice([plain, squeezed, busy]))
        for _ in range(random.randrange(4)):
            at = random.randrange(len(text))
            match random.randrange(4):
                case 0:
                    text[at] = random.randrange(256)
                case 1:
                    del text[at : at + random.randrange(9)]
                case 2:
                    text[at:at] = text[at : at + random.randrange(40)]
                case _:
                    text[at:at] = random.choice([b"9" * 30, b"-", b"\0", b"\r\n", b" ", b":", "省".encode()])
        await exchange.send(bytes(text))
        exchange.writer.close()

    async with raw_server(answer) as server:
        for number in range(60):
            try:
                await fetch(server.address(), timeout_seconds=20)
            except Fault as fault:
                assert "\n" not in str(fault)  # noqa: PT017
            assert len(server.requests) == number + 1


# ── bodies that are too large ───────────────────────────────────────────────────────────────────────────


async def test_a_body_of_just_the_limit_is_taken() -> None:
    body = EMPTY + b" " * (MAX_BODY_BYTES - len(EMPTY))

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(body + b" " * exchange.number)

    async with raw_server(answer) as server:
        assert (await fetch(server.address())).bytes == MAX_BODY_BYTES
        fault = await fault_of(server.address())
    assert (type(fault), fault.kind) == (TooLarge, "too-large")


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
async def test_a_body_past_the_limit_is_abandoned_while_it_streams_in(declared: bool) -> None:
    sent = 0
    left = asyncio.Event()
    piece = b" " * 65536
    whole = 40 * MAX_BODY_BYTES

    async def pour(exchange: Exchange) -> None:
        nonlocal sent
        length = f"Content-Length: {whole}" if declared else "Transfer-Encoding: chunked"
        await exchange.send(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
        try:
            while sent < whole:
                await exchange.send(piece if declared else b"10000\r\n" + piece + b"\r\n")
                sent += len(piece)
        except ConnectionError:
            left.set()
            raise

    async with raw_server(pour) as server, ProvinceClient("620000", PLAIN) as client:
        with pytest.raises(TooLarge):
            await client.fetch(server.address(), USERS, 1, 100, timeout_seconds=60)
        async with asyncio.timeout(20):
            await left.wait()
    assert MAX_BODY_BYTES < sent < 3 * MAX_BODY_BYTES, "what a socket buffers, and no more"
    assert len(server.requests) == 1


async def test_a_bomb_is_abandoned_before_it_fills_the_memory() -> None:
    unpacked = 256 * 1024 * 1024
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(unpacked >> 20)) + packer.flush()

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(bomb, "Content-Encoding: gzip")

    async with raw_server(answer) as server:
        tracemalloc.start()
        fault = await fault_of(server.address())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert isinstance(fault, TooLarge)
    assert peak < unpacked / 4


class Meter(BytePace):
    """Lets everything go at once and remembers what was to be paid."""

    def __init__(self) -> None:
        super().__init__(10**8, clock=lambda: 0.0)
        self.spent: list[int] = []

    def book(self, count: int) -> Due:
        self.spent.append(count)
        return Due(0.0, 0.0)


@pytest.mark.parametrize("packed", [True, False])
async def test_the_pace_of_bytes_is_that_of_the_line(packed: bool) -> None:
    body = EMPTY + b" " * 300_000
    on_the_line = gzip.compress(body) if packed else body

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(on_the_line, "Content-Encoding: " + ("gzip" if packed else "identity"))

    meters = Meter(), Meter()
    async with raw_server(answer) as server, ProvinceClient("620000", PLAIN, byte_paces=meters) as client:
        await client.fetch(server.address(), USERS, 1, 100, timeout_seconds=20)
    for meter in meters:
        head, *pieces = meter.spent
        assert 40 < head < 100, "status line and two headers"
        assert sum(pieces) == len(on_the_line)
        assert min(meter.spent) >= 0
    assert packed or len(meters[0].spent) >= 4, "paid while it streams in"


@pytest.mark.parametrize("broken", ["too-many-rows", "code", "not-json", "cut", "too-large"])
async def test_a_fault_keeps_no_body(broken: str) -> None:
    """A walk keeps its faults up to the verdict."""
    body = {
        "too-many-rows": b'{"code":0,"total":1,"data":[' + b"1," * MAX_ROWS + b"1]}",
        "code": b'{"code":1,"data":[' + b"1," * MAX_ROWS + b"1]}",
        "too-large": b" " * (MAX_BODY_BYTES + 1),
    }.get(broken, b'{"code":0,"data":["' + b"x" * 200_000)

    async def answer(exchange: Exchange) -> None:
        length = len(body) + (broken == "cut")
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + body)
        exchange.writer.close()

    async with raw_server(answer) as server:
        fault = await fault_of(server.address())
    assert fault.__context__ is None
    for frame, _ in walk_tb(fault.__traceback__):
        for name, value in frame.f_locals.items():
            assert not (isinstance(value, bytes | bytearray | list | dict) and len(value) > 10_000), name


# ── no answer ───────────────────────────────────────────────────────────────────────────────────────────


async def test_no_answer_in_time_is_a_timeout() -> None:
    async with raw_server(Exchange.gone) as server:
        fault = await fault_of(server.address(), timeout_seconds=0.05)
    assert (type(fault), fault.kind) == (Unreachable, "timeout")


async def test_a_drip_is_a_timeout() -> None:
    """Each byte comes in time, the page never does."""

    async def drip(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not exchange.writer.transport.is_closing():
            await exchange.send(b" ")
            await asyncio.sleep(0.005)

    async with raw_server(drip) as server:
        fault = await fault_of(server.address(), timeout_seconds=0.1)
    assert (type(fault), fault.kind) == (Unreachable, "timeout")


async def test_a_drip_under_a_limit_of_bytes_is_a_timeout_too() -> None:
    """Each byte waits for the line that others fill; that is no more time for whoever drips."""
    pace = BytePace(100_000, clock=time.monotonic, readers=2)
    for _ in range(100):
        pace.book(10)

    async def drip(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not exchange.writer.transport.is_closing():
            pace.book(2000)
            await exchange.send(b" ")
            await asyncio.sleep(0.005)

    async with raw_server(drip) as server, ProvinceClient("620000", PLAIN, byte_paces=[pace]) as client:
        with pytest.raises(Unreachable) as caught:
            async with asyncio.timeout(20):
                await client.fetch(server.address(), USERS, 1, 100, timeout_seconds=0.1)
    assert caught.value.kind == "timeout"


async def test_nobody_there() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets this port
        fault = await fault_of(Address.parse(f"http://127.0.0.1:{nobody.getsockname()[1]}", "http"))
    assert (type(fault), fault.kind) == (Unreachable, "connect")


async def test_a_connection_that_is_reset_in_the_body() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + EMPTY)
        exchange.drop()

    async with raw_server(answer) as server:
        fault = await fault_of(server.address())
    assert fault.kind in ("disconnected", "cut-body")


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────


def served_by(ca: trustme.CA, *names: str, clients: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def trusting(ca: trustme.CA, server_hostname: str | None = None) -> Credentials:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return Credentials(context, server_hostname, {})


async def test_a_certificate_that_is_trusted() -> None:
    ca = trustme.CA()
    async with raw_server(well, tls=served_by(ca, "127.0.0.1")) as server:
        assert (await fetch(server.address(), credentials=trusting(ca))).status == 200


async def test_a_certificate_that_is_not_trusted_is_refused() -> None:
    async with raw_server(well, tls=served_by(trustme.CA(), "127.0.0.1")) as server:
        fault = await fault_of(server.address())
    assert (type(fault), fault.kind) == (Unreachable, "tls")
    assert fault.detail
    assert server.requests == []


async def test_a_certificate_for_another_name_is_refused_unless_the_name_is_given() -> None:
    ca = trustme.CA()
    async with raw_server(well, tls=served_by(ca, "scmc.gansu.example")) as server:
        fault = await fault_of(server.address(), credentials=trusting(ca))
        assert (type(fault), fault.kind) == (Unreachable, "tls")
        assert server.requests == []
        named = trusting(ca, "scmc.gansu.example")
        assert (await fetch(server.address(), credentials=named)).status == 200


async def test_an_expired_certificate_is_refused() -> None:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)).configure_cert(context)
    async with raw_server(well, tls=context) as server:
        fault = await fault_of(server.address(), credentials=trusting(ca))
    assert fault.kind == "tls"
    assert "expired" in fault.detail


async def test_without_verification_any_certificate_will_do() -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with raw_server(well, tls=served_by(trustme.CA(), "other.example")) as server:
        assert (await fetch(server.address(), credentials=Credentials(context, None, {}))).status == 200


async def test_a_client_certificate_is_shown(tmp_path: Path) -> None:
    ca = trustme.CA()
    async with raw_server(well, tls=served_by(ca, "127.0.0.1", clients=ca)) as server:
        known = trusting(ca)
        ca.issue_cert("ministry.example").configure_cert(known.tls)
        assert (await fetch(server.address(), credentials=known)).status == 200


async def test_a_missing_client_certificate_is_named() -> None:
    ca = trustme.CA()
    async with raw_server(well, tls=served_by(ca, "127.0.0.1", clients=ca)) as server:
        fault = await fault_of(server.address(), credentials=trusting(ca))
    assert (type(fault), fault.kind) == (Unreachable, "tls")
    assert "the province wants a client certificate" in fault.detail
    assert server.requests == []


async def test_a_drop_with_our_certificate_shown_or_on_a_kept_connection_is_no_fault_of_tls() -> None:
    async def drop_from_the_second_on(exchange: Exchange) -> None:
        if exchange.number:
            exchange.drop()
        else:
            await exchange.reply()

    ca = trustme.CA()
    async with raw_server(drop_from_the_second_on, tls=served_by(ca, "127.0.0.1")) as server:
        async with ProvinceClient("620000", trusting(ca)) as client:
            await client.fetch(server.address(), USERS, 1, 100, timeout_seconds=20)
            with pytest.raises(Unreachable) as caught:
                await client.fetch(server.address(), USERS, 2, 100, timeout_seconds=20)
        assert caught.value.kind == "disconnected"
        shown = replace(trusting(ca), shows_certificate=True)
        assert (await fault_of(server.address(), credentials=shown)).kind == "disconnected"


async def test_a_plain_port_that_says_nothing_to_tls_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(monkeypatch, 20)
    heard = b""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard = await reader.read(1)
        patience.ends()
        with suppress(OSError):
            await reader.read()
            writer.close()
            await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        fault = await fault_of(Address.parse(f"https://127.0.0.1:{port}", "https"), timeout_seconds=20)
        await left.wait()
    assert (type(fault), fault.kind) == (Unreachable, "tls")
    assert "the port may not speak TLS" in fault.detail
    assert heard == b"\x16", "a handshake, and no request"


async def test_a_slow_answer_over_tls_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(monkeypatch, 20)
    silent = patience.ends_when(Exchange.gone)
    ca = trustme.CA()
    async with raw_server(silent, tls=served_by(ca, "127.0.0.1")) as server:
        fault = await fault_of(server.address(), credentials=trusting(ca), timeout_seconds=20)
    assert fault.kind == "timeout"
    assert len(server.requests) == 1


# ── against the simulator ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "kind", "error"),
    [
        ("620000:401", "http-401", Refused),
        ("620000:404", "http-404", Refused),
        ("620000:408", "http-408", Refused),
        ("620000:429", "http-429", Refused),
        ("620000:500", "http-500", Refused),
        ("620000:503;retry-after=9", "http-503", Refused),
        ("620000:509", "http-509", Refused),
        ("620000:code=1001", "code", Refused),
        ("620000:redirect", "redirect", Refused),
        ("620000:html", "not-json", Malformed),
        ("620000:truncated", "not-json", Malformed),
        ("620000:reset", "cut-body", Malformed),
        ("620000:dead", "disconnected", Unreachable),
        ("620000:hang", "timeout", Unreachable),
    ],
)
async def test_every_fault_of_the_simulator_has_its_kind(
    monkeypatch: pytest.MonkeyPatch, text: str, kind: str, error: type[Fault]
) -> None:
    patience = Patience(monkeypatch, 20)
    monkeypatch.setattr(Simulator, "_wait", patience.ends_when(Simulator._wait))
    centre = Centre("620000", "甘肃省", scale=0.001, faults=[SimulatedFault.parse(text)])
    async with Simulator([centre]) as simulator, ProvinceClient("620000", PLAIN) as client:
        address = Address.parse(simulator.address("620000"), "https")
        for number in (1, 2, 3):
            with pytest.raises(error) as caught:
                await client.fetch(address, USERS, number, 10, timeout_seconds=20)
            assert caught.value.kind == kind
            assert len(simulator.requests) == number, "one request a call"
        if isinstance(caught.value, Refused):
            assert caught.value.retry_after_seconds == (9 if "retry" in text else None)


@pytest.mark.parametrize(
    "text", ["620000:bom", "620000:stray-keys", "620000:total=string", "620000:slow=0.01"]
)
@pytest.mark.parametrize("packed", [True, False])
async def test_what_the_simulator_only_bends_is_a_page(text: str, packed: bool) -> None:
    centre = Centre("620000", "甘肃省", scale=0.001, faults=[SimulatedFault.parse(text)])
    async with Simulator([centre], gzip=packed) as simulator:
        fetched = await fetch(Address.parse(simulator.address("620000"), "https"))
        assert fetched.envelope.rows == simulator.rows("620000", "ua_user")[:100]
