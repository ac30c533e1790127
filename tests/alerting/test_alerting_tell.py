"""One digest a run, whatever happens to the channels: over a real store and real sockets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alert_cases import IMPATIENT, QUICK, mail_alerts
from mail_server import mail_server

from subcmc_crawler import gathering
from subcmc_crawler.alerting import Delivery, Limits, tell
from subcmc_crawler.model import Counts, Manifest, RunRecord, RunStatus, State, Verdict
from subcmc_crawler.province.settings import Alerts
from subcmc_crawler.report.night import Report
from subcmc_crawler.report.text import to_text
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import begin_run, finish_run, get_run, reopen_run, write_manifest

AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


async def night(db: Database, verdict: Verdict, status: RunStatus = RunStatus.FINISHED) -> Report:
    """A run with one cell."""
    run = await begin_run(db, RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT))
    state = State.PUBLISHED if verdict is Verdict.PROVEN else State.ROLLED_BACK
    manifest = Manifest(
        run=run.number,
        cmc_id="620000",
        province="甘肃省",
        dataset="ua_user",
        state=state,
        verdict=verdict,
        counts=Counts(),
        finished_at=AT,
    )
    await write_manifest(db, manifest)
    await finish_run(db, run.number, status, AT + timedelta(hours=1))
    return await gathering.night(db, run.number)


async def told(db: Database, report: Report, alerts: Alerts, limits: Limits = QUICK) -> tuple[Delivery, ...]:
    return await tell(db, report, alerts, folder=Path(), lang="zh", now=AT, limits=limits)


async def test_a_bad_night_is_told_once(store: Database) -> None:
    async with mail_server() as server:
        alerts = mail_alerts(server.port)
        report = await night(store, Verdict.REFUSED)
        first = await told(store, report, alerts)
        second = await told(store, report, alerts)  # a finish that is repeated
    assert [each.fault for each in first] == [None]
    assert second == ()
    assert [each["Subject"] for each in server.messages] == ["[subcmc] 甘肃 ua_user 拒绝"]
    assert (await get_run(store)).alerted_at == AT


async def test_of_many_at_the_same_moment_one_sends(store: Database) -> None:
    async with mail_server() as server:
        report = await night(store, Verdict.REFUSED)
        alerts = mail_alerts(server.port)
        sent = await asyncio.gather(*(told(store, report, alerts) for _ in range(5)))
    assert sorted(map(len, sent)) == [0, 0, 0, 0, 1]
    assert len(server.messages) == 1


async def test_a_stopped_run_is_told_when_it_was_resumed_and_only_then(store: Database) -> None:
    async with mail_server() as server:
        alerts = mail_alerts(server.port)
        stopped = await night(store, Verdict.INCOMPLETE, RunStatus.STOPPED)
        assert await told(store, stopped, alerts) == ()
        number = (await reopen_run(store)).number
        await finish_run(store, number, RunStatus.FINISHED, AT + timedelta(hours=2))
        resumed = await gathering.night(store, number)
        assert len(await told(store, resumed, alerts)) == 1
        assert await told(store, resumed, alerts) == ()
    assert len(server.messages) == 1


async def test_a_clean_night_is_silent_and_a_recovery_is_told(store: Database) -> None:
    async with mail_server() as server:
        alerts = mail_alerts(server.port)
        assert await told(store, await night(store, Verdict.PROVEN), alerts) == ()
        await told(store, await night(store, Verdict.UNREACHABLE), alerts)
        await told(store, await night(store, Verdict.PROVEN), alerts)
        assert await told(store, await night(store, Verdict.PROVEN), alerts) == ()
    subjects = ["[subcmc] 甘肃 ua_user 不可达", "[subcmc] 已恢复：甘肃 ua_user"]
    assert [each["Subject"] for each in server.messages] == subjects


async def test_a_server_that_hangs_costs_a_notice_and_is_not_asked_again(store: Database) -> None:
    async with mail_server({"MAIL": None}) as server:
        alerts = mail_alerts(server.port)
        report = await night(store, Verdict.REFUSED)
        [done] = await told(store, report, alerts, IMPATIENT)
        assert await told(store, report, alerts) == ()
    assert done.fault == "timeout"
    report = await gathering.night(store, report.run.number)
    where = f"127.0.0.1:{server.port}"
    assert report.run.notices == (f"the digest did not reach mail {where}: timeout",)
    assert f"告警未能送达邮件服务器 {where}：超时" in to_text(report)
    assert f"the alert did not reach the mail server {where}: timed out" in to_text(report, lang="en")
    assert report.run.status is RunStatus.FINISHED


async def test_one_channel_that_fails_does_not_cost_the_other(store: Database) -> None:
    async with mail_server() as server:
        alerts = mail_alerts(server.port, webhook_url="http://127.0.0.1:9/", webhook_token_file="nowhere")
        done = await told(store, await night(store, Verdict.REFUSED), alerts)
    assert [(each.channel.split()[0], each.fault) for each in done] == [
        ("webhook", "secret"),
        ("mail", None),
    ]
    assert len(server.messages) == 1


async def test_never_means_never(store: Database) -> None:
    async with mail_server() as server:
        report = await night(store, Verdict.REFUSED)
        assert await told(store, report, mail_alerts(server.port, on="never")) == ()
    assert server.dialogues == 0
    assert (await get_run(store)).alerted_at is None
