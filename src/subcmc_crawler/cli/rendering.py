"""`subcmc report`: one run in the format that is wanted, on standard output or in a file for its owner alone."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from subcmc_crawler import gathering
from subcmc_crawler.cli.common import color, own_file, run_number, settings, store
from subcmc_crawler.config import Settings, read_registry
from subcmc_crawler.errors import BadConfig, NotFound
from subcmc_crawler.report.csvreport import to_csv
from subcmc_crawler.report.detail import Contact
from subcmc_crawler.report.html import to_html
from subcmc_crawler.report.jsonreport import to_json
from subcmc_crawler.report.text import to_text
from subcmc_crawler.store import Database

_BINARY: Final = frozenset({"xlsx"})
"""Formats that no terminal can show, so that they need a file."""

_READ: Final = ("text", "html")
"""Formats that can leave out what is clean."""

_NIGHTS_BACK: Final = 7
"""As in the other formats, so that faults in a row are counted alike."""

_MOST_KEYS: Final = 200
"""Keys of each change of a cell that a workbook lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for: a run, its format, and where it goes (None and `-` are standard output)."""

    run: str | None
    format: str
    output: Path | None = None
    only_problems: bool = False
    lang: str | None = None

    @property
    def file(self) -> Path | None:
        """Where it is written, None for standard output."""
        return None if self.output is None or str(self.output) == "-" else self.output


Render = Callable[[Database, int, Settings, Wanted], Awaitable[bytes]]
"""From a store and the number of a run to the finished file."""


async def report(wanted: Wanted) -> int:
    """The reconciliation report of a run."""
    if wanted.format in _BINARY and wanted.file is None and sys.stdout.isatty():
        raise NotFound(f"--format {wanted.format} makes a file: name it with --output FILE")
    if wanted.only_problems and wanted.format not in _READ:
        raise NotFound(f"--problems is for --format {' and '.join(_READ)}: the others hold every cell")
    chosen = settings(lang=wanted.lang)
    async with store(chosen) as db:
        body = await RENDERINGS[wanted.format](db, await run_number(db, wanted.run), chosen, wanted)
    if wanted.file is None:
        sys.stdout.buffer.write(body)
        sys.stdout.flush()
    else:
        with own_file(wanted.file) as file:
            file.write(body)
    return 0


async def _text(db: Database, number: int, chosen: Settings, wanted: Wanted) -> bytes:
    built = await gathering.night(db, number)
    colored = wanted.file is None and color()
    return to_text(built, lang=chosen.lang, color=colored, only_problems=wanted.only_problems).encode()


async def _json(db: Database, number: int, chosen: Settings, wanted: Wanted) -> bytes:
    del chosen, wanted
    return to_json(await gathering.night(db, number))


async def _csv(db: Database, number: int, chosen: Settings, wanted: Wanted) -> bytes:
    del wanted
    return to_csv(await gathering.night(db, number), chosen.lang)


async def _xlsx(db: Database, number: int, chosen: Settings, wanted: Wanted) -> bytes:
    from subcmc_crawler.report.xlsx import to_xlsx  # noqa: PLC0415 - its library is for this format alone

    del wanted
    found = await gathering.whole_night(db, number, nights_back=_NIGHTS_BACK, most=_MOST_KEYS)
    return to_xlsx(found, chosen.lang)


async def _html(db: Database, number: int, chosen: Settings, wanted: Wanted) -> bytes:
    night = await gathering.whole_night(db, number)
    night = replace(night, contacts=_contacts(chosen))
    return to_html(night, lang=chosen.lang, only_problems=wanted.only_problems)


def _contacts(chosen: Settings) -> Mapping[str, Contact]:
    """Of the registry as it is today; a report of a past night can be made without any registry."""
    try:
        return gathering.contacts(read_registry(chosen.registry))
    except BadConfig:
        return {}


RENDERINGS: Final[Mapping[str, Render]] = {
    "text": _text,
    "json": _json,
    "html": _html,
    "csv": _csv,
    "xlsx": _xlsx,
}
"""Format -> how it is made; the formats are those of `--format`."""
