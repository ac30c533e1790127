from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from typing import Any

import pytest
from aiohttp import web
from alert_cases import DIGEST, QUICK, TOKEN, secrets_in, server_tls

from patience import Patience
from subcmc_crawler.alerting import Delivery, deliver, unusable
from subcmc_crawler.province.settings import Alerts


@dataclass
class Hook:
    """A webhook on a real socket; `answer` gives what it says."""

    answer: Callable[[], Awaitable[web.StreamResponse]]
    port: int = 0
    posts: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.posts.append((request.path_qs, dict(request.headers), await request.json()))
        return await self.answer()


@asynccontextmanager
async def webhook(
    answer: Callable[[], Awaitable[web.StreamResponse]], tls: SSLContext | None = None
) -> AsyncIterator[Hook]:
    hook = Hook(answer)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", hook.take)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    hook.port = runner.addresses[0][1]
    try:
        yield hook
    finally:
        await runner.cleanup()


def says(status: int, **headers: str) -> Callable[[], Awaitable[web.StreamResponse]]:
    async def answer() -> web.StreamResponse:
        return web.Response(status=status, headers=headers)

    return answer


def alerts_of(port: int, scheme: str = "http", **more: Any) -> Alerts:
    return Alerts.model_validate({"webhook_url": f"{scheme}://127.0.0.1:{port}/hook?key=k3y-s3cret", **more})


async def test_a_digest_is_posted_as_json(tmp_path: Path) -> None:
    async with webhook(says(204)) as hook:
        sent = await deliver(DIGEST, alerts_of(hook.port), folder=tmp_path, limits=QUICK)
    assert sent == (Delivery(channel=f"webhook 127.0.0.1:{hook.port}"),)
    [(path, headers, body)] = hook.posts
    assert path == "/hook?key=k3y-s3cret"
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers
    told = {"schema": "subcmc.alert/1", "subject": DIGEST.subject, "text": DIGEST.text, "kind": "night"}
    assert body == told


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [(None, "Authorization", f"Bearer {TOKEN}"), ("X-Token", "X-Token", TOKEN)],
)
async def test_the_token_goes_in_its_header(
    tmp_path: Path, header: str | None, name: str, value: str
) -> None:
    secrets_in(tmp_path)
    async with webhook(says(200)) as hook:
        alerts = alerts_of(hook.port, webhook_header=header, webhook_token_file="token")
        await deliver(DIGEST, alerts, folder=tmp_path, limits=QUICK)
    assert hook.posts[0][1][name] == value


async def test_https_is_verified_against_our_own_authority(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, "127.0.0.1")
    async with webhook(says(200), tls) as hook:
        known = await deliver(
            DIGEST, alerts_of(hook.port, "https", ca_file="ca.pem"), folder=tmp_path, limits=QUICK
        )
        unknown = await deliver(DIGEST, alerts_of(hook.port, "https"), folder=tmp_path, limits=QUICK)
    assert [known[0].fault, unknown[0].fault] == [None, "tls"]
    assert len(hook.posts) == 1


@pytest.mark.parametrize(
    ("row", "status", "fault", "tries"),
    [
        (2, 500, "http-500", 2),
        (2, 429, "http-429", 2),
        (2, 408, "http-408", 2),
        (3, 400, "http-400", 1),
        (3, 404, "http-404", 1),
    ],
)
async def test_an_answer_that_says_no(tmp_path: Path, row: int, status: int, fault: str, tries: int) -> None:
    async with webhook(says(status)) as hook:
        [done] = await deliver(DIGEST, alerts_of(hook.port), folder=tmp_path, limits=QUICK)
    assert (done.fault, len(hook.posts)) == (fault, tries), row


async def test_row_2_a_second_try_may_succeed(tmp_path: Path) -> None:
    statuses = [503, 200]

    async def better() -> web.StreamResponse:
        return web.Response(status=statuses.pop(0))

    async with webhook(better) as hook:
        [done] = await deliver(DIGEST, alerts_of(hook.port), folder=tmp_path, limits=QUICK)
    assert (done.fault, len(hook.posts)) == (None, 2)


async def test_row_3_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async with (
        webhook(says(200)) as other,
        webhook(says(307, Location=f"http://127.0.0.1:{other.port}/")) as hook,
    ):
        [done] = await deliver(DIGEST, alerts_of(hook.port), folder=tmp_path, limits=QUICK)
    assert (done.fault, len(hook.posts), other.posts) == ("redirect", 1, [])


async def test_row_4_a_webhook_that_hangs_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = Patience(monkeypatch, QUICK.try_seconds)

    async def silent() -> web.StreamResponse:
        patience.ends()
        await asyncio.Event().wait()
        raise AssertionError

    async with webhook(silent) as hook:
        [done] = await deliver(DIGEST, alerts_of(hook.port), folder=tmp_path, limits=QUICK)
    assert (done.fault, len(hook.posts)) == ("timeout", 1)


async def test_row_1_nobody_there_is_tried_twice(tmp_path: Path) -> None:
    pauses: list[float] = []

    async def paused(seconds: float) -> None:
        pauses.append(seconds)

    limits = type(QUICK)(try_seconds=20, pause_seconds=3, sleep=paused)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        alerts = alerts_of(nobody.getsockname()[1])
        [done] = await deliver(DIGEST, alerts, folder=tmp_path, limits=limits)
    assert (done.fault, pauses) == ("connect", [3])


async def test_a_proxy_of_the_environment_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with webhook(says(200)) as proxy, webhook(says(200)) as hook:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        await deliver(DIGEST, alerts_of(hook.port), folder=tmp_path, limits=QUICK)
    assert (len(hook.posts), proxy.posts) == (1, [])


@pytest.mark.parametrize("status", [200, 302, 401, 500])
async def test_token_and_key_are_nowhere_but_on_the_wire(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    secrets_in(tmp_path)
    caplog.set_level(logging.DEBUG)
    async with webhook(says(status)) as hook:
        alerts = alerts_of(hook.port, webhook_token_file="token")
        caplog.clear()
        [done] = await deliver(DIGEST, alerts, folder=tmp_path, limits=QUICK)
    ours = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("aiohttp.access")
    )
    told = ours + repr(alerts) + repr(done) + done.notice
    assert TOKEN not in told
    assert "k3y-s3cret" not in told


def test_a_token_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = alerts_of(1, webhook_token_env="SOME_TOKEN")
    monkeypatch.delenv("SOME_TOKEN", raising=False)
    assert [each.fault for each in unusable(alerts, folder=tmp_path)] == ["secret"]
    monkeypatch.setenv("SOME_TOKEN", "two\nlines")
    assert [each.fault for each in unusable(alerts, folder=tmp_path)] == ["secret"]
    monkeypatch.setenv("SOME_TOKEN", TOKEN)
    assert unusable(alerts, folder=tmp_path) == ()


def test_a_certificate_that_is_none_is_told_beforehand(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", "utf-8")
    assert [each.fault for each in unusable(alerts_of(1, ca_file="ca.pem"), folder=tmp_path)] == ["secret"]
