"""What provinces declare, as a table of provinces and datasets: text, CSV and JSON (`subcmc.census/1`)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import groupby
from typing import Final

import orjson

from subcmc_crawler.model import DeclaredCount
from subcmc_crawler.report.csvreport import inert
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import compact, escaped, fit, pad, shown, width_of, wrap
from subcmc_crawler.report.reasons import fault_sentence
from subcmc_crawler.report.sentences import clock, listed, local, short_name
from subcmc_crawler.spec.datasets import DATASETS

SCHEMA: Final = "subcmc.census/1"

_ROOM: Final = 8  # cells of a number
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """All counts, in the order of provinces and datasets, and when they were taken."""

    at: datetime
    counts: Sequence[DeclaredCount]

    @property
    def failed(self) -> bool:
        """Whether a number is missing."""
        return any(each.failed for each in self.counts)

    @property
    def provinces(self) -> Mapping[str, Mapping[str, DeclaredCount]]:
        """The counts by cmcId, then by dataset."""
        found: dict[str, dict[str, DeclaredCount]] = {}
        for each in self.counts:
            found.setdefault(each.cmc_id, {})[each.dataset] = each
        return found


def to_census_text(census: Census, *, lang: str = DEFAULT_LANG, width: int = 100) -> str:
    """The table in lines of at most `width` cells, then why numbers are missing."""
    words = labels(lang)
    provinces = census.provinces
    names = {cmc_id: escaped(_name(row)) for cmc_id, row in provinces.items()}
    room = width - (_ROOM + 1) * (len(DATASETS) + 1)
    heads = [words["census.province"], *(words[f"column.{code}"] for code in DATASETS), words["census.sum"]]
    rows = [
        [names[cmc_id], *(_cell(row.get(code), words) for code in DATASETS), _number(_sum(row.values()))]
        for cmc_id, row in provinces.items()
    ]
    sums = [_number(_sum(each for each in census.counts if each.dataset == code)) for code in DATASETS]
    rows.append([words["census.sum"], *sums, _number(_sum(census.counts))])
    first = min(room, max(width_of(row[0]) for row in [heads, *rows]))
    lines = [*wrap(words.say("census.title", at=clock(census.at, words)), width)]
    lines += [*wrap(_told(census, words), width), ""]
    lines += [_line(row, first) for row in [heads, *rows]]
    failed = list(_failed(census, words, width))
    if failed:
        lines += ["", words["census.failed"], *failed, *wrap(words["census.partial"], width)]
    return "\n".join(lines) + "\n"


def to_census_csv(census: Census, *, lang: str = DEFAULT_LANG) -> bytes:
    """One line a province, then the sums; UTF-8 with BOM, safe in spreadsheets. Faults stand where numbers lack."""
    words = labels(lang)
    titles = [each.title if lang == "zh" else each.title_en for each in DATASETS.values()]
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([words["census.province"], "cmcId", *titles, words["census.sum"]])
    for cmc_id, row in census.provinces.items():
        told = [_field(row.get(code), words) for code in DATASETS]
        name = next(iter(row.values())).province
        writer.writerow([inert(escaped(name)), inert(escaped(cmc_id)), *told, _sum(row.values())])
    sums = [_sum(each for each in census.counts if each.dataset == code) for code in DATASETS]
    writer.writerow([words["census.sum"], "", *sums, _sum(census.counts)])
    return text.getvalue().encode("utf-8-sig")


def to_census_json(census: Census) -> bytes:
    """The contract for programs; fields are only ever added within schema 1."""
    document = {
        "schema": SCHEMA,
        "at": local(census.at).isoformat(timespec="milliseconds"),
        "provinces": [
            {
                "cmcId": escaped(cmc_id),
                "province": escaped(next(iter(row.values())).province),
                "datasets": {code: _document(each) for code, each in row.items()},
                "sum": _sum(row.values()),
            }
            for cmc_id, row in census.provinces.items()
        ],
        "sums": {code: _sum(each for each in census.counts if each.dataset == code) for code in DATASETS},
        "sum": _sum(census.counts),
        "failed": sum(each.failed for each in census.counts),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _document(each: DeclaredCount) -> dict[str, object]:
    return {
        "registered": each.registered,
        "declared": each.declared,
        "fault": escaped(each.fault) or None,
        "detail": shown(each.detail) or None,
    }


def _told(census: Census, words: Labels) -> str:
    return words.say(
        "census.told",
        provinces=len(census.provinces),
        cells=len(census.counts),
        declared=sum(each.declared is not None for each in census.counts),
        failed=sum(each.failed for each in census.counts),
        off=sum(not each.registered for each in census.counts),
    )


def _name(row: Mapping[str, DeclaredCount]) -> str:
    return short_name(next(iter(row.values())).province)


def _sum(counts: Iterable[DeclaredCount]) -> int:
    return sum(each.declared or 0 for each in counts)


def _cell(each: DeclaredCount | None, words: Labels) -> str:
    if each is None or not each.registered:
        return words["census.off"]
    if each.declared is not None:
        return _number(each.declared)
    return words["census.fault" if each.fault else "census.undeclared"]


def _number(number: int) -> str:
    """With commas where there is room, else without, else in its largest unit."""
    return next((text for text in (f"{number:,}", str(number)) if len(text) <= _ROOM), compact(number))


def _line(row: Sequence[str], first: int) -> str:
    return (pad(row[0], first) + "".join(" " + pad(cell, _ROOM, "right") for cell in row[1:])).rstrip()


def _failed(census: Census, words: Labels, width: int) -> Iterable[str]:
    """Why numbers are missing: the datasets of a province that failed alike in one line."""
    failed = (each for each in census.counts if each.failed)
    for (cmc_id, fault), group in groupby(failed, key=lambda each: (each.cmc_id, _fault(each, words))):
        alike = list(group)
        text = words.say(
            "census.entry",
            province=escaped(alike[0].province),
            cmc_id=escaped(cmc_id),
            names=listed((words[f"column.{each.dataset}"] for each in alike), words),
            fault=fault,
        )
        yield from wrap(text, width, indent="  ", hanging="    ")


def _fault(each: DeclaredCount, words: Labels) -> str:
    if not each.fault:
        return words["census.no_total"]
    return fit(shown(fault_sentence(each.fault, each.detail, words)), _LONGEST)


def _field(each: DeclaredCount | None, words: Labels) -> str | int:
    if each is None or not each.registered:
        return ""
    return inert(_fault(each, words)) if each.declared is None else each.declared
