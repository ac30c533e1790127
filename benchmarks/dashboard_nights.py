"""Many made-up nights of 35 provinces in a database, written by the store's own codec: what benchmarks read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from subcmc_crawler.model import (
    OPEN_END,
    Acceptance,
    Counts,
    Ending,
    Manifest,
    RuleBreak,
    RunRecord,
    RunStatus,
    State,
    Verdict,
)
from subcmc_crawler.simulator.nights import standard_centres
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.codec import pack, to_document
from subcmc_crawler.store.ids import ledger_id, manifest_id, page_entry, version_id

FIRST = datetime(2026, 1, 1, 17, 0, tzinfo=UTC)
CELL = ("620000", "ua_user")
"""The cell that has pages and records, too."""

PAGES, RECORDS = 120, 20_000
_FAULTY = (Verdict.SHORT, Verdict.SHRUNK, Verdict.DRIFTING, Verdict.REFUSED, Verdict.UNREACHABLE)
_RULES = tuple(
    RuleBreak(field=f"field{n}", rule="length", rows=n * 7, samples=("'abc'", "'def'")) for n in range(1, 6)
)
_STATES = {Verdict.REFUSED: State.ROLLED_BACK, Verdict.UNREACHABLE: State.ROLLED_BACK}


def _chance(*words: object) -> float:
    """The same number from 0 to 1 for the same words."""
    digest = hashlib.blake2b(repr(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _verdict(run: int, cmc_id: str, dataset: str) -> Verdict:
    """Most nights are proven; faults last for some nights, and one province is away for good."""
    if cmc_id == "540000":
        return Verdict.UNREACHABLE
    if cmc_id in ("710000", "810000", "820000"):
        return Verdict.UNREGISTERED
    spell = _chance(cmc_id, dataset, run // 4)
    if spell < 0.03:
        return _FAULTY[int(spell / 0.03 * len(_FAULTY))]
    if spell > 0.97:
        return Verdict.REPAIRED if spell > 0.985 else Verdict.DUPLICATED
    return Verdict.PROVEN


def manifest(run: int, cmc_id: str, name: str, dataset: str) -> Manifest:
    """One cell of one night."""
    verdict = _verdict(run, cmc_id, dataset)
    began = FIRST + timedelta(days=run, minutes=_chance(cmc_id) * 150 + list(DATASETS).index(dataset) * 4)
    plain = Manifest(
        run=run, cmc_id=cmc_id, province=name, dataset=dataset, state=State.NONE, verdict=verdict
    )
    if verdict is Verdict.UNREGISTERED:
        return plain
    rows = int(_chance(cmc_id, dataset) * 60_000) + run * 11
    got = 0 if verdict in _STATES else rows - (137 if verdict is Verdict.SHORT else 0)
    state = State.HELD if verdict in _FAULTY[:3] else _STATES.get(verdict, State.PUBLISHED)
    counts = Counts(
        declared=rows if got else None, declared_first=rows if got else None, received=got, distinct=got,
        stored=got if got else None, added=got // 700, changed=got // 90, removed=got // 900,
        unchanged=got - got // 700 - got // 90, flagged=got // 300,
    )  # fmt: skip
    accepted = (
        Acceptance(by="王工", at=began + timedelta(hours=8), reason="省里确认") if run % 40 == 7 else None
    )
    return Manifest(
        run=run, cmc_id=cmc_id, province=name, dataset=dataset, verdict=verdict, counts=counts,
        state=State.PUBLISHED if accepted and state is State.HELD else state,
        accepted=accepted if state is State.HELD else None,
        reason="made up", base=run - 1 if run > 1 else None, passes=1, stored_pass=1 if got else None,
        endings=(Ending.CLEAN,), pages=got // 1000 + 1, attempts=got // 1000 + 2, bytes=got * 700,
        seconds=20 + rows / 300, address="192.168.1.23:8080/gansu1", page_size=1000,
        digest=hashlib.blake2b(repr((run, cmc_id, dataset)).encode(), digest_size=16).hexdigest(),
        collect_time_min=1_772_640_000_000, collect_time_max=1_772_668_800_000,
        rules=_RULES,
        drift={"extra": got}, deviations={"key-spaces:message": 12}, faults={"http-503": 2, "timeout": 1},
        started_at=began, finished_at=began + timedelta(seconds=20 + rows / 300),
    )  # fmt: skip


async def fill(db: Database, nights: int, *, running: bool = False) -> None:
    """So many nights, and with `running` one more that is under way."""
    provinces = [(centre.cmc_id, centre.name) for centre in standard_centres(scale=0.001)]
    for run in range(1, nights + 1):
        cells = [manifest(run, cmc_id, name, code) for cmc_id, name in provinces for code in DATASETS]
        await _write(db, run, cells, RunStatus.FINISHED)
    if running:
        cells = [
            manifest(nights + 1, cmc_id, name, code) for cmc_id, name in provinces[:12] for code in DATASETS
        ]
        await _write(db, nights + 1, cells, RunStatus.RUNNING)
    await db["ledger"].insert_many(list(_ledger(nights)))
    await db[CELL[1]].insert_many(list(_versions(nights)))


async def _write(db: Database, run: int, cells: Sequence[Manifest], status: RunStatus) -> None:
    began = FIRST + timedelta(days=run)
    summary: dict[str, int] = {}
    for cell in cells:
        summary[str(cell.verdict)] = summary.get(str(cell.verdict), 0) + 1
    ended = status is RunStatus.FINISHED
    record = RunRecord(
        number=run, status=status, started_at=began, finished_at=began + timedelta(hours=4) if ended else None,
        summary=summary if ended else {}, registry="provinces.toml", version="0.1.0",
    )  # fmt: skip
    document = to_document(record)
    await db["runs"].insert_one({"_id": document.pop("number"), **document})
    identified = [
        {**to_document(cell), "_id": manifest_id(run, cell.cmc_id, cell.dataset), "fence": run}
        for cell in cells
    ]
    await db["snapshots"].insert_many(identified)


def _ledger(run: int) -> Iterator[dict[str, Any]]:
    """The pages of the last night of one cell, each after its request; one of them came at the third try."""
    common = {
        "run": run,
        "cmcId": CELL[0],
        "dataset": CELL[1],
        "pass": 1,
        "address": "192.168.1.23:8080/gansu1",
    }
    began, sequence = FIRST + timedelta(days=run), 0
    for ordinal in range(PAGES):
        tries = 3 if ordinal == 40 else 1
        for number in range(1, tries + 1):
            sequence += 1
            good = number == tries
            yield {
                **common, "_id": ledger_id(run, *CELL, 1, f"a{sequence:06d}"), "kind": "attempt",
                "pageNum": ordinal + 1, "pageSize": 1000, "number": number, "status": 200 if good else 503,
                "fault": None if good else "http-503", "detail": "" if good else "Service Unavailable",
                "bytes": 700_000, "milliseconds": 180.0, "at": began, "restSeconds": 0.0 if good else 600.0,
            }  # fmt: skip
        yield {
            **common, "_id": ledger_id(run, *CELL, 1, page_entry(ordinal)), "kind": "page", "ordinal": ordinal,
            "pageNum": ordinal + 1, "pageSize": 1000, "bytes": 700_000, "milliseconds": 150.0 + ordinal % 70,
            "tries": tries, "at": began, "rows": 1000, "declared": PAGES * 1000, "deviations": [],
            "content": b"0123456789abcdef", "keys": pack([f"u{n}" for n in range(1000)]), "times": pack([1]),
        }  # fmt: skip


def _versions(nights: int) -> Iterator[dict[str, Any]]:
    """Records of one cell; one in twenty changes every tenth night."""
    for number in range(RECORDS):
        key = f"u{number:06d}"
        starts = [1, *range(10, nights, 10)] if number % 20 == 0 else [1]
        for start, end in zip(starts, [*starts[1:], OPEN_END], strict=True):
            record = {
                "cmcId": CELL[0], "userId": key, "name": "张三丰", "mobile": "13800138000",
                "policeNo": f"{number:06d}", "orgId": "620100000000", "duty": f"第{start}任",
                "collectTime": 1_772_640_000_000,
            }  # fmt: skip
            content = hashlib.blake2b(repr(record).encode(), digest_size=16).digest()
            yield {
                "_id": version_id(CELL[0], start, key), "cmcId": CELL[0], "key": key, "from": start, "to": end,
                "hash": content, "flags": [], "record": record,
            }  # fmt: skip
