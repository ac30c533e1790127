from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from alert_cases import DIGEST, IMPATIENT, PASSWORD, QUICK, mail_alerts, secrets_in, server_tls
from mail_server import mail_server

from patience import Patience
from subcmc_crawler.alerting import Delivery, deliver, unusable


async def test_a_mail_arrives_whole_and_once(tmp_path: Path) -> None:
    async with mail_server() as server:
        sent = await deliver(DIGEST, mail_alerts(server.port), folder=tmp_path, limits=QUICK)
    assert sent == (Delivery(channel=f"mail 127.0.0.1:{server.port}"),)
    [message] = server.messages
    assert message["Subject"] == DIGEST.subject
    assert message["From"] == "subcmc@example.gov.cn"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == DIGEST.text
    assert server.recipients == ["duty@example.gov.cn", "chief@example.gov.cn"]
    assert server.secrets == []


async def test_a_password_goes_only_after_starttls(tmp_path: Path) -> None:
    secrets_in(tmp_path)
    tls = server_tls(tmp_path, "127.0.0.1")
    async with mail_server(tls=tls) as server:
        alerts = mail_alerts(
            server.port,
            smtp_security="starttls",
            smtp_user="subcmc",
            smtp_password_file="password",
            ca_file="ca.pem",
        )
        assert [each.fault for each in await deliver(DIGEST, alerts, folder=tmp_path, limits=QUICK)] == [None]
    assert server.encrypted
    assert server.secrets == [f"\0subcmc\0{PASSWORD}"]
    assert server.verbs.index("STARTTLS") < server.verbs.index("AUTH")


async def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, "127.0.0.1")
    async with mail_server(at_once=tls) as server:
        alerts = mail_alerts(server.port, smtp_security="tls", ca_file="ca.pem")
        assert [each.fault for each in await deliver(DIGEST, alerts, folder=tmp_path, limits=QUICK)] == [None]
    assert len(server.messages) == 1


async def test_a_certificate_of_another_name_gets_no_mail(tmp_path: Path) -> None:
    tls = server_tls(tmp_path, "mail.example")
    async with mail_server(tls=tls) as server:
        alerts = mail_alerts(server.port, smtp_security="starttls", ca_file="ca.pem")
        [done] = await deliver(DIGEST, alerts, folder=tmp_path, limits=QUICK)
    assert done.fault == "tls"
    assert server.messages == []


async def test_a_server_without_starttls_gets_no_mail(tmp_path: Path) -> None:
    async with mail_server() as server:
        [done] = await deliver(
            DIGEST, mail_alerts(server.port, smtp_security="starttls"), folder=tmp_path, limits=QUICK
        )
    assert (done.fault, server.dialogues, server.messages) == ("no-starttls", 1, [])


@pytest.mark.parametrize(
    ("row", "answers", "fault", "tries"),
    [
        (2, {"": "421 too busy"}, "smtp-421", 2),
        (2, {"MAIL": "451 try later"}, "smtp-451", 2),
        (2, {"RCPT": "450 try later"}, "refused-recipients", 2),
        (2, {".": "452 no room"}, "smtp-452", 2),
        (3, {"RCPT": "550 nobody"}, "refused-recipients", 1),
        (3, {"MAIL": "553 not you"}, "smtp-553", 1),
        (3, {".": "554 spam"}, "smtp-554", 1),
    ],
)
async def test_an_answer_that_says_no(
    tmp_path: Path, row: int, answers: Mapping[str, str], fault: str, tries: int
) -> None:
    async with mail_server(answers) as server:
        [done] = await deliver(DIGEST, mail_alerts(server.port), folder=tmp_path, limits=QUICK)
    assert (done.fault, server.dialogues) == (fault, tries), row


@pytest.mark.parametrize(
    ("row", "verb", "tries"), [(1, "", 2), (1, "EHLO", 2), (4, "MAIL", 1), (4, "DATA", 1), (4, ".", 1)]
)
async def test_silence_ends_and_is_not_asked_twice_once_the_mail_may_have_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: int, verb: str, tries: int
) -> None:
    patience = Patience(monkeypatch, QUICK.try_seconds)
    async with mail_server({verb: None}, on_silence=patience.ends) as server:
        [done] = await deliver(DIGEST, mail_alerts(server.port), folder=tmp_path, limits=QUICK)
    assert (done.fault, server.dialogues) == ("timeout", tries), row


@pytest.mark.parametrize("verb", ["", "EHLO"])
async def test_silence_is_a_timeout_whichever_clock_rings_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    async def patient(work: asyncio.Future[None], _seconds: float) -> None:
        await work

    monkeypatch.setattr(asyncio, "wait_for", patient)
    async with mail_server({verb: None}) as server:
        [done] = await deliver(DIGEST, mail_alerts(server.port), folder=tmp_path, limits=IMPATIENT)
    assert (done.fault, server.dialogues) == ("timeout", 2)


async def test_silence_after_the_mail_was_taken_changes_nothing(tmp_path: Path) -> None:
    async with mail_server({"QUIT": "421 gone"}) as server:
        [done] = await deliver(DIGEST, mail_alerts(server.port), folder=tmp_path, limits=QUICK)
    assert (done.fault, len(server.messages)) == (None, 1)


async def test_nobody_there(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets this port
        alerts = mail_alerts(nobody.getsockname()[1])
        [done] = await deliver(DIGEST, alerts, folder=tmp_path, limits=QUICK)
    assert done.fault == "connect"


async def test_a_second_try_carries_the_same_message_id(tmp_path: Path) -> None:
    async with mail_server({".": "451 once more"}) as server:
        await deliver(DIGEST, mail_alerts(server.port), folder=tmp_path, limits=QUICK)
    first, second = server.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@example.gov.cn>")


async def test_a_password_is_nowhere_but_on_the_wire(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secrets_in(tmp_path)
    caplog.set_level(logging.DEBUG)
    tls = server_tls(tmp_path, "127.0.0.1")
    async with mail_server({"AUTH": f"535 wrong: {PASSWORD}"}, tls=tls) as server:
        alerts = mail_alerts(
            server.port,
            smtp_security="starttls",
            smtp_user="subcmc",
            smtp_password_file="password",
            ca_file="ca.pem",
        )
        [done] = await deliver(DIGEST, alerts, folder=tmp_path, limits=QUICK)
    assert done.fault == "smtp-535"
    assert server.dialogues == 1  # a second wrong password may lock the account
    assert PASSWORD not in caplog.text + repr(alerts) + repr(done) + done.notice


def test_a_password_that_cannot_be_read_is_told_beforehand(tmp_path: Path) -> None:
    alerts = mail_alerts(
        25, smtp_security="starttls", smtp_user="subcmc", smtp_password_file="nowhere", ca_file=None
    )
    assert unusable(alerts, folder=tmp_path) == (Delivery(channel="mail 127.0.0.1:25", fault="secret"),)
    (tmp_path / "nowhere").write_text("x", "utf-8")
    assert unusable(alerts, folder=tmp_path) == ()
