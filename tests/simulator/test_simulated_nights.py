"""A centre over its nights: the share that changes, the order, the references."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.nights import Centre, standard_centres
from subcmc_crawler.simulator.records import Row
from subcmc_crawler.spec.codes import AREAS
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.records import check_page


def gansu(
    *, seed: int = 1, scale: float = 0.05, change: float = 0.01, faults: Sequence[Fault] = ()
) -> Centre:
    return Centre("620000", "甘肃省", seed=seed, scale=scale, change=change, faults=faults)


def by_key(centre: Centre, code: str, night: int) -> dict[object, Row]:
    rows = {}
    for row in centre.rows(code, night):
        del row["collectTime"]
        rows[row[DATASETS[code].key]] = row
    return rows


@pytest.mark.parametrize("code", DATASETS)
def test_the_same_centre_again_holds_the_same_bytes(code: str) -> None:
    for night in (1, 2, 4):
        first, second = gansu().encoded(code, night), gansu().encoded(code, night)
        assert first.page(0, len(first)) == second.page(0, len(second))


def test_another_seed_is_another_centre() -> None:
    assert gansu().rows("ua_user") != gansu(seed=2).rows("ua_user")


def test_nights_may_be_asked_for_in_any_order() -> None:
    centre = gansu(change=0.1)
    later = centre.rows("ua_user", 5)
    first = centre.rows("ua_user", 1)
    assert centre.rows("ua_user", 5) == later == gansu(change=0.1).rows("ua_user", 5)
    assert first == gansu(change=0.1).rows("ua_user", 1)


def test_a_night_changes_about_the_given_share() -> None:
    centre = gansu(scale=0.4, change=0.05)
    before, after = by_key(centre, "ua_user", 1), by_key(centre, "ua_user", 2)
    added = after.keys() - before.keys()
    removed = before.keys() - after.keys()
    changed = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    assert len(added) + len(removed) + len(changed) == pytest.approx(20_000 * 0.05, abs=1)
    assert len(changed) == pytest.approx(800, rel=0.1)
    assert len(added) == pytest.approx(100, rel=0.35)
    assert len(removed) == pytest.approx(100, rel=0.35)


def test_a_small_dataset_changes_now_and_then() -> None:
    centre = gansu(scale=0.001, change=0.1)
    seen = [by_key(centre, "infr_network", night) for night in range(1, 30)]
    steps = [before != after for before, after in pairwise(seen)]
    assert any(steps)
    assert not all(steps)


def test_nothing_changes_without_change() -> None:
    centre = gansu(change=0.0)
    assert by_key(centre, "ua_user", 1) == by_key(centre, "ua_user", 7)
    assert centre.rows("ua_user", 1) != centre.rows("ua_user", 7)


def test_nearly_everything_may_change_at_once() -> None:
    centre = gansu(scale=0.4, change=1.0)
    before, after = by_key(centre, "ua_org", 1), by_key(centre, "ua_org", 2)
    same = sum(before[key] == after[key] for key in before.keys() & after.keys())
    assert same < len(before) * 0.3  # one event in ten adds a row, and one removes a row that may go


@pytest.mark.parametrize("night", [1, 2, 9])
def test_parents_come_before_their_children(night: int) -> None:
    centre = gansu(change=0.1)
    seen = {""}
    for row in centre.rows("ua_org", night):
        assert row["parentOrgId"] in seen
        seen.add(str(row["orgId"]))
    assert len(seen) > 60


@pytest.mark.parametrize("night", [1, 2, 9])
def test_references_resolve(night: int) -> None:
    centre = gansu(change=0.1)
    keys = {code: {row[DATASETS[code].key] for row in centre.rows(code, night)} for code in DATASETS}
    for code, dataset in DATASETS.items():
        for reference in dataset.references:
            for row in centre.rows(code, night):
                value = row[reference.field]
                named = value if isinstance(value, list) else [value]
                assert set(named) - {""} <= keys[reference.dataset], (code, reference)


def test_rows_are_fresh_so_that_nobody_changes_the_truth() -> None:
    centre = gansu()
    centre.rows("pm_service")[0].clear()
    assert centre.rows("pm_service")[0]


def test_a_spare_row_is_none_that_is_held() -> None:
    centre = gansu(change=0.1)
    held = by_key(centre, "ua_user", 3)
    assert all(centre.spare("ua_user", 3, number)["userId"] not in held for number in range(20))


def test_a_centre_takes_only_its_own_faults() -> None:
    faults = [Fault.parse("620000:bom"), Fault.parse("110000:html"), Fault.parse("*:clamp=9@2")]
    centre = gansu(faults=faults)
    assert [fault.kind for fault in centre.active("ua_user", 1)] == ["bom"]
    assert [fault.kind for fault in centre.active("ua_user", 2)] == ["bom", "clamp"]


def test_nights_count_from_one() -> None:
    with pytest.raises(ValueError, match="nights count from 1"):
        gansu().rows("ua_user", 0)


def test_the_standard_centres_are_the_35_in_order() -> None:
    centres = standard_centres(scale=0.001)
    assert {centre.cmc_id: centre.name for centre in centres} == dict(AREAS)
    assert [centre.cmc_id for centre in centres] == list(AREAS)
    assert len({centre.encoded("ua_user").page(0, 3) for centre in centres}) == 35


@pytest.mark.parametrize("code", DATASETS)
def test_no_standard_centre_breaks_a_rule_on_two_nights(code: str) -> None:
    for centre in standard_centres(scale=0.002, change=0.2):
        for night in (1, 2):
            checked = check_page(DATASETS[code], centre.rows(code, night), centre.cmc_id)
            assert not checked.flags
            assert not checked.drift


def test_a_fault_of_no_centre_is_an_error() -> None:
    with pytest.raises(ValueError, match="'999999:bom' names no centre"):
        standard_centres(faults=[Fault.parse("999999:bom")])


def test_an_empty_centre() -> None:
    centre = gansu(scale=0)
    assert all(centre.rows(code, night) == [] for code in DATASETS for night in (1, 2))
