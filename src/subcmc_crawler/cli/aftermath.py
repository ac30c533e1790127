"""What a crawl leaves when it has ended: its report, its metrics file, its digest."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from subcmc_crawler import gathering, surveying
from subcmc_crawler.alerting import Delivery, tell, unusable
from subcmc_crawler.cli.common import color, say
from subcmc_crawler.config import Settings
from subcmc_crawler.errors import BadConfig
from subcmc_crawler.model import RunRecord
from subcmc_crawler.province.registry import Registry
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.metrics import Facts, to_metrics
from subcmc_crawler.report.night import Report
from subcmc_crawler.report.reasons import notice_sentence
from subcmc_crawler.report.text import to_text
from subcmc_crawler.store import Database

_LOG = logging.getLogger("subcmc")

_READABLE = 0o644
"""The collector that reads a metrics file is another user; there is nothing personal in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """The end of one crawl; what fails here is told in a line and changes no exit code."""

    chosen: Settings
    centres: Registry

    @property
    def _folder(self) -> Path:
        return self.chosen.registry.resolve().parent

    def check(self) -> None:
        """Looks beforehand: BadConfig for a metrics file that can never be written, a warning for a channel."""
        file = self.chosen.metrics_file
        if file is not None:
            to_metrics(None, Facts())
            if not file.absolute().parent.is_dir():
                raise BadConfig(f"{file}: the directory of the metrics file does not exist")
        if self.centres.alerts is not None:
            _warn(unusable(self.centres.alerts, folder=self._folder), self.chosen.lang)

    async def of_run(self, db: Database, run: RunRecord, exit_code: int) -> None:
        """Prints the report of a run that came to an end, writes its metrics, tells who is on duty."""
        order = [province.cmc_id for province in self.centres.provinces]
        report = await gathering.night(db, run.number, order=order)
        say(to_text(report, lang=self.chosen.lang, color=color(), only_problems=True))
        if self.chosen.metrics_file is not None:
            self._write(await surveying.metrics(db), exit_code)
        await self._tell(db, report)

    def of_failure(self, exit_code: int) -> None:
        """Writes the metrics of a crawl that could not even report, without any of its run."""
        if self.chosen.metrics_file is not None:
            self._write(to_metrics(None, Facts()), exit_code)

    async def _tell(self, db: Database, report: Report) -> None:
        if self.centres.alerts is None:
            return
        deliveries = await tell(
            db,
            report,
            self.centres.alerts,
            folder=self._folder,
            lang=self.chosen.lang,
            now=datetime.now(UTC),
        )
        _warn(deliveries, self.chosen.lang)

    def _write(self, night: bytes, exit_code: int) -> None:
        """The file, whole or not at all: a collector may read at any moment."""
        file = self.chosen.metrics_file or Path()
        try:
            write_whole(file, night + _ended(exit_code))
        except OSError as error:
            fault = error.strerror or type(error).__name__
            _LOG.warning("%s", labels(self.chosen.lang).say("crawl.metrics_failed", file=file, fault=fault))


def write_whole(file: Path, content: bytes) -> None:
    """Writes beside the file, then renames: a reader sees the old content or the new. OSError if it cannot be."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")  # a collector reads *.prom alone
    try:
        beside.write_bytes(content)
        beside.chmod(_READABLE)
        beside.replace(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()


def _ended(exit_code: int) -> bytes:
    at = datetime.now(UTC).timestamp()
    return (
        "# HELP subcmc_crawl_exit_code Exit code of the last crawl that ended\n"
        "# TYPE subcmc_crawl_exit_code gauge\n"
        f"subcmc_crawl_exit_code {exit_code}\n"
        "# HELP subcmc_crawl_ended_timestamp_seconds When it ended, Unix time\n"
        "# TYPE subcmc_crawl_ended_timestamp_seconds gauge\n"
        f"subcmc_crawl_ended_timestamp_seconds {at:.3f}\n"
    ).encode()


def _warn(deliveries: Iterable[Delivery], lang: str) -> None:
    words = labels(lang)
    for each in deliveries:
        if each.fault:
            _LOG.warning("%s", notice_sentence(each.notice, words))
