"""A look at one answer: any parameters, any status, with every limit that a page has (1.3)."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import aiohttp

from subcmc_crawler.errors import Fault
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.answer import Answer, Secured
from subcmc_crawler.province.client import CONNECTED, ProvinceClient, judge_head


async def look(
    client: ProvinceClient,
    address: Address,
    path: str,
    params: Mapping[str, str],
    *,
    timeout_seconds: float,
) -> Answer:
    """The answer to one GET, whatever its status; a Fault only where there is none that can be read.

    `path` follows the base of the address, as that of a dataset does.
    """
    heads: list[tuple[aiohttp.ClientResponse, Fault | None]] = []

    def judge(response: aiohttp.ClientResponse) -> None:
        try:
            judge_head(response)
        except Fault as fault:
            heads.append((response, fault.with_traceback(None)))
        else:
            heads.append((response, None))

    transports: list[asyncio.Transport | None] = []
    token = CONNECTED.set(transports)
    started = time.monotonic()
    try:
        body, began = await client.exchange(
            address, path, params, timeout_seconds=timeout_seconds, judge=judge
        )
    except Fault as fault:
        fault.__context__ = None  # it is kept, and would keep what it came through
        raise fault.with_traceback(None) from None
    finally:
        CONNECTED.reset(token)
    response, against = heads[-1]
    headers = {name.lower(): value for name, value in reversed(list(response.headers.items()))}
    return Answer(
        status=response.status,
        headers=headers,
        body=body,
        milliseconds=(time.monotonic() - started) * 1000,
        first_byte_seconds=began - started,
        secured=_secured(transports),
        fault=against,
    )


def _secured(transports: Sequence[asyncio.Transport | None]) -> Secured | None:
    transport = transports[-1] if transports else None
    line = transport.get_extra_info("ssl_object") if transport else None
    if line is None:
        return None
    certificate = line.getpeercert() or {}
    until = certificate.get("notAfter")
    not_after = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(until)), UTC) if until else None
    return Secured(line.version() or "", not_after)
