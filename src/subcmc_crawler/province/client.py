"""One HTTP client a province: asks for a page, reads it with every limit, and names what went wrong (1.3)."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final

import aiohttp

from subcmc_crawler.errors import Fault, Malformed, Refused, TooLarge, Unreachable
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.pacing import BytePace
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.spec.envelope import Envelope, parse
from subcmc_crawler.spec.personal import one_line

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""The limit of a message (1.3.1), decompressed."""

_CHUNK_BYTES: Final = 64 * 1024
_CONNECT_SECONDS: Final = 15.0
_ENCODINGS: Final = frozenset({"", "identity", "gzip", "deflate"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """A good page: its envelope, the bytes of its decoded body, and how long it took."""

    envelope: Envelope
    status: int
    bytes: int
    milliseconds: float


class ProvinceClient:
    """An async context manager around one session, which is shared by all pages of a province."""

    def __init__(
        self,
        cmc_id: str,
        credentials: Credentials,
        *,
        byte_paces: Sequence[BytePace] = (),
        connections: int = 2,
    ) -> None:
        self._cmc_id = cmc_id
        self._credentials = credentials
        self._byte_paces = byte_paces
        self._connections = connections

    async def __aenter__(self) -> ProvinceClient:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections, ssl=self._credentials.tls, keepalive_timeout=15, ttl_dns_cache=60
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": "subcmc-crawler",
                **self._credentials.headers,
            },
            trust_env=False,
        )
        # aiohttp repeats a GET by itself when a kept-alive connection drops, past our pace and our ledger
        # (aio-libs/aiohttp#10790); this switch is private, and a test counts requests at the server
        self._session._retry_connection = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def fetch(
        self, address: Address, dataset: Dataset, page_num: int, page_size: int, *, timeout_seconds: float
    ) -> Fetched:
        """One page by one GET (2.2.1.4); a Fault says how it failed."""
        started = time.monotonic()
        try:
            status, body = await self._get(address, dataset, page_num, page_size, timeout_seconds)
        except Fault:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _unreachable(error) from None
        envelope = parse(body)
        return Fetched(envelope, status, len(body), (time.monotonic() - started) * 1000)

    async def _get(
        self, address: Address, dataset: Dataset, page_num: int, page_size: int, timeout_seconds: float
    ) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(
            total=timeout_seconds,
            sock_connect=min(_CONNECT_SECONDS, timeout_seconds),
            sock_read=timeout_seconds,
        )
        async with self._session.get(
            address.base + dataset.path,
            params={"cmcId": self._cmc_id, "pageNum": str(page_num), "pageSize": str(page_size)},
            allow_redirects=False,
            timeout=timeout,
            server_hostname=self._credentials.server_hostname,
        ) as response:
            if response.status != 200:
                raise _refused(response)
            encoding = response.headers.get("Content-Encoding", "").strip().lower()
            if encoding not in _ENCODINGS:
                raise Malformed("encoding", f"Content-Encoding {encoding[:40]!r} was not asked for")
            return response.status, await self._body(response)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        paid = 0
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise TooLarge("too-large", f"the body passed {MAX_BODY_BYTES // 1024 // 1024} MB (1.3.1)")
            on_the_line = response.content.total_compressed_bytes or len(body)
            for pace in self._byte_paces:
                await pace.spend(on_the_line - paid)
            paid = on_the_line
        return bytes(body)


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


def _unreachable(error: Exception) -> Fault:  # noqa: PLR0911 - a kind a return
    """The fault behind an error of the library: a kind that stays the same, and never a value of ours."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return Unreachable("tls", _tls_reason(error))
    if isinstance(error, ssl.SSLError):
        return Unreachable("tls", error.reason or "handshake failed")
    if isinstance(error, asyncio.TimeoutError):
        return Unreachable("timeout", "no complete answer in time")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable("connect", error.strerror or type(error).__name__)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError):
        return Unreachable("disconnected", "the connection was dropped before the answer came")
    if isinstance(error, aiohttp.ClientPayloadError):
        return Malformed("cut-body", "the body ended before its end")
    if isinstance(error, aiohttp.ClientResponseError):
        return Malformed("protocol", f"not valid HTTP ({type(error).__name__})")
    return Unreachable("connect", type(error).__name__)


def _tls_reason(error: aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError) -> str:
    cause: object = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    return str(getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__)
