"""References as MongoDB counts them, held against counting by hand."""

from __future__ import annotations

from typing import Any

import pytest
from store_cases import BOTH_DRIVERS, CMC, page_of, snapshot

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.model import NamedKey, ReferenceCount, References, State
from subcmc_crawler.naming import Naming
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.references import (
    ReferenceCounting,
    count_references,
    find_references,
    references_of_run,
    write_references,
)
from subcmc_crawler.store.runs import published_as_of

pytestmark = BOTH_DRIVERS

ORGS: list[dict[str, Any]] = [
    {"orgId": "o1", "parentOrgId": "", "x": 1},
    {"orgId": "o2", "parentOrgId": "o1"},
    {"orgId": 7},
]


async def counted(db: Database, dataset: str, field: str, *, run: int = 1) -> ReferenceCount:
    references = await count_references(db, run, CMC)
    (found,) = (each for each in references.of(dataset) if each.field == field)
    return found


async def stored(db: Database, run: int = 1, **rows: list[dict[str, Any]]) -> None:
    for code, of_dataset in rows.items():
        await snapshot(db, run, [of_dataset], dataset=DATASETS[code])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("o1", "sound"),
        ("7", "sound"),
        (7, "sound"),  # a number equals its digits, as in a key
        ("o9", "dangling"),
        (8, "dangling"),
        ("", "absent"),
        (None, "absent"),
        (-1, "absent"),
        ("-1L", "absent"),
        ([], "absent"),
        ({"orgId": "o1"}, "dangling"),  # nothing that can be a key
        (True, "dangling"),
        (1.5, "dangling"),
        ("\ud800", "dangling"),  # kept as text, since BSON cannot hold it
        (2**70, "dangling"),
    ],
    ids=ascii,
)
async def test_a_value_names_somebody_nobody_or_nothing(store: Database, value: Any, kind: str) -> None:
    users = [{"userId": f"u{number}", "orgId": value} for number in range(3)]
    await stored(store, ua_org=ORGS, ua_user=users)
    found = await counted(store, "ua_user", "orgId")
    told = {"absent": found.absent, "dangling": found.dangling}
    told["sound"] = found.records - found.absent - found.dangling
    assert found.records == 3
    assert told == {**dict.fromkeys(told, 0), kind: 3}


async def test_a_field_that_is_spelt_with_a_blank_is_found(store: Database) -> None:
    users = [{"userId": "a", " orgId ": "o1"}, {"userId": "b", " orgId": "o9"}, {"userId": "c"}]
    await stored(store, ua_org=ORGS, ua_user=users)
    found = await counted(store, "ua_user", "orgId")
    assert (found.records, found.absent, found.dangling) == (3, 1, 1)
    assert found.samples == (NamedKey(key="b", named="o9"),)


async def test_what_many_name_is_looked_up_once_and_told_with_one_of_them(store: Database) -> None:
    users = [{"userId": f"u{number}", "orgId": f"o{5 + number % 2}"} for number in range(20)]
    await stored(store, ua_org=ORGS, ua_user=users)
    found = await counted(store, "ua_user", "orgId")
    assert found.dangling == 20
    assert set(found.samples) == {NamedKey(key="u0", named="o5"), NamedKey(key="u1", named="o6")}


async def test_children_before_their_parents_are_late(store: Database) -> None:
    orgs = [
        {"orgId": "child", "parentOrgId": "root"},
        {"orgId": "root", "parentOrgId": ""},
        {"orgId": "later", "parentOrgId": "child"},
        {"orgId": "orphan", "parentOrgId": "nobody"},
    ]
    await stored(store, ua_org=orgs)
    found = await counted(store, "ua_org", "parentOrgId")
    assert (found.records, found.absent, found.dangling, found.late) == (4, 1, 1, 1)
    assert found.late_samples == (NamedKey(key="child", named="root"),)


async def test_a_service_names_its_app_and_its_hosts(store: Database) -> None:
    services = [
        {"appId": "a1", "hosts": ["h1", "h2"]},
        {"appId": "a2", "hosts": ["h1", "h9"]},
        {"appId": "a3", "hosts": []},
    ]
    await stored(
        store,
        hardware=[{"assetId": "h1"}, {"assetId": "h2"}],
        pm_app=[{"appId": "a1"}, {"appId": "a2"}],
        pm_service=services,
    )
    apps, hosts = await counted(store, "pm_service", "appId"), await counted(store, "pm_service", "hosts")
    assert (apps.records, apps.absent, apps.dangling) == (3, 0, 1)
    assert (hosts.records, hosts.absent, hosts.dangling) == (3, 1, 1)
    assert hosts.samples == (NamedKey(key="a2", named="h9"),)


async def test_many_long_lists_are_counted_few_at_a_time(store: Database) -> None:
    """As many hosts as a service may name, each as long as may be: more in all than one question can ask for."""
    services = [
        {"appId": f"a{service:04d}", "hosts": [f"{service}-{host}-".ljust(255, "x") for host in range(50)]}
        for service in range(1_400)
    ]
    await stored(store, hardware=[{"assetId": services[7]["hosts"][0]}])
    await snapshot(store, 1, [services[:700], services[700:]], dataset=DATASETS["pm_service"])
    hosts = await counted(store, "pm_service", "hosts")
    assert (hosts.records, hosts.absent, hosts.dangling) == (1_400, 0, 1_400)


async def test_a_side_without_a_snapshot_is_not_counted(store: Database) -> None:
    await stored(store, ua_user=[{"userId": "a", "orgId": "o1"}])
    found = await counted(store, "ua_user", "orgId")
    assert (found.as_of, found.target_as_of, found.counted, found.records) == (1, None, False, 0)


