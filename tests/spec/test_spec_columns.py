"""Judged column by column, a page has the flags that its rows have one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subcmc_crawler.spec.codes import PLATFORM_AREAS, spellings
from subcmc_crawler.spec.columns import columns_of, suspects
from subcmc_crawler.spec.datasets import DATASETS, Dataset
from subcmc_crawler.spec.fields import FIELDS, Field
from subcmc_crawler.spec.records import Checked, check_page
from subcmc_crawler.spec.shapes import MOST_NAMES, shapes_of

CMC = "620000"
ORG = DATASETS["ua_org"]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
WRONG = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.sampled_from([-1, "-1L", "", -1.0, 0, 1.0, "D", "A", "U", 2**31, -(2**31) - 1, 2**63, -(2**63) - 1])
    | TEXT
    | st.lists(st.none() | TEXT, max_size=2)
    | st.dictionaries(TEXT, TEXT, max_size=1)
)


def value_of(field: Field) -> st.SearchStrategy[Any]:
    """Right values, and those one step past what is right."""
    if field.name == "cmcId":
        return st.sampled_from([CMC, CMC, CMC, "110000", ""])
    if field.table is not None:
        return st.sampled_from(spellings(field.table)) | st.integers(0, 99)
    if field.kind in {"integer", "long"}:
        bits = 31 if field.kind == "integer" else 63
        return st.integers(-(2**bits) - 1, 2**bits)
    if field.kind == "strings":
        length, many = (field.item_max_length or 3) + 1, min((field.items_max or 3) + 1, 40)
        return st.lists(st.sampled_from(["", "x", "x" * length, "字" * (length - 1)]), max_size=many)
    if field.lengths is not None:
        sizes = {size + more for size in field.lengths for more in (-1, 0, 1)}
        return st.sampled_from(sorted(sizes)).map(lambda size: "\n字x" * (size // 3) + "x" * (size % 3))
    most = field.max_length or 9
    return st.sampled_from(["", "x" * most, "字" * most, "x" * (most + 1), "𠮷" * most])


@st.composite
def page_of(draw: st.DrawFn, dataset: Dataset) -> list[dict[str, Any]]:
    """Rows that all have the same names, in any order, of which a few values are anything."""
    fields = [field for field in FIELDS[dataset.code] if draw(st.integers(0, 9))]
    names = [*(field.name for field in fields), *draw(st.sets(st.sampled_from(["新", "drift"])))]
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        row = {field.name: draw(value_of(field)) for field in fields}
        row |= {name: draw(WRONG) for name in names if name not in row or not draw(st.integers(0, 30))}
        if draw(st.booleans()) and row.keys() >= {"platform", "area"}:
            row["platform"] = draw(st.sampled_from(sorted(PLATFORM_AREAS)))
        rows.append({name: row[name] for name in draw(st.permutations(names))})
    return rows


def at_once(dataset: Dataset, rows: list[dict[str, Any]]) -> Checked:
    columns = columns_of(rows)
    assert columns is not None
    shape = shapes_of(dataset.code)[tuple(columns.values)]
    return check_page(dataset, rows, CMC, [shape] * len(rows), columns)


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_columns_have_the_flags_of_their_rows(dataset: Dataset, data: st.DataObject) -> None:
    rows = data.draw(page_of(dataset).filter(all))
    assert at_once(dataset, rows) == check_page(dataset, rows, CMC)


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_field_is_suspected_wherever_it_is_flagged(dataset: Dataset, data: st.DataObject) -> None:
    rows = data.draw(page_of(dataset).filter(all))
    apart = {"cmcId:other", "area:code"}  # rules about more than the value alone
    flagged = {flag for flags in check_page(dataset, rows, CMC).flags.values() for flag in flags} - apart
    names = {flag.partition(":")[0] for flag in flagged} & set(rows[0])
    columns = columns_of(rows)
    assert columns is not None
    assert names <= suspects(dataset.code, columns)


def test_a_page_of_thousands_has_each_flag_in_its_place() -> None:
    row = {"orgId": "620000000000", "orgName": "x", "parentOrgId": "", "areaCode": "620000"}
    rows: list[dict[str, Any]] = [row | {"orgId": f"{number:012}"} for number in range(2_500)]
    for place in (0, 999, 1_000, 2_499):
        rows[place] = dict(rows[place], orgName=7)
    found = at_once(ORG, rows)
    assert [place for place, flags in found.flags.items() if "orgName:type" in flags] == [
        0,
        999,
        1_000,
        2_499,
    ]
    assert found == check_page(ORG, rows, CMC)


def test_many_new_names_are_counted_as_they_are_row_by_row() -> None:
    names = {"…": 1} | {f"drift{number}": 1 for number in range(50)}
    others = {f"drift{number}": 1 for number in range(40, 90)}
    for rows in ([names] * 3, [names | {"orgId": "1"}], [others] * 2):
        assert at_once(ORG, rows) == check_page(ORG, rows, CMC)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{}],
        [{"a": 1}, 7],
        [{"a": 1}, {"b": 1}],
        [{"a": 1}, {"a": 1, "b": 1}],
        [{"a": 1, "b": 1}, {"a": 1}],
        [{" a": 1}],
        [{"a\u3000": 1}],
        [{f"{number}": 1 for number in range(MOST_NAMES + 1)}],
    ],
    ids=["none", "nameless", "no-object", "other", "more", "fewer", "blank", "wide-blank", "too-many"],
)
def test_rows_whose_names_differ_have_no_columns(rows: list[Any]) -> None:
    assert columns_of(rows) is None
