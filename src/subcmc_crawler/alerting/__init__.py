"""Sends digests to a webhook and by mail. A channel that fails costs a line and a notice, never a night.

A run's digest is claimed in its record before it is sent, so it is sent at most once: after a crash between the two
nobody is told, and `subcmc status` still finds what is wrong, while a second digest of one night would teach people
not to read them. For the same reason a try is repeated, once, only where nothing can have arrived:

    #  what came of a try                                           once more
    1  no connection, or the mail server ended before the           yes
       message began to leave: name, port, TLS
    2  an answer that may be another one soon: HTTP 408, 429,       yes
       5xx, SMTP 4xx
    3  any other answer but success; a redirect, a password         no
       that is wrong, a recipient that is refused
    4  nothing in time, or the connection broke, once the           no
       message had begun to leave: it may have arrived
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from subcmc_crawler.alerting.channel import Channel, Limits, Undelivered
from subcmc_crawler.alerting.mail import Mail
from subcmc_crawler.alerting.webhook import Webhook
from subcmc_crawler.province.settings import Alerts
from subcmc_crawler.report.alert import Digest, night_digest, worth
from subcmc_crawler.report.night import Report
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import add_notices, claim_alert

__all__ = ["Delivery", "Limits", "deliver", "tell", "unusable"]

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a digest on one channel: `fault` is a kind of `fault.*`, None when it was taken."""

    channel: str
    fault: str | None = None

    @property
    def notice(self) -> str:
        """The line that reports repeat of a failed one; `report.reasons` has its words."""
        return f"the digest did not reach {self.channel}: {self.fault}"


async def tell(
    db: Database,
    report: Report,
    alerts: Alerts,
    *,
    folder: Path,
    lang: str,
    now: datetime,
    limits: Limits | None = None,
) -> tuple[Delivery, ...]:
    """Sends the digest of a run that has just ended, if it is worth one and nobody did so before.

    What failed becomes a notice of the run. Empty when nothing was sent.
    """
    if not worth(report, alerts.on):
        return ()
    digest = night_digest(report, lang=alerts.lang or lang, dashboard_url=alerts.dashboard_url)
    if digest is None or not await claim_alert(db, report.run.number, now):
        return ()
    deliveries = await deliver(digest, alerts, folder=folder, limits=limits)
    failed = [each.notice for each in deliveries if each.fault]
    if failed:
        await add_notices(db, report.run.number, failed)
    return deliveries


async def deliver(
    digest: Digest, alerts: Alerts, *, folder: Path, limits: Limits | None = None
) -> tuple[Delivery, ...]:
    """Sends a digest on every channel at once; files are relative to `folder`. Raises nothing of a channel's."""
    limits = limits or Limits()
    sent = (_sent(channel, digest, limits) for channel in _channels(alerts, folder))
    return tuple(await asyncio.gather(*sent))


def unusable(alerts: Alerts, *, folder: Path) -> tuple[Delivery, ...]:
    """The channels whose secrets or certificates cannot be read, before anything is sent."""
    found = []
    for channel in _channels(alerts, folder):
        try:
            channel.check()
        except Undelivered as undelivered:
            found.append(Delivery(channel=channel.name, fault=undelivered.fault))
    return tuple(found)


def _channels(alerts: Alerts, folder: Path) -> Iterable[Channel]:
    if alerts.webhook_url:
        yield Webhook(alerts, folder)
    if alerts.smtp_host:
        yield Mail(alerts, folder)


async def _sent(channel: Channel, digest: Digest, limits: Limits) -> Delivery:
    try:
        channel.check()
        await _twice_at_most(channel, digest, limits)
    except Undelivered as undelivered:
        return Delivery(channel=channel.name, fault=undelivered.fault)
    except Exception:  # a defect of ours on the way to a mailbox must not cost the exit code of a night
        _LOG.exception("%s: this program failed to send", channel.name)
        return Delivery(channel=channel.name, fault="internal")
    return Delivery(channel=channel.name)


async def _twice_at_most(channel: Channel, digest: Digest, limits: Limits) -> None:
    try:
        await channel.send(digest, limits.try_seconds)
    except Undelivered as undelivered:
        if not undelivered.again:
            raise
        await limits.sleep(limits.pause_seconds)
        await channel.send(digest, limits.try_seconds)
