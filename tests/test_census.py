"""Declared counts over real sockets: one request a dataset, whoever does not answer, and the three formats."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

from shapes import shaped
from subcmc_crawler.census import most_requests, take_census
from subcmc_crawler.model import DeclaredCount
from subcmc_crawler.province.registry import Registry, parse
from subcmc_crawler.report.census import Census, to_census_csv, to_census_json, to_census_text
from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.datasets import DATASETS
from workbooks import csv_rows, is_formula

PLACES = {"110000": "北京市", "150000": "内蒙古自治区", "620000": "甘肃省"}
DEFAULTS = (
    "requests_per_second = 0\nmax_attempts = 5\ncool_down_seconds = 600\nrequest_timeout_seconds = 60\n"
)
AT = datetime(2026, 3, 4, 17, 0, 3, tzinfo=UTC)


@asynccontextmanager
async def centres(*faults: str, mirrors: int = 1) -> AsyncIterator[tuple[Simulator, Registry]]:
    parsed = [Fault.parse(text) for text in faults]
    made = [Centre(cmc_id, name, scale=0.002, faults=parsed) for cmc_id, name in PLACES.items()]
    async with Simulator(made, mirrors=mirrors) as simulator:
        yield simulator, parse(simulator.registry(defaults=DEFAULTS))


async def counted(registry: Registry) -> dict[str, dict[str, DeclaredCount]]:
    counts = await take_census(registry.provinces, Path(), max_provinces=2)
    return {cmc_id: dict(row) for cmc_id, row in Census(at=AT, counts=counts).provinces.items()}


def asked(simulator: Simulator) -> Counter[tuple[str, int]]:
    """Requests by centre and address."""
    return Counter((request.cmc_id, request.address) for request in simulator.requests)


async def test_it_is_one_request_of_one_row_for_each_dataset() -> None:
    async with centres() as (simulator, registry):
        counts = await counted(registry)
        assert {
            cmc_id: {code: each.declared for code, each in row.items()} for cmc_id, row in counts.items()
        } == {cmc_id: {code: len(simulator.rows(cmc_id, code)) for code in DATASETS} for cmc_id in PLACES}
        assert asked(simulator) == {(cmc_id, 1): 9 for cmc_id in PLACES}
        assert {(request.page_num, request.page_size) for request in simulator.requests} == {(1, 1)}
        assert len(simulator.requests) == most_requests(registry.provinces)


async def test_row_2_who_cannot_be_reached_is_asked_at_the_next_address() -> None:
    async with centres(mirrors=2) as (simulator, registry):
        away = registry.provinces[0]
        dead = replace(away.addresses[0], port=9)
        moved = replace(registry, provinces=(replace(away, addresses=(dead, away.addresses[1])),))
        counts = await counted(moved)
        assert all(each.declared is not None for each in counts["110000"].values())
        assert asked(simulator) == {("110000", 2): 9}


async def test_row_2_and_3_two_silences_in_a_row_end_an_address() -> None:
    async with centres("620000#1:dead", mirrors=2) as (simulator, registry):
        counts = (await counted(registry))["620000"]
        assert counts["ua_org"].fault == "disconnected"
        assert all(each.declared is not None for code, each in counts.items() if code != "ua_org")
        assert asked(simulator)["620000", 1] == 2
        assert asked(simulator)["620000", 2] == 8


async def test_row_2_without_another_address_the_rest_is_not_asked_for() -> None:
    async with centres("620000:dead") as (simulator, registry):
        counts = await counted(registry)
        assert {each.fault for each in counts["620000"].values()} == {"disconnected"}
        assert asked(simulator)["620000", 1] == 2
        assert not any(each.failed for each in counts["110000"].values())


async def test_row_3_a_single_silence_costs_one_number() -> None:
    async with centres("620000/ua_user:dead") as (simulator, registry):
        counts = (await counted(registry))["620000"]
        assert [code for code, each in counts.items() if each.failed] == ["ua_user"]
        assert asked(simulator)["620000", 1] == 9


@pytest.mark.parametrize("status", [408, 429, 503, 509])
async def test_row_4_who_asks_for_patience_is_left_alone(status: int) -> None:
    async with centres(f"620000/ua_user:{status}") as (simulator, registry):
        counts = (await counted(registry))["620000"]
        assert counts["ua_org"].declared == 3
        assert [each.fault for each in counts.values()][1:] == [f"http-{status}"] * 8
        assert asked(simulator)["620000", 1] == 2


async def test_row_5_another_fault_costs_one_number_and_is_not_tried_again() -> None:
    async with centres("620000/ua_user:500", "620000/pm_app:html", "620000/hardware:total=absent") as (
        simulator,
        registry,
    ):
        counts = (await counted(registry))["620000"]
        failed = {code: each.fault for code, each in counts.items() if each.failed}
        assert failed == {"ua_user": "http-500", "pm_app": "not-json", "hardware": ""}
        assert asked(simulator)["620000", 1] == 9


async def test_what_is_not_registered_is_not_asked_for_and_does_not_fail() -> None:
    async with centres() as (simulator, registry):
        first, second, third = registry.provinces
        off = replace(second, datasets={**second.datasets, "hardware": None})
        counts = await counted(replace(registry, provinces=(replace(first, addresses=()), off, third)))
        assert asked(simulator) == {("150000", 1): 8, ("620000", 1): 9}
        assert not any(each.failed for row in counts.values() for each in row.values())
        assert sum(not each.registered for row in counts.values() for each in row.values()) == 10


# ── formats ─────────────────────────────────────────────────────────────────────────────────────────────


def made(**changes: DeclaredCount) -> Census:
    """Three provinces with so many records of each dataset, some of them changed."""
    counts = [
        changes.get(f"{code}_{cmc_id}")
        or DeclaredCount(cmc_id=cmc_id, province=name, dataset=code, declared=1000 * number + place)
        for number, (cmc_id, name) in enumerate(PLACES.items(), 1)
        for place, code in enumerate(DATASETS)
    ]
    return Census(at=AT, counts=counts)


def missing(fault: str, detail: str = "", code: str = "ua_user") -> DeclaredCount:
    return DeclaredCount(cmc_id="620000", province="甘肃省", dataset=code, fault=fault, detail=detail)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_text_has_every_number_and_every_sum_in_100_columns(lang: str) -> None:
    text = to_census_text(made(), lang=lang)
    assert max(cell_len(line) for line in text.splitlines()) <= 100
    row = next(line for line in text.splitlines() if line.startswith("甘肃"))
    assert row.split()[1:] == [*(f"{3000 + place:,}" for place in range(9)), "27,036"]
    last = text.splitlines()[-1]
    assert last.split()[1:] == [*(f"{6000 + 3 * place:,}" for place in range(9)), "54,108"]


def test_faults_stand_in_place_of_numbers_and_are_told_below() -> None:
    census = made(ua_user_620000=missing("http-500", "boom"), hardware_620000=missing("", code="hardware"))
    text = to_census_text(census, lang="zh")
    row = next(line for line in text.splitlines() if line.startswith("甘肃"))
    assert row.split()[2] == "未取得"
    assert row.split()[5] == "未申报"
    assert "甘肃省 620000：人员：HTTP 500（服务器内部错误）" in text
    assert "网络设施：响应中没有可用的 total" in text
    assert census.failed


@pytest.mark.parametrize(
    ("number", "told"), [(99_999_999, "99999999"), (10**9 + 1, "1.0G"), (10**12, "1.0T")]
)
def test_a_number_that_is_too_wide_gives_way(number: int, told: str) -> None:
    census = made(ua_user_620000=replace(missing(""), declared=number))
    row = next(line for line in to_census_text(census).splitlines() if line.startswith("甘肃"))
    assert row.split()[2] == told


def test_the_csv_holds_numbers_as_numbers_and_no_formula() -> None:
    census = made(ua_user_620000=missing("code", "code =1: =cmd|x"))
    head, *rows = csv_rows(to_census_csv(census, lang="zh"))
    assert len(head) == 12
    assert rows[2][2:5] == [3000.0, "返回了错误码：code =1，=cmd|x", 3002.0]
    assert rows[3][-1] == 54_108 - 3001
    evil = [replace(each, province="=1+1", detail="@x", fault="=x") for each in census.counts]
    told = csv_rows(to_census_csv(Census(at=AT, counts=[replace(each, declared=None) for each in evil])))
    assert not [field for row in told for field in row if isinstance(field, str) and is_formula(field)]


def test_the_json_says_what_is_missing_and_why() -> None:
    census = made(ua_user_620000=missing("http-500", "证件 620102199003071234"))
    document = json.loads(to_census_json(census))
    assert document["schema"] == "subcmc.census/1"
    shaped(document)
    shaped(document)
    assert document["at"] == "2026-03-05T01:00:03.000+08:00"
    assert document["failed"] == 1
    user = document["provinces"][2]["datasets"]["ua_user"]
    assert (user["registered"], user["declared"], user["fault"]) == (True, None, "http-500")
    assert "620102199003071234" not in json.dumps(document, ensure_ascii=False)
    assert document["sum"] == sum(document["sums"].values()) == 54_108 - 3001


def hostile(*texts: str) -> Census:
    """Each province fails in words of its own."""
    told = zip(PLACES, texts, strict=True)
    return made(**{f"ua_user_{cmc_id}": replace(missing(text, text), cmc_id=cmc_id) for cmc_id, text in told})


def test_a_provinces_words_stay_on_their_line() -> None:
    census = hostile("x\r\n甘肃  1 2 3\x1b[2J\u202e", "code", "长" * 5000)
    text = to_census_text(census)
    assert "\x1b" not in text + to_census_csv(census).decode() + to_census_json(census).decode()
    assert max(cell_len(line) for line in text.splitlines()) <= 100
    assert sum(line.startswith("甘肃") for line in text.splitlines()) == 1
