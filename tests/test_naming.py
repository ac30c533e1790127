"""What the rows of a pass name: gathered page by page it is what looking at row after row tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subcmc_crawler import naming
from subcmc_crawler.model import ReferenceCount
from subcmc_crawler.naming import Groups, Naming
from subcmc_crawler.province.page import read
from subcmc_crawler.province.tally import Tally
from subcmc_crawler.references import ReferenceTally, ServedOrder
from subcmc_crawler.spec.datasets import DATASETS, Dataset, Reference
from subcmc_crawler.spec.envelope import Envelope
from subcmc_crawler.spec.records import key_of
from subcmc_crawler.spec.references import REFERENCES, is_ordered, keys_named, value_in

Row = dict[str, Any]
THERE = {"k1", "k2", "k3", "7"}
BY_FIELD = [(dataset, each) for dataset, each in REFERENCES if each.field != dataset.key]
NAMES = pytest.mark.parametrize(
    ("dataset", "reference"), BY_FIELD, ids=[dataset.code for dataset, _ in BY_FIELD]
)
ORG, PARENT = DATASETS["ua_org"], DATASETS["ua_org"].references[0]
USER, ITS_ORG = DATASETS["ua_user"], DATASETS["ua_user"].references[0]

PLAIN = st.sampled_from(["k1", "k2", "k3", "k8", "k9", "7", "", " ", "-1", None, "\ud800", "k\u0000"])
ODD = st.sampled_from(
    [7, 1, 0, -1, 2**70, True, False, 7.0, -1.0, 1.5, {}, {"k1": 1}, [], ["k1"], [["k1"]], ["k9", True]]
)
KEYS = st.integers(0, 12).map("k{}".format)
ABSENT = object()


def gathered(dataset: Dataset, pages: Sequence[Sequence[Any]], **how: int) -> Naming:
    """What a pass over these pages gathers."""
    found, tally = Naming(dataset, **how), Tally()
    for ordinal, rows in enumerate(pages):
        page = read(dataset, Envelope(0, "", None, list(rows), ()), "620000")
        tally.sort(page, ordinal)
        found.add(page, tally)
    return found


def by_groups(dataset: Dataset, reference: Reference, groups: Groups) -> ReferenceCount:
    tally = ReferenceTally(dataset, reference)
    for batch in groups.batches(2):
        tally.add(batch, tally.unknown(batch), THERE)
    return tally.count(as_of=1, target_as_of=1, order=groups.order)


def by_rows(dataset: Dataset, reference: Reference, rows: Sequence[Any]) -> ReferenceCount:
    """The same, one row after another."""
    tally, order = ReferenceTally(dataset, reference), ServedOrder(dataset)
    for row in rows:
        key, _ = key_of(dataset, row)
        if key is not None:
            named = [(key, keys_named(value_in(reference, row)), 1)]
            tally.add(named, tally.unknown(named), THERE)
            order.serve(key, named[0][1])
    return tally.count(as_of=1, target_as_of=1, order=order if is_ordered(dataset, reference) else None)


def paged(rows: Sequence[Any], sizes: Sequence[int]) -> list[Sequence[Any]]:
    pages, start = [], 0
    for size in sizes:
        pages.append(rows[start : start + size])
        start += size
    return [*pages, rows[start:]]


def rows_of(dataset: Dataset, reference: Reference, pairs: Sequence[tuple[Any, Any]]) -> list[Row]:
    return [
        {dataset.key: key, "collectTime": 1} | ({} if value is ABSENT else {reference.field: value})
        for key, value in pairs
    ]


SIZES = st.lists(st.integers(0, 5), max_size=4)


@NAMES
@given(data=st.data(), sizes=SIZES)
def test_pages_tell_what_their_rows_tell(
    dataset: Dataset, reference: Reference, data: st.DataObject, sizes: list[int]
) -> None:
    """Rows with a key of their own, or none, that name something plain or nothing are always gathered."""
    plain = st.lists(PLAIN, max_size=3) | st.just(None) if reference.many else PLAIN
    keys = data.draw(st.lists(KEYS, unique=True, max_size=13))
    pairs: list[tuple[Any, Any]] = [(key, data.draw(plain | st.just(ABSENT))) for key in keys]
    keyless = st.sampled_from([None, "", True])
    for key in data.draw(st.lists(keyless, max_size=2)):
        pairs.insert(data.draw(st.integers(0, len(pairs))), (key, "k9"))
    rows: list[Any] = rows_of(dataset, reference, pairs)
    groups = gathered(dataset, paged(rows, sizes)).of(reference)
    assert groups is not None
    assert groups.rows == len(keys)
    assert by_groups(dataset, reference, groups) == by_rows(dataset, reference, rows)


@NAMES
@given(data=st.data(), sizes=SIZES)
def test_what_is_odd_is_told_rightly_or_not_at_all(
    dataset: Dataset, reference: Reference, data: st.DataObject, sizes: list[int]
) -> None:
    """Repeated keys, odd values, odd spellings, rows that are none: nothing that is told is wrong."""
    value = PLAIN | ODD | st.lists(PLAIN | ODD, max_size=2)
    rows: list[Any] = []
    for key in data.draw(st.lists(KEYS, max_size=8)):
        (row,) = rows_of(dataset, reference, [(key, data.draw(value | st.just(ABSENT)))])
        spelt = data.draw(st.sampled_from(["", "", f" {reference.field}", f"{reference.field} ", "novel"]))
        rows.append({**row, spelt: data.draw(PLAIN)} if spelt else row)
    if data.draw(st.booleans()):
        rows.insert(0, 1)  # a row that is none
    groups = gathered(dataset, paged(rows, sizes)).of(reference)
    if groups is not None:
        assert by_groups(dataset, reference, groups) == by_rows(dataset, reference, rows)


@given(
    parents=st.lists(st.integers(0, 30), min_size=1, max_size=31),
    sizes=SIZES,
    order=st.randoms(use_true_random=False),
)
@example(parents=[0, 0, 1, 2], sizes=[1, 1], order=None)
@example(parents=[3, 3, 3, 3], sizes=[2], order=None)
def test_children_before_their_parents_are_late_whatever_the_pages(
    parents: list[int], sizes: list[int], order: Any
) -> None:
    rows = rows_of(ORG, PARENT, [(f"k{number}", f"k{parent}") for number, parent in enumerate(parents)])
    if order is not None:
        order.shuffle(rows)
    groups = gathered(ORG, paged(rows, sizes)).of(PARENT)
    assert groups is not None
    assert by_groups(ORG, PARENT, groups) == by_rows(ORG, PARENT, rows)


def test_a_key_that_comes_twice_leaves_all_to_the_store() -> None:
    rows = rows_of(USER, ITS_ORG, [("k1", "k1"), ("k2", "k1"), ("k1", "k1")])
    assert gathered(USER, [rows[:2]]).of(ITS_ORG) is not None
    assert gathered(USER, [rows[:2], rows[2:]]).of(ITS_ORG) is None
    assert gathered(USER, [rows, rows_of(USER, ITS_ORG, [("k9", "k1")])]).of(ITS_ORG) is None


def test_a_name_with_blanks_matters_only_where_the_field_is_not_found() -> None:
    beside: list[Row] = [{"userId": "a", "orgId": "k1", " orgId": "k9"}, {"userId": "b", "orgId": "k1"}]
    instead: list[Row] = [{"userId": "a", " orgId": "k1"}, {"userId": "b", "orgId": "k1"}]
    assert gathered(USER, [beside]).of(ITS_ORG) is not None
    assert gathered(USER, [instead]).of(ITS_ORG) is None
    assert gathered(USER, [[{"userId": "a"}]]).of(ITS_ORG) is not None


def test_memory_has_an_end() -> None:
    few = rows_of(USER, ITS_ORG, [(f"u{number}", f"k{number % 10}") for number in range(1000)])
    many = rows_of(USER, ITS_ORG, [(f"u{number}", f"k{number}") for number in range(1000)])
    long = rows_of(USER, ITS_ORG, [("u1", "k" * 10_000)])
    assert gathered(USER, [few], most_bytes=10_000).of(ITS_ORG) is not None
    assert gathered(USER, [many], most_bytes=10_000).of(ITS_ORG) is None
    assert gathered(USER, [long], most_bytes=10_000).of(ITS_ORG) is None
    service, hosts = DATASETS["pm_service"], DATASETS["pm_service"].references[1]
    wide = rows_of(service, hosts, [("a1", [f"h{number}" for number in range(1000)])])
    assert gathered(service, [wide], most_bytes=100_000).of(hosts) is not None
    assert gathered(service, [wide], most_bytes=10_000).of(hosts) is None


def test_few_rows_wait_for_what_they_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_MOST_WAITING", 2)
    orphans = rows_of(ORG, PARENT, [(f"k{number}", f"nobody{number}") for number in range(3)])
    assert gathered(ORG, [orphans[:2]]).of(PARENT) is not None
    assert gathered(ORG, [orphans[:2], orphans[2:]]).of(PARENT) is None


def test_where_the_key_names_there_is_nothing_to_gather() -> None:
    service = DATASETS["pm_service"]
    assert gathered(service, [[{"appId": "a1", "hosts": []}]]).of(service.references[0]) is None


@pytest.mark.parametrize("value", [7, 1, True, 1.0, {}, ["k1"], [["k1"]]], ids=str)
def test_what_is_no_text_is_left_to_the_store(value: Any) -> None:
    """Python takes 1, 1.0 and true for one, MongoDB the first two; which of them were grouped could not be told."""
    rows = rows_of(USER, ITS_ORG, [("u1", "k1"), ("u2", value)])
    assert gathered(USER, [rows[:1]]).of(ITS_ORG) is not None
    assert gathered(USER, [rows[:1], rows[1:]]).of(ITS_ORG) is None
    service, hosts = DATASETS["pm_service"], DATASETS["pm_service"].references[1]
    assert gathered(service, [rows_of(service, hosts, [("a1", ["k1", value])])]).of(hosts) is None
