"""Records as they compare: sentinels, codes, arrays, defaults (1.3.5, chapter 3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.fields import FIELDS
from subcmc_crawler.spec.normal import Normal, compared_fields, normal

NONES: list[object] = [None, "", -1, -1.0, "-1", "-1L", "-1.0", []]


def value_of(dataset: str, field: str, value: object) -> Normal:
    return normal(dataset, {field: value})[compared_fields(dataset).index(field)]


@pytest.mark.parametrize("dataset", DATASETS)
def test_keys_and_volatile_fields_are_not_compared(dataset: str) -> None:
    left_out = {field.name for field in FIELDS[dataset]} - set(compared_fields(dataset))
    assert left_out == {"reportType", "cmcId", "collectTime", DATASETS[dataset].key}


@pytest.mark.parametrize("none", NONES, ids=repr)
@pytest.mark.parametrize("dataset", DATASETS)
def test_has_none_is_absent_in_every_field(dataset: str, none: object) -> None:
    assert normal(dataset, dict.fromkeys(compared_fields(dataset), none)) == normal(dataset, {})


@pytest.mark.parametrize("spelling", [1, "1", "01", 1.0, " 01 ", "1.0"], ids=repr)
def test_a_code_has_one_form(spelling: object) -> None:
    assert value_of("ua_user", "userType", spelling) == "1"


@pytest.mark.parametrize("spelling", [30201, "30201", "030201"], ids=repr)
def test_joined_asset_types_lose_their_zero(spelling: object) -> None:
    assert value_of("hardware", "assetType", spelling) == "30201"


@pytest.mark.parametrize("spelling", [True, 0, 2, "x", 10, "1 0"], ids=repr)
def test_what_is_no_spelling_of_1_differs_from_it(spelling: object) -> None:
    assert value_of("ua_user", "userType", spelling) != "1"


def test_text_is_compared_as_it_is() -> None:
    assert value_of("mdm_device", "osVersion", "01") != value_of("mdm_device", "osVersion", "1")
    assert value_of("mdm_device", "osVersion", 14) == value_of("mdm_device", "osVersion", "14")


def test_the_order_of_an_array_means_nothing() -> None:
    one, other = (value_of("pm_service", "hosts", hosts) for hosts in (["b", "a"], ["a", "b", ""]))
    assert one == other == ("a", "b")


def test_an_absent_terminal_type_is_a_phone() -> None:
    assert value_of("mdm_device", "policeTerminalType", None) == "20101"
    assert value_of("mdm_device", "policeTerminalType", "020101") == "20101"


def test_blanks_around_names_are_read_away_and_the_exact_name_wins() -> None:
    at = compared_fields("ua_org").index("orgName")
    assert normal("ua_org", {" orgName ": "a"})[at] == "a"
    assert normal("ua_org", {"orgName": "b", " orgName": "a"})[at] == "b"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(list(DATASETS)), st.data())
def test_anything_that_json_can_hold_has_a_hashable_form(dataset: str, data: st.DataObject) -> None:
    names = st.sampled_from([field.name for field in FIELDS[dataset]]) | st.text()
    record = data.draw(st.dictionaries(names, _JSON, max_size=8))
    values = normal(dataset, record)
    assert len(values) == len(compared_fields(dataset))
    hash(values)
