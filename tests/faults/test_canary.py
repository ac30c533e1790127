"""Only registered addresses are ever contacted: a canary that is named everywhere hears nothing."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from hostile_answers import PROVEN, REFUSED, every
from hostile_province import DEFAULTS, Case, Script, envelope, registry_text, served

from shells import Shell
from subcmc_crawler.model import Verdict
from subcmc_crawler.store import open_store
from subcmc_crawler.store.runs import manifests_of

END_SECONDS = 120
SCHEMES = ("http", "https", "ftp", "file", "ws", "socks5")


class Canary:
    """A port that nobody has registered; it notes who comes, and answers as a province would."""

    def __init__(self) -> None:
        self.port = 0
        self.visits: list[str] = []

    async def heard(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits.append("a connection")
        body = envelope([{"userId": "canary"}])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"


@asynccontextmanager
async def canary_is_listening() -> AsyncIterator[Canary]:
    canary = Canary()
    server = await asyncio.start_server(canary.heard, "127.0.0.1", 0)
    canary.port = server.sockets[0].getsockname()[1]
    async with server:
        yield canary


def cases_that_name(place: str) -> list[Case]:
    """Provinces that send us to `place` in every way that HTTP and JSON have."""
    url = f"http://{place}/subcmc/v1/ua/user"
    rows = [{"userId": url, "url": url, "href": {"$ref": url}, "next": url, "avatar": f"//{place}/a.png"}]
    good = envelope(rows)

    def case(name: str, script: Script, verdict: Verdict, most: int = 2) -> Case:
        kept = rows if verdict is PROVEN else None
        return Case(name=name, script=script, verdict=verdict, rows=kept, most_requests=most)

    cases = []
    for status in (300, 301, 302, 303, 305, 307, 308):
        answer = every(good, f"Location: {url}", status=f"{status} Moved")
        cases.append(case(f"redirect-{status}", answer, REFUSED, 1))
    for scheme in SCHEMES:
        answer = every(good, f"Location: {scheme}://{place}/", status="302 Found")
        cases.append(case(f"redirect-to-{scheme}", answer, REFUSED, 1))
    for number, target in enumerate(
        (f"//{place}/", f"http:{place}", f"http://user:pass@{place}/", f"\\\\{place}")
    ):
        answer = every(good, f"Location: {target}", status="301 Moved")
        cases.append(case(f"redirect-form-{number}", answer, REFUSED, 1))
    for name, header in {
        "location": f"Location: {url}",
        "content-location": f"Content-Location: {url}",
        "refresh": f"Refresh: 0; url={url}",
        "link": f'Link: <{url}>; rel="next", <{url}>; rel=preload, <//{place}>; rel=preconnect',
        "alt-svc": f'Alt-Svc: http/1.1="{place}"; ma=9999, h2=":{place.rpartition(":")[2]}"; persist=1',
        "report-to": f'Report-To: {{"endpoints":[{{"url":"{url}"}}]}}',
        "set-cookie": "Set-Cookie: a=b; Domain=127.0.0.1; Path=/",
        "upgrade": "Upgrade: h2c",
        "sourcemap": f"SourceMap: {url}",
    }.items():
        cases.append(case(f"header-{name}", every(good, header), PROVEN))
    proxy = every(good, f"Proxy-Authenticate: Basic realm={url}", f"Location: {url}", status="407 No")
    cases.append(case("use-a-proxy", proxy, REFUSED, 1))
    login = every(good, f'WWW-Authenticate: Bearer authorization_uri="{url}"', status="401 No")
    cases.append(case("log-in-there", login, REFUSED, 1))
    members = {"code": 0, "message": url, "total": 1, "data": rows, "next": url, "pullAddressList": [place]}
    cases.append(case("urls-in-the-envelope", every(json.dumps(members).encode()), PROVEN))
    page = f'<meta http-equiv="refresh" content="0;url={url}"><script src="{url}"></script>'.encode()
    cases.append(case("html", every(page, "Content-Type: text/html"), REFUSED))
    return cases


@pytest.mark.parametrize("night", ["plain", "proxied"])
async def test_nobody_but_registered_addresses_is_contacted(shell: Shell, night: str) -> None:
    """In the second night the environment and ~/.netrc name the canary as well."""
    async with canary_is_listening() as canary, asyncio.timeout(END_SECONDS):
        cases = cases_that_name(canary.place)
        environment = dict(shell.environment)
        if night == "proxied":
            environment |= proxies(f"http://{canary.place}", shell.folder)
            netrc = shell.folder / ".netrc"
            netrc.write_text("machine 127.0.0.1 login ministry password hunter2\n", encoding="utf-8")
            netrc.chmod(0o600)
        async with served(cases) as provinces:
            for province in provinces:
                province.night = True
            text = registry_text(provinces, DEFAULTS).replace('ca_file = "ca.pem"', "")
            (shell.folder / "provinces.toml").write_text(text, encoding="utf-8")
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "subcmc_crawler", "crawl", "--now", "--dataset", "ua_user"),
                cwd=shell.folder,
                env=environment,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            _, told = await child.communicate()
            heads = [head for province in provinces for head in province.heads]
            counted = {each.case.name: each.requests for each in provinces}
    assert child.returncode == 1, told.decode()
    assert canary.visits == []
    assert not [head for head in heads if "authorization" in head.lower() or "hunter2" in head]
    async with open_store(
        shell.environment["MONGODB_URI"], database=shell.environment["SUBCMC_DATABASE"]
    ) as db:
        found = {each.cmc_id: each for each in await manifests_of(db, 1)}
    for case in cases:
        assert found[case.name].verdict in case.verdicts, found[case.name]
        assert 1 <= counted[case.name] == found[case.name].attempts <= case.most_requests, case


def proxies(url: str, home: Path) -> dict[str, str]:
    """Every variable by which other programs are told of a proxy."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "WS_PROXY")
    named = dict.fromkeys(names, url) | {name.lower(): url for name in names}
    return named | {"NO_PROXY": "", "no_proxy": "", "HOME": str(home), "NETRC": str(home / ".netrc")}


async def test_a_client_that_trusts_them_would_have_gone_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary that hears nothing proves nothing unless it can hear something: redirects, and the environment."""
    async with canary_is_listening() as canary, asyncio.timeout(END_SECONDS):
        case = next(each for each in cases_that_name(canary.place) if each.name == "redirect-302")
        async with served([case]) as (province,):
            province.night = True
            url = f"http://127.0.0.1:{province.port}/?pageNum=1&pageSize=1"
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                assert b"canary" in await answer.read()
            for name, value in proxies(f"http://{canary.place}", Path()).items():
                monkeypatch.setenv(name, value)
            async with aiohttp.ClientSession(trust_env=True) as session, session.get(url) as answer:
                assert b"canary" in await answer.read()
            assert province.requests == 1
    assert len(canary.visits) == 2
