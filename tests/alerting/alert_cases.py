"""What the tests of the channels share: certificates, secrets in files, and a digest."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import trustme

from subcmc_crawler.alerting import Limits
from subcmc_crawler.province.settings import Alerts
from subcmc_crawler.report.alert import Digest

TOKEN, PASSWORD = "t0ken-s3cret-1", "passw0rd-s3cret-2"
DIGEST = Digest(
    subject="[subcmc] 甘肃 ua_user 缺失 12 行",
    text="第 12 批次\n.\n一行只有一个点，另一行很长：" + "很长" * 600 + "\n",
    document={"kind": "night"},
)


async def at_once(seconds: float) -> None:
    """Time that passes by itself."""


QUICK = Limits(try_seconds=20, pause_seconds=0, sleep=at_once)
IMPATIENT = Limits(try_seconds=0.2, pause_seconds=0, sleep=at_once)


def secrets_in(folder: Path) -> None:
    (folder / "token").write_text(f"{TOKEN}\n", "utf-8")
    (folder / "password").write_text(f"{PASSWORD}\n", "utf-8")


def server_tls(folder: Path, *names: str) -> ssl.SSLContext:
    """A context for a server of these names; `ca.pem` in the folder trusts it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


def mail_alerts(port: int, **more: Any) -> Alerts:
    plain: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "sender": "subcmc@example.gov.cn",
        "recipients": ["duty@example.gov.cn", "chief@example.gov.cn"],
    }
    return Alerts.model_validate({**plain, **more})
