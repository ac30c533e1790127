"""How old the store is: when a whole run last finished, and which snapshots in force have grown old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from subcmc_crawler.model import Manifest, RunRecord, RunStatus
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import escaped
from subcmc_crawler.report.sentences import local


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What `subcmc status` judges: `last` is the last whole run that finished, `latest` the last run of any kind."""

    last: RunRecord | None
    latest: RunRecord | None
    heads: Sequence[Manifest]
    now: datetime
    max_age: timedelta

    @property
    def age(self) -> timedelta | None:
        """How long ago a whole run has last finished, None when none ever did."""
        finished = self.last.finished_at if self.last else None
        return None if finished is None else self.now - finished

    @property
    def fresh(self) -> bool:
        """Whether a whole run has finished within `max_age`."""
        return self.age is not None and self.age <= self.max_age

    @property
    def stale(self) -> Sequence[tuple[Manifest, timedelta | None]]:
        """Snapshots in force whose walk ended longer ago than `max_age`, each with its age if that is known."""
        ages = [(head, self.now - head.finished_at if head.finished_at else None) for head in self.heads]
        return [(head, age) for head, age in ages if age is None or age > self.max_age]


def to_standing_text(standing: Standing, *, lang: str = DEFAULT_LANG) -> str:
    """Lines for an operator, the age of the last whole run first."""
    words = labels(lang)
    lines = [_first(standing, words)]
    latest = standing.latest
    if latest is not None and latest.status is not RunStatus.FINISHED:
        started = f"{local(latest.started_at):%Y-%m-%d %H:%M}"
        status = words[f"run.{latest.status}"]
        lines.append(words.say("status.latest", number=latest.number, started=started, status=status))
    for head, age in standing.stale:
        name = f"{escaped(head.cmc_id)}/{head.dataset}"
        lines.append(words.say("status.stale", name=name, run=head.run, age=_hours(age, words)))
    return "\n".join(lines) + "\n"


def _first(standing: Standing, words: Labels) -> str:
    last = standing.last
    if last is None or last.finished_at is None:
        return words["status.never"]
    finished = f"{local(last.finished_at):%Y-%m-%d %H:%M}"
    age = _hours(standing.age, words)
    return words.say("status.last", number=last.number, finished=finished, age=age)


def _hours(age: timedelta | None, words: Labels) -> str:
    if age is None:
        return words["text.unknown"]
    return words.say("status.hours", hours=age.total_seconds() / 3600)
