"""The pages with a form: a record's history, and what changed between two nights."""

from __future__ import annotations

from collections import Counter

from subcmc_crawler import surveying
from subcmc_crawler.dashboard.parameters import Unknown, Unusable, cmc_id_of, dataset_of, key_of, run_of
from subcmc_crawler.dashboard.visit import Page, Visit
from subcmc_crawler.errors import NotFound
from subcmc_crawler.model import RunStatus
from subcmc_crawler.spec.fields import FIELDS
from subcmc_crawler.spec.personal import mask_key
from subcmc_crawler.store import Database
from subcmc_crawler.store import runs as stored
from subcmc_crawler.store import watching as looking
from subcmc_crawler.surveying import RecordVersion, Scope


async def record_page(visit: Visit) -> Page:
    """Every version of one record, masked; without a key the form alone."""
    cell, key = visit.query.get("cell", ""), key_of(visit.query.get("key", ""))
    cmc_id, dataset = _cell(cell) if cell else ("", "")
    values = {
        "provinces": await looking.known_provinces(visit.db),
        "cmc_id": cmc_id,
        "dataset": dataset,
        "key": key,
    }
    if not cell or not key.strip():
        return Page(template="record.html", here="record", values={**values, "versions": None})
    try:
        versions = await _versions(visit.db, dataset, cmc_id, key)
    except NotFound:
        return Page(template="record.html", here="record", status=404, values={**values, "versions": []})
    titles = {field.name: field.title for field in FIELDS[dataset]}
    masked = mask_key(dataset, key)
    found = {"versions": list(reversed(versions)), "titles": titles, "masked": masked}
    return Page(template="record.html", here="record", values={**values, **found})


async def _versions(db: Database, dataset: str, cmc_id: str, key: str) -> list[RecordVersion]:
    """The versions of a record whose key is that, else that without the blanks that come along when one copies it."""
    try:
        return await surveying.history(db, dataset, cmc_id, key)
    except NotFound:
        return await surveying.history(db, dataset, cmc_id, key.strip())


async def diff_page(visit: Visit) -> Page:
    """What changed between two runs, the last two unless others are named."""
    runs = await stored.list_runs(visit.db, 90)
    ended = [run.number for run in runs if run.status is not RunStatus.RUNNING]
    if len(ended) < 2 and "to" not in visit.query:
        return Page(template="empty.html", here="diff", values={"label": "web.two_runs"})
    first, second = sorted((await _run(visit, "from", ended, 1), await _run(visit, "to", ended, 0)))
    province, dataset = visit.query.get("province") or None, visit.query.get("dataset") or None
    scope = Scope(
        cmc_id=cmc_id_of(province) if province else None, dataset=dataset_of(dataset) if dataset else None
    )
    rows = await surveying.differences(visit.db, first, second, scope)
    values = {
        "runs": runs,
        "first": first,
        "second": second,
        "scope": scope,
        "provinces": await looking.known_provinces(visit.db),
        "rows": [row for row in rows if row.added or row.changed or row.removed],
        "same": sum(not (row.added or row.changed or row.removed) for row in rows),
        "older": [row for row in rows if row.in_force is not None and row.in_force < second],
        "kinds": Counter(change for row in rows for change, _ in row.keys),
    }
    return Page(template="diff.html", here="diff", values=values)


async def _run(visit: Visit, name: str, ended: list[int], place: int) -> int:
    text = visit.query.get(name) or ""
    number = run_of(text) if text else None
    if number is None:
        return ended[min(place, len(ended) - 1)] if ended else 0
    if await looking.find_run(visit.db, number) is None:
        raise Unknown("web.no_run", run=number, last=max(ended, default=0))
    return number


def _cell(text: str) -> tuple[str, str]:
    cmc_id, slash, dataset = text.partition("/")
    if not slash:
        raise Unusable("web.bad_cell")
    return cmc_id_of(cmc_id), dataset_of(dataset)
