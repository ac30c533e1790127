"""`subcmc check` and `subcmc census`: what provinces answer, without a store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from subcmc_crawler.census import most_requests as most_of_census
from subcmc_crawler.census import take_census
from subcmc_crawler.checking import check_province
from subcmc_crawler.cli.common import color, note, own_file, settings
from subcmc_crawler.config import Settings, read_registry
from subcmc_crawler.conformance.checks import Scorecard
from subcmc_crawler.conformance.planning import most_requests
from subcmc_crawler.province.registry import Province, Registry
from subcmc_crawler.report import scorecard
from subcmc_crawler.report.census import Census, to_census_csv, to_census_json, to_census_text
from subcmc_crawler.report.json_check import to_check_json
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.text_check import to_check_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a check or a census is wanted; no file and `-` are standard output."""

    format: str = "text"
    output: Path | None = None
    registry: Path | None = None
    lang: str | None = None

    def settings(self) -> Settings:
        """The settings of this process."""
        return settings(registry=self.registry, lang=self.lang)

    def write(self, body: bytes) -> None:
        """The finished text, into a file of its owner alone or on standard output."""
        if self.output is None or str(self.output) == "-":
            sys.stdout.buffer.write(body)
            sys.stdout.flush()
        else:
            with own_file(self.output) as file:
                file.write(body)


async def check(asked: Asked, name: str) -> int:
    """Checks one province: 0 when nothing fails, else 1."""
    chosen = asked.settings()
    centres = read_registry(chosen.registry)
    province = centres.province(name)
    words = labels(chosen.lang)
    note(scorecard.beforehand(province, most_requests(province), words))
    card = await check_province(province, _folder(chosen), now=partial(datetime.now, centres.timezone))
    asked.write(CHECK_FORMATS[asked.format](card, chosen.lang, asked.output is None and color()))
    return 1 if card.failed else 0


async def census(asked: Asked, names: Sequence[str]) -> int:
    """What provinces declare: 0 when all of them answered, else 1."""
    chosen = asked.settings()
    centres = read_registry(chosen.registry)
    provinces = _selected(centres, names)
    words = labels(chosen.lang)
    note(words.say("census.begins", provinces=len(provinces), most=most_of_census(provinces)))
    counts = await take_census(provinces, _folder(chosen), max_provinces=centres.run.max_provinces)
    found = Census(at=datetime.now(centres.timezone), counts=counts)
    asked.write(CENSUS_FORMATS[asked.format](found, chosen.lang))
    return 1 if found.failed else 0


def _selected(centres: Registry, names: Sequence[str]) -> Sequence[Province]:
    if not names:
        return centres.provinces
    wanted = {centres.province(name).cmc_id for name in names}
    return [each for each in centres.provinces if each.cmc_id in wanted]


def _folder(chosen: Settings) -> Path:
    return chosen.registry.resolve().parent


def _text(card: Scorecard, lang: str, colored: bool) -> bytes:
    return to_check_text(card, lang=lang, color=colored).encode()


def _json(card: Scorecard, lang: str, colored: bool) -> bytes:
    del lang, colored
    return to_check_json(card)


def _html(card: Scorecard, lang: str, colored: bool) -> bytes:
    from subcmc_crawler.report.html.checks import to_check_html  # noqa: PLC0415 - its library is for this alone

    del colored
    return to_check_html(card, lang=lang)


CHECK_FORMATS: Final[Mapping[str, Callable[[Scorecard, str, bool], bytes]]] = {
    "text": _text,
    "json": _json,
    "html": _html,
}
CENSUS_FORMATS: Final[Mapping[str, Callable[[Census, str], bytes]]] = {
    "text": lambda found, lang: to_census_text(found, lang=lang).encode(),
    "csv": lambda found, lang: to_census_csv(found, lang=lang),
    "json": lambda found, lang: to_census_json(found),
}
"""Format -> how it is made; the formats are those of `--format`."""
