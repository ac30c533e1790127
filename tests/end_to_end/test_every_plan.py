"""Every question of two nights and of all pages of the dashboard: by an index, and to what it is about.

docs/scale.md rests on it: a question of a dataset's versions names a province, by cmcId or at the head of `_id`, so
that it concerns one place of a cluster that is divided by provinces, or costs the others a look into an index.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from nights import ministry

from subcmc_crawler.dashboard.application import application
from subcmc_crawler.dashboard.guarding import Guard
from subcmc_crawler.dashboard.visit import Site
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database

SMALL = {"runs", "leases", "schema", "rests"}
"""Collections of a document a night, or a province, or one: reading all of them is bounded."""

PAGES = (
    "/",
    "/runs/2",
    "/runs/2/110000",
    "/runs/2/110000/ua_user",
    "/record?cell=110000/ua_user&key={key}",
    "/diff?from=1&to=2",
    "/diff?from=1&to=2&province=110000&dataset=ua_user",
    "/windows",
    "/live",
    "/healthz",
    "/metrics",
)


async def test_nothing_is_looked_for_without_an_index_or_without_its_province(db: Database) -> None:
    async with ministry(db, provinces=("110000", "120000"), scale=0.002) as house:
        await house.night(1)
        await db.command("profile", 2)
        await house.night(2)
        await db.command("profile", 0)
        crawled = await _profile(db)
        user = await db["ua_user"].find_one({"cmcId": "110000"})
        assert user is not None
        await db["system.profile"].drop()
        await db.command("profile", 2)
        async with TestClient(TestServer(application(Site(db=db, lang="en"), Guard()))) as visitor:
            for page in PAGES:
                async with visitor.get(page.format(key=user["key"])) as answer:
                    assert answer.status == 200, page
        await db.command("profile", 0)
        read = await _profile(db)
    assert len(crawled) > 100
    assert len(read) > 30
    scanned = [_where(each) for each in (*crawled, *read) if "COLLSCAN" in each.get("planSummary", "")]
    assert {name for name, _ in scanned} <= SMALL, scanned
    of_versions = [each for each in (*crawled, *read) if _where(each)[0] in DATASETS]
    kinds = Counter(_names_a_province(each) for each in of_versions if each["op"] != "insert")
    assert kinds[""] == 0, [each["command"] for each in of_versions if not _names_a_province(each)][:3]
    assert kinds["cmcId"] > 30
    assert kinds["_id"] > 0
    updates = [each["command"] for each in of_versions if each["op"] == "update"]
    assert updates
    # a cluster takes an update of one document only by its shard key; one of many it sends to every shard
    assert [command for command in updates if not command["multi"] or command["upsert"]] == []


async def _profile(db: Database) -> list[dict[str, Any]]:
    ours = {
        "ns": {"$not": {"$regex": r"\.system\."}},
        "op": {"$in": ["query", "update", "remove", "command"]},
    }
    return [
        each
        async for each in db["system.profile"].find(ours)
        if "planSummary" in each or each["op"] == "update"
    ]


def _where(entry: dict[str, Any]) -> tuple[str, str]:
    name = entry["ns"].partition(".")[2]
    return (name.removeprefix("current_"), str(_filter(entry))[:200])


def _filter(entry: dict[str, Any]) -> Any:
    command = entry["command"]
    if "pipeline" in command:
        return command["pipeline"][0].get("$match", {})
    return command.get("filter") or command.get("q") or command.get("query") or {}


def _names_a_province(entry: dict[str, Any]) -> str:
    """By which field, empty for none."""
    wanted = _filter(entry)
    if isinstance(wanted.get("cmcId"), str):
        return "cmcId"
    return "_id" if re.search(r"'(11|12)0000/", str(wanted.get("_id", ""))) else ""
