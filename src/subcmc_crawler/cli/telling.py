"""`subcmc status` and `subcmc alert`: how old the store is, and telling whoever is on duty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from subcmc_crawler import gathering
from subcmc_crawler.alerting import deliver
from subcmc_crawler.cli.common import note, run_number, say, settings, store
from subcmc_crawler.config import Settings, read_registry
from subcmc_crawler.errors import BadConfig
from subcmc_crawler.province.settings import Alerts
from subcmc_crawler.report.alert import Digest, night_digest, stale_digest, trial_digest
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.reasons import notice_sentence
from subcmc_crawler.report.standing import Standing, to_standing_text
from subcmc_crawler.store import Database
from subcmc_crawler.store import runs as nights


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Where the channels are registered, and how the digest is wanted."""

    registry: Path | None = None
    lang: str | None = None
    json: bool = False

    def settings(self) -> Settings:
        """The settings of this process."""
        return settings(registry=self.registry, lang=self.lang)


async def status(telling: Telling, max_age: timedelta, *, alert: bool) -> int:
    """Whether a whole run has finished lately: 0 when one has, 1 when none has; `alert` sends a digest then."""
    chosen = telling.settings()
    alerts = _registered(chosen) if alert else None
    async with store(chosen) as db:
        standing = await _standing(db, max_age)
    say(to_standing_text(standing, lang=chosen.lang))
    if alerts is not None:
        lang = telling.lang or alerts.lang or chosen.lang
        digest = stale_digest(standing, lang=lang, dashboard_url=alerts.dashboard_url)
        if digest is not None:
            await _send(digest, alerts, chosen)
    return 0 if standing.fresh else 1


async def alert(telling: Telling, run: str | None, *, dry_run: bool) -> int:
    """Sends the digest of a run again, or prints it; 1 when a channel did not take it."""
    chosen = telling.settings()
    alerts = read_registry(chosen.registry).alerts if dry_run else _registered(chosen)
    async with store(chosen) as db:
        number = await run_number(db, run)
        report = await gathering.night(db, number)
        digest = night_digest(
            report,
            lang=telling.lang or (alerts and alerts.lang) or chosen.lang,
            dashboard_url=alerts.dashboard_url if alerts else None,
        )
        if digest is not None and not dry_run:
            await nights.claim_alert(db, number, datetime.now(UTC))
    if digest is None:
        note(labels(chosen.lang).say("alert.none", number=number))
        return 0
    return _print(digest, telling) if alerts is None or dry_run else await _send(digest, alerts, chosen)


async def trial(telling: Telling, *, dry_run: bool) -> int:
    """Sends a digest that is about no run, to try the channels; 1 when one of them did not take it."""
    chosen = telling.settings()
    alerts = _registered(chosen)
    digest = trial_digest(lang=telling.lang or alerts.lang or chosen.lang, dashboard_url=alerts.dashboard_url)
    return _print(digest, telling) if dry_run else await _send(digest, alerts, chosen)


async def _standing(db: Database, max_age: timedelta) -> Standing:
    latest = await nights.list_runs(db, 1)
    return Standing(
        last=await nights.last_whole_run(db),
        latest=latest[0] if latest else None,
        heads=await nights.heads(db),
        now=datetime.now(UTC),
        max_age=max_age,
    )


def _registered(chosen: Settings) -> Alerts:
    alerts = read_registry(chosen.registry).alerts
    if alerts is None:
        raise BadConfig(
            f"{chosen.registry}: there is no [alerts]; add it with webhook_url, smtp_host or both"
        )
    return alerts


def _print(digest: Digest, telling: Telling) -> int:
    say(digest.payload().decode() if telling.json else f"{digest.subject}\n\n{digest.text}")
    return 0


async def _send(digest: Digest, alerts: Alerts, chosen: Settings) -> int:
    words = labels(chosen.lang)
    deliveries = await deliver(digest, alerts, folder=chosen.registry.resolve().parent)
    for each in deliveries:
        kind, _, where = each.channel.partition(" ")
        sent = words.say("alert.sent", name=words[f"alert.{kind}"], where=where)
        note(notice_sentence(each.notice, words) if each.fault else sent)
    return 1 if any(each.fault for each in deliveries) else 0
