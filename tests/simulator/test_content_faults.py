"""Faults of content: what an ideal walk receives too."""

from __future__ import annotations

from collections import Counter

import pytest

from subcmc_crawler.simulator.damage import _BREAKS, _DAMAGES, FOREIGN_CMC_ID, OTHER_CONTENT, UNKNOWN_FIELD
from subcmc_crawler.simulator.faults import CONTENT, Fault
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.records import Row
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.records import check_page, key_of

CODES = tuple(DATASETS)


def rows(code: str, *texts: str, night: int = 1, scale: float = 0.02) -> list[Row]:
    faults = [Fault.parse(f"620000/{code}:{text}") for text in texts]
    return Centre("620000", "甘肃省", scale=scale, faults=faults).rows(code, night)


def keys(code: str, held: list[Row]) -> Counter[str | None]:
    return Counter(key_of(DATASETS[code], row)[0] for row in held)


def test_every_kind_has_its_damage_and_every_dataset_its_examples() -> None:
    assert list(_DAMAGES) == list(CONTENT)
    assert set(_BREAKS) == set(OTHER_CONTENT) == set(DATASETS)


def test_shrunk_loses_that_share_from_the_end() -> None:
    sound = rows("ua_user")
    assert rows("ua_user", "shrunk=60") == sound[:400]
    assert rows("ua_user", "shrunk=100") == []


def test_empty_holds_nothing_and_only_on_its_night() -> None:
    assert rows("ua_user", "empty@2", night=2) == []
    assert len(rows("ua_user", "empty@2")) == 1000


@pytest.mark.parametrize("code", CODES)
def test_duplicates_are_exact_and_apart(code: str) -> None:
    sound, held = rows(code, scale=0.1), rows(code, "duplicates=3", scale=0.1)
    assert len(held) == len(sound) + 3
    twice = [key for key, count in keys(code, held).items() if count == 2]
    assert len(twice) == 3
    for key in twice:
        first, second = (row for row in held if row[DATASETS[code].key] == key)
        assert first == second


@pytest.mark.parametrize("code", CODES)
def test_conflicts_are_the_same_key_with_other_sound_content(code: str) -> None:
    sound, held = rows(code, scale=0.1), rows(code, "conflicts=3", scale=0.1)
    assert len(held) == len(sound) + 3
    twice = [key for key, count in keys(code, held).items() if count == 2]
    assert len(twice) == 3
    for key in twice:
        first, second = (row for row in held if row[DATASETS[code].key] == key)
        assert first != second
    assert not check_page(DATASETS[code], held, "620000").flags


def test_duplicates_are_the_same_rows_on_both_nights() -> None:
    first, second = (
        {key for key, n in keys("ua_user", rows("ua_user", "duplicates=9", night=night)).items() if n == 2}
        for night in (1, 2)
    )
    assert len(first & second) >= 8


def test_duplicates_keep_parents_first() -> None:
    seen = {""}
    for row in rows("ua_org", "duplicates=10", scale=0.1):
        assert row["parentOrgId"] in seen
        seen.add(str(row["orgId"]))


@pytest.mark.parametrize("code", CODES)
def test_nokey_adds_rows_without_a_usable_key(code: str) -> None:
    sound, held = rows(code), rows(code, "nokey=4")
    assert len(held) == len(sound) + 4
    reasons = Counter(key_of(DATASETS[code], row)[1] for row in held)
    assert reasons == {"": len(sound), "missing-key": 2, "empty-key": 2}


@pytest.mark.parametrize("code", CODES)
def test_badrows_break_as_many_rows_as_asked(code: str) -> None:
    asked = min(len(_BREAKS[code]), len(rows(code)))
    held = rows(code, f"badrows={asked}")
    checked = check_page(DATASETS[code], held, "620000")
    assert len(checked.flags) == asked
    assert len(held) == len(rows(code))
    assert None not in keys(code, held)


def test_badrows_have_a_police_number_of_eight() -> None:
    held = rows("ua_user", "badrows=4")
    rules = {
        rule for flags in check_page(DATASETS["ua_user"], held, "620000").flags.values() for rule in flags
    }
    assert rules == {"policeNo:length", "userType:code", "name:required", "position:length"}


@pytest.mark.parametrize(("text", "count"), [("foreign", 5), ("foreign=7", 7)])
def test_foreign_rows_carry_another_cmc_id(text: str, count: int) -> None:
    assert Counter(row["cmcId"] for row in rows("ua_user", text)) == {
        "620000": 1000 - count,
        FOREIGN_CMC_ID: count,
    }


def test_unknown_fields_are_in_every_row_and_break_no_rule() -> None:
    held = rows("hardware", "unknown-fields")
    checked = check_page(DATASETS["hardware"], held, "620000")
    assert checked.drift == {UNKNOWN_FIELD: len(held)}
    assert not checked.flags


@pytest.mark.parametrize("code", CODES)
def test_stray_keys_are_the_same_rows_once_trimmed(code: str) -> None:
    held = rows(code, "stray-keys")
    names = {name for row in held for name in row if name != name.strip()}
    key = DATASETS[code].key
    assert names == {f" {key}", f" {key} "}
    assert [{name.strip(): value for name, value in row.items()} for row in held] == rows(code)


def test_faults_of_content_add_up() -> None:
    held = rows("ua_user", "nokey=4", "duplicates=5", "conflicts=2", "badrows=3")
    counted = keys("ua_user", held)
    assert len(held) == 1000 + 4 + 5 + 2
    assert counted.pop(None) == 4
    assert len(counted) == 1000


def test_small_datasets_cannot_be_asked_for_too_much() -> None:
    assert len(rows("appspt_system", "duplicates=50", scale=0.0001)) == 4
    assert len(rows("appspt_system", "badrows=50", scale=0.0001)) == 3
    assert len(rows("appspt_system", "nokey=2", "badrows=1", "conflicts=1", scale=0)) == 2