async def test_a_target_that_failed_tonight_is_the_one_in_force(store: Database) -> None:
    await stored(store, ua_org=ORGS, ua_user=[])
    await snapshot(store, 2, [[{"orgId": "o3"}]], state=State.ROLLED_BACK)
    await stored(store, 2, ua_user=[{"userId": "a", "orgId": "o1"}, {"userId": "b", "orgId": "o3"}])
    found = await counted(store, "ua_user", "orgId", run=2)
    assert (found.as_of, found.target_as_of, found.dangling) == (2, 1, 1)


async def test_what_is_kept_is_read_back_and_a_later_crawl_wins(store: Database) -> None:
    await stored(store, ua_org=ORGS, ua_user=[{"userId": "a", "orgId": "o9"}])
    references = await count_references(store, 1, CMC)
    await write_references(store, references, fence=2)
    assert await find_references(store, 1, CMC) == references
    assert await references_of_run(store, 1) == {CMC: references}
    with pytest.raises(StoreLost, match="taken over"):
        await write_references(store, References(run=1, cmc_id=CMC, counts=()), fence=1)
    assert await find_references(store, 1, CMC) == references


@pytest.mark.parametrize("wide", [2**40, 2**63 - 1, 2**70])
async def test_a_wide_number_names_its_digits(store: Database, wide: int) -> None:
    hosts = [{"assetId": wide, "orgId": wide}]
    services = [{"appId": "a", "hosts": [wide]}]
    await stored(store, ua_org=[{"orgId": wide, "parentOrgId": wide}], hardware=hosts, pm_service=services)
    await stored(store, pm_app=[{"appId": "a"}])
    references = await count_references(store, 1, CMC)
    counted = [each for each in references.counts if each.counted]
    assert [(each.field, each.records, each.dangling, each.late) for each in counted] == [
        ("parentOrgId", 1, 0, 0),
        ("orgId", 1, 0, None),
        ("appId", 1, 0, None),
        ("hosts", 1, 0, None),
    ]


@pytest.mark.parametrize("step", [1, -1], ids=["as-they-stand", "turned-round"])
async def test_numbers_that_mongodb_takes_for_one_name_what_each_names(store: Database, step: int) -> None:
    """7 is a key and 7.0 is none, alone or in a list; which comes first does not matter."""
    values: list[Any] = [7, 7.0, [7], [7.0], 7, 7.0, 0.0, 0, {"o1": 7}, ["7", 7.0]]
    users = [{"userId": f"u{number}", "orgId": value} for number, value in enumerate(values[::step])]
    await stored(store, ua_org=ORGS, ua_user=users)
    found = await counted(store, "ua_user", "orgId")
    assert (found.records, found.absent, found.dangling) == (10, 0, 7)


async def test_a_list_that_holds_null_is_counted_once(store: Database) -> None:
    users: list[dict[str, Any]]
    users = [{"userId": "a", "orgId": [None]}, {"userId": "b", "orgId": None}, {"userId": "c", "orgId": "o1"}]
    await stored(store, ua_org=ORGS, ua_user=users)
    found = await counted(store, "ua_user", "orgId")
    assert (found.records, found.absent, found.dangling) == (3, 2, 0)


async def test_each_thing_that_is_not_there_is_told_once_by_its_first_record(store: Database) -> None:
    """The same whatever the order in which MongoDB groups them."""
    users = [{"userId": f"u{number:03d}", "orgId": f"x{(number * 7) % 40}"} for number in range(400)]
    await stored(store, ua_org=ORGS, ua_user=users)
    found = await counted(store, "ua_user", "orgId")
    assert found.dangling == 400
    assert found.samples == tuple(
        NamedKey(key=f"u{number:03d}", named=f"x{(number * 7) % 40}") for number in range(10)
    )


@pytest.mark.parametrize("code", ["ua_org", "ua_user", "hardware", "pm_service"])
async def test_what_pages_tell_of_any_plain_value_is_what_the_store_tells(store: Database, code: str) -> None:
    """Also of values that BSON cannot hold, whose records are kept as text."""
    values = ["o1", "o9", "7", "o9", "", " ", "-1L", None, "\ud800", "o\u0000"]
    dataset = DATASETS[code]
    reference = dataset.references[-1]
    rows = [
        {dataset.key: f"k{number}", reference.field: [value, "o1"] if reference.many else value}
        for number, value in enumerate(values)
    ]
    await stored(store, ua_org=ORGS, hardware=[{"assetId": "o1"}])
    run = 2 if code in ("ua_org", "hardware") else 1
    manifest = await snapshot(store, run, [rows[:5], rows[5:]], dataset=dataset)
    tally, naming = Tally(), Naming(dataset)
    for ordinal, part in enumerate((rows[:5], rows[5:])):
        page = page_of(part, dataset=dataset)
        tally.sort(page, ordinal)
        naming.add(page, tally)
    counting = ReferenceCounting(store, run, CMC)
    if reference.dataset != code:
        target = await published_as_of(store, run, CMC, reference.dataset)
        assert target is not None
        await counting.walked(target, Naming(DATASETS[reference.dataset]))
    await counting.walked(manifest, naming)
    assert naming.of(reference) is not None
    found = await counting.finish()
    assert found == await count_references(store, run, CMC)
    (count,) = (each for each in found.of(code) if each.field == reference.field)
    assert (count.records, count.absent) == (len(rows), 0 if reference.many else 4)
