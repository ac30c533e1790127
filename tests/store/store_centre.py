"""Provinces in memory for whole walks over a real MongoDB; they keep what they served."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from store_cases import AT, attempt

from subcmc_crawler.halting import Stop
from subcmc_crawler.model import Attempt, Manifest
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.asking import Asked, Asker, Halted
from subcmc_crawler.province.client import Fetched
from subcmc_crawler.province.registry import Province, parse
from subcmc_crawler.province.settings import DatasetSettings
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.spec.envelope import parse as parse_envelope
from subcmc_crawler.store import Database

Row = dict[str, Any]


class ServedPage(NamedTuple):
    rows: list[Row]
    total: int


Served = dict[int, dict[int, ServedPage]]
"""Pages by pass and page number."""


def province(cmc: str) -> Province:
    text = f"""
        [[province]]
        cmcId = "{cmc}"
        areaCode = "620000"
        name = "甘肃省{cmc}"
        pullAddressList = ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"]
    """
    return parse(text, where="here").provinces[0]


class Watching:
    """An observer that looks away."""

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        pass

    def cell(self, manifest: Manifest) -> None:
        pass


@dataclass
class Behaviour:
    """How a province serves one dataset in one night."""

    page_size: int = 5
    drift: list[list[Row]] = field(default_factory=list)  # the rows from request 2, 4, 6 ... on
    hides: int = 0  # rows that are declared and never served
    fails_at: int | None = None  # the request with this number fails
    fault: Exception | None = None
    for_good: bool = False  # and so does every later one, so that no other address helps
    halts: bool = False  # the run is stopped then
    ignores_page_num: bool = False


class Centre(Asker):
    """A province in memory; keeps what it served, by pass and page."""

    def __init__(self, rows: list[Row], behaviour: Behaviour) -> None:
        self.served: Served = {}
        self.stop = Stop()
        self._rows = rows
        self._behaviour = behaviour
        self._requests = 0
        self._notes: list[Attempt] = []

    @property
    def rested_seconds(self) -> float:
        return 0.0

    def drain_slowest(self) -> float | None:
        return None

    def drain(self) -> list[Attempt]:
        notes, self._notes = self._notes, []
        return notes

    async def page(
        self,
        dataset: Dataset,
        settings: DatasetSettings,
        *,
        address: Address,
        walk_pass: int,
        page_num: int,
        page_size: int,
    ) -> Asked:
        how = self._behaviour
        self._requests += 1
        if how.drift and self._requests % 2 == 0:
            self._rows = how.drift.pop(0)
        over = how.fails_at is not None and self._requests >= how.fails_at
        if over and (how.for_good or self._requests == how.fails_at):
            if how.halts:
                self.stop.ask()
                raise Halted
            assert how.fault is not None
            self._notes.append(attempt(page_num, walk_pass=walk_pass, fault="fault"))
            raise how.fault
        start = 0 if how.ignores_page_num else (page_num - 1) * page_size
        shown = self._rows[: len(self._rows) - how.hides]
        rows = shown[start : start + page_size]
        body = json.dumps({"code": 0, "message": "", "total": len(self._rows), "data": rows}).encode()
        self._notes.append(attempt(page_num, walk_pass=walk_pass))
        pages = self.served.setdefault(walk_pass, {})
        page = ServedPage(deepcopy(rows), len(self._rows))
        pages.setdefault(page_num, page)  # page 1 comes once more, as the closing probe
        return Asked(Fetched(parse_envelope(body), 200, len(body), 1.0), 1, AT)

    def rows_of(self, walk_pass: int) -> list[Row]:
        """The rows of a pass in order, up to a page that is one before it again.

        That is the last page, wherever it comes, and page 1 once all rows that were declared have come.
        """
        first, *others = (page for _, page in sorted(self.served[walk_pass].items()))
        taken, last = list(first.rows), first
        for page in others:
            ended = len(taken) >= last.total
            if page.rows and (_same(page, last) or (ended and _same(page, first))):
                break
            taken += page.rows
            last = page
        return taken


def _same(one: ServedPage, other: ServedPage) -> bool:
    return list(map(content, one.rows)) == list(map(content, other.rows))


def as_json(row: Row) -> str:
    """Equal for equal rows: 1 and 1.0 differ, and the order of the keys, which means nothing, does not."""
    return json.dumps(row, sort_keys=True)


def content(row: Row) -> str:
    return json.dumps({**row, "collectTime": "collectTime" in row}, sort_keys=True)


async def remembered(db: Database, served: Served, run: int, cell: tuple[str, str]) -> Served:
    """What was served in the passes of a broken walk, but for pages that never came into the ledger.

    A pass of which none did is not gone on with: the one before it is, if that had come to its end.
    """
    kept: Served = {}
    for walk_pass, pages in served.items():
        of_pass = {"run": run, "cmcId": cell[0], "dataset": cell[1], "pass": walk_pass, "kind": "page"}
        known = await db["ledger"].count_documents(of_pass)
        if known:
            kept[walk_pass] = dict(sorted(pages.items())[:known])
    return kept
