"""Proxies: none unless the registry says so, and then that one alone."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from pydantic import ValidationError
from raw_server import Exchange, raw_server

from subcmc_crawler.errors import Fault, Unreachable
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.client import Fetched, ProvinceClient
from subcmc_crawler.province.credentials import Credentials
from subcmc_crawler.province.settings import PullSettings
from subcmc_crawler.spec.datasets import DATASETS

USERS = DATASETS["ua_user"]
PLAIN = Credentials(ssl.create_default_context(), None)
ENVIRONMENT = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


async def well(exchange: Exchange) -> None:
    await exchange.reply()


async def fetch(address: Address, proxy: str, credentials: Credentials = PLAIN) -> Fetched:
    async with ProvinceClient("620000", credentials, proxy=proxy) as client:
        return await client.fetch(address, USERS, 1, 100, timeout_seconds=20)


@asynccontextmanager
async def tunnel(answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that knows CONNECT; gives its URL, and what it was asked for."""
    asked: list[str] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0])
        writer.write(answer)
        host, _, port = asked[-1].split()[1].rpartition(":")
        if b" 200 " in answer:
            there, here = await asyncio.open_connection(host, int(port))
            await asyncio.gather(copy(reader, here), copy(there, writer), return_exceptions=True)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def trusting(ca: trustme.CA) -> Credentials:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return Credentials(context, None)


async def test_a_plain_request_goes_to_the_proxy_and_nowhere_else() -> None:
    async with raw_server(well) as proxy, raw_server(well) as province:
        assert (await fetch(province.address(), f"http://127.0.0.1:{proxy.port}")).status == 200
    assert proxy.requests[0].startswith(f"GET http://127.0.0.1:{province.port}/620000/subcmc/v1/ua/user?")
    assert province.connections == 0


async def test_tls_goes_through_a_tunnel_and_is_verified_at_its_other_end() -> None:
    ca = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    async with raw_server(well, tls=tls) as province, tunnel() as (proxy, asked):
        assert (await fetch(province.address(), proxy, trusting(ca))).status == 200
        with pytest.raises(Fault) as caught:
            await fetch(province.address(), proxy)
    assert asked == [f"CONNECT 127.0.0.1:{province.port} HTTP/1.1"] * 2
    assert caught.value.kind == "tls"


async def test_a_proxy_that_refuses_or_is_not_there_is_named() -> None:
    address = Address.parse("https://127.0.0.1:9/620000", "https")
    async with tunnel(b"HTTP/1.1 403 Forbidden\r\n\r\n") as (proxy, _):
        with pytest.raises(Unreachable) as refused:
            await fetch(address, proxy)
    with pytest.raises(Unreachable) as absent:
        await fetch(address, proxy)
    assert (refused.value.kind, refused.value.detail) == ("proxy", "the proxy answered HTTP 403")
    assert absent.value.kind == "proxy"


@pytest.mark.parametrize("scheme", ["http", "all"])
async def test_the_environment_counts_only_where_the_registry_says_so(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    async with raw_server(well) as proxy, raw_server(well) as province:
        monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{proxy.port}")
        await fetch(province.address(), "")
        assert (proxy.connections, province.connections) == (0, 1)
        await fetch(province.address(), "environment")
        assert (proxy.connections, province.connections) == (1, 1)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        await fetch(province.address(), "environment")
        assert (proxy.connections, province.connections) == (1, 2)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("", ""), ("environment", "environment"), ("http://10.0.0.1:3128/", "http://10.0.0.1:3128")],
)
def test_a_proxy_is_written_as_a_url(text: str, kept: str) -> None:
    assert PullSettings(proxy=text).proxy == kept


@pytest.mark.parametrize(
    "text",
    ["10.0.0.1:3128", "https://10.0.0.1:3128", "http://a:b@10.0.0.1:3128", "http://10.0.0.1", "socks5://h:1"],
)
def test_another_form_is_refused_and_no_password_is_repeated(text: str) -> None:
    with pytest.raises(ValidationError, match='must be "http://host:port" without a user'):
        PullSettings(proxy=text)
