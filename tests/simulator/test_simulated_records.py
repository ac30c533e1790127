"""The invented records: sound by the field tables, addressable one by one, the same by seed."""

from __future__ import annotations

import pytest

from subcmc_crawler.simulator.chance import Chance
from subcmc_crawler.simulator.records import BASE_SIZES, FIRST_NIGHT_MS, Records, parent_of, sizes, stable
from subcmc_crawler.simulator.vocabulary import POPULATION_MILLIONS
from subcmc_crawler.spec.codes import AREAS
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.fields import FIELDS
from subcmc_crawler.spec.records import check_page

CODES = tuple(DATASETS)


def made(*, seed: int = 1, cmc_id: str = "620000", scale: float = 0.02) -> Records:
    return Records(seed=seed, cmc_id=cmc_id, name=AREAS[cmc_id], sizes=sizes(scale))


@pytest.mark.parametrize("code", CODES)
def test_no_rule_is_broken_at_any_revision(code: str) -> None:
    records = made()
    rows = [records.record(code, index, index % 4, night=3) for index in range(600)]
    checked = check_page(DATASETS[code], rows, "620000")
    assert not checked.flags
    assert not checked.drift
    assert not checked.stray_keys


@pytest.mark.parametrize("code", CODES)
def test_a_record_has_every_field_of_its_table(code: str) -> None:
    row = made().record(code, 5)
    assert set(row) == {field.name for field in FIELDS[code]}
    assert row["reportType"] == "A"
    assert row["cmcId"] == "620000"


@pytest.mark.parametrize("code", CODES)
def test_each_revision_is_other_content_under_the_same_key(code: str) -> None:
    records = made()
    for index in range(40):
        first, second, third = (records.record(code, index, revision) for revision in (0, 1, 2))
        assert first != second
        assert second != third
        assert first[DATASETS[code].key] == second[DATASETS[code].key] == third[DATASETS[code].key]


@pytest.mark.parametrize("code", CODES)
def test_keys_are_unique(code: str) -> None:
    records = made()
    key = DATASETS[code].key
    assert len({records.record(code, index)[key] for index in range(3000)}) == 3000


@pytest.mark.parametrize("code", CODES)
def test_same_seed_same_rows_other_seed_other_rows(code: str) -> None:
    rows, again, other = (
        [records.record(code, index) for index in range(20)] for records in (made(), made(), made(seed=2))
    )
    assert rows == again
    assert rows != other


@pytest.mark.parametrize("code", CODES)
def test_only_collect_time_moves_with_the_night(code: str) -> None:
    first, second = made().record(code, 3, night=1), made().record(code, 3, night=2)
    assert first.pop("collectTime") != second.pop("collectTime")
    assert first == second


def test_collect_time_is_some_milliseconds_into_the_night() -> None:
    times = {made().record("ua_user", index)["collectTime"] for index in range(50)}
    assert len(times) == 50
    assert all(isinstance(time, int) and 0 <= time - FIRST_NIGHT_MS < 60_000 for time in times)


def test_a_row_is_the_same_on_every_machine() -> None:
    row = made().record("ua_user", 7)
    assert (row["userId"], row["name"], row["idNo"]) == ("ube58ceb4", "孙俊刚", "620000197908190156")


def test_identity_numbers_have_a_right_check_digit_and_belong_to_no_county() -> None:
    records = made()
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    for index in range(200):
        row = records.record("ua_user", index)
        number = str(row["idNo"])
        assert len(number) == 18
        assert number.startswith("620000")
        rest = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False)) % 11
        assert number[17] == "10X98765432"[rest]
        assert int(number[16]) % 2 == (row["gender"] == 1)


def test_some_keys_are_the_same_in_two_provinces() -> None:
    ours, theirs = made(), made(cmc_id="110000")
    assert ours.record("pm_app", 4)["appId"] == theirs.record("pm_app", 4)["appId"]
    assert ours.record("ua_user", 4)["userId"] != theirs.record("ua_user", 4)["userId"]


def test_parents_come_first_and_are_never_removed() -> None:
    for index in range(1, 5000):
        assert parent_of(index) < index
        assert stable(parent_of(index)) == parent_of(index)
    assert made().record("ua_org", 0)["parentOrgId"] == ""


def test_sizes_at_scale() -> None:
    assert sizes(1.0) == dict(BASE_SIZES)
    assert sizes(1.0)["ua_user"] == sizes(1.0)["mdm_device"] == 50_000
    assert sizes(0.5)["ua_org"] == 750
    assert set(sizes(0.0001).values()) == {3, 5}
    assert set(sizes(0).values()) == {0}
    assert set(sizes(1.0)) == set(DATASETS)


def test_weighted_sizes_follow_the_population() -> None:
    assert sizes(1.0, area_code="440000")["ua_user"] > 100_000
    assert sizes(1.0, area_code="820000")["ua_user"] < 5_000
    assert set(POPULATION_MILLIONS) == set(AREAS)
    total = sum(sizes(1.0, area_code=code)["ua_user"] for code in AREAS)
    assert abs(total - 35 * 50_000) < 35


def test_chance_draws_distinct_numbers_in_order() -> None:
    for count in (0, 1, 7, 60, 99, 100, 200):
        drawn = Chance("a", count).distinct(100, count)
        assert len(drawn) == min(count, 100)
        assert drawn == sorted(set(drawn))
        assert drawn == Chance("a", count).distinct(100, count)


def test_chance_shares_are_whole_and_right_on_average() -> None:
    chance = Chance("share")
    shares = [chance.share(3, 0.5) for _ in range(2000)]
    assert set(shares) == {1, 2}
    assert 2800 < sum(shares) < 3200
