from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subcmc_crawler.spec.codes import PLATFORM_AREAS, spellings
from subcmc_crawler.spec.datasets import DATASETS, Dataset
from subcmc_crawler.spec.fields import FIELDS, Field
from subcmc_crawler.spec.records import Checked, check_page, key_of

CMC = "620000"
CLEAN = Checked({}, {}, {}, 0, 0)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def any_row(draw: st.DrawFn, dataset: Dataset) -> dict[str, Any]:
    names = st.sampled_from([field.name for field in FIELDS[dataset.code]])
    stray = names.map(lambda name: f" {name}")
    return draw(st.dictionaries(names | stray | st.text(), JSON, max_size=12))


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_row_that_json_can_hold_is_too_much(dataset: Dataset, data: st.DataObject) -> None:
    rows = data.draw(st.lists(any_row(dataset) | JSON, max_size=4))
    checked = check_page(dataset, rows, CMC)
    names = {field.name for field in FIELDS[dataset.code]}
    assert set(checked.flags) <= set(range(len(rows)))
    for found in checked.flags.values():
        assert found == tuple(sorted(set(found)))
        assert {flag.partition(":")[0] for flag in found} <= names
        assert set(found) <= set(checked.samples)
    for samples in checked.samples.values():
        assert len(samples) <= 3
        assert all(sample.isprintable() for sample in samples)
    for row in rows:
        key, reason = key_of(dataset, row)
        assert (key is None) == bool(reason)


def valid_value(field: Field) -> st.SearchStrategy[Any]:
    text = st.characters(exclude_categories=["Cs"])
    values: st.SearchStrategy[Any]
    if field.name == "reportType":
        values = st.sampled_from(["A", "U"])
    elif field.name == "cmcId":
        values = st.just(CMC)
    elif field.table is not None:
        values = st.sampled_from(spellings(field.table))
    elif field.kind in {"integer", "long"}:
        bits = 31 if field.kind == "integer" else 63
        values = st.integers(-(2**bits), 2**bits - 1) | st.sampled_from(["", "-1L", -1.0])
    elif field.kind == "strings":
        items = st.text(text, max_size=field.item_max_length)
        values = st.lists(items, max_size=min(field.items_max or 9, 9))
    elif field.lengths is not None:
        values = st.sampled_from(field.lengths).flatmap(
            lambda size: st.text(text, min_size=size, max_size=size)
        )
    else:
        values = st.text(text, max_size=field.max_length)
    return values if field.required else values | st.none()


@st.composite
def valid_row(draw: st.DrawFn, dataset: Dataset) -> dict[str, Any]:
    row = {}
    for field in FIELDS[dataset.code]:
        if field.required or draw(st.booleans()):
            row[field.name] = draw(valid_value(field))
    if "area" in row:
        row["platform"] = draw(st.sampled_from(sorted(PLATFORM_AREAS)))
        row["area"] = draw(st.sampled_from(sorted(PLATFORM_AREAS[row["platform"]])))
    return row


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_valid_row_has_no_flags(dataset: Dataset, data: st.DataObject) -> None:
    rows = data.draw(st.lists(valid_row(dataset), max_size=3))
    assert check_page(dataset, rows, CMC) == CLEAN
