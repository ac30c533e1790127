"""References counted by groups, and the order in which records are served."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.model import NamedKey
from subcmc_crawler.references import ReferenceTally, ServedOrder
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.references import keys_named

VALUES: st.SearchStrategy[Any] = st.sampled_from(
    ["o1", "o2", "o3", 7, 8, "7", "", -1, None, [], ["o1"], ["o1", "o9"], {}, 1.5, "missing"]
)


@given(values=st.lists(VALUES, max_size=12))
def test_counting_by_groups_is_counting_one_by_one(values: list[Any]) -> None:
    """Every value by itself and all of them together come to the same."""
    dataset = DATASETS["ua_user"]
    (reference,) = dataset.references
    named = [(f"k{number}", keys_named(value), 1) for number, value in enumerate(values)]
    grouped: dict[Any, tuple[str, Any, int]] = {}
    for key, names, _ in named:
        first, _, records = grouped.get(names, (key, names, 0))
        grouped[names] = (first, names, records + 1)
    there = {"o1", "o2", "7"}
    counts = []
    for batch in (named, list(grouped.values())):
        tally = ReferenceTally(dataset, reference)
        tally.add(batch, tally.unknown(batch), there)
        counts.append(tally.count(as_of=1, target_as_of=1))
    one, other = counts
    assert (one.records, one.absent, one.dangling) == (other.records, other.absent, other.dangling)
    assert {sample.named for sample in one.samples} == {sample.named for sample in other.samples}


def test_what_was_looked_up_is_forgotten_when_it_is_too_much_and_asked_for_again() -> None:
    dataset = DATASETS["ua_user"]
    tally = ReferenceTally(dataset, dataset.references[0], remembered=1)
    for _ in range(2):
        batch = [("k", ("o1",), 1), ("l", ("o2",), 1)]
        asked = tally.unknown(batch)
        assert asked == ["o1", "o2"]
        tally.add(batch, asked, {"o1"})
    assert tally.count(as_of=1, target_as_of=1).dangling == 2


def test_a_record_that_names_itself_or_comes_twice_is_not_late() -> None:
    order = ServedOrder(DATASETS["ua_org"])
    order.serve("a", ["a"])
    order.serve("b", ["c"])
    order.serve("b", ["c"])
    order.serve("c", ["a"])
    assert (order.served, order.late, order.samples) == (3, 1, [NamedKey(key="b", named="c")])
