"""TLS, credentials and secrets: whole nights over real sockets, into a real mongod."""

from __future__ import annotations

import base64
import logging
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from nights import Clock, Watcher

from subcmc_crawler.model import Manifest, RunRecord, State, Verdict
from subcmc_crawler.province.dialect import PULL
from subcmc_crawler.province.registry import parse
from subcmc_crawler.report.jsonreport import to_json
from subcmc_crawler.report.night import build
from subcmc_crawler.report.text import to_text
from subcmc_crawler.report.text_cell import to_cell_text
from subcmc_crawler.run import Crawl, Selection
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.envelope import Envelope
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import manifests_of

SECRET = "s3cr3t-hunter2-gansu"
FAST = "requests_per_second = 0\nmax_attempts = 1\nrequest_timeout_seconds = 60"
ORGS = Selection(datasets=("ua_org",))


def served(ca: trustme.CA, *names: str, clients: trustme.CA | None = None, **issued: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names, **issued).configure_cert(context)
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server whose certificate is the authority itself."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "self.pem")
    ca.private_key_pem.write_to_path(folder / "self.key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "self.pem", folder / "self.key")
    return context


async def night(
    store: Database, folder: Path, context: ssl.SSLContext | None, more: str = "", *, scheme: str = "https"
) -> tuple[RunRecord, Manifest]:
    """A night of one province and one dataset; `more` is TOML under its registration."""
    centre = Centre("620000", "甘肃省", scale=0.005)
    async with Simulator([centre], ssl_context=context) as simulator:
        text = simulator.registry(defaults=FAST).replace("http://", f"{scheme}://") + more
        crawl = Crawl(
            parse(text), store, Watcher([]), folder=folder, now=Clock(), selection=ORGS, ignore_windows=True
        )
        run = await crawl.run()
        (manifest,) = await manifests_of(store, run.number)
        if manifest.state is State.PUBLISHED:
            assert manifest.counts.distinct == len(simulator.rows("620000", "ua_org"))
    return run, manifest


@pytest.fixture
def ca(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    made.issue_cert("ministry.example").private_key_and_cert_chain_pem.write_to_path(tmp_path / "ours.pem")
    return made


TRUST = "[province.tls]\nca_file = 'ca.pem'\n"


# ── What is let in ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("names", "mutual", "more"),
    [
        (("127.0.0.1",), False, TRUST),
        (("scmc.gansu.example",), False, TRUST + "server_hostname = 'scmc.gansu.example'\n"),
        (("127.0.0.1",), True, TRUST + "cert_file = 'ours.pem'\n"),
    ],
    ids=["private authority", "server_hostname", "mutual"],
)
async def test_a_province_that_is_trusted_is_published(  # noqa: PLR0917 - fixtures and parameters
    store: Database, tmp_path: Path, ca: trustme.CA, names: tuple[str, ...], mutual: bool, more: str
) -> None:
    run, manifest = await night(store, tmp_path, served(ca, *names, clients=ca if mutual else None), more)
    assert (manifest.verdict, run.notices) == (Verdict.PROVEN, ())


async def test_without_verification_it_is_published_and_every_report_says_so(
    store: Database, tmp_path: Path
) -> None:
    for _ in range(2):
        run, manifest = await night(
            store, tmp_path, served(trustme.CA(), "other.example"), "[province.tls]\nverify = false\n"
        )
        assert manifest.verdict is Verdict.PROVEN
        report = build(run, [manifest])
        assert "甘肃省: TLS certificates are not verified" in to_text(report, lang="en")
        assert "甘肃省" in to_json(report).decode()
        assert "TLS certificates are not verified" in to_json(report).decode()


# ── What is not ─────────────────────────────────────────────────────────────────────────────────────────

Serve = Callable[[trustme.CA, Path], ssl.SSLContext | None]
CASES: dict[str, tuple[Serve, str, str]] = {
    "expired": (
        lambda ca, _: served(ca, "127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)),
        "certificate has expired",
        "证书已过期",
    ),
    "self-signed": (lambda _, folder: self_signed(folder), "self-signed certificate", "证书是自签名的"),
    "unknown authority": (
        lambda _, __: served(trustme.CA(), "127.0.0.1"),
        "unable to get local issuer certificate",
        "签发证书的机构不受信任",
    ),
    "wrong host": (
        lambda ca, _: served(ca, "other.example"),
        "IP address mismatch, certificate is not valid for '127.0.0.1'",
        "证书与 127.0.0.1 不符",
    ),
    "no client certificate": (
        lambda ca, _: served(ca, "127.0.0.1", clients=ca),
        "the province wants a client certificate",
        "对方要求客户端证书",
    ),
    "no TLS": (lambda _, __: None, "the port does not speak TLS", "该端口不是 TLS 服务"),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_fault_of_tls_is_one_line_that_names_it(
    store: Database, tmp_path: Path, ca: trustme.CA, case: str
) -> None:
    serve, said, chinese = CASES[case]
    run, manifest = await night(store, tmp_path, serve(ca, tmp_path), TRUST)
    assert (manifest.verdict, manifest.state) == (Verdict.UNREACHABLE, State.ROLLED_BACK)
    assert manifest.reason_values["kind"] == "tls"
    assert manifest.faults == {"tls": 1}
    assert said in manifest.reason
    assert "\n" not in manifest.reason
    report = build(run, [manifest])
    assert chinese in to_text(report, lang="zh")
    assert said.partition(",")[0] in to_json(report).decode()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_missing_client_certificate_is_named_in_both_versions(
    store: Database, tmp_path: Path, ca: trustme.CA, version: ssl.TLSVersion
) -> None:
    context = served(ca, "127.0.0.1", clients=ca)
    context.minimum_version = context.maximum_version = version
    _, manifest = await night(store, tmp_path, context, TRUST)
    assert "the province wants a client certificate" in manifest.reason


# ── Credentials and secrets ─────────────────────────────────────────────────────────────────────────────

BASIC = base64.b64encode(f"ministry:{SECRET}".encode()).decode()
WAYS = {
    "bearer": ("kind = 'bearer'", "Authorization", f"Bearer {SECRET}"),
    "basic": ("kind = 'basic'\nusername = 'ministry'", "Authorization", f"Basic {BASIC}"),
    "header": ("kind = 'header'\nheader = 'X-Api-Key'", "X-Api-Key", SECRET),
}
SOURCES = {"file": "token_file = 'token'", "environment": "token_env = 'SUBCMC_TEST_TOKEN'"}


async def everything_stored(store: Database) -> str:
    names = await store.list_collection_names()
    return "\n".join([repr(each) for name in names async for each in store[name].find({})])


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("answer", ["refused", "broken", "defect"])
async def test_a_secret_reaches_the_province_and_nothing_else(  # noqa: PLR0917 - fixtures and parameters
    store: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    way: str,
    source: str,
    answer: str,
) -> None:
    """Not in a log, a traceback, the ledger, a manifest or a report; not even when our own code breaks."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SUBCMC_TEST_TOKEN", SECRET)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # of the environment: not taken
    (tmp_path / "token").write_text(SECRET + "\n")
    kind, header, expected = WAYS[way]
    seen: list[str | None] = []

    async def serve(request: web.Request) -> web.Response:
        seen.append(request.headers.get(header))
        return web.Response(
            status=401 if answer == "refused" else 200, body=b"no", headers={"Set-Cookie": "a=1"}
        )

    if answer == "defect":

        def defect(_: bytes) -> Envelope:
            raise RuntimeError("a defect")

        broken = replace(PULL, read=defect)
        monkeypatch.setattr("subcmc_crawler.province.client.PULL", broken)
    app = web.Application()
    app.router.add_get("/{rest:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    text = (
        f"[defaults]\n{FAST}\ncool_down_seconds = 0\n[[province]]\ncmcId = '620000'\nareaCode = '620000'\n"
        f"name = '甘肃省'\npullAddressList = ['http://127.0.0.1:{port}']\n"
        f"[province.auth]\n{kind}\n{SOURCES[source]}\n"
    )
    crawl = Crawl(
        parse(text), store, Watcher([]), folder=tmp_path, now=Clock(), selection=ORGS, ignore_windows=True
    )
    run = await crawl.run()
    await runner.cleanup()
    assert seen
    assert set(seen) == {expected}
    (manifest,) = await manifests_of(store, run.number)
    report = build(run, [manifest])
    told = [
        caplog.text,
        await everything_stored(store),
        to_json(report).decode(),
        *(to_text(report, lang=lang) + to_cell_text(manifest, lang=lang) for lang in ("zh", "en")),
    ]
    assert ("Traceback" in caplog.text) == (answer == "defect")
    for text in told:
        assert SECRET not in text
        assert BASIC not in text
