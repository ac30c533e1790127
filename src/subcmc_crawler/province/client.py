"""One HTTP client a province: asks for a page, reads it with every limit, and names what went wrong (1.3)."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.connector import Connection
from aiohttp.streams import EmptyStreamReader

from subcmc_crawler.errors import Fault, Malformed, Refused, TooLarge, Unreachable
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.dialect import PULL
from subcmc_crawler.province.pacing import TURNS_YIELDED, BytePace, Sleep
from subcmc_crawler.province.settings import FROM_ENVIRONMENT
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.spec.envelope import Envelope
from subcmc_crawler.spec.personal import one_line

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""The limit of a message (1.3.1), decompressed."""

_READ_BYTES: Final = 256 * 1024
_STATUS_LINE_BYTES: Final = 19  # "HTTP/1.1 200 OK" and two line ends
_CONNECT_SECONDS: Final = 15.0
_ENCODINGS: Final = frozenset({"", "identity", "gzip", "deflate"})
_WANTS_CERTIFICATE: Final = "the province wants a client certificate, and none is registered (cert_file)"
_WANTED: Final = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "ALERT_BAD_CERTIFICATE")
_NO_TLS: Final = "the port does not speak TLS"
_REASONS: Final = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "UNKNOWN_PROTOCOL": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A good page: its envelope, the bytes of its decoded body, how long it took, and its first byte."""

    envelope: Envelope
    status: int
    bytes: int
    milliseconds: float
    first_byte_seconds: float = 0.0


class _Line(socket.socket):
    """A socket that remembers whether a TLS handshake was begun on it, and answered."""

    said = heard = False

    def send(self, data: Any, flags: int = 0, /) -> int:
        self.said = True
        return super().send(data, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0, /) -> int:
        count = super().recv_into(buffer, nbytes, flags)
        self.heard = self.heard or count > 0
        return count


class _Connector(aiohttp.TCPConnector):
    """Never gives out a kept connection on which something came that nobody had asked for.

    The library would take it for the answer to the next request.
    """

    async def connect(self, *arguments: Any, **named: Any) -> Connection:
        while True:
            connection = await super().connect(*arguments, **named)
            if connection.protocol is None or not connection.protocol.should_close:
                CONNECTED.get([]).append(connection.transport)
                return connection
            connection.close()


_OPENED: ContextVar[list[_Line]] = ContextVar("_OPENED")
"""The sockets that the current request opened; none when a kept connection served it."""

CONNECTED: Final[ContextVar[list[asyncio.Transport | None]]] = ContextVar("CONNECTED")
"""What the current request went out on, the last one at the end, for whoever sets a list."""


def judge_head(response: aiohttp.ClientResponse) -> None:
    """Raises the Fault of a head that no page can follow: another status than 200, an encoding not asked for."""
    if response.status != 200:
        raise _refused(response)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise Malformed("encoding", f"Content-Encoding {encoding[:40]!r} was not asked for")


class ProvinceClient:
    """An async context manager around one session, which is shared by all pages of a province.

    Under a limit of bytes the sockets have small buffers, which the kernel and TCP then hold the province to:
    see BytePace. `connections` is then as many as the limit allows at once. `on_sent` is called for every request
    that goes out. `dialect` is how the interface is spoken, and may be changed between two requests.
    """

    def __init__(
        self,
        cmc_id: str,
        credentials: Credentials,
        *,
        byte_paces: Sequence[BytePace] = (),
        connections: int = 2,
        proxy: str = "",
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._cmc_id = cmc_id
        self._credentials = credentials
        self._byte_paces = [pace for pace in byte_paces if pace.limited]
        self._buffer_bytes = min((pace.buffer_bytes for pace in self._byte_paces), default=0)
        self._proxy = proxy
        self._sleep = sleep
        self.on_sent: Callable[[], None] = lambda: None
        self.dialect = PULL
        self.connections = min([connections, *(pace.readers for pace in self._byte_paces)])
        self.seats = [pace.seats for pace in self._byte_paces]
        self._reading: dict[object, None] = {}  # the bodies on their way, in the order in which they began

    async def __aenter__(self) -> ProvinceClient:
        self._session = aiohttp.ClientSession(
            connector=_Connector(
                limit=self.connections,
                ssl=self._credentials.tls,
                keepalive_timeout=15,
                ttl_dns_cache=60,
                socket_factory=self._socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": "subcmc-crawler",
                **self._credentials.headers,
            },
            trust_env=False,
            trace_configs=[self._trace()],
            # the library stops reading from the socket when it holds twice this
            read_bufsize=max(256, self._buffer_bytes // 4) if self._byte_paces else _READ_BYTES,
        )
        # aiohttp repeats a GET by itself when a kept-alive connection drops, past our pace and our ledger
        # (aio-libs/aiohttp#10790); this switch is private, and a test counts requests at the server
        self._session._retry_connection = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def _trace(self) -> aiohttp.TraceConfig:
        """Tells `on_sent` when a request has gone out."""

        async def sent(*_: Any) -> None:
            self.on_sent()

        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(sent)
        return trace

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, _ = info
        line = _Line(family, kind, protocol)
        if self._byte_paces:
            # the kernel holds as much as it is told up to 4 KB, and up to twice as much beyond
            size = self._buffer_bytes
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, min(size, max(4096, size // 2)))
        _OPENED.get([]).append(line)
        return line

    async def fetch(
        self, address: Address, dataset: Dataset, page_num: int, page_size: int, *, timeout_seconds: float
    ) -> Fetched:
        """One page by one GET (2.2.1.4, 4.1), counted from 1; a Fault says how it failed.

        `timeout_seconds` is what the province may take; where we hold the line back, that time comes on top.
        """
        try:
            return await self._fetch(address, dataset, page_num, page_size, timeout_seconds=timeout_seconds)
        except Fault as fault:
            # faults are kept up to the verdict: the frames they came through would keep the body as long
            fault.__context__ = None
            raise fault.with_traceback(None) from None

    async def _fetch(
        self, address: Address, dataset: Dataset, page_num: int, page_size: int, *, timeout_seconds: float
    ) -> Fetched:
        started = time.monotonic()
        asked = {
            "cmcId": self._cmc_id,
            "pageNum": str(page_num - 1 + self.dialect.first_page),
            "pageSize": str(page_size),
        }
        path = self.dialect.path(dataset)
        body, began = await self.exchange(address, path, asked, timeout_seconds=timeout_seconds)
        envelope = self.dialect.read(body)
        milliseconds = (time.monotonic() - started) * 1000
        return Fetched(envelope, 200, len(body), milliseconds, first_byte_seconds=began - started)

    async def exchange(
        self,
        address: Address,
        path: str,
        params: Mapping[str, str],
        *,
        timeout_seconds: float,
        judge: Callable[[aiohttp.ClientResponse], None] = judge_head,
    ) -> tuple[bytes, float]:
        """The decoded body that answers one GET, and when its first byte came; a Fault says how it failed.

        `judge` sees the head before the body is read, and raises the Fault of one that it does not want.
        """
        opened: list[_Line] = []
        token = _OPENED.set(opened)
        try:
            async with asyncio.timeout(timeout_seconds) as deadline:
                return await self._get(
                    address, path, params, timeout_seconds=timeout_seconds, deadline=deadline, judge=judge
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            tls = self._tls_fault(error, opened[-1] if opened else None) if address.scheme == "https" else ""
            raise (Unreachable("tls", tls) if tls else _unreachable(error)) from None
        finally:
            _OPENED.reset(token)

    async def _get(
        self,
        address: Address,
        path: str,
        params: Mapping[str, str],
        *,
        timeout_seconds: float,
        deadline: asyncio.Timeout,
        judge: Callable[[aiohttp.ClientResponse], None],
    ) -> tuple[bytes, float]:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=min(_CONNECT_SECONDS, timeout_seconds), sock_read=timeout_seconds
        )
        async with self._session.get(
            address.base + path,
            params=params,
            allow_redirects=False,
            timeout=timeout,
            server_hostname=self._credentials.server_hostname,
            proxy=_proxy_for(address, self._proxy),
        ) as response:
            began = time.monotonic()
            head = (
                sum(len(name) + len(value) + 4 for name, value in response.raw_headers) + _STATUS_LINE_BYTES
            )
            await self._pay(head, deadline, response)
            judge(response)
            self._reading[response] = None
            try:
                return await self._body(response, deadline), began
            finally:
                del self._reading[response]

    async def _body(self, response: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> bytes:
        if isinstance(response.content, EmptyStreamReader):  # of a status that has no body: it counts nothing
            return b""
        body = bytearray()
        paid = 0
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise TooLarge("too-large", f"the body passed {MAX_BODY_BYTES // 1024 // 1024} MB (1.3.1)")
            on_the_line = response.content.total_raw_bytes
            await self._pay(on_the_line - paid, deadline, response)
            paid = on_the_line
        await self._pay(response.content.total_raw_bytes - paid, deadline, response)
        return bytes(body)

    async def _pay(self, count: int, deadline: asyncio.Timeout, reader: object) -> None:
        """Pays for bytes of the line by waiting; what of it is our doing does not count against the province."""
        dues = [(pace, pace.book(count)) for pace in self._byte_paces]
        pace, due = max(dues, key=lambda each: each[1].seconds, default=(None, None))
        if pace is None or due is None or not due.seconds:
            return
        junior = next(iter(self._reading), reader) is not reader
        when = deadline.when()
        if when is not None:
            excused = max(due.excused_seconds for _, due in dues)
            deadline.reschedule(when + excused * (1 + TURNS_YIELDED if junior else 1))
        await pace.settle(due, self._sleep, junior=junior)

    def _tls_fault(self, error: Exception, opened: _Line | None) -> str:  # noqa: PLR0911 - a reason a return
        """What went wrong with TLS, empty when it was something else. `opened` is the socket of a new connection.

        A province that wants a certificate of ours says so by an alert after the handshake, or just hangs up.
        """
        if isinstance(error, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError):
            return _certificate_reason(error)
        reason = _alert(error)
        if reason:
            wanted = not self._credentials.shows_certificate and any(word in reason for word in _WANTED)
            return _WANTS_CERTIFICATE if wanted else _REASONS.get(reason, reason.replace("_", " ").lower())
        if opened is None or not opened.said:
            return ""
        if isinstance(error, TimeoutError):
            return "" if opened.heard else "no answer to the TLS handshake: the port may not speak TLS"
        if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | ConnectionError):
            if not opened.heard:
                return "the connection was dropped in the TLS handshake: the port may not speak TLS"
            return "" if self._credentials.shows_certificate else _WANTS_CERTIFICATE
        return ""


def _proxy_for(address: Address, setting: str) -> str | None:
    """The proxy between us and an address, if there is one."""
    if setting != FROM_ENVIRONMENT:
        return setting or None
    if proxy_bypass(address.host):
        return None
    named = getproxies()
    return named.get(address.scheme) or named.get("all")


def _refused(response: aiohttp.ClientResponse) -> Refused:
    status = response.status
    reason = one_line(response.reason or "", 60)
    if 300 <= status < 400:
        return Refused("redirect", f"HTTP {status}: redirects are not followed", status=status)
    return Refused(
        f"http-{status}",
        reason,
        status=status,
        retry_after_seconds=_retry_after(response.headers.get("Retry-After")),
    )


def _retry_after(text: str | None) -> float | None:
    """Seconds that a Retry-After asks for, in both of its forms; None when it cannot be read."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _unreachable(error: Exception) -> Fault:  # noqa: PLR0911 - a fault a return
    """The fault behind an error of the library: a kind that stays the same, and never a value of ours."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Unreachable("proxy", f"the proxy answered HTTP {error.status}")
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Unreachable("proxy", error.strerror or type(error).__name__)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable("connect", error.strerror or type(error).__name__)
    if isinstance(error, aiohttp.ClientResponseError):
        return Malformed("protocol", f"not valid HTTP ({type(error).__name__})")
    if isinstance(error, TimeoutError):
        return Unreachable("timeout", "no complete answer in time")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return Unreachable("disconnected", "the connection was dropped before the answer came")
    if isinstance(error, aiohttp.ClientPayloadError):
        return Malformed("cut-body", "the body ended before its end")
    return Unreachable("connect", type(error).__name__)


def _certificate_reason(error: Exception) -> str:
    """Why OpenSSL did not trust a certificate: expired, self-signed, another name, an unknown authority."""
    cause: object = getattr(error, "certificate_error", error)
    said = str(getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__)
    return one_line(said, 200)


def _alert(error: Exception) -> str:
    """OpenSSL's name for what broke TLS, empty when it was something else.

    An alert that comes after the handshake reaches us as a connection error that has only its text.
    """
    cause = getattr(error, "os_error", error)
    if isinstance(cause, ssl.SSLError):
        return cause.reason or "handshake failed"
    found = re.search(r"\[SSL: (\w+)\]", str(error)) if isinstance(error, OSError) else None
    return found[1] if found else ""
